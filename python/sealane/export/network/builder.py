"""A network being put together, layer by layer, by a walk over a model of another framework."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.network import (
    BATCH,
    Attribute,
    Layer,
    Network,
    NetworkInput,
    NetworkOutput,
    Weights,
)
from sealane.bundle.network_shapes import LayerValue, SymbolicDim, layer_value
from sealane.core import DType, ErrorCode, SealaneError
from sealane.export.errors import unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealane.core import Signature, TensorSpec
    from sealane.core.signature import Dim

Array = np.ndarray[Any, np.dtype[Any]]
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_./-]")
_LONGEST = 180


@dataclass(frozen=True, slots=True)
class Built:
    """A finished network.

    Attributes:
        network: Its layers.
        weights: By tensor name.
        inputs: Signature name → network input.
        outputs: Signature name → network output.
        notes: Where training the network differs from training the source, in words.
    """

    network: Network
    weights: Weights
    inputs: dict[str, str]
    outputs: dict[str, str]
    notes: tuple[str, ...]


@dataclass(slots=True)
class NetworkBuilder:
    """Collects layers; each knows its shape as soon as it is added.

    A value is the name of an input or a layer.

    Attributes:
        weights: By tensor name.
        notes: Where training the network differs from training the source, in words.
        any_precision: Whether weights may be other than float32, for the trace of a training run.
    """

    any_precision: bool = False
    weights: Weights = field(default_factory=dict[str, Array])
    notes: list[str] = field(default_factory=list[str])
    _inputs: list[NetworkInput] = field(default_factory=list[NetworkInput])
    _layers: dict[str, Layer] = field(default_factory=dict[str, Layer])
    _values: dict[str, LayerValue] = field(default_factory=dict[str, LayerValue])

    def input(self, spec: TensorSpec, prefix: str = "") -> str:
        """Add an input of the signature, and return its name in the network.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED for what a network does not take.
        """
        if spec.dtype not in (DType.FP32, DType.INT64) or not spec.shape:
            raise unsupported(
                f"a network takes FP32 and INT64 with the batch as first dim, not the input {spec}",
                input=spec.name,
            )
        batch, rest = spec.shape[0], spec.shape[1:]
        if batch in rest and isinstance(batch, str):
            raise unsupported(
                f"a network has its batch at axis 0 only, the input is {spec}", input=spec.name
            )
        renamed: tuple[Dim, ...] = tuple(f"{BATCH}_" if dim == BATCH else dim for dim in rest)
        name = self._free(f"{prefix}{spec.name}")
        self._inputs.append(NetworkInput(name, spec.dtype, (BATCH, *renamed)))
        dims = tuple(SymbolicDim(d) if isinstance(d, str) else d for d in (BATCH, *renamed))
        self._values[name] = LayerValue(spec.dtype, dims)
        return name

    def value(self, name: str) -> LayerValue:
        """The dtype and dims of an input or a layer."""
        return self._values[name]

    def rank(self, name: str) -> int:
        """The rank of a value, the batch included."""
        return self._values[name].rank

    def add(
        self,
        name: str,
        op: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Attribute] | None = None,
        weights: Mapping[str, Array] | None = None,
    ) -> str:
        """Add a layer.

        Args:
            name: What to call it; made unique and brought into the form of names.
            op: Its operator.
            inputs: Values.
            attributes: All of the operator's.
            weights: Role → float32 array.

        Returns:
            Its value.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED when shapes do not fit the operator.
        """
        chosen = self._free(name)
        given = dict(weights or {})
        for role, array in given.items():
            if array.dtype != np.float32 and not self.any_precision:
                raise unsupported(
                    f"{role} of layer {name!r} is {array.dtype}; a network's weights are float32",
                    layer=name,
                )
            if not np.isfinite(array).all():
                raise unsupported(f"{role} of layer {name!r} is not finite", layer=name)
        tensors = {role: f"{chosen}.{role}" for role in given}
        layer = Layer(chosen, op, tuple(inputs), dict(attributes or {}), tensors)
        shapes = {role: array.shape for role, array in given.items()}
        values = tuple(self._values[each] for each in inputs)
        try:
            self._values[chosen] = layer_value(layer, values, shapes, DEFAULT_LIMITS)
        except SealaneError as error:
            if error.code is not ErrorCode.MANIFEST_INVALID:
                raise
            problem = error.message.removeprefix("sealane.json: ")
            raise unsupported(f"a network can not hold this: {problem}", layer=name) from None
        self._layers[chosen] = layer
        for role, array in given.items():
            self.weights[tensors[role]] = np.array(array, order="C")
        return chosen

    def activation(self, name: str, value: str, function: str, alpha: float | None = None) -> str:
        """Add an ``activation``."""
        attributes: dict[str, Attribute] = {"function": function}
        if alpha is not None:
            attributes["alpha"] = alpha
        return self.add(name, "activation", [value], attributes)

    def rescale(self, name: str, value: str, scale: float, offset: float) -> str:
        """Add a ``rescale``, or nothing where it changes nothing."""
        if scale == 1 and offset == 0:
            return value
        return self.add(name, "rescale", [value], {"scale": scale, "offset": offset})

    def reshape(self, name: str, value: str, shape: Sequence[int]) -> str:
        """Add a ``reshape`` to these dims after the batch; one is made of several in a row."""
        before = self._layers.get(value)
        while before is not None and before.op == "reshape":
            value = before.inputs[0]
            before = self._layers.get(value)
        if self._values[value].dims[1:] == tuple(shape):
            return value
        return self.add(name, "reshape", [value], {"shape": tuple(shape)})

    def transpose(self, name: str, value: str, axes: Sequence[int]) -> str:
        """Add a ``transpose``; two in a row that undo each other are none."""
        before = self._layers.get(value)
        chosen = tuple(axes)
        if before is not None and before.op == "transpose":
            first = before.attributes["permutation"]
            assert isinstance(first, tuple)
            chosen = tuple(first[axis] for axis in chosen)
            value = before.inputs[0]
        if chosen == tuple(range(len(chosen))):
            return value
        return self.add(name, "transpose", [value], {"permutation": chosen})

    def fixed_dims(self, value: str, what: str) -> tuple[int, ...]:
        """The dims after the batch, all integers.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED naming ``what`` when one is a symbol.
        """
        dims = self._values[value].dims[1:]
        fixed = tuple(dim for dim in dims if isinstance(dim, int))
        if len(fixed) != len(dims):
            raise unsupported(
                f"{what} needs fixed dims, its input is {self._values[value]}", layer=what
            )
        return fixed

    def elements(self, value: str, what: str) -> int:
        """Elements of one row."""
        return math.prod(self.fixed_dims(value, what))

    def finish(
        self, values: Mapping[str, str], inputs: Mapping[str, str], signature: Signature
    ) -> Built:
        """The network of these outputs; what leads to none of them is left out.

        Args:
            values: Output name of the signature → value.
            inputs: Input name of the signature → network input.
            signature: Of the model.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED when an input is not used.
        """
        outputs: dict[str, str] = {}
        made: list[NetworkOutput] = []
        for spec in signature.outputs:
            value = values[spec.name]
            if value not in self._layers:
                value = self.rescale_nothing(value)
            outputs[spec.name] = self._output_name(spec.name, {each.name for each in made})
            made.append(NetworkOutput(outputs[spec.name], value))
        needed = self._needed([each.layer for each in made])
        for spec_name, name in inputs.items():
            if name not in needed:
                raise unsupported(
                    f"input {spec_name!r} does not reach an output; a network uses every input",
                    input=spec_name,
                )
        layers = tuple(layer for layer in self._layers.values() if layer.name in needed)
        network = Network(tuple(self._inputs), layers, tuple(made))
        kept = {name: self.weights[name] for name in network.weight_names()}
        return Built(network, kept, dict(inputs), outputs, tuple(self.notes))

    def rescale_nothing(self, value: str) -> str:
        """A layer that gives an input on, for an output that is an input."""
        return self.add(f"{value}.as_output", "rescale", [value], {"scale": 1.0, "offset": 0.0})

    def _needed(self, wanted: list[str]) -> set[str]:
        needed: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name not in needed:
                needed.add(name)
                layer = self._layers.get(name)
                wanted.extend(layer.inputs if layer is not None else ())
        return needed

    def _output_name(self, name: str, taken: set[str]) -> str:
        return _unique(_formed(name), taken | {each.name for each in self._inputs})

    def _free(self, name: str) -> str:
        return _unique(_formed(name), self._values)


def _formed(name: str) -> str:
    formed = _NOT_IN_NAMES.sub("_", name)[:_LONGEST]
    return formed if formed[:1].isalnum() or formed[:1] == "_" else f"_{formed}"


def _unique(name: str, taken: Mapping[str, object] | set[str]) -> str:
    chosen, index = name, 1
    while chosen in taken:
        chosen, index = f"{name}_{index}", index + 1
    return chosen
