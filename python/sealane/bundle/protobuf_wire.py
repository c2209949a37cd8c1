"""Reading protobuf messages without their classes: the wire format, fields in file order.

Source: the encoding chapter of the Protocol Buffers documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


class WireError(ValueError):
    """Bytes that are no protobuf message."""


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field: an int for varints, a view for bytes and fixed widths.

    Args:
        message: One message. Groups, which no message read here uses, are refused.

    Raises:
        WireError: The bytes are malformed.
    """
    position, end = 0, len(message)
    while position < end:
        key = message[position]
        if key < 0x80:
            position += 1
        else:
            key, position = _varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == _BYTES:
            if position < end and (length := message[position]) < 0x80:
                position += 1
            else:
                length, position = _varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise WireError(f"wire type {kind} at byte {position}")
        if number == 0 or length > end - position:
            raise WireError(f"field {number} of {length} bytes at byte {position} of {end}")
        yield number, message[position : position + length]
        position += length


def messages(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """The values of one length-delimited field, in order."""
    for number, value in fields(message):
        if number == wanted and isinstance(value, memoryview):
            yield value


def text(value: int | memoryview) -> str:
    """A string field's value.

    Raises:
        WireError: It is not UTF-8.
    """
    if isinstance(value, int):
        raise WireError("a number where text is due")
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise WireError("text that is not UTF-8") from error


def entries(message: memoryview, wanted: int) -> Iterator[tuple[str, memoryview]]:
    """Keys and message values of a map field with string keys; a repeated value is merged."""
    for entry in messages(message, wanted):
        key, content = "", memoryview(b"")
        for number, value in fields(entry):
            if number == 1:
                key = text(value)
            elif number == 2 and isinstance(value, memoryview):
                content = memoryview(bytes(content) + value) if content else value
        yield key, content


def signed(value: int) -> int:
    """A varint as the int64 it encodes."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    result = 0
    for index in range(_MAX_VARINT_BYTES):
        if position >= len(message):
            raise WireError("cut off in a number")
        byte = message[position]
        position += 1
        result |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, position
    raise WireError("a number of more than ten bytes")
