"""A JAX model in parts that can be trained: parameters, state, and a pure function of both."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from sealane.core import ErrorCode, SealaneError
from sealane.jax import JaxModel
from sealane.training.run import takes_by_order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

jax: Any = importlib.import_module("jax")
jnp: Any = importlib.import_module("jax.numpy")
nnx: Any = importlib.import_module("flax.nnx")
serialization: Any = importlib.import_module("flax.serialization")

KEY = "key"
"""The argument of a function that is given a random key: in training, and None otherwise."""


class Parts(Protocol):
    """A model taken apart.

    Attributes:
        params: A pytree of what the optimizer changes.
        state: A pytree of what the model itself changes, such as running means.
    """

    params: Any
    state: Any

    def outputs(
        self, params: Any, state: Any, features: Mapping[str, Any], seed: Any
    ) -> tuple[Any, Any]:
        """What the loss takes, and the state after it.

        Args:
            params: Like ``params``.
            state: Like ``state``.
            features: By name, each ``[rows, …]``.
            seed: ``uint32[2]`` of what is drawn at random in training; None for inference.
        """
        ...

    def whole(self, params: Any, state: Any) -> Any:
        """The model with other parameters and state."""
        ...


def take_apart(model: Any | JaxModel, logits: Any, features: Collection[str]) -> Parts:
    """The parts of a ``flax.nnx.Module`` or of a `JaxModel`.

    Args:
        model: What is trained; it is not changed.
        logits: What gives what the loss takes: None for the model itself, the name of a module's
            method, or a function of the parameters and the features in place of ``apply``.
        features: Their names.

    Raises:
        SealaneError: INPUT_UNKNOWN for a feature without an argument, INPUT_DTYPE for parameters
            that can not be trained.
    """
    if isinstance(model, nnx.Module):
        return _Module(model, logits, features)
    return _Function(model, logits or model.apply, features)


class _Module:
    """A Flax NNX module. Its random streams begin anew in each step, from the step's seed."""

    def __init__(self, model: Any, logits: str | None, features: Collection[str]) -> None:
        copied = nnx.clone(model)
        copied.eval()
        self._inference, *_ = self._split(copied)
        copied.train()
        self._training, self.params, self._streams, self.state = self._split(copied)
        name = logits or "__call__"
        self._given = _arguments(getattr(copied, name), 0, features)
        self._method = name

    def outputs(
        self, params: Any, state: Any, features: Mapping[str, Any], seed: Any
    ) -> tuple[Any, Any]:
        graph = self._inference if seed is None else self._training
        streams = self._streams if seed is None else jax.tree.map(_seeded(seed), self._streams)
        model = nnx.merge(graph, params, streams, state, copy=True)
        positional, named = self._given(features)
        found = getattr(model, self._method)(*positional, **named)
        return found, self._split(model)[3]

    def whole(self, params: Any, state: Any) -> Any:
        return nnx.merge(self._inference, params, self._streams, state, copy=True)

    @staticmethod
    def _split(model: Any) -> tuple[Any, Any, Any, Any]:
        return nnx.split(model, nnx.Param, nnx.RngState, ...)


class _Function:
    """A pure function of parameters, all of which are trained."""

    def __init__(
        self, model: JaxModel, logits: Callable[..., Any], features: Collection[str]
    ) -> None:
        params: Any = model.params
        names = set[str]()
        if isinstance(params, Mapping):
            names = {str(name) for name in cast("Mapping[object, Any]", params)}
        if "params" in names and len(names) > 1:
            raise SealaneError(
                ErrorCode.INPUT_DTYPE,
                f"the variables {', '.join(sorted(names - {'params'}))} are changed by the model "
                "itself, which a function can not do in training; use a flax.nnx.Module",
            )
        for path, leaf in jax.tree_util.tree_leaves_with_path(params):
            if not jnp.issubdtype(getattr(leaf, "dtype", None) or object, jnp.floating):
                raise SealaneError(
                    ErrorCode.INPUT_DTYPE,
                    f"the parameter {jax.tree_util.keystr(path)} is no array of floats and can not "
                    "be trained; let the function close over it",
                )
        self._apply = model.apply
        self._logits = logits
        self.params: Any = model.params
        self.state: dict[str, Any] = {}
        described = _described(logits)
        self._drawing = KEY in inspect.signature(described[0]).parameters
        self._given = _arguments(*described, features)

    def outputs(
        self, params: Any, state: Any, features: Mapping[str, Any], seed: Any
    ) -> tuple[Any, Any]:
        positional, named = self._given(features)
        if self._drawing:
            named[KEY] = None if seed is None else _seeded(seed)(jax.random.key(0))
        return self._logits(params, *positional, **named), state

    def whole(self, params: Any, state: Any) -> Any:
        del state
        return JaxModel(self._apply, params)


def _described(function: Any) -> tuple[Any, int]:
    """What names the arguments, and how many come before the features."""
    owner: Any = getattr(function, "__self__", None)
    if owner is not None and "flax.linen" in str([each.__module__ for each in type(owner).__mro__]):
        return owner.__call__, 0
    return function, 1


def _seeded(seed: Any) -> Callable[[Any], Any]:
    def seeded(leaf: Any) -> Any:
        if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return leaf
        return jax.random.fold_in(jax.random.fold_in(leaf, seed[0]), seed[1])

    return seeded


def _arguments(
    function: Any, skipped: int, features: Collection[str]
) -> Callable[[Mapping[str, Any]], tuple[list[Any], dict[str, Any]]]:
    """Features → arguments: by name, or in their order where it takes ``*arguments``."""
    parameters = list(inspect.signature(function).parameters.values())[skipped:]
    if takes_by_order([each for each in parameters if each.name != KEY], features):
        return lambda given: (list(given.values()), {})
    return lambda given: ([], dict(given))


def to_bytes(tree: Any) -> bytes:
    """The leaves of a pytree in their order, as MessagePack."""
    leaves = [np.asarray(local(leaf)) for leaf in jax.tree.leaves(tree)]
    return serialization.msgpack_serialize({str(n): leaf for n, leaf in enumerate(leaves)})


def of_bytes(tree: Any, data: bytes) -> Any:
    """A pytree of that structure with the leaves that `to_bytes` wrote, as NumPy arrays."""
    found = serialization.msgpack_restore(data)
    leaves = [np.asarray(found[str(number)]) for number in range(len(found))]
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)


def local(leaf: Any) -> Any:
    """This process's copy of an array that every process has."""
    return leaf.addressable_data(0) if isinstance(leaf, jax.Array) else leaf
