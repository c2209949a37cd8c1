"""Whether an ONNX file is what the manifest says and safe to give to an engine (format §4.4)."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto

from sealane.bundle.dtype_codes import ONNX
from sealane.bundle.onnx_constants import (
    FunctionKey,
    call_key,
    check_constants,
    function_key,
    subgraphs,
)
from sealane.bundle.onnx_shapes import element_width
from sealane.bundle.onnx_text import has_text_names
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from onnx import AttributeProto, GraphProto, NodeProto, SparseTensorProto, ValueInfoProto

    from sealane.bundle.limits import ReaderLimits
    from sealane.bundle.manifest import Variant
    from sealane.core import Signature, TensorSpec

ALLOWED_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
EXTERNAL_KEYS = frozenset({"location", "offset", "length", "checksum"})
MAX_RANK = 64
MIN_EXTERNAL = 2
"""Elements below which a tensor lies in the model file: ONNX Runtime (1.28) looks for the condition
of a constant ``If`` in the working directory, not beside the model."""
_DECIMAL = re.compile(r"[0-9]{1,18}")
_HALF_BYTE = frozenset({21, 22, 23})


def check_onnx(
    variant: Variant,
    data: bytes,
    signature: Signature,
    sizes: Mapping[str, int],
    limits: ReaderLimits,
) -> None:
    """Check one ONNX variant.

    Args:
        variant: Its entry in the manifest.
        data: The bytes of its model file.
        signature: The bundle's signature.
        sizes: Size of every listed file, by path.
        limits: The reader's bounds.

    Raises:
        SealaneError: LIMIT_EXCEEDED, ARTIFACT_INVALID, ARTIFACT_UNSAFE.
    """
    if len(data) > limits.onnx_bytes:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED,
            f"{variant.path}: {len(data)} bytes, limit {limits.onnx_bytes}; use external data",
        )
    model = _parse(data, variant.path)
    _check_interface(model.graph, variant, signature)
    checker = _Checker(model, variant.path, sizes, limits)
    checker.check_nodes()
    checker.check_tensors()
    stored = len(data) + sizes.get(f"{variant.path}.data", 0)
    check_constants(model, limits.constant_bytes, stored, variant.path)


def _parse(data: bytes, where: str) -> ModelProto:
    try:
        model = ModelProto.FromString(data)
    except DecodeError as error:
        raise _invalid(where, f"not a readable ModelProto ({error})") from None
    if not model.HasField("graph"):
        raise _invalid(where, "a ModelProto without a graph")
    if not has_text_names(model):
        raise _invalid(where, "a ModelProto with names that are not UTF-8")
    return model


def _check_interface(graph: GraphProto, variant: Variant, signature: Signature) -> None:
    stored = {each.name for each in graph.initializer}
    stored |= {each.values.name for each in graph.sparse_initializer}
    inputs = [each for each in graph.input if each.name not in stored]
    bindings = variant.bindings
    _check_side("input", inputs, signature.inputs, bindings.inputs, variant.path)
    _check_side("output", graph.output, signature.outputs, bindings.outputs, variant.path)


def _check_side(
    side: str,
    found: Iterable[ValueInfoProto],
    specs: tuple[TensorSpec, ...],
    names: Mapping[str, str],
    where: str,
) -> None:
    values = list(found)
    wanted = {names[spec.name]: spec for spec in specs}
    there = sorted(value.name for value in values)
    if there != sorted(wanted):
        raise _invalid(where, f"graph {side}s are {there}, the manifest binds {sorted(wanted)}")
    for value in values:
        fault = _misfit(value, wanted[value.name])
        if fault is not None:
            raise _invalid(where, f"graph {side} {value.name!r} {fault}: {wanted[value.name]}")


def _misfit(value: ValueInfoProto, spec: TensorSpec) -> str | None:
    """How a graph value does not fit its spec, or None."""
    if not value.type.HasField("tensor_type"):
        return "is no tensor"
    kind = value.type.tensor_type
    if kind.elem_type != ONNX[spec.dtype]:
        return f"has dtype code {kind.elem_type}, the signature"
    if not kind.HasField("shape"):
        return None
    dims = kind.shape.dim
    if len(dims) != len(spec.shape):
        return f"has {len(dims)} dims, the signature"
    for dim, expected in zip(dims, spec.shape, strict=True):
        if dim.HasField("dim_value") and dim.dim_value != expected:
            return f"has a dim of {dim.dim_value}, the signature"
    return None


class _Checker:
    """One model's nodes and tensors, subgraphs and functions included."""

    def __init__(
        self, model: ModelProto, where: str, sizes: Mapping[str, int], limits: ReaderLimits
    ) -> None:
        self._model = model
        self._where = where
        self._limits = limits
        self._external = f"{where}.data"
        self._external_size = sizes.get(self._external)
        self._functions = {function_key(each): each for each in model.functions}
        self._expanded: dict[FunctionKey, int] = {}

    def check_nodes(self) -> None:
        """Domains, cycles of functions, and the number of nodes with functions expanded."""
        for function in self._functions.values():
            self._check_domains(_all_nodes(function.node))
            if any(each.HasField("g") or each.graphs for each in function.attribute_proto):
                raise self._unsafe(f"function {function.name!r} has a graph as default attribute")
        self._check_domains(_all_nodes(self._model.graph.node))
        for key in self._call_order():
            # An empty function counts too, or calls of calls of it would cost time for nothing.
            self._expanded[key] = max(1, self._count(self._functions[key].node))
        count = self._count(self._model.graph.node)
        if count > self._limits.onnx_nodes:
            raise SealaneError(
                ErrorCode.LIMIT_EXCEEDED,
                f"{self._where}: {count if count < 1 << 63 else 'over 2^63'} nodes with functions "
                f"expanded, limit {self._limits.onnx_nodes}",
            )

    def _check_domains(self, nodes: Iterable[NodeProto]) -> None:
        for node in nodes:
            if node.domain not in ALLOWED_DOMAINS and call_key(node) not in self._functions:
                raise self._unsafe(
                    f"operator {node.op_type!r} of domain {node.domain!r} is not allowed; "
                    f"domains are {sorted(ALLOWED_DOMAINS)} and the model's own functions"
                )

    def _count(self, nodes: Iterable[NodeProto]) -> int:
        return sum(self._expanded.get(call_key(node), 1) for node in _all_nodes(nodes))

    def _call_order(self) -> list[FunctionKey]:
        """The functions, callees first."""
        order: list[FunctionKey] = []
        done: set[FunctionKey] = set()
        for start in self._functions:
            open_keys: dict[FunctionKey, Iterator[FunctionKey]] = {}
            if start not in done:
                open_keys[start] = self._callees(start)
            while open_keys:
                key, callees = next(reversed(open_keys.items()))
                callee = next((each for each in callees if each not in done), None)
                if callee is None:
                    del open_keys[key]
                    done.add(key)
                    order.append(key)
                elif callee in open_keys:
                    raise self._unsafe(f"function {callee[1]!r} calls itself")
                else:
                    open_keys[callee] = self._callees(callee)
        return order

    def _callees(self, key: FunctionKey) -> Iterator[FunctionKey]:
        called = (call_key(node) for node in _all_nodes(self._functions[key].node))
        return (each for each in called if each in self._functions)

    def check_tensors(self) -> None:
        """External data, and stored tensors that claim more than they hold."""
        for tensor in _all_tensors(self._model):
            size = self._size(tensor)
            if tensor.data_location == TensorProto.EXTERNAL:
                self._check_external(tensor, size)
            elif size > self._limits.constant_bytes and not _holds(tensor):
                raise self._unsafe(f"tensor {tensor.name!r} claims {size} bytes that are not there")

    def _size(self, tensor: TensorProto) -> int:
        if len(tensor.dims) > MAX_RANK or any(dim < 0 for dim in tensor.dims):
            raise self._unsafe(
                f"tensor {tensor.name!r} has a negative dim or more than {MAX_RANK} dims"
            )
        count = math.prod(tensor.dims)
        size = count * element_width(tensor.data_type)
        return (count + 1) // 2 if tensor.data_type in _HALF_BYTE else size

    def _check_external(self, tensor: TensorProto, size: int) -> None:
        name = tensor.name
        members = {entry.key: entry.value for entry in tensor.external_data}
        if len(members) != len(tensor.external_data) or not members.keys() <= EXTERNAL_KEYS:
            keys = sorted(entry.key for entry in tensor.external_data)
            raise self._unsafe(f"tensor {name!r}: external data with keys {keys}")
        expected = self._external.rpartition("/")[2]
        if members.get("location") != expected or self._external_size is None:
            raise self._unsafe(
                f"tensor {name!r}: external data in {members.get('location')!r}, only the listed "
                f"file {expected!r} beside the model is allowed"
            )
        if tensor.data_type == TensorProto.BOOL or math.prod(tensor.dims) < MIN_EXTERNAL:
            raise self._unsafe(
                f"tensor {name!r}: external data of BOOL, or of fewer than {MIN_EXTERNAL} elements"
            )
        offset, length = members.get("offset", "0"), members.get("length", str(size))
        if not _DECIMAL.fullmatch(offset) or not _DECIMAL.fullmatch(length):
            raise self._unsafe(f"tensor {name!r}: external offset {offset!r}, length {length!r}")
        if int(length) != size or tensor.data_type == TensorProto.STRING:
            raise self._unsafe(f"tensor {name!r}: external length {length}, its shape needs {size}")
        if int(offset) + size > self._external_size:
            raise self._unsafe(
                f"tensor {name!r}: external data up to byte {int(offset) + size} of "
                f"{self._external_size}"
            )

    def _unsafe(self, problem: str) -> SealaneError:
        return SealaneError(
            ErrorCode.ARTIFACT_UNSAFE, f"{self._where}: {problem}", {"path": self._where}
        )


def _holds(tensor: TensorProto) -> bool:
    """Whether a tensor's elements are all in the file."""
    count = math.prod(tensor.dims)
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data) >= count * element_width(tensor.data_type)
    fields = (
        tensor.float_data,
        tensor.int32_data,
        tensor.string_data,
        tensor.int64_data,
        tensor.double_data,
        tensor.uint64_data,
    )
    return any(len(field) >= count for field in fields)


def _all_nodes(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    for node in nodes:
        yield node
        for graph in subgraphs(node):
            yield from _all_nodes(graph.node)


def _all_tensors(model: ModelProto) -> Iterator[TensorProto]:
    yield from _graph_tensors(model.graph)
    for training in model.training_info:
        yield from _graph_tensors(training.initialization)
        yield from _graph_tensors(training.algorithm)
    for function in model.functions:
        yield from _node_tensors(function.node)
        yield from _attribute_tensors(function.attribute_proto)


def _graph_tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from _sparse_parts(sparse)
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
    for node in nodes:
        yield from _attribute_tensors(node.attribute)
        for graph in subgraphs(node):
            yield from _graph_tensors(graph)


def _attribute_tensors(attributes: Iterable[AttributeProto]) -> Iterator[TensorProto]:
    for attribute in attributes:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        if attribute.HasField("sparse_tensor"):
            yield from _sparse_parts(attribute.sparse_tensor)
        for sparse in attribute.sparse_tensors:
            yield from _sparse_parts(sparse)


def _sparse_parts(sparse: SparseTensorProto) -> Iterator[TensorProto]:
    """Its values and indices, and the dense tensor that an engine makes of it."""
    dense = TensorProto()
    dense.name = f"dense {sparse.values.name}"
    dense.data_type = sparse.values.data_type
    dense.dims.extend(sparse.dims)
    yield sparse.values
    yield sparse.indices
    yield dense


def _invalid(where: str, problem: str) -> SealaneError:
    return SealaneError(ErrorCode.ARTIFACT_INVALID, f"{where}: {problem}", {"path": where})
