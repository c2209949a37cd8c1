"""The network in PyTorch: embeddings of categories beside numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        plain: Without batch normalisation and dropout, which differ by how rows are shared out.
    """

    def __init__(
        self, numbers: int, cardinalities: Mapping[str, int], *, plain: bool = False
    ) -> None:
        super().__init__()
        self.names = tuple(cardinalities)
        self.embeddings = nn.ModuleDict(
            {name: nn.Embedding(n, embedding_width(n)) for name, n in cardinalities.items()}
        )
        width = numbers + sum(embedding_width(n) for n in cardinalities.values())
        self.hidden = nn.Sequential(
            nn.Linear(width, HIDDEN[0]),
            *([] if plain else [nn.BatchNorm1d(HIDDEN[0])]),
            nn.ReLU(),
            *([] if plain else [nn.Dropout(0.1)]),
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
