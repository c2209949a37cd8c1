"""Names in a SavedModel that equal models share, and no others.

TensorFlow numbers the functions it traces with a counter of the process, keeps them in no order,
writes maps in none, and calls lookup tables by random numbers. Here functions are numbered in the
order of their making and tables named after the whole model's content, so that equal models give
equal bytes. Tables of different models must not share a name: TensorFlow would share the table.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import TYPE_CHECKING, Any

from sealane.core.frameworks import load_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NUMBERED = re.compile(r"(.*_)(\d+)", re.DOTALL)
_RANDOM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BESIDE = re.compile(r"loc:@(.+)/(\d+)")
_GIVEN_NAME = "_user_specified_name"
_TABLE = re.compile(r"(?<![^/^])None_Lookup(?![^/:])")
"""What TensorFlow calls a table's lookup the first time it is traced."""


def settle_names(directory: Path) -> None:
    """Rewrite ``saved_model.pb`` with functions numbered from zero and in order, tables named.

    Names change everywhere they stand, inside other names too, but not in tensors.

    Args:
        directory: The SavedModel's.
    """
    saved_model_pb2 = load_module("tensorflow.core.protobuf.saved_model_pb2", "tensorflow")
    path = directory / "saved_model.pb"
    model: Any = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in model.meta_graphs:
        library = graph.graph_def.library
        rename = _renaming([each.signature.name for each in library.function])
        _rename(graph, rename)
        for function in library.function:
            for argument in function.arg_attr.values():
                _name_capture(argument.attr)
            _name_neighbours(function)
        ordered = sorted(library.function, key=lambda each: _order(each.signature.name))
        del library.function[:]
        library.function.extend(ordered)
    _name_tables(model, directory)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _name_tables(model: Any, directory: Path) -> None:
    """Put numbers that follow from the model's content for the random ones in tables' names."""
    numbers = list(dict.fromkeys(n for graph in model.meta_graphs for n in _table_numbers(graph)))
    _replace(model, {number: _placeholder(i) for i, number in enumerate(numbers)})
    digest = hashlib.sha256(model.SerializeToString(deterministic=True))
    for file in sorted((directory / "variables").glob("*")):
        digest.update(file.read_bytes())
    content = digest.hexdigest()
    names = {
        _placeholder(i): str(uuid.uuid5(uuid.NAMESPACE_OID, f"{content}/{i}"))
        for i in range(len(numbers))
    }
    _replace(model, names)


def _placeholder(index: int) -> str:
    return f"table-{index:030d}"


def _table_numbers(graph: Any) -> Iterator[str]:
    bodies = [graph.graph_def.node, *(f.node_def for f in graph.graph_def.library.function)]
    for node in (node for body in bodies for node in body):
        if "shared_name" in node.attr:
            yield from _RANDOM.findall(node.attr["shared_name"].s.decode("utf-8", "replace"))


def _replace(model: Any, names: dict[str, str]) -> None:
    if names:
        pattern = re.compile("|".join(map(re.escape, names)))
        for graph in model.meta_graphs:
            _rename(graph, lambda text: pattern.sub(lambda match: names[match[0]], text))


def _name_capture(attributes: Any) -> None:
    """A captured tensor is called by a number of the process's counter."""
    if _GIVEN_NAME in attributes and attributes[_GIVEN_NAME].s.isdigit():
        attributes[_GIVEN_NAME].s = b"captured"


def _name_neighbours(function: Any) -> None:
    """So is one that an operator is to stand beside, and the argument that it becomes."""
    arguments = {argument.name for argument in function.signature.input_arg}
    names: dict[str, str] = {}
    for node in function.node_def:
        beside = node.attr["_class"].list.s if "_class" in node.attr else ()
        for found in filter(None, (_BESIDE.fullmatch(text.decode()) for text in beside)):
            path, number = found[1], found[2]
            argument = re.sub(r"\W", "_", path).lower()
            if f"{argument}_{number}" in arguments:
                names.setdefault(f"{path}/{number}", f"{path}/{len(names)}")
                names.setdefault(f"{argument}_{number}", f"{argument}_{len(names)}")
    if names:
        pattern = re.compile(f"({'|'.join(map(re.escape, names))})(?![0-9])")
        _rename(function, lambda text: pattern.sub(lambda match: names[match[1]], text))


def _order(name: str) -> tuple[int, str]:
    found = _NUMBERED.fullmatch(name)
    return (int(found[2]), found[1]) if found else (-1, name)


def _renaming(names: list[str]) -> Callable[[str], str]:
    """The function that puts new names for those of functions, wherever they stand in a text."""
    new: dict[str, str] = {}
    for index, name in enumerate(sorted(names, key=_order)):
        found = _NUMBERED.fullmatch(name)
        new[name] = f"{found[1]}{index}" if found else name
    longest = sorted(new, key=len, reverse=True)
    pattern = re.compile(f"({'|'.join(map(re.escape, longest))})(?![0-9])") if new else None

    def rename(text: str) -> str:
        if pattern is not None:
            text = pattern.sub(lambda match: new[match[1]], text)
        return _TABLE.sub("hash_table_Lookup", text)

    return rename


def _rename(message: Any, rename: Callable[[str], str]) -> None:
    """Apply to every text and every key of a message and of those below, tensors left out."""
    if message.DESCRIPTOR.full_name == "tensorflow.TensorProto":
        return
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _rename_map(field, value, rename)
        elif field.message_type is not None:
            for each in value if _repeated(field) else [value]:
                _rename(each, rename)
        elif field.type in (field.TYPE_STRING, field.TYPE_BYTES):
            if _repeated(field):
                value[:] = [_changed(each, rename) for each in value]
            else:
                setattr(message, field.name, _changed(value, rename))


def _repeated(field: Any) -> bool:
    return bool(field.is_repeated) if hasattr(field, "is_repeated") else field.label == 3


def _rename_map(field: Any, entries: Any, rename: Callable[[str], str]) -> None:
    holds_messages = field.message_type.fields_by_name["value"].message_type is not None
    pairs: list[tuple[Any, Any]] = []
    for key, value in entries.items():
        copied = value
        if holds_messages:
            copied = type(value)()
            copied.CopyFrom(value)
            _rename(copied, rename)
        elif isinstance(value, str | bytes):
            copied = _changed(value, rename)
        pairs.append((rename(key) if isinstance(key, str) else key, copied))
    entries.clear()
    for key, value in pairs:
        if holds_messages:
            entries[key].CopyFrom(value)
        else:
            entries[key] = value


def _changed(value: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return rename(value)
    try:
        return rename(value.decode("utf-8")).encode("utf-8")
    except UnicodeDecodeError:
        return value
