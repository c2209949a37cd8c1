"""The safetensors file format, as far as golden cases use it (bundle format §5).

Source: the format section of the safetensors project's README. Eight bytes little-endian
header length, a JSON header, then the tensors' bytes, little-endian and row-major.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.bundle.content import forbidden_start
from sealane.bundle.dtype_codes import SAFETENSORS
from sealane.bundle.json_members import MAX_INTEGER
from sealane.bundle.strict_json import parse_strict_json
from sealane.core import DType, ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.bundle.limits import ReaderLimits

Array = np.ndarray[Any, np.dtype[Any]]

_PREFIX = struct.Struct("<Q")
_ALIGNMENT = 8
MAX_RANK = 16
_MEMBERS = frozenset({"dtype", "shape", "data_offsets"})
_DTYPES = {name: dtype for dtype, name in SAFETENSORS.items()}


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    dtype: DType
    shape: tuple[int, ...]
    begin: int
    end: int


def write_safetensors(tensors: Mapping[str, Array]) -> bytes:
    """The bytes of a file with these tensors, in the order given.

    Args:
        tensors: Name → array of any shape, of any dtype but BYTES.
    """
    header: dict[str, object] = {}
    parts: list[bytes] = []
    offset = 0
    for name, array in tensors.items():
        dtype = DType.from_numpy(array.dtype)
        if dtype is None or dtype is DType.BYTES:
            raise SealaneError(
                ErrorCode.GOLDEN_INVALID, f"tensor {name!r}: {array.dtype} has no safetensors dtype"
            )
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": SAFETENSORS[dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % _ALIGNMENT)
    while forbidden_start(_PREFIX.pack(len(text))) is not None:
        text += b" " * _ALIGNMENT
    return b"".join([_PREFIX.pack(len(text)), text, *parts])


def read_safetensors(data: bytes, limits: ReaderLimits, where: str) -> dict[str, Array]:
    """The tensors of a file, as read-only views of ``data``.

    Args:
        data: The whole file.
        limits: Bounds on the header and on one tensor.
        where: The file's name for messages.

    Raises:
        SealaneError: LIMIT_EXCEEDED, GOLDEN_INVALID.
    """
    if len(data) < _PREFIX.size:
        raise _invalid(where, f"{len(data)} bytes, too short for a header length")
    length = int(_PREFIX.unpack_from(data)[0])
    if length > limits.safetensors_header_bytes:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED,
            f"{where}: header of {length} bytes, limit {limits.safetensors_header_bytes}",
        )
    start = _PREFIX.size + length
    if start > len(data):
        raise _invalid(where, f"header of {length} bytes in a file of {len(data)}")
    text = data[_PREFIX.size : start]
    if not text.startswith(b"{"):
        raise _invalid(where, "the header does not start with '{'")
    header = parse_strict_json(text, limits, where=where, code=ErrorCode.GOLDEN_INVALID)
    entries = [
        _entry(name, value, limits, where)
        for name, value in cast("dict[str, object]", header).items()
        if name != "__metadata__" or not _is_metadata(value, where)
    ]
    _check_cover(entries, len(data) - start, where)
    return {entry.name: _view(entry, data, start, where) for entry in entries}


def _is_metadata(value: object, where: str) -> bool:
    if isinstance(value, dict) and all(
        isinstance(each, str) for each in cast("dict[str, object]", value).values()
    ):
        return True
    raise _invalid(where, "__metadata__ must map strings to strings")


def _entry(name: str, value: object, limits: ReaderLimits, where: str) -> _Entry:
    if not isinstance(value, dict) or cast("dict[str, object]", value).keys() != _MEMBERS:
        raise _invalid(where, f"tensor {name!r} must have exactly dtype, shape, data_offsets")
    members = cast("dict[str, object]", value)
    dtype = _DTYPES.get(str(members["dtype"]))
    if dtype is None or not isinstance(members["dtype"], str):
        raise _invalid(where, f"tensor {name!r}: unknown dtype {members['dtype']!r}")
    shape = read_sizes(members["shape"], name, where)
    offsets = read_sizes(members["data_offsets"], name, where)
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _invalid(where, f"tensor {name!r}: data_offsets {list(offsets)} are no range")
    size = (dtype.width or 0) * math.prod(shape)
    if size > limits.tensor_bytes:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED,
            f"{where}: tensor {name!r} of {size} bytes, limit {limits.tensor_bytes}",
        )
    if size != offsets[1] - offsets[0]:
        raise _invalid(
            where,
            f"tensor {name!r}: {offsets[1] - offsets[0]} bytes where its shape needs {size}",
        )
    return _Entry(name, dtype, shape, offsets[0], offsets[1])


def read_sizes(value: object, name: str, where: str) -> tuple[int, ...]:
    """A JSON array of at most 16 integers ≥ 0, of the tensor called ``name``.

    Raises:
        SealaneError: GOLDEN_INVALID.
    """
    if not isinstance(value, list) or len(cast("list[object]", value)) > MAX_RANK:
        raise _invalid(where, f"tensor {name[:80]!r}: expected an array of at most 16 sizes")
    sizes: list[int] = []
    for item in cast("list[object]", value):
        if type(item) is not int or not 0 <= item <= MAX_INTEGER:
            raise _invalid(where, f"tensor {name[:80]!r}: {item!r} is not a size")
        sizes.append(item)
    return tuple(sizes)


def shaped(flat: Array, shape: tuple[int, ...], name: str, where: str) -> Array:
    """``flat`` in that shape, whose product is its length.

    Raises:
        SealaneError: GOLDEN_INVALID for an empty tensor with dims no array can have.
    """
    try:
        return flat.reshape(shape)
    except ValueError:
        raise _invalid(where, f"tensor {name[:80]!r}: shape {shape} is too large") from None


def _check_cover(entries: list[_Entry], size: int, where: str) -> None:
    reached = 0
    for entry in sorted(entries, key=lambda each: (each.begin, each.end)):
        if entry.begin != reached:
            raise _invalid(
                where, f"tensor {entry.name!r} begins at {entry.begin}, expected {reached}"
            )
        reached = entry.end
    if reached != size:
        raise _invalid(where, f"tensors cover {reached} bytes of {size}")


def _view(entry: _Entry, data: bytes, start: int, where: str) -> Array:
    if entry.dtype is DType.BOOL and data[start + entry.begin : start + entry.end].translate(
        None, b"\0\1"
    ):
        raise _invalid(where, f"tensor {entry.name!r}: a BOOL is 0 or 1")
    dtype = entry.dtype.numpy.newbyteorder("<")
    count = (entry.end - entry.begin) // dtype.itemsize
    flat = np.frombuffer(data, dtype, count, start + entry.begin)
    tensor = shaped(flat, entry.shape, entry.name, where)
    return tensor.astype(entry.dtype.numpy, copy=False)


def _invalid(where: str, problem: str) -> SealaneError:
    return SealaneError(ErrorCode.GOLDEN_INVALID, f"{where}: {problem}", {"path": where})
