"""Rows that a rule turns away, found a column at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sealane.core import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from sealane.core import TensorSpec
    from sealane.runtime.values import AnyArray


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule, and the rows of a batch that break it.

    Attributes:
        rows: Which; shape [rows], bool.
        code: The rule's code.
        describe: The message for a row.
    """

    rows: AnyArray
    code: ErrorCode
    describe: Callable[[int], str]


def _text(spec: TensorSpec, problem: str, expected: str, received: str) -> str:
    return f"input '{spec.name}': {problem}: expected {expected}, received {received}"


def missing(spec: TensorSpec, rows: AnyArray, received: str = "null") -> Fault:
    """INPUT_NULL for these rows."""
    expected = f"{spec.dtype.value} (the input is not nullable)"
    text = _text(spec, "missing value", expected, received)
    return Fault(rows, ErrorCode.INPUT_NULL, lambda _: text)


def unfit(spec: TensorSpec, rows: AnyArray, received: Callable[[int], str]) -> Fault:
    """INPUT_DTYPE for these rows; ``received`` gives the text of a row's first bad element."""
    dtype = spec.dtype.value
    problem = f"a value that {dtype} can not hold"
    return Fault(
        rows, ErrorCode.INPUT_DTYPE, lambda row: _text(spec, problem, dtype, received(row)[:80])
    )


def misshaped(spec: TensorSpec, rows: AnyArray, expected: str, sizes: AnyArray) -> Fault:
    """INPUT_SHAPE for these rows, which have ``sizes`` elements."""
    return Fault(
        rows,
        ErrorCode.INPUT_SHAPE,
        lambda row: _text(spec, "wrong shape", expected, f"{sizes[row]} elements"),
    )


def ragged(spec: TensorSpec, rows: AnyArray) -> Fault:
    """INPUT_RAGGED for these rows."""
    text = _text(spec, "ragged", "arrays of equal length", "arrays of unequal length")
    return Fault(rows, ErrorCode.INPUT_RAGGED, lambda _: text)


def outside(
    spec: TensorSpec, rows: AnyArray, expected: str, received: Callable[[int], str]
) -> Fault:
    """INPUT_DOMAIN for these rows."""
    problem = "a value outside the domain"
    return Fault(
        rows,
        ErrorCode.INPUT_DOMAIN,
        lambda row: _text(spec, problem, expected, received(row)[:80]),
    )


class Refusals:
    """Which rows of a batch are turned away, and why; the first reason of a row stays.

    Args:
        rows: How many rows the batch has.
    """

    def __init__(self, rows: int) -> None:
        self.refused = np.zeros(rows, np.bool_)
        self._reasons: dict[int, tuple[ErrorCode, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._reasons)

    def add(self, fault: Fault) -> None:
        """Turns away the fault's rows."""
        for row in np.flatnonzero(fault.rows & ~self.refused).tolist():
            self._reasons[row] = (fault.code, fault.describe(row))
        self.refused |= fault.rows

    def refuse(self, row: int, code: ErrorCode, message: str) -> None:
        """Turns away one row."""
        if not self.refused[row]:
            self.refused[row] = True
            self._reasons[row] = (code, message)

    def in_order(self) -> list[tuple[int, ErrorCode, str]]:
        """Row, code and message of each row that is turned away, by row."""
        return [(row, *self._reasons[row]) for row in sorted(self._reasons)]
