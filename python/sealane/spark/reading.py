"""The columns of an Arrow batch as the values of inputs, a whole column at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.spark import faults
from sealane.spark.arrow import fields_of, is_valid, pa, words
from sealane.spark.numbers import Elements, read_elements
from sealane.spark.plan import Layout
from sealane.spark.rows import InputRows, rows_with
from sealane.spark.sizes import check_dims, equal_lengths, split_lists
from sealane.spark.vectors import read_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.core import SymbolRange, TensorSpec
    from sealane.runtime.values import AnyArray
    from sealane.spark.faults import Fault
    from sealane.spark.plan import InputPlan

_BLOCK = 1024
"""Rows that are laid side by side at once."""


def read_input(plan: InputPlan, batch: Any, symbols: Mapping[str, SymbolRange]) -> InputRows:
    """The values of one input.

    Args:
        plan: Where they are.
        batch: The Arrow record batch, at least one row.
        symbols: Ranges of the symbolic dims.
    """
    columns = [fields_of(batch.column(path[0]), path[1:]) for path in plan.columns]
    if plan.layout is Layout.SCALARS:
        return _scalars(plan, columns, [])
    if plan.layout is Layout.STRUCT:
        return _struct(plan, columns[0])
    if plan.layout is Layout.BINARY:
        return _binary(plan, columns[0], symbols)
    if plan.layout is Layout.VECTOR:
        return _vectors(plan, columns[0], symbols)
    return _arrays(plan, columns[0], symbols)


def _scalars(plan: InputPlan, columns: list[Any], found: list[Fault]) -> InputRows:
    spec = plan.spec
    if len(columns) == 1:
        elements = read_elements(columns[0], plan.elements[0], spec.dtype)
        rows = InputRows(spec, elements.values, found)
        found.extend(_element_faults(rows, elements))
        return rows
    read: list[AnyArray] = []
    for column, element in zip(columns, plan.elements, strict=True):
        elements = read_elements(column, element, spec.dtype)
        read.append(elements.values)
        if elements.missing is not None or elements.unfit is not None:
            found.extend(_element_faults(InputRows(spec, elements.values), elements))
    return InputRows(spec, _side_by_side(read, spec.dtype.numpy), found)


def _side_by_side(columns: list[AnyArray], dtype: np.dtype[Any]) -> AnyArray:
    """Columns as one array of shape [rows, columns], by blocks that stay in the cache."""
    rows = len(columns[0])
    values = np.empty((rows, len(columns)), dtype)
    for start in range(0, rows, _BLOCK):
        block = slice(start, start + _BLOCK)
        for index, column in enumerate(columns):
            values[block, index] = column[block]
    return values


def _struct(plan: InputPlan, column: Any) -> InputRows:
    found: list[Fault] = []
    if column.null_count:
        found.append(faults.missing(plan.spec, ~is_valid(column)))
    return _scalars(plan, column.flatten(), found)


def _binary(plan: InputPlan, column: Any, symbols: Mapping[str, SymbolRange]) -> InputRows:
    width = np.int64 if pa.types.is_large_binary(column.type) else np.int32
    offsets = words(column, width, extra=1).astype(np.int64)
    data = column.buffers()[2]
    values = np.zeros(0, plan.spec.dtype.numpy)
    if data is not None:
        values = np.frombuffer(data, plan.spec.dtype.numpy)
    found: list[Fault] = []
    if column.null_count:
        found.append(faults.missing(plan.spec, ~is_valid(column)))
    return _sized(plan, Elements(values), offsets, [np.diff(offsets)], found, symbols)


def _vectors(plan: InputPlan, column: Any, symbols: Mapping[str, SymbolRange]) -> InputRows:
    found: list[Fault] = []
    if column.null_count:
        found.append(faults.missing(plan.spec, ~is_valid(column)))
    offsets, values = read_vectors(column)
    elements = read_elements(pa.array(values), plan.elements[0], plan.spec.dtype)
    return _sized(plan, elements, offsets, [np.diff(offsets)], found, symbols)


def _arrays(plan: InputPlan, column: Any, symbols: Mapping[str, SymbolRange]) -> InputRows:
    spec = plan.spec
    found: list[Fault] = []
    if column.null_count:
        found.append(faults.missing(spec, ~is_valid(column)))
    bounds, below = split_lists(column)
    sizes = [np.diff(bounds)]
    unequal: AnyArray | None = None
    for axis in range(1, plan.depth):
        if below.null_count:
            nulls = rows_with(~is_valid(below), bounds[:-1], bounds[1:])
            found.append(faults.missing(spec, nulls))
        offsets, below = split_lists(below)
        size, differ = equal_lengths(np.diff(offsets), bounds, plan.dims[axis])
        sizes.append(size)
        if differ is not None:
            unequal = differ if unequal is None else unequal | differ
        bounds = offsets[bounds]
    if unequal is not None:
        found.append(faults.ragged(spec, unequal))
    elements = read_elements(below, plan.elements[0], spec.dtype)
    return _sized(plan, elements, bounds, sizes, found, symbols)


def _sized(
    plan: InputPlan,
    elements: Elements,
    bounds: AnyArray,
    sizes: list[AnyArray],
    found: list[Fault],
    symbols: Mapping[str, SymbolRange],
) -> InputRows:
    """Rows out of flat elements, when their sizes have been checked."""
    named = check_dims(plan, sizes, symbols, found)
    lengths = np.diff(bounds)
    if named or found:
        rows = InputRows(plan.spec, elements.values, found, bounds[:-1], lengths, named)
    else:
        width = plan.fixed_size
        first = int(bounds[0])
        values = elements.values[first : first + width * len(lengths)]
        rows = InputRows(plan.spec, values.reshape(len(lengths), width), found)
    found.extend(_element_faults(rows, elements))
    return rows


def _element_faults(rows: InputRows, elements: Elements) -> list[Fault]:
    spec, found = rows.spec, list["Fault"]()
    missing, unfit = elements.missing, elements.unfit
    if missing is not None and not _is_nullable(spec):
        nulls = rows.rows_with(missing)
        if unfit is not None:
            # The element that comes first counts.
            for row in np.flatnonzero(nulls & rows.rows_with(unfit)).tolist():
                nulls[row] = rows.first(missing, row) < rows.first(unfit, row)
        found.append(faults.missing(spec, nulls))
    if unfit is not None:
        bad = unfit
        found.append(
            faults.unfit(
                spec, rows.rows_with(bad), lambda row: elements.shown(rows.first(bad, row))
            )
        )
    return found


def _is_nullable(spec: TensorSpec) -> bool:
    fillable = spec.dtype.is_float or spec.dtype.numpy == np.object_
    return fillable and spec.domain is not None and spec.domain.nullable
