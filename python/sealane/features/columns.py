"""Raw columns: a DataFrame or a dict turned once into arrays that a signature can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from sealane.features.ops import Array

MOMENT = "datetime"
"""The semantic of a column of moments: FP64 seconds since 1970-01-01T00:00:00Z, NaN missing."""


def column_names(data: object) -> tuple[str, ...]:
    """The names of a table's columns.

    Args:
        data: A mapping from name to column, or a DataFrame (anything with ``columns`` and ``[]``).

    Raises:
        SealaneError: INPUT_DTYPE when ``data`` is no table.
    """
    if isinstance(data, Mapping):
        return tuple(str(name) for name in cast("Mapping[object, object]", data))
    names = getattr(data, "columns", None)
    if names is None or not hasattr(data, "__getitem__"):
        raise SealaneError(
            ErrorCode.INPUT_DTYPE,
            f"Expected a DataFrame or a dict of columns, received {type(data).__name__}.",
        )
    return tuple(str(name) for name in names)


def raw_column(data: object, name: str) -> Array:
    """One column as an array ``[rows]`` of BOOL, INT64, FP32, FP64 or BYTES.

    - integers up to 2**63 - 1: INT64; pandas' nullable integers with a missing value: FP64;
    - float16 and float32: FP32; other floats: FP64; NaN is missing;
    - moments (``datetime64``, with or without a time zone): FP64 seconds since
      1970-01-01T00:00:00Z, naive ones read as UTC; NaT becomes NaN;
    - strings and categories: BYTES, an object array of ``str``, missing values as ``""``.

    Raises:
        SealaneError: INPUT_MISSING for an unknown column, INPUT_SHAPE when it has not one
            dimension, INPUT_DTYPE when its values are of no such kind.
    """
    if name not in column_names(data):
        known = ", ".join(column_names(data)[:20])
        raise SealaneError(
            ErrorCode.INPUT_MISSING, f"Column {name!r} is not in the data. Columns: {known}."
        )
    column = cast("Any", data)[name]
    array = _to_array(name, column)
    if array.ndim != 1:
        raise SealaneError(
            ErrorCode.INPUT_SHAPE,
            f"Column {name!r} must have one dimension, received shape {array.shape}.",
        )
    return array


def _to_array(name: str, column: Any) -> Array:
    dtype = getattr(column, "dtype", None)
    if dtype is not None and not isinstance(dtype, np.dtype):
        column = _from_extension(column, str(dtype))
    array = np.asarray(column)
    if array.dtype.kind == "M":
        return _moments(array)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind in "iu":
        return _integers(name, array)
    if array.dtype.kind == "f":
        return array.astype(np.float32 if array.dtype.itemsize <= 4 else np.float64)
    if array.dtype.kind in "OUST":
        return _objects(name, array)
    raise SealaneError(
        ErrorCode.INPUT_DTYPE,
        f"Column {name!r} has dtype {array.dtype}; expected numbers, booleans, strings or moments.",
    )


def _from_extension(column: Any, dtype: str) -> object:
    """A pandas or polars column of an own dtype as a NumPy one."""
    lower = dtype.lower()
    if lower.startswith(("datetime64", "timestamp")):
        return column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    if lower.startswith("datetime"):
        return column.to_numpy()
    if lower.startswith(("int", "uint")) and column.isna().any():
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if lower.startswith("float"):
        width = np.float32 if "32" in lower else np.float64
        return column.to_numpy(dtype=width, na_value=np.nan)
    if lower.startswith(("int", "uint")):
        return column.to_numpy(dtype=np.int64 if lower.startswith("int") else np.uint64)
    if lower == "boolean" and not column.isna().any():
        return column.to_numpy(dtype=np.bool_)
    return column.to_numpy(dtype=object) if hasattr(column, "isna") else column.to_numpy()


def _moments(array: Array) -> Array:
    whole = array.astype("datetime64[us]")
    seconds = whole.astype(np.int64) / np.float64(1e6)
    return np.where(np.isnat(whole), np.nan, seconds)


def _integers(name: str, array: Array) -> Array:
    if array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise SealaneError(
            ErrorCode.INPUT_DOMAIN,
            f"Column {name!r} holds {int(array.max())}, above the largest INT64 (2**63 - 1).",
        )
    return array.astype(np.int64)


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, float | np.generic) and bool(value != value)):
        return True
    return type(value).__name__ in ("NAType", "NaTType")  # pyright: ignore[reportUnknownArgumentType]


def _objects(name: str, array: Array) -> Array:
    flat = cast("list[object]", array.ravel().tolist())
    kinds = set(map(type, flat))
    if kinds == {bool}:
        return array.astype(np.bool_)
    if kinds <= {str, type(None)}:
        return _strings(name, flat, array)
    missing = [_is_missing(value) for value in flat]
    present = [value for value, gone in zip(flat, missing, strict=True) if not gone]
    if present and all(isinstance(value, int | float | np.number) for value in present):
        numbers = [np.nan if gone else value for value, gone in zip(flat, missing, strict=True)]
        return _to_array(name, np.array(cast("list[float]", numbers)).reshape(array.shape))
    blank = [None if gone else value for value, gone in zip(flat, missing, strict=True)]
    return _strings(name, blank, array)


def _strings(name: str, values: list[object], like: Array) -> Array:
    """Text or None as an object array of ``str``; None becomes the empty string."""
    texts: list[object] = ["" if value is None else value for value in values]
    if set(map(type, texts)) != {str} or not _is_unicode(texts):
        texts = [_string(name, row, value) for row, value in enumerate(texts)]
    made = np.empty(len(texts), object)
    made[:] = texts
    return cast("Array", made.reshape(like.shape))


def _is_unicode(texts: list[object]) -> bool:
    try:
        "".join(cast("list[str]", texts)).encode()
    except UnicodeError:
        return False
    return True


def _string(name: str, row: int, value: object) -> str:
    try:
        text = value.decode() if isinstance(value, bytes) else value
        if isinstance(text, str):
            text.encode()
            return str(text)
    except UnicodeError:
        raise SealaneError(
            ErrorCode.INPUT_DTYPE,
            f"Column {name!r}, row {row}: the string {value!r} is not valid Unicode text (UTF-8).",
        ) from None
    raise SealaneError(
        ErrorCode.INPUT_DTYPE,
        f"Column {name!r}, row {row}: expected a string, number or missing value, received "
        f"{type(value).__name__}. Convert dates with pandas.to_datetime first.",
    )


def is_moment(data: object, name: str) -> bool:
    """Whether a column of the data holds moments (``datetime64`` of any unit and zone)."""
    dtype = getattr(cast("Any", data)[name], "dtype", None)
    return str(dtype).lower().startswith(("datetime", "timestamp"))
