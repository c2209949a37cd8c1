"""Spark ML vectors, as Arrow carries them: type (0 sparse, 1 dense), size, indices, values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.spark.arrow import is_valid, words
from sealane.spark.sizes import split_lists

if TYPE_CHECKING:
    from sealane.runtime.values import AnyArray


def read_vectors(column: Any) -> tuple[AnyArray, AnyArray]:
    """The elements of vectors, zeros written out.

    Args:
        column: The Arrow struct array of ``VectorUDT``; shape [rows]. Nulls have no elements.

    Returns:
        Offsets, shape [rows + 1], and float64 elements.
    """
    kinds, sizes, indices, values = column.flatten()
    offsets, below = split_lists(values)
    given = words(below, np.float64)
    lengths = np.diff(offsets)
    dense = words(kinds, np.int8) == 1
    if column.null_count:
        dense |= ~is_valid(column)
    if dense.all():
        return offsets, given
    return _written_out(dense, offsets, given, np.where(dense, lengths, words(sizes)), indices)


def _written_out(
    dense: AnyArray, offsets: AnyArray, given: AnyArray, sizes: AnyArray, indices: Any
) -> tuple[AnyArray, AnyArray]:
    starts = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    lengths = np.diff(offsets)
    row = np.repeat(np.arange(len(dense)), lengths)
    inside = np.arange(len(given)) - offsets[row]
    inside[~dense[row]] = words(split_lists(indices)[1], np.int32)
    flat = np.zeros(starts[-1], np.float64)
    flat[starts[row] + inside] = given
    return starts, flat
