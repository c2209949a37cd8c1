"""What a rank does without Spark, mostly with tf_keras: Spark's own tests train Keras 3 models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from python.training import two_ranks

from sealane.core import ErrorCode, SealaneError
from sealane.core.keras import KERAS_3, TF_KERAS


@pytest.fixture(scope="module")
def rank():
    """The module, whose learner needs no other rank under TensorFlow's default strategy."""
    from sealane.training.distributed import tensorflow_rank

    return tensorflow_rank


def alone(rank, payload, **changes):
    optimizer = changes.pop("optimizer", "adam")
    config = two_ranks.config(optimizer, ranks=1, **changes)
    return rank.TensorFlowLearner(payload, config, rank.tf.distribute.get_strategy(), None)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """What two processes have learned together."""
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-m", "python.training.two_ranks"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ranks = [
        subprocess.Popen(
            [*command, str(number), str(folder)], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        for number in range(2)
    ]  # fmt: skip
    try:
        peers = json.dumps([each.stdout.readline().strip() for each in ranks])
        for each in ranks:
            print(peers, file=each.stdin, flush=True)
        assert [each.stdout.readline() for each in ranks] == ["done\n"] * 2
    finally:
        for each in ranks:
            each.kill()
            each.communicate()
    return folder


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_two_ranks_are_one_with_twice_the_batch(rank, learned, optimizer):
    payload = two_ranks.payload("plain")
    one = alone(rank, payload, optimizer=optimizer)
    for step in range(two_ranks.STEPS):
        one.step(two_ranks.rows(step), 0)
    together = rank.loaded((learned / f"tf_keras-plain-{optimizer}-0.npz").read_bytes())
    pairs = list(zip(rank.loaded(one.weights()), together, strict=True))
    assert max(np.abs(a - b).max() for a, b in pairs) < 1e-6
    moved = zip(payload.weights, together, strict=True)
    assert all(np.abs(a - b).max() > 1e-3 for a, b in moved)


@pytest.mark.parametrize("keras", [KERAS_3, TF_KERAS], ids=lambda each: each.name)
def test_ranks_have_the_same_statistics(rank, learned, keras):
    """What was adapted stays, a count among it; everything else has moved."""
    first = two_ranks.payload("normalised", keras).weights
    ours, theirs = (
        rank.loaded((learned / f"{keras.name}-normalised-adam-{number}.npz").read_bytes())
        for number in range(2)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
    same = [a for a, b in zip(first, ours, strict=True) if np.array_equal(a, b)]
    assert sorted(each.dtype.kind for each in same) == ["f", "f", "i"]


def test_a_resumed_run_is_the_run_that_was_not_broken(rank):
    """What layers draw at random follows from the step, in whatever process."""
    payload = two_ranks.payload("drawing")
    steady, broken, resumed = (alone(rank, payload) for _ in range(3))
    for step in range(6):
        steady.step(two_ranks.rows(step), 7 * step)
    for step in range(3):
        broken.step(two_ranks.rows(step), 7 * step)
    resumed.load(broken.state())
    for step in range(3, 6):
        resumed.step(two_ranks.rows(step), 7 * step)
    assert resumed.taken() + broken.taken() == pytest.approx(steady.taken(), rel=1e-12)
    assert resumed.weights() == steady.weights() != broken.weights()
    other = alone(rank, payload)
    for step in range(6):
        other.step(two_ranks.rows(step), 7 * step + 1)
    assert other.weights() != steady.weights()


def test_control_flow_is_what_fit_makes_of_it(rank):
    """AutoGraph converts the model, and nothing of ours: errors keep their codes."""
    import tf_keras

    class Branching(tf_keras.layers.Layer):
        def call(self, x):
            if rank.tf.reduce_sum(x) > 0:
                return 2.0 * x
            return x

    def make(outputs):
        given = tf_keras.Input((4,), name="number")
        return tf_keras.Model(given, tf_keras.layers.Dense(outputs)(Branching()(given)))

    def payload(outputs):
        weights = [variable.numpy() for variable in TF_KERAS.weights(make(outputs))]
        return rank.KerasPayload(TF_KERAS, lambda: make(outputs), weights, "squared", True)

    learner = alone(rank, payload(1))
    given = two_ranks.rows(0)
    del given.features["city"]
    learner.step(given, 0)
    loss, _ = learner.evaluate(given)
    assert loss / len(given) < learner.taken()
    with pytest.raises(SealaneError) as caught:
        alone(rank, payload(3)).step(given, 0)
    assert caught.value.code is ErrorCode.INPUT_SHAPE


def test_mixed_precision_is_of_the_layers_that_a_function_makes(rank):
    import tf_keras

    payload = two_ranks.payload("normalised")
    learner = alone(rank, payload, precision="mixed")
    for step in range(3):
        learner.step(two_ranks.rows(step), 0)
    weights = rank.loaded(learner.weights())
    assert [each.dtype for each in weights] == [each.dtype for each in payload.weights]
    layers = {layer.compute_dtype for layer in learner._model.layers if layer.weights}
    assert layers == {"bfloat16"}
    assert tf_keras.mixed_precision.global_policy().name == "float32"
    made = payload.make()
    with pytest.raises(SealaneError, match="a function that makes") as caught:
        alone(rank, replace(payload, make=lambda: made), precision="mixed")
    assert caught.value.code is ErrorCode.INPUT_DTYPE
