"""The golden training trace: steps in the source framework, for other engines to repeat."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sealane.bundle.training_trace import (
    CATEGORICAL,
    LOSSES,
    Digest,
    Loss,
    Optimizer,
    RecordedTrace,
    TraceStep,
    TraceTolerance,
    digest,
    largest_difference,
    moving_weights,
)
from sealane.export.errors import unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sealane.export.examples import Arrays
    from sealane.export.network.builder import Built
    from sealane.export.preparation import Prepared

Array = np.ndarray[Any, np.dtype[Any]]

MARGIN = 16.0
"""A replay may be off by so many times what the framework's float32 run is off from float64."""
LEAST_TOLERANCE = 1e-6
"""Below this a tolerance would ask for luck in the order of sums."""
MOST_TOLERANCE = 1e-2
"""Above this a trace would let a changed setting pass."""
_CORRECTED = {"torch": "corrected", "keras": "uncorrected", "tf_keras": "uncorrected"}


@dataclass(frozen=True, slots=True)
class TrainingTrace:
    """Which steps of training are recorded.

    Attributes:
        optimizer: How the weights move. Adam's ``epsilon_form`` is the framework's own: None, or
            ``corrected`` for PyTorch and ``uncorrected`` for Keras.
        loss: One of the kinds of the network format, §6.
        batches: Per step inputs, in the form of ``example_inputs`` (raw columns where the bundle
            has features), and target: float32 of the output's shape, or int64 classes ``[batch]``.
        output: The output that the loss is of; None for the first.
        frozen: Layers of the network whose weights stay.
    """

    optimizer: Optimizer
    loss: str
    batches: Sequence[tuple[object, object]]
    output: str | None = None
    frozen: tuple[str, ...] = ()


class Trainer(Protocol):
    """A copy of the source model that is being trained."""

    def step(self, inputs: Arrays, target: Array) -> tuple[float, dict[str, Array]]:
        """Take one step: the loss before it, and gradients by the network's weight names."""
        ...

    def weights(self) -> dict[str, Array]:
        """The weights now, by the network's names."""
        ...


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """What a trainer is made for.

    Attributes:
        optimizer: With the framework's form of epsilon.
        loss: A kind of loss.
        output: Index of the output that it is of.
        frozen: Layers of the network.
        double: Whether to compute in float64.
    """

    optimizer: Optimizer
    loss: str
    output: int
    frozen: tuple[str, ...]
    double: bool


@dataclass(slots=True)
class _Run:
    """Steps of one run, as digests."""

    steps: list[TraceStep] = field(default_factory=list[TraceStep])


def record_trace(prepared: Prepared, built: Built, wanted: TrainingTrace) -> RecordedTrace:
    """Train a copy of the source for the wanted steps, in float32 and in float64.

    The float64 run is what is recorded. The tolerance is `MARGIN` times what the float32 run
    differs from it, between `LEAST_TOLERANCE` and `MOST_TOLERANCE`.

    Args:
        prepared: The model.
        built: Its network.
        wanted: What to record.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED for a run that another engine can not repeat: one that
            draws random numbers, or moves a weight by rounding errors.
    """
    settings = _settings(prepared, built, wanted)
    batches = [_batch(prepared, wanted, index) for index in range(len(wanted.batches))]
    learned, counted = moving_weights(built.network, wanted.frozen)
    runs: list[_Run] = []
    for double in (True, False):
        trainer = prepared.source.trainer(prepared.bare, replace(settings, double=double))
        runs.append(_train(trainer, batches, learned, [*learned, *counted]))
    exact, rounded = runs
    tolerance = _tolerance(exact, rounded)
    arrays: dict[str, Array] = {}
    for index, (inputs, target) in enumerate(batches):
        arrays |= {f"step{index}:input:{built.inputs[n]}": each for n, each in inputs.items()}
        arrays[f"step{index}:target"] = target
    output = list(built.outputs.values())[settings.output]
    return RecordedTrace(
        settings.optimizer,
        Loss(wanted.loss, output),
        wanted.frozen,
        tuple(exact.steps),
        tolerance,
        arrays,
    )


def _settings(prepared: Prepared, built: Built, wanted: TrainingTrace) -> TraceSettings:
    names = [spec.name for spec in prepared.bare.outputs]
    output = names[0] if wanted.output is None else wanted.output
    if wanted.loss not in LOSSES or output not in names:
        raise unsupported(
            f"a training trace needs a loss of {', '.join(LOSSES)}, of an output of {names}; "
            f"received {wanted.loss!r} of {output!r}"
        )
    layers = {layer.name: layer for layer in built.network.layers}
    for name in wanted.frozen:
        if name not in layers:
            raise unsupported(f"frozen {name!r} is no layer of the network: {sorted(layers)[:40]}")
    dropping = [each.name for each in layers.values() if each.attributes.get("rate")]
    if dropping:
        raise unsupported(
            f"layer {dropping[0]!r} drops out at random, which no training trace can record: give "
            "it the rate 0, or leave the trace away",
            layer=dropping[0],
        )
    if built.notes:
        raise unsupported(f"no engine can repeat this training: {built.notes[0]}")
    if not wanted.batches:
        raise unsupported("a training trace needs a batch for each of its steps")
    form = _CORRECTED[prepared.source.framework]
    optimizer = wanted.optimizer
    if optimizer.kind == "adam":
        if optimizer.epsilon_form not in (None, form):
            raise unsupported(f"Adam of {prepared.source.framework} has the epsilon form {form!r}")
        optimizer = replace(optimizer, epsilon_form=form)
    return TraceSettings(optimizer, wanted.loss, names.index(output), wanted.frozen, double=False)


def _batch(prepared: Prepared, wanted: TrainingTrace, index: int) -> tuple[Arrays, Array]:
    given, target = wanted.batches[index]
    inputs = prepared.model_inputs(given)
    dtype = np.int64 if wanted.loss in CATEGORICAL else np.float32
    array = np.ascontiguousarray(np.asarray(target), dtype)
    return inputs, array


def _train(
    trainer: Trainer, batches: list[tuple[Arrays, Array]], learned: list[str], moving: list[str]
) -> _Run:
    run = _Run()
    start = trainer.weights()
    for inputs, target in batches:
        loss, gradients = trainer.step(inputs, target)
        now = trainer.weights()
        moved = {
            name: digest(now[name].astype(np.float64) - start[name].astype(np.float64))
            for name in moving
        }
        given = {name: digest(gradients[name]) for name in learned}
        if not np.isfinite([loss, *_numbers(given), *_numbers(moved)]).all():
            raise unsupported("the recorded training diverges: a loss or gradient is not finite")
        run.steps.append(TraceStep(loss, given, moved))
    return run


def _numbers(digests: Mapping[str, Digest]) -> list[float]:
    return [number for each in digests.values() for number in each]


def _tolerance(exact: _Run, rounded: _Run) -> TraceTolerance:
    losses: list[float] = []
    pairs = list(zip(exact.steps, rounded.steps, strict=True))
    for a, b in pairs:
        losses.append(abs(a.loss - b.loss) / max(abs(a.loss), 1e-30))
    gradients = _furthest(pairs, lambda step: step.gradients, "gradient")
    updates = _furthest(pairs, lambda step: step.updates, "update")
    return TraceTolerance(_allowed(max(losses)), gradients, updates)


def _furthest(
    pairs: Sequence[tuple[TraceStep, TraceStep]],
    digests: Callable[[TraceStep], Mapping[str, Digest]],
    what: str,
) -> float:
    differences = [largest_difference(digests(a), digests(b)) for a, b in pairs]
    worst, weight = max(differences)
    if worst * MARGIN > MOST_TOLERANCE:
        raise unsupported(
            f"the recorded training can not be repeated: the {what} of weight {weight!r} differs "
            f"by {worst:.1g} between float32 and float64. Weights without influence on the loss, "
            "such as a bias before a batch normalisation, move by rounding errors under Adam: "
            "remove or freeze them, or record fewer steps",
            weight=weight,
        )
    return _allowed(worst)


def _allowed(difference: float) -> float:
    return float(f"{max(difference * MARGIN, LEAST_TOLERANCE):.2g}")
