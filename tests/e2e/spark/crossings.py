"""What the training jobs share: a table of points, the words of a command line, what came of it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

STEPS = 40
"""Of an epoch: 5,200 rows of two ranks, 64 a step, a tenth held back, more or less."""


def write_points(path: Path, count: int = 5800) -> Path:
    """Points and whether their coordinates have one sign."""
    x = np.random.default_rng(3).uniform(-1, 1, (count, 2))
    table = pa.table({"x": list(x), "y": (x[:, 0] * x[:, 1] > 0).astype(np.int32)})
    parquet.write_table(table, path, row_group_size=1000)
    return path


def options(settings: Mapping[str, Any]) -> list[Any]:
    """The words of a command line; what is None is left out."""
    given = {key: value for key, value in settings.items() if value is not None}
    return [word for key, value in given.items() for word in (f"--{key}", value)]


def losses(summary: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Of each epoch."""
    return [(each["loss"], each["validationLoss"]) for each in summary["epochs"]]


def killing(words: str, found: Callable[[int], int]) -> tuple[Callable[[int, str], None], list]:
    """Kills a process, once, when the driver says these words; and which it was.

    Args:
        words: Of a line of standard error.
        found: The driver's process id → whom to kill.
    """
    killed: list[int] = []

    def kill(driver: int, line: str) -> None:
        if words in line and not killed:
            killed.append(found(driver))
            os.kill(killed[0], signal.SIGKILL)

    return kill, killed
