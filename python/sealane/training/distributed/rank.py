"""A rank: one process that trains, started and watched by its task.

It is told what to do by a pickled `RankJob` on standard input and, after the ranks have met, by a
line of JSON; it answers in lines of JSON. When its standard input ends, so does it: the task is
gone.

``{"address"}`` → ``{"peers", "folder", "steps", "run", "checkpoints", "checkpoint"}`` →
``{"progress"}`` … → ``{"done"}`` or ``{"error"}``; and ``{"alive"}`` all the time.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import struct
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from sealane.core import SealaneError
from sealane.training.distributed.checkpoints import CheckpointFolder
from sealane.training.distributed.loop import Place, train
from sealane.training.distributed.reading import RankRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sealane.training.distributed.config import TrainConfig
    from sealane.training.distributed.loop import Learner

FRAMEWORKS = {
    "jax": "sealane.training.distributed.jax_rank",
    "tensorflow": "sealane.training.distributed.tensorflow_rank",
    "torch": "sealane.training.distributed.torch_rank",
}
"""Where each framework's rank is made."""

ALIVE = "alive"
"""A message that only says that the process still runs."""

_ALIVE_SECONDS = 5.0

_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class RankJob:
    """What one rank does. Picklable.

    Attributes:
        framework: A key of `FRAMEWORKS`.
        payload: What the framework trains, pickled.
        config: The run.
        rank: From 0.
        host: The name under which the others reach this machine.
        threads: CPU threads.
        result: The file for the weights, written by rank 0.
    """

    framework: str
    payload: bytes
    config: TrainConfig
    rank: int
    host: str
    threads: int
    result: Path

    def write(self, stream: IO[bytes]) -> None:
        """Hands it to a process."""
        data = pickle.dumps(self)
        stream.write(_LENGTH.pack(len(data)) + data)
        stream.flush()

    @classmethod
    def read(cls, stream: IO[bytes]) -> RankJob:
        """Takes what `write` gave."""
        [length] = _LENGTH.unpack(stream.read(_LENGTH.size))
        return pickle.loads(stream.read(length))


class Rank(Protocol):
    """One framework's part in a gang."""

    def address(self) -> str:
        """Binds what others connect to; gives where, or nothing."""
        ...

    def join(self, peers: Sequence[str]) -> Learner:
        """Meets the others, whose addresses are given in the order of ranks."""
        ...

    def is_lost_peer(self, error: Exception) -> bool:
        """Whether an error says only that another rank is gone."""
        ...

    def close(self) -> None:
        """Leaves the gang."""
        ...


def main() -> None:
    """Does the job of standard input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    given = sys.stdin.buffer
    job = RankJob.read(given)

    lock = threading.Lock()

    def answer(message: dict[str, Any]) -> None:
        with lock:
            print(json.dumps(message), file=answers, flush=True)

    every = min(_ALIVE_SECONDS, job.config.stall_seconds / 4)
    threading.Thread(target=_live, args=(answer, every), daemon=True).start()
    rank: Rank | None = None
    try:
        rank = importlib.import_module(FRAMEWORKS[job.framework]).create(job)
        assert rank is not None
        answer({"address": rank.address()})
        order = json.loads(given.readline())
        watch = threading.Thread(target=_end_with, args=(given,), daemon=True)
        watch.start()
        answer({"done": _train(rank, job, order, answer)})
        rank.close()
        # Others may still need this process for their last sum: the task ends it.
        watch.join()
    except Exception as error:
        traceback.print_exc()
        answer({"error": _told(error, lost=rank is not None and rank.is_lost_peer(error))})
        # Others may be waiting inside a collective: the closed connection wakes them.
        sys.stderr.flush()
        os._exit(1)


def _live(answer: Callable[[dict[str, Any]], None], seconds: float) -> None:
    while True:
        time.sleep(seconds)
        answer({ALIVE: True})


def _end_with(stream: IO[bytes]) -> None:
    stream.read()
    os._exit(1)


def _train(rank: Rank, job: RankJob, order: dict[str, Any], answer: Any) -> dict[str, Any]:
    learner = rank.join(order["peers"])
    rows = RankRows(Path(order["folder"]), job.config, job.rank, order["steps"])
    kept = order["checkpoints"]
    store = None if kept is None else CheckpointFolder(Path(kept))
    place = Place(job.rank, order["steps"], order["run"], store)
    begin = (
        store.read(Path(order["checkpoint"]), order["run"])
        if store and order["checkpoint"]
        else None
    )
    outcome = train(
        learner, rows, job.config, place, begin, lambda told: answer({"progress": told})
    )
    if job.rank == 0:
        job.result.write_bytes(outcome.weights)
    return {"epochs": outcome.epochs, "best": outcome.best, "resumed": outcome.resumed}


def _told(error: Exception, *, lost: bool) -> dict[str, object]:
    if isinstance(error, SealaneError):
        return error.fields | {"lostPeer": lost}
    message = f"{type(error).__name__}: {error}"
    return {"code": None, "message": message, "details": {}, "lostPeer": lost}
