"""The loop of one rank over epochs and steps, the same for every framework."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sealane.core import ErrorCode, SealaneError
from sealane.training.distributed import ranking
from sealane.training.distributed.checkpoints import Checkpoint, Cursor

if TYPE_CHECKING:
    from collections.abc import Callable

    from sealane.training.distributed.checkpoints import CheckpointFolder
    from sealane.training.distributed.config import TrainConfig
    from sealane.training.distributed.reading import RankRows
    from sealane.training.run import Array, Rows

TELL_SECONDS = 1.0
"""Between two lines of progress."""


class Learner(Protocol):
    """A model that all ranks train together: each calls the same methods in the same order."""

    def step(self, rows: Rows, seed: int) -> None:
        """One update by the gradient of all ranks' rows.

        Args:
            rows: This rank's.
            seed: Of what the model draws at random in this step.
        """
        ...

    def taken(self) -> float:
        """The sum of this rank's mean losses, of the steps since it was asked last."""
        ...

    def evaluate(self, rows: Rows) -> tuple[float, Array]:
        """The sum of the rows' losses and the outputs ``[rows, …]``, in inference mode.

        Outputs are logits wherever the loss takes them; ranks may be asked unequally often.
        """
        ...

    def total(self, values: Array) -> Array:
        """Each float64 summed over the ranks."""
        ...

    def state(self) -> bytes:
        """All that `load` needs to go on as if nothing had happened."""
        ...

    def load(self, state: bytes) -> None:
        """Goes back to a state."""
        ...

    def weights(self) -> bytes:
        """The model's own state."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rank stands in its gang.

    Attributes:
        rank: From 0.
        steps: Steps of an epoch.
        run: The digest of settings and rows.
        store: Where checkpoints are kept, if anywhere.
    """

    rank: int
    steps: int
    run: str
    store: CheckpointFolder | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rank has when all is done.

    Attributes:
        epochs: Per epoch ``loss``, ``validationLoss``, ``validationAuc`` and ``seconds``.
        best: Index of the epoch that the weights are of.
        resumed: Steps that were done before this process began.
        weights: The model's state, on rank 0; others have nothing.
    """

    epochs: list[dict[str, Any]]
    best: int
    resumed: int
    weights: bytes


def train(
    learner: Learner,
    rows: RankRows,
    config: TrainConfig,
    place: Place,
    begin: Checkpoint | None,
    tell: Callable[[dict[str, Any]], None],
) -> Outcome:
    """Trains until the last epoch, or until patience runs out.

    Args:
        learner: The model.
        rows: This rank's.
        config: The run.
        place: This rank's place.
        begin: Where to go on, the same on every rank; None for the beginning.
        tell: Hears how far it is.

    Raises:
        SealaneError: ENGINE_RUN_FAILED when a loss is not finite.
    """
    run = _Run(learner, rows, config, place, tell, begin)
    cursor = run.cursor
    resumed = cursor.epoch * place.steps + cursor.step
    while cursor.epoch < config.epochs and not _is_patience_out(cursor, config):
        cursor = run.epoch(cursor)
    best = run.best if run.best and cursor.best != len(cursor.epochs) - 1 else b""
    weights = (best or learner.weights()) if place.rank == 0 else b""
    return Outcome(cursor.epochs, cursor.best, resumed, weights)


def _is_patience_out(cursor: Cursor, config: TrainConfig) -> bool:
    if config.validation == 0 or config.patience is None or not cursor.epochs:
        return False
    return len(cursor.epochs) - 1 - cursor.best >= config.patience


class _Run:
    def __init__(
        self,
        learner: Learner,
        rows: RankRows,
        config: TrainConfig,
        place: Place,
        tell: Callable[[dict[str, Any]], None],
        begin: Checkpoint | None,
    ) -> None:
        self._learner = learner
        self._rows = rows
        self._config = config
        self._place = place
        self._tell = tell
        self.cursor = Cursor() if begin is None else begin.cursor
        self.best = b"" if begin is None else begin.best
        if begin is not None:
            learner.load(begin.state)

    def epoch(self, cursor: Cursor) -> Cursor:
        """One epoch, or the rest of one."""
        before = cursor
        started = time.perf_counter()
        cursor = self._steps(cursor, started)
        samples = (cursor.step - before.step) * self._config.batch_size
        rate = round(samples / (time.perf_counter() - started))
        loss = cursor.loss / (self._place.steps * self._config.ranks)
        validation, auc = self._validate()
        self._check(loss, validation, cursor.epoch)
        told: dict[str, Any] = {
            "loss": loss,
            "validationLoss": validation,
            "validationAuc": auc,
            "seconds": round(before.seconds + time.perf_counter() - started, 3),
        }
        epochs = [*cursor.epochs, told]
        losses: list[Any] = [each["validationLoss"] for each in epochs]
        best = len(epochs) - 1 if validation is None else losses.index(min(losses))
        if best == len(epochs) - 1 and validation is not None and self._place.rank == 0:
            self.best = self._learner.weights()
        cursor = Cursor(cursor.epoch + 1, 0, 0.0, epochs, best)
        ended = {"epoch": cursor.epoch, "of": self._config.epochs, "samplesPerSecond": rate}
        self._tell(ended | told)
        self._keep(cursor)
        return cursor

    def _steps(self, cursor: Cursor, started: float) -> Cursor:
        """The steps of an epoch that are still to be done; its losses are in the cursor then."""
        config, place = self._config, self._place
        began = started - cursor.seconds
        pace = _Pace(config.batch_size, self._tell)
        for rows in self._rows.epoch(cursor.epoch, cursor.step):
            number = cursor.epoch * place.steps + cursor.step
            seed = (config.seed * 1_000_003 + number) * config.ranks + place.rank
            self._learner.step(rows, seed % 2**63)
            cursor = replace(cursor, step=cursor.step + 1)
            pace.step(cursor.epoch, cursor.step, place.steps)
            if cursor.step == place.steps or (
                place.store is not None and cursor.step % config.checkpoint_steps == 0
            ):
                [loss] = self._learner.total(np.array([self._learner.taken()])).tolist()
                cursor = replace(cursor, loss=cursor.loss + loss)
                if cursor.step < place.steps:
                    self._keep(replace(cursor, seconds=time.perf_counter() - began))
        return cursor

    def _validate(self) -> tuple[float | None, float | None]:
        """The mean loss over all ranks' rows, and for two classes the AUC; None without rows."""
        if self._config.validation == 0:
            return None, None
        binary = self._config.loss == "binary"
        counted = np.zeros((2, ranking.BINS if binary else 0))
        loss, count = 0.0, 0
        for rows in self._rows.validation():
            more, outputs = self._learner.evaluate(rows)
            loss += more
            count += len(rows)
            if binary and outputs.size == rows.target.size:
                counted += ranking.counts(outputs.reshape(-1), rows.target.reshape(-1))
        whole = self._learner.total(np.concatenate([[loss, count], counted.reshape(-1)]))
        if not whole[1]:
            return None, None
        auc = ranking.area(whole[2:].reshape(2, -1)) if binary else None
        return float(whole[0] / whole[1]), auc

    def _check(self, loss: float, validation: float | None, epoch: int) -> None:
        if not math.isfinite(loss) or not math.isfinite(validation or 0.0):
            raise SealaneError(
                ErrorCode.ENGINE_RUN_FAILED,
                f"the loss of epoch {epoch + 1} is not finite: training {loss}, validation "
                f"{validation}. Lower lr, or look for NaN in the features.",
                {"epoch": epoch + 1},
            )

    def _keep(self, cursor: Cursor) -> None:
        store, place = self._place.store, self._place
        if store is None or place.rank != 0:
            return
        number = cursor.epoch * place.steps + cursor.step
        kept = Checkpoint(place.run, cursor, self._learner.state(), self.best)
        store.write(kept, number)


class _Pace:
    """Tells of a rank's speed, not more often than `TELL_SECONDS`."""

    def __init__(self, batch: int, tell: Callable[[dict[str, Any]], None]) -> None:
        self._batch = batch
        self._tell = tell
        self._at = time.perf_counter()
        self._steps = 0

    def step(self, epoch: int, step: int, of: int) -> None:
        self._steps += 1
        now = time.perf_counter()
        if now - self._at >= TELL_SECONDS:
            rate = self._steps * self._batch / (now - self._at)
            self._tell(
                {"in": epoch + 1, "step": step, "steps": of, "samplesPerSecond": round(rate)}
            )
            self._at, self._steps = now, 0
