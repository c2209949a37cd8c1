"""Transforms that give, or take, category indices."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import ErrorCode, SealaneError
from sealane.features import steps
from sealane.features.declare import SAID, Flow, Transform, bad_option, present, refuse

if TYPE_CHECKING:
    from sealane.features.ops import Array


@dataclass(frozen=True)
class Lookup(Transform):
    """The index of a category, a string or an integer.

    Index 0 is the missing category (null and the empty string are the same), 1 is every category
    not seen when fitting, and 2, 3, … are the vocabulary in ascending order.

    Attributes:
        min_count: How often a training value must occur to enter the vocabulary.
        max_size: The most categories to keep, the most frequent ones; None for all.
        vocabulary: The categories in order of their index, instead of learning them.
    """

    min_count: int = field(default=1, kw_only=True)
    max_size: int | None = field(default=None, kw_only=True)
    vocabulary: tuple[str, ...] | tuple[int, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.min_count < 1 or (self.max_size is not None and self.max_size < 1):
            raise bad_option(
                f"Lookup(min_count={self.min_count}, max_size={self.max_size})",
                "Give integers from 1.",
            )
        if self.vocabulary is not None:
            object.__setattr__(self, "vocabulary", tuple(self.vocabulary))
            if len(set(self.vocabulary)) != len(self.vocabulary):
                raise bad_option("Lookup vocabulary with a repeated entry", "List each once.")
            if not self.vocabulary or "" in self.vocabulary:
                raise bad_option(
                    "Lookup vocabulary that is empty or holds the empty string",
                    "List at least one category; null and '' always have index 0.",
                )

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Learns the vocabulary."""
        if flow.kind == "category":
            raise refuse(flow, "Lookup after a transform that gives indices", "Remove one.")
        keys = self.vocabulary if self.vocabulary is not None else self._learn(flow)
        if flow.kind == "text":
            if not all(isinstance(key, str) for key in keys):
                raise refuse(flow, "an integer vocabulary for a column of strings", "Give strings.")
            return (steps.IndexText(flow.name, tuple(str(key) for key in keys)),)
        if any(isinstance(key, str) for key in keys):
            raise refuse(flow, "a string vocabulary for a column of numbers", "Give integers.")
        integers = tuple(int(key) for key in keys)
        return (steps.IndexInteger(flow.name, integers, flow.kind == "number"),)

    def _learn(self, flow: Flow) -> tuple[str, ...] | tuple[int, ...]:
        if flow.kind == "number":
            values = present(flow, "Lookup")
            if np.any(values != np.floor(values)) or np.any(np.abs(values) >= 2.0**53):
                raise refuse(
                    flow, "Lookup on numbers that are not whole", "Use Bucketize() or Normalize()."
                )
            values = values.astype(np.int64)
        else:
            values = flow.values if flow.kind == "integer" else flow.values[flow.values != ""]
        counts = _count(values)
        kept = [key for key, count in counts.items() if count >= self.min_count]
        if self.max_size is not None:
            kept = sorted(kept, key=lambda key: (-counts[key], key))[: self.max_size]
        if not kept:
            raise SealaneError(
                ErrorCode.INPUT_DOMAIN,
                f"Feature {flow.name!r}: Lookup learned an empty vocabulary, none of "
                f"{len(counts)} categories occurs {self.min_count} times. Lower min_count or drop "
                "the column.",
                {"feature": flow.name},
            )
        return tuple(sorted(kept))


def _count(values: Array) -> dict[Any, int]:
    counts: dict[Any, int] = {}
    for value in values.tolist():
        counts[value] = counts.get(value, 0) + 1
    return counts


@dataclass(frozen=True)
class Bucketize(Transform):
    """The index of the interval a number falls into.

    Index 0 is missing; ``i`` = 1 + how many boundaries are ≤ the number.

    Attributes:
        boundaries: The boundaries, ascending.
        quantiles: Learns ``quantiles - 1`` boundaries that split the training values evenly
            (equal ones are merged), instead of ``boundaries``.
    """

    boundaries: tuple[float, ...] | None = None
    quantiles: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if (self.boundaries is None) == (self.quantiles is None):
            raise bad_option("Bucketize", "Give either boundaries or quantiles=n.")
        if self.quantiles is not None and not 2 <= self.quantiles <= 10_000:
            raise bad_option(f"Bucketize(quantiles={self.quantiles})", "Give 2 to 10,000.")
        if self.boundaries is not None:
            bounds = tuple(float(bound) for bound in self.boundaries)
            object.__setattr__(self, "boundaries", bounds)
            finite = all(math.isfinite(bound) for bound in bounds)
            if not bounds or not finite or list(bounds) != sorted(set(bounds)):
                raise bad_option(
                    f"Bucketize boundaries {bounds}", "Give finite numbers, strictly ascending."
                )

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Learns the boundaries."""
        values = present(flow, "Bucketize")
        bounds = self.boundaries
        if self.quantiles is not None:
            shares = np.arange(1, self.quantiles) / self.quantiles
            bounds = tuple(float(bound) for bound in np.unique(np.quantile(values, shares)))
        return (steps.Bucket(flow.name, bounds or ()),)


@dataclass(frozen=True)
class OneHot(Transform):
    """Turns a category index into numbers, one per index, exactly one of them 1."""

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Takes the cardinality."""
        if flow.cardinality is None:
            raise refuse(
                flow, f"OneHot needs a category, received {SAID[flow.kind]}", "Put Lookup() first."
            )
        return (steps.OneHot(flow.name, flow.cardinality),)
