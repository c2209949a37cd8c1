"""Raw arrays checked against the input signature before they are transformed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sealane.core import DType, ErrorCode, SealaneError, TensorSpec

if TYPE_CHECKING:
    from sealane.features.ops import Array


def coerce(array: Array, spec: TensorSpec) -> Array:
    """A raw column as its signature's dtype, where no value changes its meaning.

    Integers and booleans become floats, whole floats without missing values become integers,
    float64 is rounded to float32, and a column of missing strings only becomes NaN.

    Raises:
        SealaneError: INPUT_DTYPE when it can not.
    """
    if DType.from_numpy(array.dtype) is spec.dtype:
        return array
    if array.dtype == object and spec.dtype.is_float and all(value == "" for value in array):
        return np.full(array.shape, np.nan, spec.dtype.numpy)
    if array.dtype.kind in "bif" and spec.dtype.is_float:
        with np.errstate(over="ignore"):
            return array.astype(spec.dtype.numpy)
    if array.dtype.kind == "b" and spec.dtype is DType.INT64:
        return array.astype(np.int64)
    if array.dtype.kind == "f" and spec.dtype is DType.INT64 and _all_whole(array):
        return array.astype(np.int64)
    if array.dtype.kind == "f" and spec.dtype is DType.BYTES and np.isnan(array).all():
        return np.full(array.shape, "", object)
    received = DType.from_numpy(array.dtype)
    raise SealaneError(
        ErrorCode.INPUT_DTYPE,
        f"Input {spec.name!r}: expected {spec.dtype.value} as when fitting, received "
        f"{received.value if received else array.dtype}. Convert the column.",
    )


def _all_whole(array: Array) -> bool:
    return bool(np.all((np.floor(array) == array) & (np.abs(array) < 2.0**53)))


def check_input(spec: TensorSpec, array: Array, *, rows: int) -> None:
    """Refuses a raw column outside its domain or of another length than the first.

    Raises:
        SealaneError: INPUT_RAGGED, INPUT_NULL or INPUT_DOMAIN.
    """
    if len(array) != rows:
        raise SealaneError(
            ErrorCode.INPUT_RAGGED,
            f"Input {spec.name!r} has {len(array)} rows, the first input has {rows}.",
        )
    domain = spec.domain
    if domain is None or spec.dtype is DType.BYTES:
        return
    missing = np.isnan(array) if spec.dtype.is_float else np.zeros(rows, np.bool_)
    if not domain.nullable and missing.any():
        row = int(np.argmax(missing))
        raise SealaneError(
            ErrorCode.INPUT_NULL,
            f"Input {spec.name!r}, row {row}: the value is missing, and the features were fitted "
            "without Impute() on this column.",
            {"row": row},
        )
    low = -np.inf if domain.minimum is None else domain.minimum
    high = np.inf if domain.maximum is None else domain.maximum
    outside = ~missing & ((array < low) | (array > high))
    if outside.any():
        row = int(np.argmax(outside))
        raise SealaneError(
            ErrorCode.INPUT_DOMAIN,
            f"Input {spec.name!r}, row {row}: expected {low} to {high}, received {array[row]}.",
            {"row": row},
        )
