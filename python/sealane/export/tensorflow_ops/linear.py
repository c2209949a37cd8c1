"""Matrix products, reductions and normalisations."""

from __future__ import annotations

from typing import Any

import numpy as np

from sealane.export.tensorflow_ops.elementwise import add
from sealane.export.tensorflow_ops.node import Node, Value, op


@op("MatMul", 1, 9, 13)
def mat_mul(node: Node, x: Value, y: Value) -> Value:
    """As ``numpy.matmul``."""
    tf, left, right = node.tf, node.rank(x), node.rank(y)
    if left == 0 or right == 0:
        raise node.refuse("a scalar")
    x = tf.expand_dims(x, 0) if left == 1 else x
    y = tf.expand_dims(y, 1) if right == 1 else y
    product = tf.matmul(x, y)
    gone = ([-2] if left == 1 else []) + ([-1] if right == 1 else [])
    return tf.squeeze(product, gone) if gone else product


@op("Gemm", 7, 9, 11, 13)
def gemm(node: Node, a: Value, b: Value, c: Value = None) -> Value:
    """``alpha * A B + beta * C``, either transposed."""
    tf = node.tf
    alpha, beta = node.take("alpha", 1.0), node.take("beta", 1.0)
    first, second = (bool(node.expect(name, 0, 1)) for name in ("transA", "transB"))
    product = tf.matmul(a, b, transpose_a=first, transpose_b=second)
    if alpha != 1.0:
        product = tf.constant(alpha, product.dtype) * product
    if c is None or beta == 0.0:
        return product
    return add(node, product, c if beta == 1.0 else tf.constant(beta, product.dtype) * c)


@op("Einsum", 12)
def einsum(node: Node, *values: Value) -> Value:
    """The sum of products that the equation says."""
    equation = node.take("equation").replace(" ", "")
    terms = equation.split("->")[0].split(",")
    if any(len(set(term)) != len(term.replace("...", ".")) for term in terms):
        raise node.refuse(f"equation {equation!r}, which takes a diagonal")
    return node.tf.einsum(equation, *values)


def _reduction(function: Any) -> Any:
    def handler(node: Node, x: Value, axes: Value = None) -> Value:
        given = node.take("axes") if axes is None else node.integers(axes, "axes")
        nothing = node.expect("noop_with_empty_axes", 0, 1)
        keep = bool(node.expect("keepdims", 1, 0))
        rank = node.rank(x)
        if not given and nothing:
            return function(node, x, None, keep)
        along = [node.axis(axis, rank) for axis in given] if given else list(range(rank))
        return function(node, x, along, keep)

    return handler


def _simple(name: str, *, floats: bool = False) -> Any:
    def function(node: Node, x: Value, along: list[int] | None, keep: bool) -> Value:  # noqa: FBT001
        if floats and not node.tf.as_dtype(x.dtype).is_floating:
            raise node.refuse(f"dtype {x.dtype}")
        if x.dtype == bool or node.tf.as_dtype(x.dtype).is_bool:
            raise node.refuse("booleans")
        if along is None:
            return node.tf.identity(x)
        return getattr(node.tf, name)(x, along, keepdims=keep)

    return function


def _after(name: str, before: Any, after: Any) -> Any:
    """A reduction of ``before(x)``, then ``after``; with no axes it is both without reduction."""
    plain = _simple(name)

    def function(node: Node, x: Value, along: list[int] | None, keep: bool) -> Value:  # noqa: FBT001
        return after(node.tf, plain(node, before(node.tf, x), along, keep))

    return function


def _same(_tf: Any, x: Value) -> Value:
    return x


def _magnitude(tf: Any, x: Value) -> Value:
    return tf.abs(x)


def _square(_tf: Any, x: Value) -> Value:
    return x * x


def _root(tf: Any, x: Value) -> Value:
    return tf.sqrt(x)


def _logarithm(tf: Any, x: Value) -> Value:
    return tf.math.log(x)


_FORMS = (11, 13, 18)
for _op, _function in {
    "ReduceMean": _simple("reduce_mean", floats=True),
    "ReduceMax": _simple("reduce_max"),
    "ReduceMin": _simple("reduce_min"),
    "ReduceProd": _simple("reduce_prod"),
    "ReduceL1": _after("reduce_sum", _magnitude, _same),
    "ReduceL2": _after("reduce_sum", _square, _root),
    "ReduceLogSum": _after("reduce_sum", _same, _logarithm),
    "ReduceSumSquare": _after("reduce_sum", _square, _same),
    "ReduceLogSumExp": _simple("reduce_logsumexp", floats=True),
}.items():
    op(_op, 1, *_FORMS, *((12, 20) if _op in ("ReduceMax", "ReduceMin") else ()))(
        _reduction(_function)
    )
op("ReduceSum", 1, 11, 13)(_reduction(_simple("reduce_sum")))


@op("Softmax", 13)
def softmax(node: Node, x: Value) -> Value:
    """Along ``axis``."""
    return node.tf.nn.softmax(x, node.axis(node.take("axis", -1), node.rank(x)))


@op("LogSoftmax", 13)
def log_softmax(node: Node, x: Value) -> Value:
    """Along ``axis``."""
    return node.tf.nn.log_softmax(x, node.axis(node.take("axis", -1), node.rank(x)))


@op("Hardmax", 13)
def hardmax(node: Node, x: Value) -> Value:
    """1 at the first largest element along ``axis``, else 0."""
    tf = node.tf
    axis = node.axis(node.take("axis", -1), node.rank(x))
    depth = node.sizes(x)[axis]
    if depth is None:
        raise node.refuse("an unknown dim")
    return tf.one_hot(tf.argmax(x, axis), depth, axis=axis, dtype=x.dtype)


def _moments(node: Node, x: Value, axes: list[int], epsilon: float) -> tuple[Value, Value]:
    tf = node.tf
    mean = tf.reduce_mean(x, axes, keepdims=True)
    centred = x - mean
    variance = tf.reduce_mean(centred * centred, axes, keepdims=True)
    return mean, tf.math.reciprocal(tf.sqrt(variance + tf.constant(epsilon, x.dtype)))


@op("LayerNormalization", 17)
def layer_normalization(node: Node, x: Value, scale: Value, bias: Value = None) -> Value:
    """Over the dims from ``axis``; gives the mean and inverse deviation too."""
    tf, rank = node.tf, node.rank(x)
    first = node.axis(node.take("axis", -1), rank)
    epsilon = node.take("epsilon", 1e-5)
    node.expect("stash_type", 1)
    work = tf.cast(x, tf.float32) if x.dtype in ("float16", "bfloat16") else x
    mean, inverse = _moments(node, work, list(range(first, rank)), epsilon)
    scaled = tf.cast((work - mean) * inverse, x.dtype) * scale
    return scaled if bias is None else scaled + bias, mean, inverse


@op("RMSNormalization", 23)
def rms_normalization(node: Node, x: Value, scale: Value) -> Value:
    """By the root mean square over the dims from ``axis``."""
    tf, rank = node.tf, node.rank(x)
    axes = list(range(node.axis(node.take("axis", -1), rank), rank))
    epsilon = node.take("epsilon", 1e-5)
    node.expect("stash_type", 1)
    square = tf.reduce_mean(x * x, axes, keepdims=True)
    return x * tf.math.rsqrt(square + tf.constant(epsilon, x.dtype)) * scale


def _per_channel(node: Node, value: Value, rank: int) -> Value:
    return node.tf.reshape(value, [-1] + [1] * (rank - 2))


@op("BatchNormalization", 9, 14, 15)
def batch_normalization(
    node: Node, x: Value, scale: Value, bias: Value, mean: Value, variance: Value
) -> Value:
    """With the given mean and variance per channel, as in inference."""
    tf, rank = node.tf, node.rank(x)
    epsilon = node.take("epsilon", 1e-5)
    node.take("momentum")
    node.expect("training_mode", 0)
    if any(node.outputs[1:]):
        raise node.refuse("running statistics as outputs")
    factor = scale / tf.sqrt(variance + tf.constant(epsilon, variance.dtype))
    centred = x - _per_channel(node, mean, rank)
    return centred * _per_channel(node, factor, rank) + _per_channel(node, bias, rank)


@op("InstanceNormalization", 6, 22)
def instance_normalization(node: Node, x: Value, scale: Value, bias: Value) -> Value:
    """Over space, per sample and channel."""
    rank = node.rank(x)
    mean, inverse = _moments(node, x, list(range(2, rank)), node.take("epsilon", 1e-5))
    scaled = (x - mean) * inverse * _per_channel(node, scale, rank)
    return scaled + _per_channel(node, bias, rank)


@op("GroupNormalization", 21)
def group_normalization(node: Node, x: Value, scale: Value, bias: Value) -> Value:
    """Over space and the channels of a group, per sample."""
    tf, rank = node.tf, node.rank(x)
    groups = node.take("num_groups")
    node.expect("stash_type", 1)
    dims = node.shape(x)
    grouped = tf.reshape(x, tf.stack([dims[0], np.int64(groups), np.int64(-1)]))
    mean, inverse = _moments(node, grouped, [2], node.take("epsilon", 1e-5))
    scaled = tf.reshape((grouped - mean) * inverse, dims) * _per_channel(node, scale, rank)
    return scaled + _per_channel(node, bias, rank)


@op("LpNormalization", 1, 22)
def lp_normalization(node: Node, x: Value) -> Value:
    """Divided by the norm along ``axis``; a norm of zero gives zero."""
    tf = node.tf
    axis = node.axis(node.take("axis", -1), node.rank(x))
    if node.expect("p", 1, 2, default=2) == 1:
        norm = tf.reduce_sum(tf.abs(x), axis, keepdims=True)
    else:
        norm = tf.sqrt(tf.reduce_sum(x * x, axis, keepdims=True))
    return tf.math.divide_no_nan(x, norm)
