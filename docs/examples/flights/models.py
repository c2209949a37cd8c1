"""One small network twice, in PyTorch and in Keras: embeddings of categories beside numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import torch
from sizes import HIDDEN, embedding_width
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping


class TorchLateness(nn.Module):
    """Probability that a flight is late, in PyTorch.

    Args:
        numbers: Columns of the numeric input.
        cardinalities: Number of index values of each categorical input, in argument order.
    """

    def __init__(self, numbers: int, cardinalities: Mapping[str, int]) -> None:
        super().__init__()
        self.names = tuple(cardinalities)
        self.embeddings = nn.ModuleDict(
            {name: nn.Embedding(n, embedding_width(n)) for name, n in cardinalities.items()}
        )
        width = numbers + sum(embedding_width(n) for n in cardinalities.values())
        self.hidden = nn.Sequential(
            nn.Linear(width, HIDDEN[0]),
            nn.BatchNorm1d(HIDDEN[0]),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(HIDDEN[0], HIDDEN[1]),
            nn.GELU(),
            nn.Linear(HIDDEN[1], 1),
        )

    def logit(self, numeric: torch.Tensor, *categories: torch.Tensor) -> torch.Tensor:
        """Log-odds ``[batch]`` from numbers ``[batch, n]`` and category indices ``[batch]``."""
        embedded = [
            self.embeddings[name](index) for name, index in zip(self.names, categories, strict=True)
        ]
        return self.hidden(torch.cat([numeric, *embedded], dim=1)).squeeze(1)

    def forward(
        self,
        numeric: torch.Tensor,
        carrier: torch.Tensor,
        origin: torch.Tensor,
        dest: torch.Tensor,
        manufacturer: torch.Tensor,
    ) -> torch.Tensor:
        """Probability ``[batch]`` of a late arrival."""
        return torch.sigmoid(self.logit(numeric, carrier, origin, dest, manufacturer))


def keras_lateness(numbers: int, cardinalities: Mapping[str, int]) -> keras.Model:
    """Probability ``[batch]`` of a late arrival, in Keras; inputs as `TorchLateness.forward`."""
    numeric = keras.Input((numbers,), name="numeric")
    inputs = [numeric]
    columns = [numeric]
    for name, n in cardinalities.items():
        index = keras.Input((), dtype="int64", name=name)
        inputs.append(index)
        columns.append(keras.layers.Embedding(n, embedding_width(n))(index))
    x = keras.layers.Concatenate()(columns)
    x = keras.layers.Dense(HIDDEN[0])(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Dropout(0.1)(x)
    x = keras.layers.Dense(HIDDEN[1], activation="gelu")(x)
    x = keras.layers.Dense(1, activation="sigmoid")(x)
    late = keras.layers.Reshape((), name="late")(x)
    return keras.Model(inputs, late, name="lateness")
