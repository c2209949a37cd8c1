"""Models for `test_tensorflow_rank`; run, it is one of two ranks that train them.

A rank prints its address, reads everybody's, trains, and writes what it has learned.
"""

from __future__ import annotations

import json
import pickle
import sys
from functools import partial
from pathlib import Path

import numpy as np

from sealane.core.keras import KERAS_3, TF_KERAS
from sealane.training.distributed.config import TrainConfig
from sealane.training.distributed.rank import RankJob
from sealane.training.run import Rows

RUNS = (
    (TF_KERAS, "plain", "sgd"),
    (TF_KERAS, "plain", "adam"),
    (TF_KERAS, "normalised", "adam"),
    (KERAS_3, "normalised", "adam"),
)
STEPS = 12
BATCH = 32


def model(keras, kind):
    """An untrained model: one that draws random numbers, one with statistics, or neither."""
    module = keras.module
    layers = module.layers
    number = module.Input((4,), name="number")
    city = module.Input((), dtype="int32", name="city")
    x = number
    if kind == "normalised":
        adapted = layers.Normalization()
        adapted.adapt(np.arange(12.0).reshape(3, 4))
        x = layers.BatchNormalization()(layers.Dense(6)(adapted(number)))
    x = layers.Concatenate()([x, layers.Embedding(5, 3)(city)])
    if kind == "drawing":
        x = layers.LSTM(4, dropout=0.2)(layers.Reshape((7, 1))(layers.GaussianNoise(0.1)(x)))
        x = layers.Dropout(0.3)(x)
    x = layers.Dense(8, activation="tanh")(x)
    return module.Model([number, city], layers.Dense(1, activation="sigmoid")(x))


def payload(kind, keras=TF_KERAS):
    """The model, always with the same first weights."""
    from sealane.training.distributed.tensorflow_rank import KerasPayload

    make = partial(model, keras, kind)
    keras.module.utils.set_random_seed(4)
    weights = [variable.numpy() for variable in keras.weights(make())]
    return KerasPayload(keras, make, weights, "binary", False)


class Later:
    """A payload that is made when the ranks have met: a model would start TensorFlow too early."""

    def __reduce__(self):
        return payload, ("plain",)


def config(optimizer, **changes):
    given = {"name": "m", "path": "m", "target": "y", "lr": 0.02, "optimizer": optimizer}
    return TrainConfig(**given | changes)


def rows(step, rank=None):
    """The rows of a step, or one rank's half of them."""
    random = np.random.default_rng(step)
    number = random.normal(size=(2 * BATCH, 4)).astype(np.float32)
    city = random.integers(0, 5, 2 * BATCH).astype(np.int32)
    target = (number[:, 0] * number[:, 1] > 0).astype(np.float32)
    half = slice(None) if rank is None else slice(rank * BATCH, (rank + 1) * BATCH)
    return Rows({"number": number[half], "city": city[half]}, target[half])


def main(rank, folder):
    from sealane.training.distributed import tensorflow_rank

    job = RankJob("tensorflow", pickle.dumps(Later()), config("sgd"), rank, "127.0.0.1", 1, folder)
    member = tensorflow_rank.create(job)
    print(member.address(), flush=True)
    joined = member.join(json.loads(sys.stdin.readline()))
    for keras, kind, optimizer in RUNS:
        by = tensorflow_rank.TensorFlowLearner(
            payload(kind, keras), config(optimizer), joined._strategy, joined._options
        )
        for step in range(STEPS):
            by.step(rows(step, rank), 0)
        (folder / f"{keras.name}-{kind}-{optimizer}-{rank}.npz").write_bytes(by.weights())
    print("done", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
