"""Shapes, axes and items of PyTorch's tensors → layers of a network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from sealane.export.errors import unsupported
from sealane.export.network.values import BatchSize, Refused, Value, Values, plain
from sealane.export.network.windows import sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.export.network.builder import NetworkBuilder


class Functions:
    """Carries the builder to the functions of this module."""

    def __init__(self, builder: NetworkBuilder) -> None:
        self.builder = builder

    def rank(self, value: Value) -> int:
        """The rank of a tensor."""
        return self.builder.rank(value.name)

    def dims(self, value: Value) -> tuple[Any, ...]:
        """The dims as PyTorch's ``shape`` has them; the batch is a `BatchSize`."""
        return (BatchSize(), *self.builder.value(value.name).dims[1:])


def axis_of(given: int, rank: int) -> int:
    """An axis counted from the front."""
    return given + rank if given < 0 else given


def flattened(builder: NetworkBuilder, name: str, value: str, start: int, end: int) -> str:
    """``torch.flatten`` of axes after the batch."""
    rank = builder.rank(value)
    start, end = axis_of(start, rank), axis_of(end, rank)
    if start < 1:
        raise unsupported(f"{name}: a network can not flatten its batch", layer=name)
    dims = builder.fixed_dims(value, name)
    return builder.reshape(
        name, value, (*dims[: start - 1], math.prod(dims[start - 1 : end]), *dims[end:])
    )


def padded(builder: NetworkBuilder, name: str, value: str, given: Any, fill: float) -> str:
    """PyTorch's pads, last axis first, as begins then ends."""
    spatial = builder.rank(value) - 2
    pads = sizes(given, 2 * spatial) if isinstance(given, int) else tuple(given)
    pairs = list(zip(pads[::2], pads[1::2], strict=True))[::-1]
    if len(pairs) > spatial or any(each < 0 for each in pads):
        raise unsupported(f"{name}: a network pads spatial dims only, by 0 or more", layer=name)
    pairs = [(0, 0)] * (spatial - len(pairs)) + pairs
    ordered = tuple(pair[0] for pair in pairs) + tuple(pair[1] for pair in pairs)
    return builder.add(name, "pad", [value], {"pads": ordered, "value": fill})


def flatten(self: Functions, name: str, x: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    """``torch.flatten``."""
    return Value(flattened(self.builder, name, plain(x, name), start_dim, end_dim))


def reshape(self: Functions, name: str, x: Value, *shape: Any, **named: Any) -> Value:
    """``reshape`` and ``view`` that keep the batch."""
    given: Any = named.get("shape", shape)
    if len(given) == 1 and isinstance(given[0], list | tuple):
        given = given[0]
    wanted = list(cast("Sequence[Any]", given))
    value = plain(x, name)
    if not wanted or not (isinstance(wanted[0], BatchSize) or wanted[0] == -1):
        raise unsupported(
            f"{name}: a network keeps its batch: view or reshape to (x.shape[0], …), not to "
            f"{wanted}",
            layer=name,
        )
    before = self.builder.value(value).dims[1:]
    rest = wanted[1:]
    if list(before) == rest:
        return x
    if any(not isinstance(each, int) for each in rest):
        raise unsupported(f"{name}: a network reshapes fixed dims only, not {wanted}", layer=name)
    count = self.builder.elements(value, name)
    known = math.prod(each for each in rest if each != -1)
    if rest.count(-1) == 1 and wanted[0] != -1 and known and count % known == 0:
        rest[rest.index(-1)] = count // known
    return Value(self.builder.reshape(name, value, rest))


def squeeze(self: Functions, name: str, x: Any, dim: Any = None) -> Any:
    """``squeeze`` of named axes."""
    if isinstance(x, Values):
        return item(self, name, x, 0) if len(x.items) == 1 and dim in (0, None) else x
    value = plain(x, name)
    dims = self.builder.fixed_dims(value, name)
    rank = len(dims) + 1
    if dim is None:
        raise unsupported(f"{name}: squeeze() could remove the batch; name the axis", layer=name)
    axes = {axis_of(each, rank) for each in ((dim,) if isinstance(dim, int) else dim)}
    if 0 in axes:
        raise unsupported(f"{name}: a network keeps its batch", layer=name)
    kept = [size for axis, size in enumerate(dims, 1) if axis not in axes or size != 1]
    return Value(self.builder.reshape(name, value, kept))


def unsqueeze(self: Functions, name: str, x: Value, dim: int) -> Value:
    """``unsqueeze``."""
    value = plain(x, name)
    dims = list(self.builder.fixed_dims(value, name))
    axis = dim + len(dims) + 2 if dim < 0 else dim
    if axis < 1:
        raise unsupported(f"{name}: a network keeps its batch at axis 0", layer=name)
    dims.insert(axis - 1, 1)
    return Value(self.builder.reshape(name, value, dims))


def permute(self: Functions, name: str, x: Value, *axes: Any, **named: Any) -> Value:
    """``permute`` that keeps the batch in front."""
    given = named.get("dims", axes[0] if axes and isinstance(axes[0], list | tuple) else axes)
    rank = self.rank(x)
    chosen = [axis_of(each, rank) for each in given]
    if chosen[:1] != [0]:
        raise unsupported(f"{name}: a network keeps its batch at axis 0", layer=name)
    return Value(self.builder.transpose(name, plain(x, name), chosen))


def transpose(self: Functions, name: str, x: Value, dim0: int, dim1: int) -> Value:
    """``transpose`` of two axes."""
    axes = list(range(self.rank(x)))
    a, b = axis_of(dim0, len(axes)), axis_of(dim1, len(axes))
    axes[a], axes[b] = axes[b], axes[a]
    return permute(self, name, x, axes)


def pad(
    self: Functions, name: str, x: Value, pad: Any, mode: str = "constant", value: Any = None
) -> Value:
    """``torch.nn.functional.pad``."""
    if mode != "constant":
        raise unsupported(f"{name}: a network pads with a constant, not {mode!r}", layer=name)
    return Value(padded(self.builder, name, plain(x, name), pad, float(value or 0.0)))


def attribute(self: Functions, name: str, x: Any, attribute: str) -> Any:
    """``shape`` and ``ndim``."""
    if attribute == "shape" and isinstance(x, Value):
        return self.dims(x)
    if attribute == "ndim" and isinstance(x, Value):
        return self.rank(x)
    raise unsupported(f"{name}: a network has no {attribute!r} of a tensor", layer=name)


def size(self: Functions, name: str, x: Value, dim: int | None = None) -> Any:
    """``size``."""
    dims = attribute(self, name, x, "shape")
    return dims if dim is None else dims[dim]


def rank(self: Functions, name: str, x: Value) -> int:
    """``dim``."""
    return int(attribute(self, name, x, "ndim"))


def item(self: Functions, name: str, x: Any, index: Any) -> Any:
    """``x[index]`` of a tuple, of states, or the last step of a sequence."""
    if isinstance(x, tuple | list | dict):
        found = cast("Any", x)[index]
        if isinstance(found, Refused) and isinstance(index, int):
            return found
        return found
    if isinstance(x, Values):
        found = x.items[index] if isinstance(index, int) else None
        if not isinstance(found, Value) or not found.name:
            raise unsupported(f"{name}: only the states of the last layer are in a network")
        return found
    if isinstance(x, Refused):
        raise unsupported(f"{name}: {x.reason}")
    whole = slice(None)
    last_step = [(whole, -1), (whole, -1, whole)]
    if self.rank(x) == 3 and index in last_step:
        return Value(self.builder.add(name, "last_step", [plain(x, name)]))
    if self.rank(x) == 3 and index in ((whole, 0), (whole, 0, whole)):
        raise unsupported(f"{name}: a network takes the last step of a sequence, not the first")
    raise unsupported(f"{name}: a network does not index tensors by {index!r:.80}", layer=name)
