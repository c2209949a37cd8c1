"""The first steps of a training run, which an engine must repeat (network format §6)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.bundle.network import Network

FORMAT = "sealane-training-trace"
FORMAT_VERSION = "1.0"
LOSSES = (
    "mean_squared_error",
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "binary_cross_entropy_logits",
    "categorical_cross_entropy_logits",
)
CATEGORICAL = ("categorical_cross_entropy", "categorical_cross_entropy_logits")
STATISTICS = ("mean", "variance")
"""Roles of weights that training moves without a gradient."""
SMALLEST_SHARE = 1e-3
"""Of the largest norm of a step: what smaller norms are taken for, for their gradients are rounding
errors beside those of other weights."""
_SMALLEST = 1e-30

Digest = tuple[float, float]
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Optimizer:
    """How weights move.

    Attributes:
        kind: ``sgd``, ``nesterov`` or ``adam``.
        learning_rate: Above 0.
        momentum: Of ``nesterov``, in (0, 1).
        beta1: Of ``adam``, in [0, 1).
        beta2: Of ``adam``, in [0, 1).
        epsilon: Of ``adam``, above 0.
        epsilon_form: Of ``adam``: ``corrected`` (PyTorch) adds epsilon to the root of the corrected
            second moment, ``uncorrected`` (Keras) to that of the second moment itself.
    """

    kind: str
    learning_rate: float
    momentum: float | None = None
    beta1: float | None = None
    beta2: float | None = None
    epsilon: float | None = None
    epsilon_form: str | None = None

    def to_document(self) -> dict[str, object]:
        """The members of ``training.json``."""
        members = {
            "kind": self.kind,
            "learningRate": self.learning_rate,
            "momentum": self.momentum,
            "beta1": self.beta1,
            "beta2": self.beta2,
            "epsilon": self.epsilon,
            "epsilonForm": self.epsilon_form,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Loss:
    """What training makes small: one of `LOSSES`, of one output."""

    kind: str
    output: str


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step: the loss before it, its gradients, and how far each weight has moved after it."""

    loss: float
    gradients: Mapping[str, Digest]
    updates: Mapping[str, Digest]


@dataclass(frozen=True, slots=True)
class TraceTolerance:
    """Largest relative differences that a replay may have."""

    loss: float
    gradients: float
    updates: float


@dataclass(frozen=True, slots=True)
class RecordedTrace:
    """A recorded run.

    Attributes:
        optimizer: How weights move.
        loss: What is made small.
        frozen: Layers whose weights stay and which run in inference mode.
        steps: In order.
        tolerance: What a replay may differ by.
        batches: ``step<i>:input:<name>`` and ``step<i>:target`` → array.
    """

    optimizer: Optimizer
    loss: Loss
    frozen: tuple[str, ...]
    steps: tuple[TraceStep, ...]
    tolerance: TraceTolerance
    batches: Mapping[str, Array]

    def to_json(self) -> bytes:
        """``training.json``; the batches are written beside it."""
        document = {
            "format": FORMAT,
            "formatVersion": FORMAT_VERSION,
            "optimizer": self.optimizer.to_document(),
            "loss": {"kind": self.loss.kind, "output": self.loss.output},
            "frozen": list(self.frozen),
            "steps": [
                {"loss": step.loss, "gradients": step.gradients, "updates": step.updates}
                for step in self.steps
            ],
            "tolerance": {
                "loss": self.tolerance.loss,
                "gradients": self.tolerance.gradients,
                "updates": self.tolerance.updates,
            },
        }
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8") + b"\n"


def moving_weights(network: Network, frozen: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    """The weights that have a gradient, and those that training moves without one."""
    learned: list[str] = []
    counted: list[str] = []
    for layer in network.layers:
        if layer.name in frozen:
            continue
        for role, name in layer.weights.items():
            statistic = layer.op == "batch_norm" and role in STATISTICS
            (counted if statistic else learned).append(name)
    return learned, counted


def digest(values: Array) -> Digest:
    """The norm of an array and a sum of its elements with pseudo-random signs, in float64."""
    flat = np.asarray(values, np.float64).reshape(-1)
    return (float(np.sqrt(np.sum(flat * flat))), float(np.sum(flat * _signs(flat.size))))


def largest_difference(
    recorded: Mapping[str, Digest], found: Mapping[str, Digest]
) -> tuple[float, str]:
    """How far the digests of one step are apart, and the weight that is furthest.

    Args:
        recorded: The trace's gradients or updates of a step, by weight.
        found: A replay's.
    """
    floor = max(_SMALLEST, SMALLEST_SHARE * max((each[0] for each in recorded.values()), default=0))
    worst, weight = 0.0, ""
    for name, a in recorded.items():
        b = found[name]
        apart = max(abs(a[0] - b[0]), abs(a[1] - b[1])) / max(a[0], floor)
        if not apart <= worst:
            worst, weight = apart, name
    return worst, weight


def _signs(count: int) -> Array:
    """+1 where the top bit of SplitMix64 is 0, else -1 (Steele, Lea and Flood, OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return 1.0 - 2.0 * (z >> np.uint64(63)).astype(np.float64)
