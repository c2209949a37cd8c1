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
import sys
from typing import TYPE_CHECKING, Any

import linearity
import models
import onnxruntime
import partitions
from build import ROOT
from field import Field
from process import LINES, own_folder
from report import print_race, race_json, ratios
from scorers import SCORERS
from workloads import MLPS, OTHERS, job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workloads import Workload

OUT = ROOT / "out/bench"
PARTS = ("mlp", "others", "linearity", "partitions")
NAMES = "parts, workloads, contestants, lines of Spark (3.5, 4.3)"
PLAIN = ("sealane-jvm", "sealane-python", "pandas-udf")
"""Those that take ragged and nested rows."""


def main() -> None:
    """Measure what the command line says, print it, write ``out/bench/spark.json``."""
    options = _options()
    chosen = Choice(options.only)
    out = OUT / "spark"
    out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"onnxruntime": onnxruntime.__version__, "cores": os.cpu_count()}
    missed: list[str] = []
    for line in chosen.of(LINES):
        found: dict[str, Any] = {}
        if "mlp" in chosen.parts:
            found["mlp"] = _races(MLPS, list(SCORERS), line, chosen, options, missed)
        if "others" in chosen.parts:
            found["others"] = _races(OTHERS, PLAIN, line, chosen, options, missed)
        if "linearity" in chosen.parts:
            found["linearity"] = linearity.measure(
                line,
                chosen.of(linearity.NAMES),
                out,
                10_000 if options.quick else 1_000_000,
                2 if options.quick else 3,
                options.full,
            )
        if "partitions" in chosen.parts:
            rows, rounds = (20_000, 2) if options.quick else (200_000, options.rounds)
            names = chosen.of(partitions.NAMES)
            found["partitions"] = partitions.measure(line, names, out, rows, rounds)
        results[line] = found
        (OUT / "spark.json").write_text(json.dumps(results, indent=1))
    shutil.rmtree(own_folder(out), ignore_errors=True)
    _end(missed, options.quick)


class Choice:
    """What ``--only`` leaves: of each kind of name, those given, or all when none was."""

    def __init__(self, given: Sequence[str]) -> None:
        self._given = given
        self.parts = self.of(PARTS)
        workloads = [each.name for each in (*MLPS, *OTHERS)]
        known = {*PARTS, *workloads, *SCORERS, *LINES}
        if not known.issuperset(given):
            sys.exit(f"unknown: {sorted(set(given) - known)}; there are {sorted(known)}")

    def of(self, names: Sequence[str] | dict[str, Any]) -> list[str]:
        """Those of one kind, in their order."""
        return [name for name in names if name in self._given] or list(names)


def _races(
    workloads: Sequence[Workload],
    names: Sequence[str],
    line: str,
    chosen: Choice,
    options: argparse.Namespace,
    missed: list[str],
) -> dict[str, Any]:
    """One part: all its workloads, on one line of Spark."""
    out, found = OUT / "spark", []
    wanted = set(chosen.of([each.name for each in workloads]))
    with Field.open(chosen.of(names), line, out) as field:
        for workload in [each for each in workloads if each.name in wanted]:
            rows = workload.quick if options.quick else workload.rows
            task = job(workload, models.build(workload.model, out / "models"))
            turns = field.race(workload, task, rows, options.rounds, options.warm)
            print_race(field, workload, rows, turns)
            found.append(race_json(field, workload, rows, turns))
            missed += [
                f"{each.over} over {each.under}, {workload.name}, Spark {line}: "
                f"{each.cpu.median:.2f}, promised {each.promised:g}"
                for each in ratios(workload, turns)
                if each.missed
            ]
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
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 8)
    options.warm = options.warm or (1 if options.quick else 3)
    return options


if __name__ == "__main__":
    main()
