"""A network evaluated in float64 by plain NumPy, written from the operators' definitions."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.bundle.network import Layer, Network

Array = np.ndarray
_erf = np.vectorize(math.erf, otypes=[np.float64])


def evaluate(
    network: Network, weights: Mapping[str, Array], inputs: Mapping[str, Array]
) -> dict[str, Array]:
    """The outputs in float64 for inputs by name."""
    values = {
        name: array.astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in inputs.items()
    }
    for layer in network.layers:
        own = {role: weights[name].astype(np.float64) for role, name in layer.weights.items()}
        given = [values[name] for name in layer.inputs]
        values[layer.name] = _OPS[layer.op](layer, own, *given)
    return {output.name: values[output.layer] for output in network.outputs}


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softmax(x: Array) -> Array:
    raised = np.exp(x - x.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def _gelu_tanh(x: Array) -> Array:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


_SELU_ALPHA, _SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875
_FUNCTIONS = {
    "relu": lambda x, a: np.maximum(x, 0),
    "relu6": lambda x, a: np.clip(x, 0, 6),
    "leaky_relu": lambda x, a: np.where(x < 0, a * x, x),
    "elu": lambda x, a: np.where(x < 0, a * np.expm1(x), x),
    "selu": lambda x, a: _SELU_GAMMA * np.where(x < 0, _SELU_ALPHA * np.expm1(x), x),
    "sigmoid": lambda x, a: _sigmoid(x),
    "tanh": lambda x, a: np.tanh(x),
    "softmax": lambda x, a: _softmax(x),
    "log_softmax": lambda x, a: np.log(_softmax(x)),
    "softplus": lambda x, a: np.log1p(np.exp(x)),
    "softsign": lambda x, a: x / (1 + np.abs(x)),
    "gelu": lambda x, a: 0.5 * x * (1 + _erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x, a: _gelu_tanh(x),
    "swish": lambda x, a: x * _sigmoid(x),
    "mish": lambda x, a: x * np.tanh(np.log1p(np.exp(x))),
    "hard_sigmoid": lambda x, a: np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x, a: x * np.clip(x / 6 + 0.5, 0, 1),
}


def _activation(layer: Layer, own: dict, x: Array) -> Array:
    return _FUNCTIONS[layer.attributes["function"]](x, layer.attributes.get("alpha"))


def _dense(layer: Layer, own: dict, x: Array) -> Array:
    return x @ own["weight"].T + own.get("bias", 0)


def _padded(layer: Layer, x: Array, value: float) -> Array:
    pads = layer.attributes["pads"]
    half = len(pads) // 2
    edges = [(0, 0), (0, 0), *zip(pads[:half], pads[half:], strict=True)]
    return np.pad(x, edges, constant_values=value)


def _patches(x: Array, kernel: tuple, strides: tuple, dilations: tuple):
    """Output shape, and for each place in the kernel the part of x that it meets."""
    sizes = [
        (size - d * (k - 1) - 1) // s + 1
        for size, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=True)
    ]
    for place in itertools.product(*map(range, kernel)):
        cut = tuple(
            slice(p * d, p * d + (n - 1) * s + 1, s)
            for p, d, n, s in zip(place, dilations, sizes, strides, strict=True)
        )
        yield place, x[(slice(None), slice(None), *cut)]


def _conv(layer: Layer, own: dict, x: Array) -> Array:
    weight, groups = own["weight"], layer.attributes["groups"]
    x = _padded(layer, x, 0)
    strides, dilations = layer.attributes["strides"], layer.attributes["dilations"]
    parts = []
    for inputs, kernels in zip(np.split(x, groups, 1), np.split(weight, groups), strict=True):
        found = 0
        for place, patch in _patches(inputs, weight.shape[2:], strides, dilations):
            at = kernels[(slice(None), slice(None), *place)]
            found = found + np.einsum("ni...,oi->no...", patch, at)
        parts.append(found)
    bias = own.get("bias", np.zeros(len(weight)))
    return np.concatenate(parts, 1) + bias.reshape(-1, *[1] * (x.ndim - 2))


def _batch_norm(layer: Layer, own: dict, x: Array) -> Array:
    wide = {role: value.reshape(-1, *[1] * (x.ndim - 2)) for role, value in own.items()}
    spread = np.sqrt(wide["variance"] + layer.attributes["epsilon"])
    return (x - wide["mean"]) / spread * wide["scale"] + wide["offset"]


def _layer_norm(layer: Layer, own: dict, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + layer.attributes["epsilon"])
    return centred / spread * own["scale"] + own["offset"]


def _pools(layer: Layer, x: Array, value: float) -> Array:
    kernel = layer.attributes["kernel"]
    patches = _patches(
        _padded(layer, x, value), kernel, layer.attributes["strides"], (1,) * len(kernel)
    )
    return np.stack([patch for _, patch in patches])


def _max_pool(layer: Layer, own: dict, x: Array) -> Array:
    return _pools(layer, x, -np.inf).max(0)


def _average_pool(layer: Layer, own: dict, x: Array) -> Array:
    sums = _pools(layer, x, 0).sum(0)
    if layer.attributes["count_padding"]:
        return sums / math.prod(layer.attributes["kernel"])
    return sums / _pools(layer, np.ones_like(x), 0).sum(0)


def _lstm(layer: Layer, own: dict, x: Array) -> Array:
    hidden = own["recurrent_weight"].shape[1]
    h = c = np.zeros((len(x), hidden))
    steps = []
    for step in _times(layer, x):
        gates = step @ own["input_weight"].T + h @ own["recurrent_weight"].T + own["bias"]
        i, f, g, o = np.split(gates, 4, 1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        steps.append(h)
    return _collected(layer, steps)


def _gru(layer: Layer, own: dict, x: Array) -> Array:
    h = np.zeros((len(x), own["recurrent_weight"].shape[1]))
    steps = []
    for step in _times(layer, x):
        given = np.split(step @ own["input_weight"].T + own["input_bias"], 3, 1)
        known = np.split(h @ own["recurrent_weight"].T + own["recurrent_bias"], 3, 1)
        r, z = _sigmoid(given[0] + known[0]), _sigmoid(given[1] + known[1])
        h = (1 - z) * np.tanh(given[2] + r * known[2]) + z * h
        steps.append(h)
    return _collected(layer, steps)


def _times(layer: Layer, x: Array) -> Array:
    steps = np.swapaxes(x, 0, 1)
    return steps[::-1] if layer.attributes["reverse"] else steps


def _collected(layer: Layer, steps: list[Array]) -> Array:
    if not layer.attributes["sequence"]:
        return steps[-1]
    return np.stack(steps[::-1] if layer.attributes["reverse"] else steps, 1)


def _attention(layer: Layer, own: dict, query: Array, key: Array, value: Array) -> Array:
    heads = layer.attributes["heads"]

    def project(x: Array, part: str) -> Array:
        made = x @ own[f"{part}_weight"].T + own.get(f"{part}_bias", 0)
        return made.reshape(*made.shape[:2], heads, -1).swapaxes(1, 2)

    q, k, v = project(query, "query"), project(key, "key"), project(value, "value")
    mixed = _softmax(q @ k.swapaxes(2, 3) / math.sqrt(q.shape[-1])) @ v
    joined = mixed.swapaxes(1, 2).reshape(*query.shape[:2], -1)
    return joined @ own["output_weight"].T + own.get("output_bias", 0)


_OPS = {
    "dense": _dense,
    "conv": _conv,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "max_pool": _max_pool,
    "average_pool": _average_pool,
    "global_average_pool": lambda layer, own, x: x.reshape(*x.shape[:2], -1).mean(-1),
    "global_max_pool": lambda layer, own, x: x.reshape(*x.shape[:2], -1).max(-1),
    "lstm": _lstm,
    "gru": _gru,
    "embedding": lambda layer, own, x: own["weight"][x],
    "attention": _attention,
    "activation": _activation,
    "dropout": lambda layer, own, x: x,
    "add": lambda layer, own, *x: sum(x),
    "multiply": lambda layer, own, *x: math.prod(x),
    "concat": lambda layer, own, *x: np.concatenate(x, layer.attributes["axis"]),
    "reshape": lambda layer, own, x: x.reshape(len(x), *layer.attributes["shape"]),
    "transpose": lambda layer, own, x: x.transpose(layer.attributes["permutation"]),
    "pad": lambda layer, own, x: _padded(layer, x, layer.attributes["value"]),
    "last_step": lambda layer, own, x: x[:, -1],
    "rescale": lambda layer, own, x: x * layer.attributes["scale"] + layer.attributes["offset"],
}
