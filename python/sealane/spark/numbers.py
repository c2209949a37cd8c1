"""Elements of an Arrow array as elements of a tensor, a whole array at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.core import DType
from sealane.spark.arrow import is_valid, pa, words
from sealane.spark.elements import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from sealane.runtime.values import AnyArray
    from sealane.spark.elements import Element

_MICROS = 1e6
_DAY = 86_400
_EXACT_DIGITS = 22
"""10 ** 22 is the largest power of ten that a double holds exactly."""
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Elements:
    """Elements of a tensor.

    Attributes:
        values: Shape [elements], of the tensor's dtype; whatever where there is a mask. Missing
            floats are NaN, missing texts are empty.
        missing: Which are null, or None.
        unfit: Which the dtype can not hold, or None.
        shown: The text of an unfit element for messages, by index.
    """

    values: AnyArray
    missing: AnyArray | None = None
    unfit: AnyArray | None = None
    shown: Callable[[int], str] = str


def read_elements(array: Any, element: Element, dtype: DType) -> Elements:
    """The elements of an Arrow array of that Spark type.

    Args:
        array: Shape [elements].
        element: What they are to Spark.
        dtype: What they are to become; :meth:`Element.fits` said that they may.
    """
    if dtype is DType.BYTES:
        return _texts(array)
    missing = None if array.null_count == 0 else ~is_valid(array)
    if dtype is DType.BOOL:
        filled = array.fill_null(False) if missing is not None else array
        return Elements(filled.to_numpy(zero_copy_only=False), missing)
    if element.kind is Kind.DECIMAL and not dtype.is_float:
        return _unsigned(array, missing)
    if not dtype.is_float:
        return _integers(array, missing, dtype)
    if element.is_integer:
        return _exact_floats(array, missing, dtype)
    return _floats(_reals(array, element), missing, dtype)


def _texts(array: Any) -> Elements:
    missing = None if array.null_count == 0 else ~is_valid(array)
    try:
        texts = array.cast(pa.string()).to_numpy(zero_copy_only=False)
        unfit = None
    except (UnicodeDecodeError, pa.ArrowException):
        texts, unfit = _decoded(array)
    if missing is not None:
        texts = np.where(missing, "", texts)
    return Elements(texts, missing, unfit, lambda _: "bytes that are not UTF-8")


def _decoded(array: Any) -> tuple[AnyArray, AnyArray]:
    texts = np.full(len(array), "", np.object_)
    unfit = np.zeros(len(array), np.bool_)
    for index, data in enumerate(array.cast(pa.binary()).to_pylist()):
        try:
            texts[index] = (data or b"").decode("utf-8")
        except UnicodeDecodeError:
            unfit[index] = True
    return texts, unfit


def _integers(array: Any, missing: AnyArray | None, dtype: DType) -> Elements:
    values = words(array)
    wanted = cast("np.dtype[np.signedinteger[Any]]", dtype.numpy)
    has, needs = np.iinfo(values.dtype), np.iinfo(wanted)
    unfit = None
    if has.min < needs.min or has.max > needs.max:
        low = max(int(needs.min), int(has.min))
        outside = (values < low) | (values > min(int(needs.max), int(has.max)))
        unfit = _where_present(outside, missing)
    return Elements(values.astype(wanted, copy=False), missing, unfit, _shown(values))


def _unsigned(array: Any, missing: AnyArray | None) -> Elements:
    """UINT64 out of decimal(20,0): unscaled 128-bit integers, the low half first."""
    halves = words(array, np.uint64, 2).reshape(-1, 2)
    unfit = _where_present(halves[:, 1] != 0, missing)
    values = np.ascontiguousarray(halves[:, 0])
    return Elements(values, missing, unfit, lambda index: str(array[index].as_py()))


def _exact_floats(array: Any, missing: AnyArray | None, dtype: DType) -> Elements:
    """Integers as floats, none of them rounded."""
    whole = words(array)
    with np.errstate(over="ignore", invalid="ignore"):
        values = whole.astype(dtype.numpy)
        unfit = None
        if whole.dtype.itemsize * 8 > _mantissa_bits(dtype):
            wide = values.astype(np.float64)
            inside = (wide >= -(2.0**63)) & (wide < 2.0**63)
            back = np.where(inside, wide, 0).astype(np.int64)
            unfit = _where_present(~inside | (back != whole), missing)
    return Elements(_with_nan(values, missing), missing, unfit, _shown(whole))


def _mantissa_bits(dtype: DType) -> int:
    return {DType.FP64: 53, DType.FP32: 24, DType.FP16: 11}.get(dtype, 8)


def _reals(array: Any, element: Element) -> AnyArray:
    """The elements as float32 or float64."""
    if element.kind is Kind.DECIMAL:
        return _decimals(array, element.scale)
    if element.kind is Kind.DATE:
        return words(array, np.int32).astype(np.float64) * _DAY
    if element.kind is Kind.TIMESTAMP:
        return words(array, np.int64).astype(np.float64) / _MICROS
    return words(array)


def _decimals(array: Any, scale: int) -> AnyArray:
    """The double nearest to each decimal."""
    if len(array) == 0:
        return np.empty(0, np.float64)
    halves = words(array, np.int64, 2).reshape(-1, 2)
    low = halves[:, 0]
    simple = (halves[:, 1] == low >> 63) & (low > -_EXACT) & (low < _EXACT)
    values = low.astype(np.float64)
    if 0 <= scale <= _EXACT_DIGITS:
        values /= 10.0**scale
    else:
        simple = np.zeros(len(values), np.bool_)
    if array.null_count:
        simple |= ~is_valid(array)
    for index in np.flatnonzero(~simple).tolist():
        values[index] = float(array[index].as_py())
    return values


def _floats(reals: AnyArray, missing: AnyArray | None, dtype: DType) -> Elements:
    if reals.dtype == dtype.numpy:
        return Elements(_with_nan(reals, missing), missing)
    with np.errstate(over="ignore", invalid="ignore"):
        values = reals.astype(dtype.numpy)
    unfit = None
    if dtype.numpy.itemsize < reals.dtype.itemsize:
        with np.errstate(over="ignore", invalid="ignore"):
            suspect = not np.isfinite(values.sum())
        if suspect:
            unfit = _where_present(np.isinf(values) & ~np.isinf(reals), missing)
    return Elements(_with_nan(values, missing), missing, unfit, _shown(reals))


def _with_nan(values: AnyArray, missing: AnyArray | None) -> AnyArray:
    if missing is None:
        return values
    filled = values.copy()
    filled[missing] = np.nan
    return filled


def _where_present(mask: AnyArray, missing: AnyArray | None) -> AnyArray | None:
    if missing is not None:
        mask = mask & ~missing
    return mask if mask.any() else None


def _shown(values: AnyArray) -> Callable[[int], str]:
    return lambda index: str(values[index].item())
