"""Rows whose values are outside an input's domain: what a session refuses, row by row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.core import DType
from sealane.spark import faults

if TYPE_CHECKING:
    from sealane.core import Domain, TensorSpec
    from sealane.runtime.values import AnyArray
    from sealane.spark.faults import Fault
    from sealane.spark.rows import InputRows


def domain_faults(rows: InputRows) -> list[Fault]:
    """INPUT_NULL for NaN where it is no missing value, and INPUT_DOMAIN.

    Args:
        rows: One input's values; rows that are refused already may hold anything.
    """
    spec, domain = rows.spec, rows.spec.domain
    if domain is None or rows.values.size == 0:
        return []
    if spec.dtype is DType.BYTES:
        return _vocabulary_faults(rows, domain)
    found: list[Fault] = []
    if spec.dtype.is_float and not domain.nullable:
        nan = np.isnan(rows.values)
        if nan.any():
            found.append(faults.missing(spec, rows.rows_with(nan), "NaN"))
    bad = _outside(spec, domain, rows.values)
    if bad is not None and bad.any():
        found.append(_outside_fault(rows, bad, _interval(domain)))
    return found


def _outside_fault(rows: InputRows, bad: AnyArray, expected: str) -> Fault:
    flat = rows.values.reshape(-1)
    return faults.outside(
        rows.spec, rows.rows_with(bad), expected, lambda row: str(flat[rows.first(bad, row)])
    )


def _outside(spec: TensorSpec, domain: Domain, values: AnyArray) -> AnyArray | None:
    low, high = domain.minimum, domain.maximum
    if low is None and high is None:
        return None
    bad = np.zeros(values.shape, np.bool_)
    if spec.dtype.is_float:
        wide = values.astype(np.float64, copy=False)
        if low is not None:
            bad |= wide < low
        if high is not None:
            bad |= wide > high
        return bad
    limits = np.iinfo(cast("np.dtype[np.signedinteger[Any]]", spec.dtype.numpy))
    least, most = int(limits.min), int(limits.max)
    if low is not None and math.ceil(low) > least:
        bad |= values < math.ceil(low) if low <= most else True
    if high is not None and math.floor(high) < most:
        bad |= values > math.floor(high) if high >= least else True
    return bad


def _interval(domain: Domain) -> str:
    low = "-inf" if domain.minimum is None else f"{domain.minimum:g}"
    high = "inf" if domain.maximum is None else f"{domain.maximum:g}"
    return f"a value in [{low}, {high}]"


def _vocabulary_faults(rows: InputRows, domain: Domain) -> list[Fault]:
    if not domain.closed or domain.vocabulary is None:
        return []
    known = frozenset(domain.vocabulary) | ({""} if domain.nullable else frozenset[str]())
    flat = rows.values.reshape(-1)
    bad = np.fromiter((each not in known for each in flat), np.bool_, len(flat))
    if not bad.any():
        return []
    shown = ", ".join(map(repr, sorted(known)[:8]))
    more = f" and {len(known) - 8} more" if len(known) > 8 else ""
    return [_outside_fault(rows, bad.reshape(rows.values.shape), f"one of {shown}{more}")]
