"""Models of tf_keras, TensorFlow's other Keras, are exported as those of Keras 3 are."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from python.export.zoo import columns, rows, transforms

import sealane
from sealane.bundle import Verdict, read_bundle
from sealane.core import ErrorCode, SealaneError
from sealane.core.frameworks import load_module
from sealane.export.source import adapt

layers = tf_keras.layers


class Branching(layers.Layer):
    """Python's control flow, which tf_keras' own ``fit`` makes TensorFlow's."""

    def call(self, x):
        if tf.reduce_sum(x) > 0:
            return 2.0 * x
        return x - 1.0


class Subclassed(tf_keras.Model):
    def __init__(self):
        super().__init__()
        self.branch = Branching(name="branch")
        self.hidden = layers.Dense(16, activation="relu")
        self.head = layers.Dense(2)

    def call(self, inputs):
        hidden = self.hidden(self.branch(inputs["x"]))
        return {"logits": self.head(hidden), "positive": inputs["key"] > 0}


class Noisy(layers.Layer):
    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


class Failing(layers.Layer):
    def call(self, x):
        if not tf.executing_eagerly():
            raise ValueError("the sensor is on fire")
        return x


def images():
    given = tf_keras.Input((10, 10, 3), name="image")
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, activation="relu")(given))
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))
    model = tf_keras.Model(given, layers.Dense(4, activation="softmax")(x))
    for weight in model.weights:
        if "moving" in weight.name:
            weight.assign(np.abs(rows(*weight.shape)) + 0.5)
    return model, (rows(3, 10, 10, 3),)


def steps():
    recurrent = layers.Bidirectional(layers.GRU(3, return_sequences=True, dropout=0.1))
    parts = [tf_keras.Input((7, 5), name="x"), recurrent, layers.LSTM(8), layers.Dropout(0.2)]
    return tf_keras.Sequential([*parts, layers.Dense(3)]), (rows(3, 7, 5),)


def words():
    """A table that was adapted, and one that was given."""
    adapted = layers.StringLookup()
    adapted.adapt(np.array(["UA", "AA", "Ünï"]))
    given = layers.StringLookup(vocabulary=["a", "b"])
    inputs = {name: tf_keras.Input((), dtype="string", name=name) for name in ("word", "letter")}
    found = [adapted(inputs["word"]), given(inputs["letter"])]
    joined = layers.Concatenate()([layers.Embedding(5, 4)(each) for each in found])
    examples = {
        "word": np.array(["UA", "AA", "Ünï", "never seen"] * 2, object),
        "letter": np.array(["a", "b", "c", "b"] * 2, object),
    }
    return tf_keras.Model(inputs, layers.Dense(2)(joined)), examples


def ordered():
    """Several inputs in another order than their names', and several outputs."""
    a, b = tf_keras.Input((4,), name="a"), tf_keras.Input((3,), dtype="int32", name="b")
    embedded = layers.Flatten()(layers.Embedding(10, 4)(b))
    joined = layers.Concatenate()([layers.Dense(8, activation="tanh")(a), embedded])
    model = tf_keras.Model([b, a], [layers.Dense(1, name="score")(joined), joined])
    return model, {"a": rows(5, 4), "b": np.arange(15, dtype=np.int32).reshape(5, 3) % 10}


def subclassed():
    model = Subclassed()
    given = {"x": rows(5, 3), "key": np.arange(5, dtype=np.int32) - 2}
    model({name: tf.constant(value) for name, value in given.items()})
    return model, given


def late():
    """Sequential, built by its first call."""
    model = tf_keras.Sequential([layers.Dense(3, activation="gelu"), layers.Dense(2)])
    model(rows(2, 4))
    return model, (rows(5, 4),)


@pytest.mark.parametrize("made", [images, steps, words, ordered, subclassed, late])
def test_model_is_within_oracle(made, tmp_path):
    tf_keras.utils.set_random_seed(3)
    model, examples = made()
    before = [np.array(weight) for weight in model.get_weights()]
    runtimes = ("jvm", "jvm:tensorflow") if made in (steps, words) else ()
    sealane.export(model, examples, "m", path=tmp_path / "m", runtimes=runtimes)
    with read_bundle(tmp_path / "m") as bundle:
        verdicts = {variant.id: variant.verdict for variant in bundle.manifest.variants}
        assert verdicts == dict.fromkeys(("onnx", "savedmodel"), Verdict.WITHIN_ORACLE)
        assert bundle.certificate["oracle"]["kind"] == "tf_keras-f64"
        assert bundle.certificate["reference"]["framework"] == "tf_keras"
        assert bundle.manifest.environment["tf_keras"] == tf_keras.__version__
        found = {run["backend"] for run in bundle.certificate["runs"]}
        assert found >= {
            "onnx",
            "tensorflow",
            *(("jvm:onnx", "jvm:tensorflow") if runtimes else ()),
        }
    after = model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_features_stand_in_front_and_bytes_are_the_same_again(tmp_path):
    inputs = {
        "numeric": tf_keras.Input((1,), name="numeric"),
        "carrier": tf_keras.Input((), dtype="int64", name="carrier"),
        "delay": tf_keras.Input((), dtype="int64", name="delay"),
    }
    sizes = transforms().cardinalities
    embedded = [layers.Embedding(sizes[n], 4)(inputs[n]) for n in ("carrier", "delay")]
    joined = layers.Concatenate()([inputs["numeric"], *embedded])
    model = tf_keras.Model(inputs, {"late": layers.Dense(1, activation="sigmoid")(joined)})
    contents = {
        sealane.export(
            model, columns(), "m", path=tmp_path / name, features=transforms()
        ).manifest.content_id
        for name in ("one", "two")
    }
    assert len(contents) == 1


def test_a_network_is_made_of_layers(tmp_path):
    model, examples = images()
    formats = ("onnx", "dl4j")
    bundle = sealane.export(model, examples, "m", path=tmp_path / "m", formats=formats)
    assert bundle.manifest.variant("dl4j").verdict is Verdict.WITHIN_ORACLE


def refused(model, examples, tmp_path, **options):
    with pytest.raises(SealaneError) as caught:
        sealane.export(model, examples, "m", path=tmp_path / "m", **options)
    assert list(tmp_path.iterdir()) == []
    return caught.value


def test_what_can_not_be_exported_is_refused(tmp_path):
    given = tf_keras.Input((4,), name="x")
    hard = tf_keras.Model(given, layers.Dense(2, activation="hard_sigmoid")(given))
    noisy = tf_keras.Sequential([tf_keras.Input((4,)), Noisy()])
    network = {"formats": ("onnx", "dl4j")}
    for model, options, said in [
        (tf_keras.Sequential([layers.Dense(2)]), {}, "no weights yet; call it once"),
        (layers.Dense(2), {}, "a Dense is not a tf_keras.Model"),
        (noisy, {}, "differs between two calls"),
        (hard, network, "hard_sigmoid"),
        (subclassed()[0], network, "subclassed"),
    ]:
        examples = subclassed()[1] if isinstance(model, Subclassed) else (rows(3, 4),)
        error = refused(model, examples, tmp_path, **options)
        assert error.code is ErrorCode.EXPORT_UNSUPPORTED
        assert said in error.message


def test_a_layer_that_fails_is_named(tmp_path):
    class Model(tf_keras.Model):
        def __init__(self):
            super().__init__()
            self.sensor = Failing(name="sensor")
            self.head = layers.Dense(2)

        def call(self, x):
            return self.head(self.sensor(x))

    model = Model()
    model(rows(2, 4))
    error = refused(model, (rows(3, 4),), tmp_path)
    assert error.code is ErrorCode.EXPORT_FAILED
    assert "layer 'sensor'" in error.message
    assert "on fire" in error.message


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_only_the_models_own_keras_is_loaded(name, monkeypatch):
    keras = import_module(name)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    loaded = set()

    def load(module, extra):
        loaded.add(module)
        return load_module(module, extra)

    monkeypatch.setattr("sealane.core.keras.load_module", load)
    source, _ = adapt(model)
    assert (source.framework, loaded) == (name, {name})
