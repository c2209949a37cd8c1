"""Layers of Keras → layers of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.export.network import keras_activations as functions
from sealane.export.network.keras_arithmetic import arithmetic_handlers
from sealane.export.network.keras_values import KerasValue, array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.bundle.network import Attribute
    from sealane.core.keras import Keras
    from sealane.export.network.builder import Array
    from sealane.export.network.keras_values import Handler, KerasCall, KerasLayers


_IMAGES = 4
"""The rank of images ``[batch, y, x, channels]``."""


def _bias(layer: Any) -> dict[str, Array]:
    return {"bias": array(layer.bias)} if layer.use_bias else {}


def _dense(layers: KerasLayers, call: KerasCall) -> KerasValue:
    layer = call.layer
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        raise call.refused("LoRA or quantised weights")
    weights = {"weight": array(layer.kernel).T} | _bias(layer)
    value = layers.channels_last(call.one())
    made = layers.builder.add(call.name, "dense", [value], {}, weights)
    return layers.activated(call, KerasValue(made))


def _same_pads(
    call: KerasCall,
    dims: Sequence[Any],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[int, ...]:
    """TensorFlow's ``same``: ⌈size / stride⌉ places, the odd one of the pads at the end."""
    begins: list[int] = []
    ends: list[int] = []
    for dim, k, stride, dilation in zip(dims, kernel, strides, dilations, strict=True):
        reach = dilation * (k - 1)
        if stride == 1:
            total = reach
        elif isinstance(dim, int):
            total = max((-(-dim // stride) - 1) * stride + reach + 1 - dim, 0)
        else:
            raise call.refused("padding='same' with strides needs fixed spatial dims")
        begins.append(total // 2)
        ends.append(total - total // 2)
    return (*begins, *ends)


def _pads(
    layers: KerasLayers,
    call: KerasCall,
    value: str,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[int, ...]:
    padding = call.layer.padding
    if padding == "valid":
        return (0,) * 2 * len(kernel)
    if padding == "causal":
        return (dilations[0] * (kernel[0] - 1), 0)
    dims = layers.builder.value(value).dims[2:]
    return _same_pads(call, dims, kernel, strides, dilations)


def _channels_last_only(call: KerasCall) -> None:
    if call.layer.data_format != "channels_last":
        raise call.refused(f"data_format={call.layer.data_format!r}")


def _convolved(
    layers: KerasLayers,
    call: KerasCall,
    value: str,
    weights: dict[str, Array],
    groups: int,
    name: str,
) -> str:
    layer = call.layer
    kernel = weights["weight"].shape[2:]
    strides, dilations = (
        _per_dim(layer.strides, len(kernel)),
        _per_dim(layer.dilation_rate, len(kernel)),
    )
    attributes: dict[str, Attribute] = {
        "strides": strides,
        "dilations": dilations,
        "pads": _pads(layers, call, value, kernel, strides, dilations),
        "groups": groups,
    }
    return layers.builder.add(name, "conv", [value], attributes, weights)


def _per_dim(given: Any, count: int) -> tuple[int, ...]:
    return (int(given),) * count if isinstance(given, int) else tuple(int(each) for each in given)


def _conv(layers: KerasLayers, call: KerasCall) -> KerasValue:
    _channels_last_only(call)
    weights = {"weight": _kernel(array(call.layer.kernel))} | _bias(call.layer)
    value = layers.channels_first(call.one())
    made = _convolved(layers, call, value, weights, int(call.layer.groups), call.name)
    return layers.activated(call, KerasValue(made, first=True))


def _kernel(kernel: Array) -> Array:
    """[k…, in, out] as [out, in, k…]."""
    axes = (kernel.ndim - 1, kernel.ndim - 2, *range(kernel.ndim - 2))
    return np.ascontiguousarray(kernel.transpose(axes))


def _depth_kernel(kernel: Array) -> Array:
    """[k…, in, multiplier] as [in · multiplier, 1, k…]."""
    axes = (kernel.ndim - 2, kernel.ndim - 1, *range(kernel.ndim - 2))
    turned = kernel.transpose(axes)
    return np.ascontiguousarray(turned.reshape(-1, 1, *kernel.shape[:-2]))


def _depthwise(layers: KerasLayers, call: KerasCall) -> KerasValue:
    _channels_last_only(call)
    layer = call.layer
    kernel = array(layer.depthwise_kernel if hasattr(layer, "depthwise_kernel") else layer.kernel)
    weights = {"weight": _depth_kernel(kernel)} | _bias(call.layer)
    value = layers.channels_first(call.one())
    made = _convolved(layers, call, value, weights, kernel.shape[-2], call.name)
    return layers.activated(call, KerasValue(made, first=True))


def _separable(layers: KerasLayers, call: KerasCall) -> KerasValue:
    _channels_last_only(call)
    layer = call.layer
    depth, point = array(layer.depthwise_kernel), array(layer.pointwise_kernel)
    value = layers.channels_first(call.one())
    weights = {"weight": _depth_kernel(depth)}
    value = _convolved(layers, call, value, weights, depth.shape[-2], f"{call.name}.depthwise")
    spatial = depth.ndim - 2
    ones = (1,) * spatial
    made = layers.builder.add(
        f"{call.name}.pointwise",
        "conv",
        [value],
        {"strides": ones, "dilations": ones, "pads": (0,) * 2 * spatial, "groups": 1},
        {"weight": _kernel(point)} | _bias(layer),
    )
    return layers.activated(call, KerasValue(made, first=True))


def _axes(given: Any) -> tuple[int, ...]:
    return (int(given),) if isinstance(given, int) else tuple(int(each) for each in given)


def _batch_norm(layers: KerasLayers, call: KerasCall) -> KerasValue:
    layer, value = call.layer, call.one()
    rank = layers.builder.rank(value.name)
    if not (layer.scale and layer.center):
        raise call.refused("scale=False or center=False")
    if _axes(layer.axis) not in ((-1,), (rank - 1,)):
        raise call.refused(f"axis={layer.axis}, not the last")
    if getattr(layer, "synchronized", False):
        raise call.refused("synchronized=True")
    weights = {
        "scale": array(layer.gamma),
        "offset": array(layer.beta),
        "mean": array(layer.moving_mean),
        "variance": array(layer.moving_variance),
    }
    if hasattr(layer, "fused") and rank == _IMAGES:
        layers.builder.notes.append(
            f"{call.name}: TensorFlow's fused kernel keeps its moving variance, and knows no "
            "float64; make the model in Keras 3 for a training trace"
        )
    attributes: dict[str, Attribute] = {
        "epsilon": float(layer.epsilon),
        "momentum": 1.0 - float(layer.momentum),
        "unbiased": bool(getattr(layer, "fused", False)),  # As tf_keras' fused kernel averages it.
    }
    given = value.name if rank == 2 else layers.channels_first(value)
    made = layers.builder.add(call.name, "batch_norm", [given], attributes, weights)
    return KerasValue(made, first=rank > 2)


def _layer_norm(layers: KerasLayers, call: KerasCall) -> KerasValue:
    layer, value = call.layer, call.one()
    if not (layer.scale and layer.center) or getattr(layer, "rms_scaling", False):
        raise call.refused("scale=False, center=False or rms_scaling")
    if _axes(layer.axis) not in ((-1,), (layers.builder.rank(value.name) - 1,)):
        raise call.refused(f"axis={layer.axis}, not the last")
    weights = {"scale": array(layer.gamma), "offset": array(layer.beta)}
    attributes: dict[str, Attribute] = {"epsilon": float(layer.epsilon)}
    given = layers.channels_last(value)
    return KerasValue(layers.builder.add(call.name, "layer_norm", [given], attributes, weights))


def _embedding(layers: KerasLayers, call: KerasCall) -> KerasValue:
    layer = call.layer
    if layer.mask_zero:
        raise call.refused("mask_zero=True")
    weights = {"weight": array(layer.embeddings)}
    return KerasValue(layers.builder.add(call.name, "embedding", [call.one().name], {}, weights))


def _pool(op: str) -> Handler:
    def handle(layers: KerasLayers, call: KerasCall) -> KerasValue:
        _channels_last_only(call)
        layer = call.layer
        value = layers.channels_first(call.one())
        spatial = layers.builder.rank(value) - 2
        kernel, strides = _per_dim(layer.pool_size, spatial), _per_dim(layer.strides, spatial)
        pads = _pads(layers, call, value, kernel, strides, (1,) * spatial)
        attributes: dict[str, Attribute] = {"kernel": kernel, "strides": strides, "pads": pads}
        if op == "average_pool":
            attributes["count_padding"] = False
        return KerasValue(layers.builder.add(call.name, op, [value], attributes), first=True)

    return handle


def _global_pool(op: str) -> Handler:
    def handle(layers: KerasLayers, call: KerasCall) -> KerasValue:
        _channels_last_only(call)
        value = layers.channels_first(call.one())
        made = layers.builder.add(call.name, op, [value])
        if not call.layer.keepdims:
            return KerasValue(made)
        ones = [1] * (layers.builder.rank(value) - 2)
        shape = (*ones, *layers.builder.fixed_dims(made, call.name))
        return KerasValue(layers.builder.reshape(f"{call.name}.dims", made, shape))

    return handle


def _merge(op: str) -> Handler:
    def handle(layers: KerasLayers, call: KerasCall) -> KerasValue:
        values, first = layers.together(call.several())
        return KerasValue(layers.builder.add(call.name, op, values), first=first)

    return handle


def _average(layers: KerasLayers, call: KerasCall) -> KerasValue:
    values, first = layers.together(call.several())
    total = layers.builder.add(f"{call.name}.sum", "add", values)
    made = layers.builder.rescale(call.name, total, 1.0 / len(values), 0.0)
    return KerasValue(made, first=first)


def _subtract(layers: KerasLayers, call: KerasCall) -> KerasValue:
    values, first = layers.together(call.several())
    less = layers.builder.rescale(f"{call.name}.less", values[1], -1.0, 0.0)
    made = layers.builder.add(call.name, "add", [values[0], less])
    return KerasValue(made, first=first)


def _concatenate(layers: KerasLayers, call: KerasCall) -> KerasValue:
    values, first = layers.together(call.several())
    rank = layers.builder.rank(values[0])
    axis = call.layer.axis % rank
    if axis == 0:
        raise call.refused("along the batch")
    if first:
        axis = 1 if axis == rank - 1 else axis + 1
    return KerasValue(layers.builder.add(call.name, "concat", values, {"axis": axis}), first=first)


def _flatten(layers: KerasLayers, call: KerasCall) -> KerasValue:
    value = layers.channels_last(call.one())
    count = layers.builder.elements(value, call.name)
    return KerasValue(layers.builder.reshape(call.name, value, (count,)))


def _reshape(layers: KerasLayers, call: KerasCall) -> KerasValue:
    value = layers.channels_last(call.one())
    shape = [int(each) for each in call.layer.target_shape]
    if -1 in shape:
        known = int(-np.prod(shape))
        shape[shape.index(-1)] = layers.builder.elements(value, call.name) // known
    return KerasValue(layers.builder.reshape(call.name, value, shape))


def _permute(layers: KerasLayers, call: KerasCall) -> KerasValue:
    value = layers.channels_last(call.one())
    return KerasValue(layers.builder.transpose(call.name, value, (0, *call.layer.dims)))


def _dropout(layers: KerasLayers, call: KerasCall) -> KerasValue:
    if call.layer.noise_shape is not None:
        raise call.refused("noise_shape")
    value = call.one()
    rate = float(call.layer.rate)
    made = layers.builder.add(call.name, "dropout", [value.name], {"rate": rate})
    return KerasValue(made, first=value.first)


def _zero_padding(layers: KerasLayers, call: KerasCall) -> KerasValue:
    if getattr(call.layer, "data_format", None) == "channels_first":
        raise call.refused("data_format='channels_first'")
    value = layers.channels_first(call.one())
    given: Any = call.layer.padding
    pairs = [given] if layers.builder.rank(value) == 3 else list(given)
    pads = tuple(int(pair[0]) for pair in pairs) + tuple(int(pair[1]) for pair in pairs)
    made = layers.builder.add(call.name, "pad", [value], {"pads": pads, "value": 0.0})
    return KerasValue(made, first=True)


def _rescaling(layers: KerasLayers, call: KerasCall) -> KerasValue:
    value, layer = call.one(), call.layer
    if np.ndim(layer.scale) or np.ndim(layer.offset):
        raise call.refused("a scale or offset for each channel")
    made = layers.builder.rescale(call.name, value.name, float(layer.scale), float(layer.offset))
    return KerasValue(made, first=value.first)


def _identity(layers: KerasLayers, call: KerasCall) -> KerasValue:
    del layers
    return call.one()


def handlers(keras: Keras) -> dict[type[Any], Handler]:
    """Every layer but the recurrent ones and attention, by its class."""
    k = keras.module.layers
    return {
        k.Dense: _dense,
        k.Conv1D: _conv,
        k.Conv2D: _conv,
        k.DepthwiseConv1D: _depthwise,
        k.DepthwiseConv2D: _depthwise,
        k.SeparableConv1D: _separable,
        k.SeparableConv2D: _separable,
        k.BatchNormalization: _batch_norm,
        k.LayerNormalization: _layer_norm,
        k.Embedding: _embedding,
        k.MaxPooling1D: _pool("max_pool"),
        k.MaxPooling2D: _pool("max_pool"),
        k.AveragePooling1D: _pool("average_pool"),
        k.AveragePooling2D: _pool("average_pool"),
        k.GlobalAveragePooling1D: _global_pool("global_average_pool"),
        k.GlobalAveragePooling2D: _global_pool("global_average_pool"),
        k.GlobalMaxPooling1D: _global_pool("global_max_pool"),
        k.GlobalMaxPooling2D: _global_pool("global_max_pool"),
        k.Add: _merge("add"),
        k.Multiply: _merge("multiply"),
        k.Average: _average,
        k.Subtract: _subtract,
        k.Concatenate: _concatenate,
        k.Flatten: _flatten,
        k.Reshape: _reshape,
        k.Permute: _permute,
        k.Dropout: _dropout,
        k.ZeroPadding1D: _zero_padding,
        k.ZeroPadding2D: _zero_padding,
        k.Rescaling: _rescaling,
        k.Identity: _identity,
        k.Activation: functions.activation_layer,
        k.ReLU: functions.relu_layer,
        k.LeakyReLU: functions.slope_layer,
        k.ELU: functions.slope_layer,
        k.Softmax: functions.softmax_layer,
        **arithmetic_handlers(keras),
    }
