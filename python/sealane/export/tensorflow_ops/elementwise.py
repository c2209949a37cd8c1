"""Operators that work on each element."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np
import onnx

from sealane.export.tensorflow_ops.node import Node, Value, is_array, op

_PLAIN: dict[str, tuple[str, tuple[int, ...]]] = {
    "Abs": ("abs", (6, 13)),
    "Neg": ("negative", (6, 13)),
    "Sqrt": ("sqrt", (6, 13)),
    "Exp": ("exp", (6, 13)),
    "Log": ("math.log", (6, 13)),
    "Sin": ("sin", (7, 22)),
    "Cos": ("cos", (7, 22)),
    "Tan": ("tan", (7, 22)),
    "Asin": ("asin", (7, 22)),
    "Acos": ("acos", (7, 22)),
    "Atan": ("atan", (7, 22)),
    "Sinh": ("sinh", (9, 22)),
    "Cosh": ("cosh", (9, 22)),
    "Asinh": ("asinh", (9, 22)),
    "Acosh": ("acosh", (9, 22)),
    "Atanh": ("atanh", (9, 22)),
    "Sign": ("sign", (9, 13)),
    "Floor": ("floor", (6, 13)),
    "Ceil": ("math.ceil", (6, 13)),
    "Round": ("round", (11, 22)),
    "Erf": ("math.erf", (9, 13)),
    "Sigmoid": ("sigmoid", (6, 13)),
    "Tanh": ("tanh", (6, 13)),
    "Relu": ("nn.relu", (6, 13, 14)),
    "Softplus": ("math.softplus", (1, 22)),
    "Softsign": ("nn.softsign", (1, 22)),
    "Reciprocal": ("math.reciprocal", (6, 13)),
    "Not": ("logical_not", (1,)),
    "IsNaN": ("math.is_nan", (9, 13, 20)),
    "Identity": ("identity", (1, 13, 14, 16, 19, 21, 23, 24, 25)),
    "And": ("logical_and", (7,)),
    "Or": ("logical_or", (7,)),
    "Xor": ("math.logical_xor", (7,)),
    "Sub": ("subtract", (7, 13, 14)),
    "Mul": ("multiply", (7, 13, 14)),
    "Less": ("less", (9, 13)),
    "LessOrEqual": ("less_equal", (12, 16)),
    "Greater": ("greater", (9, 13)),
    "GreaterOrEqual": ("greater_equal", (12, 16)),
    "Equal": ("equal", (11, 13, 19)),
    "BitwiseAnd": ("bitwise.bitwise_and", (18,)),
    "BitwiseOr": ("bitwise.bitwise_or", (18,)),
    "BitwiseXor": ("bitwise.bitwise_xor", (18,)),
    "BitwiseNot": ("bitwise.invert", (18,)),
    "Where": ("where", (9, 16)),
}
"""Operators that TensorFlow has under another name: path below ``tf``, forms."""


def _plain(path: str) -> Any:
    def handler(node: Node, *values: Value) -> Value:
        return reduce(getattr, path.split("."), node.tf)(*values)

    return handler


for _name, (_path, _versions) in _PLAIN.items():
    op(_name, *_versions)(_plain(_path))


def _is_float(node: Node, x: Value) -> bool:
    return bool(node.tf.as_dtype(x.dtype).is_floating)


def _like(node: Node, x: Value, number: float) -> Value:
    return node.tf.constant(number, x.dtype)


@op("Add", 7, 13, 14)
def add(node: Node, x: Value, y: Value) -> Value:
    """A bias of [1, n] is added as one of [n].

    With oneDNN TensorFlow fuses ``matmul(x, y, transpose_a=True)`` with the bias, and then refuses
    one of two dims.
    """
    y = _without_leading_one(node, y, x)
    return node.tf.add(_without_leading_one(node, x, y), y)


def _without_leading_one(node: Node, value: Value, other: Value) -> Value:
    """[1, n] as [n], where it takes the same place beside the other value."""
    ranks = [each.ndim if is_array(each) else each.shape.rank for each in (value, other)]
    if ranks[0] != 2 or (ranks[1] or 0) < 2 or node.sizes(value)[0] != 1:
        return value
    return node.tf.squeeze(value, [0])


@op("Div", 7, 13, 14)
def div(node: Node, x: Value, y: Value) -> Value:
    """Integers are divided rounding toward zero."""
    return node.tf.divide(x, y) if _is_float(node, x) else node.tf.truncatediv(x, y)


_MOD_WIDER = {
    "float16": "float32",
    "bfloat16": "float32",
    "int8": "int32",
    "int16": "int32",
    "uint8": "int32",
    "uint16": "int32",
    "uint32": "int64",
}
"""The dtype to take a remainder in, which is exact, where TensorFlow lacks one."""


@op("Mod", 10, 13)
def mod(node: Node, x: Value, y: Value) -> Value:
    """The remainder has the divisor's sign, or with ``fmod`` the dividend's."""
    tf = node.tf
    if node.expect("fmod", 0, 1):
        wide = _MOD_WIDER.get(tf.as_dtype(x.dtype).name)
        if wide is None:
            return tf.truncatemod(x, y)
        return tf.cast(tf.truncatemod(tf.cast(x, wide), tf.cast(y, wide)), x.dtype)
    if _is_float(node, x):
        raise node.refuse("fmod = 0 on floats")
    return tf.math.floormod(x, y)


@op("Pow", 7, 12, 13, 15)
def power(node: Node, x: Value, y: Value) -> Value:
    """The result has the base's dtype, computed in double where the dtypes differ."""
    tf = node.tf
    if tf.as_dtype(x.dtype) == tf.as_dtype(y.dtype) and _is_float(node, x):
        return tf.pow(x, y)
    if _is_float(node, x):
        return tf.pow(x, tf.cast(y, x.dtype))
    return tf.cast(tf.pow(tf.cast(x, tf.float64), tf.cast(y, tf.float64)), x.dtype)


@op("Min", 8, 12, 13)
def minimum(node: Node, *values: Value) -> Value:
    """The smallest of any number of values."""
    return reduce(node.tf.minimum, values[1:], node.tf.identity(values[0]))


@op("Max", 8, 12, 13)
def maximum(node: Node, *values: Value) -> Value:
    """The largest of any number of values."""
    return reduce(node.tf.maximum, values[1:], node.tf.identity(values[0]))


@op("Sum", 8, 13)
def total(node: Node, *values: Value) -> Value:
    """The sum of any number of values."""
    return reduce(node.tf.add, values[1:], node.tf.identity(values[0]))


@op("Mean", 8, 13)
def mean(node: Node, *values: Value) -> Value:
    """The mean of any number of values."""
    return node.tf.divide(total(node, *values), _like(node, values[0], float(len(values))))


@op("BitShift", 11)
def bit_shift(node: Node, x: Value, y: Value) -> Value:
    """Left or right; TensorFlow leaves shifts by the width or more undefined."""
    tf = node.tf
    if not tf.as_dtype(x.dtype).is_unsigned:
        raise node.refuse(f"dtype {x.dtype}")
    left = node.expect("direction", "LEFT", "RIGHT") == "LEFT"
    shifted = tf.bitwise.left_shift(x, y) if left else tf.bitwise.right_shift(x, y)
    bits = tf.constant(tf.as_dtype(x.dtype).size * 8, x.dtype)
    return tf.where(tf.less(y, bits), shifted, tf.zeros_like(shifted))


@op("IsInf", 10, 20)
def is_inf(node: Node, x: Value) -> Value:
    """Either infinity, or one of them."""
    tf = node.tf
    positive = tf.equal(x, _like(node, x, math.inf))
    negative = tf.equal(x, _like(node, x, -math.inf))
    either = tf.zeros_like(positive)
    if node.expect("detect_positive", 1, 0):
        either = tf.logical_or(either, positive)
    if node.expect("detect_negative", 1, 0):
        either = tf.logical_or(either, negative)
    return either


@op("Dropout", 7, 10, 12, 13, 22)
def dropout(node: Node, x: Value, ratio: Value = None, training: Value = None) -> Value:
    """Nothing, as in inference."""
    del ratio
    node.take("ratio")
    node.take("seed")
    if training is not None and bool(node.constant(training, "training_mode")):
        raise node.refuse("training_mode")
    return node.tf.identity(x), node.tf.ones_like(x, node.tf.bool)


_CASTABLE = frozenset(
    ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
     "FLOAT16", "BFLOAT16", "FLOAT", "DOUBLE")
)  # fmt: skip


@op("Cast", 9, 13, 19, 21, 23, 24, 25)
def cast(node: Node, x: Value) -> Value:
    """Between numbers and booleans."""
    target = onnx.TensorProto.DataType.Name(node.take("to"))
    node.expect("saturate", 1, 0)
    node.expect("round_mode", "up")
    if target not in _CASTABLE or np.dtype(_numpy(node, x)) == np.dtype(object):
        raise node.refuse(f"to = {target} from {x.dtype}")
    wanted = onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.DataType.Value(target))
    return node.tf.cast(x, wanted)


def _numpy(node: Node, x: Value) -> Any:
    return node.tf.as_dtype(x.dtype).as_numpy_dtype


@op("CastLike", 15, 19, 21, 23, 24, 25)
def cast_like(node: Node, x: Value, like: Value) -> Value:
    """To the second value's dtype."""
    node.expect("saturate", 1, 0)
    node.expect("round_mode", "up")
    if np.dtype(object) in (np.dtype(_numpy(node, x)), np.dtype(_numpy(node, like))):
        raise node.refuse("strings")
    return node.tf.cast(x, like.dtype)


@op("Clip", 11, 12, 13)
def clip(node: Node, x: Value, low: Value = None, high: Value = None) -> Value:
    """Limited from below, then from above."""
    if low is not None:
        x = node.tf.maximum(x, low)
    if high is not None:
        x = node.tf.minimum(x, high)
    return node.tf.identity(x)


@op("Elu", 6, 22)
def elu(node: Node, x: Value) -> Value:
    """``alpha * (exp(x) - 1)`` below zero."""
    alpha = _like(node, x, node.take("alpha", 1.0))
    return node.tf.where(x < 0, alpha * node.tf.math.expm1(x), x)


@op("Celu", 12)
def celu(node: Node, x: Value) -> Value:
    """``alpha * (exp(x / alpha) - 1)`` below zero."""
    tf, alpha = node.tf, _like(node, x, node.take("alpha", 1.0))
    return tf.where(x < 0, alpha * tf.math.expm1(x / alpha), x)


@op("Selu", 6, 22)
def selu(node: Node, x: Value) -> Value:
    """Scaled Elu."""
    alpha = _like(node, x, node.take("alpha", 1.67326319217681884765625))
    gamma = _like(node, x, node.take("gamma", 1.05070102214813232421875))
    return gamma * node.tf.where(x > 0, x, alpha * node.tf.math.expm1(x))


@op("LeakyRelu", 6, 16)
def leaky_relu(node: Node, x: Value) -> Value:
    """``alpha * x`` below zero."""
    return node.tf.where(x < 0, _like(node, x, node.take("alpha", 0.01)) * x, x)


@op("PRelu", 7, 9, 16)
def p_relu(node: Node, x: Value, slope: Value) -> Value:
    """``slope * x`` below zero."""
    return node.tf.where(x < 0, slope * x, x)


@op("ThresholdedRelu", 10, 22)
def thresholded_relu(node: Node, x: Value) -> Value:
    """Zero up to ``alpha``."""
    alpha = _like(node, x, node.take("alpha", 1.0))
    return node.tf.where(x > alpha, x, node.tf.zeros_like(x))


@op("HardSigmoid", 6, 22)
def hard_sigmoid(node: Node, x: Value) -> Value:
    """``max(0, min(1, alpha * x + beta))``."""
    alpha = _like(node, x, node.take("alpha", 0.2))
    beta = _like(node, x, node.take("beta", 0.5))
    return node.tf.clip_by_value(alpha * x + beta, _like(node, x, 0.0), _like(node, x, 1.0))


@op("HardSwish", 14, 22)
def hard_swish(node: Node, x: Value) -> Value:
    """``x * max(0, min(1, x / 6 + 0.5))``."""
    gate = _like(node, x, 1 / 6) * x + _like(node, x, 0.5)
    return x * node.tf.clip_by_value(gate, _like(node, x, 0.0), _like(node, x, 1.0))


@op("Mish", 18, 22)
def mish(node: Node, x: Value) -> Value:
    """``x * tanh(softplus(x))``."""
    return x * node.tf.tanh(node.tf.math.softplus(x))


@op("Swish", 24)
def swish(node: Node, x: Value) -> Value:
    """``x * sigmoid(alpha * x)``."""
    return x * node.tf.sigmoid(_like(node, x, node.take("alpha", 1.0)) * x)


@op("Gelu", 20)
def gelu(node: Node, x: Value) -> Value:
    """With erf, or the tanh approximation."""
    tf, half, one = node.tf, _like(node, x, 0.5), _like(node, x, 1.0)
    if node.expect("approximate", "none", "tanh") == "none":
        return half * x * (one + tf.math.erf(x * _like(node, x, math.sqrt(0.5))))
    inner = x + _like(node, x, 0.044715) * x * x * x
    return half * x * (one + tf.tanh(_like(node, x, math.sqrt(2 / math.pi)) * inner))


@op("Shrink", 9)
def shrink(node: Node, x: Value) -> Value:
    """Toward zero by ``bias`` outside ±``lambd``, zero inside."""
    tf = node.tf
    lambd, bias = (_like(node, x, node.take(n, d)) for n, d in (("lambd", 0.5), ("bias", 0.0)))
    return tf.where(x < -lambd, x + bias, tf.where(x > lambd, x - bias, tf.zeros_like(x)))
