"""One value of an input turned into an array of its declared dtype, without losing anything.

Typed values (NumPy arrays and scalars, pandas columns, anything with ``__array__``) must have the
declared dtype. Untyped Python values (numbers and strings in nested lists, object arrays, pandas'
own nullable and categorical columns) are converted: integers only
when the dtype holds them exactly, decimals rounded to the nearest value of a floating dtype, as a
literal is. Booleans are never numbers.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from sealane.core import DType, ErrorCode, SealaneError, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

AnyArray = NDArray[Any]
"""A NumPy array of any dtype and rank."""

_MANTISSA_BITS = {DType.FP16: 11, DType.BF16: 8, DType.FP32: 24, DType.FP64: 53}


def read_value(spec: TensorSpec, value: object) -> AnyArray:
    """The value as an array of ``spec.dtype``; byte order and strides may be the caller's.

    Args:
        spec: The input's declaration.
        value: A NumPy array or scalar, a pandas column, an object with ``__array__``, a Python
            scalar, or nested lists or tuples of them.

    Returns:
        An array of the declared dtype, any rank: not yet checked against ``spec.shape``. BYTES
        give an object array of ``str``, missing values already replaced by the empty string.

    Raises:
        SealaneError: INPUT_DTYPE, INPUT_RAGGED, INPUT_NULL, or INPUT_SHAPE for lists nested deeper
            than the rank.
    """
    if isinstance(value, np.ndarray | np.generic):
        return _from_typed(spec, np.asanyarray(cast("AnyArray", value)))
    if hasattr(value, "__array__"):
        return _from_typed(spec, _foreign(spec, value))
    return _from_python(spec, value)


def refuse(
    code: ErrorCode,
    spec: TensorSpec,
    problem: str,
    *,
    expected: str,
    received: str,
    row: int | None = None,
) -> SealaneError:
    """An input error whose message names input, row, expected and received."""
    where = f"input '{spec.name}'" + ("" if row is None else f", row {row}")
    details: dict[str, object] = {"input": spec.name, "expected": expected, "received": received}
    if row is not None:
        details["row"] = row
    return SealaneError(
        code, f"{where}: {problem}: expected {expected}, received {received}", details
    )


def row_of(flat_index: int, shape: tuple[int, ...]) -> int | None:
    """The first index of the element at a row-major position; None for a scalar."""
    return int(np.unravel_index(flat_index, shape)[0]) if shape else None


def _foreign(spec: TensorSpec, value: object) -> AnyArray:
    try:
        if not isinstance(getattr(value, "dtype", np.dtype(object)), np.dtype) and hasattr(
            value, "to_numpy"
        ):
            return np.asanyarray(cast("Any", value).to_numpy(dtype=object))
        return np.asanyarray(value)
    except Exception as error:
        raise refuse(
            ErrorCode.INPUT_DTYPE,
            spec,
            "can not be read as an array",
            expected=str(spec),
            received=f"{type(value).__name__} ({error})",
        ) from error


def _from_typed(spec: TensorSpec, array: AnyArray) -> AnyArray:
    if isinstance(array, np.ma.MaskedArray):
        _refuse_masked(spec, cast("np.ma.MaskedArray[Any, Any]", array))
    array = np.asarray(array)
    if array.dtype.kind == "O":
        return _from_objects(spec, array)
    if DType.from_numpy(array.dtype) is not spec.dtype:
        raise refuse(
            ErrorCode.INPUT_DTYPE,
            spec,
            "wrong dtype",
            expected=spec.dtype.value,
            received=f"an array of {array.dtype.name} "
            f"(convert it, e.g. astype('{spec.dtype.numpy.name}'))",
        )
    if spec.dtype is DType.BYTES:
        return _pack(_text(spec, array.ravel().tolist(), array.shape), array.shape)
    return array


def _refuse_masked(spec: TensorSpec, array: np.ma.MaskedArray[Any, Any]) -> None:
    mask = np.ma.getmaskarray(array)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if mask.any():
        raise refuse(
            ErrorCode.INPUT_NULL,
            spec,
            "masked elements",
            expected="an array without masked elements (fill them first)",
            received=f"{int(mask.sum())} masked",
            row=row_of(int(mask.argmax()), array.shape),
        )


def _from_objects(spec: TensorSpec, array: AnyArray) -> AnyArray:
    flat: list[object] = array.ravel().tolist()
    if spec.dtype is not DType.BYTES:
        _refuse_nested(spec, flat)
        return _numbers(spec, flat, array.shape)
    if set(map(type, flat)) == {str} and _encodable(cast("list[str]", flat)):
        return array
    _refuse_nested(spec, flat)
    return _pack(_text(spec, flat, array.shape), array.shape)


def _refuse_nested(spec: TensorSpec, flat: list[object]) -> None:
    for index, value in enumerate(flat):
        if isinstance(value, list | tuple | np.ndarray):
            raise refuse(
                ErrorCode.INPUT_RAGGED,
                spec,
                "ragged",
                expected="a rectangular array",
                received=f"an object array that holds a {type(cast('object', value)).__name__}",
                row=index,
            )


def _from_python(spec: TensorSpec, value: object) -> AnyArray:
    level: Sequence[Any] = [value]
    shape: list[int] = []
    while level:
        types = set(map(type, level))
        if any(issubclass(kind, np.ndarray) for kind in types):
            return _from_typed(spec, _stack(spec, level, shape))
        if not any(issubclass(kind, list | tuple) for kind in types):
            break
        length = _common_length(spec, level, shape)
        if len(shape) == len(spec.shape):
            raise refuse(
                ErrorCode.INPUT_SHAPE,
                spec,
                "nested too deep",
                expected=f"rank {len(spec.shape)}",
                received=f"lists nested deeper than {len(shape)}",
            )
        shape.append(length)
        level = list(chain.from_iterable(level))
    if 0 in shape:
        shape.extend(dim for dim in spec.shape[len(shape) :] if isinstance(dim, int))
    if spec.dtype is DType.BYTES:
        return _pack(_text(spec, level, tuple(shape)), tuple(shape))
    return _numbers(spec, level, tuple(shape))


def _common_length(spec: TensorSpec, level: Sequence[Any], shape: list[int]) -> int:
    lengths: list[int] = [
        len(cast("Sequence[object]", each)) if isinstance(each, list | tuple) else -1
        for each in level
    ]
    for index, length in enumerate(lengths):
        if length != lengths[0]:
            first, odd = (
                f"{n} elements" if n >= 0 else "a single value" for n in (lengths[0], length)
            )
            raise refuse(
                ErrorCode.INPUT_RAGGED,
                spec,
                "ragged",
                expected=f"rows of equal length ({first} as in the first)",
                received=odd,
                row=row_of(index, tuple(shape)),
            )
    return lengths[0]


def _stack(spec: TensorSpec, level: Sequence[Any], shape: list[int]) -> AnyArray:
    first = level[0]
    for index, each in enumerate(level):
        if not (isinstance(each, np.ndarray) and isinstance(first, np.ndarray)):
            received = "arrays mixed with other values"
        elif _layout(cast("AnyArray", each)) != _layout(cast("AnyArray", first)):
            received = f"{_layout(cast('AnyArray', each))} after {_layout(cast('AnyArray', first))}"
        else:
            continue
        raise refuse(
            ErrorCode.INPUT_RAGGED,
            spec,
            "unequal rows",
            expected="arrays of one dtype and shape",
            received=received,
            row=row_of(index, tuple(shape)),
        )
    stacked = np.stack(level)
    return stacked.reshape((*shape, *stacked.shape[1:]))


def _layout(array: AnyArray) -> str:
    return f"{array.dtype.name}{list(array.shape)}"


def _numbers(spec: TensorSpec, flat: Sequence[Any], shape: tuple[int, ...]) -> AnyArray:
    types = set(map(type, flat))
    if not types <= {int, float}:
        flat = [_plain(spec, each, index, shape) for index, each in enumerate(flat)]
        types = set(map(type, flat))
    if spec.dtype is DType.BOOL or bool in types:
        return np.array(flat, np.bool_).reshape(shape)
    if spec.dtype.is_float:
        return _floats(spec, flat, shape, types)
    if float in types:
        flat = [_whole(spec, each, index, shape) for index, each in enumerate(flat)]
    try:
        return np.array(flat, spec.dtype.numpy).reshape(shape)
    except OverflowError as error:
        info = np.iinfo(cast("np.dtype[np.signedinteger[Any]]", spec.dtype.numpy))
        index = next(i for i, each in enumerate(flat) if not info.min <= each <= info.max)
        raise _unfit(spec, flat[index], index, shape) from error


def _plain(
    spec: TensorSpec, value: object, index: int, shape: tuple[int, ...]
) -> bool | int | float:
    """The plain Python number a leaf stands for."""
    if is_missing(value):
        if spec.dtype.is_float and spec.domain is not None and spec.domain.nullable:
            return float("nan")
        if not _is_nan(value):
            raise refuse(
                ErrorCode.INPUT_NULL,
                spec,
                "missing value",
                expected=f"{spec.dtype.value} (the input is not nullable)",
                received=str(value),
                row=row_of(index, shape),
            )
    plain = cast("object", value.item()) if isinstance(value, np.generic) else value
    if isinstance(plain, bool | int | float) and isinstance(plain, bool) == (
        spec.dtype is DType.BOOL
    ):
        return plain
    raise _unfit(spec, plain, index, shape)


def _floats(
    spec: TensorSpec, flat: Sequence[Any], shape: tuple[int, ...], types: set[type]
) -> AnyArray:
    exact = 2 ** _MANTISSA_BITS[spec.dtype]
    if int in types:
        for index, each in enumerate(flat):
            if type(each) is int and abs(each) > exact and not _exact_in(spec.dtype, each):
                raise _unfit(spec, each, index, shape)
    wide = np.array(flat, np.float64)
    with np.errstate(over="ignore"):
        array = wide.astype(spec.dtype.numpy)
    overflow = np.isinf(array) & ~np.isinf(wide)
    if overflow.any():
        index = int(overflow.argmax())
        raise _unfit(spec, flat[index], index, shape)
    return array.reshape(shape)


def _exact_in(dtype: DType, value: int) -> bool:
    try:
        with np.errstate(over="ignore"):
            back = float(np.float64(value).astype(dtype.numpy))
    except OverflowError:
        return False
    return back == value


def _whole(spec: TensorSpec, value: float, index: int, shape: tuple[int, ...]) -> int:
    if value != value:
        raise refuse(
            ErrorCode.INPUT_NULL,
            spec,
            "missing value",
            expected=spec.dtype.value,
            received="NaN",
            row=row_of(index, shape),
        )
    if not float(value).is_integer():
        raise _unfit(spec, value, index, shape)
    return int(value)


def _unfit(spec: TensorSpec, value: object, index: int, shape: tuple[int, ...]) -> SealaneError:
    return refuse(
        ErrorCode.INPUT_DTYPE,
        spec,
        f"a value that {spec.dtype.value} can not hold",
        expected=spec.dtype.value,
        received=f"{type(value).__name__} {str(value)[:80]!r}",
        row=row_of(index, shape),
    )


def is_missing(value: object) -> bool:
    """Whether a Python object means a missing value: None, NaN, or pandas' NA and NaT."""
    return value is None or _is_nan(value) or type(value).__name__ in ("NAType", "NaTType")


def _is_nan(value: object) -> bool:
    return isinstance(value, float | np.floating) and bool(value != value)


def _text(spec: TensorSpec, flat: Sequence[Any], shape: tuple[int, ...]) -> list[str]:
    if set(map(type, flat)) != {str}:
        flat = [_as_text(spec, each, index, shape) for index, each in enumerate(flat)]
    if not _encodable(flat):
        index = next(i for i, each in enumerate(flat) if not _encodable([each]))
        raise _not_utf8(spec, repr(flat[index]), index, shape)
    return list(flat)


def _as_text(spec: TensorSpec, value: object, index: int, shape: tuple[int, ...]) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _not_utf8(spec, repr(value), index, shape) from error
    if not is_missing(value):
        raise _unfit(spec, value, index, shape)
    if spec.domain is not None and spec.domain.nullable:
        return ""
    raise refuse(
        ErrorCode.INPUT_NULL,
        spec,
        "missing value",
        expected="text (the input is not nullable)",
        received=str(value),
        row=row_of(index, shape),
    )


def _not_utf8(spec: TensorSpec, shown: str, index: int, shape: tuple[int, ...]) -> SealaneError:
    return refuse(
        ErrorCode.INPUT_DTYPE,
        spec,
        "text that is not UTF-8",
        expected="valid UTF-8",
        received=shown[:80],
        row=row_of(index, shape),
    )


def _encodable(flat: Sequence[str]) -> bool:
    try:
        "".join(flat).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _pack(flat: list[str], shape: tuple[int, ...]) -> AnyArray:
    packed = np.empty(len(flat), np.object_)
    packed[:] = flat
    return packed.reshape(shape)
