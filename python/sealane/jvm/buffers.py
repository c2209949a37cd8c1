"""NumPy arrays as Java sees them: direct buffers over the same memory, and text in blocks."""

from __future__ import annotations

import importlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import DType, ErrorCode, SealaneError

if TYPE_CHECKING:
    from sealane.runtime.values import AnyArray

MAX_BUFFER_BYTES = 2**31 - 1
"""Bytes one Java buffer can hold."""


def direct_buffer(name: str, array: AnyArray) -> Any:
    """A Java direct buffer over the array's own memory; no copy.

    Args:
        name: The tensor's name, for messages.
        array: C-contiguous, native-endian, any dtype but object.

    Returns:
        The buffer, or None for an array without elements. Its memory is the array's: keep the
        array alive and unchanged for as long as Java reads it.

    Raises:
        SealaneError: INPUT_TOO_LARGE above 2^31 - 1 bytes.
    """
    if array.size == 0:
        return None
    if array.nbytes > MAX_BUFFER_BYTES:
        raise SealaneError(
            ErrorCode.INPUT_TOO_LARGE,
            f"'{name}': {array.nbytes} bytes, one Java buffer holds at most {MAX_BUFFER_BYTES}",
            {"input": name},
        )
    nio: Any = importlib.import_module("jpype.nio")
    return nio.convertToDirectBuffer(array.reshape(-1).view(np.uint8))


def memory_view(buffer: Any, dtype: DType, shape: tuple[int, ...]) -> AnyArray:
    """Java's memory as an array; no copy.

    Args:
        buffer: A direct buffer of exactly the bytes of ``shape``; the array keeps it reachable.
        dtype: Any but BYTES.
        shape: The array's shape.
    """
    if 0 in shape:
        return np.empty(shape, dtype.numpy)
    return np.frombuffer(buffer, np.uint8).view(dtype.numpy).reshape(shape)


def text_block(name: str, array: AnyArray) -> AnyArray:
    """Text in one block: n + 1 offsets (int32, native), then the UTF-8 of the n strings.

    Args:
        name: The tensor's name, for messages.
        array: Object array of ``str``.

    Returns:
        uint8[4 * (n + 1) + bytes of text].

    Raises:
        SealaneError: INPUT_TOO_LARGE above 2^31 - 1 bytes.
    """
    flat: list[str] = array.ravel().tolist()
    joined = "".join(flat)
    if joined.isascii():
        text, lengths = joined.encode(), list(map(len, flat))
    else:
        encoded = [each.encode() for each in flat]
        text, lengths = b"".join(encoded), list(map(len, encoded))
    head = 4 * (len(flat) + 1)
    if head + len(text) > MAX_BUFFER_BYTES:
        raise SealaneError(
            ErrorCode.INPUT_TOO_LARGE,
            f"'{name}': {len(text)} bytes of text, at most {MAX_BUFFER_BYTES} fit in one call",
            {"input": name},
        )
    block = np.empty(head + len(text), np.uint8)
    offsets = block[:head].view(np.int32)
    offsets[0] = 0
    np.cumsum(lengths, out=offsets[1:])
    block[head:] = np.frombuffer(text, np.uint8)
    return block


def read_text(block: Any, shape: tuple[int, ...]) -> AnyArray:
    """The strings of a block that Java filled.

    Args:
        block: A Java ``byte[]``, laid out as :func:`text_block` does.
        shape: The tensor's shape.

    Returns:
        Object array of ``str``.
    """
    data = bytes(memoryview(block))
    count = int(np.prod(shape, dtype=np.int64))
    head = 4 * (count + 1)
    offsets: list[int] = np.frombuffer(data, np.int32, count + 1).tolist()
    raw = data[head:]
    packed = np.empty(count, np.object_)
    if raw.isascii():
        text = raw.decode("ascii")
        packed[:] = [text[a:b] for a, b in pairwise(offsets)]
    else:
        packed[:] = [raw[a:b].decode() for a, b in pairwise(offsets)]
    return packed.reshape(shape)
