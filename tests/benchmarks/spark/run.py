"""Measure Spark scoring: ``python tests/benchmarks/spark/run.py [--quick] [--only NAME …]``.

Parts: ``mlp`` (two MLPs, features as scalar columns and as one array column), ``others`` (a
transformer encoder over ragged tokens, a CNN), ``linearity``, ``partitions``. Every contestant is
a process of its own with a Spark of ``local[2]``, scans a Parquet table, scores it and writes
Parquet: four columns that are passed on, and the scores. CPU-seconds are those of its whole
process tree, Python workers included. See README.md for the contestants.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING, Any

import linearity
import models
import onnxruntime
import partitions
from build import ROOT
from field import Field, Rounds
from process import LINES, own_folder
from report import misses, print_race, race_json
from scorers import SCORERS
from workloads import MLPS, OTHERS, job

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workloads import Workload

OUT = ROOT / "out/bench"
PARTS = ("mlp", "others", "linearity", "partitions")
SINK = "what the races write: Parquet, or nothing (Spark's noop), which leaves scan and scoring"
NAMES = "parts, workloads, contestants, lines of Spark (3.5, 4.3)"
RACES = {"mlp": MLPS, "others": OTHERS}
WORKLOADS = tuple(work.name for works in RACES.values() for work in works)
KINDS = (PARTS, WORKLOADS, tuple(SCORERS), tuple(LINES))
PLAIN = ("sealane-jvm", "sealane-python", "pandas-udf")
"""Those that take ragged and nested rows."""


def main() -> None:
    """Measure what the command line says, print it, write ``out/bench/spark.json``."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    options = _options()
    chosen = Choice(options.only)
    out = OUT / "spark"
    out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"onnxruntime": onnxruntime.__version__, "cores": os.cpu_count()}
    results["quick"] = options.quick
    missed: list[str] = []
    wrong: list[str] = []
    try:
        for line in chosen.of(LINES):
            for part in chosen.parts:
                found = _part(part, line, chosen, options, missed)
                results.setdefault(line, {})[part] = found
                (OUT / "spark.json").write_text(json.dumps(results, indent=1))
                reasons = found.get("left out", {})
                wrong += [name for name in reasons if reasons[name].startswith("WRONG")]
    finally:
        shutil.rmtree(own_folder(out), ignore_errors=True)
    _end(missed, options.quick)
    if wrong:
        sys.exit(f"other scores than ONNX Runtime's: {', '.join(wrong)}")


def _part(
    part: str, line: str, chosen: Choice, options: argparse.Namespace, missed: list[str]
) -> dict[str, Any]:
    """One part on one line of Spark, printed; what goes into the JSON file."""
    out, quick, rounds = OUT / "spark", options.quick, options.rounds
    if part in RACES:
        names = chosen.of(SCORERS if part == "mlp" else PLAIN)
        return _races(chosen.workloads(part), names, line, options, missed)
    if part == "linearity":
        rows, rounds = (10_000, 2) if quick else (1_000_000, 3)
        names = chosen.of(linearity.NAMES)
        return linearity.measure(line, names, out, rows, rounds, options.full)
    rows = 20_000 if quick else 200_000
    return partitions.measure(line, chosen.of(partitions.NAMES), out, rows, rounds)


class Choice:
    """What ``--only`` leaves: of each kind of name those given, or all when none was."""

    def __init__(self, given: Sequence[str]) -> None:
        unknown = set(given).difference(*KINDS)
        if unknown:
            sys.exit(f"unknown: {sorted(unknown)}; there are {[list(kind) for kind in KINDS]}")
        self._given = set(given)
        races = {part for part, works in RACES.items() if self._given & {w.name for w in works}}
        asked = races | self._given & set(PARTS)
        self.parts = [part for part in PARTS if part in (asked or PARTS)]

    def workloads(self, part: str) -> list[Workload]:
        """Those of a part that were given, or all of it."""
        return [work for work in RACES[part] if work.name in self._given] or list(RACES[part])

    def of(self, names: Iterable[str]) -> list[str]:
        """Those of one kind, in their order."""
        names = list(names)
        [kind] = [kind for kind in KINDS if set(names) <= set(kind)]
        return [name for name in names if name in (self._given & set(kind) or kind)]


def _races(
    workloads: Sequence[Workload],
    names: Sequence[str],
    line: str,
    options: argparse.Namespace,
    missed: list[str],
) -> dict[str, Any]:
    """All the workloads of a part."""
    found = []
    with Field.open(names, line, OUT / "spark") as field:
        for workload in workloads:
            rows = workload.quick if options.quick else workload.rows
            task = job(workload, models.build(workload.model, OUT / "spark/models"))
            rounds = Rounds(options.rounds, options.warm, options.sink)
            turns = field.race(workload, task, rows, rounds)
            print_race(field, workload, rows, turns, options.sink)
            found.append(race_json(field, workload, rows, turns) | {"sink": options.sink})
            missed += misses(field, workload, turns)
    for name, reason in field.left_out.items():
        print(f"Spark {line}, left out: {name}: {reason}")
    return {"races": found, "left out": field.left_out}


def _end(missed: list[str], quick: bool) -> None:
    if quick:
        print("\nA smoke run: so few rows say nothing about what is promised.")
    print(f"\nPromises missed: {len(missed)}")
    for each in missed:
        print(f"  {each}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows and 2 rounds: a smoke run")
    parser.add_argument("--full", action="store_true", help="linearity up to 100 million rows")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=NAMES)
    parser.add_argument("--rounds", type=int, help="turns of each contestant that count")
    parser.add_argument("--warm", type=int, help="turns before them that do not")
    parser.add_argument("--sink", choices=("parquet", "noop"), default="parquet", help=SINK)
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 8)
    options.warm = options.warm or (1 if options.quick else 3)
    return options


if __name__ == "__main__":
    main()
