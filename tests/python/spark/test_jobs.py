"""The batch job and the parity check in a session: what they write, count and refuse."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import sealane
from sealane.core import ErrorCode
from sealane.spark.batch import BatchConfig, score_batch
from sealane.spark.job_failures import JobFailed
from sealane.spark.parity_check import ParityConfig, check_parity
from sealane.spark.tables import Table

GOOD = Path(__file__).parents[2] / "conformance" / "bundles" / "good"
INPUTS = {"features": ["a", "b", "c", "d"]}
COUNT, BAD = 200, 20


@pytest.fixture(scope="module")
def source(spark, tmp_path_factory) -> Table:
    """Two hundred rows; each tenth lacks a number."""
    path = str(tmp_path_factory.mktemp("jobs") / "rows")
    number = "CAST(sin(id + {}) AS float)"
    columns = [f"{number.format(i)} AS {name}" for i, name in enumerate("abc")]
    missing = f"IF(id % 10 = 3, NULL, {number.format(3)}) AS d"
    spark.range(COUNT).selectExpr("id", *columns, missing).repartition(3).write.parquet(path)
    return Table("parquet", path)


def job(source: Table, target: Path, **options: object) -> BatchConfig:
    kind = options.pop("format", "parquet")
    settings = {"inputs": INPUTS, "engine": "python", **options}
    return BatchConfig(str(GOOD / "mlp"), source, Table(kind, str(target)), **settings)


def test_rows_are_written_and_counted(spark, source, tmp_path):
    summary = score_batch(spark, job(source, tmp_path / "out"))
    assert (summary.rows, summary.scored, summary.unscored) == (COUNT, COUNT - BAD, BAD)
    assert summary.quarantined == {"INPUT_NULL": BAD}
    assert summary.bundle["content_id"] == sealane.inspect(GOOD / "mlp").manifest.content_id
    assert (summary.engine, summary.engine_version) == ("python:onnx", "1.28.0")
    assert summary.versions["spark"] == spark.version
    assert (tmp_path / "out" / "_SUCCESS").exists()
    found = spark.read.parquet(str(tmp_path / "out"))
    assert found.columns == ["id", "a", "b", "c", "d", "score", "score_error"]
    assert found.filter("score IS NULL AND score_error.code = 'INPUT_NULL'").count() == BAD
    assert found.filter("size(score) = 3 AND score_error IS NULL").count() == COUNT - BAD


def test_rows_in_quarantine_are_written_beside(spark, source, tmp_path):
    quarantine = Table("csv", str(tmp_path / "bad"))
    config = job(source, tmp_path / "good", format="csv", quarantine=quarantine)
    summary = score_batch(spark, config)
    assert summary.quarantined == {"INPUT_NULL": BAD}
    assert summary.quarantine_output == quarantine.place
    good, bad = _csv(tmp_path / "good"), _csv(tmp_path / "bad")
    assert {*good[0]} == {"id", "a", "b", "c", "d", "score"}
    assert len(good) == COUNT - BAD
    assert good[0]["score"].startswith("[")
    assert {row["score_error_code"] for row in bad} == {"INPUT_NULL"}
    assert sorted(int(row["id"]) for row in [*good, *bad]) == list(range(COUNT))


def _csv(folder: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for each in folder.glob("part-*"):
        with each.open(newline="") as file:
            rows += csv.DictReader(file)
    return rows


def test_rows_without_a_score_are_counted_where_no_reason_is_kept(spark, source, tmp_path):
    summary = score_batch(spark, job(source, tmp_path / "out", on_error="null"))
    assert (summary.rows, summary.scored) == (COUNT, COUNT - BAD)
    assert summary.quarantined == {}
    assert "score_error" not in spark.read.parquet(str(tmp_path / "out")).columns


def test_no_rows_are_no_fault(spark, source, tmp_path):
    empty = str(tmp_path / "empty")
    spark.read.parquet(source.place).limit(0).write.parquet(empty)
    summary = score_batch(spark, job(Table("parquet", empty), tmp_path / "out"))
    assert (summary.rows, summary.scored, summary.rows_per_second) == (0, 0, 0)
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_a_bad_row_ends_a_job_that_must_not_have_any(spark, source, tmp_path):
    with pytest.raises(sealane.SealaneError, match="input 'features'") as caught:
        score_batch(spark, job(source, tmp_path / "out", on_error="fail"))
    assert caught.value.code is ErrorCode.INPUT_NULL
    assert not list((tmp_path / "out").glob("[!_.]*"))
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def test_an_output_that_is_there_stays(spark, source, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("kept")
    with pytest.raises(JobFailed, match="already exists") as caught:
        score_batch(spark, job(source, tmp_path / "out"))
    assert caught.value.is_output
    assert "\n" not in caught.value.message
    assert (tmp_path / "out" / "mine").read_text() == "kept"


def test_a_source_that_is_not_there(spark, tmp_path):
    with pytest.raises(sealane.SealaneError, match="does not exist") as caught:
        score_batch(spark, job(Table("parquet", str(tmp_path / "none")), tmp_path / "out"))
    assert caught.value.code is ErrorCode.INPUT_MISSING


def test_a_configuration_that_can_not_be(source, tmp_path):
    with pytest.raises(ValueError, match="quarantine"):
        job(source, tmp_path, on_error="null", quarantine=Table("csv", "bad"))
    with pytest.raises(ValueError, match="mode"):
        job(source, tmp_path, mode="ignore")
    with pytest.raises(ValueError, match="url"):
        Table("jdbc", "rows")
    with pytest.raises(ValueError, match="sample"):
        ParityConfig("mlp", source, sample=0)


@pytest.mark.parametrize(("sample", "rows"), [(None, COUNT), (50, 50), (0.5, None)])
def test_engines_agree_on_a_sample(spark, source, sample, rows):
    engines = ("python:onnx", "python")
    config = ParityConfig(str(GOOD / "mlp"), source, sample, engines=engines, inputs=INPUTS)
    summary = check_parity(spark, config)
    assert summary.ok
    assert summary.verdict.value == "bit-exact"
    assert summary.found.outputs["scores"].bit_equal_rows == summary.found.compared > 0
    assert summary.found.rows == rows or (rows is None and 50 < summary.found.rows < 150)


def test_no_row_to_compare_proves_nothing(spark, source):
    inputs = {"features": ["d", "d", "d", "d"]}
    bad = source.place + "-bad"
    spark.read.parquet(source.place).filter("d IS NULL").write.mode("overwrite").parquet(bad)
    engines = ("python:onnx", "python")
    config = ParityConfig(str(GOOD / "mlp"), Table("parquet", bad), None, 0, engines, inputs)
    summary = check_parity(spark, config)
    assert (summary.found.rows, summary.found.compared, summary.found.codes) == (BAD, 0, {})
    assert not summary.ok
