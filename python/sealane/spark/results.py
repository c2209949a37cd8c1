"""Outputs as columns: their Spark types, and their Arrow arrays out of flat buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.sql import types as t

from sealane.core import DType, ErrorCode, SealaneError
from sealane.spark.arrow import pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.core import TensorSpec
    from sealane.runtime.values import AnyArray
    from sealane.spark.faults import Refusals
    from sealane.spark.plan import ScorePlan

_LARGEST_OFFSET = 2**31 - 1
_SPARK: dict[DType, t.DataType] = {
    DType.BOOL: t.BooleanType(),
    DType.INT8: t.ByteType(),
    DType.INT16: t.ShortType(),
    DType.UINT8: t.ShortType(),
    DType.INT32: t.IntegerType(),
    DType.UINT16: t.IntegerType(),
    DType.INT64: t.LongType(),
    DType.UINT32: t.LongType(),
    DType.UINT64: t.DecimalType(20, 0),
    DType.FP16: t.FloatType(),
    DType.BF16: t.FloatType(),
    DType.FP32: t.FloatType(),
    DType.FP64: t.DoubleType(),
    DType.BYTES: t.StringType(),
}
_WIDER: dict[DType, type[np.generic]] = {
    DType.UINT8: np.int16,
    DType.UINT16: np.int32,
    DType.UINT32: np.int64,
    DType.FP16: np.float32,
    DType.BF16: np.float32,
}
ERROR_TYPE = t.StructType(
    [t.StructField("code", t.StringType()), t.StructField("message", t.StringType())]
)
_ERROR_ARROW = pa.struct([("code", pa.string()), ("message", pa.string())])


def result_fields(plan: ScorePlan) -> list[t.StructField]:
    """The columns that scoring adds."""
    fields = [t.StructField(plan.into, _score_type(plan.outputs))]
    if plan.error_column is not None:
        fields.append(t.StructField(plan.error_column, ERROR_TYPE))
    return fields


def _score_type(outputs: Sequence[TensorSpec]) -> t.DataType:
    if len(outputs) == 1:
        return _output_type(outputs[0])
    return t.StructType([t.StructField(spec.name, _output_type(spec)) for spec in outputs])


def _output_type(spec: TensorSpec) -> t.DataType:
    dtype = _SPARK[spec.dtype]
    for _ in spec.shape[1:]:
        dtype = t.ArrayType(dtype, containsNull=False)
    return dtype


class OutputRows:
    """One output of a batch, as its runs give it.

    Args:
        spec: The output.
        rows: How many rows the batch has.
    """

    def __init__(self, spec: TensorSpec, rows: int) -> None:
        self._spec = spec
        self._rows = rows
        self._taken: list[AnyArray] = []
        self._pieces: list[AnyArray] = []

    def add(self, rows: AnyArray, values: AnyArray) -> None:
        """Takes the results of some rows; ``values`` is of shape [rows, …]."""
        self._taken.append(rows)
        self._pieces.append(values)

    def column(self, scored: AnyArray) -> Any:
        """The Arrow array of all rows.

        Args:
            scored: Which rows were added; shape [rows], bool. The others are null.
        """
        if not self._pieces:
            return pa.nulls(self._rows, self._arrow_type())
        taken = np.concatenate(self._taken)
        if len({piece.shape[1:] for piece in self._pieces}) > 1:
            return self._ragged(taken)
        values = self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)
        if not (taken[1:] > taken[:-1]).all():
            values = values[np.argsort(taken)]
        return _with_nulls(self._spec, values, scored)

    def _ragged(self, taken: AnyArray) -> Any:
        """Rows of several sizes: each piece for itself, then all put into order."""
        arrays = [_nested(self._spec, piece) for piece in self._pieces]
        order = np.zeros(self._rows, np.int64)
        order[taken] = np.arange(len(taken))
        absent = np.ones(self._rows, np.bool_)
        absent[taken] = False
        return pa.concat_arrays(arrays).take(pa.array(order, mask=absent))

    def _arrow_type(self) -> Any:
        empty = np.zeros((0,) * len(self._spec.shape), self._spec.dtype.numpy)
        return _nested(self._spec, empty).type


def _with_nulls(spec: TensorSpec, values: AnyArray, scored: AnyArray) -> Any:
    if len(values) == len(scored):
        return _nested(spec, values)
    if values.ndim == 1:
        filled = np.zeros(len(scored), values.dtype)
        filled[scored] = values
        return _flat(spec, filled, ~scored)
    width = int(np.prod(values.shape[1:], dtype=np.int64))
    outer = values.shape[1]
    inner = _nested(spec, values.reshape(len(values) * outer, *values.shape[2:]))
    ends = np.concatenate(([0], np.cumsum(scored * outer)))
    _check_offsets(spec, len(values) * width)
    return _lists(ends, inner, ~scored)


def _nested(spec: TensorSpec, values: AnyArray) -> Any:
    """Arrays of arrays, as deep as the rank."""
    _check_offsets(spec, values.size)
    array = _flat(spec, np.ascontiguousarray(values).reshape(-1))
    for axis in range(values.ndim - 1, 0, -1):
        count = int(np.prod(values.shape[:axis], dtype=np.int64))
        array = _lists(np.arange(count + 1) * values.shape[axis], array)
    return array


def _lists(offsets: AnyArray, values: Any, mask: AnyArray | None = None) -> Any:
    kind = pa.list_(pa.field("element", values.type))
    ends = pa.array(offsets.astype(np.int32))
    lists = pa.ListArray
    if mask is None:
        return lists.from_arrays(ends, values, type=kind)
    return lists.from_arrays(ends, values, type=kind, mask=pa.array(mask))


def _flat(spec: TensorSpec, values: AnyArray, mask: AnyArray | None = None) -> Any:
    if spec.dtype is DType.BYTES:
        return pa.array(values, pa.string(), mask=mask)
    if spec.dtype is DType.UINT64:
        return _decimals(values, mask)
    wider = _WIDER.get(spec.dtype)
    return pa.array(values if wider is None else values.astype(wider), mask=mask)


def _decimals(values: AnyArray, mask: AnyArray | None) -> Any:
    """UINT64 as decimal(20,0): 128-bit integers, the low half first."""
    halves = np.zeros((len(values), 2), np.uint64)
    halves[:, 0] = values
    valid = None if mask is None else pa.py_buffer(np.packbits(~mask, bitorder="little"))
    return pa.Array.from_buffers(
        pa.decimal128(20, 0), len(values), [valid, pa.py_buffer(halves.reshape(-1))]
    )


def _check_offsets(spec: TensorSpec, elements: int) -> None:
    if elements > _LARGEST_OFFSET:
        raise SealaneError(
            ErrorCode.INPUT_TOO_LARGE,
            f"output '{spec.name}': {elements} elements in one Arrow batch: lower "
            "spark.sql.execution.arrow.maxRecordsPerBatch",
        )


def score_column(outputs: Sequence[OutputRows], names: Sequence[str], scored: AnyArray) -> Any:
    """The score column: the one output, or a struct of several."""
    columns = [each.column(scored) for each in outputs]
    if len(columns) == 1:
        return columns[0]
    fields = [pa.field(name, column.type) for name, column in zip(names, columns, strict=True)]
    return pa.StructArray.from_arrays(columns, fields=fields, mask=pa.array(~scored))


def error_column(refusals: Refusals, rows: int) -> Any:
    """The error column: why rows have no score, null for those that have one."""
    if not refusals:
        return pa.nulls(rows, _ERROR_ARROW)
    refused = refusals.in_order()
    reasons = pa.array(
        [{"code": code.value, "message": message} for _, code, message in refused], _ERROR_ARROW
    )
    place = np.zeros(rows, np.int64)
    place[[row for row, _, _ in refused]] = np.arange(len(refused))
    return reasons.take(pa.array(place, mask=~refusals.refused))
