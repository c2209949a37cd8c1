"""Keras activations, as functions and as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealane.export.network.keras_values import KerasValue

if TYPE_CHECKING:
    from sealane.export.network.keras_values import KerasCall, KerasLayers

_PLAIN = {
    "relu": "relu",
    "relu6": "relu6",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softplus": "softplus",
    "softsign": "softsign",
    "gelu": "gelu",
    "silu": "swish",
    "swish": "swish",
    "mish": "mish",
    "hard_sigmoid": "hard_sigmoid",
    "hard_silu": "hard_swish",
    "hard_swish": "hard_swish",
}
_OF_ITS_OWN = {"tf_keras": ("hard_sigmoid",)}
"""What is named like a network's function, and is another: 0.2 x + 0.5, not x / 6 + 0.5."""
_LAST_AXIS = ("softmax", "log_softmax")
_SLOPES = {"leaky_relu": 0.2, "elu": 1.0}


def activation(
    layers: KerasLayers, call: KerasCall, value: KerasValue, function: Any, name: str
) -> KerasValue:
    """A value through one of ``keras.activations``.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED naming the layer and the function.
    """
    activations = layers.keras.module.activations
    title = getattr(function, "__name__", "?")
    if function is None or function is activations.linear:
        return value
    if getattr(activations, title, None) is not function:
        raise call.refused(f"its activation {title} is none of keras.activations")
    if title in _PLAIN and title not in _OF_ITS_OWN.get(layers.keras.name, ()):
        made = layers.builder.activation(name, value.name, _PLAIN[title])
        return KerasValue(made, first=value.first)
    if title in _SLOPES:
        return sloped(layers, value, title, _SLOPES[title], name)
    if title in _LAST_AXIS:
        return over_last_axis(layers, call, value, title, name)
    raise call.refused(f"its activation is {title}")


def sloped(
    layers: KerasLayers, value: KerasValue, function: str, slope: float, name: str
) -> KerasValue:
    """A function with ``alpha``."""
    made = layers.builder.activation(name, value.name, function, slope)
    return KerasValue(made, first=value.first)


def over_last_axis(
    layers: KerasLayers, call: KerasCall, value: KerasValue, function: str, name: str
) -> KerasValue:
    """``softmax`` or ``log_softmax`` over the last axis that Keras has."""
    del call
    return KerasValue(layers.builder.activation(name, layers.channels_last(value), function))


def relu_layer(layers: KerasLayers, call: KerasCall) -> KerasValue:
    """``keras.layers.ReLU``."""
    layer, value = call.layer, call.one()
    if layer.threshold:
        raise call.refused("threshold")
    if layer.negative_slope and layer.max_value is None:
        return sloped(layers, value, "leaky_relu", float(layer.negative_slope), call.name)
    if layer.negative_slope or layer.max_value not in (None, 6):
        raise call.refused(f"max_value={layer.max_value}")
    function = "relu" if layer.max_value is None else "relu6"
    made = layers.builder.activation(call.name, value.name, function)
    return KerasValue(made, first=value.first)


def slope_layer(layers: KerasLayers, call: KerasCall) -> KerasValue:
    """``keras.layers.LeakyReLU`` and ``ELU``."""
    if type(call.layer).__name__ == "ELU":
        return sloped(layers, call.one(), "elu", float(call.layer.alpha), call.name)
    layer = call.layer
    slope = layer.negative_slope if hasattr(layer, "negative_slope") else layer.alpha
    return sloped(layers, call.one(), "leaky_relu", float(slope), call.name)


def softmax_layer(layers: KerasLayers, call: KerasCall) -> KerasValue:
    """``keras.layers.Softmax``."""
    value, axis = call.one(), call.layer.axis
    if axis not in (-1, layers.builder.rank(value.name) - 1):
        raise call.refused(f"over axis {axis}, not the last")
    return over_last_axis(layers, call, value, "softmax", call.name)


def activation_layer(layers: KerasLayers, call: KerasCall) -> KerasValue:
    """``keras.layers.Activation``."""
    return activation(layers, call, call.one(), call.layer.activation, call.name)
