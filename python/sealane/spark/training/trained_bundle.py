"""What training on Spark gives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.training.distributed.config import TrainConfig


@dataclass(frozen=True, slots=True)
class TrainedBundle(os.PathLike[str]):
    """A bundle that was trained, exported and verified; a path to ``sealane.open``.

    Attributes:
        path: Its folder.
        epochs: Per epoch ``loss``, ``validationLoss`` (None without validation),
            ``validationAuc`` (for two classes) and ``seconds``.
        best: Index of the epoch whose weights it has.
        rows: Rows that were trained on, of which an epoch leaves out what is less than a step.
        samples: Rows that an epoch took, in whole steps.
        held_out: Rows that were held back.
        fingerprint: SHA-256 of all rows as they were laid down.
        resumed: Steps that an earlier attempt had done.
        seconds: From the first executor to the last.
    """

    path: Path
    epochs: tuple[dict[str, Any], ...]
    best: int
    rows: int
    samples: int
    held_out: int
    fingerprint: str
    resumed: int
    seconds: float

    @classmethod
    def of(cls, config: TrainConfig, report: Mapping[str, Any], seconds: float) -> TrainedBundle:
        """The bundle of a run, by what the rank or the JVM told in the end."""
        return cls(
            Path(config.path),
            tuple(report["epochs"]),
            report["best"],
            report["train"],
            report["steps"] * config.rows_per_step,
            report["validation"],
            report["fingerprint"],
            report["resumed"],
            seconds,
        )

    def __fspath__(self) -> str:
        return str(self.path)
