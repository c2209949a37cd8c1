"""The values that the rows of a batch have for one input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sealane.core import TensorSpec
    from sealane.runtime.values import AnyArray
    from sealane.spark.faults import Fault


@dataclass(frozen=True, slots=True)
class InputRows:
    """Values of a batch, a row after another.

    Attributes:
        spec: The input.
        values: All elements; shape [elements], or [rows, elements of a row] without ``starts``.
        faults: The rules that some rows break, in the order in which they count.
        starts: Where in ``values`` each row begins; shape [rows]. None when rows are alike.
        lengths: How many elements each row has; shape [rows]. None when rows are alike.
        symbols: The sizes of the symbolic dims; shape [rows] each.
    """

    spec: TensorSpec
    values: AnyArray
    faults: list[Fault] = field(default_factory=list["Fault"])
    starts: AnyArray | None = None
    lengths: AnyArray | None = None
    symbols: dict[str, AnyArray] = field(default_factory=dict[str, "AnyArray"])

    def tensor(self, rows: AnyArray, dims: tuple[int, ...]) -> AnyArray:
        """The tensor of some rows whose dims are ``dims``.

        Args:
            rows: Increasing indices, at least one; shape [n].
            dims: Dims of each of them.

        Returns:
            Shape [n, *dims]; a view where the rows lie side by side.
        """
        count = len(rows)
        if self.starts is None:
            first = int(rows[0])
            if int(rows[-1]) - first == count - 1:
                return self.values[first : first + count].reshape(count, *dims)
            return self.values[rows].reshape(count, *dims)
        elements = int(np.prod(dims, dtype=np.int64))
        starts = self.starts[rows]
        begin = int(starts[0])
        if np.array_equal(starts, begin + elements * np.arange(count)):
            return self.values[begin : begin + elements * count].reshape(count, *dims)
        return self.values[starts[:, None] + np.arange(elements)].reshape(count, *dims)

    def extent(self, row: int) -> slice:
        """Where a row's elements are in the flat values."""
        if self.starts is None or self.lengths is None:
            width = self.values.size // len(self.values)
            return slice(row * width, (row + 1) * width)
        start = int(self.starts[row])
        return slice(start, start + int(self.lengths[row]))

    def rows_with(self, mask: AnyArray) -> AnyArray:
        """The rows in which an element is marked.

        Args:
            mask: Of the shape of ``values``, bool.

        Returns:
            Shape [rows], bool.
        """
        if self.starts is None or self.lengths is None:
            return np.asarray(mask.reshape(len(self.values), -1).any(axis=1))
        return rows_with(mask, self.starts, self.starts + self.lengths)

    def first(self, mask: AnyArray, row: int) -> int:
        """The flat index of a row's first marked element."""
        extent = self.extent(row)
        return extent.start + int(mask.reshape(-1)[extent].argmax())


def rows_with(mask: AnyArray, starts: AnyArray, ends: AnyArray) -> AnyArray:
    """The rows in which an element is marked.

    Args:
        mask: Shape [elements], bool.
        starts: The first element of each row; shape [rows].
        ends: The element after the last of each row; shape [rows].
    """
    before = np.concatenate(([0], np.cumsum(mask)))
    return before[ends] > before[starts]
