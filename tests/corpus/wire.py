"""Writing protobuf messages on the wire level, to change a SavedModel without TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sealane.bundle.protobuf_wire import fields

if TYPE_CHECKING:
    from collections.abc import Callable


def varint(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def field(number: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def node(name: str, op: str, **attributes: bytes) -> bytes:
    """A NodeDef; each attribute's value is an AttrValue's bytes."""
    entries = b"".join(
        field(5, field(1, key) + field(2, value)) for key, value in attributes.items()
    )
    return field(1, name) + field(2, op) + entries


def change(message: bytes, number: int, edit: Callable[[bytes], bytes]) -> bytes:
    """The message with every occurrence of one length-delimited field edited."""
    result = b""
    for key, value in fields(memoryview(message)):
        if isinstance(value, int):
            result += varint_field(key, value)
        else:
            data = bytes(value)
            result += field(key, edit(data) if key == number else data)
    return result


def with_node(saved_model: bytes, added: bytes) -> bytes:
    """A SavedModel with one more node in its graph."""
    return change(
        saved_model, 2, lambda meta: change(meta, 2, lambda graph: graph + field(1, added))
    )


def with_function(saved_model: bytes, name: str, body: bytes) -> bytes:
    """A SavedModel with one more function of one node in its library."""
    function = field(1, field(1, name)) + field(3, body)

    def edit(graph: bytes) -> bytes:
        return change(graph, 2, lambda library: library + field(1, function))

    return change(saved_model, 2, lambda meta: change(meta, 2, edit))


def with_serving_input(saved_model: bytes, added: bytes) -> bytes:
    """A SavedModel with one more node, on which every other node depends by a control edge."""

    def edit(graph: bytes) -> bytes:
        depending = change(graph, 1, lambda each: each + field(3, "^extra"))
        return depending + field(1, added)

    return change(saved_model, 2, lambda meta: change(meta, 2, edit))
