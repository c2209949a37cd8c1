"""Checkpoints of a run in a folder that all its processes reach: whole or not there."""

from __future__ import annotations

import json
import os
import struct
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 2
_MAGIC = b"SEALANE-CHECKPOINT-1\n"
_LENGTH = struct.Struct("<QQQ")


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a run is.

    Attributes:
        epoch: From 0: the one that is going on.
        step: Steps of it that are done.
        loss: The sum of their losses, over all ranks.
        epochs: What the epochs before it gave, as JSON objects.
        best: Index of the epoch with the smallest validation loss.
        seconds: What it took of the epoch so far, in all attempts.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    epochs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    best: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that a run needs to go on as if it had not been interrupted.

    Attributes:
        run: Of which run: a digest of its settings and rows.
        cursor: How far it is. Random numbers are drawn by step and rank, so this is their state.
        state: Parameters, buffers, the optimizer's and the scaler's state, as the learner has them.
        best: The weights of the best epoch; empty before there is one, or when none is looked for.
    """

    run: str
    cursor: Cursor
    state: bytes
    best: bytes

    def to_bytes(self) -> bytes:
        """What a file holds."""
        head = json.dumps({"run": self.run, "cursor": asdict(self.cursor)}).encode()
        lengths = _LENGTH.pack(len(head), len(self.state), len(self.best))
        return b"".join((_MAGIC, lengths, head, self.state, self.best))

    @classmethod
    def of_bytes(cls, data: bytes) -> Checkpoint:
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: It is something else, or not all of it.
        """
        start = len(_MAGIC) + _LENGTH.size
        if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
            raise ValueError("it is no checkpoint")
        sizes = _LENGTH.unpack(data[len(_MAGIC) : start])
        if len(data) != start + sum(sizes):
            raise ValueError("it is cut off")
        head, state, best = (
            data[start + sum(sizes[:index]) : start + sum(sizes[: index + 1])] for index in range(3)
        )
        told = json.loads(head)
        return cls(told["run"], Cursor(**told["cursor"]), state, best)


class CheckpointFolder:
    """The checkpoints of one run. One process writes; any may read.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self) -> Path | None:
        """The file of the newest, or None."""
        found = sorted(self._folder.glob("step-*.checkpoint"))
        return found[-1] if found else None

    def write(self, checkpoint: Checkpoint, number: int) -> None:
        """Writes one and forgets all but the last `KEPT`.

        Args:
            checkpoint: What to keep.
            number: Steps since the beginning.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"step-{number:012}.checkpoint"
        partial = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
        with partial.open("wb") as file:
            file.write(checkpoint.to_bytes())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        for old in sorted(self._folder.glob("step-*.checkpoint"))[:-KEPT]:
            old.unlink(missing_ok=True)

    def read(self, path: Path, run: str) -> Checkpoint:
        """Reads one.

        Raises:
            SealaneError: ARTIFACT_INVALID when it can not be read or is of another run.
        """
        try:
            found = Checkpoint.of_bytes(path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SealaneError(
                ErrorCode.ARTIFACT_INVALID, f"checkpoint {path} can not be read: {error}"
            ) from error
        if found.run != run:
            raise SealaneError(
                ErrorCode.ARTIFACT_INVALID,
                f"checkpoint {path} is of another run: its rows or settings differ. Train without "
                "resume into another shared folder",
            )
        return found
