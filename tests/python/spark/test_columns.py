"""The rules for columns and rows, on both engines: the table that both languages share."""

from __future__ import annotations

import json
import warnings
from functools import cache

import pytest
from corpus.run import CONFORMANCE
from python.spark.cells import data_frame, same
from python.spark.echo import echo, signature_of

import sealane.spark
from sealane.core import SealaneError

TABLE = json.loads((CONFORMANCE / "spark" / "columns.json").read_text("utf-8"))
CASES = TABLE["cases"]
ENGINES = ("python", "jvm")


@pytest.fixture(scope="module")
def bundle_of(bundles):
    @cache
    def made(name: str):
        return echo(bundles / name, signature_of(TABLE["signatures"][name]))

    return made


def score(spark, bundle_of, case, engine):
    df = data_frame(spark, case["schema"], [each["row"] for each in case.get("rows", [])])
    return sealane.spark.score(
        df,
        bundle_of(case["signature"]),
        inputs=case.get("inputs"),
        outputs=case.get("outputs"),
        engine=engine,
    )


def titles(cases):
    return [case["why"] for case in cases]


def test_every_title_is_given_once():
    assert len(set(titles(CASES))) == len(CASES)


REFUSED = [case for case in CASES if "code" in case]
RUN = [case for case in CASES if "code" not in case]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", REFUSED, ids=titles(REFUSED))
def test_columns_are_refused_before_a_job_runs(spark, bundle_of, case, engine):
    with pytest.raises(SealaneError) as caught:
        score(spark, bundle_of, case, engine)
    assert caught.value.code == case["code"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", RUN, ids=titles(RUN))
def test_rows_are_scored_or_turned_away(spark, bundle_of, case, engine):
    scored = score(spark, bundle_of, case, engine)
    names = [name for name, _ in case["schema"]]
    assert scored.columns == ["row", *names, "score", "score_error"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sorted(scored.drop(*names).collect())
    outputs = scored.schema["score"].dataType
    for row, expected in zip(found, case["rows"], strict=True):
        if "code" in expected:
            assert row.score is None, expected
            assert row.score_error.code == expected["code"], expected
            assert row.score_error.message.startswith(f"input '{expected['input']}': "), expected
        else:
            assert row.score_error is None, (expected, row)
            assert_values(outputs, row.score, expected["value"])


def assert_values(kind, score, expected):
    values = score.asDict() if len(expected) > 1 else {next(iter(expected)): score}
    kinds = {field.name: field.dataType for field in kind} if len(expected) > 1 else {}
    assert list(values) == list(expected)
    for name, value in values.items():
        assert same(kinds.get(name, kind), value, expected[name]), (name, value, expected[name])
