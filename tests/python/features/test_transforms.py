"""Each transform on ordinary, missing and extreme values, the same bits in three engines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sealane.features import (
    Bucketize,
    Clip,
    Column,
    DateParts,
    Features,
    FittedFeatures,
    Impute,
    Log,
    Log1p,
    Lookup,
    MinMax,
    Normalize,
    OneHot,
    Passthrough,
)

NAN = float("nan")
EXTREME = [0.0, -0.0, 1.0, -1.0, 5e-324, 1e-45, -1e-40, 1.2e-38, 3.4e38, -3.4e38, 1e300, 2.0**53]
TRAIN = [0.5, 3.0, -7.25, 100.0, 3.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "chain",
    [
        Passthrough(),
        Normalize(),
        MinMax(),
        Clip(-2.0, 50.0),
        Clip(high=1e-3),
        Impute("mean") | Normalize(),
        Impute("constant", -1.5, indicator=True) | MinMax(),
        Impute("most_frequent") | Clip(low=0) | Log1p() | Normalize(),
        Clip(low=0.25) | Log(),
        Bucketize([-1.0, 0.0, 3.0]),
        Bucketize(quantiles=4) | OneHot(),
        Impute() | Normalize() | Normalize(),
    ],
    ids=str,
)
def test_numbers_have_equal_bits_everywhere(everywhere, chain, dtype):
    fitted = Features({"x": chain}).fit({"x": np.array(TRAIN, dtype)})
    with np.errstate(over="ignore"):
        values = np.array(EXTREME + TRAIN, np.float64).astype(dtype)
    if fitted.input_signature[0].domain.nullable:
        values = np.append(values, dtype(np.nan))
    made = everywhere(fitted, {"x": values}, opsets=(13, 20))
    assert not any(np.isnan(array).any() for array in made.values())


@pytest.mark.parametrize("rows", [0, 1, 2, 7])
def test_batches_of_any_size(everywhere, rows):
    fitted = Features(
        {
            "city": Lookup(),
            "size": Impute(indicator=True) | Normalize(),
            "when": DateParts("month", "hour"),
            "wave": Column("when") | DateParts("weekday", encode="cyclic"),
            "bucket": Column("size") | Bucketize([1.0, 2.0]),
            "hot": Column("city") | Lookup() | OneHot(),
        }
    ).fit(
        {
            "city": ["a", "b", "c"],
            "size": [1.0, NAN, 3.0],
            "when": np.array(["2013-01-01", "NaT", "2014-06-07T08:09:10"], "datetime64[s]"),
        }
    )
    table = pd.DataFrame(
        {
            "city": pd.Series(["a", "z", None, "b", "", "c", "é"], dtype=object),
            "size": [1.5, NAN, -3.0, 0.0, 1.0, 2.0, NAN],
            "when": np.array(["2024-02-29T23:59:59.9"] * 3 + ["NaT"] * 4, "datetime64[ms]"),
        }
    ).head(rows)
    made = everywhere(fitted, table)
    assert made["numeric"].shape == (rows, 9)
    assert fitted.feature_names["numeric"] == (
        "size", "size_missing", "wave_weekday_sin", "wave_weekday_cos",
        *(f"hot[{index}]" for index in range(5)),
    )  # fmt: skip


def test_values_of_a_small_table():
    fitted = Features(
        {"carrier": Lookup(), "distance": Normalize(), "delay": Impute("median")}
    ).fit(
        {
            "carrier": ["UA", "AA", None, "UA"],
            "distance": np.array([1, 2, 3, 4]),
            "delay": [2.0, NAN, 44.0, -3.0],
        }
    )
    made = fitted.transform(
        {"carrier": ["UA", "AA", "??", ""], "distance": [2, 3, 4, 5], "delay": [NAN, 1, 2, 3]}
    )
    np.testing.assert_array_equal(made["carrier"], [3, 2, 1, 0])
    scaled = (np.array([2, 3, 4, 5]) - 2.5) / np.std([1, 2, 3, 4])
    np.testing.assert_allclose(made["numeric"][:, 0], scaled, rtol=1e-7)
    np.testing.assert_array_equal(made["numeric"][:, 1], [2, 1, 2, 3])
    assert fitted.cardinalities == {"carrier": 4}


def test_lookup_of_text_is_exact(everywhere):
    words = ["", "a", "A", " a", "é", "e\u0301", "😀", "ß", "NaN", "null", "x" * 5000, "a\u0000b"]
    fitted = Features({"word": Lookup()}).fit({"word": words})
    made = everywhere(fitted, {"word": [*words, None, "unseen", "É", "a "]})["word"]
    assert sorted(made[1:12]) == list(range(2, 13))
    np.testing.assert_array_equal(made[[0, 12, 13, 14, 15]], [0, 0, 1, 1, 1])


def test_swapped_categories_are_seen():
    fitted = Features({"word": Lookup()}).fit({"word": ["a", "b", "c"]})
    swapped = FittedFeatures.from_json(
        fitted.to_json().replace('["a", "b", "c"]', '["b", "a", "c"]')
    )
    assert swapped != fitted
    table = {"word": ["a", "b"]}
    assert fitted.transform(table)["word"].tolist() == [2, 3]
    assert swapped.transform(table)["word"].tolist() == [3, 2]


def test_lookup_of_integers(everywhere):
    values = np.array([3, -7, 2**62, 3, 0])
    fitted = Features({"code": Lookup()}).fit({"code": values})
    made = everywhere(fitted, {"code": np.array([3, -7, 2**62, 0, 1, -(2**63), 2**63 - 1])})
    np.testing.assert_array_equal(made["code"], [4, 2, 5, 3, 1, 1, 1])
    assert fitted.cardinalities == {"code": 6}


def test_lookup_of_whole_floats_with_missing(everywhere):
    fitted = Features({"code": Lookup()}).fit({"code": [1.0, 2.0, NAN, 5.0]})
    table = {"code": [1.0, 5.0, NAN, 1.5, 3.0, np.inf, -np.inf, 1e300, -0.0, 2.0**53, 1e-310]}
    made = everywhere(fitted, table)["code"]
    np.testing.assert_array_equal(made, [2, 4, 0, 1, 1, 1, 1, 1, 1, 1, 1])


def test_lookup_keeps_frequent_categories():
    data = {"word": ["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d"]}
    assert Features({"word": Lookup(min_count=3)}).fit(data).cardinalities == {"word": 5}
    fitted = Features({"word": Lookup(max_size=2)}).fit(data)
    assert fitted.input_signature[0].domain.vocabulary == ("a", "b")
    given = Features({"word": Lookup(vocabulary=("z", "a"))}).fit(data)
    assert given.transform({"word": ["z", "a", "b"]})["word"].tolist() == [2, 3, 1]


def test_booleans(everywhere):
    data = {"flag": np.array([True, False, True]), "kept": np.array([True, True, False])}
    made = everywhere(Features({"flag": Lookup(), "kept": Passthrough()}).fit(data), data)
    np.testing.assert_array_equal(made["flag"], [3, 2, 3])
    np.testing.assert_array_equal(made["numeric"][:, 0], [1, 1, 0])


@pytest.mark.parametrize("values", [[1, 2, 3], np.array([1, 2, 3], np.uint8)])
def test_integers_as_numbers(everywhere, values):
    fitted = Features({"n": Normalize()}).fit({"n": values})
    extreme = {"n": np.array([2**63 - 1, -(2**63), 2**53 + 1, 0])}
    everywhere(fitted, extreme)


def test_constant_column_is_shifted_only():
    fitted = Features({"a": Normalize(), "b": Column("a") | MinMax()}).fit({"a": [4.0, 4.0]})
    np.testing.assert_array_equal(fitted.transform({"a": [4.0, 5.0]})["numeric"], [[0, 0], [1, 1]])


def test_log1p_keeps_small_values(everywhere):
    small = 10.0 ** -np.arange(1, 37)
    fitted = Features({"x": Log1p()}).fit({"x": small})
    values = np.concatenate([small, -small / 2, [0.0, 1e300, np.inf, 2.0**53]])
    made = everywhere(fitted, {"x": values})["numeric"][:, 0]
    np.testing.assert_array_equal(made, np.log1p(values).astype(np.float32))


def test_dates_agree_with_pandas(everywhere):
    parts = ("year", "month", "day", "weekday", "hour", "minute", "dayofyear")
    rng = np.random.default_rng(3)
    seconds = rng.integers(-9_000_000_000, 9_000_000_000, 3000)
    corner = np.array(
        [
            "1900-02-28T23:59:59",
            "1900-03-01",
            "2000-02-29",
            "2000-12-31T23:59:59.999",
            "1970-01-01",
        ],
        "datetime64[ms]",
    )
    when = pd.to_datetime(pd.Series(seconds, dtype="int64"), unit="s")
    when = pd.concat([when, pd.Series(corner)], ignore_index=True)
    fitted = Features({"t": DateParts(*parts, encode="number")}).fit({"t": when})
    made = everywhere(fitted, {"t": when})["numeric"]
    for column, part in enumerate(parts):
        np.testing.assert_array_equal(made[:, column], getattr(when.dt, part), err_msg=part)


def test_dates_before_and_after_pandas(everywhere):
    texts = ["0001-01-01", "1583-10-15", "2400-02-29", "9999-12-31T23:59:59"]
    moments = np.array(texts, "datetime64[s]")
    seconds = moments.astype(np.int64).astype(np.float64)
    fitted = Features({"t": DateParts("year", "month", "day", encode="number")}).fit({"t": seconds})
    made = everywhere(fitted, {"t": seconds})["numeric"]
    expected = [[1, 1, 1], [1583, 10, 15], [2400, 2, 29], [9999, 12, 31]]
    np.testing.assert_array_equal(made, expected)


def test_date_categories_and_waves(everywhere):
    when = pd.to_datetime(["2024-01-01T00:30", None, "2024-12-29T23:00"])
    fitted = Features(
        {
            "t": DateParts("month", "weekday", "hour"),
            "wave": Column("t") | DateParts("hour", encode="cyclic"),
        }
    ).fit({"t": when})
    made = everywhere(fitted, {"t": when})
    np.testing.assert_array_equal(made["t_month"], [1, 0, 12])
    np.testing.assert_array_equal(made["t_weekday"], [1, 0, 7])
    np.testing.assert_array_equal(made["t_hour"], [1, 0, 24])
    np.testing.assert_allclose(made["numeric"][2], [np.sin(-np.pi / 12), np.cos(-np.pi / 12)], 1e-6)
    np.testing.assert_array_equal(made["numeric"][1], [0, 0])
    assert fitted.cardinalities == {"t_month": 13, "t_weekday": 8, "t_hour": 25}


def test_date_zone_and_offset():
    utc = pd.to_datetime(["2024-06-01T02:00:00Z"]).tz_convert("America/New_York")
    features = Features({"t": DateParts("hour", "day", encode="number", offset=-4 * 3600)})
    frame = pd.DataFrame({"t": utc})
    np.testing.assert_array_equal(features.fit(frame).transform(frame)["numeric"], [[22, 31]])


def test_groups():
    table = {"a": [1.0, 2.0], "b": [3.0, 4.0], "c": ["x", "y"], "d": ["z", "z"]}
    fitted = Features(
        {"a": Passthrough(), "b": Passthrough(), "c": Lookup(), "d": Lookup()},
        groups={"codes": ["d", "c"], "rest": ["b"]},
        numeric="x",
    ).fit(table)
    made = fitted.transform(table)
    assert {name: array.shape for name, array in made.items()} == {
        "x": (2, 1),
        "codes": (2, 2),
        "rest": (2, 1),
    }
    np.testing.assert_array_equal(made["codes"], [[2, 2], [2, 3]])


def test_groups_everywhere(everywhere):
    table = {"a": [1.0, 2.0], "b": [3.0, 4.0], "c": ["x", "y"], "d": ["z", "z"]}
    everywhere(
        Features(
            {"a": Passthrough(), "b": Passthrough(), "c": Lookup(), "d": Lookup()},
            groups={"codes": ["d", "c"], "b": ["b"]},
        ).fit(table),
        table,
    )


def test_float64_is_the_oracle():
    table = {"x": np.random.default_rng(0).normal(3, 2, 1000)}
    fitted = Features({"x": Normalize()}).fit(table)
    exact = fitted.transform(table, dtype=np.float64)["numeric"]
    assert exact.dtype == np.float64
    np.testing.assert_array_equal(exact.astype(np.float32), fitted.transform(table)["numeric"])
    assert np.max(np.abs(exact[:, 0] - (table["x"] - table["x"].mean()) / table["x"].std())) < 1e-15


def test_passthrough_of_missing(everywhere):
    fitted = Features({"x": Passthrough(nullable=True)}).fit({"x": [1.0, NAN]})
    made = everywhere(fitted, {"x": [NAN, 2.0]})["numeric"]
    assert np.isnan(made[0, 0])
    assert made[1, 0] == 2
