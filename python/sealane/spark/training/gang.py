"""The barrier task of a rank: it keeps the rank's process, and speaks for it to the other tasks."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import BarrierTaskContext, TaskContext

from sealane.core import ErrorCode, SealaneError
from sealane.spark.arrow import pa
from sealane.spark.training.rank_process import RankProcess
from sealane.spark.training.run_folder import rows_folder
from sealane.training.distributed.checkpoints import CheckpointFolder
from sealane.training.distributed.lanes import Lane, write_lane
from sealane.training.distributed.rank import RankJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealane.spark.training.preparation import Preparation
    from sealane.spark.training.telling import Door
    from sealane.training.distributed.config import TrainConfig

RESULT = "rank int, kind string, payload binary"
"""What a task gives: ``report`` and ``error`` are JSON, ``weights`` is a piece of them."""

PIECE_BYTES = 32 << 20


class RankFailed(Exception):
    """A rank failed in a way that another try may mend."""


@dataclass(frozen=True, slots=True)
class Place:
    """A task's place among those that train together.

    Attributes:
        context: Its own.
        rank: From 0.
        host: The name under which the others reach this machine.
        gather: Gives each task what all of them gave, in the order of ranks.
    """

    context: TaskContext
    rank: int
    host: str
    gather: Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class GangTask:
    """The function that Spark maps over the partitions of a barrier stage. Picklable.

    Attributes:
        framework: What trains.
        payload: What it trains, pickled.
        config: The run.
        preparation: How rows are made ready.
        lanes: Those that lie in the shared folder; None when each task lays down its own.
        checkpoints: Where checkpoints are kept, if anywhere.
        door: Where progress is told.
        weights: Where the weights are put; None for among the results.
    """

    framework: str
    payload: bytes
    config: TrainConfig
    preparation: Preparation
    lanes: tuple[Lane, ...] | None
    checkpoints: Path | None = None
    door: Door | None = None
    weights: Path | None = None

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Trains; gives what `RESULT` says."""
        context = BarrierTaskContext.get()
        rank = context.partitionId()
        host = context.getTaskInfos()[rank].address.rpartition(":")[0]
        return self.trained(Place(context, rank, host, context.allGather), batches, rank)

    def trained(self, place: Place, batches: Iterator[Any], number: int) -> Iterator[Any]:
        """As a call, at a place.

        Args:
            place: This task's.
            batches: Rows that it lays down, if there are no lanes yet.
            number: What the results are told apart by.
        """
        with tempfile.TemporaryDirectory(prefix="sealane-rank-") as scratch:
            member = _Member(self, place, Path(scratch))
            with member.process:
                rows = member.run(batches)
            for kind, payload in rows:
                columns = [[number], [kind], [payload]]
                types = (pa.int32(), pa.string(), pa.binary())
                arrays = [pa.array(c, t) for c, t in zip(columns, types, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, names=["rank", "kind", "payload"])


class _Member:
    def __init__(self, task: GangTask, place: Place, scratch: Path) -> None:
        self._task = task
        self._config = task.config
        self._gather = place.gather
        self.rank = place.rank
        shared = task.config.shared
        self._folder = rows_folder(scratch if shared is None else Path(shared))
        self._result = task.weights or scratch / "weights"
        threads = task.config.threads or place.context.cpus()
        job = RankJob(
            task.framework,
            task.payload,
            task.config,
            place.rank,
            place.host,
            threads,
            self._result,
        )
        self.process = RankProcess(job, _environment(place.context, threads))

    def run(self, batches: Iterator[Any]) -> list[tuple[str, bytes]]:
        """Trains, with the others; all of them come to the same end."""
        mine = self._ready(batches)
        all_ready = self._gathered(mine)
        outcome = {"error": _first_error(all_ready)}
        if outcome["error"] is None:
            outcome = self._trained(all_ready)
        all_done = self._gathered(outcome)
        error = _first_error(all_done)
        if error is None:
            return [("report", json.dumps(outcome["done"]).encode()), *self._weights()]
        if error["code"] is None:
            raise RankFailed(f"rank {error['rank']}: {error['message']}")
        return [("error", json.dumps(error).encode())]

    def _ready(self, batches: Iterator[Any]) -> dict[str, Any]:
        """This rank's rows and address, or why it has none."""
        try:
            lanes = self._lanes(batches)
            kept = self._task.checkpoints
            newest = None if kept is None else CheckpointFolder(kept).newest()
            told = self.process.receive()
            return told | {
                "lanes": [lane.to_json() for lane in lanes],
                "checkpoint": None if newest is None else str(newest),
            }
        except SealaneError as error:
            return {"error": error.fields}

    def _lanes(self, batches: Iterator[Any]) -> tuple[Lane, ...]:
        if self._task.lanes is not None:
            for _ in batches:
                pass
            return self._task.lanes
        self._folder.mkdir()
        prepare, config = self._task.preparation, self._config
        made = (prepare.arrays(batch) for batch in batches)
        return (write_lane(self._folder, self.rank, made, config.validation, config.seed),)

    def _gathered(self, mine: dict[str, Any]) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self._gather(json.dumps(mine))]

    def _trained(self, ready: list[dict[str, Any]]) -> dict[str, Any]:
        told = {each["number"]: Lane(**each) for entry in ready for each in entry["lanes"]}
        lanes = [told[number] for number in sorted(told)]
        try:
            steps = steps_of(lanes, self._config)
        except SealaneError as error:
            return {"error": error.fields}
        fingerprint, kept = fingerprint_of(lanes), self._task.checkpoints
        self.process.send(
            {
                "peers": [each["address"] for each in ready],
                "folder": str(self._folder),
                "steps": steps,
                "run": run_digest(self._config, fingerprint),
                "checkpoints": None if kept is None else str(kept),
                "checkpoint": ready[0]["checkpoint"],
            }
        )
        rows = {"train": sum(lane.train for lane in lanes), "fingerprint": fingerprint}
        rows["validation"] = sum(lane.validation for lane in lanes)
        return self._watched(rows | {"steps": steps})

    def _watched(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Passes on what the process tells, until it tells that it is done."""
        door = self._task.door
        silent = nullcontext[Callable[[dict[str, Any]], None]](_say_nothing)
        with door.opened(self.rank) if door is not None else silent as tell:
            while "progress" in (message := self.process.receive()):
                tell(message["progress"])
        return {"done": message["done"] | facts} if "done" in message else message

    def _weights(self) -> list[tuple[str, bytes]]:
        if self.rank != 0 or self._task.weights is not None:
            return []
        data = self._result.read_bytes()
        starts = range(0, len(data), PIECE_BYTES)
        return [("weights", data[start : start + PIECE_BYTES]) for start in starts]


def _say_nothing(message: dict[str, Any]) -> None:
    del message


def steps_of(lanes: list[Lane], config: TrainConfig) -> int:
    """Steps of an epoch: as many as the lane with the fewest rows has.

    Raises:
        SealaneError: INPUT_SHAPE when it has not enough for one.
    """
    least = min(lanes, key=lambda lane: lane.train)
    if least.train < config.lane_rows:
        raise SealaneError(
            ErrorCode.INPUT_SHAPE,
            f"lane {least.number} of {len(lanes)} has {least.train} rows to train on and a step "
            f"takes {config.lane_rows} of it: use fewer ranks, a smaller batch_size or more rows",
            {"rows": least.train, "needed": config.lane_rows},
        )
    return least.train // config.lane_rows


def fingerprint_of(lanes: list[Lane]) -> str:
    """SHA-256 over the rows of all lanes, as they were laid down."""
    return hashlib.sha256("".join(lane.digest for lane in lanes).encode()).hexdigest()


def run_digest(config: TrainConfig, fingerprint: str) -> str:
    """What has to be the same for a run to go on from a checkpoint."""
    names = ("loss", "optimizer", "lr", "weight_decay", "seed", "validation", "precision")
    settings = {name: getattr(config, name) for name in (*names, "rows_per_step", "all_lanes")}
    settings["rows"] = fingerprint
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _first_error(told: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The error to blame: not one that only says that another rank is gone."""
    errors = [
        {"lostPeer": False} | each["error"] | {"rank": each["error"].get("rank", rank)}
        for rank, each in enumerate(told)
        if each.get("error") is not None
    ]
    return min(errors, key=lambda error: error["lostPeer"]) if errors else None


def _environment(context: TaskContext, threads: int) -> dict[str, str]:
    gpus = context.resources().get("gpu")
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OMP_NUM_THREADS": str(threads),
        "CUDA_VISIBLE_DEVICES": ",".join(gpus.addresses) if gpus else "",
    }
