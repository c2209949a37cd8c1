"""A trained model as layers and weights, free of its framework (``docs/network-format.md``)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.core import DType
    from sealane.core.signature import Dim

NETWORK_NAME = "network.json"
WEIGHTS_NAME = "weights.safetensors"
FEATURES_NAME = "features.onnx"
TRACE_NAME = "training.json"
BATCHES_NAME = "training.safetensors"
FORMAT = "sealane-network"
FORMAT_VERSION = "1.0"
BATCH = "batch"

Attribute = bool | int | float | str | tuple[int, ...]
"""The value of a layer's attribute."""

Weights = dict[str, np.ndarray[Any, np.dtype[Any]]]
"""A network's weights: tensor name → float32 array of the shape that the layer's operator gives."""


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """A value given to the network.

    Attributes:
        name: Unique among inputs and layers.
        dtype: ``FP32``, or ``INT64`` for indices.
        dims: ``batch``, then integers ≥ 1 or symbols.
    """

    name: str
    dtype: DType
    dims: tuple[Dim, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation of the network, whose meaning §4 of the format gives.

    Attributes:
        name: Unique among inputs and layers.
        op: The operator, such as ``dense``.
        inputs: Names of earlier layers or of network inputs.
        attributes: By name; those that were absent have their default.
        weights: Role (``weight``, ``bias``…) → name of the tensor.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    weights: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """A result of the network: the value of a layer under a name."""

    name: str
    layer: str


@dataclass(frozen=True, slots=True)
class Network:
    """A model as layers, in an order in which each stands after its inputs.

    Made by ``parse_network`` it fits the format; ``check_network`` tells of one made otherwise.
    """

    inputs: tuple[NetworkInput, ...]
    layers: tuple[Layer, ...]
    outputs: tuple[NetworkOutput, ...]

    def to_json(self) -> bytes:
        """``network.json``; equal networks give equal bytes."""
        document = {
            "format": FORMAT,
            "formatVersion": FORMAT_VERSION,
            "inputs": [
                {"name": each.name, "dtype": each.dtype.value, "dims": list(each.dims)}
                for each in self.inputs
            ],
            "layers": [_layer_json(each) for each in self.layers],
            "outputs": [{"name": each.name, "layer": each.layer} for each in self.outputs],
        }
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8") + b"\n"

    def weight_names(self) -> tuple[str, ...]:
        """The tensors of all layers, in the order of layers and roles."""
        return tuple(name for layer in self.layers for name in layer.weights.values())


def _layer_json(layer: Layer) -> dict[str, object]:
    document: dict[str, object] = {
        "name": layer.name,
        "op": layer.op,
        "inputs": list(layer.inputs),
    }
    for name, value in layer.attributes.items():
        document[name] = list(value) if isinstance(value, tuple) else value
    if layer.weights:
        document["weights"] = dict(layer.weights)
    return document
