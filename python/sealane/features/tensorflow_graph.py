"""The program as TensorFlow operations, for a SavedModel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import DType
from sealane.core.frameworks import load_module
from sealane.features.ops import TINY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sealane.features.fitted import FittedFeatures

_TYPE = {
    DType.BOOL: "bool",
    DType.INT64: "int64",
    DType.FP32: "float32",
    DType.FP64: "float64",
    DType.BYTES: "string",
}


class TensorflowOps:
    """TensorFlow tensors; `table` owns the hash tables that lookups use."""

    def __init__(
        self, tf: Any, table: Callable[[str, Sequence[Any], Sequence[int], int], Any]
    ) -> None:
        self._tf = tf
        self._table = table

    def read(self, raw: Any, dtype: DType) -> Any:
        """A raw column as float64, denormals as zero."""
        x = self._tf.cast(raw, self._tf.float64)
        return self._without_denormals(x) if dtype.is_float else x

    def _without_denormals(self, x: Any) -> Any:
        small = self._tf.less(self._tf.abs(x), self.number(TINY))
        return self._tf.where(small, self.number(0.0), x)

    def number(self, value: float) -> Any:
        """A float64 scalar."""
        return self._tf.constant(value, self._tf.float64)

    def integer(self, value: int) -> Any:
        """An int64 scalar."""
        return self._tf.constant(value, self._tf.int64)

    def to_number(self, x: Any) -> Any:
        """Cast to float64."""
        return self._tf.cast(x, self._tf.float64)

    def to_integer(self, x: Any) -> Any:
        """Cast to int64."""
        return self._tf.cast(x, self._tf.int64)

    def add(self, x: Any, y: Any) -> Any:
        """``x + y``."""
        return self._tf.add(x, y)

    def sub(self, x: Any, y: Any) -> Any:
        """``x - y``."""
        return self._tf.subtract(x, y)

    def mul(self, x: Any, y: Any) -> Any:
        """``x * y``."""
        return self._tf.multiply(x, y)

    def floordiv(self, x: Any, divisor: int) -> Any:
        """Division rounding down."""
        return self._tf.math.floordiv(x, self.integer(divisor))

    def mod(self, x: Any, divisor: int) -> Any:
        """Remainder in ``[0, divisor)``."""
        return self._tf.math.floormod(x, self.integer(divisor))

    def floor(self, x: Any) -> Any:
        """Rounded down."""
        return self._tf.floor(x)

    def log(self, x: Any) -> Any:
        """Natural logarithm."""
        return self._tf.math.log(x)

    def log1p(self, x: Any) -> Any:
        """``log(1 + x)``."""
        return self._tf.math.log1p(x)

    def less(self, x: Any, y: Any) -> Any:
        """``x < y``."""
        return self._tf.less(x, y)

    def equal(self, x: Any, y: Any) -> Any:
        """``x == y``."""
        return self._tf.equal(x, y)

    def both(self, x: Any, y: Any) -> Any:
        """Logical and."""
        return self._tf.logical_and(x, y)

    def is_nan(self, x: Any) -> Any:
        """Whether missing."""
        return self._tf.math.is_nan(x)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Elementwise choice."""
        return self._tf.where(condition, x, y)

    def index_text(self, x: Any, keys: Sequence[str], values: Sequence[int], default: int) -> Any:
        """A hash table of UTF-8 strings."""
        return self._table("string", keys, values, default).lookup(x)

    def index_integer(
        self, x: Any, keys: Sequence[int], values: Sequence[int], default: int
    ) -> Any:
        """A hash table of integers."""
        return self._table("int64", keys, values, default).lookup(x)

    def count_reached(self, x: Any, boundaries: Sequence[float]) -> Any:
        """The sum over boundaries of ``x >= boundary``."""
        bounds = self._tf.constant(list(boundaries), self._tf.float64)
        reached = self._tf.greater_equal(self._tf.expand_dims(x, 1), bounds)
        return self._tf.reduce_sum(self.to_integer(reached), axis=1)

    def take(self, table: Sequence[float], x: Any) -> Any:
        """Gather."""
        return self._tf.gather(self._tf.constant(list(table), self._tf.float64), x)

    def one_hot(self, x: Any, depth: int) -> Any:
        """Equal to each position."""
        positions = self._tf.constant(np.arange(depth, dtype=np.int64))
        return self.to_number(self._tf.equal(self._tf.expand_dims(x, 1), positions))

    def round(self, parts: Sequence[tuple[Any, int | None]]) -> Any:
        """Side by side, denormals as zero, cast to float32."""
        columns = [self._tf.expand_dims(x, 1) if width is None else x for x, width in parts]
        joined = self._tf.concat(columns, axis=1)
        return self._tf.cast(self._without_denormals(joined), self._tf.float32)

    def stack(self, parts: Sequence[Any]) -> Any:
        """Side by side."""
        return self._tf.stack(list(parts), axis=1)


def to_tensorflow(fitted: FittedFeatures) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """`FittedFeatures.to_tensorflow`."""
    tf = load_module("tensorflow", "tensorflow")

    class FeatureModule(tf.Module):
        """Maps raw tensors ``[batch]`` to features; owns the lookup tables."""

        def __init__(self) -> None:
            super().__init__(name="features")  # pyright: ignore[reportUnknownMemberType]
            self._tables: dict[str, Any] = {}

        def _table(
            self, key_type: str, keys: Sequence[Any], values: Sequence[int], default: int
        ) -> Any:
            name = repr((key_type, tuple(keys)))
            if name not in self._tables:
                initializer = tf.lookup.KeyValueTensorInitializer(
                    tf.constant(list(keys), key_type), tf.constant(list(values), tf.int64)
                )
                self._tables[name] = tf.lookup.StaticHashTable(initializer, default)
            return self._tables[name]

        def __call__(self, raw: Mapping[str, Any]) -> dict[str, Any]:
            tensors = {
                spec.name: tf.convert_to_tensor(raw[spec.name], _TYPE[spec.dtype])
                for spec in fitted.input_signature
            }
            return fitted.run(TensorflowOps(tf, self._table), tensors)

    return FeatureModule()
