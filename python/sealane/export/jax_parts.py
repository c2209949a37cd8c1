"""A JAX model taken apart: what it has learned, and a pure function of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.jax import JaxModel

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Parts:
    """A model in inference mode.

    Attributes:
        name: The class of the module, or the function's name.
        state: A pytree of what it has learned, the random streams of a module included.
        call: The state and the inputs → the outputs, and the state after it or None.
        described: What names the arguments.
        skipped: How many of them come before the inputs.
    """

    name: str
    state: Any
    call: Callable[..., tuple[Any, Any]]
    described: Callable[..., Any]
    skipped: int = 0


def take_apart(model: object, *, wide: bool = False) -> Parts:
    """Takes a copy of a ``flax.nnx.Module``, or a `JaxModel`, apart.

    Args:
        model: The model, which is not changed.
        wide: Whether modules that insist on float32 shall insist on float64.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` for a Flax Linen module without its variables.
    """
    return _of_function(model) if isinstance(model, JaxModel) else _of_module(model, wide)


def bases(value: object) -> str:
    """The modules that an object's classes are from."""
    return " ".join(base.__module__ for base in type(value).__mro__)


def _of_function(model: JaxModel) -> Parts:
    apply = model.apply
    owner: Any = getattr(apply, "__self__", None)

    def call(params: Any, *given: Any, **named: Any) -> tuple[Any, Any]:
        return apply(params, *given, **named), None

    if owner is not None and "flax.linen" in bases(owner) and apply.__name__ == "apply":
        return Parts(type(owner).__name__, model.params, call, owner.__call__)
    return Parts(getattr(apply, "__name__", "apply"), model.params, call, apply, 1)


def _of_module(model: Any, wide: bool) -> Parts:  # noqa: FBT001
    nnx = load_module("flax.nnx", "jax")
    if not isinstance(model, nnx.Module):
        raise unsupported(
            f"a {type(model).__name__} has no parameters of its own; give "
            "sealane.jax.JaxModel(module.apply, variables)"
        )
    copied = nnx.clone(model)
    copied.eval()
    for _, module in nnx.iter_modules(copied):
        if wide and getattr(module, "dtype", None) == np.float32:
            module.dtype = np.dtype(np.float64)
    graph, state = nnx.split(copied)

    def call(state: Any, *given: Any, **named: Any) -> tuple[Any, Any]:
        merged = nnx.merge(graph, state, copy=True)
        return merged(*given, **named), nnx.state(merged)

    return Parts(type(model).__name__, state, call, model.__call__)
