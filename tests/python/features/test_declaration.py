"""Declarations and tables that can not be right give coded errors that say what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sealane.core import DType, ErrorCode, SealaneError
from sealane.features import (
    Bucketize,
    Clip,
    Column,
    DateParts,
    Features,
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
TABLE = {
    "text": ["a", "b", "a"],
    "number": [1.0, 2.0, 4.0],
    "gaps": [1.0, NAN, 2.0],
    "blank": [NAN, NAN, NAN],
    "none": [None, None, ""],
    "infinite": [1.0, np.inf, 2.0],
    "whole": [1, 2, 3],
    "narrow": np.array([1, 2, 3], np.float32),
    "when": np.array(["2020-01-01"] * 3, "datetime64[ns]"),
    "pairs": np.zeros((3, 2)),
    "mixed": [1, "a", None],
    "complex": np.array([1j, 2j, 3j]),
    "huge": np.array([2**64 - 1] * 3, np.uint64),
    "broken": ["ok", "\ud800", "x"],
    "far": [1e15, 0.0, 0.0],
}


@pytest.mark.parametrize(
    ("column", "chain", "code", "says"),
    [
        ("unknown", Lookup(), "INPUT_MISSING", "'unknown' is not in the data"),
        ("text", Normalize(), "INPUT_DTYPE", "Normalize needs numbers, received strings"),
        ("text", Impute(), "INPUT_DTYPE", "Use Lookup()"),
        ("text", Clip(0), "INPUT_DTYPE", "Clip needs numbers"),
        ("text", DateParts("hour"), "INPUT_DTYPE", "pandas.to_datetime"),
        ("text", Lookup(min_count=3), "INPUT_DOMAIN", "empty vocabulary"),
        ("none", Lookup(), "INPUT_DOMAIN", "empty vocabulary"),
        ("blank", Impute(), "INPUT_DOMAIN", "all of the 3 values are missing"),
        ("blank", Bucketize(quantiles=3), "INPUT_DOMAIN", "are missing"),
        ("gaps", Normalize(), "INPUT_NULL", "Add Impute()"),
        ("gaps", Passthrough(), "INPUT_NULL", "first at row 1"),
        ("infinite", Normalize(), "INPUT_DOMAIN", "the first at row 1"),
        ("number", Lookup() | Normalize(), "INPUT_DTYPE", "category indices"),
        ("number", OneHot(), "EXPORT_UNSUPPORTED", "OneHot needs a category"),
        ("number", Lookup() | Lookup(), "EXPORT_UNSUPPORTED", "Remove one"),
        ("number", MinMax() | Log1p(), "EXPORT_UNSUPPORTED", "logarithm after scaling"),
        ("number", Normalize() | Log(), "INPUT_DOMAIN", "Log needs values above 0"),
        ("number", Lookup(vocabulary=("a",)), "EXPORT_UNSUPPORTED", "Give integers"),
        ("text", Lookup(vocabulary=(1,)), "EXPORT_UNSUPPORTED", "Give strings"),
        ("infinite", Lookup(), "INPUT_DOMAIN", "infinite"),
        ("number", (Clip(0.5, 0.6), Lookup()), "EXPORT_UNSUPPORTED", "not whole"),
        ("when", Normalize(), "EXPORT_UNSUPPORTED", "Add DateParts()"),
        ("narrow", DateParts("hour"), "EXPORT_UNSUPPORTED", "float32 can not hold"),
        ("far", DateParts("hour"), "EXPORT_UNSUPPORTED", "years 1 to 9999"),
        ("pairs", Normalize(), "INPUT_SHAPE", "(3, 2)"),
        ("mixed", Lookup(), "INPUT_DTYPE", "row 0"),
        ("complex", Normalize(), "INPUT_DTYPE", "complex128"),
        ("huge", Lookup(), "INPUT_DOMAIN", "largest INT64"),
        ("broken", Lookup(), "INPUT_DTYPE", "row 1"),
        ("number", (), "EXPORT_UNSUPPORTED", "no transform"),
        ("number", Column("text"), "EXPORT_UNSUPPORTED", "no transform"),
    ],
)
def test_a_bad_fit_says_why(column, chain, code, says):
    with pytest.raises(SealaneError) as caught:
        Features({column: chain}).fit(TABLE)
    assert caught.value.code == ErrorCode(code)
    assert says in caught.value.message


@pytest.mark.parametrize(
    "make",
    [
        lambda: Impute("mode"),
        lambda: Impute("constant"),
        lambda: Impute("mean", 3.0),
        lambda: Impute("constant", NAN),
        lambda: Clip(),
        lambda: Clip(2, 1),
        lambda: Clip(NAN),
        lambda: Clip(high=np.inf),
        lambda: Lookup(min_count=0),
        lambda: Lookup(max_size=0),
        lambda: Lookup(vocabulary=()),
        lambda: Lookup(vocabulary=("a", "a")),
        lambda: Lookup(vocabulary=("a", "")),
        lambda: Bucketize(),
        lambda: Bucketize([1.0], quantiles=2),
        lambda: Bucketize([2.0, 1.0]),
        lambda: Bucketize([]),
        lambda: Bucketize([NAN]),
        lambda: Bucketize(quantiles=1),
        lambda: DateParts(),
        lambda: DateParts("week"),
        lambda: DateParts("hour", "hour"),
        lambda: DateParts("hour", encode="onehot"),
        lambda: DateParts("hour", offset=10**6),
        lambda: Features({}),
        lambda: Features({"": Lookup()}),
        lambda: Features({"a\n": Lookup()}),
    ],
)
def test_a_bad_option_is_refused_when_written(make):
    with pytest.raises(SealaneError) as caught:
        make()
    assert caught.value.code == ErrorCode.EXPORT_UNSUPPORTED


@pytest.mark.parametrize(
    ("columns", "groups"),
    [
        ({"number": Normalize()}, {"g": ["unknown"]}),
        ({"number": Normalize()}, {"g": []}),
        ({"number": Normalize(), "text": Lookup()}, {"g": ["number", "text"]}),
        ({"number": Normalize(), "text": Lookup()}, {"numeric": ["text"]}),
        ({"number": Normalize(), "whole": Normalize()}, {"g": ["number"], "h": ["number"]}),
        ({"numeric": Column("text") | Lookup(), "number": Normalize()}, None),
        ({"gaps": Impute(indicator=True), "gaps_missing": Column("gaps") | Impute()}, None),
    ],
)
def test_groups_that_do_not_fit_are_refused(columns, groups):
    with pytest.raises(SealaneError) as caught:
        Features(columns, groups=groups).fit(TABLE)
    assert caught.value.code == ErrorCode.EXPORT_UNSUPPORTED


@pytest.mark.parametrize("data", [3, [1, 2], "text", None])
def test_no_table_is_refused(data):
    with pytest.raises(SealaneError) as caught:
        Features({"a": Lookup()}).fit(data)
    assert caught.value.code == ErrorCode.INPUT_DTYPE


def test_no_rows_is_refused():
    with pytest.raises(SealaneError) as caught:
        Features({"a": Lookup()}).fit({"a": []})
    assert caught.value.code == ErrorCode.INPUT_SHAPE


FITTED = Features(
    {
        "text": Lookup(),
        "number": Log() | Normalize(),
        "gaps": Impute() | MinMax(),
        "whole": Normalize(),
        "when": DateParts("hour"),
    }
).fit(TABLE)


@pytest.mark.parametrize(
    ("column", "values", "code", "says"),
    [
        ("number", [NAN, 1, 1], "INPUT_NULL", "row 0"),
        ("number", [1, 1, -1], "INPUT_DOMAIN", "row 2"),
        ("number", ["1", "2", "3"], "INPUT_DTYPE", "expected FP64"),
        ("whole", [1.5, 2, 3], "INPUT_DTYPE", "expected INT64"),
        ("text", [1, 2, 3], "INPUT_DTYPE", "expected BYTES"),
        ("text", ["a", "b"], "INPUT_RAGGED", "has 3 rows"),
        ("when", [1e13, 0, 0], "INPUT_DOMAIN", "row 0"),
    ],
)
def test_a_bad_row_says_where(column, values, code, says):
    with pytest.raises(SealaneError) as caught:
        FITTED.transform({**TABLE, column: values})
    assert caught.value.code == ErrorCode(code)
    assert says in caught.value.message


def test_signature_states_the_domain():
    specs = {spec.name: spec for spec in FITTED.input_signature}
    assert list(specs) == ["text", "number", "gaps", "whole", "when"]
    assert all(spec.shape == ("batch",) for spec in specs.values())
    assert specs["text"].dtype is DType.BYTES
    assert specs["text"].domain.nullable
    assert specs["text"].domain.vocabulary == ("a", "b")
    assert not specs["text"].domain.closed
    assert (specs["number"].domain.nullable, specs["gaps"].domain.nullable) == (False, True)
    assert specs["number"].domain.minimum == np.finfo(np.float32).tiny
    assert specs["whole"].dtype is DType.INT64
    assert (specs["when"].dtype, specs["when"].semantic) == (DType.FP64, "datetime")
    assert specs["when"].domain.nullable


def test_two_chains_of_one_column_share_an_input():
    features = Features({"a": Impute(), "b": Column("a") | Log(), "c": Column("a") | Log1p()})
    (spec,) = features.fit({"a": [1.0, 2.0]}).input_signature
    assert not spec.domain.nullable
    assert spec.domain.minimum == np.finfo(np.float32).tiny


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pd.array([1, 2], "Int64"), "INT64"),
        (pd.array([1, None], "Int64"), "FP64"),
        (pd.array([1, 2], "UInt8"), "INT64"),
        (pd.array([1.5, None], "Float32"), "FP32"),
        (pd.array(["a", None], "string"), "BYTES"),
        (pd.Categorical(["a", None]), "BYTES"),
        (pd.array([True, False], "boolean"), "BOOL"),
        (pd.Series([True, False]), "BOOL"),
        (pd.to_datetime(["2020-01-01T00:00Z", None]), "FP64"),
        (np.array(["a", "b"]), "BYTES"),
        (np.array([b"a", b"\xc3\xa9"]), "BYTES"),
        (np.array([1, 2], np.float16), "FP32"),
        ([1, None], "FP64"),
        ([True, False], "BOOL"),
    ],
    ids=str,
)
def test_columns_of_many_makers(values, dtype):
    declared = {"BYTES": Lookup(), "BOOL": Lookup()}.get(dtype, Impute())
    if getattr(values, "dtype", None) is not None and str(values.dtype).startswith("datetime"):
        declared = DateParts("hour")
    fitted = Features({"x": declared}).fit(pd.DataFrame({"x": values}))
    raw = fitted.raw_inputs(pd.DataFrame({"x": values}))["x"]
    assert DType.from_numpy(raw.dtype) is fitted.input_signature[0].dtype is DType(dtype)


def test_rows_of_another_maker_are_taken_where_they_mean_the_same():
    fitted = Features({"n": Lookup(), "x": Impute(), "s": Lookup()}).fit(
        {"n": [1, 2], "x": [1.5, 2.5], "s": ["a", "b"]}
    )
    raw = fitted.raw_inputs({"n": [2.0], "x": [None], "s": [None]})
    assert (raw["n"].dtype, raw["x"].dtype, raw["s"].tolist()) == (np.int64, np.float64, [""])
    raw = fitted.raw_inputs({"n": [True], "x": [3], "s": [NAN]})
    assert (raw["n"].tolist(), raw["x"].tolist(), raw["s"].tolist()) == ([1], [3.0], [""])


def test_fitting_does_not_change_the_table():
    frame = pd.DataFrame({"a": [1.0, NAN], "s": ["x", None]})
    before = frame.copy()
    fitted = Features({"a": Impute(indicator=True), "s": Lookup()}).fit(frame)
    fitted.transform(frame)
    pd.testing.assert_frame_equal(frame, before)
