"""The arithmetic that feature steps are written in, and its NumPy reference.

Each step of a compiled feature program is written once against `Ops`; NumPy, ONNX and TensorFlow
implement it. Numbers are float64 inside a program and are rounded to float32 once, at its end, so
that a last-place difference between two ``log`` implementations does not reach a feature.

TensorFlow's kernels treat denormals as zero, ONNX Runtime's and NumPy's do not. The rule that
makes them equal: a magnitude below the smallest normal float32 counts as (positive) zero, when a
column is read and when a feature is rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.core import DType

V = TypeVar("V")
"""A backend's value: an array, a graph tensor's name, a symbolic tensor."""

TINY = float(np.finfo(np.float32).tiny)
"""The smallest normal float32, 2**-126; magnitudes below it count as zero."""

Array = np.ndarray[Any, np.dtype[Any]]


class Ops(Protocol[V]):
    """Elementwise operations on vectors ``[batch]``: float64 numbers, int64 integers, booleans."""

    def read(self, raw: V, dtype: DType) -> V:
        """A raw column as a number: FP32, FP64, INT64 or BOOL ``[batch]`` to float64."""
        ...

    def number(self, value: float) -> V:
        """A float64 scalar constant."""
        ...

    def integer(self, value: int) -> V:
        """An int64 scalar constant."""
        ...

    def to_number(self, x: V) -> V:
        """Int64 or boolean to float64."""
        ...

    def to_integer(self, x: V) -> V:
        """Boolean, or an integral float64 within ±2**53, to int64."""
        ...

    def add(self, x: V, y: V) -> V:
        """``x + y``, both numbers or both integers."""
        ...

    def sub(self, x: V, y: V) -> V:
        """``x - y``, both numbers or both integers."""
        ...

    def mul(self, x: V, y: V) -> V:
        """``x * y``, both numbers or both integers."""
        ...

    def floordiv(self, x: V, divisor: int) -> V:
        """Integer division rounding down, ``divisor`` > 0."""
        ...

    def mod(self, x: V, divisor: int) -> V:
        """Integer remainder in ``[0, divisor)``."""
        ...

    def floor(self, x: V) -> V:
        """The largest integral number not above ``x``."""
        ...

    def log(self, x: V) -> V:
        """Natural logarithm of a number."""
        ...

    def log1p(self, x: V) -> V:
        """``log(1 + x)`` without cancellation near zero."""
        ...

    def less(self, x: V, y: V) -> V:
        """``x < y`` as booleans; False where either is NaN."""
        ...

    def equal(self, x: V, y: V) -> V:
        """``x == y`` as booleans; False where either is NaN."""
        ...

    def both(self, x: V, y: V) -> V:
        """Logical and."""
        ...

    def is_nan(self, x: V) -> V:
        """Whether a number is missing."""
        ...

    def where(self, condition: V, x: V, y: V) -> V:
        """``x`` where the condition holds, else ``y``."""
        ...

    def index_text(self, x: V, keys: Sequence[str], values: Sequence[int], default: int) -> V:
        """The value of the key equal to each string, or the default, int64."""
        ...

    def index_integer(self, x: V, keys: Sequence[int], values: Sequence[int], default: int) -> V:
        """The value of the key equal to each integer, or the default, int64."""
        ...

    def count_reached(self, x: V, boundaries: Sequence[float]) -> V:
        """How many of the boundaries are ≤ ``x``, int64; unspecified where NaN."""
        ...

    def take(self, table: Sequence[float], x: V) -> V:
        """``table[x]`` as a number; ``x`` is an integer within the table."""
        ...

    def one_hot(self, x: V, depth: int) -> V:
        """Numbers ``[batch, depth]``: 1 where the column's position equals ``x``, else 0."""
        ...

    def round(self, parts: Sequence[tuple[V, int | None]]) -> V:
        """Numbers ``[batch]`` (width None) or ``[batch, width]`` side by side, as float32.

        Magnitudes below `TINY` become zero. The result is ``[batch, sum of widths]``.
        """
        ...

    def stack(self, parts: Sequence[V]) -> V:
        """Integers ``[batch]`` side by side, ``[batch, parts]``."""
        ...


class NumpyOps:
    """The reference: NumPy arrays.

    Attributes:
        result: The dtype features are rounded to: float32, or float64 for an oracle.
    """

    def __init__(self, result: type[np.float32] | type[np.float64] = np.float32) -> None:
        self.result = result

    def read(self, raw: Array, dtype: DType) -> Array:
        """A raw column as float64."""
        x = raw.astype(np.float64)
        return np.where(np.abs(x) < TINY, 0.0, x) if dtype.is_float else x

    def number(self, value: float) -> Array:
        """A float64 scalar constant."""
        return np.array(value, np.float64)

    def integer(self, value: int) -> Array:
        """An int64 scalar constant."""
        return np.array(value, np.int64)

    def to_number(self, x: Array) -> Array:
        """To float64."""
        return x.astype(np.float64)

    def to_integer(self, x: Array) -> Array:
        """To int64."""
        return x.astype(np.int64)

    def add(self, x: Array, y: Array) -> Array:
        """``x + y``."""
        return x + y

    def sub(self, x: Array, y: Array) -> Array:
        """``x - y``."""
        with np.errstate(all="ignore"):
            return x - y

    def mul(self, x: Array, y: Array) -> Array:
        """``x * y``."""
        with np.errstate(all="ignore"):
            return x * y

    def floordiv(self, x: Array, divisor: int) -> Array:
        """Division rounding down."""
        return x // np.int64(divisor)

    def mod(self, x: Array, divisor: int) -> Array:
        """Remainder in ``[0, divisor)``."""
        return x % np.int64(divisor)

    def floor(self, x: Array) -> Array:
        """Rounded down."""
        return np.floor(x)

    def log(self, x: Array) -> Array:
        """Natural logarithm."""
        with np.errstate(all="ignore"):
            return np.log(x)

    def log1p(self, x: Array) -> Array:
        """``log(1 + x)``."""
        with np.errstate(all="ignore"):
            return np.log1p(x)

    def less(self, x: Array, y: Array) -> Array:
        """``x < y``."""
        return x < y

    def equal(self, x: Array, y: Array) -> Array:
        """``x == y``."""
        return x == y

    def both(self, x: Array, y: Array) -> Array:
        """Logical and."""
        return x & y

    def is_nan(self, x: Array) -> Array:
        """Whether missing."""
        return np.isnan(x)

    def where(self, condition: Array, x: Array, y: Array) -> Array:
        """Elementwise choice."""
        return np.where(condition, x, y)

    def index_text(
        self, x: Array, keys: Sequence[str], values: Sequence[int], default: int
    ) -> Array:
        """Each string's value, or the default."""
        table = dict(zip(keys, values, strict=True))
        found = (table.get(key, default) for key in x.tolist())
        return np.fromiter(found, np.int64, len(x))

    def index_integer(
        self, x: Array, keys: Sequence[int], values: Sequence[int], default: int
    ) -> Array:
        """Each integer's value, or the default."""
        order = np.argsort(np.array(keys, np.int64))
        ordered = np.array(keys, np.int64)[order]
        place = np.minimum(np.searchsorted(ordered, x), len(keys) - 1)
        return np.where(ordered[place] == x, np.array(values, np.int64)[order][place], default)

    def count_reached(self, x: Array, boundaries: Sequence[float]) -> Array:
        """How many boundaries are ≤ ``x``."""
        return np.searchsorted(np.array(boundaries), x, side="right").astype(np.int64)

    def take(self, table: Sequence[float], x: Array) -> Array:
        """``table[x]``."""
        return np.array(table, np.float64)[x]

    def one_hot(self, x: Array, depth: int) -> Array:
        """One column per position."""
        return (x[:, None] == np.arange(depth)).astype(np.float64)

    def round(self, parts: Sequence[tuple[Array, int | None]]) -> Array:
        """Side by side as the result dtype."""
        columns = [part[:, None] if width is None else part for part, width in parts]
        x = np.concatenate(columns, axis=1)
        with np.errstate(over="ignore"):
            return np.where(np.abs(x) < TINY, 0.0, x).astype(self.result)

    def stack(self, parts: Sequence[Array]) -> Array:
        """Side by side."""
        return np.stack(parts, axis=1)
