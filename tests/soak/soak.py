"""Run long enough to show a leak, and print the resident memory along the way. Linux only.

``python tests/soak/soak.py BUNDLE --engine onnx|jvm [--runs N] [--cycles N]`` opens the bundle
that ``jvm/benchmarks/mlp_bundle.py`` writes, runs it N times, then opens and closes it N times.
Ends with 1 when the memory grows by more than 5 % or a handle is left open. A JVM's heap grows to
its limit before it is collected, so give it a small fixed one:
``SEALANE_JVM_OPTIONS="-Xms64m -Xmx64m -XX:+AlwaysPreTouch"``.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import sealane

if TYPE_CHECKING:
    from collections.abc import Callable

ALLOWED = 0.05
STEPS = 10
WARM_RUNS = 100_000
WARM_CYCLES = 1_500
BATCHES = (1, 3)


def main() -> int:
    """Soaks one engine; 1 when its memory grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--engine", choices=("onnx", "jvm"), default="onnx")
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--cycles", type=int, default=500)
    args = parser.parse_args()

    def cycle() -> None:
        sealane.open(args.bundle, engine=args.engine, intra_op_threads=1).close()

    with sealane.open(args.bundle, engine=args.engine, intra_op_threads=1) as session:
        rng = np.random.default_rng(0)
        rows = [rng.normal(size=(batch, 64)).astype(np.float32) for batch in BATCHES]
        feeds = [{"x": row} for row in rows]

        def run() -> None:
            for feed in feeds:
                session.run(feed)

        flat = _soak(f"{args.engine} runs", run, len(feeds), WARM_RUNS, args.runs)
    flat = _soak(f"{args.engine} open-close cycles", cycle, 1, WARM_CYCLES, args.cycles) and flat
    left = _live_handles() if args.engine == "jvm" else 0
    if args.engine == "jvm":
        print(f"{args.engine}: {left} handles are open at the end")
    return 0 if flat and left == 0 else 1


def _soak(what: str, action: Callable[[], None], counts: int, warm: int, total: int) -> bool:
    for _ in range(warm // counts):
        action()
    before = after = _resident()
    print(f"{0:>9} {what}: {before / 2**20:.1f} MiB", flush=True)
    started = time.perf_counter()
    for step in range(1, STEPS + 1):
        for _ in range(total // STEPS // counts):
            action()
        after = _resident()
        print(f"{step * (total // STEPS):>9} {what}: {after / 2**20:.1f} MiB", flush=True)
    seconds = time.perf_counter() - started
    flat = after <= (1 + ALLOWED) * before
    print(
        f"{total} {what} in {seconds:.0f} s: {before / 2**20:.1f} MiB to {after / 2**20:.1f} MiB, "
        f"{100 * (after - before) / before:+.1f} %: {'flat' if flat else 'GROWS'}",
        flush=True,
    )
    return flat


def _live_handles() -> int:
    from sealane.jvm.process import start

    return int(start().live())


def _resident() -> int:
    """Resident bytes after the garbage of both languages is gone."""
    gc.collect()
    if "jpype" in sys.modules:
        import jpype

        for _ in range(3):
            jpype.java.lang.System.gc()
            time.sleep(0.05)
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no VmRSS")


if __name__ == "__main__":
    sys.exit(main())
