"""Layers of torch.nn → layers of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.network import torch_attention, torch_recurrent
from sealane.export.network.torch_shaping import flattened, padded
from sealane.export.network.values import Value, plain
from sealane.export.network.windows import adaptive_pool, pads_of, pool, sizes

if TYPE_CHECKING:
    from sealane.bundle.network import Attribute
    from sealane.export.network.builder import Array, NetworkBuilder

Handler = Callable[["NetworkBuilder", str, Any, str], str]
"""Builder, path, module, value → value."""


def type_name(kind: Any) -> str:
    """A module's type as users write it."""
    name: str = getattr(kind, "__qualname__", str(kind))
    module: str = getattr(kind, "__module__", "")
    return f"torch.nn.{name}" if module.startswith("torch.nn.modules") else f"{module}.{name}"


def is_layer(module: Any) -> bool:
    """Whether it is a layer of torch.nn by itself, not a container or a model of the user's."""
    nn = load_module("torch.nn", "torch")
    containers = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
    own = type(module).__module__.startswith("torch.nn")
    return own and not isinstance(module, containers)


def refused(path: str, module: Any, why: str = "") -> Exception:
    """The error for a module that a network can not hold."""
    title = f"{path} ({type_name(type(module))})"
    reason = f": {why}" if why else ""
    return unsupported(
        f"a network can not hold {title}{reason}", layer=path, type=type_name(type(module))
    )


class Modules:
    """Turns calls of modules into layers, each module with weights once."""

    def __init__(self, builder: NetworkBuilder) -> None:
        self._builder = builder
        self._called: set[int] = set()
        self._handlers = _handlers()

    def call(
        self, path: str, module: Any, arguments: list[Any], named: dict[str, Any], used: set[Any]
    ) -> Any:
        """The result of a module on values.

        Args:
            path: Its name in the model.
            module: What is called.
            arguments: By position.
            named: By name.
            used: Which items of its result are used; empty for all.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED naming path and type.
        """
        self._check(path, module)
        if torch_recurrent.is_recurrent(module):
            return torch_recurrent.recurrent(self._builder, path, module, arguments, named, used)
        if torch_attention.is_attention(module):
            return torch_attention.attention(self._builder, path, module, arguments, named)
        handler = self._handlers.get(type(module))
        if handler is None:
            raise refused(path, module)
        if named or len(arguments) != 1:
            raise refused(path, module, "it is called with more than one argument")
        return Value(handler(self._builder, path, module, plain(arguments[0], path)))

    def _check(self, path: str, module: Any) -> None:
        hooks = ("_forward_pre_hooks", "_forward_hooks")
        if any(getattr(each, name) for each in module.modules() for name in hooks):
            raise refused(path, module, "it has forward hooks (weight_norm and its like)")
        if next(module.parameters(), None) is not None:
            if id(module) in self._called:
                raise refused(path, module, "it is called twice, and each weight has one layer")
            self._called.add(id(module))


def array(tensor: Any) -> Array:
    """A parameter's values."""
    result: Array = np.array(tensor.detach().cpu().numpy())
    return result


def weights_of(module: Any, **roles: str) -> dict[str, Array]:
    """Role → values of the module's parameters; those that are None are left out."""
    found = {role: getattr(module, name) for role, name in roles.items()}
    return {role: array(tensor) for role, tensor in found.items() if tensor is not None}


def _linear(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    return builder.add(path, "dense", [value], {}, weights_of(module, weight="weight", bias="bias"))


def _conv(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    if module.padding_mode != "zeros":
        raise refused(path, module, f"padding_mode={module.padding_mode!r}")
    attributes: dict[str, Attribute] = {
        "strides": tuple(module.stride),
        "dilations": tuple(module.dilation),
        "pads": pads_of(module.padding, module.kernel_size, module.dilation),
        "groups": module.groups,
    }
    weights = weights_of(module, weight="weight", bias="bias")
    return builder.add(path, "conv", [value], attributes, weights)


def _batch_norm(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    if not (module.affine and module.track_running_stats):
        raise refused(path, module, "without affine weights or running statistics")
    if module.momentum is None:
        raise refused(path, module, "momentum=None, a cumulative average")
    attributes: dict[str, Attribute] = {
        "epsilon": float(module.eps),
        "momentum": float(module.momentum),
        "unbiased": True,
    }
    weights = weights_of(
        module, scale="weight", offset="bias", mean="running_mean", variance="running_var"
    )
    return builder.add(path, "batch_norm", [value], attributes, weights)


def layer_norm(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    """A ``torch.nn.LayerNorm`` over the last axis."""
    if len(module.normalized_shape) != 1:
        raise refused(path, module, "over more than the last axis")
    if module.weight is None or module.bias is None:
        raise refused(path, module, "without weight or bias")
    weights = weights_of(module, scale="weight", offset="bias")
    return builder.add(path, "layer_norm", [value], {"epsilon": float(module.eps)}, weights)


def _embedding(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    if module.max_norm is not None:
        raise refused(path, module, "max_norm rescales its weights when called")
    if module.padding_idx is not None:
        builder.notes.append(
            f"{path}: row {module.padding_idx} (padding_idx) is trained in the JVM, not by PyTorch"
        )
    return builder.add(path, "embedding", [value], {}, weights_of(module, weight="weight"))


def _pool(op: str, spatial: int) -> Handler:
    def handle(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
        if getattr(module, "ceil_mode", False) or getattr(module, "return_indices", False):
            raise refused(path, module, "ceil_mode or return_indices")
        if getattr(module, "divisor_override", None) is not None:
            raise refused(path, module, "divisor_override")
        if set(sizes(getattr(module, "dilation", 1), spatial)) != {1}:
            raise refused(path, module, "dilation")
        counted = getattr(module, "count_include_pad", None)
        window = (module.kernel_size, module.stride, module.padding)
        return pool(builder, path, op, value, window, spatial, count_padding=counted)

    return handle


def _adaptive(op: str) -> Handler:
    def handle(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
        if getattr(module, "return_indices", False):
            raise refused(path, module, "return_indices")
        return adaptive_pool(builder, path, op, value, module.output_size)

    return handle


def _activation(function: str, alpha: str | None = None, **fixed: Any) -> Handler:
    def handle(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
        for name, expected in fixed.items():
            if getattr(module, name) != expected:
                raise refused(path, module, f"{name}={getattr(module, name)!r}")
        slope = None if alpha is None else float(getattr(module, alpha))
        return builder.activation(path, value, function, slope)

    return handle


def _gelu(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    return builder.activation(path, value, "gelu" if module.approximate == "none" else "gelu_tanh")


def _softmax(function: str) -> Handler:
    def handle(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
        if module.dim not in (-1, builder.rank(value) - 1):
            raise refused(path, module, f"over axis {module.dim}, not the last")
        return builder.activation(path, value, function)

    return handle


def _dropout(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    if module.p >= 1:
        raise refused(path, module, f"p={module.p}")
    return builder.add(path, "dropout", [value], {"rate": float(module.p)})


def _flatten(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    return flattened(builder, path, value, module.start_dim, module.end_dim)


def _pad(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    return padded(builder, path, value, module.padding, float(getattr(module, "value", 0.0)))


def _identity(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    del builder, path, module
    return value


def _handlers() -> dict[Any, Handler]:
    nn = load_module("torch.nn", "torch")
    return {
        nn.Linear: _linear,
        nn.Conv1d: _conv,
        nn.Conv2d: _conv,
        nn.BatchNorm1d: _batch_norm,
        nn.BatchNorm2d: _batch_norm,
        nn.LayerNorm: layer_norm,
        nn.Embedding: _embedding,
        nn.MaxPool1d: _pool("max_pool", 1),
        nn.MaxPool2d: _pool("max_pool", 2),
        nn.AvgPool1d: _pool("average_pool", 1),
        nn.AvgPool2d: _pool("average_pool", 2),
        nn.AdaptiveAvgPool1d: _adaptive("global_average_pool"),
        nn.AdaptiveAvgPool2d: _adaptive("global_average_pool"),
        nn.AdaptiveMaxPool1d: _adaptive("global_max_pool"),
        nn.AdaptiveMaxPool2d: _adaptive("global_max_pool"),
        nn.ReLU: _activation("relu"),
        nn.ReLU6: _activation("relu6"),
        nn.LeakyReLU: _activation("leaky_relu", "negative_slope"),
        nn.ELU: _activation("elu", "alpha"),
        nn.SELU: _activation("selu"),
        nn.Sigmoid: _activation("sigmoid"),
        nn.Tanh: _activation("tanh"),
        nn.Softplus: _activation("softplus", beta=1, threshold=20),
        nn.Softsign: _activation("softsign"),
        nn.GELU: _gelu,
        nn.SiLU: _activation("swish"),
        nn.Mish: _activation("mish"),
        nn.Hardsigmoid: _activation("hard_sigmoid"),
        nn.Hardswish: _activation("hard_swish"),
        nn.Softmax: _softmax("softmax"),
        nn.LogSoftmax: _softmax("log_softmax"),
        nn.Dropout: _dropout,
        nn.Flatten: _flatten,
        nn.ZeroPad1d: _pad,
        nn.ZeroPad2d: _pad,
        nn.ConstantPad1d: _pad,
        nn.ConstantPad2d: _pad,
        nn.Identity: _identity,
    }
