"""Models of Keras 3 (TensorFlow backend) and tf_keras → SavedModel and ONNX."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.core import SealaneError, Signature
from sealane.core.frameworks import load_module
from sealane.export import tensorflow_graph
from sealane.export.errors import unsupported
from sealane.export.examples import Arrays, Examples, Style, to_array
from sealane.export.keras_double import double_model
from sealane.export.keras_faults import explain
from sealane.export.outputs import flatten, named
from sealane.export.source import Oracle

if TYPE_CHECKING:
    import onnx

    from sealane.core.keras import Keras
    from sealane.export.network.builder import Built
    from sealane.export.network.trace import TraceSettings, Trainer


class KerasSource:
    """A Keras model called with ``training=False``, which leaves its weights alone."""

    flushes_denormals = True  # TensorFlow sets the processor so on its threads.

    def __init__(self, model: object, keras: Keras) -> None:
        module = keras.module
        self.framework = keras.name
        self.version: str = module.__version__
        backend: str = module.backend.backend()
        if not isinstance(model, module.Model):
            raise unsupported(
                f"a {type(model).__name__} is not a {keras.name}.Model; wrap the layer in one",
                backend=backend,
            )
        if backend != "tensorflow":
            raise unsupported(
                f"Keras runs on the {backend} backend; export needs KERAS_BACKEND=tensorflow: "
                "save the weights and load them into the same model there",
                backend=backend,
            )
        self._tf = load_module("tensorflow", "tensorflow")
        self._keras = keras
        self._model: Any = model
        if not self._model.built:
            raise unsupported(
                f"the {type(model).__name__} has no weights yet; call it once on data, or train it"
            )
        self._style = Style.POSITIONAL
        self._inputs: tuple[str, ...] = ()
        self._outputs: tuple[str, ...] = ()
        self._examples: Arrays = {}
        self.description: dict[str, object] = {
            "exporter": f"tf2onnx {_version('tf2onnx')}",
            "model": type(model).__name__,
            "parameters": int(self._model.count_params()),
            "tensorflow": self._tf.__version__,
        }

    def input_names(self) -> tuple[str, ...]:
        """The names of the model's input tensors; ``input`` for a subclassed model."""
        graph = self._keras.graph(self._model)
        if graph is None:
            return ("input",)
        names = tuple(str(tensor.name).partition(":")[0] for tensor in graph.inputs)
        return names if len(set(names)) == len(names) else ()

    def bind(self, examples: Examples, output_names: tuple[str, ...] | None) -> Arrays:
        """Run once, refuse a model whose state or result changes, and name the outputs."""
        self._style = examples.style
        self._inputs = tuple(examples.arrays)
        doubles = self._doubles()
        arrays = {
            name: array if name in doubles else _native(array)
            for name, array in examples.arrays.items()
        }
        self._examples = arrays
        before = [np.array(weight) for weight in self._model.get_weights()]
        first, second = self._flat(self._model, arrays), self._flat(self._model, arrays)
        after = self._model.get_weights()
        if not all(_is_same(a, b) for a, b in zip(before, after, strict=True)):
            self._model.set_weights(before)
            raise unsupported(
                "the model changes its own weights when called with training=False; "
                "an exported model has no state to change"
            )
        self._outputs = named([name for name, _ in first], output_names)
        for name, (_, a), (_, b) in zip(self._outputs, first, second, strict=True):
            if not _is_same(a, b):
                raise unsupported(
                    f"output {name!r} differs between two calls with the same inputs; a model that "
                    "draws random numbers can not be verified"
                )
        return arrays

    def run(self, inputs: Arrays) -> Arrays:
        """The model's outputs, called eagerly."""
        values = self._flat(self._model, inputs)
        return {name: value for name, (_, value) in zip(self._outputs, values, strict=True)}

    def oracle(self) -> Oracle | None:
        """The model rebuilt with a float64 dtype policy, or None when its layers can not be."""
        double = double_model(self._keras.module, self._model)
        if double is None:
            return None

        def run(inputs: Arrays) -> Arrays:
            wide = {
                n: a.astype(np.float64) if a.dtype.kind == "f" else a for n, a in inputs.items()
            }
            values = self._flat(double, wide)
            return {name: value for name, (_, value) in zip(self._outputs, values, strict=True)}

        try:
            run(self._examples)
        except SealaneError:
            return None
        return Oracle(f"{self.framework}-f64", self.version, run)

    def function(self) -> Any:
        """The model on TensorFlow tensors: name → tensor to name → tensor."""

        def call(tensors: Mapping[str, Any]) -> dict[str, Any]:
            result = self._call(self._model, tensors)
            values = [value for _, value in flatten(result)]
            return dict(zip(self._outputs, values, strict=True))

        return call

    def save(self, directory: Path, signature: Signature, features: Any = None) -> None:
        """Write a SavedModel whose ``serving_default`` has the signature's names.

        Args:
            directory: Where to; must not exist.
            signature: Of what is saved, feature transforms included.
            features: A function of raw tensors by name → the model's inputs by name, or None.
        """
        model = self.function()

        def call(tensors: Mapping[str, Any]) -> dict[str, Any]:
            return model(features(tensors) if features is not None else tensors)

        tracked = self._tracked() if features is None else [*self._tracked(), features]
        autograph = self._keras.autograph
        with self._keras.portable(self._model):
            tensorflow_graph.save(
                self._tf, call, tracked, signature, directory, autograph=autograph
            )

    def to_onnx(self, signature: Signature, probe: Arrays, opset: int) -> onnx.ModelProto:
        """Save as SavedModel, freeze, and convert the graph by tf2onnx.

        Raises:
            SealaneError: ``EXPORT_UNSUPPORTED`` for a TensorFlow operator without ONNX form;
                ``EXPORT_FAILED`` for any other failure of the converter.
        """
        del probe
        with tempfile.TemporaryDirectory(prefix="sealane-") as scratch:
            directory = Path(scratch) / "model"
            try:
                self.save(directory, signature)
            except SealaneError:
                raise
            except Exception as error:
                raise self._explained(error, "tf.function") from error
            return tensorflow_graph.to_onnx(self._tf, directory, signature, opset)

    def to_network(self, signature: Signature, prefix: str = "") -> Built:
        """The model as layers: Sequential and functional models.

        Raises:
            SealaneError: ``EXPORT_UNSUPPORTED`` naming the layer that a network can not hold.
        """
        from sealane.export.network.keras import keras_network

        graph, ordered = self._functional()
        return keras_network(self._keras, graph, signature, ordered, prefix)

    def trainer(self, signature: Signature, settings: TraceSettings) -> Trainer:
        """A copy of the model that is trained step by step."""
        from sealane.export.network.trace_keras import KerasTrainer

        graph, ordered = self._functional()

        def arrange(tensors: Mapping[str, Any]) -> Any:
            return self._arrange(graph, tensors)

        return KerasTrainer(self._keras, self._model, signature, ordered, arrange, settings)

    def _functional(self) -> tuple[Any, list[str]]:
        """The functional graph, and what the signature calls its inputs, in its order."""
        graph = self._keras.graph(self._model)
        if graph is None:
            raise unsupported(
                f"a network can not hold the subclassed {type(self._model).__name__}; build it as "
                "a Sequential or functional model"
            )
        names = {name: name for name in self._inputs}
        return graph, list(self._keras.nest.flatten(self._arrange(graph, names)))

    def _flat(self, model: Any, inputs: Arrays) -> list[tuple[str, Any]]:
        tensors = {name: self._tf.convert_to_tensor(_feed(inputs[name])) for name in self._inputs}
        try:
            result = self._call(model, tensors)
            return [(n, to_array(value, n)) for n, value in flatten(result)]
        except SealaneError:
            raise
        except Exception as error:
            raise self._explained(error, "calling the model") from error

    def _explained(self, error: Exception, stage: str) -> SealaneError:
        return explain(error, self._model, stage, self._keras.branching)

    def _call(self, model: Any, tensors: Mapping[str, Any]) -> object:
        graph = self._keras.graph(self._model)
        if graph is not None:
            return model(self._arrange(graph, tensors), training=False)
        if len(tensors) == 1 and self._style is Style.POSITIONAL:
            return model(next(iter(tensors.values())), training=False)
        if self._style is Style.KEYWORD:
            return model(dict(tensors), training=False)
        return model(*tensors.values(), training=False)

    def _arrange(self, graph: Any, tensors: Mapping[str, Any]) -> Any:
        """Our tensors in the nest that a functional model was built with."""
        if len(graph.inputs) != len(tensors):
            raise unsupported(
                f"the model takes {len(graph.inputs)} inputs, the examples have {len(tensors)}"
            )
        structure: Any = self._keras.graph_inputs(graph)
        if isinstance(structure, Mapping):
            keys = list(cast("Mapping[str, Any]", structure))
            if set(keys) == set(tensors):
                return {key: tensors[key] for key in keys}
        names = self.input_names()
        by_name = set(names) == set(tensors)
        ordered = [tensors[name] for name in names] if by_name else list(tensors.values())
        return self._keras.nest.pack_sequence_as(structure, ordered)

    def _tracked(self) -> list[Any]:
        """What a SavedModel keeps: TensorFlow's variables and tables of the model's layers.

        Not the model: of Keras 3's TensorFlow would save copies of the variables, restore only
        these, and leave those that the signature def reads without a value, except in Python, where
        they are put together again. And it would trace the model once more, with one argument.
        """
        resource = self._tf.saved_model.experimental.TrackableResource
        layers: list[Any] = list(self._model._flatten_layers())
        members: list[Any] = []
        for layer in layers:
            members += layer.__dict__.values()
        tables = [each for each in members if isinstance(each, resource)]
        held = map(self._keras.value, self._model.variables)
        return [*(each for each in held if isinstance(each, self._tf.Variable)), *tables]

    def _doubles(self) -> set[str]:
        """The inputs that the model takes in float64, where it says so."""
        graph = self._keras.graph(self._model)
        if graph is None:
            wide = getattr(self._model, "compute_dtype", None) == "float64"
            return set(self._inputs) if wide else set()
        names = self.input_names()
        if set(names) != set(self._inputs):
            names = self._inputs
        pairs = zip(names, graph.inputs, strict=False)
        return {name for name, tensor in pairs if self._tf.as_dtype(tensor.dtype).name == "float64"}


def _is_same(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind not in "OSU")


def _feed(array: Any) -> Any:
    if array.dtype != object:
        return array
    return np.array([value or "" for value in array.reshape(-1)], object).reshape(array.shape)


def _native(array: Any) -> Any:
    """A float64 example (what NumPy and pandas make) as float32, which Keras would cast it to."""
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _version(module: str) -> str:
    return str(load_module(module, "tensorflow").__version__)
