"""Rewrites of an ONNX graph that keep what it computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from onnx import helper, inliner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sealane.core import Signature


def all_graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The main graph and every subgraph below it."""
    pending = [model.graph]
    while pending:
        graph = pending.pop()
        yield graph
        for node in graph.node:
            pending += [a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
            pending += [g for a in node.attribute for g in a.graphs]


def inline_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Model-local functions put in place of their calls, so that none remain."""
    return inliner.inline_local_functions(model) if model.functions else model


def scrub(model: onnx.ModelProto, name: str) -> None:
    """Remove what the computation does not need and what may name a person's machine.

    Clears documentation, metadata properties (exporters keep stack traces and source paths there)
    and the shapes of intermediate values, which the runtime infers itself.
    """
    model.ClearField("metadata_props")
    model.doc_string = ""
    model.domain = ""
    model.graph.name = name
    for graph in all_graphs(model):
        graph.ClearField("value_info")
        graph.ClearField("metadata_props")
        graph.ClearField("quantization_annotation")
        graph.doc_string = ""
        for part in (graph.node, graph.input, graph.output, graph.initializer):
            for entry in part:
                entry.doc_string = ""
                entry.ClearField("metadata_props")
        for node in graph.node:
            for attribute in node.attribute:
                attribute.doc_string = ""


def drop_unused_opsets(model: onnx.ModelProto) -> None:
    """Keep one import per domain, and only of domains whose operators are used."""
    used = {node.domain for graph in all_graphs(model) for node in graph.node} | {""}
    used = {"" if domain == "ai.onnx" else domain for domain in used}
    versions: dict[str, int] = {}
    for entry in model.opset_import:
        domain = "" if entry.domain == "ai.onnx" else entry.domain
        if domain in used:
            versions[domain] = max(entry.version, versions.get(domain, 0))
    model.ClearField("opset_import")
    model.opset_import.extend(helper.make_opsetid(d, v) for d, v in sorted(versions.items()))


def drop_unused_initializers(model: onnx.ModelProto) -> None:
    """Remove constants that no node reads and that are not outputs."""
    used = {name for graph in all_graphs(model) for node in graph.node for name in node.input}
    for graph in all_graphs(model):
        read = used | {value.name for value in graph.output}
        kept = [tensor for tensor in graph.initializer if tensor.name in read]
        if len(kept) != len(graph.initializer):
            graph.ClearField("initializer")
            graph.initializer.extend(kept)


def rename_values(model: onnx.ModelProto, names: Mapping[str, str]) -> None:
    """Rename tensors everywhere, moving a value that already holds a wanted name out of the way."""
    changes = {old: new for old, new in names.items() if old != new}
    wanted = set(changes.values())
    taken = {v for graph in all_graphs(model) for v in _values(graph)}
    for clash in sorted((taken & wanted) - set(changes)):
        changes[clash] = _fresh(f"{clash}__inner", taken | wanted)
        taken.add(changes[clash])
    for graph in all_graphs(model):
        for part in (graph.input, graph.output, graph.initializer, graph.value_info):
            for entry in part:
                entry.name = changes.get(entry.name, entry.name)
        for node in graph.node:
            for side in (node.input, node.output):
                for index, value in enumerate(side):
                    side[index] = changes.get(value, value)


def separate_passed_through(model: onnx.ModelProto) -> None:
    """Give every graph output a node of its own.

    An output that is an input, a constant or a repeat of another output could not carry a name of
    its own; an Identity makes it one.
    """
    graph = model.graph
    produced = {value for node in graph.node for value in node.output}
    taken = set(_values(graph))
    seen: set[str] = set()
    for output in graph.output:
        if output.name in produced and output.name not in seen:
            seen.add(output.name)
            continue
        fresh = _fresh(f"{output.name}__out", taken)
        taken.add(fresh)
        graph.node.append(helper.make_node("Identity", [output.name], [fresh]))
        output.name = fresh


def expand_hard_swish(model: onnx.ModelProto) -> None:
    """Write HardSwish as ``x * HardSigmoid(x, 1/6, 1/2)``, which is its definition.

    ONNX Runtime up to 1.29 parses the operator's body from text with the process's locale: under a
    decimal comma HardSwish is zero everywhere in a JVM (onnx#8111). HardSigmoid has its own kernel.
    """
    for graph in all_graphs(model):
        taken = set(_values(graph))
        nodes: list[onnx.NodeProto] = []
        for node in graph.node:
            if node.op_type != "HardSwish" or node.domain not in ("", "ai.onnx"):
                nodes.append(node)
                continue
            gate = _fresh(f"{node.output[0]}__gate", taken)
            taken.add(gate)
            nodes += [
                helper.make_node("HardSigmoid", [node.input[0]], [gate], alpha=1 / 6, beta=0.5),
                helper.make_node("Mul", [node.input[0], gate], [node.output[0]], name=node.name),
            ]
        if len(nodes) != len(graph.node):
            graph.ClearField("node")
            graph.node.extend(nodes)


def declare_shapes(model: onnx.ModelProto, signature: Signature) -> None:
    """Write the signature's dims on the graph's inputs and outputs, in the signature's order."""
    for part, specs in (
        (model.graph.input, signature.inputs),
        (model.graph.output, signature.outputs),
    ):
        by_name = {value.name: value for value in part}
        ordered: list[onnx.ValueInfoProto] = []
        for spec in specs:
            value = by_name[spec.name]
            elem_type = value.type.tensor_type.elem_type
            ordered.append(helper.make_tensor_value_info(spec.name, elem_type, list(spec.shape)))
        del part[:]
        part.extend(ordered)


def _values(graph: onnx.GraphProto) -> list[str]:
    names = [entry.name for entry in graph.input]
    names += [tensor.name for tensor in graph.initializer]
    names += [value for node in graph.node for value in (*node.input, *node.output) if value]
    return names


def _fresh(name: str, taken: set[str]) -> str:
    candidate, index = name, 1
    while candidate in taken:
        candidate, index = f"{name}{index}", index + 1
    return candidate
