"""What a search chooses from, and for how long its rounds train."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Between:
    """Numbers to draw from.

    Attributes:
        low: The least.
        high: The greatest.
        log: Whether each power of ten is as likely as another.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise unusable(f"there is nothing between {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise unusable(f"{self.low} has no logarithm")

    def draw(self, chance: np.random.Generator) -> float:
        """One of them."""
        if not self.log:
            return float(chance.uniform(self.low, self.high))
        return float(math.exp(chance.uniform(math.log(self.low), math.log(self.high))))


def choices(
    space: Mapping[str, Sequence[Any] | Between], trials: int, seed: int
) -> list[dict[str, Any]]:
    """The parameters of each trial: all combinations if they are few, else drawn by the seed.

    Args:
        space: By name what to choose from.
        trials: How many, at most.
        seed: Of the choice.

    Raises:
        SealaneError: INPUT_DOMAIN for a space that is empty somewhere.
    """
    listed = {name: list(each) for name, each in space.items() if not isinstance(each, Between)}
    if not space or not all(listed.values()):
        raise unusable("the space has a name without values")
    if len(listed) == len(space) and math.prod(map(len, listed.values())) <= trials:
        return [
            dict(zip(listed, each, strict=True)) for each in itertools.product(*listed.values())
        ]
    chance = np.random.default_rng(seed)
    return [
        {
            name: each.draw(chance)
            if isinstance(each, Between)
            else listed[name][int(chance.integers(len(listed[name])))]
            for name, each in space.items()
        }
        for _ in range(trials)
    ]


def epochs_of_rounds(last: int, first: int, keep: float) -> list[int]:
    """Epochs that each round's trials have done at its end."""
    rounds = [first]
    while rounds[-1] < last:
        rounds.append(min(last, max(rounds[-1] + 1, round(rounds[-1] / keep))))
    return rounds


def unusable(problem: str) -> SealaneError:
    """INPUT_DOMAIN: a search that can not be done."""
    return SealaneError(ErrorCode.INPUT_DOMAIN, problem)
