"""Sizes that an ONNX graph's own constants imply, found without running it (format §4.4).

An engine folds constants when it loads a model, so a few bytes of ``ConstantOfShape`` can
take gigabytes. This walk follows shapes and small integer values from initializers and
Constant nodes through the graph, functions expanded, and refuses tensors that are too large.
"""

from __future__ import annotations

import math
from collections import ChainMap
from typing import TYPE_CHECKING, Any

from onnx import TensorProto

from sealane.bundle.onnx_shapes import (
    Attributes,
    Constant,
    Shape,
    element_width,
    evaluate,
    stored,
)
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto

SUM_FACTOR = 4
MAX_NESTING = 100
Scope = ChainMap[str, Constant]
FunctionKey = tuple[str, str, str]


def call_key(node: NodeProto) -> FunctionKey:
    """The function a node calls, if the model has it."""
    return _domain(node.domain), node.op_type, node.overload


def function_key(function: FunctionProto) -> FunctionKey:
    """What nodes call a function by."""
    return _domain(function.domain), function.name, function.overload


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def subgraphs(node: NodeProto) -> Iterable[GraphProto]:
    """The graphs in a node's attributes."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def check_constants(model: ModelProto, limit: int, file_bytes: int, where: str) -> None:
    """Refuse a model whose constants imply tensors far larger than itself.

    Args:
        model: The model; its functions must not call each other in a cycle, and its expanded
            size must have been bounded.
        limit: Bytes one tensor may always have.
        file_bytes: Bytes of the model file and its external data; a tensor may have four times
            as many.
        where: The file's name for messages.

    Raises:
        SealaneError: ARTIFACT_UNSAFE, or LIMIT_EXCEEDED for graphs and calls nested too deep.
    """
    _Walk(model, max(limit, SUM_FACTOR * file_bytes), where).graph(model.graph, ChainMap())


class _Walk:
    def __init__(self, model: ModelProto, bound: int, where: str) -> None:
        self._functions = {function_key(each): each for each in model.functions}
        self._bound = bound
        self._where = where
        self._total = 0
        self._nesting = 0

    def graph(self, graph: GraphProto, scope: Scope) -> None:
        """Follow one graph; ``scope`` holds what is known outside it."""
        for initializer in graph.initializer:
            scope[initializer.name] = stored(initializer)
        for given in graph.input:
            if given.name not in scope.maps[0]:
                shape = _static_shape(given.type.tensor_type)
                if shape is not None:
                    scope[given.name] = Constant(shape, int(TensorProto.INT64), shape_only=True)
        self._nodes(graph.node, scope, {})

    def _nodes(self, nodes: Iterable[NodeProto], scope: Scope, outer: Attributes) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise SealaneError(
                ErrorCode.LIMIT_EXCEEDED,
                f"{self._where}: subgraphs and functions nested deeper than {MAX_NESTING}",
            )
        for node in nodes:
            attributes = _resolved(node, outer)
            function = self._functions.get(call_key(node))
            if function is not None:
                self._call(function, node, attributes, scope)
                continue
            for inner in subgraphs(node):
                self.graph(inner, scope.new_child())
            result = evaluate(node, attributes, scope)
            if result is not None and node.output:
                self._claim(node, result)
                scope[node.output[0]] = result
        self._nesting -= 1

    def _call(
        self, function: FunctionProto, node: NodeProto, attributes: Attributes, scope: Scope
    ) -> None:
        inner: Scope = ChainMap()
        for formal, actual in zip(function.input, node.input, strict=False):
            if actual in scope:
                inner[formal] = scope[actual]
        defaults = {each.name: each for each in function.attribute_proto}
        self._nodes(function.node, inner, defaults | attributes)
        for formal, actual in zip(function.output, node.output, strict=False):
            if formal in inner:
                scope[actual] = inner[formal]

    def _claim(self, node: NodeProto, result: Constant) -> None:
        size = math.prod(result.shape) * element_width(result.dtype)
        self._total += size
        if size > self._bound or self._total > SUM_FACTOR * self._bound:
            raise SealaneError(
                ErrorCode.ARTIFACT_UNSAFE,
                f"{self._where}: constants make {node.op_type} node {node.output[0]!r} a tensor of "
                f"{size} bytes ({self._total} with those before it), limit {self._bound}",
                {"node": node.output[0], "bytes": size},
            )


def _static_shape(kind: Any) -> Shape | None:
    if not kind.HasField("shape") or not all(dim.HasField("dim_value") for dim in kind.shape.dim):
        return None
    return tuple(dim.dim_value for dim in kind.shape.dim)


def _resolved(node: NodeProto, outer: Attributes) -> Attributes:
    """A node's attributes, references to the enclosing function's replaced by what they mean."""
    found: Attributes = {}
    for attribute in node.attribute:
        if not attribute.ref_attr_name:
            found[attribute.name] = attribute
        elif attribute.ref_attr_name in outer:
            found[attribute.name] = outer[attribute.ref_attr_name]
    return found
