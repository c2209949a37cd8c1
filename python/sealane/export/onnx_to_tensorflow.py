"""An ONNX graph as a TensorFlow function, over a closed table of operators.

Each operator, each form of it and each attribute value is either handled or refused by name, so a
graph is converted as it is meant or not at all. Layouts, names and ranks stay those of the ONNX
graph.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnx
from onnx import inliner, numpy_helper

from sealane.core import SealaneError
from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.tensorflow_ops import TABLE, Node, Value, attributes_of, is_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sealane.export.tensorflow_ops.node import Array

VARIABLE_ELEMENTS = 256
"""Constants of at least so many floats become variables, stored once and not in the graph."""


def to_function(
    model: onnx.ModelProto, *, folder: str = ""
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A ``tf.Module`` that computes a model.

    Args:
        model: A checked model. Its inputs without initializer are the arguments.
        folder: Where its external data lies, if it has any.

    Returns:
        A callable from tensors by input name to tensors by output name. It owns the weights as
        variables, and is to be traced by ``tf.function``: keep it referenced by what is saved.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED naming operators that have no TensorFlow form, when called
            also naming attribute values, dtypes or shapes of one; ENGINE_UNAVAILABLE without
            TensorFlow.
    """
    tf = load_module("tensorflow", "tensorflow")
    if model.functions:
        model = inliner.inline_local_functions(model)
    versions = check(model)
    constants = {
        tensor.name: numpy_helper.to_array(tensor, folder) for tensor in model.graph.initializer
    }

    class GraphModule(tf.Module):
        """Holds the weights and walks the graph."""

        def __init__(self) -> None:
            super().__init__(name="model")  # pyright: ignore[reportUnknownMemberType]
            self._weights: dict[str, Any] = {}

        def weight(self, array: Array) -> Any:
            """A large constant as a variable, a small one as it is."""
            if array.size < VARIABLE_ELEMENTS or array.dtype.kind not in "fV":
                return array
            digest = hashlib.sha256(array.tobytes()).hexdigest()
            key = f"{array.shape} {array.dtype} {digest}"
            if key not in self._weights:
                with tf.init_scope():
                    name = f"weight_{len(self._weights)}"
                    self._weights[key] = tf.Variable(array, trainable=False, name=name)
            return self._weights[key]

        def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
            walk = _Walk(tf, versions, self.weight)
            given = {name: tf.convert_to_tensor(value) for name, value in inputs.items()}
            values: dict[str, Value] = {"": None, **constants, **given}
            walk.graph(model.graph, values)
            outputs = {output.name: values[output.name] for output in model.graph.output}
            return {name: tf.convert_to_tensor(value) for name, value in outputs.items()}

    return GraphModule()


def check(model: onnx.ModelProto) -> dict[str, int]:
    """Refuses a model with operators that are not in the table.

    Args:
        model: Without model-local functions.

    Returns:
        Per operator the opset version that defined its form here.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED naming all of them.
    """
    opsets = {"ai.onnx" if not o.domain else o.domain: o.version for o in model.opset_import}
    versions: dict[str, int] = {}
    missing: set[str] = set()
    for graph in _graphs(model.graph):
        for node in graph.node:
            domain = node.domain or "ai.onnx"
            if domain != "ai.onnx" or node.op_type not in (*TABLE, "If"):
                missing.add(f"{domain}:{node.op_type}")
                continue
            since = onnx.defs.get_schema(node.op_type, opsets["ai.onnx"], "").since_version
            if node.op_type != "If" and since not in TABLE[node.op_type].versions:
                missing.add(f"{node.op_type}-{since}")
            versions[node.op_type] = since
    missing |= _strange(model.graph)
    if missing:
        raise unsupported(
            f"ONNX operators without TensorFlow form: {', '.join(sorted(missing))}",
            operators=sorted(missing),
        )
    return versions


_ELEMENTS = frozenset(
    ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
     "FLOAT16", "BFLOAT16", "FLOAT", "DOUBLE")
)  # fmt: skip


def _strange(graph: onnx.GraphProto) -> set[str]:
    """What of a graph's interface and constants is no dense tensor of numbers or booleans."""
    found = {"sparse initializers"} if graph.sparse_initializer else set[str]()
    types = [tensor.data_type for tensor in graph.initializer]
    for value in (*graph.input, *graph.output):
        if not value.type.HasField("tensor_type"):
            found.add(f"{value.name!r}, which is no tensor")
        types.append(value.type.tensor_type.elem_type)
    names = {onnx.TensorProto.DataType.Name(kind) for kind in types}
    return found | {f"dtype {name}" for name in names - _ELEMENTS - {"UNDEFINED"}}


def _graphs(graph: onnx.GraphProto) -> list[onnx.GraphProto]:
    found = [graph]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                found += _graphs(attribute.g)
    return found


class _Walk:
    """Evaluates nodes in order; what depends on constants alone is computed at once."""

    def __init__(self, tf: Any, versions: Mapping[str, int], weight: Any) -> None:
        self._tf = tf
        self._versions = versions
        self._weight = weight

    def graph(self, graph: onnx.GraphProto, values: dict[str, Value]) -> None:
        """Adds every value of a graph by name."""
        for proto in graph.node:
            if proto.op_type == "If":
                made = self._branch(proto, values)
            else:
                made = self._node(proto, values)
            for name, value in zip(proto.output, made, strict=False):
                if name:
                    values[name] = value
            absent = [name for name in proto.output[len(made) :] if name]
            if absent:
                raise unsupported(f"ONNX operator {proto.op_type} with the output {absent[0]!r}")

    def _branch(self, proto: onnx.NodeProto, values: dict[str, Value]) -> tuple[Value, ...]:
        attributes = attributes_of(proto)
        node = self._described(proto, attributes)
        chosen = bool(node.constant(values[proto.input[0]], "a condition").reshape(()))
        branch = attributes["then_branch" if chosen else "else_branch"]
        inner = dict(values)
        for tensor in branch.initializer:
            inner[tensor.name] = numpy_helper.to_array(tensor)
        self.graph(branch, inner)
        return tuple(inner[output.name] for output in branch.output)

    def _described(self, proto: onnx.NodeProto, attributes: dict[str, Any]) -> Node:
        version = self._versions[proto.op_type]
        outputs = tuple(proto.output)
        return Node(self._tf, proto.op_type, proto.name, version, outputs, attributes, self._weight)

    def _node(self, proto: onnx.NodeProto, values: dict[str, Value]) -> tuple[Value, ...]:
        node = self._described(proto, attributes_of(proto))
        inputs = [values[name] for name in proto.input]
        while inputs and inputs[-1] is None:
            inputs.pop()
        known = all(value is None or is_array(value) for value in inputs)
        try:
            if known:
                with self._tf.init_scope():
                    made = self._apply(node, inputs)
                    return tuple(_as_array(value) for value in made)
            return self._apply(node, [self._operand(node, value) for value in inputs])
        except SealaneError:
            raise
        except Exception as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise node.refuse(f"these inputs: {reason}") from error

    def _operand(self, node: Node, value: Value) -> Value:
        """A large constant as its variable, unless the operator stores another layout of it."""
        if is_array(value) and node.op not in ("Conv", "ConvTranspose"):
            return self._weight(value)
        return value

    def _apply(self, node: Node, inputs: list[Value]) -> tuple[Value, ...]:
        made: Any = TABLE[node.op].handler(node, *inputs)
        node.finish()
        return tuple(cast("tuple[Value, ...]", made)) if isinstance(made, tuple) else (made,)


def _as_array(value: Value) -> Array:
    return value if is_array(value) else np.asarray(value.numpy())
