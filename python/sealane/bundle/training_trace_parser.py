"""``training.json`` and its batches → ``RecordedTrace``: nothing lenient (network format §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sealane.bundle.json_members import (
    Members,
    invalid,
    items,
    kind_of,
    mapping,
    not_negative,
    number,
    one_of,
    text,
)
from sealane.bundle.network_parser import artifact_errors
from sealane.bundle.network_weights import read_tensors
from sealane.bundle.strict_json import parse_strict_json
from sealane.bundle.training_trace import (
    CATEGORICAL,
    FORMAT,
    FORMAT_VERSION,
    LOSSES,
    Array,
    Digest,
    Loss,
    Optimizer,
    RecordedTrace,
    TraceStep,
    TraceTolerance,
    moving_weights,
)
from sealane.core import DType, ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sealane.bundle.limits import ReaderLimits
    from sealane.bundle.network import Network
    from sealane.bundle.network_shapes import LayerValue

MAX_STEPS = 1000


def parse_trace(
    data: bytes,
    batches: bytes,
    network: Network,
    values: Mapping[str, LayerValue],
    limits: ReaderLimits,
    where: str,
) -> RecordedTrace:
    """The trace of one pair of files, held against its network.

    Args:
        data: The bytes of ``training.json``.
        batches: The bytes of ``training.safetensors``.
        network: What was trained.
        values: From `check_network`.
        limits: Bounds on sizes, depth and strings.
        where: The file's name for messages.

    Raises:
        SealaneError: ARTIFACT_INVALID, ARTIFACT_UNSUPPORTED for another version of the format,
            LIMIT_EXCEEDED.
    """
    if len(data) > limits.golden_bytes:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED, f"{where}: {len(data)} bytes, limit {limits.golden_bytes}"
        )
    value = parse_strict_json(data, limits, where=where, code=ErrorCode.ARTIFACT_INVALID)
    tensors = read_tensors(batches, limits, where)
    with artifact_errors(where):
        members = Members(value, "trace", lenient=False)
        members.take("format", one_of((FORMAT,)))
        version = members.take("formatVersion", text)
        if version != FORMAT_VERSION:
            raise SealaneError(
                ErrorCode.ARTIFACT_UNSUPPORTED,
                f"{where}: trace format {version[:40]!r}, this reader knows {FORMAT_VERSION}",
            )
        trace = RecordedTrace(
            members.take("optimizer", _optimizer),
            members.take("loss", _loss),
            members.take_or("frozen", items(text), ()),
            members.take("steps", items(_step)),
            members.take("tolerance", _tolerance),
            tensors,
        )
        members.finish()
        check_trace(trace, network, values)
    return trace


def check_trace(trace: RecordedTrace, network: Network, values: Mapping[str, LayerValue]) -> None:
    """The rules between a trace and its network.

    Raises:
        SealaneError: MANIFEST_INVALID, which `artifact_errors` turns.
    """
    names = {layer.name for layer in network.layers}
    for name in trace.frozen:
        if name not in names:
            raise invalid("frozen", f"{name[:80]!r} is no layer")
    if len(set(trace.frozen)) != len(trace.frozen):
        raise invalid("frozen", "names a layer twice")
    for layer in network.layers:
        if layer.op == "dropout" and layer.attributes["rate"] and layer.name not in trace.frozen:
            raise invalid(f"layer {layer.name!r}", "drops out at random, which no trace can record")
    if not 1 <= len(trace.steps) <= MAX_STEPS:
        raise invalid("steps", f"{len(trace.steps)} steps, expected 1 to {MAX_STEPS}")
    learned, counted = moving_weights(network, trace.frozen)
    for index, step in enumerate(trace.steps):
        for what, given, wanted in (
            ("gradients", step.gradients, set(learned)),
            ("updates", step.updates, {*learned, *counted}),
        ):
            odd = sorted(given.keys() ^ wanted)
            if odd:
                raise invalid(f"steps[{index}].{what}", f"does not fit the weights: {odd[:4]}")
    _check_batches(trace, network, values)


def _check_batches(
    trace: RecordedTrace, network: Network, values: Mapping[str, LayerValue]
) -> None:
    output = next((each for each in network.outputs if each.name == trace.loss.output), None)
    if output is None:
        raise invalid("loss.output", f"{trace.loss.output[:80]!r} is no output")
    left = dict(trace.batches)
    found = values[output.layer]
    categorical = trace.loss.kind in CATEGORICAL
    if categorical and found.rank != 2:
        raise invalid("loss", f"{trace.loss.kind} needs rows of classes, the output is {found}")
    for index in range(len(trace.steps)):
        sizes: set[int] = set()
        for each in network.inputs:
            array = _taken(left, f"step{index}:input:{each.name}")
            _fit(array, values[each.name].dtype, values[each.name].dims, each.name)
            sizes.add(array.shape[0])
        target = _taken(left, f"step{index}:target")
        dtype = DType.INT64 if categorical else DType.FP32
        _fit(target, dtype, found.dims[:1] if categorical else found.dims, "target")
        if len(sizes | {target.shape[0]}) != 1 or target.shape[0] == 0:
            raise invalid(f"steps[{index}]", "its arrays have different numbers of rows, or none")
        if categorical and not _are_classes(target, found):
            raise invalid(f"steps[{index}]", "a target is no class of the output")
    if left:
        raise invalid("batches", f"{min(left)[:80]!r} belongs to no step")


def _are_classes(target: Array, output: LayerValue) -> bool:
    most = output.dims[1]
    return bool(target.min() >= 0) and not (isinstance(most, int) and bool(target.max() >= most))


def _taken(left: dict[str, Array], name: str) -> Array:
    if name not in left:
        raise invalid("batches", f"tensor {name[:80]!r} is missing")
    return left.pop(name)


def _fit(array: Array, dtype: DType, dims: tuple[object, ...], name: str) -> None:
    fits = len(array.shape) == len(dims) and all(
        size == dim for size, dim in zip(array.shape, dims, strict=True) if isinstance(dim, int)
    )
    if not fits or array.dtype != dtype.numpy:
        shown = f"{dtype.value}[{', '.join(map(str, dims))}]"
        raise invalid("batches", f"{name!r} is {array.dtype}{list(array.shape)}, expected {shown}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise invalid("batches", f"{name!r} holds a value that is not finite")


def _optimizer(value: object, where: str) -> Optimizer:
    members = Members(value, where, lenient=False)
    kind = members.take("kind", one_of(("sgd", "nesterov", "adam")))
    rate = members.take("learningRate", _positive)
    if kind == "sgd":
        made = Optimizer(kind, rate)
    elif kind == "nesterov":
        made = Optimizer(kind, rate, members.take("momentum", _share))
    else:
        made = Optimizer(
            kind,
            rate,
            beta1=members.take("beta1", _share),
            beta2=members.take("beta2", _share),
            epsilon=members.take("epsilon", _epsilon),
            epsilon_form=members.take("epsilonForm", one_of(("corrected", "uncorrected"))),
        )
    members.finish()
    return made


def _positive(value: object, where: str) -> float:
    parsed = number(value, where)
    if parsed <= 0:
        raise invalid(where, f"{parsed} is not above 0")
    return parsed


def _epsilon(value: object, where: str) -> float:
    parsed = _positive(value, where)
    if parsed > 1:
        raise invalid(where, f"{parsed} is above 1")
    return parsed


def _share(value: object, where: str) -> float:
    parsed = number(value, where)
    if not 0 <= parsed < 1:
        raise invalid(where, f"{parsed} is outside 0..1, 1 excluded")
    return parsed


def _loss(value: object, where: str) -> Loss:
    members = Members(value, where, lenient=False)
    loss = Loss(members.take("kind", one_of(LOSSES)), members.take("output", text))
    members.finish()
    return loss


def _step(value: object, where: str) -> TraceStep:
    members = Members(value, where, lenient=False)
    step = TraceStep(
        members.take("loss", number),
        members.take("gradients", mapping(_digest)),
        members.take("updates", mapping(_digest)),
    )
    members.finish()
    return step


def _digest(value: object, where: str) -> Digest:
    parse: Callable[[object, str], tuple[float, ...]] = items(number)
    parts = parse(value, where)
    if len(parts) != 2 or parts[0] < 0:
        raise invalid(where, f"expected a norm and a sum, received {kind_of(value)}")
    return (parts[0], parts[1])


def _tolerance(value: object, where: str) -> TraceTolerance:
    members = Members(value, where, lenient=False)
    tolerance = TraceTolerance(
        members.take("loss", not_negative),
        members.take("gradients", not_negative),
        members.take("updates", not_negative),
    )
    members.finish()
    return tolerance
