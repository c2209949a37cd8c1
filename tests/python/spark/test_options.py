"""What a call of score may ask for."""

from __future__ import annotations

import json

import pytest
from corpus.run import GOOD
from pyspark.sql import functions as f

import sealane
import sealane.spark
from sealane.core import SealaneError
from sealane.spark.options import EngineChoice, InputColumns, ScoreOptions


def options(**changes):
    given = {
        "bundle": "/models/m",
        "inputs": InputColumns(),
        "outputs": None,
        "engine": EngineChoice(),
        "on_error": "quarantine",
        "into": "score",
        "batch_size": 1024,
    }
    return ScoreOptions(**{**given, **changes})


@pytest.mark.parametrize(
    ("name", "host", "engine"),
    [
        ("auto", "auto", ""),
        ("jvm", "jvm", ""),
        ("jvm:dl4j", "jvm", "dl4j"),
        ("python", "python", ""),
        ("python:tensorflow", "python", "tensorflow"),
    ],
)
def test_engines_have_names(name, host, engine):
    assert EngineChoice.parse(name) == EngineChoice(host, engine)


@pytest.mark.parametrize(
    "name", ["", "onnx", "java", "jvm:", "jvm:torch", "python:dl4j", "auto:onnx"]
)
def test_other_names_are_refused(name):
    with pytest.raises(SealaneError) as caught:
        EngineChoice.parse(name)
    assert caught.value.code == "ENGINE_UNAVAILABLE"


@pytest.mark.parametrize(
    "change", [{"on_error": "skip"}, {"into": ""}, {"batch_size": 0}, {"batch_size": -5}]
)
def test_values_that_make_no_sense(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        options(**change)


def test_columns_are_names():
    with pytest.raises(TypeError, match="inputs"):
        InputColumns.parse({"x": [1]})
    with pytest.raises(ValueError, match="at least one"):
        InputColumns.parse({"x": []})
    assert InputColumns.parse("s").columns_of("x") == ("s.x",)
    assert InputColumns.parse({"x": "a"}).columns_of("x") == ("a",)
    assert InputColumns.parse({"x": ["a", "b"]}).columns_of("y") == ("y",)


def test_both_languages_read_the_same_options():
    assert json.loads(options().to_json()) == {
        "bundle": "/models/m",
        "inputs": None,
        "outputs": None,
        "engine": "",
        "onError": "quarantine",
        "into": "score",
        "batchSize": 1024,
    }
    given = options(
        inputs=InputColumns.parse({"x": ("a", "b"), "ü": "c"}),
        outputs=("p",),
        engine=EngineChoice("jvm", "onnx"),
        on_error="null",
    )
    members = json.loads(given.to_json())
    assert members["inputs"] == {"x": ["a", "b"], "ü": ["c"]}
    assert members["outputs"] == ["p"]
    assert members["engine"] == "onnx"
    assert members["onError"] == "null"
    assert json.loads(options(inputs=InputColumns.parse("s")).to_json())["inputs"] == "s"


def test_a_variant_that_is_not_there(spark):
    df = spark.range(1).select(f.array_repeat(f.lit(0.5), 4).alias("x"))
    with pytest.raises(SealaneError) as caught:
        sealane.spark.score(df, GOOD / "mlp", engine="python:tensorflow")
    assert caught.value.code == "VARIANT_NOT_FOUND"


def test_the_package_is_reached_by_its_own_name():
    assert "spark" not in sealane.__all__
    names = ["BundleTransformer", "Evaluation", "evaluate", "jar_conf", "observed", "score"]
    trainables = [f"{name}Trainable" for name in ("Dl4j", "Jax", "Keras", "Torch")]
    training = ["Between", "Sweep", "TrainConfig", "TrainedBundle", "Trial", "sweep", "train"]
    assert sorted(sealane.spark.__all__) == sorted([*names, *trainables, *training])
    assert all(hasattr(sealane.spark, name) for name in sealane.spark.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = sealane.spark.nothing


def test_the_settings_of_a_session():
    conf = sealane.spark.jar_conf()
    assert conf["spark.jars"].endswith("sealane.jar")
    del conf["spark.jars"]
    assert conf == {
        "spark.sql.extensions": "io.sealane.spark.SealaneExtensions",
        "spark.sql.catalog.sealane": "io.sealane.spark.SealaneCatalog",
        "spark.connect.extensions.relation.classes": "io.sealane.spark.connect.ScoreRelationPlugin",
    }
