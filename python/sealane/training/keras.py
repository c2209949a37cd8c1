"""Training a Keras model, of Keras 3 or tf_keras, on features by name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import ErrorCode, SealaneError
from sealane.core.keras import keras_of
from sealane.training.run import Array, Loss, Plan, Rows, loop, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sealane.training.history import History

EVALUATION_ROWS = 8192
"""Rows per step when validating."""


def fit(
    model: Any,
    features: Mapping[str, Array],
    target: Array,
    *,
    from_logits: bool = False,
    loss: Loss | Callable[[Any, Any], Any] = "binary",
    epochs: int = 5,
    batch_size: int = 1024,
    lr: float = 1e-3,
    seed: int = 0,
    validation: float | tuple[Mapping[str, Array], Array] | None = 0.1,
    patience: int | None = 2,
    weight_decay: float = 0.0,
    progress: bool = True,
) -> History:
    """Compiles and trains a Keras model in place; afterwards it has its best weights.

    The run is the same for the same seed on one machine. The global random state of the model's
    Keras is set to the seed.

    Args:
        model: A Sequential, Functional or subclassed model of ``keras`` or ``tf_keras``.
        features: By input name ``[rows, …]``; a model with one unnamed input takes a dict of one.
        target: ``[rows]`` (or the shape the outputs have): 0/1, class numbers, or numbers.
        from_logits: Whether the outputs are logits, not probabilities.
        loss: A name, or a function of targets and outputs as Keras has them.
        epochs: The most passes over the rows.
        batch_size: Rows per step.
        lr: Learning rate.
        seed: Of shuffling, split and dropout.
        validation: A share of the rows to hold back at random, or rows of their own, or None.
        patience: Epochs without a smaller validation loss before stopping; None never stops.
        weight_decay: AdamW's.
        progress: Whether to show a progress bar.

    Returns:
        The history.

    Raises:
        SealaneError: INPUT_DTYPE for what is no Keras model, INPUT_RAGGED, INPUT_SHAPE or
            INPUT_DOMAIN for rows that can not be trained on, ENGINE_RUN_FAILED when the loss is not
            finite.
    """
    made_with = keras_of(model)
    if made_with is None:
        raise SealaneError(ErrorCode.INPUT_DTYPE, f"A {type(model).__name__} is no Keras model.")
    keras = made_with.module
    plan = Plan(epochs, batch_size, lr, seed, patience, progress)
    rows, held = split(features, target, validation, seed)
    keras.utils.set_random_seed(seed)
    model.compile(
        optimizer=keras.optimizers.AdamW(lr, weight_decay=weight_decay),
        loss=batch_loss(keras, loss, from_logits=from_logits),
    )
    learner = _Learner(keras, model, plan, rows, held)
    return loop(learner, plan, len(rows), validated=held is not None)


def batch_loss(keras: Any, loss: Loss | Callable[[Any, Any], Any], *, from_logits: bool) -> Any:
    """The mean loss of a batch, a function of targets and outputs.

    Args:
        keras: The module, ``keras`` or ``tf_keras``.
        loss: A name, or the function itself.
        from_logits: Whether the outputs are logits, not probabilities.
    """
    if callable(loss):
        return loss
    if loss == "squared":
        return keras.losses.MeanSquaredError()
    if loss == "categories":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    return keras.losses.BinaryCrossentropy(from_logits=from_logits)


def model_input(model: Any, rows: Rows) -> tuple[Any, Array]:
    """What a model is called with, a dict by name or the one array; and the target in a float.

    Args:
        model: The model.
        rows: Features by name ``[rows, …]`` and their target.
    """
    target = rows.target
    target = target.astype(np.float32) if target.dtype.kind in "bf" else target
    single = len(rows.features) == 1 and len(getattr(model, "inputs", None) or []) == 1
    return (next(iter(rows.features.values())) if single else rows.features), target


class _Learner:
    """A compiled model and its rows."""

    def __init__(self, keras: Any, model: Any, plan: Plan, rows: Rows, held: Rows | None) -> None:
        self._keras = keras
        self._model = model
        self._batch = plan.batch_size
        self._rows = rows
        self._held = held
        self._best: list[Array] = []

    def train(self, order: Array, advance: Callable[[int], None]) -> float:
        """One epoch of Keras' own ``fit`` in the given order."""
        steps = math.ceil(len(order) / self._batch)

        class Told(self._keras.callbacks.Callback):
            """Tells of each batch done."""

            def on_train_batch_end(self, batch: int, logs: object = None) -> None:
                """Called by Keras."""
                del logs
                advance(len(order) * (batch + 1) // steps - len(order) * batch // steps)

        x, y = model_input(self._model, self._rows.take(order))
        history = self._model.fit(
            x, y, batch_size=self._batch, epochs=1, shuffle=False, verbose=0, callbacks=[Told()]
        )
        return float(history.history["loss"][-1])

    def evaluate(self) -> float:
        """Keras' own ``evaluate``."""
        assert self._held is not None
        x, y = model_input(self._model, self._held)
        return float(self._model.evaluate(x, y, batch_size=EVALUATION_ROWS, verbose=0))

    def keep(self) -> None:
        """Copies the weights."""
        self._best = [np.array(weight) for weight in self._model.get_weights()]

    def restore(self) -> None:
        """Puts the copy back."""
        self._model.set_weights(self._best)
