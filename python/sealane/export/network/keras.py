"""Keras models, Sequential or functional → network.

Keras has images and signals with their channels last, a network has them first. A value that a
layer of images gives stays channels first until a layer needs the order that Keras has: transposes
stand at the edges only, and weights are permuted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sealane.export.errors import unsupported
from sealane.export.network.builder import Built, NetworkBuilder
from sealane.export.network.keras_values import KerasCall, KerasLayers, KerasValue
from sealane.export.outputs import flatten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealane.core import Signature
    from sealane.core.keras import Keras


def keras_network(
    keras: Keras,
    graph: Any,
    signature: Signature,
    ordered_inputs: Sequence[str],
    prefix: str = "",
    *,
    any_precision: bool = False,
) -> Built:
    """The network of a functional graph.

    Args:
        keras: The Keras that it is from.
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
    layers = KerasLayers(builder, keras)
    result = run_graph(layers, graph, given, "")
    values: dict[str, str] = {}
    for spec, (_, value) in zip(signature.outputs, flatten(result), strict=True):
        if not isinstance(value, KerasValue):
            raise unsupported(f"output {spec.name!r} is no tensor of a layer")
        values[spec.name] = layers.channels_last(value)
    return builder.finish(values, inputs, signature)


def run_graph(layers: KerasLayers, graph: Any, given: Sequence[KerasValue], path: str) -> Any:
    """The result of a functional graph in its own structure, tensors being values."""
    keras = layers.keras
    known: dict[int, Any] = {
        id(tensor): value for tensor, value in zip(graph.inputs, given, strict=True)
    }

    def filled(given: Any) -> Any:
        return known.get(id(given), given)

    for operation, arguments, named, made in keras.calls(graph):
        if all(id(each) in known for each in made):
            continue
        arguments, named = keras.nest.map_structure(filled, (arguments, named))
        result = _call(layers, operation, arguments, named, path)
        values = keras.nest.flatten(result) if not isinstance(result, KerasValue) else [result]
        for tensor, value in zip(made, values, strict=True):
            known[id(tensor)] = value
    return keras.nest.map_structure(filled, keras.graph_outputs(graph))


def _call(
    layers: KerasLayers,
    operation: Any,
    arguments: Sequence[Any],
    named: Mapping[str, Any],
    path: str,
) -> Any:
    name = f"{path}{operation.name}"
    graph = layers.keras.graph(operation)
    if graph is None:
        return layers.call(KerasCall(name, operation, tuple(arguments), dict(named)))
    layers.enter(name, operation)
    nested = arguments[0] if arguments else named["inputs"]
    given = cast("list[KerasValue]", layers.keras.nest.flatten(nested))
    return run_graph(layers, graph, given, f"{name}/")
