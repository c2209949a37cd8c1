"""Print what Sealane costs in Python beside raw ONNX Runtime.

``python tests/benchmarks/run.py SMALL [LARGE…]`` takes bundles that
``jvm/benchmarks/mlp_bundle.py`` writes. "Undisturbed" compares the fastest tenths, which other
work on the machine touches least.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from interleaved import print_difference, print_ratio, print_table, take_turns

import sealane
from sealane.bundle import read_bundle
from sealane.jvm.process import start

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL_BYTES = 1 << 20


def main() -> None:
    """Print the tables of the bundles that the command line names."""
    bundles = [Path(argument) for argument in sys.argv[1:]]
    for bundle in bundles:
        _opening(bundle)
    _one_row(bundles[0])


def _one_row(bundle: Path) -> None:
    feeds = {"x": np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32)}
    raw = _from_path(bundle)
    bridge = start()
    with (
        sealane.open(bundle, intra_op_threads=1) as onnx,
        sealane.open(bundle, engine="jvm", intra_op_threads=1) as jvm,
    ):
        contestants: dict[str, Callable[[], object]] = {
            "ORT Python": lambda: raw.run(None, feeds),
            "sealane, engine onnx": lambda: onnx.run(feeds),
            "sealane, engine jvm": lambda: jvm.run(feeds),
            "an empty call through JPype": bridge.live,
        }
        times = take_turns(contestants, rounds=2000, calls=15)
    print_table("Python, one row of a 64-256-256-10 MLP, us", times)
    print_difference(
        "engine jvm over ORT Python (at most 10)", times, "sealane, engine jvm", "ORT Python"
    )
    print_difference("engine onnx over ORT Python", times, "sealane, engine onnx", "ORT Python")


def _opening(bundle: Path) -> None:
    with read_bundle(bundle) as verified:
        golden = verified.golden
    files = [each["path"] for each in json.loads((bundle / "sealane.json").read_bytes())["files"]]

    def digest() -> None:
        for file in files:
            hashlib.sha256((bundle / file).read_bytes()).digest()

    def replayed(session: Any) -> None:
        for case in golden:
            session.run(None, case.inputs)

    contestants: dict[str, Callable[[], object]] = {
        "files read and digested": digest,
        "bundle read and verified": lambda: read_bundle(bundle, keep=("onnx",)).close(),
        "ORT from bytes": lambda: _from_bytes(bundle),
        "ORT from bytes, and replay": lambda: replayed(_from_bytes(bundle)),
        "ORT from path, and replay": lambda: replayed(_from_path(bundle)),
        "sealane.open, replay off": lambda: sealane.open(
            bundle, intra_op_threads=1, replay="off"
        ).close(),
        "sealane.open": lambda: sealane.open(bundle, intra_op_threads=1).close(),
    }
    size = (bundle / "1/model.onnx").stat().st_size
    rounds = 400 if size < SMALL_BYTES else 25
    times = take_turns(contestants, rounds, calls=1)
    print_table(f"Python, opening a model of {size // 1000} kB, us", times)
    title = "sealane.open over ORT from bytes (at most 1.3)"
    print_ratio(title, times, "sealane.open", "ORT from bytes, and replay")
    print_ratio(
        "sealane.open over ORT from path", times, "sealane.open", "ORT from path, and replay"
    )


def _from_path(bundle: Path) -> Any:
    return _session(str(bundle / "1/model.onnx"))


def _from_bytes(bundle: Path) -> Any:
    return _session((bundle / "1/model.onnx").read_bytes())


def _session(model: str | bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main()
