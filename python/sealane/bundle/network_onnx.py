"""A network as an ONNX model, the same bytes in every language (network format §4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import ModelProto, NodeProto, ValueInfoProto

from sealane.bundle.dtype_codes import ONNX
from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.network_graph import GraphWriter
from sealane.bundle.network_nodes import add_layer
from sealane.bundle.network_shapes import LayerValue, SymbolicDim
from sealane.bundle.network_weights import check_network
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sealane.bundle.network import Network, Weights

IR_VERSION = 9
OPSET = 20
PRODUCER = "sealane"
RESERVED = ("layer:", "weight:", "constant:")
"""How names begin that a feature program must leave to the network."""


def network_to_onnx(
    network: Network, weights: Weights, name: str, features: ModelProto | None = None
) -> ModelProto:
    """The ONNX model of a network.

    ``SerializeToString(deterministic=True)`` of it gives the bytes of the format.

    Args:
        network: That keeps the rules of the format.
        weights: By tensor name.
        name: The graph's name.
        features: The feature program in front, left unchanged; None for none.

    Raises:
        SealaneError: ARTIFACT_INVALID when network and weights do not fit the format, or a feature
            program can not be put in front of it.
    """
    values = check_network(network, weights, DEFAULT_LIMITS, name)
    writer = GraphWriter(weights)
    for layer in network.layers:
        add_layer(writer, layer, values)
    for output in network.outputs:
        writer.node("Identity", [writer.value(output.layer)], output.name)
    model = ModelProto(ir_version=IR_VERSION, producer_name=PRODUCER)
    model.opset_import.add(version=OPSET)
    graph = model.graph
    graph.name = name
    if features is None:
        for each in network.inputs:
            graph.input.append(_value_info(each.name, values[each.name]))
    else:
        _put_features(model, features)
    graph.node.extend(writer.nodes)
    graph.initializer.extend(writer.initializers)
    for output in network.outputs:
        graph.output.append(_value_info(output.name, values[output.layer]))
    return model


def check_features(features: ModelProto, where: str) -> None:
    """Whether a feature program can stand in front of a network.

    Raises:
        SealaneError: ARTIFACT_INVALID.
    """
    graph = features.graph
    stored = {tensor.name for tensor in graph.initializer}
    opsets = {each.domain: each.version for each in features.opset_import}
    fault = None
    if opsets.get("", opsets.get("ai.onnx")) != OPSET:
        fault = f"imports another opset than {OPSET} of the default domain"
    elif features.functions or graph.sparse_initializer:
        fault = "has functions or sparse initializers"
    elif any(value.name in stored for value in graph.input):
        fault = "has an initializer among its inputs"
    else:
        taken = [name for name in _names(graph.node, stored) if name.startswith(RESERVED)]
        if taken:
            fault = f"holds the name {taken[0][:80]!r}, which belongs to the network"
    if fault is not None:
        raise SealaneError(ErrorCode.ARTIFACT_INVALID, f"{where}: {fault}", {"path": where})


def _names(nodes: Iterable[NodeProto], stored: set[str]) -> list[str]:
    names = sorted(stored)
    for node in nodes:
        names += [*node.input, *node.output]
    return names


def _put_features(model: ModelProto, features: ModelProto) -> None:
    check_features(features, "features")
    for each in features.opset_import:
        if each.domain not in ("", "ai.onnx"):
            model.opset_import.add(domain=each.domain, version=each.version)
    model.graph.node.extend(features.graph.node)
    model.graph.initializer.extend(features.graph.initializer)
    model.graph.input.extend(features.graph.input)


def _value_info(name: str, value: LayerValue) -> ValueInfoProto:
    info = ValueInfoProto(name=name)
    kind = info.type.tensor_type
    kind.elem_type = ONNX[value.dtype]
    kind.shape.SetInParent()
    for dim in value.dims:
        written = kind.shape.dim.add()
        if not isinstance(dim, SymbolicDim):
            written.dim_value = dim
        elif dim.offset == 0 and not dim.base.startswith("["):
            written.dim_param = dim.base
    return info
