"""Keras models trained by ranks of a Spark job."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from python.spark import crossed as shared
from python.spark.crossed import rides, weights

import sealane
from sealane.core import SealaneError
from sealane.features import Features, Impute, Lookup, Normalize
from sealane.spark.training import KerasTrainable, train

keras = pytest.importorskip("keras", reason="the environment of Spark 3.5 has no TensorFlow")


pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # Keras


settings = partial(shared.settings, overwrite=True, patience=None)


def crossed(_=None, dropout=0.0, norm=False):
    layers = [keras.Input((2,)), keras.layers.Dense(16, "tanh"), keras.layers.Dropout(dropout)]
    layers += [keras.layers.BatchNormalization()] if norm else []
    return keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])


def legacy_crossed():
    import tf_keras

    tf_keras.utils.set_random_seed(3)
    layers = [
        tf_keras.Input((2,)),
        tf_keras.layers.Dense(16, "tanh"),
        tf_keras.layers.Dropout(0.05),
    ]
    layers += [tf_keras.layers.BatchNormalization(), tf_keras.layers.Dense(1, "sigmoid")]
    return tf_keras.Sequential(layers)


def trainable(model=crossed, **changes):
    options = {"formats": ("onnx",), "output_names": ["same"]}
    return KerasTrainable(**{"model": model, "inputs": ["x"], "options": options} | changes)


def losses(made):
    return [(each["loss"], each["validationLoss"]) for each in made.epochs]


@pytest.mark.parametrize("framework", ["keras", "tf_keras"])
def test_two_ranks_train_a_bundle(table, tmp_path, framework):
    """Of a function in one case, of a model in the other."""
    model = (
        (lambda _: crossed(dropout=0.05, norm=True)) if framework == "keras" else legacy_crossed()
    )
    made = train(table, trainable(model), settings(tmp_path, epochs=6))
    assert made.epochs[-1]["validationLoss"] < 0.3 < made.epochs[0]["validationLoss"]
    assert made.epochs[-1]["validationAuc"] > max(0.95, made.epochs[0]["validationAuc"])
    assert sealane.inspect(made.path).manifest.lineage["framework"] == framework
    with sealane.open(made) as session:
        x = np.array([[0.7, 0.7], [0.7, -0.7], [-0.5, 0.5], [-0.5, -0.5]], np.float32)
        same = session.run({"x": x})["same"]
    assert (same.reshape(-1) > 0.5).tolist() == [True, False, False, True]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_two_ranks_are_one_with_twice_the_batch(table, tmp_path, optimizer):
    found = []
    given = crossed()
    for ranks in (1, 2):
        shared = tmp_path / f"{ranks}"
        config = settings(
            tmp_path, ranks=ranks, batch_size=128 // ranks, lanes=2, shared=str(shared),
            optimizer=optimizer,
        )  # fmt: skip
        made = train(table, trainable(given), config)
        found.append((made, weights(made)))
    (one, first), (two, second) = found
    assert one.fingerprint == two.fingerprint
    assert one.epochs[-1]["loss"] < one.epochs[0]["loss"]
    pairs = zip(first.values(), second.values(), strict=True)
    assert max(np.abs(a - b).max() for a, b in pairs) < 1e-6
    np.testing.assert_allclose(losses(one), losses(two), rtol=0, atol=1e-6)
    assert not np.allclose(given.get_weights()[0], next(iter(first.values())))


@pytest.mark.parametrize("act", ["raise", "kill"])
def test_a_rank_that_fails_once_goes_on_from_a_checkpoint(table, tmp_path, act):
    @keras.saving.register_keras_serializable("test")
    class Failing(keras.layers.Layer):
        def __init__(self, marker, **settings):
            super().__init__(**settings)
            self.marker, self.steps = marker, 0

        def call(self, x, training=False):
            import tensorflow as tf

            tf.py_function(self.count, [], []) if training else None
            return x

        def count(self):
            self.steps += 1
            if self.steps == 60 and self.marker and not Path(self.marker).exists():
                Path(self.marker).touch()
                if act == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise ValueError("the sensor is on fire")

    def model(marker):
        layers = [keras.Input((2,)), Failing(marker), keras.layers.Dense(16, "tanh")]
        return keras.Sequential([*layers, keras.layers.Dropout(0.1), keras.layers.Dense(1)])

    found = []
    for marker in ("", str(tmp_path / "marker")):
        config = settings(tmp_path, shared=str(tmp_path / f"run{bool(marker)}"), checkpoint_steps=9)
        by = trainable(lambda _, marker=marker: model(marker), from_logits=True)
        found.append(train(table, by, config))
    steady, failed = found
    assert (tmp_path / "marker").exists()
    assert steady.resumed == 0
    assert 45 <= failed.resumed <= 60
    assert losses(failed) == losses(steady)


def test_raw_columns_and_missing_values(spark, tmp_path):
    df = rides(spark)

    def lateness(fitted):
        city = keras.Input((), dtype="int32", name="city")
        numeric = keras.Input((1,), name="numeric")
        embedded = keras.layers.Embedding(fitted.cardinalities["city"], 4)(city)
        joined = keras.layers.Concatenate()([numeric, embedded])
        late = keras.layers.Dense(1, "sigmoid", name="late")(joined)
        return keras.Model({"city": city, "numeric": numeric}, late)

    features = Features({"city": Lookup(), "km": Impute() | Normalize()})
    model = KerasTrainable(
        model=lateness,
        features=features,
        options={"formats": ("onnx", "savedmodel"), "output_names": ["late"]},
    )
    made = train(df, model, settings(tmp_path, target="late", lr=0.1))
    with sealane.open(made) as session:
        rows = {"city": np.array(["Oslo", "Rome", ""], object), "km": np.array([1.0, np.nan, 3.0])}
        found = session.run(rows)
    assert (found["late"].reshape(-1) > 0.5).tolist() == [True, False, False]


def test_what_can_not_be_trained_is_refused(table, tmp_path):
    named = keras.Sequential([keras.Input((2,), name="z"), keras.layers.Dense(1)])
    wide = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    legacy = pytest.importorskip("tf_keras")
    two = KerasTrainable(model=named, inputs=["x", "id"])
    for model, code in [
        (trainable(lambda _: "no model"), "INPUT_DTYPE"),
        (trainable(keras.Sequential([keras.layers.Dense(1)])), "INPUT_DTYPE"),
        (trainable(legacy.Sequential([legacy.layers.Dense(1)])), "INPUT_DTYPE"),
        (two, "INPUT_UNKNOWN"),
        (trainable(wide), "INPUT_SHAPE"),
    ]:
        with pytest.raises(SealaneError) as caught:
            train(table, model, settings(tmp_path, ranks=1))
        assert caught.value.code == code
