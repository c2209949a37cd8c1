"""``x + y``, ``x - y`` and ``x * y`` between layers → layers of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealane.core.frameworks import load_module
from sealane.core.keras import TF_KERAS
from sealane.export.network.keras_values import KerasValue

if TYPE_CHECKING:
    from sealane.core.keras import Keras
    from sealane.export.network.keras_values import Handler, KerasCall, KerasLayers


def _arithmetic(op: str, sign: float = 1.0) -> Handler:
    """Of tensors and numbers."""

    def handle(layers: KerasLayers, call: KerasCall) -> KerasValue:
        a, b = (*call.arguments, *call.named.values())[:2]
        builder, name = layers.builder, call.name
        if isinstance(a, KerasValue) and isinstance(b, KerasValue):
            values, first = layers.together([a, b])
            values[1] = builder.rescale(f"{name}.scaled", values[1], sign, 0.0)
            return KerasValue(builder.add(name, op, values), first=first)
        tensor, other = (a, b) if isinstance(a, KerasValue) else (b, a)
        if not isinstance(tensor, KerasValue) or not isinstance(other, int | float):
            raise call.refused("with a constant that is no number")
        if op == "multiply":
            made = builder.rescale(name, tensor.name, float(other), 0.0)
        elif tensor is a:
            made = builder.rescale(name, tensor.name, 1.0, sign * other)
        else:
            made = builder.rescale(name, tensor.name, sign, float(other))
        return KerasValue(made, first=tensor.first)

    return handle


def _operator(layers: KerasLayers, call: KerasCall) -> KerasValue:
    """A function of TensorFlow that was called on the tensors of tf_keras."""
    handler = _FUNCTIONS.get(call.layer.symbol)
    if handler is None:
        raise call.refused(call.layer.symbol)
    return handler(layers, call)


_FUNCTIONS: dict[str, Handler] = {
    "__operators__.add": _arithmetic("add"),
    "math.add": _arithmetic("add"),
    "math.subtract": _arithmetic("add", -1.0),
    "math.multiply": _arithmetic("multiply"),
}


def arithmetic_handlers(keras: Keras) -> dict[type[Any], Handler]:
    """What Keras makes of operators, by class."""
    if keras == TF_KERAS:
        operators = load_module("tf_keras.src.layers.core.tf_op_layer", keras.extra)
        return {operators.TFOpLambda: _operator}
    operations = load_module("keras.src.ops.numpy", keras.extra)
    return {
        operations.Add: _arithmetic("add"),
        operations.Subtract: _arithmetic("add", -1.0),
        operations.Multiply: _arithmetic("multiply"),
    }
