"""``network.json`` → ``Network``: nothing lenient (network format §2)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from sealane.bundle.json_members import Members, an_object, invalid, items, matching, one_of, text
from sealane.bundle.network import (
    BATCH,
    FORMAT,
    FORMAT_VERSION,
    Attribute,
    Layer,
    Network,
    NetworkInput,
    NetworkOutput,
)
from sealane.bundle.network_ops import OPERATORS, attribute_rules
from sealane.bundle.strict_json import parse_strict_json
from sealane.core import DType, ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Generator

    from sealane.bundle.limits import ReaderLimits
    from sealane.core.signature import Dim

MAX_LAYERS = 10_000
MAX_DIM = 1 << 31
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}")
_SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_MAX_RANK = 16
_name = matching(_NAME, "a name of the form [A-Za-z0-9_][A-Za-z0-9_./-]{0,199}")


def parse_network(data: bytes, limits: ReaderLimits, where: str) -> Network:
    """The network of one file, as far as it can be judged without the weights' shapes.

    Args:
        data: The bytes of ``network.json``.
        limits: Bounds on the file's size, depth and strings.
        where: The file's name for messages.

    Raises:
        SealaneError: ARTIFACT_INVALID naming the layer, ARTIFACT_UNSUPPORTED for another version
            of the format, LIMIT_EXCEEDED.
    """
    if len(data) > limits.manifest_bytes:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED, f"{where}: {len(data)} bytes, limit {limits.manifest_bytes}"
        )
    value = parse_strict_json(data, limits, where=where, code=ErrorCode.ARTIFACT_INVALID)
    with artifact_errors(where):
        members = Members(value, "network", lenient=False)
        members.take("format", one_of((FORMAT,)))
        version = members.take("formatVersion", text)
        if version != FORMAT_VERSION:
            raise SealaneError(
                ErrorCode.ARTIFACT_UNSUPPORTED,
                f"{where}: network format {version[:40]!r}, this reader knows {FORMAT_VERSION}",
            )
        network = Network(
            members.take("inputs", items(_input)),
            members.take("layers", _layers),
            members.take("outputs", items(_output)),
        )
        members.finish()
        check_graph(network)
    return network


@contextmanager
def artifact_errors(where: str) -> Generator[None]:
    """Give faults of JSON members the code of an artifact and the name of its file."""
    try:
        yield
    except SealaneError as error:
        if error.code is not ErrorCode.MANIFEST_INVALID:
            raise
        raise SealaneError(
            ErrorCode.ARTIFACT_INVALID,
            f"{where}: {error.message.removeprefix('sealane.json: ')}",
            {"path": where, **error.details},
        ) from None


def check_graph(network: Network) -> None:
    """The rules on names and on how layers hang together.

    Raises:
        SealaneError: MANIFEST_INVALID, which `artifact_errors` turns.
    """
    if not (network.inputs and network.outputs and network.layers):
        raise invalid("network", "needs at least one input, one layer and one output")
    known: set[str] = set()
    for each in network.inputs:
        _new_name(each.name, known, "inputs")
    used: set[str] = set()
    for layer in network.layers:
        where = f"layer {layer.name!r}"
        for name in layer.inputs:
            if name not in known:
                raise invalid(where, f"input {name!r} is no network input and no earlier layer")
        used.update(layer.inputs)
        _new_name(layer.name, known, "layers")
    _check_outputs(network, used)


def _new_name(name: str, known: set[str], where: str) -> None:
    if name in known:
        raise invalid(where, f"{name!r} appears twice among inputs and layers")
    known.add(name)


def _check_outputs(network: Network, used: set[str]) -> None:
    layers = {layer.name for layer in network.layers}
    taken = {each.name for each in network.inputs}
    for each in network.outputs:
        if each.layer not in layers:
            raise invalid("outputs", f"{each.layer!r} is no layer")
        if each.name in taken:
            raise invalid("outputs", f"{each.name!r} appears twice among inputs and outputs")
        taken.add(each.name)
    used = used | {each.layer for each in network.outputs}
    names = [each.name for each in (*network.inputs, *network.layers)]
    idle = [name for name in names if name not in used]
    if idle:
        raise invalid(f"layer {idle[0]!r}", "leads to no output")


def _input(value: object, where: str) -> NetworkInput:
    members = Members(value, where, lenient=False)
    name = members.take("name", _name)
    dtype = DType(members.take("dtype", one_of((DType.FP32.value, DType.INT64.value))))
    dims = members.take("dims", items(_dim))
    members.finish()
    if not dims or dims[0] != BATCH or len(dims) > _MAX_RANK:
        raise invalid(where, f"dims of input {name!r} must begin with {BATCH!r}, at most 16")
    if BATCH in dims[1:]:
        raise invalid(where, f"input {name!r} has the dim {BATCH!r} twice")
    return NetworkInput(name, dtype, dims)


def _dim(value: object, where: str) -> Dim:
    if isinstance(value, str):
        return matching(_SYMBOL, "a symbol")(value, where)
    if type(value) is not int or not 1 <= value < MAX_DIM:
        raise invalid(where, "expected a symbol or an integer from 1 to 2^31 - 1")
    return value


def _layers(value: object, where: str) -> tuple[Layer, ...]:
    if isinstance(value, list) and len(cast("list[object]", value)) > MAX_LAYERS:
        raise invalid(where, f"more than {MAX_LAYERS} layers")
    return items(_layer)(cast("object", value), where)


def _layer(value: object, where: str) -> Layer:
    members = Members(value, where, lenient=False)
    name = members.take("name", _name)
    members = Members(value, f"layer {name!r}", lenient=False)
    members.take("name", _name)
    op = members.take("op", one_of(tuple(OPERATORS)))
    operator = OPERATORS[op]
    inputs = members.take("inputs", items(_name))
    if len(inputs) < operator.least or (operator.most and len(inputs) > operator.most):
        expected = f"{operator.least}" if operator.most else f"{operator.least} or more"
        raise invalid(f"layer {name!r}", f"{op} takes {expected} inputs, received {len(inputs)}")
    attributes = _attributes(members, op)
    weights: dict[str, str] = {}
    if operator.roles:
        given = members.take("weights", an_object)
        weights = _weights(given, op, f"layer {name!r}.weights")
    members.finish()
    return Layer(name, op, inputs, attributes, weights)


def _attributes(members: Members, op: str) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    for rule in attribute_rules(op):
        if rule.default is None:
            attributes[rule.name] = members.take(rule.name, rule.parse)
        else:
            attributes[rule.name] = members.take_or(rule.name, rule.parse, rule.default)
    for rule in attribute_rules(op, str(attributes.get("function")))[len(attributes) :]:
        attributes[rule.name] = members.take(rule.name, rule.parse)
    return attributes


def _weights(given: dict[str, object], op: str, where: str) -> dict[str, str]:
    operator = OPERATORS[op]
    members = Members(given, where, lenient=False)
    weights: dict[str, str] = {}
    for role in (*operator.roles, *operator.optional):
        if role in operator.roles or role in given:
            weights[role] = members.take(role, _name)
    members.finish()
    return weights


def _output(value: object, where: str) -> NetworkOutput:
    members = Members(value, where, lenient=False)
    output = NetworkOutput(members.take("name", _name), members.take("layer", _name))
    members.finish()
    return output
