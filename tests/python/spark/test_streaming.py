"""Streaming queries scored by either engine."""

from __future__ import annotations

import time

import numpy as np
import pytest
from pyspark.sql import functions as f
from python.spark import echo

import sealane.spark
from sealane.core import SealaneError
from sealane.runtime import open_session

ENGINES = ("jvm", "python")


def expected(bundle, ids):
    x = np.repeat(np.array(ids, np.float32)[:, None], 4, axis=1)
    with open_session(bundle) as session:
        return [session.run({"x": x[i : i + 1]})["y"][0].tolist() for i in range(len(ids))]


def as_rows(df):
    return df.select("id", f.array_repeat(f.col("id").cast("float"), 4).alias("x"))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rate_source_into_memory_with_counts(spark, tmp_path, engine):
    bundle = echo.mlp(tmp_path / "m", 4, 2)
    rate = spark.readStream.format("rate").option("rowsPerSecond", 50).load()
    rows = as_rows(rate.withColumnRenamed("value", "id"))
    rows = rows.withColumn("x", f.when(f.col("id") % 10 != 3, f.col("x")))
    scored = sealane.spark.score(rows, bundle, engine=engine, batch_size=1)
    counted = sealane.spark.observed(scored, "scoring")
    query = counted.writeStream.format("memory").queryName(f"rated_{engine}").start()
    counts, read = {"rows": 0, "quarantined": 0}, 0
    try:
        deadline = time.monotonic() + 120
        while spark.table(f"rated_{engine}").count() < 20 and time.monotonic() < deadline:
            assert query.exception() is None
            time.sleep(0.2)
        query.stop()
        for progress in query.recentProgress:
            metrics = progress["observedMetrics"].get("scoring")
            if metrics is not None:
                counts = {name: count + metrics[name] for name, count in counts.items()}
                read += progress["numInputRows"]
    finally:
        query.stop()
    found = spark.table(f"rated_{engine}").orderBy("id").collect()
    assert len(found) >= 20
    bad = [row for row in found if row.score is None]
    assert {row.id % 10 for row in bad} == {3}
    assert {row.score_error.code for row in bad} == {"INPUT_NULL"}
    good = [row for row in found if row.score is not None]
    assert [row.score for row in good] == expected(bundle, [row.id for row in good])
    # The batch that was running when the query was stopped may have told nothing.
    assert counts["rows"] == read > 0
    assert abs(counts["quarantined"] - read / 10) < len(query.recentProgress) + 1


@pytest.mark.parametrize("engine", ENGINES)
def test_files_into_files_while_the_bundle_changes(spark, tmp_path, engine):
    models = tmp_path / "models"
    first = echo.mlp(models / "one", 4, 2, seed=1, version="1.0.0")
    (tmp_path / "in").mkdir()
    stream = spark.readStream.schema("id bigint").parquet(str(tmp_path / "in"))
    scored = sealane.spark.score(as_rows(stream), models, engine=engine, batch_size=1)
    query = (
        scored.select("id", "score")
        .writeStream.format("parquet")
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .start(str(tmp_path / "out"))
    )
    try:
        feed(spark, query, tmp_path, 0, 10)
        second = echo.mlp(models / "two", 4, 2, seed=2, version="1.1.0")
        feed(spark, query, tmp_path, 10, 20)
        echo.mlp(models / "other-signature", 4, 3, seed=3, version="2.0.0")
        feed(spark, query, tmp_path, 20, 30)
        broken = echo.mlp(models / "broken", 4, 2, seed=4, version="3.0.0")
        (broken / "1" / "model.onnx").write_bytes(b"no model")
        feed(spark, query, tmp_path, 30, 40)
        third = echo.mlp(models / "three", 4, 2, seed=5, version="1.2.0")
        feed(spark, query, tmp_path, 40, 50)
    finally:
        query.stop()
    found = spark.read.parquet(str(tmp_path / "out")).orderBy("id").collect()
    assert [row.id for row in found] == list(range(50))
    want = expected(first, range(10)) + expected(second, range(10, 40))
    want += expected(third, range(40, 50))
    assert [row.score for row in found] == want


def feed(spark, query, folder, start, end):
    spark.range(start, end, 1, 2).write.mode("append").parquet(str(folder / "in"))
    query.processAllAvailable()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stream_is_checked_before_it_starts(spark, tmp_path, engine):
    bundle = echo.mlp(tmp_path / "m", 4, 2)
    rate = spark.readStream.format("rate").load()
    with pytest.raises(SealaneError) as caught:
        sealane.spark.score(rate, bundle, inputs={"x": "value"}, engine=engine)
    assert caught.value.code == "INPUT_DTYPE"
