"""Values of a Keras model on their way into a network, and the table of layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.export.errors import unsupported

if TYPE_CHECKING:
    from sealane.core import SealaneError
    from sealane.core.keras import Keras
    from sealane.export.network.builder import Array, NetworkBuilder


class KerasValue:
    """A tensor: a value of the network.

    Attributes:
        name: An input or a layer.
        first: Whether the network's value has the channels first where Keras has them last.
    """

    __slots__ = ("first", "name")

    def __init__(self, name: str, *, first: bool = False) -> None:
        self.name = name
        self.first = first


@dataclass(frozen=True, slots=True)
class KerasCall:
    """One call of a Keras layer or operation."""

    name: str
    layer: Any
    arguments: tuple[Any, ...]
    named: dict[str, Any]

    @property
    def title(self) -> str:
        """The layer's name and type, for messages."""
        kind = cast("type[Any]", type(self.layer))
        module = kind.__module__
        for public in ("keras.layers", "keras.ops", "tf_keras.layers"):
            if module.startswith(public.replace(".", ".src.")):
                module = public
        return f"{self.name} ({module}.{kind.__qualname__})"

    def refused(self, why: str = "") -> SealaneError:
        """The error for a layer that a network can not hold."""
        reason = f": {why}" if why else ""
        return unsupported(f"a network can not hold {self.title}{reason}", layer=self.name)

    def one(self) -> KerasValue:
        """The only tensor that the layer is called with.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED when there are more, or a mask.
        """
        named = {k: v for k, v in self.named.items() if k != "training" and v is not None}
        given = [*self.arguments, *(named.pop(k) for k in ("inputs", "x") if k in named)]
        if named or len(given) != 1 or not isinstance(given[0], KerasValue):
            raise self.refused("it is called with more than one tensor")
        return given[0]

    def several(self) -> list[KerasValue]:
        """The tensors that a merging layer is called with."""
        given = self.arguments[0] if self.arguments else self.named.get("inputs")
        if not isinstance(given, list | tuple) or len(self.arguments) > 1:
            raise self.refused("it is not called with a list of tensors")
        values: list[KerasValue] = []
        for each in given:  # pyright: ignore[reportUnknownVariableType]
            if not isinstance(each, KerasValue):
                raise self.refused("it is called with a constant")
            values.append(each)
        return values


Handler = Callable[["KerasLayers", KerasCall], KerasValue]


class KerasLayers:
    """Turns calls of Keras layers into layers of a network, each layer with weights once."""

    def __init__(self, builder: NetworkBuilder, keras: Keras) -> None:
        self.builder = builder
        self.keras = keras
        self._called: set[int] = set()

    def enter(self, name: str, layer: Any) -> None:
        """Note that a layer is called.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED when it has weights and was called before.
        """
        if layer.weights if hasattr(layer, "weights") else False:
            if id(layer) in self._called:
                raise unsupported(
                    f"a network can not hold {name} ({type(layer).__name__}): it is called twice, "
                    "and each weight has one layer",
                    layer=name,
                )
            self._called.add(id(layer))

    def call(self, call: KerasCall) -> KerasValue:
        """The result of a layer.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED naming the layer and its type.
        """
        handler = _table(self.keras).get(cast("type[Any]", type(call.layer)))
        if handler is None:
            raise call.refused()
        policy = getattr(call.layer, "compute_dtype", "float32")
        if policy != "float32" and not self.builder.any_precision:
            raise call.refused(f"it computes in {policy}")
        self.enter(call.name, call.layer)
        return handler(self, call)

    def channels_first(self, value: KerasValue) -> str:
        """The network's value with the channels first, which Keras has last."""
        rank = self.builder.rank(value.name)
        if value.first:
            return value.name
        axes = (0, rank - 1, *range(1, rank - 1))
        return self.builder.transpose(f"{value.name}.channels_first", value.name, axes)

    def channels_last(self, value: KerasValue) -> str:
        """The network's value in the order that Keras has."""
        rank = self.builder.rank(value.name)
        if not value.first:
            return value.name
        axes = (0, *range(2, rank), 1)
        return self.builder.transpose(f"{value.name}.channels_last", value.name, axes)

    def together(self, values: list[KerasValue]) -> tuple[list[str], bool]:
        """Values in one order: channels first where one of them is."""
        if any(each.first for each in values):
            return [self.channels_first(each) for each in values], True
        return [each.name for each in values], False

    def activated(self, call: KerasCall, value: KerasValue, given: Any = None) -> KerasValue:
        """A value through the layer's ``activation``."""
        from sealane.export.network.keras_activations import activation

        function = call.layer.activation if given is None else given
        return activation(self, call, value, function, f"{call.name}.activation")


def array(variable: Any) -> Array:
    """The values of a Keras variable."""
    result: Array = np.array(variable.numpy())
    return result


@cache
def _table(keras: Keras) -> dict[type[Any], Handler]:
    from sealane.export.network.keras_layers import handlers
    from sealane.export.network.keras_recurrent import recurrent_handlers

    return {**handlers(keras), **recurrent_handlers(keras)}
