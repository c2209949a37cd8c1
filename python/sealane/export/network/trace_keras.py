"""Training a copy of a Keras model step by step, seen through the network's weight names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.keras_double import double_model
from sealane.export.network.keras import keras_network
from sealane.export.outputs import flatten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sealane.core import Signature
    from sealane.core.keras import Keras
    from sealane.export.examples import Arrays
    from sealane.export.network.trace import Array, TraceSettings


class KerasTrainer:
    """A copy of a model, trained by TensorFlow's gradients and the optimizer of Keras."""

    def __init__(
        self,
        keras: Keras,
        model: Any,
        signature: Signature,
        ordered_inputs: Sequence[str],
        arrange: Callable[[Any], Any],
        settings: TraceSettings,
    ) -> None:
        self._keras = keras
        self._tf = load_module("tensorflow", "tensorflow")
        self._source = model
        self._signature, self._ordered = signature, tuple(ordered_inputs)
        self._arrange, self._settings = arrange, settings
        self._model = self._copy(model.get_weights())
        if settings.frozen:
            self._freeze()
        self._optimizer = _optimizer(keras.module, settings)

    def step(self, inputs: Arrays, target: Array) -> tuple[float, dict[str, Array]]:
        """Take one step."""
        tensors = {name: self._tensor(each) for name, each in inputs.items()}
        variables: list[Any] = self._model.trainable_variables
        with self._tf.GradientTape() as tape:
            result = self._model(self._arrange(tensors), training=True)
            output = flatten(result)[self._settings.output][1]
            loss = _loss(self._tf, self._settings.loss, output, self._tensor(target))
        found: list[Any] = tape.gradient(loss, [self._keras.value(each) for each in variables])
        gradients = self._gradients(variables, found)
        moving = [pair for pair in zip(found, variables, strict=True) if pair[0] is not None]
        self._keras.apply(self._optimizer, [g for g, _ in moving], [v for _, v in moving])
        return float(loss.numpy()), gradients

    def weights(self) -> dict[str, Array]:
        """The weights now."""
        return self._network_weights(self._model)

    def _copy(self, weights: Sequence[Any]) -> Any:
        if self._settings.double:
            model = double_model(self._keras.module, self._source)
            if model is None:
                raise unsupported("the model can not be rebuilt in float64, which a trace needs")
        else:
            model = self._keras.module.models.clone_model(self._source)
        model.set_weights(weights)
        return model

    def _network_weights(self, model: Any) -> dict[str, Array]:
        graph = self._keras.graph(model)
        built = keras_network(
            self._keras, graph, self._signature, self._ordered, any_precision=True
        )
        return built.weights

    def _gradients(self, variables: Sequence[Any], found: Sequence[Any]) -> dict[str, Array]:
        """The gradients through the same walk that takes weights: a copy that holds them."""
        known = {id(v): g for v, g in zip(variables, found, strict=True) if g is not None}
        held: list[Any] = []
        for variable in self._model.weights:
            gradient = known.get(id(variable))
            if gradient is None:
                held.append(np.zeros_like(variable.numpy()))
            else:
                held.append(np.array(self._tf.convert_to_tensor(gradient).numpy()))
        return self._network_weights(self._copy(held))

    def _freeze(self) -> None:
        frozen = set(self._settings.frozen)
        for layer in self._model._flatten_layers(include_self=False, recursive=True):
            own: list[Any] = [] if hasattr(layer, "_nodes_by_depth") else layer.weights
            if own and self._layers_of({id(each) for each in own}) <= frozen:
                layer.trainable = False

    def _layers_of(self, marked: set[int]) -> set[str]:
        """The network's layers that variables are in, found by marking them."""
        values = [
            np.full(each.shape, 1.0 if id(each) in marked else 0.0) for each in self._model.weights
        ]
        weights = self._network_weights(self._copy(values))
        return {name.rpartition(".")[0] for name, value in weights.items() if np.any(value)}

    def _tensor(self, array: Array) -> Any:
        wide = self._settings.double and array.dtype.kind == "f"
        return self._tf.constant(array.astype(np.float64) if wide else array)


def _optimizer(keras: Any, settings: TraceSettings) -> Any:
    given = settings.optimizer
    if given.kind == "adam":
        return keras.optimizers.Adam(
            given.learning_rate, beta_1=given.beta1, beta_2=given.beta2, epsilon=given.epsilon
        )
    if given.kind == "nesterov":
        return keras.optimizers.SGD(given.learning_rate, momentum=given.momentum, nesterov=True)
    return keras.optimizers.SGD(given.learning_rate)


def _loss(tf: Any, kind: str, output: Any, target: Any) -> Any:
    if kind == "mean_squared_error":
        return tf.reduce_mean(tf.square(output - target))
    if kind == "binary_cross_entropy":
        likely = target * tf.math.log(output) + (1 - target) * tf.math.log(1 - output)
        return -tf.reduce_mean(likely)
    if kind == "binary_cross_entropy_logits":
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=output)
        return tf.reduce_mean(losses)
    if kind == "categorical_cross_entropy":
        chosen = tf.gather(output, target, axis=1, batch_dims=1)
        return -tf.reduce_mean(tf.math.log(chosen))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=output)
    return tf.reduce_mean(losses)
