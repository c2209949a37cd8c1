"""Bundles as functions of SQL: typed, scored in batches, whole or row by row."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import functions as f
from python.spark import echo

import sealane.spark
from sealane.runtime import open_session

BATCHED = "ScoreColumns"


@pytest.fixture(scope="module")
def catalog(spark, tmp_path_factory):
    """A catalog of a repository with two models, one of them in two versions."""
    folder = tmp_path_factory.mktemp("repository")
    echo.mlp(folder / "net", 4, 2)
    echo.mlp(folder / "versioned" / "a", 4, 1, seed=1, version="1.9.0")
    echo.mlp(folder / "versioned" / "b", 4, 3, seed=2, version="1.10.0")
    spark.conf.set("spark.sql.catalog.models", "io.sealane.spark.SealaneCatalog")
    spark.conf.set("spark.sql.catalog.models.repository", str(folder))
    x = f.array(*[(f.col("id") * 0.1 + i).cast("float") for i in range(4)])
    rows = spark.range(0, 40, 1, 2).withColumn("x", f.when(f.col("id") != 7, x))
    rows.write.parquet(str(folder / "rows.parquet"))
    spark.read.parquet(str(folder / "rows.parquet")).createOrReplaceTempView("things")
    return folder


@pytest.fixture(scope="module")
def expected(catalog):
    x = np.stack([np.arange(40, dtype=np.float64) * 0.1 + i for i in range(4)], 1)
    with open_session(catalog / "net") as session:
        return session.run({"x": x.astype(np.float32)})["y"].tolist()


def plan(df):
    return df._jdf.queryExecution().executedPlan().toString()


@pytest.mark.parametrize("call", ["models.net(struct(*))", "models.score('net', struct(*))"])
def test_a_model_is_a_function_of_a_struct(spark, catalog, expected, call):
    df = spark.sql(f"SELECT id, {call} AS s FROM things ORDER BY id")
    assert df.schema["s"].dataType.simpleString() == (
        "struct<y:array<float>,error:struct<code:string,message:string>>"
    )
    assert BATCHED in plan(df)
    for row in df.collect():
        if row.id == 7:
            assert row.s.y is None
            assert row.s.error.code == "INPUT_NULL"
        else:
            assert (row.s.y, row.s.error) == (expected[row.id], None)


def test_it_can_stand_where_expressions_can(spark, catalog, expected):
    found = spark.sql(
        "SELECT id % 2 AS odd, max(models.net(struct(x)).y[0]) AS most FROM things "
        "WHERE models.net(struct(x)).y[1] IS NOT NULL GROUP BY id % 2 "
        "HAVING count(*) > 1 ORDER BY odd"
    ).collect()
    want = [max(y[0] for i, y in enumerate(expected) if i % 2 == odd and i != 7) for odd in (0, 1)]
    assert [row.most for row in found] == want
    joined = spark.sql(
        "SELECT a.id FROM things a JOIN things b "
        "ON a.id = b.id AND models.net(struct(a.x)).y[0] <= models.net(struct(b.x)).y[0]"
    )
    assert joined.count() == 39


def test_names_know_no_case_and_columns_may_be_computed(spark, catalog, expected):
    df = spark.sql("SELECT id, models.net(struct(reverse(reverse(x)) AS X)).y AS y FROM things")
    assert [row.y for row in df.orderBy("id").collect() if row.id != 7] == [
        y for i, y in enumerate(expected) if i != 7
    ]


def test_a_folder_of_versions_gives_the_newest(spark, catalog):
    row = spark.sql("SELECT models.versioned(struct(x)).y AS y FROM things WHERE id = 0").first()
    assert len(row.y) == 3


def test_row_by_row_gives_the_same(spark, catalog, expected):
    """A call of rows that the driver holds is evaluated where the plan is made."""
    df = spark.sql("SELECT models.net(named_struct('x', array(0f, 1f, 2f, 3f))).y AS y")
    assert df.first().y == expected[0]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT models.none(struct(*)) FROM things", "none"),
        ("SELECT models.score('none', struct(*)) FROM things", "BUNDLE_NOT_FOUND"),
        ("SELECT models.score('../net', struct(*)) FROM things", "BUNDLE_NOT_FOUND"),
        ("SELECT models.net(struct(id)) FROM things", "INPUT_MISSING"),
        ("SELECT models.net(struct('a' AS x)) FROM things", "INPUT_SHAPE|INPUT_DTYPE"),
        ("SELECT models.net(x) FROM things", "INPUT_DTYPE"),
        ("SELECT models.net(struct(x), 1) FROM things", "one argument"),
        ("SELECT models.score(string(id), struct(*)) FROM things", "constant"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_job_runs(spark, catalog, query, message):
    with pytest.raises(Exception, match=message):
        spark.sql(query)


def test_only_the_columns_that_are_used_are_read(spark, catalog):
    df = spark.read.parquet(str(catalog / "rows.parquet")).withColumn("more", f.lit(1))
    scored = sealane.spark.score(df, catalog / "net", engine="jvm").select("id", "score")
    text = plan(scored)
    assert "Batched: true" in text
    assert "ColumnarToRow" in text
    without = sealane.spark.score(df.drop("id"), catalog / "net", engine="jvm").select("score")
    assert "ReadSchema: struct<x:array<float>>" in plan(without)


def test_sessions_are_opened_once_for_any_number_of_partitions(spark, catalog):
    bundle = echo.mlp(catalog / "counted", 4, 2, seed=9)
    df = spark.read.parquet(str(catalog / "rows.parquet"))
    opened = spark._jvm.io.sealane.spark.model.Sessions.ofThisJvm().opened
    before = opened()
    sealane.spark.score(df.repartition(2), bundle, engine="jvm").collect()
    assert opened() == before + 1
    sealane.spark.score(df.repartition(200), bundle, engine="jvm").collect()
    assert opened() == before + 1
