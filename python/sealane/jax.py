"""A JAX function with its parameters, as one thing that can be exported or trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class JaxModel:
    """A pure function and a pytree of what it has learned.

    Of a Flax Linen module it is ``JaxModel(module.apply, variables)``; give a function of your own
    where ``apply`` needs more arguments:
    ``JaxModel(lambda variables, x: module.apply(variables, x, train=False), variables)``. A Flax
    NNX module needs no JaxModel.

    Attributes:
        apply: ``apply(params, *inputs)`` → an array, or a tuple, list or mapping of arrays. It is
            called with arrays alone and must neither draw random numbers nor keep state.
        params: A pytree of arrays.
    """

    apply: Callable[..., Any]
    params: Any
