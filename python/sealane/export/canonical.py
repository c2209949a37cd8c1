"""One order and one set of names for an ONNX graph, whatever a converter's counters say."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from onnx import AttributeProto, NodeProto, helper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import onnx

_DRAWING = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"}
    | {"RandomUniformLike", "Dropout"}
)
_TABLES = {"LabelEncoder": ("keys_", "values_"), "CategoryMapper": ("cats_s", "cats_i")}
_COUNTER = re.compile(r"__\d+")


def settle(model: onnx.ModelProto) -> None:
    """Order nodes by what the outputs need, and name them and what they make by that order.

    Nodes stand as a walk from the outputs back to the inputs leaves them, each after what it reads;
    those that no output needs are gone. A node keeps its name without the converter's counters,
    made unique by one of its own; an initializer is named by its first use. Equal constants become
    one, and so do equal nodes that read the same values. Graph inputs and
    outputs keep their names, and so do values inside a node's own graphs. Lookup
    tables are sorted by key.

    Args:
        model: Without functions; changed in place.
    """
    graph = model.graph
    for node in graph.node:
        _sort_table(node)
    kept = {value.name for value in (*graph.input, *graph.output)}
    nodes = _merged(graph, _ordered(graph), kept)
    names = _names(graph, nodes, kept)
    for node in nodes:
        _rename(node, names)
    used = {name for node in nodes for name in _reads(node)} | kept
    constants = {names.get(each.name, each.name): each for each in graph.initializer}
    for name, tensor in constants.items():
        tensor.name = name
    ordered = [constants[name] for name in sorted(constants.keys() & used, key=_natural)]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.ClearField("initializer")
    graph.initializer.extend(ordered)
    graph.ClearField("value_info")


def _ordered(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    makers = {name: node for node in graph.node for name in node.output if name}
    order: list[onnx.NodeProto] = []
    done: set[int] = set()
    for output in graph.output:
        stack = [(makers[output.name], False)] if output.name in makers else []
        while stack:
            node, expanded = stack.pop()
            if id(node) in done:
                continue
            if expanded:
                done.add(id(node))
                order.append(node)
                continue
            stack.append((node, True))
            reads = [makers[name] for name in _reads(node) if name in makers]
            stack += [(each, False) for each in reversed(reads) if id(each) not in done]
    return order


def _merged(
    graph: onnx.GraphProto, nodes: list[onnx.NodeProto], kept: set[str]
) -> list[onnx.NodeProto]:
    """The nodes in their order, each reading the first of equal constants and equal nodes."""
    first: dict[bytes, list[str]] = {}
    names: dict[str, str] = {}
    for tensor in graph.initializer:
        if tensor.name not in kept:
            names[tensor.name] = first.setdefault(_content(tensor), [tensor.name])[0]
    merged: list[onnx.NodeProto] = []
    for node in nodes:
        _rename(node, names)
        if node.op_type in _DRAWING or kept.intersection(node.output):
            merged.append(node)
            continue
        same = first.setdefault(_content(node), list(node.output))
        if same == list(node.output):
            merged.append(node)
        names |= dict(zip(node.output, same, strict=True))
    return merged


def _content(part: onnx.NodeProto | onnx.TensorProto) -> bytes:
    """A digest of a constant or node but for its name and the names of what it makes."""
    copied = type(part).FromString(part.SerializeToString())
    copied.name = ""
    if isinstance(copied, NodeProto):
        outputs = ["" if not name else "_" for name in copied.output]
        del copied.output[:]
        copied.output.extend(outputs)
    digest = hashlib.sha256(type(part).__name__.encode())
    digest.update(copied.SerializeToString(deterministic=True))
    return digest.digest()


def _reads(node: onnx.NodeProto) -> Iterator[str]:
    """What a node and the graphs inside it read, in order."""
    yield from (name for name in node.input if name)
    for attribute in sorted(node.attribute, key=lambda each: each.name):
        for graph in _graphs(attribute):
            for inner in graph.node:
                yield from _reads(inner)
            yield from (value.name for value in graph.output)


def _graphs(attribute: onnx.AttributeProto) -> list[onnx.GraphProto]:
    single = [attribute.g] if attribute.type == AttributeProto.GRAPH else []
    return [*single, *attribute.graphs]


def _names(graph: onnx.GraphProto, nodes: list[onnx.NodeProto], kept: set[str]) -> dict[str, str]:
    """New names of the values, and of the nodes under ``node <old name>``."""
    constants = {tensor.name for tensor in graph.initializer}
    taken, names = kept | set(_inner_names(nodes)), dict[str, str]()
    for node in nodes:
        stem = _COUNTER.sub("", node.name) or node.op_type
        label, count = stem, 1
        while label in taken or f"{label}:0" in taken:
            count += 1
            label = f"{stem}_{count}"
        node.name = label
        taken |= {label, f"{label}:0"}
        for index, name in enumerate(node.output):
            if name and name not in kept:
                names[name] = f"{label}:{index}"
    for node in nodes:
        for name in _reads(node):
            if name in constants and name not in names and name not in kept:
                label = f"constant_{len(names)}"
                while label in taken:
                    label += "_"
                names[name] = label
    return names


def _inner_names(nodes: Iterable[onnx.NodeProto]) -> Iterator[str]:
    """What the graphs inside nodes call their values."""
    for node in nodes:
        for graph in (each for attribute in node.attribute for each in _graphs(attribute)):
            for inner in graph.node:
                yield from inner.output
            yield from (value.name for value in (*graph.input, *graph.initializer))
            yield from _inner_names(graph.node)


def _rename(node: onnx.NodeProto, names: dict[str, str]) -> None:
    for side in (node.input, node.output):
        side[:] = [names.get(name, name) for name in side]
    attributes = sorted(node.attribute, key=lambda each: each.name)
    del node.attribute[:]
    node.attribute.extend(attributes)
    for attribute in node.attribute:
        for graph in _graphs(attribute):
            for inner in graph.node:
                _rename(inner, names)
            for value in graph.output:
                value.name = names.get(value.name, value.name)


def _natural(name: str) -> tuple[str, int]:
    stem, _, number = name.rpartition("_")
    return (stem, int(number)) if number.isdigit() else (name, 0)


def _sort_table(node: onnx.NodeProto) -> None:
    found = {each.name: each for each in node.attribute}
    names = [
        [name for name in found if name.startswith(side) and not name.endswith("tensor")]
        for side in _TABLES.get(node.op_type, ())
    ]
    if [len(each) for each in names] != [1, 1]:
        return
    sides = [found[name] for (name,) in names]
    columns = [helper.get_attribute_value(each) for each in sides]
    pairs = sorted(zip(*columns, strict=True), key=lambda pair: pair[0])
    for each, column in zip(sides, zip(*pairs, strict=True), strict=True):
        each.CopyFrom(helper.make_attribute(each.name, list(column)))
