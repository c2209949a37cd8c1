"""Keras' LSTM, GRU, Bidirectional and MultiHeadAttention → layers of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.export.network.keras_values import KerasCall, KerasValue, array

if TYPE_CHECKING:
    from sealane.core.keras import Keras
    from sealane.export.network.builder import Array
    from sealane.export.network.keras_values import Handler, KerasLayers


def _recurrent(layers: KerasLayers, call: KerasCall) -> KerasValue:
    value = layers.channels_last(call.one())
    layer = call.layer
    if layer.go_backwards and layer.return_sequences:
        raise call.refused("go_backwards with return_sequences, which gives the steps reversed")
    return KerasValue(_direction(layers, call, layer, value, call.name, reverse=layer.go_backwards))


def _direction(
    layers: KerasLayers, call: KerasCall, layer: Any, value: str, name: str, *, reverse: bool
) -> str:
    activations = layers.keras.module.activations
    plain = layer.activation is activations.tanh
    if not plain or layer.recurrent_activation is not activations.sigmoid:
        raise call.refused("other activations than tanh and sigmoid")
    if not layer.use_bias:
        raise call.refused("use_bias=False")
    if layer.stateful or layer.return_state or getattr(layer, "time_major", False):
        raise call.refused("stateful, return_state or time_major")
    if layer.dropout or layer.recurrent_dropout:
        layers.builder.notes.append(f"{name}: its dropout inside the recurrence is not trained")
    cell = layer.cell
    kernel, recurrent, bias = (array(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias))
    if type(layer).__name__ == "LSTM":
        op = "lstm"
        weights: dict[str, Array] = {
            "input_weight": kernel.T,
            "recurrent_weight": recurrent.T,
            "bias": bias,
        }
    else:
        if not layer.reset_after:
            raise call.refused("reset_after=False")
        op = "gru"
        weights = {
            "input_weight": _gates(kernel.T),
            "recurrent_weight": _gates(recurrent.T),
            "input_bias": _gates(bias[0]),
            "recurrent_bias": _gates(bias[1]),
        }
    attributes = {"sequence": bool(layer.return_sequences), "reverse": bool(reverse)}
    return layers.builder.add(name, op, [value], attributes, weights)


def _gates(weight: Array) -> Array:
    """Blocks z, r, n as r, z, n."""
    update, reset, new = np.split(weight, 3)
    return np.concatenate([reset, update, new])


def _bidirectional(layers: KerasLayers, call: KerasCall) -> KerasValue:
    layer, recurrent = call.layer, layers.keras.module.layers
    if layer.merge_mode != "concat":
        raise call.refused(f"merge_mode={layer.merge_mode!r}")
    value = layers.channels_last(call.one())
    parts: list[str] = []
    for side, reverse in (("forward", False), ("backward", True)):
        inner = getattr(layer, f"{side}_layer")
        if type(inner) not in (recurrent.LSTM, recurrent.GRU) or inner.go_backwards != reverse:
            raise call.refused(f"around a {type(inner).__name__}")
        name = f"{call.name}.{side}"
        parts.append(_direction(layers, call, inner, value, name, reverse=reverse))
    axis = layers.builder.rank(parts[0]) - 1
    return KerasValue(layers.builder.add(call.name, "concat", parts, {"axis": axis}))


def _attention(layers: KerasLayers, call: KerasCall) -> KerasValue:
    layer = call.layer
    given = {k: v for k, v in call.named.items() if v is not None and v is not False}
    given.pop("training", None)
    ordered = [*call.arguments, *(given.pop(k) for k in ("query", "value", "key") if k in given)]
    values = [each for each in ordered if isinstance(each, KerasValue)]
    if given or len(values) != len(ordered) or len(values) not in (2, 3):
        raise call.refused("it is called with more than query, value and key")
    if layer._key_dim != layer._value_dim:
        raise call.refused("value_dim differs from key_dim")
    query, value, key = values[0], values[1], values[-1] if len(values) == 3 else values[1]
    weights: dict[str, Array] = {}
    for part in ("query", "key", "value"):
        dense = getattr(layer, f"_{part}_dense")
        kernel = array(dense.kernel)
        weights[f"{part}_weight"] = kernel.reshape(kernel.shape[0], -1).T
        if dense.bias is not None:
            weights[f"{part}_bias"] = array(dense.bias).reshape(-1)
    kernel = array(layer._output_dense.kernel)
    weights["output_weight"] = kernel.reshape(-1, kernel.shape[-1]).T
    if layer._output_dense.bias is not None:
        weights["output_bias"] = array(layer._output_dense.bias)
    if layer._dropout:
        layers.builder.notes.append(
            f"{call.name}: dropout={layer._dropout} of attention weights is not trained"
        )
    inputs = [layers.channels_last(each) for each in (query, key, value)]
    heads = {"heads": int(layer._num_heads)}
    return KerasValue(layers.builder.add(call.name, "attention", inputs, heads, weights))


def recurrent_handlers(keras: Keras) -> dict[type[Any], Handler]:
    """The recurrent layers and attention, by class."""
    k = keras.module.layers
    return {
        k.LSTM: _recurrent,
        k.GRU: _recurrent,
        k.Bidirectional: _bidirectional,
        k.MultiHeadAttention: _attention,
    }
