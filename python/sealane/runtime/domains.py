"""Values checked against an input's domain (docs/bundle-format.md §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sealane.core import Domain, DType, ErrorCode, SealaneError, TensorSpec
from sealane.runtime.values import AnyArray, refuse, row_of

if TYPE_CHECKING:
    from collections.abc import Callable


def domain_check(spec: TensorSpec) -> Callable[[AnyArray], None] | None:
    """The check of an input's values, or None when its domain accepts every value.

    Args:
        spec: The input's declaration.

    Returns:
        A function of an array of the declared dtype (any shape) that raises SealaneError
        INPUT_NULL or INPUT_DOMAIN, naming the first offending row. Safe to call from several
        threads.
    """
    domain = spec.domain
    if domain is None:
        return None
    if spec.dtype is DType.BYTES:
        if not domain.closed or domain.vocabulary is None:
            return None
        known = frozenset(domain.vocabulary) | ({""} if domain.nullable else frozenset[str]())
        return lambda array: _check_vocabulary(spec, known, array)
    bounded = domain.minimum is not None or domain.maximum is not None
    if not bounded and (domain.nullable or not spec.dtype.is_float):
        return None
    return lambda array: _check_numbers(spec, domain, array)


def _check_vocabulary(spec: TensorSpec, known: frozenset[str], array: AnyArray) -> None:
    flat: list[str] = array.ravel().tolist()
    unknown = set(flat) - known
    if unknown:
        index = next(i for i, each in enumerate(flat) if each in unknown)
        raise refuse(
            ErrorCode.INPUT_DOMAIN,
            spec,
            "a value outside the closed vocabulary",
            expected=f"one of {_shown(sorted(known))}",
            received=repr(flat[index])[:80],
            row=row_of(index, array.shape),
        )


def _shown(values: list[str]) -> str:
    head = ", ".join(repr(each) for each in values[:8])
    return head if len(values) <= 8 else f"{head} and {len(values) - 8} more"


def _check_numbers(spec: TensorSpec, domain: Domain, array: AnyArray) -> None:
    if array.size == 0:
        return
    present = array
    if spec.dtype.is_float:
        missing = np.isnan(array)
        if missing.any():
            if not domain.nullable:
                raise _missing(spec, missing)
            present = array[~missing]
            if present.size == 0:
                return
    low, high = present.min().item(), present.max().item()
    if domain.minimum is not None and low < domain.minimum:
        raise _outside(spec, domain, array, low)
    if domain.maximum is not None and high > domain.maximum:
        raise _outside(spec, domain, array, high)


def _missing(spec: TensorSpec, missing: AnyArray) -> SealaneError:
    return refuse(
        ErrorCode.INPUT_NULL,
        spec,
        "missing value",
        expected=f"{spec.dtype.value} without NaN (the input is not nullable)",
        received="NaN",
        row=row_of(int(missing.argmax()), missing.shape),
    )


def _outside(spec: TensorSpec, domain: Domain, array: AnyArray, extreme: float) -> SealaneError:
    """The refusal of the first element that is outside; ``extreme`` is the worst of them."""
    flat = array.ravel()
    wide = flat.astype(np.float64)
    outside = np.zeros(flat.shape, np.bool_)
    if domain.minimum is not None:
        outside |= wide < domain.minimum
    if domain.maximum is not None:
        outside |= wide > domain.maximum
    index = int(outside.argmax()) if outside.any() else int((flat == extreme).argmax())
    low = "-inf" if domain.minimum is None else f"{domain.minimum:g}"
    high = "inf" if domain.maximum is None else f"{domain.maximum:g}"
    return refuse(
        ErrorCode.INPUT_DOMAIN,
        spec,
        "a value outside the domain",
        expected=f"a value in [{low}, {high}]",
        received=str(flat[index].item()),
        row=row_of(index, array.shape),
    )
