"""Scoring by the Python engine: whole DataFrames, real models."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pytest
from corpus.run import GOOD
from onnx import helper
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import functions as f
from pyspark.sql import types as t
from python.runtime import models
from python.spark import echo

import sealane.spark
from sealane.core import DType, SealaneError, Signature, TensorSpec
from sealane.runtime import open_session

ROWS = 2500


@pytest.fixture(scope="module")
def mlp(bundles):
    return echo.mlp(bundles / "mlp", 16, 32, 3)


@pytest.fixture(scope="module")
def table(spark, bundles):
    """Rows of 16 floats in one file, read in their order."""
    path = str(bundles / "table.parquet")
    columns = [(f.rand(seed) * 8 - 4).cast("float") for seed in range(16)]
    spark.range(0, ROWS, 1, 1).select("id", f.array(*columns).alias("x")).write.parquet(path)
    return spark.read.parquet(path)


def rows_of(df, column="x"):
    return np.array([row[column] for row in df.select(column).collect()], np.float32)


def runs(bundle, x, size):
    with open_session(bundle, intra_op_threads=1) as session:
        parts = [session.run({"x": x[i : i + size]})["y"] for i in range(0, len(x), size)]
    return np.concatenate(parts)


@pytest.mark.parametrize("size", [1, 7, 1023, 1024, ROWS - 1, ROWS, 5 * ROWS])
def test_results_are_those_of_the_session_to_the_bit(table, mlp, size):
    df = table if size > 1 else table.limit(100)
    x = rows_of(df)
    scored = sealane.spark.score(df, mlp, engine="python", batch_size=size)
    rows = scored.collect()
    assert [row.id for row in rows] == list(range(len(x)))
    assert all(row.score_error is None for row in rows)
    assert rows_of(scored, "score").tobytes() == runs(mlp, x, size).tobytes()
    assert rows_of(scored).tobytes() == x.tobytes()


@pytest.mark.parametrize("records", [1, 3, 1000])
def test_arrow_batches_may_be_of_any_size(spark, table, mlp, records):
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", records)
    try:
        df = table.limit(7 * records if records < 1000 else ROWS)
        x = rows_of(df)
        scored = rows_of(sealane.spark.score(df, mlp, engine="python"), "score")
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    assert scored.tobytes() == runs(mlp, x, records).tobytes()


@pytest.mark.parametrize("engine", ["jvm", "python"])
def test_one_bad_row_in_a_thousand_costs_that_row_alone(table, mlp, engine):
    broken = f.when(f.col("id") % 1000 == 500, f.lit(None)).otherwise(f.col("x"))
    df = table.withColumn("x", broken)
    rows = sealane.spark.score(df, mlp, engine=engine).collect()
    bad = [row for row in rows if row.score is None]
    assert [row.id for row in bad] == [500, 1500]
    assert {row.score_error.code for row in bad} == {"INPUT_NULL"}
    good = [row for row in rows if row.score is not None]
    assert all(row.score_error is None for row in good)
    x = np.array([row.x for row in good], np.float32)
    scores = np.array([row.score for row in good], np.float32)
    assert scores.tobytes() == runs(mlp, x, 1024).tobytes()


def test_columns_side_by_side_give_the_same(table, mlp):
    wide = table.select("id", *[f.col("x")[i].alias(f"c{i}") for i in range(16)])
    names = [f"c{i}" for i in range(16)]
    scored = sealane.spark.score(wide, mlp, inputs={"x": names}, engine="python")
    assert scored.columns == ["id", *names, "score", "score_error"]
    assert rows_of(scored, "score").tobytes() == runs(mlp, rows_of(table), 1024).tobytes()


def test_partitions_and_empty_partitions(spark, table, mlp):
    df = table.repartition(3).unionByName(table.where("id < 0"))
    assert sealane.spark.score(df, mlp, engine="python").where("score is null").count() == 0
    none = sealane.spark.score(table.where("id < 0"), mlp, engine="python")
    assert none.count() == 0


def test_results_can_be_used_like_any_column(table, mlp):
    scored = sealane.spark.score(table, mlp, engine="python", on_error="null", into="p")
    assert scored.columns == ["id", "x", "p"]
    twice = sealane.spark.score(scored, mlp, engine="python", into="q")
    assert twice.where("p != q or p is null").count() == 0
    assert twice.groupBy().agg(f.max(f.col("p")[0])).collect()[0][0] is not None


def test_a_job_that_may_not_fail_a_row(table, mlp):
    df = table.withColumn("x", f.when(f.col("id") != 1700, f.col("x")))
    scored = sealane.spark.score(df, mlp, engine="python", on_error="fail")
    assert "score_error" not in scored.columns
    with pytest.raises(Exception, match="INPUT_NULL: input 'x': ") as caught:
        scored.collect()
    assert "SealaneError" in str(caught.value)
    null = sealane.spark.score(df, mlp, engine="python", on_error="null").where("score is null")
    assert [row.id for row in null.collect()] == [1700]


def test_rows_on_which_the_engine_fails_are_found(spark, bundles):
    signature = Signature(
        (TensorSpec("i", DType.INT64, ("batch",)),), (TensorSpec("v", DType.FP32, ("batch",)),)
    )
    table = {"table": np.arange(10, dtype=np.float32) * 2}
    nodes = [helper.make_node("Gather", ["table", "i"], ["v"])]
    bundle = echo.with_sample(
        bundles / "gather", models.model(nodes, signature, table), signature, {"i": [0]}, {"v": [0]}
    )
    index = f.when(f.col("id") % 400 == 399, f.lit(10)).otherwise(f.col("id") % 10)
    df = spark.range(0, 2000, 1, 1).withColumn("i", index)
    rows = sealane.spark.score(df, bundle, engine="python").collect()
    bad = [row for row in rows if row.score is None]
    assert [row.id for row in bad] == [399, 799, 1199, 1599, 1999]
    assert {row.score_error.code for row in bad} == {"ENGINE_RUN_FAILED"}
    assert all(row.score == row.i * 2 for row in rows if row.score is not None)


def test_text_and_several_outputs(spark):
    df = spark.createDataFrame(
        [("AA", 1.5), (None, 2.0), ("日本", -1.0), ("B6", None)], "carrier string, distance float"
    )
    scored = sealane.spark.score(df, GOOD / "strings", engine="python")
    assert scored.schema["score"].dataType.simpleString() == "struct<score:float,label:string>"
    rows = scored.coalesce(1).collect()
    with open_session(GOOD / "strings") as session:
        want = session.run({"carrier": ["AA", None, "B6"], "distance": [1.5, 2.0, None]})
    good = [row for row in rows if row.score is not None]
    assert [row.score.score for row in good] == want["score"].tolist()
    assert [row.score.label for row in good] == want["label"].tolist()
    assert [row.score_error.code for row in rows if row.score is None] == ["INPUT_DOMAIN"]


def test_text_may_hold_any_character(spark, bundles):
    signature = Signature(
        (TensorSpec("x", DType.BYTES, ("batch",)),), (TensorSpec("out_x", DType.BYTES, ("batch",)),)
    )
    bundle = echo.echo(bundles / "any-text", signature)
    texts = ["a\0b", "", "\U0010ffff", "x" * 100_000]
    df = spark.createDataFrame([(text,) for text in texts], "x string").coalesce(1)
    rows = sealane.spark.score(df, bundle, engine="python").collect()
    assert [row.score for row in rows] == texts


def test_other_columns_pass_through_untouched(spark, mlp):
    schema = t.StructType(
        [
            t.StructField("v", VectorUDT()),
            t.StructField("m", t.MapType(t.StringType(), t.ArrayType(t.IntegerType()))),
            t.StructField("d", t.DecimalType(38, 5), False),
            t.StructField("at", t.TimestampType()),
            t.StructField("day", t.DateType()),
            t.StructField("s", t.StructType([t.StructField("b", t.BinaryType())])),
            t.StructField("a.b", t.LongType(), metadata={"k": 1}),
            t.StructField("x", t.ArrayType(t.FloatType())),
        ]
    )
    at = datetime.datetime(2024, 2, 29, 1, 2, 3, 456789)
    dense, sparse = Vectors.dense([1.0, 2.0]), Vectors.sparse(5, [3], [0.5])
    x = [float(i) for i in range(16)]
    data = [
        (dense, {"k": [1, None]}, Decimal("1.5"), at, at.date(), (b"\xff",), 2**60, x),
        (sparse, None, Decimal("-0.00001"), None, None, None, None, x),
        (None, {}, Decimal(10) ** 32, at, None, (None,), 1, None),
    ]
    df = spark.createDataFrame(data, schema)
    scored = sealane.spark.score(df, mlp, engine="python")
    assert scored.drop("score", "score_error").schema == df.schema
    assert scored.drop("score", "score_error").collect() == df.collect()


def test_columns_of_one_name(spark, mlp):
    one = spark.range(2).select(f.col("id").alias("n"), f.array_repeat(f.lit(0.5), 16).alias("x"))
    df = one.join(one.withColumnRenamed("x", "y"), "n").select("x", "n", "n")
    scored = sealane.spark.score(df, mlp, engine="python")
    assert scored.columns == ["x", "n", "n", "score", "score_error"]
    assert len(scored.collect()) == 2
    for names in (("x", "x"), ("X", "X")):
        twice = one.select(*(f.col("x").alias(name) for name in names))
        with pytest.raises(SealaneError) as caught:
            sealane.spark.score(twice, mlp, engine="python")
        assert caught.value.code == "INPUT_LAYOUT"


def test_names_are_told_apart_as_spark_does(spark, mlp):
    df = spark.range(2).select(f.array_repeat(f.lit(0.5), 16).alias("X"))
    assert sealane.spark.score(df, mlp, engine="python").columns[0] == "X"
    spark.conf.set("spark.sql.caseSensitive", True)
    try:
        with pytest.raises(SealaneError) as caught:
            sealane.spark.score(df, mlp, engine="python")
    finally:
        spark.conf.unset("spark.sql.caseSensitive")
    assert caught.value.code == "INPUT_MISSING"


def test_a_column_that_python_can_not_carry(spark, mlp):
    """From Spark 4.1 on it need not: only what is scored goes there."""
    df = spark.sql("select make_ym_interval(1, 2) as span, array_repeat(0.5f, 16) as x")
    if not spark.version.startswith(("3.", "4.0.")):
        scored = sealane.spark.score(df, mlp, engine="python")
        kept = scored.selectExpr("cast(span as string) as span", "score_error").first()
        assert tuple(kept) == ("INTERVAL '1-2' YEAR TO MONTH", None)
        return
    with pytest.raises(SealaneError) as caught:
        sealane.spark.score(df, mlp, engine="python")
    assert caught.value.code == "INPUT_LAYOUT"
    assert "span" in caught.value.message


def test_rows_are_counted_while_they_pass(table, mlp):
    from pyspark.sql import Observation

    df = table.withColumn("x", f.when(f.col("id") % 100 != 0, f.col("x")))
    for on_error in ("quarantine", "null"):
        counts = Observation(on_error)
        scored = sealane.spark.score(df, mlp, engine="python", on_error=on_error)
        sealane.spark.observed(scored, counts).write.format("noop").mode("overwrite").save()
        assert counts.get == {"rows": ROWS, "quarantined": 25}


@pytest.mark.parametrize("engine", ["python", "python:tensorflow"])
def test_saved_models_are_scored(spark, engine):
    pytest.importorskip("tensorflow", reason="the environment of Spark 3.5 has no TensorFlow")
    bundle = GOOD / "savedmodel-strings"
    with open_session(bundle, "tensorflow") as session:
        names = [spec.name for spec in session.signature.inputs]
        rows = {
            spec.name: ["AA", "zz"] if spec.dtype is DType.BYTES else np.array([1, 2], np.float32)
            for spec in session.signature.inputs
        }
        want = session.run(rows)
    types = ", ".join(
        f"{spec.name} {'string' if spec.dtype is DType.BYTES else 'float'}"
        for spec in session.signature.inputs
    )
    data = [tuple(_plain(rows[name][i]) for name in names) for i in range(2)]
    df = spark.createDataFrame(data, types).coalesce(1)
    found = sealane.spark.score(df, bundle, engine=engine).collect()
    for i, row in enumerate(found):
        assert row.score.asDict() == {name: _plain(values[i]) for name, values in want.items()}


def _plain(value):
    return value if isinstance(value, str) else float(value)
