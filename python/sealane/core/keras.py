"""Which Keras a model is made with: Keras 3, or TensorFlow's older one, and how they differ.

From outside ``keras`` and ``tf_keras`` are alike. What differs inside, and is needed to export a
model or to train it, is said here and nowhere else.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sealane.core.errors import ErrorCode, SealaneError
from sealane.core.frameworks import load_module

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from contextlib import AbstractContextManager

    import numpy as np

    Reseed = Callable[[np.ndarray[Any, np.dtype[Any]]], object]
    Call = tuple[Any, tuple[Any, ...], dict[str, Any], list[Any]]

MIXED = "mixed_bfloat16"
"""The policy of mixed precision: bfloat16 inside, float32 weights."""

_CUDNN = "_could_use_gpu_kernel"


@dataclass(frozen=True)
class Keras(ABC):
    """One of the two. Picklable.

    Attributes:
        name: Its module, which is what a bundle calls the framework.
        extra: The extra that brings it.
        autograph: Whether its layers may branch and loop in Python by the values of tensors, since
            its own ``fit`` makes TensorFlow's control flow of that.
        branching: What such control flow is written with otherwise.
    """

    name: str
    extra: str
    autograph: bool
    branching: str

    @property
    def module(self) -> Any:
        """The module.

        Raises:
            SealaneError: ENGINE_UNAVAILABLE when it can not be imported.
        """
        return load_module(self.name, self.extra)

    @property
    @abstractmethod
    def nest(self) -> Any:
        """The module of ``flatten``, ``pack_sequence_as`` and ``map_structure``."""

    @abstractmethod
    def graph(self, model: Any) -> Any | None:
        """The graph of a functional or a built Sequential model; None of a subclassed one."""

    @abstractmethod
    def graph_inputs(self, graph: Any) -> Any:
        """The nest of tensors that a functional graph was built with."""

    @abstractmethod
    def graph_outputs(self, graph: Any) -> Any:
        """The nest of tensors that a functional graph gives."""

    @abstractmethod
    def calls(self, graph: Any) -> Iterator[Call]:
        """The graph's calls in an order in which they can be done.

        Returns:
            Per call the layer or operation, its arguments, those by name, and the tensors made.
        """

    @abstractmethod
    def weights(self, model: Any) -> list[Any]:
        """The variables that training moves or counts: no tables, no states of generators."""

    @abstractmethod
    def value(self, variable: Any) -> Any:
        """TensorFlow's variable behind one of Keras."""

    @abstractmethod
    def portable(self, model: Any) -> AbstractContextManager[None]:
        """While a model is traced to be saved: without operators that only one device has."""

    @abstractmethod
    def apply(self, optimizer: Any, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        """One update, by gradients as they are: averaged already, and none of them None."""

    @abstractmethod
    def mixed(self, make: Callable[[], Any]) -> Any:
        """A model in mixed precision.

        Args:
            make: Makes the model.

        Raises:
            SealaneError: INPUT_DTYPE when the model can only be what it is.
        """

    @abstractmethod
    def reseeds(self, model: Any) -> list[Reseed]:
        """What the layers draw from in training, of which all that they will draw follows.

        Called before a model is first used in a graph.

        Returns:
            Per source a function that resets it by two random words, uint32 ``[2]``.
        """


class _Keras3(Keras):
    @property
    def nest(self) -> Any:
        return self.module.tree

    def graph(self, model: Any) -> Any | None:
        if hasattr(model, "_inputs_struct"):
            return model
        return getattr(model, "_functional", None)

    def graph_inputs(self, graph: Any) -> Any:
        return graph._inputs_struct

    def graph_outputs(self, graph: Any) -> Any:
        return graph._outputs_struct

    def calls(self, graph: Any) -> Iterator[Call]:
        for node in _nodes(graph):
            given = node.arguments
            yield node.operation, given.args, given.kwargs, list(node.outputs)

    def weights(self, model: Any) -> list[Any]:
        return list(model.weights)

    def value(self, variable: Any) -> Any:
        return variable.value

    def portable(self, model: Any) -> AbstractContextManager[None]:
        return nullcontext()

    def apply(self, optimizer: Any, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        optimizer.apply(gradients, variables)

    def mixed(self, make: Callable[[], Any]) -> Any:
        model = make()
        for layer in model._flatten_layers(include_self=False):
            layer.dtype_policy = MIXED
        return model

    def reseeds(self, model: Any) -> list[Reseed]:
        weights = {id(variable) for variable in model.weights}
        return [each.assign for each in model.variables if id(each) not in weights]


class _TfKeras(Keras):
    @property
    def nest(self) -> Any:
        return load_module("tensorflow", self.extra).nest

    def graph(self, model: Any) -> Any | None:
        return model if hasattr(model, "_nested_inputs") else None

    def graph_inputs(self, graph: Any) -> Any:
        return graph._nested_inputs

    def graph_outputs(self, graph: Any) -> Any:
        return graph._nested_outputs

    def calls(self, graph: Any) -> Iterator[Call]:
        for node in _nodes(graph):
            yield node.layer, node.call_args, node.call_kwargs, self.nest.flatten(node.outputs)

    def weights(self, model: Any) -> list[Any]:
        kind = load_module("tensorflow", self.extra).Variable
        return [each for each in model.weights if isinstance(each, kind)]

    def value(self, variable: Any) -> Any:
        return variable

    @contextmanager
    def portable(self, model: Any) -> Generator[None]:
        """Its LSTM and GRU would be traced for cuDNN too, to be chosen when they are run."""
        twofold = [e for e in model._flatten_layers() if getattr(e, _CUDNN, False)]
        for layer in twofold:
            setattr(layer, _CUDNN, False)
        try:
            yield
        finally:
            for layer in twofold:
                setattr(layer, _CUDNN, True)

    def apply(self, optimizer: Any, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        pairs = zip(gradients, variables, strict=True)
        optimizer.apply_gradients(pairs, skip_gradients_aggregation=True)

    def mixed(self, make: Callable[[], Any]) -> Any:
        """Its variables are cast by what they are made as: the policy has to be there before."""
        policies = self.module.mixed_precision
        before = policies.global_policy()
        policies.set_global_policy(MIXED)
        try:
            model = make()
        finally:
            policies.set_global_policy(before)
        if all(layer.compute_dtype != "bfloat16" for layer in model._flatten_layers()):
            raise SealaneError(
                ErrorCode.INPUT_DTYPE,
                "precision='mixed': the layers of this tf_keras model are made for another "
                "precision already; give a function that makes the model",
            )
        return model

    def reseeds(self, model: Any) -> list[Reseed]:
        """Generators: what layers draw from by default has a state that nothing can set."""
        tf = load_module("tensorflow", self.extra)
        drawing = load_module("tf_keras.src.backend", self.extra).RandomGenerator
        layers: list[Any] = list(model._flatten_layers())
        members: list[Any] = []
        for layer in layers:
            members += layer.__dict__.values()
        found: dict[int, Any] = {}
        for member in members:
            if isinstance(member, drawing):
                found[id(member)] = _settable(member)
            elif isinstance(member, tf.random.Generator):
                found[id(member)] = member

        def reseed(generator: Any) -> Reseed:
            return lambda words: generator.reset_from_seed(int(words[0]) << 31 ^ int(words[1]))

        return [reseed(each) for each in found.values() if each is not None]


def _nodes(graph: Any) -> Iterator[Any]:
    depths: dict[int, list[Any]] = graph._nodes_by_depth
    for depth in sorted(depths, reverse=True):
        yield from (node for node in depths[depth] if not node.is_input)


def _settable(drawing: Any) -> Any:
    """The generator that a layer draws by from now on; None where it draws the same each time."""
    if drawing._rng_type == drawing.RNG_LEGACY_STATEFUL:
        drawing._rng_type = drawing.RNG_STATEFUL
        drawing._built = False
    drawing._maybe_init()
    return drawing._generator


KERAS_3 = _Keras3(
    name="keras",
    extra="tensorflow",
    autograph=False,
    branching="keras.ops.where or keras.ops.cond",
)
TF_KERAS = _TfKeras(
    name="tf_keras", extra="tf-keras", autograph=True, branching="tf.where or tf.cond"
)


def keras_of(thing: object) -> Keras | None:
    """The Keras that something's class is from, or None. Nothing is imported."""
    modules = {base.__module__.partition(".")[0] for base in type(thing).__mro__}
    return next((each for each in (KERAS_3, TF_KERAS) if each.name in modules), None)


def set_random_seed(seed: int) -> None:
    """Sets the global random state of each Keras that is loaded, and with it NumPy's and Python's.

    Where one is loaded later, its initializers draw by Python's.
    """
    for keras in (KERAS_3, TF_KERAS):
        if keras.name in sys.modules:
            keras.module.utils.set_random_seed(seed)
