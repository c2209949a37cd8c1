"""The loop over epochs that every framework shares: progress, best weights, early stopping."""

from __future__ import annotations

import inspect
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sealane.core import ErrorCode, SealaneError
from sealane.training.history import Epoch, History

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

Array = np.ndarray[Any, np.dtype[Any]]

Loss = Literal["binary", "categories", "squared"]
"""``binary``: cross-entropy of a 0/1 target; ``categories``: of an integer class; ``squared``."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Features by name, each ``[rows, …]``, and their target ``[rows, …]``."""

    features: dict[str, Array]
    target: Array

    def __len__(self) -> int:
        return len(self.target)

    def take(self, index: Array) -> Rows:
        """The rows of an index, in its order."""
        return Rows({name: x[index] for name, x in self.features.items()}, self.target[index])


def takes_by_order(parameters: Sequence[inspect.Parameter], features: Collection[str]) -> bool:
    """Whether a model takes features in their order (``*arguments``), not by name.

    Args:
        parameters: Its own.
        features: Their names.

    Raises:
        SealaneError: INPUT_UNKNOWN for a feature without an argument.
    """
    kinds = [parameter.kind for parameter in parameters]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return True
    names = {parameter.name for parameter in parameters}
    unknown = sorted(set(features) - names)
    if unknown and inspect.Parameter.VAR_KEYWORD not in kinds:
        raise SealaneError(
            ErrorCode.INPUT_UNKNOWN,
            f"The model has no argument for the features {', '.join(unknown)}. "
            f"Its arguments: {', '.join(sorted(names))}.",
        )
    return False


def one_per_target(outputs: Any, targets: Any) -> Any:
    """Outputs of a framework's arrays ``[rows, …]``, without a last dim of 1 that targets lack.

    Raises:
        SealaneError: INPUT_SHAPE when they are not one per target.
    """
    if outputs.shape[:1] != targets.shape[:1]:
        raise SealaneError(
            ErrorCode.INPUT_SHAPE,
            f"The model gives {tuple(outputs.shape)} for targets {tuple(targets.shape)}.",
        )
    if outputs.ndim == targets.ndim + 1 and outputs.shape[-1] == 1:
        return outputs.squeeze(-1)
    return outputs


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    Attributes:
        epochs: The most passes over the training rows, at least 1.
        batch_size: Rows per step; the last batch of an epoch may be smaller.
        lr: Adam's learning rate.
        seed: Of the shuffling, the split and the framework's own random numbers.
        patience: Epochs without a smaller validation loss before stopping; None never stops.
        progress: Whether to show a progress bar.
    """

    epochs: int
    batch_size: int
    lr: float
    seed: int
    patience: int | None
    progress: bool

    def __post_init__(self) -> None:
        for name, good in (
            ("epochs", self.epochs >= 1),
            ("batch_size", self.batch_size >= 1),
            ("lr", math.isfinite(self.lr) and self.lr > 0),
            ("patience", self.patience is None or self.patience >= 1),
        ):
            if not good:
                raise SealaneError(
                    ErrorCode.INPUT_DOMAIN, f"{name} = {getattr(self, name)} can not train a model."
                )


class Learner(Protocol):
    """A model that can be trained for one epoch at a time."""

    def train(self, order: Array, advance: Callable[[int], None]) -> float:
        """Trains on the rows in this order; gives the mean loss. ``advance`` hears of rows done."""
        ...

    def evaluate(self) -> float:
        """The mean loss over the validation rows, in inference mode."""
        ...

    def keep(self) -> None:
        """Remembers the weights as the best."""
        ...

    def restore(self) -> None:
        """Puts the remembered weights back."""
        ...


def split(
    features: Mapping[str, Array],
    target: Array,
    validation: float | tuple[Mapping[str, Array], Array] | None,
    seed: int,
) -> tuple[Rows, Rows | None]:
    """The rows to train on and those to validate with.

    Args:
        features: By name ``[rows, …]``.
        target: ``[rows, …]``.
        validation: A share of the rows to hold back at random, other rows, or None.
        seed: Of the choice.

    Raises:
        SealaneError: INPUT_RAGGED when lengths differ, INPUT_SHAPE without rows, INPUT_DOMAIN for
            a target that is not finite or a share outside 0 to 1.
    """
    rows = _checked(features, target)
    if validation is None:
        return rows, None
    if not isinstance(validation, float | int):
        return rows, _checked(*validation)
    held = round(len(rows) * validation)
    if not 0 < held < len(rows):
        raise SealaneError(
            ErrorCode.INPUT_DOMAIN,
            f"A validation share of {validation} of {len(rows)} rows leaves none on one side.",
        )
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows.take(np.sort(order[held:])), rows.take(np.sort(order[:held]))


def _checked(features: Mapping[str, Array], target: Array) -> Rows:
    rows = Rows({name: np.asarray(x) for name, x in features.items()}, np.asarray(target))
    if not rows.features or not rows.target.ndim or not len(rows):
        raise SealaneError(ErrorCode.INPUT_SHAPE, "There are no rows to train on.")
    for name, x in rows.features.items():
        if len(x) != len(rows):
            raise SealaneError(
                ErrorCode.INPUT_RAGGED,
                f"Feature {name!r} has {len(x)} rows, the target has {len(rows)}.",
            )
    if rows.target.dtype.kind not in "biuf" or not np.isfinite(rows.target).all():
        raise SealaneError(
            ErrorCode.INPUT_DOMAIN,
            f"The target ({rows.target.dtype}) has values that are no finite numbers.",
        )
    return rows


def loop(learner: Learner, plan: Plan, rows: int, *, validated: bool) -> History:
    """Trains epoch by epoch.

    Args:
        learner: What to train.
        plan: How.
        rows: Training rows.
        validated: Whether the learner has validation rows.

    Returns:
        The history; the learner has its best weights.

    Raises:
        SealaneError: ENGINE_RUN_FAILED when a loss is not finite.
    """
    shuffle = np.random.default_rng(plan.seed + 1)
    epochs: list[Epoch] = []
    best, best_loss = 0, math.inf
    with _bar(plan) as bar:
        task = bar.add_task("training", total=plan.epochs * rows, text="")

        def advance(count: int) -> None:
            bar.advance(task, count)

        for number in range(plan.epochs):
            started = time.perf_counter()
            loss = learner.train(shuffle.permutation(rows), advance)
            validation = learner.evaluate() if validated else None
            epochs.append(Epoch(loss, validation, time.perf_counter() - started))
            judged = _finite(epochs[-1], number)
            bar.update(task, text=f"epoch {number + 1}/{plan.epochs}, loss {judged:.4f}")
            if not validated or judged < best_loss:
                best, best_loss = number, judged
                if validated:
                    learner.keep()
            elif plan.patience is not None and number - best >= plan.patience:
                break
    if validated and best != len(epochs) - 1:
        learner.restore()
    return History(tuple(epochs), best, rows, len(epochs) < plan.epochs)


def _finite(epoch: Epoch, number: int) -> float:
    """The loss an epoch is judged by."""
    judged = epoch.loss if epoch.validation_loss is None else epoch.validation_loss
    if not math.isfinite(judged) or not math.isfinite(epoch.loss):
        raise SealaneError(
            ErrorCode.ENGINE_RUN_FAILED,
            f"The loss of epoch {number + 1} is not finite: training {epoch.loss}, validation "
            f"{epoch.validation_loss}. Lower lr, or look for NaN in the features.",
        )
    return judged


def _bar(plan: Plan) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
        disable=not plan.progress,
    )
