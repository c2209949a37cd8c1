"""Nodes and initializers of an ONNX graph, in the order and form of the network format §4.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import AttributeProto, NodeProto, TensorProto

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.bundle.network import Layer, Weights

Array = np.ndarray[Any, np.dtype[Any]]
OnnxAttribute = int | float | str | tuple[int, ...]

_TYPES: dict[np.dtype[Any], int] = {
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.int64): TensorProto.INT64,
}


class GraphWriter:
    """Collects nodes and initializers; each initializer once, in the order of first use."""

    def __init__(self, weights: Weights) -> None:
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self._weights = weights
        self._stored: set[str] = set()
        self._alias: dict[str, str] = {}
        self._layers: set[str] = set()

    def value(self, name: str) -> str:
        """The graph's name for the value of an input or a layer."""
        if name in self._alias:
            return self._alias[name]
        return f"layer:{name}" if name in self._layers else name

    def pass_on(self, layer: Layer) -> None:
        """Let a layer's value be that of its input."""
        self._alias[layer.name] = self.value(layer.inputs[0])

    def result(self, layer: Layer) -> str:
        """The name of a layer's own value, known from now on."""
        self._layers.add(layer.name)
        return f"layer:{layer.name}"

    def weight(self, layer: Layer, role: str) -> Array:
        """The values of a layer's weight."""
        return self._weights[layer.weights[role]]

    def stored_weight(self, layer: Layer, role: str, value: Array | None = None) -> str:
        """The initializer of a weight, in its own form or as ``value``."""
        tensor = self.weight(layer, role) if value is None else value
        return self._store(f"weight:{layer.weights[role]}", tensor)

    def constant(self, layer: Layer, suffix: str, value: object, dtype: type[Any]) -> str:
        """The initializer of a constant of a layer."""
        tensor: Array = np.array(value, dtype)
        return self._store(f"constant:{layer.name}:{suffix}", tensor)

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: OnnxAttribute) -> str:
        """Add a node of one output, and return that."""
        self.node_with_outputs(op, inputs, [output], **attributes)
        return output

    def node_with_outputs(
        self,
        op: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        **attributes: OnnxAttribute,
    ) -> None:
        """Add a node, named as the first output it has."""
        name = next(each for each in outputs if each)
        node = NodeProto(input=inputs, output=outputs, name=name, op_type=op)
        for key, value in sorted(attributes.items()):
            node.attribute.append(_attribute(key, value))
        self.nodes.append(node)

    def _store(self, name: str, value: Array) -> str:
        if name not in self._stored:
            self._stored.add(name)
            data = value.astype(value.dtype.newbyteorder("<")).tobytes()
            tensor = TensorProto(
                dims=value.shape, data_type=_TYPES[value.dtype], name=name, raw_data=data
            )
            self.initializers.append(tensor)
        return name


def _attribute(name: str, value: OnnxAttribute) -> AttributeProto:
    if isinstance(value, float):
        return AttributeProto(name=name, f=value, type=AttributeProto.FLOAT)
    if isinstance(value, int):
        return AttributeProto(name=name, i=value, type=AttributeProto.INT)
    if isinstance(value, str):
        return AttributeProto(name=name, s=value.encode("utf-8"), type=AttributeProto.STRING)
    return AttributeProto(name=name, ints=value, type=AttributeProto.INTS)
