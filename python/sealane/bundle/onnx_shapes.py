"""What ONNX operators make of constants: shapes, and values where they are few.

The rules behind ``onnx_constants``; operators as in the ONNX operator specification.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import AttributeProto, TensorProto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from onnx import NodeProto

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]

SMALL = 1024  # elements; shape-giving tensors are far smaller
_FLOAT, _INT64 = int(TensorProto.FLOAT), int(TensorProto.INT64)
_WIDTHS = {
    **{code: 2 for code in (4, 5, 10, 16)},
    **{code: 4 for code in (1, 6, 12)},
    **{code: 8 for code in (7, 11, 13, 14)},
    8: 16,
    15: 16,
}
_DIRECT = {6: np.int32, 7: np.int64, 1: np.float32, 11: np.float64, 5: np.int16, 3: np.int8}


def element_width(dtype: int) -> int:
    """Bytes of an element of an ONNX dtype, 16 for strings, 1 for the narrow ones."""
    return _WIDTHS.get(dtype, 1)


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor that follows from constants.

    Attributes:
        shape: Its shape.
        dtype: Its ONNX dtype code.
        value: Its elements as int64 or float64 when they are few and known.
        shape_only: Whether only the shape is constant, as of a graph input with fixed dims.
    """

    shape: Shape
    dtype: int
    value: Array | None = None
    shape_only: bool = False


Attributes = dict[str, AttributeProto]


def stored(tensor: TensorProto) -> Constant:
    """A tensor of the file, whose dims have been checked."""
    shape = tuple(tensor.dims)
    dtype = tensor.data_type
    if any(dim < 0 for dim in shape) or math.prod(shape) > SMALL:
        return Constant(shape, dtype)
    return Constant(shape, dtype, _values(tensor, shape))


def _values(tensor: TensorProto, shape: Shape) -> Array | None:
    direct = _DIRECT.get(tensor.data_type)
    if direct is None or tensor.data_location == TensorProto.EXTERNAL:
        return None
    if tensor.HasField("raw_data"):
        if len(tensor.raw_data) % np.dtype(direct).itemsize:
            return None
        flat: Array = np.frombuffer(tensor.raw_data, np.dtype(direct).newbyteorder("<"))
    else:
        fields = {7: tensor.int64_data, 1: tensor.float_data, 11: tensor.double_data}
        flat = np.array(fields.get(tensor.data_type, tensor.int32_data))
    if flat.size != math.prod(shape):
        return None
    return _wide(flat.reshape(shape))


def _wide(values: Array) -> Array:
    with np.errstate(invalid="ignore"):  # NaN as an integer is whatever the engine makes of it
        return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)


def evaluate(
    node: NodeProto, attributes: Attributes, scope: Mapping[str, Constant]
) -> Constant | None:
    """The node's first output when it follows from constants and the operator is known here."""
    if node.domain not in ("", "ai.onnx"):
        return None
    inputs = [scope[name] for name in node.input if name in scope]
    if len(inputs) != len(node.input):
        return None
    if node.op_type not in _OF_SHAPE and any(each.shape_only for each in inputs):
        return None
    try:
        with np.errstate(all="ignore"):
            rule = RULES.get(node.op_type)
            if rule is not None:
                return rule(inputs, attributes)
            if node.op_type in BROADCAST and inputs:
                return _broadcast(node.op_type, inputs)
    except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError):
        return None  # a malformed node: the engine refuses it
    return None


def _integer(attributes: Attributes, name: str, default: int) -> int:
    return attributes[name].i if name in attributes else default


def _ints(constant: Constant) -> list[int]:
    if constant.value is None:
        raise ValueError("value unknown")
    return [int(each) for each in constant.value.ravel().tolist()]


def _sized(shape: Sequence[int], dtype: int, make: Callable[[], Array] | None = None) -> Constant:
    dims = tuple(shape)
    if any(dim < 0 for dim in dims):
        raise ValueError("negative dim")
    small = make is not None and math.prod(dims) <= SMALL
    return Constant(dims, dtype, _wide(make()) if make is not None and small else None)


def broadcast_shape(*shapes: Shape) -> Shape:
    """The common shape of NumPy's broadcasting, of any size.

    Raises:
        ValueError: They do not fit.
    """
    rank = max(map(len, shapes))
    result = [1] * rank
    for shape in shapes:
        for axis, dim in enumerate(shape, rank - len(shape)):
            if dim != 1:
                if result[axis] not in (1, dim):
                    raise ValueError("shapes do not broadcast")
                result[axis] = dim
    return tuple(result)


def _constant(_: list[Constant], attributes: Attributes) -> Constant:
    for name, attribute in attributes.items():
        if name == "value":
            return stored(attribute.t)
        if name in ("value_int", "value_ints"):
            ints = attribute.i if name == "value_int" else list(attribute.ints)
            return _known(np.array(ints, np.int64), _INT64)
        if name in ("value_float", "value_floats"):
            floats = attribute.f if name == "value_float" else list(attribute.floats)
            return _known(np.array(floats, np.float64), _FLOAT)
    raise ValueError("no numeric value")


def _known(values: Array, dtype: int) -> Constant:
    return _sized(values.shape, dtype, lambda: values)


def _constant_of_shape(inputs: list[Constant], attributes: Attributes) -> Constant:
    shape = _ints(inputs[0])
    if "value" not in attributes:
        return _sized(shape, _FLOAT, lambda: np.zeros(shape))
    filler = stored(attributes["value"].t)
    if filler.value is None:
        return _sized(shape, filler.dtype)
    number = filler.value.ravel()[0]
    return _sized(shape, filler.dtype, lambda: np.full(shape, number))


def _expand(inputs: list[Constant], _: Attributes) -> Constant:
    shape = broadcast_shape(inputs[0].shape, tuple(_ints(inputs[1])))
    value = inputs[0].value
    make = None if value is None else lambda: np.broadcast_to(value, shape)
    return _sized(shape, inputs[0].dtype, make)


def _tile(inputs: list[Constant], _: Attributes) -> Constant:
    repeats = _ints(inputs[1])
    shape = [dim * times for dim, times in zip(inputs[0].shape, repeats, strict=True)]
    value = inputs[0].value
    make = None if value is None else lambda: np.tile(value, repeats)
    return _sized(shape, inputs[0].dtype, make)


def _range(inputs: list[Constant], _: Attributes) -> Constant:
    ends = [float(each.value.item()) for each in inputs if each.value is not None]
    start, limit, delta = ends
    count = max(math.ceil((limit - start) / delta), 0)

    def values() -> Array:
        return start + np.arange(count) * delta

    return _sized([count], inputs[0].dtype, values)


def _one_hot(inputs: list[Constant], attributes: Attributes) -> Constant:
    shape = list(inputs[0].shape)
    axis = _integer(attributes, "axis", -1)
    shape.insert(axis if axis >= 0 else len(shape) + 1 + axis, _ints(inputs[1])[0])
    return _sized(shape, inputs[2].dtype)


def _eye_like(inputs: list[Constant], attributes: Attributes) -> Constant:
    return _sized(inputs[0].shape, _integer(attributes, "dtype", inputs[0].dtype))


def _concat(inputs: list[Constant], attributes: Attributes) -> Constant:
    axis = attributes["axis"].i
    shape = list(inputs[0].shape)
    shape[axis] = sum(each.shape[axis] for each in inputs)
    values = [each.value for each in inputs if each.value is not None]
    make = (lambda: np.concatenate(values, axis)) if len(values) == len(inputs) else None
    return _sized(shape, inputs[0].dtype, make)


def _pad(inputs: list[Constant], attributes: Attributes) -> Constant:
    rank = len(inputs[0].shape)
    pads = list(attributes["pads"].ints) if "pads" in attributes else _ints(inputs[1])
    shape = [d + pads[i] + pads[i + rank] for i, d in enumerate(inputs[0].shape)]
    return _sized(shape, inputs[0].dtype)


def _matmul(inputs: list[Constant], _: Attributes) -> Constant:
    left, right = inputs[0].shape, inputs[1].shape
    if len(left) < 2 or len(right) < 2:
        raise ValueError("vectors only shrink")
    stack = broadcast_shape(left[:-2], right[:-2])
    return _sized((*stack, left[-2], right[-1]), inputs[0].dtype)


def _shape_of(shape: Shape, attributes: Attributes) -> Constant:
    start, end = _integer(attributes, "start", 0), _integer(attributes, "end", len(shape))
    dims = np.array(shape[start:end], np.int64)
    return _sized(dims.shape, _INT64, lambda: dims)


def _same_value(change: Callable[[Array, list[int], Attributes], Array]) -> Any:
    """A rule for operators that rearrange; ``change`` also works on the shape of a large tensor."""

    def rule(inputs: list[Constant], attributes: Attributes) -> Constant:
        data = inputs[0]
        rest = _ints(inputs[1]) if len(inputs) > 1 else []
        # Zero-stride: the shape without the memory.
        values = data.value
        if values is None:
            values = np.broadcast_to(np.int64(0), data.shape)
        result = change(values, rest, attributes)
        known = data.value is not None
        return _sized(result.shape, data.dtype, (lambda: result) if known else None)

    return rule


def _axes(values: Array, rest: list[int], attributes: Attributes) -> tuple[int, ...]:
    if "axes" in attributes:
        return tuple(attributes["axes"].ints)
    return tuple(rest) or tuple(axis for axis, size in enumerate(values.shape) if size == 1)


def _reshape(inputs: list[Constant], attributes: Attributes) -> Constant:
    target, data = _ints(inputs[1]), inputs[0]
    keeps_zero = _integer(attributes, "allowzero", 0) != 0
    dims = [data.shape[i] if d == 0 and not keeps_zero else d for i, d in enumerate(target)]
    if -1 in dims:
        dims[dims.index(-1)] = math.prod(data.shape) // max(
            math.prod(d for d in dims if d != -1), 1
        )
    value = data.value
    return _sized(dims, data.dtype, None if value is None else lambda: value.reshape(dims))


def _gather(inputs: list[Constant], attributes: Attributes) -> Constant:
    axis = _integer(attributes, "axis", 0)
    data, indices = inputs
    axis += len(data.shape) if axis < 0 else 0
    shape = (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])
    value, where = data.value, indices.value
    known = value is not None and where is not None
    make = (lambda: np.take(value, where, axis)) if known else None  # pyright: ignore
    return _sized(shape, data.dtype, make)


def _cast(inputs: list[Constant], attributes: Attributes) -> Constant:
    dtype, value = attributes["to"].i, inputs[0].value
    if value is not None and dtype not in (1, 10, 11, 16):
        value = value.astype(np.int64)
    return Constant(inputs[0].shape, dtype, value)


def _slice(inputs: list[Constant], _: Attributes) -> Constant:
    starts, ends = _ints(inputs[1]), _ints(inputs[2])
    axes = _ints(inputs[3]) if len(inputs) > 3 else list(range(len(starts)))
    steps = _ints(inputs[4]) if len(inputs) > 4 else [1] * len(starts)
    data = inputs[0]
    where: list[slice] = [slice(None)] * len(data.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        where[axis] = slice(start, end, step) if end > -(1 << 62) else slice(start, None, step)
    shape = [len(range(*part.indices(dim))) for part, dim in zip(where, data.shape, strict=True)]
    value = data.value
    return _sized(shape, data.dtype, None if value is None else lambda: value[tuple(where)])


def _reduce_prod(inputs: list[Constant], attributes: Attributes) -> Constant:
    value = inputs[0].value
    if value is None:
        raise ValueError("value unknown")
    axes = _ints(inputs[1]) if len(inputs) > 1 else list(_repeated(attributes, "axes"))
    keep = _integer(attributes, "keepdims", 1) != 0
    result = np.prod(value, axis=tuple(axes) or None, keepdims=keep)
    return _sized(np.shape(result), inputs[0].dtype, lambda: np.asarray(result))


def _repeated(attributes: Attributes, name: str) -> Iterable[int]:
    return attributes[name].ints if name in attributes else ()


def _divide(dividend: Array, divisor: Array) -> Array:
    """Division as ONNX has it: of integers, rounded toward zero."""
    if dividend.dtype.kind == "f" or divisor.dtype.kind == "f":
        return np.divide(dividend, divisor)
    return np.floor_divide(abs(dividend), abs(divisor)) * np.sign(dividend) * np.sign(divisor)


_ARITHMETIC: dict[str, Callable[..., Array]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Max": np.maximum,
    "Min": np.minimum,
    "Pow": np.power,
    "Div": _divide,
}
BROADCAST = frozenset(_ARITHMETIC) | {
    *("Mod", "And", "Or", "Xor", "Equal", "Greater", "GreaterOrEqual", "Less"),
    *("LessOrEqual", "Where", "PRelu", "BitwiseAnd", "BitwiseOr", "Sum", "Mean"),
}


def _broadcast(op_type: str, inputs: list[Constant]) -> Constant:
    shape = broadcast_shape(*(each.shape for each in inputs))
    values = [each.value for each in inputs if each.value is not None]
    rule = _ARITHMETIC.get(op_type)
    if rule is None or len(values) != len(inputs) or len(values) != 2:
        return _sized(shape, inputs[-1].dtype)
    first, second = values

    def make() -> Array:
        return rule(first, second)

    return _sized(shape, inputs[-1].dtype, make)


_OF_SHAPE = frozenset({"Shape", "Size"})
RULES: dict[str, Callable[[list[Constant], Attributes], Constant]] = {
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Tile": _tile,
    "Range": _range,
    "OneHot": _one_hot,
    "EyeLike": _eye_like,
    "Concat": _concat,
    "Pad": _pad,
    "MatMul": _matmul,
    "Shape": lambda inputs, attributes: _shape_of(inputs[0].shape, attributes),
    "Size": lambda inputs, _: _sized([], _INT64, lambda: np.array(math.prod(inputs[0].shape))),
    "Reshape": _reshape,
    "Gather": _gather,
    "Cast": _cast,
    "Slice": _slice,
    "ReduceProd": _reduce_prod,
    "Identity": lambda inputs, _: inputs[0],
    "Unsqueeze": _same_value(lambda v, rest, a: np.expand_dims(v, _axes(v, rest, a))),
    "Squeeze": _same_value(lambda v, rest, a: np.squeeze(v, _axes(v, rest, a))),
    "Transpose": _same_value(
        lambda v, _, a: np.transpose(v, tuple(a["perm"].ints) if "perm" in a else None)
    ),
    "Neg": _same_value(lambda v, _rest, _attributes: -v if v.size <= SMALL else v),
    "Abs": _same_value(lambda v, _rest, _attributes: np.abs(v) if v.size <= SMALL else v),
}
