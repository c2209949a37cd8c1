"""What a training run did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training rows.

    Attributes:
        loss: Mean training loss over the epoch's rows, as seen while training.
        validation_loss: Mean loss over the validation rows after the epoch, in inference mode;
            None without validation.
        seconds: Wall-clock time, validation included.
    """

    loss: float
    validation_loss: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class History:
    """A training run.

    Attributes:
        epochs: In order.
        best: Index of the epoch whose weights the model has now: the smallest validation loss, or
            the last epoch without validation.
        rows: Training rows per epoch.
        stopped_early: Whether patience ran out before the last epoch.
    """

    epochs: tuple[Epoch, ...]
    best: int
    rows: int
    stopped_early: bool

    @property
    def seconds(self) -> float:
        """Wall-clock time of all epochs."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def rows_per_second(self) -> float:
        """Training rows seen per second of wall-clock time."""
        return self.rows * len(self.epochs) / self.seconds

    def __str__(self) -> str:
        chosen = self.epochs[self.best]
        loss = chosen.loss if chosen.validation_loss is None else chosen.validation_loss
        return (
            f"{len(self.epochs)} epochs of {self.rows:,} rows in {self.seconds:.1f} s "
            f"({self.rows_per_second:,.0f} rows/s); epoch {self.best + 1} kept, loss {loss:.4f}"
        )
