"""Two engines' results of the same rows, compared where the rows are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.bundle import OutputMetrics, compare_output
from sealane.bundle.verdict import epsilon
from sealane.core import DType
from sealane.spark.arrow import pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealane.core import TensorSpec

Array = np.ndarray[Any, np.dtype[Any]]
Specs = tuple["TensorSpec", ...]

SCORED = "-"
"""Stands for the error code of a row that was scored."""


@dataclass(frozen=True, slots=True)
class OutputComparison:
    """One output on both engines, over some rows.

    Attributes:
        max_abs: Largest difference; infinite where shapes differ.
        scale: Largest magnitude.
        argmax_agree: Whether the arg-max of each row is the same, but for ties by rounding.
        non_finite_equal: Whether NaN and the infinities stand in the same places.
        bit_equal_rows: Rows in which every bit is the same.
    """

    max_abs: float = 0.0
    scale: float = 0.0
    argmax_agree: bool = True
    non_finite_equal: bool = True
    bit_equal_rows: int = 0

    def plus(self, other: OutputComparison) -> OutputComparison:
        """Of the rows of both."""
        return OutputComparison(
            max_abs=max(self.max_abs, other.max_abs),
            scale=max(self.scale, other.scale),
            argmax_agree=self.argmax_agree and other.argmax_agree,
            non_finite_equal=self.non_finite_equal and other.non_finite_equal,
            bit_equal_rows=self.bit_equal_rows + other.bit_equal_rows,
        )

    def metrics(self, spec: TensorSpec, rows: int) -> OutputMetrics:
        """As the rule of verdicts takes them, the other engine being the source.

        Args:
            spec: The output.
            rows: All that were compared.
        """
        return OutputMetrics(
            name=spec.name,
            dtype=spec.dtype,
            max_abs=self.max_abs,
            scale=self.scale,
            scaled_ulp=self._scaled_ulp(spec.dtype),
            oracle_ratio=None,
            argmax_agree=self.argmax_agree,
            non_finite_equal=self.non_finite_equal,
            bit_equal=self.bit_equal_rows == rows,
            worst_index=None,
        )

    def _scaled_ulp(self, dtype: DType) -> float:
        if not dtype.is_float or self.max_abs == 0.0:
            return 0.0
        step = epsilon(dtype) * self.scale
        return self.max_abs / step if step else float("inf")


@dataclass(frozen=True, slots=True)
class RowsComparison:
    """Some rows on both engines.

    Attributes:
        rows: All of them.
        compared: Those that both engines scored.
        codes: How many rows the engines do not agree on, by what each said: ``"CODE CODE"``,
            with ``-`` for a scored row.
        outputs: By name, of the compared rows.
    """

    rows: int
    compared: int
    codes: Mapping[str, int]
    outputs: Mapping[str, OutputComparison]

    def plus(self, other: RowsComparison) -> RowsComparison:
        """Of the rows of both."""
        every = {*self.codes, *other.codes}
        return RowsComparison(
            rows=self.rows + other.rows,
            compared=self.compared + other.compared,
            codes={each: self.codes.get(each, 0) + other.codes.get(each, 0) for each in every},
            outputs={name: one.plus(other.outputs[name]) for name, one in self.outputs.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> RowsComparison:
        """What `to_json` gave."""
        outputs = {name: OutputComparison(**each) for name, each in fields["outputs"].items()}
        return cls(fields["rows"], fields["compared"], fields["codes"], outputs)

    @classmethod
    def of_none(cls, specs: Specs) -> RowsComparison:
        """Of no rows."""
        return cls(0, 0, {}, {each.name: OutputComparison() for each in specs})


def compare_batch(batch: Any, specs: Specs) -> RowsComparison:
    """Compares what two engines gave for the rows of a batch.

    Args:
        batch: Arrow's, with columns ``a``, ``a_code`` (of the engine that is judged), ``b`` and
            ``b_code``.
        specs: The outputs in ``a`` and ``b``: one output's values, or a struct of several.
    """
    pairs = list(zip(_codes(batch, "a"), _codes(batch, "b"), strict=True))
    differ = [f"{a} {b}" for a, b in pairs if a != b]
    both = batch.filter(pa.array([pair == (SCORED, SCORED) for pair in pairs], pa.bool_()))
    a, b = both.column("a"), both.column("b")
    return RowsComparison(
        rows=batch.num_rows,
        compared=both.num_rows,
        codes={each: differ.count(each) for each in set(differ)},
        outputs={
            spec.name: compare_columns(_part(a, spec, specs), _part(b, spec, specs), spec)
            for spec in specs
        },
    )


def compare_columns(a: Any, b: Any, spec: TensorSpec) -> OutputComparison:
    """Compares the results of one output.

    Args:
        a: Arrow's column of the engine that is judged, a value or nested list for each row.
        b: The same of the other.
        spec: The output.
    """
    dims = spec.shape[1:]
    if all(isinstance(dim, int) for dim in dims):
        shape = (len(a), *(int(dim) for dim in dims))
        return _compare(_flat(a, spec.dtype, shape), _flat(b, spec.dtype, shape), spec)
    result = OutputComparison()
    for x, y in zip(a.to_pylist(), b.to_pylist(), strict=True):
        result = result.plus(_compare(_array([x], spec.dtype), _array([y], spec.dtype), spec))
    return result


def _compare(a: Array, b: Array, spec: TensorSpec) -> OutputComparison:
    found = compare_output(a, b, None, spec.dtype, spec.name)
    same = _bit_equal(a, b, spec.dtype).sum() if a.shape == b.shape else 0
    return OutputComparison(
        max_abs=found.max_abs,
        scale=found.scale,
        argmax_agree=found.argmax_agree,
        non_finite_equal=found.non_finite_equal,
        bit_equal_rows=int(same),
    )


def _bit_equal(a: Array, b: Array, dtype: DType) -> Array:
    """``[rows]``: whether all of a row is the same; a NaN is a NaN, no string the empty one."""
    if dtype is DType.BYTES:
        pairs = zip(a.flat, b.flat, strict=True)
        same = np.array([(x or "") == (y or "") for x, y in pairs], np.bool_).reshape(a.shape)
    elif dtype.is_float:
        bits = np.dtype(f"u{a.dtype.itemsize}")
        same = (a.view(bits) == b.view(bits)) | (np.isnan(a) & np.isnan(b))
    else:
        same = a == b
    return np.asarray(same.all(axis=tuple(range(1, same.ndim))))


def _codes(batch: Any, engine: str) -> list[str]:
    return [code or SCORED for code in batch.column(f"{engine}_code").to_pylist()]


def _part(column: Any, spec: TensorSpec, specs: Specs) -> Any:
    return column if len(specs) == 1 else column.field(spec.name)


def _flat(column: Any, dtype: DType, shape: tuple[int, ...]) -> Array:
    """Nested lists of one size as ``[rows, …]``."""
    while pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = column.flatten()
    if dtype is DType.BYTES or pa.types.is_decimal(column.type):
        return _array(column.to_pylist(), dtype).reshape(shape)
    values: Array = column.to_numpy(zero_copy_only=False).astype(dtype.numpy)
    return np.ascontiguousarray(values).reshape(shape)


def _array(rows: Sequence[Any], dtype: DType) -> Array:
    """Nested Python lists of one row as an array; decimals become integers."""
    if dtype is DType.UINT64:
        return np.array(rows, np.object_).astype(np.uint64)
    return np.array(rows, dtype.numpy)
