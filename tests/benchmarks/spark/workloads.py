"""What is scored: the models, the tables, and how many rows of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PASSED = ("id", "city", "amount", "count")
"""The columns that every contestant takes along: bigint, string, double, int."""

BATCH = 1024


@dataclass(frozen=True)
class Workload:
    """One model and one table.

    Attributes:
        name: How the command line calls it.
        model: The model's name: a bundle and its ONNX files.
        says: What it is, for people.
        layout: ``columns`` for scalar float columns, ``array`` for one array column.
        width: Elements of a row of the input; 0 when rows differ.
        results: Elements of a row of the output.
        rows: How many rows are scored in one turn.
        quick: How many with ``--quick``.
    """

    name: str
    model: str
    says: str
    layout: str
    width: int
    results: int
    rows: int
    quick: int

    @property
    def features(self) -> list[str]:
        """The columns that hold the input."""
        return [f"f{i}" for i in range(self.width)] if self.layout == "columns" else ["x"]


MLPS = (
    Workload(
        "narrow-columns", "narrow", "16-32-3, 16 float columns", "columns", 16, 3, 1_500_000, 20_000
    ),
    Workload(
        "narrow-array", "narrow", "16-32-3, one array column", "array", 16, 3, 1_500_000, 20_000
    ),
    Workload(
        "wide-columns", "wide", "128-512-10, 128 float columns", "columns", 128, 10, 300_000, 5_000
    ),
    Workload(
        "wide-array", "wide", "128-512-10, one array column", "array", 128, 10, 300_000, 5_000
    ),
)
OTHERS = (
    Workload(
        "tokens", "encoder", "transformer encoder, 5 to 60 tokens", "array", 0, 4, 60_000, 3_000
    ),
    Workload("images", "cnn", "CNN on 28 by 28 pixels", "array", 784, 10, 60_000, 3_000),
)


def job(workload: Workload, files: dict[str, str]) -> dict[str, Any]:
    """What a contestant needs to know of a workload; plain JSON.

    Args:
        workload: The workload.
        files: ``bundle``, ``onnx`` and, for an MLP, ``onnx14``: paths.
    """
    return {
        "name": workload.name,
        "layout": workload.layout,
        "features": workload.features,
        "width": workload.width,
        "results": workload.results,
        "passed": list(PASSED),
        "batch": BATCH,
        **files,
    }
