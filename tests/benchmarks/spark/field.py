"""The contestants of one line of Spark, and the turns that they take."""

from __future__ import annotations

import os
import random
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import agreement
import tables
from build import Unavailable
from process import Failed, Process, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workloads import Workload

STAGES = {"limit": ("scan", "onnx")}
SMALL = 4096


@dataclass(frozen=True)
class Rounds:
    """How a race is run.

    Attributes:
        count: Turns of each contestant that count.
        warm: Turns before them that do not.
        sink: Where Spark writes what was scored: ``parquet``, or ``noop``, which drops it.
    """

    count: int
    warm: int
    sink: str


@dataclass
class Turns:
    """What the contestants took.

    Attributes:
        samples: Contestant → one entry per round: stage → sample.
        loads: The load average at the end of each round.
        differences: Contestant → the largest difference from ONNX Runtime's scores.
    """

    samples: dict[str, list[dict[str, Sample]]] = field(default_factory=dict)
    loads: list[float] = field(default_factory=list)
    differences: dict[str, float] = field(default_factory=dict)


@dataclass
class Field:
    """The contestants that are running.

    Attributes:
        line: The line of Spark.
        out: Where tables, logs and results go.
        processes: Contestant → its process.
        left_out: Contestant → why it does not take part, or no longer.
        version: Spark's version.
    """

    line: str
    out: Path
    processes: dict[str, Process] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    version: str = ""

    @classmethod
    @contextmanager
    def open(
        cls,
        names: Sequence[str],
        line: str,
        out: Path,
        tally: Path | None = None,
        java: str = "",
    ) -> Iterator[Field]:
        """Start those that can start, and end them; see ``Process``."""
        opened = cls(line, out)
        try:
            for name in names:
                say(f"Spark {line}: starting {name}")
                try:
                    process = Process(name, line, out, tally, java)
                except Unavailable as error:
                    opened._leave_out(name, f"can not be built: {error}")
                    continue
                opened.processes[name] = process
                opened.version = process.version
            yield opened
        finally:
            for process in opened.processes.values():
                process.close()

    def race(self, workload: Workload, job: dict[str, Any], rows: int, rounds: Rounds) -> Turns:
        """Check that all give the same, then let each take one turn per round."""
        turns = Turns()
        here = dict(self.processes)
        small = tables.write(workload, self.out / "tables", SMALL, 2)
        table = tables.write(workload, self.out / "tables", rows, 2)
        self._agree(here, small, job, turns)
        turns.samples = {name: [] for name in here}
        chance = random.Random(0)
        for turn in range(-rounds.warm, rounds.count):
            for name in chance.sample(list(here), len(here)):
                try:
                    stages = self.turn(here[name], job, small, table, rows, rounds.sink)
                except Failed as error:
                    self._leave_out(f"{name} ({workload.name})", f"failed: {error}")
                    del here[name], turns.samples[name]
                    continue
                if turn >= 0:
                    turns.samples[name].append(stages)
            turns.loads += [os.getloadavg()[0]] if turn >= 0 else []
            say(f"Spark {self.line}: {workload.name}, round {turn + 1} of {rounds.count}")
        return turns

    def turn(
        self,
        process: Process,
        job: dict[str, Any],
        small: Path,
        table: Path,
        rows: int,
        sink: str,
    ) -> dict[str, Sample]:
        """One contestant's turn: a small job that does not count, then each stage.

        Spark ends Python workers that were idle for a minute; the small job starts them anew.
        """
        process.measure(SMALL, order("score", job, small))
        taken = {}
        for stage in STAGES.get(process.name, ("score",)):
            taken[stage] = process.measure(rows, order(stage, job, table, sink))
            written = agreement.count(process.result)
            if sink == "parquet" and written != rows:
                raise Failed(f"wrote {written} rows of {rows}")
        return taken

    def _agree(
        self, here: dict[str, Process], small: Path, job: dict[str, Any], turns: Turns
    ) -> None:
        scores = agreement.expected(small, job)
        for name, process in list(here.items()):
            try:
                process.measure(SMALL, order("score", job, small))
                if name != "limit":
                    found = agreement.difference(process.result, small, job, scores)
                    turns.differences[name] = found
            except Failed as error:
                self._leave_out(f"{name} ({job['name']})", f"failed: {error}")
                del here[name]
            except AssertionError as error:
                message = " ".join(str(error).split())
                self._leave_out(f"{name} ({job['name']})", f"WRONG: {message}")
                del here[name]

    def _leave_out(self, name: str, reason: str) -> None:
        self.left_out[name] = reason
        say(f"Spark {self.line}: {name} is left out, {reason}")


def order(stage: str, job: dict[str, Any], table: Path, sink: str = "parquet") -> dict[str, Any]:
    """What to do, with every file of the table one partition."""
    size = max(part.stat().st_size for part in table.glob("*.parquet"))
    confs = {
        "spark.sql.files.openCostInBytes": str(size),
        "spark.sql.files.maxPartitionBytes": str(size + size // 2),
    }
    return {"stage": stage, "job": job, "table": str(table), "sink": sink, "confs": confs}


def say(what: str) -> None:
    """Tell on stderr how far it is."""
    print(f"[{what}]", file=sys.stderr, flush=True)
