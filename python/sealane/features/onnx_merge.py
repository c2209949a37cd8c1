"""Puts the feature program in front of a model's graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from onnx import helper

from sealane.core import ErrorCode, SealaneError
from sealane.features.onnx_graph import (
    ML_DOMAIN,
    ML_OPSET,
    PREFIX,
    OnnxOps,
    check_opset,
    value_info,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealane.features.fitted import FittedFeatures


def merge(fitted: FittedFeatures, model: onnx.ModelProto) -> onnx.ModelProto:
    """`FittedFeatures.prepend_onnx`."""
    merged = onnx.ModelProto()
    merged.CopyFrom(model)
    graph = merged.graph
    _check_opsets(merged)
    _check_interface(fitted, graph)
    ops = OnnxOps()
    made = fitted.run(ops, {spec.name: spec.name for spec in fitted.input_signature})
    renamed = _free_names(fitted, graph)
    for spec in fitted.output_signature:
        renamed[spec.name] = f"{PREFIX}{spec.name}"
    _rename(graph, renamed)
    for spec in fitted.output_signature:
        name = renamed[spec.name]
        ops.nodes.append(helper.make_node("Identity", [made[spec.name]], [name], name=name))
    _put_in_front(fitted, graph, ops)
    return merged


def _put_in_front(fitted: FittedFeatures, graph: onnx.GraphProto, ops: OnnxOps) -> None:
    features = {f"{PREFIX}{spec.name}" for spec in fitted.output_signature}
    others = [value for value in graph.input if value.name not in features]
    nodes = list(graph.node)
    del graph.input[:]
    del graph.node[:]
    graph.input.extend(value_info(spec, spec.name) for spec in fitted.input_signature)
    graph.input.extend(others)
    graph.node.extend([*ops.nodes, *nodes])
    graph.initializer.extend(ops.initializers)


def _check_opsets(model: onnx.ModelProto) -> None:
    versions = {opset.domain: opset.version for opset in model.opset_import}
    check_opset(versions.get("", versions.get("ai.onnx", 0)))
    version = versions.get(ML_DOMAIN)
    if version is None:
        model.opset_import.append(helper.make_opsetid(ML_DOMAIN, ML_OPSET))
    elif not 2 <= version <= ML_OPSET:
        raise SealaneError(
            ErrorCode.EXPORT_UNSUPPORTED,
            f"The model imports {ML_DOMAIN} {version}; features need 2 or {ML_OPSET}.",
        )


def _check_interface(fitted: FittedFeatures, graph: onnx.GraphProto) -> None:
    given = {value.name: value for value in graph.input}
    for spec in fitted.output_signature:
        value = given.get(spec.name)
        wanted = value_info(spec, spec.name).type.tensor_type.elem_type
        if value is None or value.type.tensor_type.elem_type != wanted:
            state = "does not have it" if value is None else "has it with another dtype"
            raise SealaneError(
                ErrorCode.EXPORT_UNSUPPORTED,
                f"The features give {spec}, and the model {state}. Its inputs: "
                f"{', '.join(given)}. Name the model's arguments as the features' outputs.",
            )
    features = {spec.name for spec in fitted.output_signature}
    kept = (set(given) - features) | {value.name for value in graph.output}
    for spec in fitted.input_signature:
        if spec.name in kept:
            raise SealaneError(
                ErrorCode.EXPORT_UNSUPPORTED,
                f"The raw column {spec.name!r} is also another input or an output of the model. "
                "Rename the model's.",
            )


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _graphs(inner)


def _names(graph: onnx.GraphProto) -> set[str]:
    names: set[str] = set()
    for inner in _graphs(graph):
        for values in (inner.input, inner.output, inner.value_info, inner.initializer):
            names.update(value.name for value in values)
        names.update(tensor.values.name for tensor in inner.sparse_initializer)
        for node in inner.node:
            names.update((*node.input, *node.output))
    return names


def _free_names(fitted: FittedFeatures, graph: onnx.GraphProto) -> dict[str, str]:
    """New names for the model's inner values that are named like a raw column or a feature step."""
    raw = {spec.name for spec in fitted.input_signature}
    names = _names(graph)
    renamed: dict[str, str] = {}
    for name in sorted(names):
        if name in raw or name.startswith(PREFIX):
            free = f"model/{name}"
            while free in names or free in renamed.values():
                free = f"model/{free}"
            renamed[name] = free
    return renamed


def _rename(graph: onnx.GraphProto, renamed: dict[str, str]) -> None:
    for inner in _graphs(graph):
        for values in (inner.input, inner.output, inner.value_info, inner.initializer):
            for value in values:
                value.name = renamed.get(value.name, value.name)
        for tensor in inner.sparse_initializer:
            tensor.values.name = renamed.get(tensor.values.name, tensor.values.name)
        for annotation in inner.quantization_annotation:
            annotation.tensor_name = renamed.get(annotation.tensor_name, annotation.tensor_name)
        for node in inner.node:
            node.input[:] = [renamed.get(name, name) for name in node.input]
            node.output[:] = [renamed.get(name, name) for name in node.output]
