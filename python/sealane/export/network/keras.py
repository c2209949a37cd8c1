"""Keras 3 models, Sequential or functional → network.

Keras has images and signals with their channels last, a network has them first. A value that a
layer of images gives stays channels first until a layer needs the order that Keras has: transposes
stand at the edges only, and weights are permuted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.network.builder import Built, NetworkBuilder
from sealane.export.network.keras_values import KerasCall, KerasLayers, KerasValue
from sealane.export.outputs import flatten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealane.core import Signature


def keras_network(
    graph: Any,
    signature: Signature,
    ordered_inputs: Sequence[str],
    prefix: str = "",
    *,
    any_precision: bool = False,
) -> Built:
    """The network of a functional graph.

    Args:
        graph: The functional model, or the functional graph of a Sequential one.
        signature: Of the model, its outputs in the model's own order.
        ordered_inputs: The signature's input names in the order of the graph's inputs.
        prefix: Put before the names of the network's inputs.
        any_precision: Whether its weights may be other than float32.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED naming the layer that a network can not hold.
    """
    builder = NetworkBuilder(any_precision)
    inputs = {spec.name: builder.input(spec, prefix) for spec in signature.inputs}
    given: list[KerasValue] = []
    for name, tensor in zip(ordered_inputs, graph.inputs, strict=True):
        if len(tensor.shape) != builder.rank(inputs[name]):
            raise unsupported(
                f"input {name!r} has rank {builder.rank(inputs[name])}, the model's has "
                f"{len(tensor.shape)}; give examples of the rank that the model declares",
                input=name,
            )
        given.append(KerasValue(inputs[name]))
    layers = KerasLayers(builder)
    result = run_graph(layers, graph, given, "")
    values: dict[str, str] = {}
    for spec, (_, value) in zip(signature.outputs, flatten(result), strict=True):
        if not isinstance(value, KerasValue):
            raise unsupported(f"output {spec.name!r} is no tensor of a layer")
        values[spec.name] = layers.channels_last(value)
    return builder.finish(values, inputs, signature)


def run_graph(layers: KerasLayers, graph: Any, given: Sequence[KerasValue], path: str) -> Any:
    """The result of a functional graph in its own structure, tensors being values."""
    tree = load_module("keras", "tensorflow").tree
    known: dict[int, Any] = {
        id(tensor): value for tensor, value in zip(graph.inputs, given, strict=True)
    }
    depths: dict[int, list[Any]] = graph._nodes_by_depth
    for depth in sorted(depths, reverse=True):
        for node in depths[depth]:
            if node.is_input or all(id(each) in known for each in node.outputs):
                continue
            arguments, named = node.arguments.fill_in(known)
            result = _call(layers, node.operation, arguments, named, path)
            made = tree.flatten(result) if not isinstance(result, KerasValue) else [result]
            for tensor, value in zip(node.outputs, made, strict=True):
                known[id(tensor)] = value

    def found(tensor: Any) -> Any:
        return known[id(tensor)]

    return tree.map_structure(found, graph._outputs_struct)


def _call(
    layers: KerasLayers,
    operation: Any,
    arguments: Sequence[Any],
    named: Mapping[str, Any],
    path: str,
) -> Any:
    name = f"{path}{operation.name}"
    graph = operation if hasattr(operation, "_nodes_by_depth") else None
    graph = graph or getattr(operation, "_functional", None)
    if graph is None:
        return layers.call(KerasCall(name, operation, tuple(arguments), dict(named)))
    tree = load_module("keras", "tensorflow").tree
    layers.enter(name, operation)
    given = cast("list[KerasValue]", tree.flatten(arguments[0] if arguments else named["inputs"]))
    return run_graph(layers, graph, given, f"{name}/")
