"""How the rows of a DataFrame become tensors: made on the driver, shipped to workers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealane.core import Dim, SymbolRange, TensorSpec
    from sealane.spark.elements import Element
    from sealane.spark.options import OnError


class Layout(StrEnum):
    """How columns hold the values that one row has for an input."""

    SCALARS = "scalars"
    """One scalar column for each value; the fields of a struct are columns too."""
    STRUCT = "struct"
    """One struct column, a field for each value."""
    ARRAY = "array"
    """One column of arrays, nested as deep as the input's dims or flat."""
    VECTOR = "vector"
    """One column of Spark ML vectors."""
    BINARY = "binary"
    """One binary column, a byte for each value."""


@dataclass(frozen=True, slots=True)
class InputPlan:
    """Where the values of one input are.

    Attributes:
        spec: The input.
        layout: How its columns hold them.
        columns: For each column its index in the DataFrame and the indices of the fields below.
        elements: The type of the elements of each column; of each field for a struct.
        depth: How deep arrays are nested.
    """

    spec: TensorSpec
    layout: Layout
    columns: tuple[tuple[int, ...], ...]
    elements: tuple[Element, ...]
    depth: int = 0

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The dims of one row."""
        return self.spec.shape[1:]

    @property
    def fixed_size(self) -> int:
        """Elements of one row, when all dims are fixed."""
        return math.prod(dim for dim in self.dims if isinstance(dim, int))


@dataclass(frozen=True, slots=True)
class BatchRange:
    """How many rows the model takes at once.

    Attributes:
        minimum: At least.
        maximum: At most; None for any number.
        multiple_of: In steps of.
    """

    minimum: int = 1
    maximum: int | None = None
    multiple_of: int = 1

    def most(self, wanted: int) -> int:
        """The most rows of one run when ``wanted`` are asked for."""
        if self.maximum is None:
            return wanted
        return max(1, min(wanted, self.maximum // self.multiple_of * self.multiple_of))

    def padded(self, rows: int) -> int:
        """Rows of a run that has ``rows`` rows to score."""
        return -(-max(rows, self.minimum) // self.multiple_of) * self.multiple_of


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """How rows become scores.

    Attributes:
        inputs: Where each input's values are, in the signature's order.
        outputs: The outputs that are wanted.
        symbols: Ranges of the symbolic dims.
        batch: How many rows run at once.
        batch_size: How many the user allows.
        on_error: What becomes of rows that can not be scored.
        into: Name of the score column.
        error_column: Name of the error column, None when there is none.
    """

    inputs: tuple[InputPlan, ...]
    outputs: tuple[TensorSpec, ...]
    symbols: dict[str, SymbolRange]
    batch: BatchRange
    batch_size: int
    on_error: OnError
    into: str
    error_column: str | None

    @property
    def columns(self) -> list[int]:
        """Indices of the columns that inputs are read from, increasing."""
        return sorted({path[0] for each in self.inputs for path in each.columns})

    def narrowed(self) -> ScorePlan:
        """The same plan for a batch that has those columns only."""
        place = {column: index for index, column in enumerate(self.columns)}
        inputs = (
            replace(each, columns=tuple((place[first], *below) for first, *below in each.columns))
            for each in self.inputs
        )
        return replace(self, inputs=tuple(inputs))
