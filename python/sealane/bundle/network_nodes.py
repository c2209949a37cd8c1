"""The ONNX nodes of each operator of a network (the table of network format §4.2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from sealane.bundle.network import Layer
    from sealane.bundle.network_graph import Array, GraphWriter
    from sealane.bundle.network_shapes import LayerValue

Values = Mapping[str, "LayerValue"]
_Add = Callable[["GraphWriter", "Layer", Values, list[str]], None]

_LSTM_GATES = (0, 3, 1, 2)  # from i, f, g, o to i, o, f, g
_GRU_GATES = (1, 0, 2)  # from r, z, n to z, r, n


def add_layer(writer: GraphWriter, layer: Layer, values: Values) -> None:
    """Write the nodes of one layer, whose inputs are written."""
    if layer.op == "dropout":
        writer.pass_on(layer)
        return
    inputs = [writer.value(name) for name in layer.inputs]
    _ADD[layer.op](writer, layer, values, inputs)


def _ints(layer: Layer, name: str) -> tuple[int, ...]:
    return cast("tuple[int, ...]", layer.attributes[name])


def _number(layer: Layer, name: str) -> float:
    return float(cast("float", layer.attributes[name]))


def _inner(layer: Layer, suffix: str) -> str:
    return f"layer:{layer.name}:{suffix}"


def _roles(writer: GraphWriter, layer: Layer, *roles: str) -> list[str]:
    return [writer.stored_weight(layer, role) for role in roles if role in layer.weights]


def _product(
    writer: GraphWriter,
    layer: Layer,
    given: str,
    part: str,
    *,
    product: str,
    biased: str,
    bare: str,
) -> str:
    """``given`` by the transposed weight, plus the bias where there is one.

    Args:
        writer: Where to.
        layer: With the roles ``<part>weight`` and maybe ``<part>bias``.
        given: The value to multiply.
        part: What the roles begin with.
        product: Name of the product when a bias follows.
        biased: Name of the sum.
        bare: Name of the product when no bias follows.
    """
    weight = np.ascontiguousarray(writer.weight(layer, f"{part}weight").T)
    operands = [given, writer.stored_weight(layer, f"{part}weight", weight)]
    if f"{part}bias" not in layer.weights:
        return writer.node("MatMul", operands, bare)
    writer.node("MatMul", operands, product)
    return writer.node("Add", [product, writer.stored_weight(layer, f"{part}bias")], biased)


def _dense(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    result = writer.result(layer)
    if values[layer.inputs[0]].rank == 3:
        inner = _inner(layer, "product")
        _product(writer, layer, inputs[0], "", product=inner, biased=result, bare=result)
        return
    operands = [*inputs, *_roles(writer, layer, "weight", "bias")]
    writer.node("Gemm", operands, result, transB=1)


def _conv(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    writer.node(
        "Conv",
        [*inputs, *_roles(writer, layer, "weight", "bias")],
        writer.result(layer),
        dilations=_ints(layer, "dilations"),
        group=cast("int", layer.attributes["groups"]),
        kernel_shape=writer.weight(layer, "weight").shape[2:],
        pads=_ints(layer, "pads"),
        strides=_ints(layer, "strides"),
    )


def _batch_norm(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    operands = [*inputs, *_roles(writer, layer, "scale", "offset", "mean", "variance")]
    epsilon = _number(layer, "epsilon")
    writer.node("BatchNormalization", operands, writer.result(layer), epsilon=epsilon)


def _layer_norm(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    operands = [*inputs, *_roles(writer, layer, "scale", "offset")]
    epsilon = _number(layer, "epsilon")
    writer.node("LayerNormalization", operands, writer.result(layer), axis=-1, epsilon=epsilon)


def _pool(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    average = layer.op == "average_pool"
    counted = {"count_include_pad": int(bool(layer.attributes["count_padding"]))} if average else {}
    writer.node(
        "AveragePool" if average else "MaxPool",
        inputs,
        writer.result(layer),
        kernel_shape=_ints(layer, "kernel"),
        pads=_ints(layer, "pads"),
        strides=_ints(layer, "strides"),
        **counted,
    )


def _global_pool(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    op = "GlobalAveragePool" if layer.op == "global_average_pool" else "GlobalMaxPool"
    pooled = writer.node(op, inputs, _inner(layer, "pooled"))
    shape = writer.constant(layer, "shape", [0, values[layer.name].dims[1]], np.int64)
    writer.node("Reshape", [pooled, shape], writer.result(layer))


def _recurrent(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    given = writer.node("Transpose", inputs, _inner(layer, "time_first"), perm=(1, 0, 2))
    hidden = writer.weight(layer, "recurrent_weight").shape[1]
    direction = "reverse" if layer.attributes["reverse"] else "forward"
    if layer.op == "lstm":
        op, gates, bias_role = "LSTM", _LSTM_GATES, "bias"
        bias = writer.weight(layer, "bias")
        biases = (bias, np.zeros_like(bias))
        more: dict[str, int] = {}
    else:
        op, gates, bias_role = "GRU", _GRU_GATES, "input_bias"
        biases = (writer.weight(layer, "input_bias"), writer.weight(layer, "recurrent_bias"))
        more = {"linear_before_reset": 1}
    operands = [given]
    for role in ("input_weight", "recurrent_weight"):
        stored = _ordered(writer.weight(layer, role), gates)[np.newaxis]
        operands.append(writer.stored_weight(layer, role, stored))
    joined = np.concatenate([_ordered(each, gates) for each in biases])[np.newaxis]
    operands.append(writer.stored_weight(layer, bias_role, joined))
    sequence = bool(layer.attributes["sequence"])
    found = _inner(layer, "steps" if sequence else "last")
    outputs = [found] if sequence else ["", found]
    writer.node_with_outputs(op, operands, outputs, direction=direction, hidden_size=hidden, **more)
    axes = writer.constant(layer, "axes", [1 if sequence else 0], np.int64)
    if sequence:
        squeezed = writer.node("Squeeze", [found, axes], _inner(layer, "squeezed"))
        writer.node("Transpose", [squeezed], writer.result(layer), perm=(1, 0, 2))
    else:
        writer.node("Squeeze", [found, axes], writer.result(layer))


def _ordered(weight: Array, gates: tuple[int, ...]) -> Array:
    """The blocks of a weight's first axis in another order."""
    blocks = np.split(weight, len(gates))
    return np.concatenate([blocks[gate] for gate in gates])


def _embedding(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    table = writer.stored_weight(layer, "weight")
    writer.node("Gather", [table, *inputs], writer.result(layer), axis=0)


def _attention(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    heads = cast("int", layer.attributes["heads"])
    inner = writer.weight(layer, "query_weight").shape[0]
    split = [0, 0, heads, inner // heads]
    parts: list[str] = []
    for given, part in zip(inputs, ("query", "key", "value"), strict=True):
        product, biased = _inner(layer, f"{part}_product"), _inner(layer, f"{part}_biased")
        projected = _product(
            writer, layer, given, f"{part}_", product=product, biased=biased, bare=product
        )
        shape = writer.constant(layer, "split", split, np.int64)
        split_up = writer.node("Reshape", [projected, shape], _inner(layer, f"{part}_split"))
        axes = (0, 2, 3, 1) if part == "key" else (0, 2, 1, 3)
        parts.append(
            writer.node("Transpose", [split_up], _inner(layer, f"{part}_heads"), perm=axes)
        )
    products = writer.node("MatMul", parts[:2], _inner(layer, "products"))
    scale = writer.constant(layer, "scale", 1 / math.sqrt(inner // heads), np.float32)
    scores = writer.node("Mul", [products, scale], _inner(layer, "scores"))
    shares = writer.node("Softmax", [scores], _inner(layer, "attention"), axis=-1)
    mixed = writer.node("MatMul", [shares, parts[2]], _inner(layer, "mixed"))
    rows = writer.node("Transpose", [mixed], _inner(layer, "rows"), perm=(0, 2, 1, 3))
    shape = writer.constant(layer, "join", [0, 0, inner], np.int64)
    joined = writer.node("Reshape", [rows, shape], _inner(layer, "joined"))
    product, result = _inner(layer, "output_product"), writer.result(layer)
    _product(writer, layer, joined, "output_", product=product, biased=result, bare=result)


_PLAIN = {
    "relu": "Relu",
    "selu": "Selu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "mish": "Mish",
}


def _activation(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    function, result = cast("str", layer.attributes["function"]), writer.result(layer)
    if function in _PLAIN:
        writer.node(_PLAIN[function], inputs, result)
    elif function == "relu6":
        low = writer.constant(layer, "minimum", 0, np.float32)
        high = writer.constant(layer, "maximum", 6, np.float32)
        writer.node("Clip", [*inputs, low, high], result)
    elif function in ("leaky_relu", "elu"):
        op = "LeakyRelu" if function == "leaky_relu" else "Elu"
        writer.node(op, inputs, result, alpha=_number(layer, "alpha"))
    elif function in ("softmax", "log_softmax"):
        writer.node("Softmax" if function == "softmax" else "LogSoftmax", inputs, result, axis=-1)
    elif function in ("gelu", "gelu_tanh"):
        writer.node("Gelu", inputs, result, approximate="none" if function == "gelu" else "tanh")
    elif function == "swish":
        gate = writer.node("Sigmoid", inputs, _inner(layer, "gate"))
        writer.node("Mul", [*inputs, gate], result)
    elif function == "hard_swish":
        inner = _inner(layer, "gate")
        gate = writer.node("HardSigmoid", inputs, inner, alpha=1 / 6, beta=0.5)
        writer.node("Mul", [*inputs, gate], result)
    else:
        writer.node("HardSigmoid", inputs, result, alpha=1 / 6, beta=0.5)


def _fold(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    op = "Add" if layer.op == "add" else "Mul"
    folded = inputs[0]
    for index, operand in enumerate(inputs[1:], start=1):
        last = index == len(inputs) - 1
        output = writer.result(layer) if last else _inner(layer, f"partial{index}")
        folded = writer.node(op, [folded, operand], output)


def _concat(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    axis = cast("int", layer.attributes["axis"])
    writer.node("Concat", inputs, writer.result(layer), axis=axis)


def _reshape(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    shape = writer.constant(layer, "shape", [0, *_ints(layer, "shape")], np.int64)
    writer.node("Reshape", [*inputs, shape], writer.result(layer))


def _transpose(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    writer.node("Transpose", inputs, writer.result(layer), perm=_ints(layer, "permutation"))


def _pad(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    pads = _ints(layer, "pads")
    half = len(pads) // 2
    every = writer.constant(layer, "pads", [0, 0, *pads[:half], 0, 0, *pads[half:]], np.int64)
    value = writer.constant(layer, "value", _number(layer, "value"), np.float32)
    writer.node("Pad", [*inputs, every, value], writer.result(layer), mode="constant")


def _last_step(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    index = writer.constant(layer, "index", -1, np.int64)
    writer.node("Gather", [*inputs, index], writer.result(layer), axis=1)


def _rescale(writer: GraphWriter, layer: Layer, values: Values, inputs: list[str]) -> None:
    del values
    scale = writer.constant(layer, "scale", _number(layer, "scale"), np.float32)
    scaled = writer.node("Mul", [*inputs, scale], _inner(layer, "scaled"))
    offset = writer.constant(layer, "offset", _number(layer, "offset"), np.float32)
    writer.node("Add", [scaled, offset], writer.result(layer))


_ADD: dict[str, _Add] = {
    "dense": _dense,
    "conv": _conv,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "max_pool": _pool,
    "average_pool": _pool,
    "global_average_pool": _global_pool,
    "global_max_pool": _global_pool,
    "lstm": _recurrent,
    "gru": _recurrent,
    "embedding": _embedding,
    "attention": _attention,
    "activation": _activation,
    "add": _fold,
    "multiply": _fold,
    "concat": _concat,
    "reshape": _reshape,
    "transpose": _transpose,
    "pad": _pad,
    "last_step": _last_step,
    "rescale": _rescale,
}
