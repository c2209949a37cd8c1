"""shaping.Functions and methods of PyTorch's tensors → layers of a network."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sealane.core import DType
from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.network import torch_shaping as shaping
from sealane.export.network.values import Value, plain
from sealane.export.network.windows import adaptive_pool, pool

Function = Callable[..., Any]


def _activation(function: str) -> Function:
    def call(self: shaping.Functions, name: str, x: Value, inplace: Any = None) -> Value:
        del inplace
        return Value(self.builder.activation(name, plain(x, name), function))

    return call


def _gelu(self: shaping.Functions, name: str, x: Value, approximate: str = "none") -> Value:
    function = "gelu" if approximate == "none" else "gelu_tanh"
    return Value(self.builder.activation(name, plain(x, name), function))


def _sloped(function: str, default: float) -> Function:
    def call(
        self: shaping.Functions,
        name: str,
        x: Value,
        slope: float = default,
        inplace: Any = None,
        **named: Any,
    ) -> Value:
        del inplace
        slope = float(named.get("negative_slope", named.get("alpha", slope)))
        return Value(self.builder.activation(name, plain(x, name), function, slope))

    return call


def _softmax(function: str) -> Function:
    def call(
        self: shaping.Functions, name: str, x: Value, dim: Any = None, *_: Any, **named: Any
    ) -> Value:
        if named.get("dtype") is not None:
            raise unsupported(f"{name}: a network's softmax has no other dtype", layer=name)
        if dim is None or shaping.axis_of(dim, self.rank(x)) != self.rank(x) - 1:
            raise unsupported(f"{name}: a network's softmax is over the last axis", layer=name)
        return Value(self.builder.activation(name, plain(x, name), function))

    return call


def _softplus(
    self: shaping.Functions, name: str, x: Value, beta: float = 1, threshold: float = 20
) -> Value:
    if beta != 1 or threshold != 20:
        raise unsupported(f"{name}: softplus with beta {beta}, threshold {threshold}", layer=name)
    return Value(self.builder.activation(name, plain(x, name), "softplus"))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _add(self: shaping.Functions, name: str, a: Any, b: Any, *, alpha: float = 1) -> Value:
    first, second = _number(a), _number(b)
    if second is not None:
        return Value(self.builder.rescale(name, plain(a, name), 1.0, alpha * second))
    right = self.builder.rescale(f"{name}.scaled", plain(b, name), float(alpha), 0.0)
    if first is not None:
        return Value(self.builder.rescale(name, right, 1.0, first))
    return Value(self.builder.add(name, "add", [plain(a, name), right]))


def _sub(self: shaping.Functions, name: str, a: Any, b: Any, *, alpha: float = 1) -> Value:
    return _add(self, name, a, b, alpha=-alpha)


def _reversed_sub(self: shaping.Functions, name: str, a: Any, b: Any) -> Value:
    return _sub(self, name, b, a)


def _mul(self: shaping.Functions, name: str, a: Any, b: Any) -> Value:
    first, second = _number(a), _number(b)
    if second is not None:
        return Value(self.builder.rescale(name, plain(a, name), second, 0.0))
    if first is not None:
        return Value(self.builder.rescale(name, plain(b, name), first, 0.0))
    return Value(self.builder.add(name, "multiply", [plain(a, name), plain(b, name)]))


def _div(self: shaping.Functions, name: str, a: Any, b: Any, *, rounding_mode: Any = None) -> Value:
    divisor = _number(b)
    if not divisor or rounding_mode is not None:
        raise unsupported(f"{name}: a network divides by a constant number only", layer=name)
    return Value(self.builder.rescale(name, plain(a, name), 1.0 / divisor, 0.0))


def _neg(self: shaping.Functions, name: str, x: Any) -> Value:
    return Value(self.builder.rescale(name, plain(x, name), -1.0, 0.0))


def _cat(
    self: shaping.Functions, name: str, tensors: Sequence[Any], dim: int = 0, **named: Any
) -> Value:
    values = [plain(each, name) for each in tensors]
    axis = shaping.axis_of(named.get("axis", dim), self.builder.rank(values[0]))
    if axis < 1:
        raise unsupported(f"{name}: a network can not join along its batch", layer=name)
    if len(values) == 1:
        return Value(values[0])
    return Value(self.builder.add(name, "concat", values, {"axis": axis}))


def _reduced(op: str) -> Function:
    def call(
        self: shaping.Functions,
        name: str,
        x: Value,
        dim: Any = None,
        keepdim: Any = False,
        **named: Any,
    ) -> Value:
        value, builder = plain(x, name), self.builder
        rank = self.rank(x)
        dim = named.get("axis", dim)
        axes = sorted(
            shaping.axis_of(a, rank) for a in ((dim,) if isinstance(dim, int) else dim or ())
        )
        if rank == 3 and axes == [1]:
            turned = builder.transpose(f"{name}.turned", value, (0, 2, 1))
            pooled = builder.add(name, op, [turned])
        elif rank > 2 and axes == list(range(2, rank)):
            pooled = builder.add(name, op, [value])
        else:
            raise unsupported(
                f"{name}: a network averages or takes the largest over all spatial dims, or over "
                f"the steps of a sequence, not over {dim} of {builder.value(value)}",
                layer=name,
            )
        if not keepdim:
            return Value(pooled)
        dims = list(builder.fixed_dims(pooled, name))
        for axis in axes:
            dims.insert(axis - 1, 1)
        return Value(builder.reshape(f"{name}.dims", pooled, dims))

    return call


def _dropout(
    self: shaping.Functions,
    name: str,
    x: Value,
    p: float = 0.5,
    training: Any = True,
    inplace: Any = None,
) -> Value:
    del training, inplace
    return Value(self.builder.add(name, "dropout", [plain(x, name)], {"rate": float(p)}))


def _pool(op: str, spatial: int) -> Function:
    def call(
        self: shaping.Functions,
        name: str,
        x: Value,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        *more: Any,
        count_include_pad: bool = True,
        **named: Any,
    ) -> Value:
        if any(named.values()) or any(each not in (1, False) for each in more):
            raise unsupported(f"{name}: pooling with {[*more, *named]}", layer=name)
        window = (kernel_size, stride, padding)
        value = plain(x, name)
        made = pool(self.builder, name, op, value, window, spatial, count_padding=count_include_pad)
        return Value(made)

    return call


def _adaptive(op: str) -> Function:
    def call(self: shaping.Functions, name: str, x: Value, output_size: Any) -> Value:
        return Value(adaptive_pool(self.builder, name, op, plain(x, name), output_size))

    return call


def _same(self: shaping.Functions, name: str, x: Value, *_: Any, **__: Any) -> Value:
    del self, name
    return x


def _cast(self: shaping.Functions, name: str, x: Value, *given: Any, **named: Any) -> Value:
    torch = load_module("torch", "torch")
    kinds = {DType.FP32: torch.float32, DType.INT64: torch.int64}
    own = kinds[self.builder.value(plain(x, name)).dtype]
    for each in (*given, *named.values()):
        if isinstance(each, torch.dtype) and each is not own:
            raise unsupported(f"{name}: a network does not cast {own} to {each}", layer=name)
    return x


def _as_float(self: shaping.Functions, name: str, x: Value) -> Value:
    return _cast(self, name, x, load_module("torch", "torch").float32)


def _as_integer(self: shaping.Functions, name: str, x: Value) -> Value:
    return _cast(self, name, x, load_module("torch", "torch").int64)


@cache
def functions() -> dict[Any, Function]:
    """Functions by themselves, as torch.fx records them; made when PyTorch is first needed."""
    torch = load_module("torch", "torch")
    f = load_module("torch.nn.functional", "torch")
    arithmetic: Any = operator
    table: dict[Any, Function] = {
        getattr: shaping.attribute,
        arithmetic.getitem: shaping.item,
        arithmetic.neg: _neg,
        arithmetic.truediv: _div,
        torch.div: _div,
        torch.neg: _neg,
        torch.rsub: _reversed_sub,
        torch.flatten: shaping.flatten,
        torch.reshape: shaping.reshape,
        torch.squeeze: shaping.squeeze,
        torch.unsqueeze: shaping.unsqueeze,
        torch.permute: shaping.permute,
        torch.transpose: shaping.transpose,
        torch.mean: _reduced("global_average_pool"),
        torch.amax: _reduced("global_max_pool"),
        f.gelu: _gelu,
        f.leaky_relu: _sloped("leaky_relu", 0.01),
        f.elu: _sloped("elu", 1.0),
        f.softplus: _softplus,
        f.softmax: _softmax("softmax"),
        f.log_softmax: _softmax("log_softmax"),
        torch.softmax: _softmax("softmax"),
        torch.log_softmax: _softmax("log_softmax"),
        f.dropout: _dropout,
        torch.dropout: _dropout,
        f.max_pool1d: _pool("max_pool", 1),
        f.max_pool2d: _pool("max_pool", 2),
        f.avg_pool1d: _pool("average_pool", 1),
        f.avg_pool2d: _pool("average_pool", 2),
        f.adaptive_avg_pool1d: _adaptive("global_average_pool"),
        f.adaptive_avg_pool2d: _adaptive("global_average_pool"),
        f.adaptive_max_pool1d: _adaptive("global_max_pool"),
        f.adaptive_max_pool2d: _adaptive("global_max_pool"),
        f.pad: shaping.pad,
    }
    table |= dict.fromkeys((arithmetic.add, arithmetic.iadd, torch.add), _add)
    table |= dict.fromkeys((arithmetic.sub, arithmetic.isub, torch.sub), _sub)
    table |= dict.fromkeys((arithmetic.mul, arithmetic.imul, torch.mul), _mul)
    table |= dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _cat)
    for name, function in _SIMPLE.items():
        for owner in (torch, f):
            if hasattr(owner, name):
                table[getattr(owner, name)] = _activation(function)
    return table


_SIMPLE = {
    "relu": "relu",
    "relu6": "relu6",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softsign": "softsign",
    "silu": "swish",
    "mish": "mish",
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_swish",
}

METHODS: dict[str, Function] = {
    "relu": _activation("relu"),
    "sigmoid": _activation("sigmoid"),
    "tanh": _activation("tanh"),
    "softmax": _softmax("softmax"),
    "log_softmax": _softmax("log_softmax"),
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "flatten": shaping.flatten,
    "view": shaping.reshape,
    "reshape": shaping.reshape,
    "squeeze": shaping.squeeze,
    "unsqueeze": shaping.unsqueeze,
    "permute": shaping.permute,
    "transpose": shaping.transpose,
    "mean": _reduced("global_average_pool"),
    "amax": _reduced("global_max_pool"),
    "contiguous": _same,
    "clone": _same,
    "detach": _same,
    "to": _cast,
    "type": _cast,
    "float": _as_float,
    "long": _as_integer,
    "size": shaping.size,
    "dim": shaping.rank,
}
"""Methods of tensors by name."""
