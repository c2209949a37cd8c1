"""What is needed of Arrow, whose Python package has no types."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sealane.runtime.values import AnyArray

pa: Any = importlib.import_module("pyarrow")


def words(
    array: Any, dtype: type[np.generic] | None = None, width: int = 1, *, extra: int = 0
) -> AnyArray:
    """The fixed-width values of an Arrow array, without a copy; nulls hold whatever they hold.

    Args:
        array: Shape [n].
        dtype: What the bytes are; None for the array's own number type.
        width: How many of them make one value.
        extra: How many values there are beyond the array's length.

    Returns:
        Shape [(n + extra) * width], read-only.
    """
    kind = np.dtype(array.type.to_pandas_dtype() if dtype is None else dtype)
    count = (len(array) + extra) * width
    data = array.buffers()[1]
    if count == 0 or data is None:
        return np.zeros(count, kind)
    start = array.offset * width * kind.itemsize
    return np.frombuffer(data, kind, count, start)


def is_valid(array: Any) -> AnyArray:
    """Which values of an Arrow array are not null; shape [n]."""
    return array.is_valid().to_numpy(zero_copy_only=False)


def fields_of(column: Any, path: tuple[int, ...]) -> Any:
    """A field inside a struct array, null where a struct around it is."""
    for index in path:
        column = column.flatten()[index] if column.null_count else column.field(index)
    return column
