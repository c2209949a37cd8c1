"""Networks trained by Deeplearning4j on Spark's JVMs: into a verified bundle, or not at all."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as f
from python.spark import crossed as shared
from python.spark.crossed import rides, weights

import sealane
from sealane.core import SealaneError
from sealane.features import Features, Impute, Lookup, Normalize
from sealane.jvm.engines import engine_jars
from sealane.spark import jar_conf
from sealane.spark.training import Dl4jTrainable, train

GOOD = Path(__file__).parents[2] / "conformance/bundles/good"


settings = partial(
    shared.settings,
    name="trained",
    loss="squared",
    batch_size=32,
    lr=0.05,
    optimizer="sgd",
    epochs=2,
)


@pytest.fixture(scope="module")
def numbers(spark):
    """Rows of the corpus's network: four numbers and four that follow from them."""
    x = f.array(*(f.randn(seed) for seed in range(4)))
    df = spark.range(0, 1500, 1, 3).select("id", x.alias("features"))
    return df.withColumn("y", f.transform("features", lambda v: v * 2 + 0.5)).cache()


def test_a_bundle_is_trained_further_without_a_python_worker(numbers, tmp_path):
    workers = _python_workers()
    config = settings(tmp_path, epochs=4, lr=0.5)
    made = train(numbers, Dl4jTrainable(bundle=GOOD / "network"), config)
    assert _python_workers() <= workers
    assert made.rows + made.held_out == 1500
    assert made.epochs[-1]["validationLoss"] < made.epochs[0]["validationLoss"] / 2
    with sealane.open(made) as session:
        scores = session.run({"features": np.ones((1, 4), np.float32)})["scores"]
    np.testing.assert_allclose(scores, 2.5, atol=0.5)
    manifest = sealane.inspect(made).manifest
    lineage = manifest.lineage
    assert lineage["parent"] == sealane.inspect(GOOD / "network").manifest.content_id
    assert lineage["dataFingerprint"] == made.fingerprint
    assert (lineage["framework"], lineage["ranks"], lineage["rows"]) == ("dl4j", 2, made.rows)
    assert [each["loss"] for each in lineage["epochs"]] == [each["loss"] for each in made.epochs]
    kinds = {variant.kind for variant in manifest.variants}
    assert kinds == {"onnx", "dl4j"}
    again = train(numbers, Dl4jTrainable(bundle=made.path), settings(tmp_path, overwrite=True))
    assert again.epochs[0]["loss"] < made.epochs[0]["loss"]
    assert sealane.inspect(again).manifest.lineage["parent"] == manifest.content_id


def _python_workers():
    told = subprocess.run(
        ["ps", "-o", "pid,ppid,args", "-A"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    children = {}
    for line in told[1:]:
        pid, ppid, *args = line.split()
        children.setdefault(int(ppid), []).append((int(pid), " ".join(args)))
    found, waiting = set(), [os.getpid()]
    while waiting:
        for pid, args in children.get(waiting.pop(), []):
            waiting.append(pid)
            if "pyspark.daemon" in args or "pyspark.worker" in args:
                found.add(pid)
    return found


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_two_ranks_are_one_with_twice_the_batch(numbers, tmp_path, optimizer):
    found = {}
    for ranks in (1, 2):
        config = settings(
            tmp_path, ranks=ranks, batch_size=64 // ranks, lanes=2, overwrite=True,
            shared=str(tmp_path / f"{optimizer}-{ranks}"), optimizer=optimizer,
        )  # fmt: skip
        made = train(numbers, Dl4jTrainable(bundle=GOOD / "network"), config)
        found[ranks] = (made, weights(made))
    (one, first), (two, second) = found[1], found[2]
    assert one.fingerprint == two.fingerprint
    assert max(np.abs(first[name] - second[name]).max() for name in first) < 1e-6
    losses = [[each["loss"] for each in made.epochs] for made in (one, two)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=1e-6)


def test_local_steps_train_too(numbers, tmp_path):
    trainable = Dl4jTrainable(bundle=GOOD / "network", local_steps=5)
    made = train(numbers, trainable, settings(tmp_path, optimizer="adam", lr=0.02, epochs=4))
    assert made.epochs[-1]["validationLoss"] < made.epochs[0]["validationLoss"] / 2
    assert sealane.inspect(made).manifest.lineage["localSteps"] == 5


def test_a_run_goes_on_after_its_driver_is_gone(numbers, tmp_path):
    shared = str(tmp_path / "shared")
    network = Dl4jTrainable(bundle=GOOD / "network")
    given = {"shared": shared, "resume": True, "overwrite": True}
    first = train(numbers, network, settings(tmp_path, epochs=1, **given))
    second = train(numbers.limit(0), network, settings(tmp_path, epochs=3, **given))
    assert (first.resumed, len(first.epochs)) == (0, 1)
    assert second.resumed == second.samples // 64
    assert second.epochs[0] == first.epochs[0]
    other = {"shared": str(tmp_path / "other"), "overwrite": True, "epochs": 3}
    whole = train(numbers, network, settings(tmp_path, **other))
    assert [each["loss"] for each in second.epochs] == [each["loss"] for each in whole.epochs]
    for changes, code in (
        ({"resume": False}, "BUNDLE_EXISTS"),
        ({"lr": 0.5}, "ARTIFACT_INVALID"),
        ({"seed": 3}, "ARTIFACT_INVALID"),
    ):
        with pytest.raises(SealaneError) as caught:
            train(numbers, network, settings(tmp_path, **{**given, **changes}))
        assert caught.value.code == code


def test_raw_columns_and_missing_values(spark, tmp_path):
    torch = pytest.importorskip("torch", reason="the environment of Spark 3.5 has no PyTorch")
    nn = torch.nn
    df = rides(spark)

    class Lateness(nn.Module):
        def __init__(self, cities):
            super().__init__()
            self.city = nn.Embedding(cities, 4)
            self.head = nn.Linear(5, 1)

        def forward(self, numeric, city):
            return self.head(torch.cat([numeric, self.city(city)], 1))

    trainable = Dl4jTrainable(
        module=lambda fitted: Lateness(fitted.cardinalities["city"]),
        features=Features({"city": Lookup(), "km": Impute() | Normalize()}),
        options={"output_names": ["late"], "lineage": {"commit": "abc"}},
    )
    config = settings(
        tmp_path, target="late", loss="binary", optimizer="adamw", lr=0.1,
        shared=str(tmp_path / "run"), resume=True,
    )  # fmt: skip
    made = train(df, trainable, config)
    assert made.epochs[-1]["validationAuc"] == pytest.approx(1)
    with sealane.open(made) as session:
        rows = {"city": np.array(["Oslo", "Rome", ""], object), "km": np.array([1.0, np.nan, 3.0])}
        found = session.run(rows)
    assert (found["late"].reshape(-1) > 0).tolist() == [True, False, False]
    assert sealane.inspect(made).manifest.lineage["commit"] == "abc"
    longer = settings(
        tmp_path, target="late", loss="binary", optimizer="adamw", lr=0.1, epochs=3,
        shared=str(tmp_path / "run"), resume=True, overwrite=True,
    )  # fmt: skip
    assert train(df, trainable, longer).resumed > 0


def test_a_configuration_of_deeplearning4j(spark, table, tmp_path):
    deep = spark._jvm.org.deeplearning4j.nn.conf
    layers = deep.layers
    list_ = deep.NeuralNetConfiguration.Builder().seed(5).list()
    relu = spark._jvm.org.nd4j.linalg.activations.Activation.valueOf("TANH")
    sigmoid = spark._jvm.org.nd4j.linalg.activations.Activation.valueOf("SIGMOID")
    loss = getattr(spark._jvm, "org.nd4j.linalg.lossfunctions.LossFunctions$LossFunction")
    hidden = getattr(spark._jvm, f"{_name(layers)}.DenseLayer$Builder")()
    out = getattr(spark._jvm, f"{_name(layers)}.OutputLayer$Builder")(loss.valueOf("XENT"))
    list_.layer(hidden.nIn(2).nOut(16).activation(relu).build())
    list_.layer(out.nIn(16).nOut(1).activation(sigmoid).build())
    file = tmp_path / "network.json"
    file.write_text(list_.build().toJson())
    rows = table.withColumnRenamed("x", "input")
    config = settings(tmp_path, loss="binary", optimizer="adam", lr=0.02, epochs=5, batch_size=64)
    made = train(rows, Dl4jTrainable(configuration=file), config)
    assert made.epochs[-1]["validationLoss"] < 0.3 < made.epochs[0]["validationLoss"]


def _name(package):
    return package._fqn


@pytest.mark.parametrize(
    ("changes", "select", "code"),
    [
        ({"target": "label"}, "*", "INPUT_MISSING"),
        ({}, "id, y", "INPUT_MISSING"),
        ({}, "features, if(id % 1000 = 1, null, y) as y", "INPUT_NULL"),
        ({}, "if(id = 400, null, features) as features, y", "INPUT_NULL"),
        ({}, "if(id = 400, array(1d), features) as features, y", "INPUT_RAGGED"),
        ({}, "cast(features as string) as features, y", "INPUT_DTYPE"),
        ({"loss": "binary"}, "*", "INPUT_DOMAIN"),
        ({"batch_size": 4000}, "*", "INPUT_SHAPE"),
        ({"precision": "mixed"}, "*", "INPUT_DOMAIN"),
        ({"weight_decay": 0.1}, "*", "INPUT_DOMAIN"),
        ({}, "transform(features, x -> double('NaN')) as features, y", "ENGINE_RUN_FAILED"),
    ],
)
@pytest.mark.parametrize("shared", [False, True])
def test_what_can_not_be_trained_is_refused_in_seconds(
    numbers, tmp_path, changes, select, code, shared
):
    folder = {"shared": str(tmp_path / "shared")} if shared else {}
    numbers.createOrReplaceTempView("numbers")
    df = numbers.sparkSession.sql(f"select {select} from numbers")
    started = time.monotonic()
    with pytest.raises(SealaneError) as caught:
        train(df, Dl4jTrainable(bundle=GOOD / "network"), settings(tmp_path, **changes, **folder))
    assert caught.value.code == code
    assert time.monotonic() - started < 60
    assert not (tmp_path / "new" / "bundle").exists()


def test_what_is_no_network_is_refused(numbers, tmp_path):
    with pytest.raises(SealaneError) as caught:
        train(numbers, Dl4jTrainable(bundle=GOOD / "mlp"), settings(tmp_path))
    assert caught.value.code == "VARIANT_NOT_FOUND"
    with pytest.raises(SealaneError) as caught:
        train(numbers, Dl4jTrainable(bundle=GOOD / "network", output="none"), settings(tmp_path))
    assert caught.value.code == "INPUT_UNKNOWN"
    for given in ({}, {"bundle": "b", "configuration": "c"}, {"module": print}):
        with pytest.raises(SealaneError) as caught:
            Dl4jTrainable(**given)
        assert caught.value.code == "INPUT_MISSING"
    with pytest.raises(SealaneError) as caught:
        Dl4jTrainable(bundle="b", local_steps=0)
    assert caught.value.code == "INPUT_DOMAIN"


def test_the_settings_of_a_session_that_trains():
    jars = jar_conf("dl4j")["spark.jars"].split(",")
    assert jars[0].endswith("sealane.jar")
    assert {Path(jar).name for jar in jars[1:]} < {jar.name for jar in engine_jars("dl4j")}
    assert not any("slf4j" in jar for jar in jars)


def test_a_keras_model(table, tmp_path):
    keras = pytest.importorskip("keras", reason="the environment of Spark 3.5 has no Keras")

    def made(_):
        x = keras.Input((2,), name="x")
        hidden = keras.layers.Dense(16, activation="tanh")(x)
        return keras.Model(x, keras.layers.Dense(1, activation="sigmoid")(hidden))

    trainable = Dl4jTrainable(module=made, inputs=["x"], options={"output_names": ["same"]})
    config = settings(tmp_path, loss="binary", optimizer="adam", lr=0.05, batch_size=64)
    one, two = (train(table, trainable, config) for config in (config, _again(config)))
    assert one.epochs[-1]["validationLoss"] < 0.4
    assert [each["loss"] for each in two.epochs] == [each["loss"] for each in one.epochs]


def _again(config):
    return replace(config, overwrite=True)
