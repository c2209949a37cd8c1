"""Print how fast Sealane serves beside other servers: ``python run.py SMALL LARGE``.

Takes the bundles that ``jvm/benchmarks/mlp_bundle.py`` writes. All contestants serve the same ONNX
file and get the same load, batch 1; they take turns, in an order of chance, round by round. See
README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import load
import sealane_alone
from case import Case
from contestants import ALL
from server import Failed, Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from load import Request, Sample

Turns = dict[str, "list[Sample]"]
"""Contestant → one sample per round."""


def main() -> None:
    """Print the tables; exit with 1 when a contestant had to be left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("small", type=Path)
    parser.add_argument("large", type=Path)
    parser.add_argument("--only", default=",".join(ALL), help="contestants by comma")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=4, help="of one turn")
    parser.add_argument("--no-alone", action="store_true", help="leave out Sealane by itself")
    args = parser.parse_args()
    load.require()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with contextlib.ExitStack() as stack:
        field = Field(args, stack)
        for name in args.only.split(","):
            field.trying(name, field.start)
        for grpc in (False, True):
            field.compare(grpc=grpc)
    if not args.no_alone:
        sealane_alone.print_all(args.small, args.large)
    if field.failures:
        raise SystemExit("\n".join(["", "left out:", *field.failures]))


class Field:
    """The contestants that are running."""

    def __init__(self, args: argparse.Namespace, stack: contextlib.ExitStack) -> None:
        self.args = args
        self.stack = stack
        self.folder = Path(tempfile.mkdtemp(prefix="serve-bench-"))
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.case = Case(args.small, self.folder)
        self.servers: dict[str, Server] = {}
        self.failures: list[str] = []

    def trying(self, name: str, step: Callable[[str], object]) -> None:
        """A step of one contestant; when it fails the others go on without it."""
        try:
            step(name)
        except Failed as failed:
            self.failures.append(f"{name}: {failed}")
            self.servers.pop(name, None)

    def start(self, name: str) -> None:
        """Start it and check its answer."""
        own = self.folder / name
        own.mkdir()
        server = Server(ALL[name](self.args.small.resolve(), own), own / "server.log")
        self.stack.callback(server.close)
        self.case.request(name, server)
        self.servers[name] = server

    def compare(self, *, grpc: bool) -> None:
        """Take turns, in an order of chance, and print what came of it."""
        requests: dict[str, Request] = {}
        turns: Turns = {}
        seconds = self.args.seconds

        def warm(name: str) -> None:
            requests[name] = self.case.request(name, self.servers[name], grpc=grpc)
            load.warm_up(self.servers[name], requests[name])
            turns[name] = []

        def turn(name: str) -> None:
            load.measure(self.servers[name], requests[name], 1)
            turns[name].append(load.measure(self.servers[name], requests[name], seconds))

        for name in [
            each for each, server in self.servers.items() if server.launch.grpc or not grpc
        ]:
            self.trying(name, warm)
        chance = random.Random(0)
        for _ in range(self.args.rounds):
            names = [name for name in turns if name in self.servers]
            for name in chance.sample(names, len(names)):
                self.trying(name, turn)
        title = "gRPC, raw tensors" if grpc else "REST, JSON"
        _print_table(title, {name: turns[name] for name in turns if name in self.servers})


def _print_table(title: str, turns: Turns) -> None:
    machine = f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}"
    print(f"\n{title}: 4 connections, {machine}\n")
    print("| server | requests/s | of Sealane's | p50 ms | p99 ms | CPU-s per 1,000 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, samples in turns.items():
        rates = [each.rate for each in samples]
        ratios = [a / b.rate for a, b in zip(rates, turns.get("sealane", samples), strict=True)]
        print(
            f"| {name} | {statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
            f" | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            f" | {_median(samples, 'p50'):.2f} | {_median(samples, 'p99'):.2f}"
            f" | {_median(samples, 'cpu'):.3f} |",
            flush=True,
        )


def _median(samples: list[Sample], what: str) -> float:
    return statistics.median(getattr(each, what) for each in samples)


if __name__ == "__main__":
    main()
