"""Transforms that give numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from sealane.core import ErrorCode, SealaneError
from sealane.features import steps
from sealane.features.declare import Flow, Transform, bad_option, present, refuse

if TYPE_CHECKING:
    from sealane.features.ops import Array


@dataclass(frozen=True)
class Passthrough(Transform):
    """Takes a number as it is.

    Attributes:
        nullable: Whether a missing value is accepted and reaches the model as NaN.
    """

    nullable: bool = False

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Nothing to learn."""
        present(flow, "Passthrough")
        return ()


@dataclass(frozen=True)
class Impute(Transform):
    """Puts a number where one is missing.

    Attributes:
        strategy: ``mean``, ``median`` or ``most_frequent`` of the training values (the smallest of
            several equally frequent ones), or ``constant``.
        value: The constant.
        indicator: Whether to add the feature ``<name>_missing``, 1 where a value was missing.
    """

    strategy: Literal["mean", "median", "most_frequent", "constant"] = "median"
    value: float | None = None
    indicator: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.strategy not in ("mean", "median", "most_frequent", "constant"):
            raise bad_option(
                f"Impute strategy {self.strategy!r}",
                "Use mean, median, most_frequent or constant.",
            )
        if (self.strategy == "constant") != (self.value is not None):
            raise bad_option(
                f"Impute({self.strategy!r}, value={self.value})",
                "Give a value with the strategy 'constant', and only then.",
            )
        if self.value is not None and not math.isfinite(self.value):
            raise bad_option(f"Impute value {self.value}", "Give a finite number.")

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Learns the value."""
        if self.value is not None and flow.kind == "number":
            value = float(self.value)
        else:
            value = self._learn(present(flow, "Impute"))
        fill = steps.Fill(flow.name, value)
        return (steps.Indicate(flow.name), fill) if self.indicator else (fill,)

    def _learn(self, values: Array) -> float:
        if self.strategy == "mean":
            return float(values.mean())
        if self.strategy == "median":
            return float(np.median(values))
        distinct, counts = np.unique(values, return_counts=True)
        return float(distinct[np.argmax(counts)])


@dataclass(frozen=True)
class Normalize(Transform):
    """``(x - mean) / standard deviation`` of the training values (population, ddof 0).

    A column of one value is shifted only.
    """

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Learns mean and deviation."""
        values = present(flow, "Normalize")
        return (_scale(flow, float(values.mean()), float(values.std())),)


@dataclass(frozen=True)
class MinMax(Transform):
    """``(x - min) / (max - min)`` of the training values: 0 to 1 for what was seen.

    A column of one value is shifted only.
    """

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Learns the smallest and largest value."""
        values = present(flow, "MinMax")
        low = float(values.min())
        return (_scale(flow, low, float(values.max()) - low),)


def _scale(flow: Flow, shift: float, spread: float) -> steps.Scale:
    if spread and not 1e-250 < spread < 1e250:
        raise refuse(flow, f"the values spread over {spread}", "Rescale the column first.")
    return steps.Scale(flow.name, shift, 1.0 / spread if spread else 1.0)


@dataclass(frozen=True)
class Clip(Transform):
    """Limits a number to ``[low, high]``; None is no limit. Missing stays missing."""

    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if not bounds or not all(map(math.isfinite, bounds)) or sorted(bounds) != bounds:
            raise bad_option(
                f"Clip({self.low}, {self.high})", "Give finite low ≤ high, or one of them."
            )

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Nothing to learn."""
        if flow.kind != "number":
            present(flow, "Clip")
        low, high = (None if b is None else float(b) for b in (self.low, self.high))
        return (steps.Bound(flow.name, low, high),)


@dataclass(frozen=True)
class Log(Transform):
    """Natural logarithm; the values must be above 0."""

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Checks that every training value has a logarithm."""
        return _logarithm(flow, 0.0, "Log", plus_one=False)


@dataclass(frozen=True)
class Log1p(Transform):
    """``log(1 + x)``; the values must be above -1."""

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Checks that every training value has a logarithm."""
        return _logarithm(flow, -1.0, "Log1p", plus_one=True)


def _logarithm(flow: Flow, above: float, said: str, *, plus_one: bool) -> tuple[steps.Step, ...]:
    present(flow, said)
    bad = np.flatnonzero(flow.values <= above)
    if bad.size:
        raise SealaneError(
            ErrorCode.INPUT_DOMAIN,
            f"Feature {flow.name!r}: {said} needs values above {above:g}, row {bad[0]} is "
            f"{flow.values[bad[0]]:g}. Put Clip(low) before it.",
            {"feature": flow.name},
        )
    return (steps.Logarithm(flow.name, plus_one),)
