"""Scoring handed to the JVM: what Python says to it, and what it hears back."""

from __future__ import annotations

import json

import pytest
from corpus.run import GOOD
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import functions as f
from python.spark import echo

import sealane.spark
from sealane.core import SealaneError
from sealane.spark import BundleTransformer, gateway
from sealane.spark.gateway import java_errors


@pytest.fixture
def frame(spark):
    columns = [f.rand(seed).cast("float").alias(f"c{seed}") for seed in range(4)]
    return spark.range(0, 50, 1, 2).select("id", *columns).cache()


@pytest.fixture(scope="module")
def mlp(bundles):
    return echo.mlp(bundles / "jvm-mlp", 4, 2)


NAMES = [f"c{seed}" for seed in range(4)]


def test_both_engines_give_the_same_columns_and_values(spark, frame, mlp):
    df = frame.withColumn("c2", f.when(f.col("id") != 7, f.col("c2")))
    found = {}
    for engine in ("jvm", "python"):
        scored = sealane.spark.score(df, mlp, inputs={"x": NAMES}, engine=engine)
        found[engine] = (scored.schema.simpleString(), scored.orderBy("id").collect())
    (jvm_schema, jvm), (python_schema, python) = found["jvm"], found["python"]
    assert jvm_schema == python_schema
    assert [row.score for row in jvm] == [row.score for row in python]
    assert jvm[7].score_error == python[7].score_error
    assert jvm[7].score_error.code == "INPUT_NULL"


def is_in_python(scored):
    """Whether a plan has a Python worker: as a function from Spark 4.1 on, as a map before."""
    plan = scored._jdf.queryExecution().executedPlan().toString()
    return "ArrowEvalPython" in plan or "MapInArrow" in plan


def test_auto_is_the_jvm_where_it_can(spark, frame, mlp):
    scored = sealane.spark.score(frame, mlp, inputs={"x": NAMES})
    assert not is_in_python(scored)
    savedmodel = GOOD / "savedmodel-strings"
    df = spark.sql("select 'AA' as carrier, 1f as distance")
    other = sealane.spark.score(df, savedmodel, inputs=inputs_of(savedmodel))
    assert is_in_python(other)


def inputs_of(bundle):
    from sealane.bundle import read_bundle

    with read_bundle(bundle) as read:
        return {
            spec.name: "carrier" if spec.dtype == "BYTES" else "distance"
            for spec in read.signature.inputs
        }


def test_what_java_refuses_has_its_code(frame, mlp, tmp_path):
    with pytest.raises(SealaneError) as caught:
        sealane.spark.score(frame, mlp, engine="jvm")
    assert caught.value.code == "INPUT_MISSING"
    assert not caught.value.message.startswith("INPUT_MISSING")
    with pytest.raises(SealaneError) as caught:
        sealane.spark.score(frame, tmp_path, engine="jvm")
    assert caught.value.code == "BUNDLE_NOT_FOUND"


def test_other_errors_of_java_stay_what_they_are(spark):
    with pytest.raises(Exception, match="For input string") as caught, java_errors():
        spark._jvm.java.lang.Integer.parseInt("x")
    assert not isinstance(caught.value, SealaneError)


def test_a_jvm_without_the_jar(frame, mlp, monkeypatch):
    monkeypatch.setattr(gateway, "_CLASS", "io.sealane.spark.NoGateway")
    with pytest.raises(SealaneError) as caught:
        sealane.spark.score(frame, mlp, engine="jvm")
    assert caught.value.code == "ENGINE_UNAVAILABLE"
    assert "jar_conf" in caught.value.message
    scored = sealane.spark.score(frame, mlp, inputs={"x": NAMES})
    assert is_in_python(scored)
    with pytest.raises(SealaneError) as caught:
        BundleTransformer(str(mlp))
    assert caught.value.code == "ENGINE_UNAVAILABLE"


def test_a_stage_of_a_pipeline_is_saved_and_loaded(frame, mlp, tmp_path):
    stage = BundleTransformer(mlp, inputs={"x": "v"}, into="p", batch_size=7)
    assert stage.getOrDefault(stage.batchSize) == 7
    assert json.loads(stage.getOrDefault(stage.inputs)) == {"x": ["v"]}
    assembler = VectorAssembler(inputCols=NAMES, outputCol="v")
    model = Pipeline(stages=[assembler, stage]).fit(frame)
    want = [row.p for row in model.transform(frame).orderBy("id").collect()]
    assert len(want) == 50
    assert None not in want
    model.write().overwrite().save(str(tmp_path / "model"))
    loaded = PipelineModel.load(str(tmp_path / "model"))
    assert type(loaded.stages[1]) is BundleTransformer
    assert loaded.stages[1].uid == stage.uid
    assert loaded.stages[1].getOrDefault("into") == "p"
    assert [row.p for row in loaded.transform(frame).orderBy("id").collect()] == want
    Pipeline(stages=[assembler, stage]).write().save(str(tmp_path / "pipeline"))
    again = Pipeline.load(str(tmp_path / "pipeline")).fit(frame)
    assert [row.p for row in again.transform(frame).orderBy("id").collect()] == want


def test_a_stage_alone(frame, mlp, tmp_path):
    stage = BundleTransformer(mlp, inputs={"x": NAMES}, outputs=["y"], on_error="null")
    stage.save(str(tmp_path / "stage"))
    loaded = BundleTransformer.load(str(tmp_path / "stage"))
    assert loaded.transform(frame).columns == ["id", *NAMES, "score"]
    assert stage.copy().transform(frame).count() == 50
    with pytest.raises(SealaneError) as caught:
        BundleTransformer(mlp, engine="python")
    assert caught.value.code == "ENGINE_UNAVAILABLE"
    with pytest.raises(SealaneError) as caught:
        BundleTransformer(mlp).transform(frame)
    assert caught.value.code == "INPUT_MISSING"
