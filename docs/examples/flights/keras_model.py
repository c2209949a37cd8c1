"""The network in Keras: embeddings of categories beside numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from sizes import HIDDEN, embedding_width

if TYPE_CHECKING:
    from collections.abc import Mapping


def keras_lateness(
    numbers: int, cardinalities: Mapping[str, int], *, plain: bool = False
) -> keras.Model:
    """Probability ``[batch]`` of a late arrival; arguments and inputs as `TorchLateness` has."""
    numeric = keras.Input((numbers,), name="numeric")
    inputs = [numeric]
    columns = [numeric]
    for name, n in cardinalities.items():
        index = keras.Input((), dtype="int64", name=name)
        inputs.append(index)
        columns.append(keras.layers.Embedding(n, embedding_width(n))(index))
    x = keras.layers.Concatenate()(columns)
    x = keras.layers.Dense(HIDDEN[0])(x)
    x = x if plain else keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = x if plain else keras.layers.Dropout(0.1)(x)
    x = keras.layers.Dense(HIDDEN[1], activation="gelu")(x)
    x = keras.layers.Dense(1, activation="sigmoid")(x)
    late = keras.layers.Reshape((), name="late")(x)
    return keras.Model(inputs, late, name="lateness")
