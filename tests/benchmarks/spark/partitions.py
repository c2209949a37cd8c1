"""Part ``partitions``: the same rows in 2 and in 200 partitions, and the sessions that it takes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import models
import tables
from field import STAGES, Field, order, say
from process import Failed, own_folder
from report import Spread
from workloads import MLPS, job

if TYPE_CHECKING:
    from pathlib import Path

    from process import Process

FEW, MANY = 2, 200
NAMES = (
    "limit",
    "sealane-jvm",
    "sealane-python",
    "predict-batch-udf",
    "pandas-udf",
    "synapseml",
    "djl",
)


def measure(line: str, names: list[str], out: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Wall time of both, and how many sessions of ONNX Runtime were opened on the way.

    Returns:
        Contestant → ``{"wall": {partitions: seconds}, "sessions": {partitions: count}}``.
    """
    workload = MLPS[0]
    task = job(workload, models.build(workload.model, out / "models"))
    places = {count: tables.write(workload, out / "tables", rows, count) for count in (FEW, MANY)}
    found: dict[str, Any] = {}
    for name in names:
        tally = own_folder(out) / f"{name}-{line}.sessions"
        tally.write_bytes(b"")
        with Field.open([name], line, out, tally=tally) as field:
            for process in field.processes.values():
                try:
                    found[name] = _measure(process, task, places, rows, rounds, tally)
                except Failed as error:
                    field.left_out[name] = f"failed: {error}"
            found |= {left: {"left out": reason} for left, reason in field.left_out.items()}
    _print(found, line, rows)
    return found


def _measure(
    process: Process,
    task: dict[str, Any],
    places: dict[int, Path],
    rows: int,
    rounds: int,
    tally: Path,
) -> dict[str, Any]:
    stage = STAGES.get(process.name, ("score",))[0]
    sessions, wall = {}, {count: [] for count in places}
    for count, table in places.items():
        before = tally.stat().st_size
        process.measure(rows, order(stage, task, table))
        sessions[count] = tally.stat().st_size - before
    chance = random.Random(0)
    for turn in range(rounds):
        say(f"{process.name}, 2 and 200 partitions, round {turn + 1} of {rounds}")
        for count in chance.sample(list(places), len(places)):
            process.measure(rows, order(stage, task, places[FEW]))
            wall[count].append(process.measure(rows, order(stage, task, places[count])).wall)
    return {"wall": wall, "sessions": sessions}


def _print(found: dict[str, Any], line: str, rows: int) -> None:
    print(f"\npartitions: 16-32-3 MLP, {rows:,} rows, Spark {line}, local[2]; medians")
    titles = ("2: ms", "200: ms", "ms a partition", "sessions for 2", "then for 200")
    print(f"{'':30}" + "".join(f"{title:>16}" for title in titles))
    for name, values in found.items():
        if "left out" in values:
            print(f"{name:30}left out: {values['left out']}")
            continue
        few, many = (1e3 * Spread.of(values["wall"][count]).median for count in (FEW, MANY))
        counts = "".join(f"{values['sessions'][count]:16}" for count in (FEW, MANY))
        label = "limit (scan and write only)" if name == "limit" else name
        print(f"{label:30}{few:16,.0f}{many:16,.0f}{(many - few) / (MANY - FEW):16.2f}{counts}")
