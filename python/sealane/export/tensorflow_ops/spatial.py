"""Convolution and pooling; ONNX has channels first, TensorFlow's CPU kernels channels last."""

from __future__ import annotations

from typing import Any

import numpy as np

from sealane.export.tensorflow_ops.node import Node, Value, is_array, op, padded

GROUP_LIMIT = 64
"""More groups than this, other than one per channel, would make too many convolutions."""


def _channels_last(node: Node, x: Value) -> Value:
    rank = node.rank(x)
    return node.tf.transpose(x, [0, *range(2, rank), 1])


def _channels_first(node: Node, x: Value) -> Value:
    rank = node.rank(x)
    return node.tf.transpose(x, [0, rank - 1, *range(1, rank - 1)])


def _spatial(node: Node, x: Value) -> int:
    dims = node.rank(x) - 2
    if not 1 <= dims <= 3:
        raise node.refuse(f"{dims} spatial dims")
    return dims


def _pads(
    node: Node, x: Value, kernel: list[int], strides: list[int], dilations: list[int]
) -> list[list[int]]:
    """Zeros before and after each spatial dim."""
    mode, dims = node.expect("auto_pad", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"), len(kernel)
    given = padded(node.take("pads"), 2 * dims, 0)
    if mode == "NOTSET":
        if min(given) < 0:
            raise node.refuse(f"pads {given}")
        return [[given[axis], given[axis + dims]] for axis in range(dims)]
    if mode == "VALID":
        return [[0, 0] for _ in range(dims)]
    result: list[list[int]] = []
    for axis, size in enumerate(node.sizes(x)[2:]):
        if size is None:
            raise node.refuse(f"auto_pad = {mode} and unknown dims")
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        total = max(0, (-(-size // strides[axis]) - 1) * strides[axis] + reach - size)
        small, large = total // 2, total - total // 2
        result.append([small, large] if mode == "SAME_UPPER" else [large, small])
    return result


def _padded(node: Node, x: Value, pads: list[list[int]], number: float = 0.0) -> Value:
    """Channels last, padded in space."""
    if not any(map(any, pads)):
        return x
    filler = node.tf.constant(number, x.dtype)
    return node.tf.pad(x, [[0, 0], *pads, [0, 0]], constant_values=filler)


@op("Conv", 1, 11, 22)
def conv(node: Node, x: Value, weight: Value, bias: Value = None) -> Value:
    """Cross-correlation with groups, strides and dilations."""
    dims = _spatial(node, x)
    sizes = node.sizes(weight)
    if None in sizes:
        raise node.refuse("a kernel of unknown size")
    kernel = padded(node.take("kernel_shape"), dims, 0)
    if kernel not in (sizes[2:], [0] * dims):
        raise node.refuse(f"kernel_shape {kernel} for a kernel {sizes}")
    kernel = [int(size or 0) for size in sizes[2:]]
    strides = padded(node.take("strides"), dims, 1)
    dilations = padded(node.take("dilations"), dims, 1)
    pads = _pads(node, x, kernel, strides, dilations)
    group = node.take("group", 1)
    inputs = _padded(node, _channels_last(node, x), pads)
    result = _convolve(node, inputs, weight, strides, dilations, group)
    if bias is not None:
        result = result + bias
    return _channels_first(node, result)


def _kernel(node: Node, weight: Value, order: list[int]) -> Value:
    """A kernel with its dims in TensorFlow's order; a constant is stored in that order."""
    if is_array(weight):
        return node.weights(np.ascontiguousarray(weight.transpose(order)))
    return node.tf.transpose(weight, order)


def _convolve(
    node: Node, x: Value, weight: Value, strides: list[int], dilations: list[int], group: int
) -> Value:
    dims = len(strides)
    outputs, per_group = node.sizes(weight)[:2]
    assert outputs is not None
    if group == outputs and per_group == 1 and dims == 2 and strides[0] == strides[1]:
        kernel = _kernel(node, weight, [2, 3, 0, 1])
        if 1 in (strides[0], max(dilations)):
            return node.tf.nn.depthwise_conv2d(
                x, kernel, [1, *strides, 1], "VALID", dilations=dilations
            )
    if dims == 3 and max(dilations) > 1:
        raise node.refuse(f"dilations {dilations} in three dims")
    if group > GROUP_LIMIT:
        raise node.refuse(f"{group} groups")
    kernel = _kernel(node, weight, [*range(2, dims + 2), 1, 0])
    parts = zip(
        node.tf.split(x, group, axis=-1), node.tf.split(kernel, group, axis=-1), strict=True
    )
    made = [_convolve_group(node, part, of, strides, dilations) for part, of in parts]
    return node.tf.concat(made, -1) if group > 1 else made[0]


def _convolve_group(
    node: Node, x: Value, kernel: Value, strides: list[int], dilations: list[int]
) -> Value:
    nn, tf = node.tf.nn, node.tf
    if len(strides) == 1:
        flat = nn.conv2d(
            tf.expand_dims(x, 1), tf.expand_dims(kernel, 0), [1, 1, strides[0], 1], "VALID",
            dilations=[1, 1, dilations[0], 1],
        )  # fmt: skip
        return tf.squeeze(flat, [1])
    if len(strides) == 2:
        return nn.conv2d(x, kernel, [1, *strides, 1], "VALID", dilations=[1, *dilations, 1])
    return nn.conv3d(x, kernel, [1, *strides, 1], "VALID")


@op("ConvTranspose", 1, 11, 22)
def conv_transpose(node: Node, x: Value, weight: Value, bias: Value = None) -> Value:
    """The gradient of a convolution, in one or two dims."""
    dims = _spatial(node, x)
    sizes = node.sizes(weight)
    if None in sizes or dims == 3:
        raise node.refuse(f"a kernel {sizes}")
    kernel = padded(node.take("kernel_shape"), dims, 0)
    if kernel not in (sizes[2:], [0] * dims):
        raise node.refuse(f"kernel_shape {kernel} for a kernel {sizes}")
    strides = padded(node.take("strides"), dims, 1)
    if max(padded(node.take("dilations"), dims, 1)) > 1:
        raise node.refuse("dilations")
    node.expect("group", 1)
    node.expect("auto_pad", "NOTSET", "VALID")
    if node.take("output_shape"):
        raise node.refuse("output_shape")
    pads = padded(node.take("pads"), 2 * dims, 0)
    extra = padded(node.take("output_padding"), dims, 0)
    inputs = _channels_last(node, x)
    order = [*range(2, dims + 2), 1, 0]
    whole = _transposed(node, inputs, _kernel(node, weight, order), strides)
    begin, end = pads[:dims], [after - more for after, more in zip(pads[dims:], extra, strict=True)]
    if (
        min(pads) < 0
        or max(after - before for after, before in zip(extra, strides, strict=True)) >= 0
    ):
        raise node.refuse(f"pads {pads} and output_padding {extra}")
    grown = [[0, max(0, -after)] for after in end]
    whole = _padded(node, whole, grown)
    spatial = node.shape(whole)
    stop = [spatial[i + 1] - max(0, end[i]) for i in range(dims)]
    part = whole[(slice(None), *(slice(b, e) for b, e in zip(begin, stop, strict=True)))]
    if bias is not None:
        part = part + bias
    return _channels_first(node, part)


def _transposed(node: Node, x: Value, kernel: Value, strides: list[int]) -> Value:
    """The whole transposed convolution, no pads taken off."""
    tf = node.tf
    if len(strides) == 1:
        flat = _transposed(node, tf.expand_dims(x, 1), tf.expand_dims(kernel, 0), [1, strides[0]])
        return tf.squeeze(flat, [1])
    dims, shape = tf.shape(x), kernel.shape
    spatial = [(dims[i + 1] - 1) * strides[i] + shape[i] for i in range(2)]
    output = tf.stack([dims[0], *spatial, shape[2]])
    made = tf.nn.conv2d_transpose(x, kernel, output, [1, *strides, 1], "VALID")
    known = [
        None if x.shape[i + 1] is None else (x.shape[i + 1] - 1) * strides[i] + shape[i]
        for i in range(2)
    ]
    return tf.ensure_shape(made, [x.shape[0], *known, shape[2]])


def _window(node: Node, x: Value) -> tuple[list[int], list[int], list[list[int]], list[int]]:
    """Kernel, strides, pads, and the further room that ``ceil_mode`` gives after each dim."""
    dims = _spatial(node, x)
    kernel = list(node.take("kernel_shape"))
    strides = padded(node.take("strides"), dims, 1)
    if max(padded(node.take("dilations"), dims, 1)) > 1:
        raise node.refuse("dilations")
    pads = _pads(node, x, kernel, strides, [1] * dims)
    extra = [0] * dims
    if node.expect("ceil_mode", 0, 1):
        for axis, size in enumerate(node.sizes(x)[2:]):
            if size is None:
                raise node.refuse("ceil_mode and unknown dims")
            extra[axis] = _ceil_room(size, kernel[axis], strides[axis], pads[axis])
    return kernel, strides, pads, extra


def _ceil_room(size: int, kernel: int, stride: int, pads: list[int]) -> int:
    """Room after a dim so that the last window, if it starts inside, fits."""
    span = size + sum(pads) - kernel
    windows = -(-span // stride) + 1
    if (windows - 1) * stride >= size + pads[0]:
        windows -= 1
    return max(0, (windows - 1) * stride - span)


def _with_room(pads: list[list[int]], extra: list[int]) -> list[list[int]]:
    return [[before, after + more] for (before, after), more in zip(pads, extra, strict=True)]


@op("MaxPool", 8, 10, 11, 12, 22)
def max_pool(node: Node, x: Value) -> Value:
    """The largest of each window."""
    node.expect("storage_order", 0)
    if any(node.outputs[1:]):
        raise node.refuse("indices as an output")
    if not node.tf.as_dtype(x.dtype).is_floating:
        raise node.refuse(f"dtype {x.dtype}")
    kernel, strides, pads, extra = _window(node, x)
    lowest = float(node.tf.as_dtype(x.dtype).min)
    inputs = _padded(node, _channels_last(node, x), _with_room(pads, extra), lowest)
    return _channels_first(node, _pool(node, inputs, kernel, strides, "max"))


def _pool(node: Node, x: Value, kernel: list[int], strides: list[int], kind: str) -> Value:
    tf = node.tf
    if len(kernel) == 1:
        flat = _pool(node, tf.expand_dims(x, 1), [1, *kernel], [1, *strides], kind)
        return tf.squeeze(flat, [1])
    function = getattr(tf.nn, f"{kind}_pool{len(kernel)}d")
    return function(x, kernel, strides, "VALID")


@op("AveragePool", 7, 10, 11, 19, 22)
def average_pool(node: Node, x: Value) -> Value:
    """The mean of each window, with or without its padding."""
    tf = node.tf
    include = bool(node.expect("count_include_pad", 0, 1))
    kernel, strides, pads, extra = _window(node, x)
    last = _channels_last(node, x)
    inputs = _padded(node, last, _with_room(pads, extra))
    pooled = _pool(node, inputs, kernel, strides, "avg")
    if not any(extra) and (include or not any(map(any, pads))):
        return _channels_first(node, pooled)
    ones = tf.ones_like(last[:1, ..., :1])
    room = [[0, more] for more in extra]
    counted = (
        _padded(node, _padded(node, ones, pads, 1.0), room)
        if include
        else _padded(node, ones, _with_room(pads, extra))
    )
    return _channels_first(node, pooled / _pool(node, counted, kernel, strides, "avg"))


def _global(name: str) -> Any:
    def handler(node: Node, x: Value) -> Value:
        axes = list(range(2, node.rank(x)))
        return getattr(node.tf, name)(x, axes, keepdims=True)

    return handler


op("GlobalAveragePool", 1, 22)(_global("reduce_mean"))
op("GlobalMaxPool", 1, 22)(_global("reduce_max"))
