"""Which shape each layer gives, and whether its weights fit (network format §4 and §4.1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sealane.bundle.json_members import invalid
from sealane.core import DType, ErrorCode, SealaneError

if TYPE_CHECKING:
    from sealane.bundle.limits import ReaderLimits
    from sealane.bundle.network import Layer, Network

_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class SymbolicDim:
    """A dim that is a symbol, or made of one: ``base + offset``. It equals only itself.

    Attributes:
        base: A symbol, or ``[base+offset]/stride`` for what a window with a stride makes.
        offset: Added to it.
    """

    base: str
    offset: int = 0

    def __str__(self) -> str:
        return self.base if self.offset == 0 else f"{self.base}{self.offset:+d}"


LayerDim = int | SymbolicDim


@dataclass(frozen=True, slots=True)
class LayerValue:
    """The dtype and dims of a network input or of a layer's value, the batch first."""

    dtype: DType
    dims: tuple[LayerDim, ...]

    @property
    def rank(self) -> int:
        """Number of dims, the batch included."""
        return len(self.dims)

    def __str__(self) -> str:
        return f"{self.dtype.value}[{', '.join(map(str, self.dims))}]"


Shapes = Mapping[str, tuple[int, ...]]
"""Role of a layer's weight → its shape."""
_Rule = Callable[["_Given"], tuple[LayerDim, ...]]


@dataclass(frozen=True, slots=True)
class _Given:
    """A layer with its inputs' values and its weights' shapes."""

    layer: Layer
    inputs: tuple[LayerValue, ...]
    weights: Shapes

    @property
    def dims(self) -> tuple[LayerDim, ...]:
        return self.inputs[0].dims

    def rank(self, *ranks: int) -> None:
        for each in self.inputs:
            if each.rank not in ranks:
                raise self.fault(
                    f"an input is {each}, expected rank {' or '.join(map(str, ranks))}"
                )

    def fixed(self, axis: int, which: int = 0) -> int:
        """A dim of an input that must be an integer."""
        dim = self.inputs[which].dims[axis]
        if not isinstance(dim, int):
            raise self.fault(f"dim {axis} of its input {self.inputs[which]} must be an integer")
        return dim

    def expect(self, role: str, *shape: int) -> None:
        if role in self.weights and self.weights[role] != shape:
            raise self.fault(f"{role} is {list(self.weights[role])}, expected {list(shape)}")

    def weight_rank(self, role: str, rank: int) -> tuple[int, ...]:
        shape = self.weights[role]
        if len(shape) != rank or 0 in shape:
            raise self.fault(f"{role} is {list(shape)}, expected {rank} dims of 1 or more")
        return shape

    def integers(self, name: str, count: int) -> tuple[int, ...]:
        values = cast("tuple[int, ...]", self.layer.attributes[name])
        if len(values) != count:
            raise self.fault(f"{name} {list(values)} must have {count} integers")
        return values

    def fault(self, problem: str) -> SealaneError:
        return invalid(f"layer {self.layer.name!r}", problem)


def infer_shapes(
    network: Network, weights: Mapping[str, tuple[int, ...]], limits: ReaderLimits
) -> dict[str, LayerValue]:
    """The value of every input and layer.

    Args:
        network: Whose names and order are right.
        weights: Shapes by tensor name, exactly those that the layers use.
        limits: Bound on one tensor.

    Raises:
        SealaneError: MANIFEST_INVALID naming the layer, which `artifact_errors` turns;
            LIMIT_EXCEEDED.
    """
    values: dict[str, LayerValue] = {}
    for each in network.inputs:
        dims = tuple(SymbolicDim(dim) if isinstance(dim, str) else dim for dim in each.dims)
        values[each.name] = LayerValue(each.dtype, dims)
    for layer in network.layers:
        inputs = tuple(values[name] for name in layer.inputs)
        shapes = {role: weights[name] for role, name in layer.weights.items()}
        values[layer.name] = layer_value(layer, inputs, shapes, limits)
    return values


def layer_value(
    layer: Layer, inputs: tuple[LayerValue, ...], weights: Shapes, limits: ReaderLimits
) -> LayerValue:
    """The value of one layer.

    Args:
        layer: Whose attributes are right.
        inputs: Its inputs' values.
        weights: The shapes of its weights, by role.
        limits: Bound on one tensor.

    Raises:
        SealaneError: As `infer_shapes`.
    """
    given = _Given(layer, inputs, weights)
    wanted = DType.INT64 if layer.op == "embedding" else DType.FP32
    for each in inputs:
        if each.dtype is not wanted:
            raise given.fault(f"{layer.op} takes {wanted.value}, its input is {each}")
    value = LayerValue(DType.FP32, _RULES[layer.op](given))
    size = _FLOAT_BYTES * math.prod(dim for dim in value.dims if isinstance(dim, int))
    if size > limits.tensor_bytes:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED,
            f"layer {layer.name!r}: its value {value} takes at least {size} bytes, "
            f"limit {limits.tensor_bytes}",
        )
    return value


def _window(given: _Given, dim: LayerDim, kernel: int, stride: int, spare: int) -> LayerDim:
    """What a window makes of a dim; ``spare`` is pads - dilation · (kernel - 1) - 1."""
    if isinstance(dim, int):
        if dim + spare < 0:
            raise given.fault(f"a window of {kernel} does not fit into {given.inputs[0]}")
        return (dim + spare) // stride + 1
    if stride == 1:
        return SymbolicDim(dim.base, dim.offset + spare + 1)
    return SymbolicDim(f"[{SymbolicDim(dim.base, dim.offset + spare)}]/{stride}", 1)


def _windows(
    given: _Given, kernel: tuple[int, ...], dilations: tuple[int, ...]
) -> tuple[LayerDim, ...]:
    count = len(kernel)
    strides = given.integers("strides", count)
    pads = given.integers("pads", 2 * count)
    return tuple(
        _window(
            given,
            given.dims[2 + axis],
            kernel[axis],
            strides[axis],
            pads[axis] + pads[count + axis] - dilations[axis] * (kernel[axis] - 1) - 1,
        )
        for axis in range(count)
    )


def _dense(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(2, 3)
    out, _ = given.weight_rank("weight", 2)
    given.expect("weight", out, given.fixed(-1))
    given.expect("bias", out)
    return (*given.dims[:-1], out)


def _conv(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(3, 4)
    shape = given.weight_rank("weight", given.inputs[0].rank)
    channels, groups = given.fixed(1), cast("int", given.layer.attributes["groups"])
    if channels % groups or shape[0] % groups:
        raise given.fault(f"groups {groups} does not divide {channels} and {shape[0]} channels")
    given.expect("weight", shape[0], channels // groups, *shape[2:])
    given.expect("bias", shape[0])
    dilations = given.integers("dilations", len(shape) - 2)
    return (given.dims[0], shape[0], *_windows(given, shape[2:], dilations))


def _batch_norm(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(2, 3, 4)
    for role in given.weights:
        given.expect(role, given.fixed(1))
    return given.dims


def _layer_norm(given: _Given) -> tuple[LayerDim, ...]:
    _with_features(given)
    for role in given.weights:
        given.expect(role, given.fixed(-1))
    return given.dims


def _with_features(given: _Given) -> None:
    if given.inputs[0].rank < 2:
        raise given.fault(f"its input is {given.inputs[0]}, expected rank 2 or more")


def _pool(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(3, 4)
    spatial = given.inputs[0].rank - 2
    kernel = given.integers("kernel", spatial)
    pads = given.integers("pads", 2 * spatial)
    if any(pad >= kernel[index % spatial] for index, pad in enumerate(pads)):
        raise given.fault(f"pads {list(pads)} must be less than the kernel {list(kernel)}")
    return (*given.dims[:2], *_windows(given, kernel, (1,) * spatial))


def _global_pool(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(3, 4)
    return (given.dims[0], given.fixed(1))


def _recurrent(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(3)
    gates = 4 if given.layer.op == "lstm" else 3
    _, hidden = given.weight_rank("recurrent_weight", 2)
    given.expect("input_weight", gates * hidden, given.fixed(2))
    given.expect("recurrent_weight", gates * hidden, hidden)
    for role in ("bias", "input_bias", "recurrent_bias"):
        given.expect(role, gates * hidden)
    if given.layer.attributes["sequence"]:
        return (*given.dims[:2], hidden)
    return (given.dims[0], hidden)


def _embedding(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(1, 2)
    return (*given.dims, given.weight_rank("weight", 2)[1])


def _attention(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(3)
    inner, heads = given.weight_rank("query_weight", 2)[0], given.layer.attributes["heads"]
    if inner % cast("int", heads):
        raise given.fault(f"heads {heads} does not divide {inner}")
    for which, part in enumerate(("query", "key", "value")):
        given.expect(f"{part}_weight", inner, given.fixed(2, which))
        given.expect(f"{part}_bias", inner)
    out = given.weight_rank("output_weight", 2)[0]
    given.expect("output_weight", out, inner)
    given.expect("output_bias", out)
    query, key, value = given.inputs
    if key.dims[1] != value.dims[1]:
        raise given.fault(f"key {key} and value {value} differ in their steps")
    return (*query.dims[:2], out)


def _activation(given: _Given) -> tuple[LayerDim, ...]:
    if given.layer.attributes["function"] in ("softmax", "log_softmax"):
        _with_features(given)
    return given.dims


def _same(given: _Given) -> tuple[LayerDim, ...]:
    for each in given.inputs[1:]:
        if each.dims != given.dims:
            raise given.fault(f"its inputs are {given.inputs[0]} and {each}, expected one shape")
    return given.dims


def _concat(given: _Given) -> tuple[LayerDim, ...]:
    axis = cast("int", given.layer.attributes["axis"])
    first = given.inputs[0]
    for each in given.inputs:
        if each.rank != first.rank or axis >= first.rank:
            raise given.fault(f"its inputs {first} and {each} have no axis {axis} to be joined")
        if each.dims[:axis] != first.dims[:axis] or each.dims[axis + 1 :] != first.dims[axis + 1 :]:
            raise given.fault(f"its inputs {first} and {each} differ beside axis {axis}")
    joined = sum(given.fixed(axis, which) for which in range(len(given.inputs)))
    return (*first.dims[:axis], joined, *first.dims[axis + 1 :])


def _reshape(given: _Given) -> tuple[LayerDim, ...]:
    shape = cast("tuple[int, ...]", given.layer.attributes["shape"])
    before = [given.fixed(axis) for axis in range(1, given.inputs[0].rank)]
    if math.prod(before) != math.prod(shape) or len(shape) > 15:
        raise given.fault(f"its input {given.inputs[0]} can not take the shape {list(shape)}")
    return (given.dims[0], *shape)


def _transpose(given: _Given) -> tuple[LayerDim, ...]:
    axes = cast("tuple[int, ...]", given.layer.attributes["permutation"])
    if sorted(axes) != list(range(given.inputs[0].rank)) or axes[0] != 0:
        raise given.fault(f"{list(axes)} is no permutation of the axes with 0 first")
    return tuple(given.dims[axis] for axis in axes)


def _pad(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(3, 4)
    count = given.inputs[0].rank - 2
    pads = given.integers("pads", 2 * count)
    padded: list[LayerDim] = []
    for axis, dim in enumerate(given.dims[2:]):
        more = pads[axis] + pads[count + axis]
        padded.append(
            dim + more if isinstance(dim, int) else SymbolicDim(dim.base, dim.offset + more)
        )
    return (*given.dims[:2], *padded)


def _last_step(given: _Given) -> tuple[LayerDim, ...]:
    given.rank(3)
    return (given.dims[0], given.dims[2])


_RULES: dict[str, _Rule] = {
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
    "dropout": _same,
    "add": _same,
    "multiply": _same,
    "concat": _concat,
    "reshape": _reshape,
    "transpose": _transpose,
    "pad": _pad,
    "last_step": _last_step,
    "rescale": _same,
}
