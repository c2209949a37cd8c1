"""Which columns a model can read, settled before a job runs (docs/guides/spark.md, Columns)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql.types import ArrayType, BinaryType, DoubleType, StructType, UserDefinedType

from sealane.core import DType, ErrorCode, SealaneError
from sealane.runtime.inputs import requested_outputs, unknown_name
from sealane.spark.elements import Element
from sealane.spark.names import ColumnNames
from sealane.spark.plan import BatchRange, InputPlan, Layout, ScorePlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyspark.sql.types import DataType

    from sealane.core import Dim, Signature, TensorSpec
    from sealane.spark.options import ScoreOptions

_VECTOR = "VectorUDT"
_DOUBLE = DoubleType()


def plan_columns(
    schema: StructType, signature: Signature, options: ScoreOptions, *, ignore_case: bool = True
) -> ScorePlan:
    """The plan of scoring a DataFrame.

    Args:
        schema: The DataFrame's.
        signature: The bundle's.
        options: What was asked for.
        ignore_case: Whether a name that no column has stands for one that differs in case alone.

    Raises:
        SealaneError: INPUT_LAYOUT, INPUT_MISSING, INPUT_UNKNOWN, INPUT_DTYPE or INPUT_SHAPE.
    """
    options.check_free(schema.names)
    names = requested_outputs(signature, options.outputs)
    outputs = tuple(spec for name in names for spec in signature.outputs if spec.name == name)
    inputs = [spec.name for spec in signature.inputs]
    for name in options.inputs.named:
        if name not in inputs:
            raise unknown_name("input", name, inputs)
    batch = batch_range(signature, outputs)
    table = ColumnNames(schema, ignore_case=ignore_case)
    return ScorePlan(
        tuple(
            _plan_input(spec, table, options.inputs.columns_of(spec.name))
            for spec in signature.inputs
        ),
        outputs,
        signature.symbols,
        batch,
        options.batch_size,
        options.on_error,
        options.into,
        options.error_column,
    )


def batch_range(signature: Signature, outputs: Iterable[TensorSpec]) -> BatchRange:
    """The range of the dim that rows lie along.

    Raises:
        SealaneError: INPUT_SHAPE when inputs and outputs have no first dim in common.
    """
    rows: Dim | None = None
    for spec in (*signature.inputs, *outputs):
        first = spec.shape[0] if spec.shape else None
        if first is None or (rows is not None and rows != first):
            raise _no_rows(spec, rows)
        rows = first
        if isinstance(rows, str) and rows in spec.shape[1:]:
            raise _no_rows(spec, rows)
    if rows is None or not signature.inputs:
        raise SealaneError(ErrorCode.INPUT_SHAPE, "a model without inputs scores no rows")
    if isinstance(rows, int):
        return BatchRange(rows, rows)
    allowed = signature.symbols.get(rows)
    if allowed is None:
        return BatchRange()
    return BatchRange(max(allowed.minimum, 1), allowed.maximum, allowed.multiple_of)


def _no_rows(spec: TensorSpec, rows: Dim | None) -> SealaneError:
    first = "a dim of rows" if rows is None else f"'{rows}'"
    return SealaneError(
        ErrorCode.INPUT_SHAPE,
        "this model can not score rows one by one: expected every input and output to have "
        f"{first} as its first dim, and no other, received {spec}",
    )


def _plan_input(spec: TensorSpec, table: ColumnNames, names: Sequence[str]) -> InputPlan:
    found = [table.find(spec.name, name) for name in names]
    columns = tuple(path for path, _ in found)
    types = [dtype for _, dtype in found]
    dims = spec.shape[1:]
    only = types[0]
    if len(types) > 1 or not dims or (dims == (1,) and _is_plain(only)):
        expected = _scalar_count(spec, types)
        if expected != len(types):
            raise _misfit(spec, types, f"{expected} column{'s' * (expected != 1)}")
        elements = tuple(_element(spec, each) for each in types)
        return InputPlan(spec, Layout.SCALARS, columns, elements)
    return _plan_single(spec, dims, columns, only)


def _plan_single(
    spec: TensorSpec, dims: tuple[Dim, ...], columns: tuple[tuple[int, ...], ...], only: DataType
) -> InputPlan:
    if isinstance(only, UserDefinedType) and type(only).__name__ == _VECTOR:
        element = _element(spec, _DOUBLE)
        _require_rank(spec, dims, only)
        return InputPlan(spec, Layout.VECTOR, columns, (element,))
    if isinstance(only, StructType):
        if len(dims) != 1 or dims[0] != len(only.fields):
            raise _misfit(spec, [only], "a struct of as many fields as the input has elements")
        elements = tuple(_element(spec, field.dataType) for field in only.fields)
        return InputPlan(spec, Layout.STRUCT, columns, elements)
    if isinstance(only, ArrayType):
        return _plan_array(spec, dims, columns, only)
    if isinstance(only, BinaryType) and spec.dtype in (DType.INT8, DType.UINT8):
        _require_rank(spec, dims, only)
        return InputPlan(spec, Layout.BINARY, columns, ())
    raise _wrong_type(spec, only)


def _plan_array(
    spec: TensorSpec, dims: tuple[Dim, ...], columns: tuple[tuple[int, ...], ...], only: ArrayType
) -> InputPlan:
    depth, innermost = 1, only.elementType
    while isinstance(innermost, ArrayType):
        depth, innermost = depth + 1, innermost.elementType
    is_flat = depth == 1 and all(isinstance(dim, int) for dim in dims)
    if depth != len(dims) and not is_flat:
        raise _misfit(spec, [only], f"arrays nested {len(dims)} deep")
    return InputPlan(spec, Layout.ARRAY, columns, (_element(spec, innermost),), depth)


def _scalar_count(spec: TensorSpec, types: list[DataType]) -> int:
    sizes: list[Dim] = list(spec.shape[1:] or (1,))
    only = sizes[0]
    if len(sizes) > 1 or isinstance(only, str):
        raise _misfit(spec, types, "one column of arrays")
    return only


def _is_plain(dtype: DataType) -> bool:
    return Element.of(dtype) is not None and not isinstance(dtype, BinaryType)


def _element(spec: TensorSpec, dtype: DataType) -> Element:
    element = Element.of(dtype)
    if element is None or not element.fits(spec.dtype):
        raise _wrong_type(spec, dtype)
    return element


def _require_rank(spec: TensorSpec, dims: tuple[Dim, ...], dtype: DataType) -> None:
    if len(dims) != 1:
        raise _misfit(spec, [dtype], f"arrays nested {len(dims)} deep")


def _wrong_type(spec: TensorSpec, dtype: DataType) -> SealaneError:
    return SealaneError(
        ErrorCode.INPUT_DTYPE,
        f"input '{spec.name}': a column of {dtype.simpleString()} can not become {spec}; cast it "
        "first",
        {"input": spec.name, "expected": str(spec), "received": dtype.simpleString()},
    )


def _misfit(spec: TensorSpec, types: Sequence[DataType], expected: str) -> SealaneError:
    received = ", ".join(each.simpleString() for each in types)
    return SealaneError(
        ErrorCode.INPUT_SHAPE,
        f"input '{spec.name}': expected {expected} for {spec}, received {received}",
        {"input": spec.name, "expected": expected, "received": received},
    )
