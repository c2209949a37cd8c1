"""The area under the ROC curve over the rows of all ranks, which none of them sees whole."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

BINS = 1 << 16
"""Scores are told apart by sign, exponent and 7 bits of their fraction, as in bfloat16."""


def counts(scores: Array, targets: Array) -> Array:
    """How many negatives and positives have which score: ``[2, BINS]`` float64, to be summed.

    Args:
        scores: ``[rows]``, more for what is more likely.
        targets: ``[rows]``, from 0 for a negative to 1 for a positive.
    """
    bits = np.ascontiguousarray(scores, np.float32).view(np.int32).astype(np.int64)
    # Of negative numbers the larger bits are the smaller number.
    ordered = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits) + 2**31
    bins = np.minimum(ordered >> 16, BINS - 1)
    positive = targets.astype(np.float64)
    return np.stack([np.bincount(bins, each, BINS) for each in (1 - positive, positive)])


def area(counted: Array) -> float | None:
    """The share of pairs of a positive and a negative in their right order; of one bin, half.

    Args:
        counted: The sum of all `counts`.

    Returns:
        None when there are no positives, or no negatives.
    """
    negative, positive = counted
    pairs = negative.sum() * positive.sum()
    if not pairs:
        return None
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / pairs)
