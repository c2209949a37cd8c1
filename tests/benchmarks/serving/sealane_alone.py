"""Sealane by itself: beside ONNX Runtime alone, with batches, and from its start."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import load
from case import Case
from contestants import ROOT, sealane
from server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = f"{ROOT}/jvm/benchmarks/target/classes:{ROOT}/jvm/benchmarks/target/lib/*"
ROUNDS = 3
STARTS = 5
BATCHES = ("--defaults.batching.max-rows", "32")
CONNECTIONS = 64
SECONDS = 3


def print_all(small: Path, large: Path) -> None:
    """Print three tables."""
    with _folder() as folder:
        print_cost(small, folder)
        print_batches({"64-256-256-10": small, "64-2460-2460-10": large}, folder)
        print_starts(small, folder)


def print_cost(bundle: Path, folder: Path) -> None:
    """CPU of a request beside that of a run of ONNX Runtime's Java API in a loop."""
    case = Case(bundle, folder)
    bare: list[float] = []
    with _running(bundle, folder) as server:
        rest = case.request("sealane", server)
        grpc = case.request("sealane", server, grpc=True)
        cases = {
            f"{name}, {connections} connections": (request, connections)
            for connections in (4, CONNECTIONS)
            for name, request in (("REST, JSON", rest), ("gRPC, raw tensors", grpc))
        }
        served: dict[str, list[float]] = {name: [] for name in cases}
        for request, connections in cases.values():
            load.warm_up(server, request, connections)
        for _ in range(ROUNDS):
            bare.append(_bare(bundle))
            for name, (request, connections) in cases.items():
                cpu = load.measure(server, request, SECONDS, connections).cpu
                served[name].append(1000 * cpu)
    _title("CPU of one request", "us, all threads", "times ONNX Runtime alone")
    print(f"| ONNX Runtime, Java, `FloatBuffer` | {_spread(bare, 1)} | 1 |")
    for name, costs in served.items():
        ratios = [a / b for a, b in zip(costs, bare, strict=True)]
        print(f"| {name} | {_spread(costs, 0)} | {_spread(ratios, 1)} |", flush=True)


def _bare(bundle: Path) -> float:
    command = ["java", f"-Dsealane.benchmarks.bundle={bundle}", "-cp", CLASSES]
    done = subprocess.run(
        [*command, "io.sealane.benchmarks.BareRuns"], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def print_batches(bundles: dict[str, Path], folder: Path) -> None:
    """Requests per second of many connections, each request a run and up to 32 in one."""
    _title(f"Batches, {CONNECTIONS} connections, REST", "off, requests/s", "on", "on/off")
    for name, bundle in bundles.items():
        case = Case(bundle, folder)
        rates: dict[bool, list[float]] = {False: [], True: []}
        with _running(bundle, folder) as off, _running(bundle, folder, *BATCHES) as on:
            for server in (off, on):
                request = case.request("sealane", server)
                load.warm_up(server, request, CONNECTIONS)
            for _ in range(ROUNDS):
                for batches, server in ((False, off), (True, on)):
                    sample = load.measure(server, request, SECONDS, CONNECTIONS)
                    rates[batches].append(sample.rate)
        gains = [b / a for a, b in zip(*rates.values(), strict=True)]
        cells = [_spread(rates[False], 0), _spread(rates[True], 0), _spread(gains, 2)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def print_starts(bundle: Path, folder: Path) -> None:
    """From the start of the process to its first answer, which is checked."""
    case = Case(bundle, folder)
    archive = folder / "classes.jsa"
    with _running(bundle, folder, jvm=(f"-XX:ArchiveClassesAtExit={archive}",)) as server:
        case.request("sealane", server)
    kinds = {"java -jar": (), "with a class archive": (f"-XX:SharedArchiveFile={archive}",)}
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(STARTS):
        for kind, jvm in kinds.items():
            start = time.perf_counter()
            with _running(bundle, folder, jvm=jvm) as server:
                server.first_answer(case.rest.read_bytes(), every=0.01)
                seconds[kind].append(time.perf_counter() - start)
                case.request("sealane", server)
    _title("Start of a JVM to the first answer, 340 kB", "s")
    for kind, each in seconds.items():
        print(f"| {kind} | {_spread(each, 2)} |", flush=True)


@contextmanager
def _running(
    bundle: Path, folder: Path, *flags: str, jvm: tuple[str, ...] = ()
) -> Iterator[Server]:
    with _folder(folder) as own:
        server = Server(sealane(bundle, own, *flags, jvm=jvm), own / "server.log")
        try:
            yield server
        finally:
            server.close()


@contextmanager
def _folder(within: Path | None = None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="serve-bench-", dir=within))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _title(*cells: str) -> None:
    print(f"\nload average {os.getloadavg()[0]:.1f}\n\n| {' | '.join(cells)} |")
    print("| --- " * len(cells) + "|")


def _spread(values: list[float], digits: int) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"
