"""How to train on Spark: the same keys for every framework."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from sealane.core import ErrorCode, SealaneError
from sealane.training.run import Loss

OptimizerName = Literal["sgd", "adam", "adamw"]
Precision = Literal["single", "mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """A training run. Immutable; refused when it can not be run.

    Attributes:
        name: The model's name in the bundle.
        path: The bundle's folder, on the driver.
        target: The column that is to be predicted: 0/1, class numbers, or numbers; never null.
        version: The model's version.
        overwrite: Whether a bundle at ``path`` is replaced.
        ranks: Processes that train together, one barrier task each.
        epochs: The most passes over the rows.
        batch_size: Rows per rank and step; a step sees ``ranks * batch_size`` rows.
        loss: ``binary`` and ``categories`` take logits.
        optimizer: The update rule, with the framework's usual constants.
        lr: Learning rate.
        weight_decay: As the optimizer has it.
        seed: Of weights, split, shuffling and dropout.
        validation: The share of the rows that is held back, at random; 0 for none.
        patience: Epochs without a smaller validation loss before stopping; None never stops.
        shared: A folder that the driver and every executor reach under this path. Rows are laid
            down there once and checkpoints are kept there, so a run survives the loss of any
            process. Without it each task keeps its rows on its own disk, and a run that loses one
            begins again.
        checkpoint_steps: Steps between checkpoints; one is written after each epoch too.
        resume: Whether to go on with the run that ``shared`` holds.
        lanes: Into how many equal parts the rows are laid, a multiple of ``ranks``; the default
            is ``ranks``. A run with as many lanes and rows per step sees the same rows in each
            step, by however many ranks.
        shuffle_rows: Rows that a rank holds in memory to shuffle, twice.
        fit_rows: Rows, drawn at random, on which features that are not fitted yet are fitted.
        threads: CPU threads of a rank; by default ``spark.task.cpus``.
        precision: ``mixed`` computes products in half precision where the device can.
        slot_seconds: How long to wait for executors with room for all ranks.
        stall_seconds: After how long without an answer another rank counts as lost.
        progress: Whether the driver tells, on standard error, how far it is.
        mlflow: The experiment of MLflow that the losses of each epoch are told to; None for none.
    """

    name: str
    path: str
    target: str
    version: str = "1.0.0"
    overwrite: bool = False
    ranks: int = 2
    epochs: int = 5
    batch_size: int = 1024
    loss: Loss = "binary"
    optimizer: OptimizerName = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.0
    seed: int = 0
    validation: float = 0.1
    patience: int | None = 2
    shared: str | None = None
    checkpoint_steps: int = 500
    resume: bool = False
    lanes: int | None = None
    shuffle_rows: int = 262_144
    fit_rows: int = 100_000
    threads: int | None = None
    precision: Precision = "single"
    slot_seconds: float = 30.0
    stall_seconds: float = 300.0
    progress: bool = True
    mlflow: str | None = None

    def __post_init__(self) -> None:
        whole = ("ranks", "epochs", "batch_size", "checkpoint_steps", "shuffle_rows", "fit_rows")
        self._check({name: getattr(self, name) >= 1 for name in whole})
        self._check(
            {
                "lr": math.isfinite(self.lr) and self.lr > 0,
                "weight_decay": math.isfinite(self.weight_decay) and self.weight_decay >= 0,
                "seed": 0 <= self.seed < 2**31,
                "validation": 0 <= self.validation < 1,
                "patience": self.patience is None or self.patience >= 1,
                "threads": self.threads is None or self.threads >= 1,
                "lanes": self.all_lanes >= 1 and self.all_lanes % self.ranks == 0,
                "loss": self.loss in get_args(Loss),
                "optimizer": self.optimizer in get_args(OptimizerName),
                "precision": self.precision in get_args(Precision),
                "resume": not self.resume or self.shared is not None,
                "slot_seconds": self.slot_seconds >= 0,
                "stall_seconds": self.stall_seconds > 0,
            }
        )
        # Tasks that keep their own rows have one lane each; a step takes as many rows of each.
        self._check({"lanes": self.shared is not None or self.all_lanes == self.ranks})
        self._check({"batch_size": self.rows_per_step % self.all_lanes == 0})

    def _check(self, good: dict[str, bool]) -> None:
        for name, usable in good.items():
            if not usable:
                raise SealaneError(
                    ErrorCode.INPUT_DOMAIN,
                    f"{name} = {getattr(self, name)} can not train a model",
                    {"setting": name},
                )

    @property
    def all_lanes(self) -> int:
        """How many lanes there are."""
        return self.ranks if self.lanes is None else self.lanes

    @property
    def rows_per_step(self) -> int:
        """Rows of all ranks in one step."""
        return self.ranks * self.batch_size

    def lanes_of(self, rank: int) -> range:
        """The lanes that a rank reads."""
        count = self.all_lanes // self.ranks
        return range(rank * count, (rank + 1) * count)

    @property
    def lane_rows(self) -> int:
        """Rows that a step takes of each lane."""
        return self.rows_per_step // self.all_lanes
