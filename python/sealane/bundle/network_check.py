"""A ``dl4j`` variant: its files, and whether they are what the manifest says (format §4.6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sealane.bundle.manifest import Bindings
from sealane.bundle.network import (
    BATCHES_NAME,
    FEATURES_NAME,
    NETWORK_NAME,
    TRACE_NAME,
    WEIGHTS_NAME,
)
from sealane.bundle.network_parser import parse_network
from sealane.bundle.network_shapes import LayerValue, SymbolicDim
from sealane.bundle.network_weights import check_network, read_weights
from sealane.bundle.training_trace_parser import parse_trace
from sealane.core import ErrorCode, SealaneError, Signature, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sealane.bundle.limits import ReaderLimits
    from sealane.bundle.manifest import Variant
    from sealane.bundle.network import Network, Weights
    from sealane.bundle.training_trace import RecordedTrace

FILES = (NETWORK_NAME, WEIGHTS_NAME, FEATURES_NAME, TRACE_NAME, BATCHES_NAME)
"""What may lie in the directory of a network."""


@dataclass(frozen=True, slots=True)
class NetworkFiles:
    """A variant's network as read.

    Attributes:
        network: Its layers.
        weights: By tensor name, views of the file's bytes.
        features: The bytes of the feature program, or None.
        trace: The golden training trace, or None.
    """

    network: Network
    weights: Weights
    features: bytes | None
    trace: RecordedTrace | None


def network_files(path: str, listed: Iterable[str]) -> dict[str, str]:
    """The files of a network by name, from the path of its ``network.json`` and all listed paths.

    Raises:
        SealaneError: ARTIFACT_INVALID for a file that does not belong there, or one that is not
            there.
    """
    folder = PurePosixPath(path).parent.as_posix()
    prefix = "" if folder == "." else f"{folder}/"
    found = {each.removeprefix(prefix): each for each in listed if each.startswith(prefix)}
    for name in found:
        if name not in FILES:
            raise _invalid(found[name], f"is no file of a network: {', '.join(FILES)}")
    if WEIGHTS_NAME not in found:
        raise _invalid(path, f"has no {WEIGHTS_NAME} beside it")
    if (TRACE_NAME in found) != (BATCHES_NAME in found):
        raise _invalid(path, f"{TRACE_NAME} and {BATCHES_NAME} come together")
    return found


def check_network_variant(
    variant: Variant,
    data: Callable[[str], bytes],
    signature: Signature,
    sizes: Mapping[str, int],
    limits: ReaderLimits,
) -> NetworkFiles:
    """Check one ``dl4j`` variant.

    Args:
        variant: Its entry in the manifest.
        data: The bytes of a listed file.
        signature: The bundle's signature.
        sizes: Size of every listed file, by path.
        limits: The reader's bounds.

    Raises:
        SealaneError: ARTIFACT_INVALID, ARTIFACT_UNSUPPORTED, ARTIFACT_UNSAFE, LIMIT_EXCEEDED.
    """
    where = network_files(variant.path, sizes)
    network = parse_network(data(variant.path), limits, variant.path)
    weights = read_weights(data(where[WEIGHTS_NAME]), limits, where[WEIGHTS_NAME])
    values = check_network(network, weights, limits, variant.path)
    outputs = {each.name: values[each.layer] for each in network.outputs}
    _check_side("output", outputs, signature.outputs, variant.bindings.outputs, variant.path)
    inputs = {each.name: values[each.name] for each in network.inputs}
    features = data(where[FEATURES_NAME]) if FEATURES_NAME in where else None
    if features is None:
        _check_side("input", inputs, signature.inputs, variant.bindings.inputs, variant.path)
    else:
        made = tuple(_spec(name, value) for name, value in inputs.items())
        program = replace(
            variant,
            path=where[FEATURES_NAME],
            bindings=Bindings(variant.bindings.inputs, {name: name for name in inputs}),
        )
        _check_features(program, features, Signature(signature.inputs, made), sizes, limits)
    trace = None
    if TRACE_NAME in where:
        steps, batches = data(where[TRACE_NAME]), data(where[BATCHES_NAME])
        trace = parse_trace(steps, batches, network, values, limits, where[TRACE_NAME])
    return NetworkFiles(network, weights, features, trace)


def _check_features(
    program: Variant,
    data: bytes,
    signature: Signature,
    sizes: Mapping[str, int],
    limits: ReaderLimits,
) -> None:
    from onnx import ModelProto

    from sealane.bundle.network_onnx import check_features
    from sealane.bundle.onnx_check import check_onnx

    check_onnx(program, data, signature, sizes, limits)
    check_features(ModelProto.FromString(data), program.path)


def _spec(name: str, value: LayerValue) -> TensorSpec:
    dims = tuple(str(dim) if isinstance(dim, SymbolicDim) else dim for dim in value.dims)
    return TensorSpec(name, value.dtype, dims)


def _check_side(
    side: str,
    found: Mapping[str, LayerValue],
    specs: tuple[TensorSpec, ...],
    names: Mapping[str, str],
    where: str,
) -> None:
    wanted = {names[spec.name]: spec for spec in specs}
    if found.keys() != wanted.keys():
        raise _invalid(where, f"{side}s are {sorted(found)}, the manifest binds {sorted(wanted)}")
    for name, value in found.items():
        spec = wanted[name]
        fits = value.dtype is spec.dtype and value.rank == len(spec.shape)
        if not fits or any(
            isinstance(dim, int) and dim != expected
            for dim, expected in zip(value.dims, spec.shape, strict=True)
        ):
            raise _invalid(where, f"{side} {name!r} is {value}, the signature has {spec}")


def _invalid(where: str, problem: str) -> SealaneError:
    return SealaneError(ErrorCode.ARTIFACT_INVALID, f"{where}: {problem}", {"path": where})
