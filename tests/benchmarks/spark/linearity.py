"""Part ``linearity``: what a row costs, and how much memory it takes, as tables grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import models
import tables
from field import Field, order, say
from process import Failed
from report import Spread
from tree import Peak
from workloads import MLPS, job

if TYPE_CHECKING:
    from pathlib import Path

    from process import Process

TIMES = (1, 4, 16)
FULL = 100
PRETOUCHED = "-Xms1g -XX:+AlwaysPreTouch"
"""The whole heap is resident from the start, so that what grows is what leaks."""
NAMES = ("sealane-jvm", "sealane-python")


def measure(line: str, names: list[str], out: Path, base: int, rounds: int, full: bool) -> Any:
    """Score ``base`` rows 1, 4 and 16 times, and 100 times in the last round of a full run.

    Returns:
        Contestant → times → ``{"cpu", "wall", "peak"}``: lists of seconds and bytes.
    """
    workload = MLPS[0]
    files = models.build(workload.model, out / "models")
    table = tables.write(workload, out / "tables", base, 2)
    found: dict[str, Any] = {}
    for name in names:
        with Field.open([name], line, out, java=PRETOUCHED) as field:
            for process in field.processes.values():
                print(f"\nlinearity of {name}, 16-32-3 MLP, Spark {field.version}")
                found[name] = _grow(process, job(workload, files), table, base, rounds, full)
                _print(found[name], base)
            for reason in field.left_out.values():
                print(f"\nlinearity of {name}, Spark {line}: left out, {reason}")
                found[name] = {"left out": reason}
    return found


def _grow(
    process: Process, task: dict[str, Any], table: Path, base: int, rounds: int, full: bool
) -> dict[int, dict[str, list[float]]]:
    found: dict[int, dict[str, list[float]]] = {}
    process.measure(base, order("score", task, table))
    for turn in range(rounds):
        last = full and turn == rounds - 1
        for times in (*TIMES, *((FULL,) if last else ())):
            say(f"{process.name}, {times} times {base:,} rows, round {turn + 1} of {rounds}")
            longer = tables.repeat(table, times)
            try:
                with Peak.watch(process.pid) as peak:
                    sample = process.measure(base * times, order("score", task, longer))
            except Failed as error:
                print(f"{base * times:,} rows FAILED: {error}")
                return found
            values = found.setdefault(times, {"cpu": [], "wall": [], "peak": []})
            for key, value in (("cpu", sample.cpu), ("wall", sample.wall), ("peak", peak.bytes)):
                values[key].append(value)
    return found


def _print(found: dict[int, dict[str, list[float]]], base: int) -> None:
    print(f"{'rows':>14}{'CPU us a row':>16}{'10 %':>8}{'90 %':>8}{'wall us':>10}{'peak MB':>10}")
    for times, values in found.items():
        rows = base * times
        cpu = Spread.of([1e6 * each / rows for each in values["cpu"]])
        wall = Spread.of([1e6 * each / rows for each in values["wall"]])
        peak = max(values["peak"]) / 1e6
        print(
            f"{rows:14,}{cpu.median:16.3f}{cpu.low:8.3f}{cpu.high:8.3f}{wall.median:10.3f}", end=""
        )
        print(f"{peak:10,.0f}")
