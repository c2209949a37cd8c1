"""The names in an ONNX model, which must be text (bundle format §4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sealane.bundle.onnx_constants import subgraphs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto


def has_text_names(model: ModelProto) -> bool:
    """Whether every name is UTF-8. Protobuf hands out other bytes as they are, where str is due."""
    return all(isinstance(name, str) for name in _model_names(model))


def _model_names(model: ModelProto) -> Iterator[object]:
    yield from _graph_names(model.graph)
    for training in model.training_info:
        yield from _graph_names(training.initialization)
        yield from _graph_names(training.algorithm)
    for function in model.functions:
        yield from (function.name, function.domain, function.overload)
        yield from function.input
        yield from function.output
        yield from (value.name for value in function.value_info)
        yield from _attribute_names(function.attribute_proto)
        yield from _node_names(function.node)


def _graph_names(graph: GraphProto) -> Iterator[object]:
    for values in (graph.input, graph.output, graph.value_info):
        yield from (value.name for value in values)
    for tensor in graph.initializer:
        yield from _tensor_names(tensor)
    for sparse in graph.sparse_initializer:
        yield from _tensor_names(sparse.values)
        yield from _tensor_names(sparse.indices)
    yield from _node_names(graph.node)


def _node_names(nodes: Iterable[NodeProto]) -> Iterator[object]:
    for node in nodes:
        yield from (node.op_type, node.domain, node.overload)
        yield from node.input
        yield from node.output
        yield from _attribute_names(node.attribute)
        for graph in subgraphs(node):
            yield from _graph_names(graph)


def _attribute_names(attributes: Iterable[AttributeProto]) -> Iterator[object]:
    for attribute in attributes:
        yield from (attribute.name, attribute.ref_attr_name)
        if attribute.HasField("t"):
            yield from _tensor_names(attribute.t)
        for tensor in attribute.tensors:
            yield from _tensor_names(tensor)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from _tensor_names(sparse.values)
            yield from _tensor_names(sparse.indices)


def _tensor_names(tensor: TensorProto) -> Iterator[object]:
    yield tensor.name
    for entry in tensor.external_data:
        yield from (entry.key, entry.value)
