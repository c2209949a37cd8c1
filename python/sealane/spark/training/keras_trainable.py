"""Keras models that can be trained on Spark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

from sealane.core import ErrorCode, SealaneError
from sealane.core.keras import KERAS_3, keras_of, set_random_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sealane.core.keras import Keras
    from sealane.features import Features, FittedFeatures
    from sealane.spark.training.trainable import Prepared
    from sealane.training.distributed.config import TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasTrainable:
    """A model of Keras 3 or of ``tf_keras`` for TensorFlow's MultiWorkerMirroredStrategy.

    Running means and variances are averaged over the ranks in each step. What a function makes the
    model of has to be importable on the executors, or defined in ``__main__``; a model of layers of
    one's own has to be made by a function, and a ``tf_keras`` model for mixed precision too.

    Attributes:
        model: A built model, or a function of the fitted features (None without) that makes one;
            it is called on the driver, after the seed was set, and by each rank.
        features: Transforms of raw columns, fitted or to be fitted; their outputs are given to the
            inputs of their names.
        inputs: Without features: the columns, given to the inputs of their names.
        from_logits: Whether the outputs are logits, not probabilities.
        loss: A function of targets and outputs that gives the mean loss of a batch, in place of the
            one that the run names.
        options: Further arguments of :func:`sealane.export` by name.
    """

    model: Any
    features: Features | FittedFeatures | None = None
    inputs: Sequence[str] = ()
    from_logits: bool = False
    loss: Callable[[Any, Any], Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def framework(self) -> str:
        """``tensorflow``."""
        return "tensorflow"

    def prepare(
        self, fitted: FittedFeatures | None, names: Sequence[str], config: TrainConfig
    ) -> Prepared:
        """Makes the model, or a copy of it. Keras' global random state is set to the seed.

        Raises:
            SealaneError: ENGINE_UNAVAILABLE without Keras, INPUT_DTYPE when it is no model or has
                no weights yet, INPUT_UNKNOWN for a feature that it has no input for.
        """
        _ = KERAS_3.module  # Part of TensorFlow, and of its seeds, whichever the model is from.
        set_random_seed(config.seed)
        if keras_of(self.model) is not None:
            _keras_of_built(self.model)
        make = _Made(self.model, fitted)
        model = make()
        keras = _keras_of_built(model)
        _check_inputs(model, names)
        from sealane.training.distributed.tensorflow_rank import KerasPayload

        weights = [variable.numpy() for variable in keras.weights(model)]
        loss = self.loss or config.loss
        payload = KerasPayload(keras, make, weights, loss, self.from_logits)
        pickle: Any = cloudpickle
        return _PreparedKeras(keras, model, pickle.dumps(payload))


@dataclass(frozen=True, slots=True)
class _Made:
    """Makes the model: a copy of the one that was given, or what the function gives."""

    given: Any
    fitted: FittedFeatures | None

    def __call__(self) -> Any:
        if keras_of(self.given) is None:
            return self.given(self.fitted)
        pickle: Any = cloudpickle
        return pickle.loads(pickle.dumps(self.given))


def _keras_of_built(model: Any) -> Keras:
    keras = keras_of(model)
    if keras is None or not isinstance(model, keras.module.Model) or not model.built:
        raise SealaneError(
            ErrorCode.INPUT_DTYPE, f"model gives a {type(model).__name__}, no built keras.Model"
        )
    return keras


def _check_inputs(model: Any, names: Sequence[str]) -> None:
    """A functional model is given its features by name, unless there is one of each."""
    tensors: list[Any] = list(getattr(model, "inputs", None) or [])
    known = [str(tensor.name) for tensor in tensors]
    if known and len(known) + len(names) > 2 and set(known) != set(names):
        raise SealaneError(
            ErrorCode.INPUT_UNKNOWN,
            f"The model's inputs are {', '.join(known)}, the features {', '.join(names)}.",
        )


@dataclass(frozen=True, slots=True)
class _PreparedKeras:
    keras: Keras
    model: Any
    payload: bytes

    def finish(self, weights: bytes) -> object:
        from sealane.training.distributed.tensorflow_rank import assign, loaded

        assign(self.keras.weights(self.model), loaded(weights))
        return self.model
