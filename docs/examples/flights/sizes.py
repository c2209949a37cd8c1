"""Widths that all the networks share."""

from __future__ import annotations

HIDDEN = (128, 64)


def embedding_width(cardinality: int) -> int:
    """Columns of the embedding of a category with that many values."""
    return min(16, 1 + cardinality // 4)
