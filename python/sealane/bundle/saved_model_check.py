"""Whether a SavedModel is what the manifest says and does nothing but compute (format §4.5).

A SavedModel is a program: its graph may read and write files. The walk reads
``saved_model.pb`` on the wire level, so that TensorFlow need not be there. Field numbers are
those of TensorFlow's ``saved_model.proto``, ``meta_graph.proto``, ``graph.proto``,
``function.proto``, ``node_def.proto``, ``attr_value.proto`` and ``tensor.proto``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sealane.bundle.dtype_codes import TENSORFLOW
from sealane.bundle.protobuf_wire import WireError, entries, fields, messages, signed, text
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sealane.bundle.limits import ReaderLimits
    from sealane.bundle.manifest import Variant
    from sealane.core import Signature

SERVE_TAG = "serve"
SERVING = "serving_default"
_MAX_RANK = 254
_WIDEST = 16


@dataclass(slots=True)
class _Node:
    name: str = ""
    op: str = ""
    inputs: list[str] = field(default_factory=list[str])
    calls: list[str] = field(default_factory=list[str])
    tensors: list[memoryview] = field(default_factory=list[memoryview])


@dataclass(slots=True)
class _MetaGraph:
    tags: set[str]
    nodes: dict[str, _Node]
    functions: dict[str, list[_Node]]
    signatures: dict[str, memoryview]
    save_root: str
    restore_root: str


@dataclass(frozen=True, slots=True)
class _AllowList:
    compute: frozenset[str]
    save: frozenset[str]
    restore: frozenset[str]


@cache
def allowed_operators() -> _AllowList:
    """The operators a SavedModel may use; the saver's own only where the saver reaches them."""
    table = json.loads(files("sealane.bundle").joinpath("savedmodel_ops.json").read_text("utf-8"))
    return _AllowList(
        frozenset(table["compute"]), frozenset(table["save"]), frozenset(table["restore"])
    )


def check_saved_model(
    variant: Variant, data: bytes, signature: Signature, limits: ReaderLimits
) -> None:
    """Check one SavedModel variant.

    Args:
        variant: Its entry in the manifest.
        data: The bytes of ``saved_model.pb``.
        signature: The bundle's signature.
        limits: The reader's bounds.

    Raises:
        SealaneError: LIMIT_EXCEEDED, ARTIFACT_INVALID, ARTIFACT_UNSAFE.
    """
    where = f"{variant.path}/saved_model.pb"
    try:
        graphs = [_meta_graph(each) for each in messages(memoryview(data), 2)]
        serving = [each for each in graphs if SERVE_TAG in each.tags]
        if not serving:
            raise _error(ErrorCode.ARTIFACT_INVALID, where, "no meta graph has the tag 'serve'")
        for graph in graphs:
            _check_operators(graph, where, limits, stored=len(data))
        for graph in serving:
            _check_signature(graph, variant, signature, where)
    except WireError as error:
        raise _error(ErrorCode.ARTIFACT_INVALID, where, f"not readable: {error}") from error


def _meta_graph(message: memoryview) -> _MetaGraph:
    graph = _MetaGraph(set(), {}, {}, {}, "", "")
    for number, value in fields(message):
        if not isinstance(value, memoryview):
            continue
        if number == 1:
            graph.tags |= {text(tag) for tag in messages(value, 4)}
        elif number == 2:
            _read_graph(value, graph)
        elif number == 3:
            for key, name in fields(value):
                if key == 2:
                    graph.save_root = text(name)
                elif key == 3:
                    graph.restore_root = text(name)
    graph.signatures = dict(entries(message, 5))
    return graph


def _read_graph(message: memoryview, graph: _MetaGraph) -> None:
    for node in messages(message, 1):
        read = _node(node)
        if read.name in graph.nodes:
            raise WireError(f"two nodes are called {read.name[:80]!r}")
        graph.nodes[read.name] = read
    for library in messages(message, 2):
        for function in messages(library, 1):
            name = ""
            for signature in messages(function, 1):
                name = next((text(each) for each in messages(signature, 1)), "")
            if name in graph.functions:
                raise WireError(f"two functions are called {name[:80]!r}")
            graph.functions[name] = [_node(each) for each in messages(function, 3)]


def _node(message: memoryview) -> _Node:
    node = _Node()
    for number, value in fields(message):
        if number == 1:
            node.name = text(value)
        elif number == 2:
            node.op = text(value)
        elif number == 3:
            node.inputs.append(text(value))
    for _, attribute in entries(message, 5):
        _read_attribute(attribute, node)
    return node


def _read_attribute(message: memoryview, node: _Node) -> None:
    """Functions and tensors of an AttrValue, alone or in its list."""
    for number, value in fields(message):
        if not isinstance(value, memoryview):
            continue
        if number == 8:
            node.tensors.append(value)
        elif number == 10:
            _read_function_attribute(value, node)
        elif number == 1:
            node.tensors.extend(messages(value, 8))
            for function in messages(value, 9):
                _read_function_attribute(function, node)


def _read_function_attribute(message: memoryview, node: _Node) -> None:
    node.calls.extend(text(each) for each in messages(message, 1))


def _check_operators(graph: _MetaGraph, where: str, limits: ReaderLimits, *, stored: int) -> None:
    everything = [graph.nodes.values(), *graph.functions.values()]
    count = sum(map(len, everything))
    if count > limits.saved_model_nodes:
        raise _error(
            ErrorCode.LIMIT_EXCEEDED, where, f"{count} nodes, limit {limits.saved_model_nodes}"
        )
    allowed = allowed_operators()
    known = allowed.compute | allowed.save | allowed.restore | graph.functions.keys()
    bound = max(limits.constant_bytes, stored)
    for nodes in everything:
        for node in nodes:
            if node.op not in known:
                raise _unsafe_operator(where, node)
            for tensor in node.tensors:
                _check_tensor(tensor, node, bound, where)
    _check_saver(graph, allowed, where)


def _check_tensor(message: memoryview, node: _Node, bound: int, where: str) -> None:
    """Refuse a constant that would be far larger than its file."""
    dims: list[int] = []
    for shape in messages(message, 2):
        for dim in messages(shape, 2):
            sizes = [
                signed(size) for key, size in fields(dim) if key == 1 and isinstance(size, int)
            ]
            dims.append(sizes[-1] if sizes else 0)
    if len(dims) > _MAX_RANK or any(dim < 0 for dim in dims):
        raise _error(ErrorCode.ARTIFACT_UNSAFE, where, f"constant {node.name!r} has no valid shape")
    if math.prod(dims) * _WIDEST > bound:
        width = _element_width(message)
        if math.prod(dims) * width > bound:
            raise _error(
                ErrorCode.ARTIFACT_UNSAFE,
                where,
                f"constant {node.name!r} claims {math.prod(dims) * width} bytes, limit {bound}",
            )


def _element_width(message: memoryview) -> int:
    codes = [value for number, value in fields(message) if number == 1 and isinstance(value, int)]
    widths = {code: dtype.width for dtype, code in TENSORFLOW.items()}
    return widths.get(codes[-1] if codes else 0) or _WIDEST


def _check_saver(graph: _MetaGraph, allowed: _AllowList, where: str) -> None:
    """Operators that touch checkpoint files may be reached by the saver only.

    What saves may be reached from the saver's save tensor alone, what restores from its
    restore operator alone: not from a signature, nor from an initialiser.
    """
    roots: dict[str, list[str]] = {"": _entry_points(graph)}
    if graph.restore_root:
        roots["restore"] = [graph.restore_root]
    for kind, names in roots.items():
        forbidden = allowed.save if kind == "restore" else allowed.save | allowed.restore
        for node in _reachable(graph, names):
            if node.op in forbidden:
                raise _unsafe_operator(where, node)


def _entry_points(graph: _MetaGraph) -> list[str]:
    """The outputs of every signature, an initialiser's among them."""
    return [
        text(name)
        for signature in graph.signatures.values()
        for _, tensor in entries(signature, 2)
        for name in messages(tensor, 1)
    ]


def _reachable(graph: _MetaGraph, roots: Iterable[str]) -> Iterator[_Node]:
    seen: set[str] = set()
    called: set[str] = set()
    waiting = [_node_name(root) for root in roots]
    while waiting:
        name = waiting.pop()
        node = graph.nodes.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        yield node
        waiting.extend(map(_node_name, node.inputs))
        yield from _called(graph, node, called)


def _called(graph: _MetaGraph, start: _Node, called: set[str]) -> Iterator[_Node]:
    """Every node of the functions a node calls, and of those they call."""
    waiting = [*start.calls, start.op]
    while waiting:
        name = waiting.pop()
        if name in called or name not in graph.functions:
            continue
        called.add(name)
        for node in graph.functions[name]:
            yield node
            waiting += [*node.calls, node.op]


def _node_name(tensor: str) -> str:
    """The node that makes a tensor: ``^control``, ``name:0`` and ``name`` are all ``name``."""
    return tensor.removeprefix("^").partition(":")[0]


def _check_signature(graph: _MetaGraph, variant: Variant, signature: Signature, where: str) -> None:
    serving = graph.signatures.get(SERVING)
    if serving is None:
        raise _error(ErrorCode.ARTIFACT_INVALID, where, f"no signature def {SERVING!r}")
    for side, number, specs, names in (
        ("input", 1, signature.inputs, variant.bindings.inputs),
        ("output", 2, signature.outputs, variant.bindings.outputs),
    ):
        found = {key: _dtype(tensor) for key, tensor in entries(serving, number)}
        wanted = {names[spec.name]: TENSORFLOW[spec.dtype] for spec in specs}
        if found != wanted:
            raise _error(
                ErrorCode.ARTIFACT_INVALID,
                where,
                f"{SERVING} has {side}s (key: dtype code) {found}, the manifest binds {wanted}",
            )


def _dtype(tensor: memoryview) -> int:
    codes = [value for number, value in fields(tensor) if number == 2]
    return codes[-1] if codes and isinstance(codes[-1], int) else 0


def _unsafe_operator(where: str, node: _Node) -> SealaneError:
    return _error(
        ErrorCode.ARTIFACT_UNSAFE,
        where,
        f"node {node.name[:80]!r} uses the operator {node.op[:80]!r}, which may not be used there",
    )


def _error(code: ErrorCode, where: str, problem: str) -> SealaneError:
    return SealaneError(code, f"{where}: {problem}", {"path": where})
