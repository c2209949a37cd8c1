"""Operators on shapes, and those that only move elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import numpy_helper

from sealane.export.tensorflow_ops.node import Array, Node, Value, is_array, op


@op("Constant", 1, 9, 11, 12, 13, 19, 21, 23, 24, 25)
def constant(node: Node) -> Value:
    """A value written in the node."""
    for name in ("value_float", "value_floats", "value_int", "value_ints"):
        value = node.take(name)
        if value is not None:
            return np.array(value, np.float32 if "float" in name else np.int64)
    value = node.take("value")
    if value is None:
        raise node.refuse("a value that is no tensor of numbers")
    return numpy_helper.to_array(value)


@op("ConstantOfShape", 9, 20, 21, 23, 24, 25)
def constant_of_shape(node: Node, shape: Value) -> Value:
    """One number everywhere."""
    value = node.take("value")
    number = np.zeros(1, np.float32) if value is None else numpy_helper.to_array(value)
    return node.tf.fill(shape, number.reshape(()))


@op("Shape", 1, 13, 15, 19, 21, 23, 24, 25)
def shape(node: Node, x: Value) -> Value:
    """The dims from ``start`` to ``end``."""
    return node.shape(x)[node.take("start", 0) : node.take("end")]


@op("Size", 1, 13, 19, 21, 23, 24, 25)
def size(node: Node, x: Value) -> Value:
    """How many elements."""
    return node.tf.reduce_prod(node.shape(x))


@op("Reshape", 5, 13, 14, 19, 21, 23, 24, 25)
def reshape(node: Node, x: Value, wanted: Value) -> Value:
    """To the wanted dims; 0 keeps a dim unless ``allowzero``."""
    tf = node.tf
    if not node.expect("allowzero", 0, 1):
        rank = node.rank(x)
        known: Array | None = wanted if is_array(wanted) else tf.get_static_value(wanted)
        if known is not None:
            if np.any(known == 0):
                own = node.shape(x)
                wanted = tf.stack([own[i] if n == 0 else int(n) for i, n in enumerate(known)])
                if max(np.flatnonzero(known == 0)) >= rank:
                    raise node.refuse("a 0 beyond the input's rank")
        else:
            count = node.sizes(wanted)[0]
            if count is None:
                raise node.refuse("a shape of unknown length")
            own = tf.pad(node.shape(x)[:count], [[0, max(0, count - rank)]])
            wanted = tf.where(tf.equal(wanted, 0), own, wanted)
    return tf.reshape(x, wanted)


@op("Flatten", 1, 9, 11, 13, 21, 23, 24, 25)
def flatten(node: Node, x: Value) -> Value:
    """To two dims, those before ``axis`` and the rest."""
    axis, rank = node.take("axis", 1), node.rank(x)
    axis = axis if axis == rank else node.axis(axis, rank)
    dims = node.shape(x)
    return node.tf.reshape(
        x, node.tf.stack([node.tf.reduce_prod(dims[:axis]), node.tf.reduce_prod(dims[axis:])])
    )


@op("Transpose", 1, 13, 21, 23, 24, 25)
def transpose(node: Node, x: Value) -> Value:
    """The dims in another order, reversed by default."""
    return node.tf.transpose(x, node.take("perm"))


@op("Squeeze", 1, 11, 13, 21, 23, 24, 25)
def squeeze(node: Node, x: Value, axes: Value = None) -> Value:
    """Without the given dims of size 1."""
    given = node.take("axes") if axes is None else node.integers(axes, "axes")
    if given is None:
        sizes = node.sizes(x)
        if None in sizes:
            raise node.refuse("no axes and unknown dims")
        given = [axis for axis, dim in enumerate(sizes) if dim == 1]
    if not given:
        return node.tf.identity(x)
    return node.tf.squeeze(x, [node.axis(axis, node.rank(x)) for axis in given])


@op("Unsqueeze", 1, 11, 13, 21, 23, 24, 25)
def unsqueeze(node: Node, x: Value, axes: Value = None) -> Value:
    """With dims of size 1 at the given places."""
    given = node.take("axes") if axes is None else node.integers(axes, "axes")
    rank = node.rank(x) + len(given)
    for axis in sorted(node.axis(axis, rank) for axis in given):
        x = node.tf.expand_dims(x, axis)
    return x


@op("Concat", 4, 11, 13)
def concat(node: Node, *values: Value) -> Value:
    """One after the other along ``axis``."""
    axis = node.axis(node.take("axis"), node.rank(values[0]))
    return node.tf.concat(list(values), axis)


@op("Split", 2, 11, 13, 18)
def split(node: Node, x: Value, lengths: Value = None) -> tuple[Value, ...]:
    """Into parts of the given lengths, or equal ones with a smaller last."""
    axis = node.axis(node.take("axis", 0), node.rank(x))
    given = node.take("split") if lengths is None else node.integers(lengths, "split lengths")
    parts = node.take("num_outputs", len(node.outputs))
    if given is None:
        dim = node.sizes(x)[axis]
        if dim is None:
            raise node.refuse("equal parts of an unknown dim")
        each = -(-dim // parts)
        given = [each] * (parts - 1) + [dim - each * (parts - 1)]
    if len(given) != len(node.outputs) or min(given) < 0:
        raise node.refuse(f"split lengths {given} for {len(node.outputs)} outputs")
    return tuple(node.tf.split(x, list(given), axis))


@op("Slice", 1, 10, 11, 13)
def slice_(
    node: Node, x: Value, starts: Value = None, ends: Value = None,
    axes: Value = None, steps: Value = None,
) -> Value:  # fmt: skip
    """From start to end by step per axis; ends are clamped as Python does."""
    tf, rank = node.tf, node.rank(x)
    if node.version == 1:
        starts, ends = (np.array(node.take(name), np.int64) for name in ("starts", "ends"))
        axes = node.take("axes")
        axes = None if axes is None else np.array(axes, np.int64)
    count = node.sizes(starts)[0]
    if count is None:
        raise node.refuse("starts of unknown length")
    along = list(range(count)) if axes is None else node.integers(axes, "axes")
    along = [node.axis(axis, rank) for axis in along]
    step = [1] * count if steps is None else node.integers(steps, "steps")
    if len(set(along)) != count or 0 in step:
        raise node.refuse(f"axes {along} and steps {step}")
    strides = [1] * rank
    for axis, by in zip(along, step, strict=True):
        strides[axis] = by
    mask = sum(1 << axis for axis in range(rank) if axis not in along)
    begin, end = (_per_axis(tf, value, along, rank) for value in (starts, ends))
    if is_array(begin) and is_array(end):
        for axis, dim in enumerate(node.sizes(x)):
            if dim is not None and strides[axis] > 0:
                begin[axis], end[axis], _ = slice(int(begin[axis]), int(end[axis])).indices(dim)
    return tf.strided_slice(
        x, begin, end, tf.constant(strides, tf.int64), begin_mask=mask, end_mask=mask
    )


def _per_axis(tf: Any, values: Value, along: list[int], rank: int) -> Value:
    """One bound per dim of the input, 0 for those that are not cut."""
    if is_array(values):
        whole = np.zeros(rank, np.int64)
        whole[along] = values
        return whole
    values = tf.cast(values, tf.int64)
    zero = tf.constant(0, tf.int64)
    placed = [values[along.index(axis)] if axis in along else zero for axis in range(rank)]
    return tf.stack(placed) if placed else tf.zeros([0], tf.int64)


@op("Expand", 8, 13)
def expand(node: Node, x: Value, wanted: Value) -> Value:
    """Broadcast with the wanted dims, both ways."""
    tf = node.tf
    own = node.shape(x)
    if is_array(own) and is_array(wanted):
        return tf.broadcast_to(x, np.broadcast_shapes(tuple(own), tuple(wanted)))
    return tf.broadcast_to(x, tf.broadcast_dynamic_shape(own, tf.cast(wanted, tf.int64)))


@op("Tile", 6, 13)
def tile(node: Node, x: Value, repeats: Value) -> Value:
    """Repeated along each axis."""
    return node.tf.tile(x, repeats)


@op("Range", 11)
def range_(node: Node, start: Value, limit: Value, delta: Value) -> Value:
    """From start by delta up to, not including, limit."""
    return node.tf.range(start, limit, delta)


@op("Pad", 11, 13, 18, 19, 21, 23, 24, 25)
def pad(node: Node, x: Value, pads: Value, number: Value = None, axes: Value = None) -> Value:
    """With a constant, or mirrored without the edge."""
    mode = node.expect("mode", "constant", "reflect")
    rank, amounts = node.rank(x), node.integers(pads, "pads")
    along = list(range(rank)) if axes is None else node.integers(axes, "axes")
    if min(amounts, default=0) < 0 or len(amounts) != 2 * len(along):
        raise node.refuse(f"pads {amounts}")
    paddings = [[0, 0] for _ in range(rank)]
    for place, axis in enumerate(along):
        paddings[node.axis(axis, rank)] = [amounts[place], amounts[place + len(along)]]
    if mode == "reflect":
        return node.tf.pad(x, paddings, "REFLECT")
    filler = node.tf.zeros([], x.dtype) if number is None else node.tf.reshape(number, [])
    return node.tf.pad(x, paddings, constant_values=filler)


@op("Trilu", 14)
def trilu(node: Node, x: Value, k: Value = None) -> Value:
    """The upper or lower triangle of the last two dims; the rest is zero."""
    tf = node.tf
    upper = node.expect("upper", 1, 0)
    offset = 0 if k is None else node.integers(k, "k")[0]
    dims = node.shape(x)
    rows = tf.range(dims[-2])[:, None]
    columns = tf.range(dims[-1])[None, :]
    kept = columns - rows >= offset if upper else columns - rows <= offset
    return tf.where(kept, x, tf.zeros([], x.dtype))


@op("EyeLike", 9, 22)
def eye_like(node: Node, x: Value) -> Value:
    """Ones on the ``k``-th diagonal."""
    tf = node.tf
    offset, dtype = node.take("k", 0), node.take("dtype")
    dims = node.shape(x)
    ones = tf.range(dims[1])[None, :] - tf.range(dims[0])[:, None] == offset
    if dtype is None:
        return tf.cast(ones, x.dtype)
    import onnx

    return tf.cast(ones, onnx.helper.tensor_dtype_to_np_dtype(dtype))


def _blocks(node: Node, x: Value) -> tuple[Value, Value, Value, Value, int]:
    if node.rank(x) != 4:
        raise node.refuse("an input that is not [N, C, H, W]")
    n, c, h, w = (node.shape(x)[axis] for axis in range(4))
    return n, c, h, w, node.take("blocksize")


@op("DepthToSpace", 1, 11, 13)
def depth_to_space(node: Node, x: Value) -> Value:
    """Channels to blocks of space."""
    n, c, h, w, block = _blocks(node, x)
    tf, depth = node.tf, c // (block * block)
    if node.expect("mode", "DCR", "CRD") == "DCR":
        parts = tf.reshape(x, tf.stack([n, block, block, depth, h, w]))
        parts = tf.transpose(parts, [0, 3, 4, 1, 5, 2])
    else:
        parts = tf.reshape(x, tf.stack([n, depth, block, block, h, w]))
        parts = tf.transpose(parts, [0, 1, 4, 2, 5, 3])
    return tf.reshape(parts, tf.stack([n, depth, h * block, w * block]))


@op("SpaceToDepth", 1, 13)
def space_to_depth(node: Node, x: Value) -> Value:
    """Blocks of space to channels."""
    n, c, h, w, block = _blocks(node, x)
    tf = node.tf
    parts = tf.reshape(x, tf.stack([n, c, h // block, block, w // block, block]))
    parts = tf.transpose(parts, [0, 3, 5, 1, 2, 4])
    return tf.reshape(parts, tf.stack([n, c * block * block, h // block, w // block]))
