"""A network's weights, and the rules that network and weights keep together (network format §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sealane.bundle.json_members import invalid
from sealane.bundle.network_parser import artifact_errors, check_graph
from sealane.bundle.network_shapes import LayerValue, infer_shapes
from sealane.bundle.safetensors import read_safetensors, write_safetensors
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.bundle.limits import ReaderLimits
    from sealane.bundle.network import Network, Weights


def read_weights(data: bytes, limits: ReaderLimits, where: str) -> Weights:
    """The tensors of ``weights.safetensors``, as read-only views of ``data``.

    Raises:
        SealaneError: ARTIFACT_INVALID, LIMIT_EXCEEDED.
    """
    tensors = read_tensors(data, limits, where)
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32:
            raise _invalid(where, f"tensor {name[:80]!r} is {tensor.dtype}, expected float32")
        if not np.isfinite(tensor).all():
            raise _invalid(where, f"tensor {name[:80]!r} holds a value that is not finite")
    return tensors


def read_tensors(data: bytes, limits: ReaderLimits, where: str) -> Weights:
    """The tensors of a safetensors file that belongs to an artifact.

    Raises:
        SealaneError: ARTIFACT_INVALID, LIMIT_EXCEEDED.
    """
    try:
        return read_safetensors(data, limits, where)
    except SealaneError as error:
        if error.code is not ErrorCode.GOLDEN_INVALID:
            raise
        raise SealaneError(ErrorCode.ARTIFACT_INVALID, error.message, error.details) from None


def write_weights(network: Network, weights: Weights) -> bytes:
    """``weights.safetensors``, the tensors in the order of layers and roles."""
    return write_safetensors({name: weights[name] for name in network.weight_names()})


def check_network(
    network: Network, weights: Weights, limits: ReaderLimits, where: str
) -> dict[str, LayerValue]:
    """Check all that network and weights must keep.

    Args:
        network: Parsed, or made by an exporter.
        weights: By tensor name.
        limits: Bound on one tensor.
        where: Name of the network for messages.

    Returns:
        The value of every input and layer, by name.

    Raises:
        SealaneError: ARTIFACT_INVALID naming the layer, LIMIT_EXCEEDED.
    """
    with artifact_errors(where):
        check_graph(network)
        _check_uses(network, weights)
        shapes = {name: tensor.shape for name, tensor in weights.items()}
        values = infer_shapes(network, shapes, limits)
    for name, tensor in weights.items():
        if tensor.dtype != np.float32 or not np.isfinite(tensor).all():
            raise _invalid(where, f"tensor {name[:80]!r} must be float32 and finite")
    return values


def _check_uses(network: Network, weights: Mapping[str, object]) -> None:
    used: set[str] = set()
    for layer in network.layers:
        for role, name in layer.weights.items():
            if name in used:
                raise invalid(f"layer {layer.name!r}", f"{role} {name!r} is used twice")
            if name not in weights:
                raise invalid(f"layer {layer.name!r}", f"{role} {name!r} is not in the weights")
            used.add(name)
    spare = sorted(weights.keys() - used)
    if spare:
        raise invalid("weights", f"{spare[0][:80]!r} is used by no layer")


def _invalid(where: str, problem: str) -> SealaneError:
    return SealaneError(ErrorCode.ARTIFACT_INVALID, f"{where}: {problem}", {"path": where})
