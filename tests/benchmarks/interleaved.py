"""Contestants that take turns, so that what disturbs the machine disturbs them alike."""

from __future__ import annotations

import os
import random
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Times = dict[str, list[float]]
"""Contestant → microseconds of one call, one entry per round."""


def take_turns(contestants: dict[str, Callable[[], object]], rounds: int, calls: int) -> Times:
    """Time each contestant once per round, in an order of chance.

    Args:
        contestants: Name → what is timed.
        rounds: How many rounds count; a quarter as many before them do not.
        calls: Calls of one contestant in one round, after two that do not count.
    """
    order = list(contestants)
    times: Times = {name: [] for name in order}
    chance = random.Random(0)
    for turn in range(-rounds // 4, rounds):
        chance.shuffle(order)
        for name in order:
            call = contestants[name]
            if calls > 1:
                call()
                call()
            start = time.perf_counter_ns()
            for _ in range(calls):
                call()
            if turn >= 0:
                times[name].append((time.perf_counter_ns() - start) / calls / 1000)
    return times


def print_table(title: str, times: Times) -> None:
    """Print each contestant's median and middle 80 %."""
    print(f"\n{title} (load average {os.getloadavg()[0]:.1f})\n{'':30}", end="")
    print(f"{'median':>10} {'10 %':>10} {'90 %':>10}")
    for name, values in times.items():
        low, middle, high = _spread(values)
        print(f"{name:30}{middle:10.1f} {low:10.1f} {high:10.1f}")


def print_ratio(title: str, times: Times, over: str, under: str) -> None:
    """Print the ratio of two contestants within a round, and that of their fastest tenths."""
    ratios = [a / b for a, b in zip(times[over], times[under], strict=True)]
    low, middle, high = _spread(ratios)
    quiet = _spread(times[over])[0] / _spread(times[under])[0]
    print(f"{title}: {middle:.3f} ({low:.3f} to {high:.3f}); undisturbed {quiet:.3f}")


def print_difference(title: str, times: Times, over: str, under: str) -> None:
    """Print by how many microseconds a contestant is slower within a round."""
    found = [a - b for a, b in zip(times[over], times[under], strict=True)]
    low, middle, high = _spread(found)
    quiet = _spread(times[over])[0] - _spread(times[under])[0]
    print(f"{title}: {middle:.1f} us ({low:.1f} to {high:.1f}); undisturbed {quiet:.1f} us")


def _spread(values: list[float]) -> tuple[float, float, float]:
    tenths = statistics.quantiles(values, n=10)
    return tenths[0], statistics.median(values), tenths[-1]
