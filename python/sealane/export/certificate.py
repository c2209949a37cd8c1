"""``evidence/parity.json``: what was compared with what, where, and how close it came."""

from __future__ import annotations

import hashlib
import math
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.bundle.golden import write_golden
from sealane.bundle.verdict import MAX_ORACLE_RATIO, MAX_SCALED_ULP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.bundle import GoldenCase, OutputMetrics
    from sealane.core import Signature
    from sealane.export.golden import Golden
    from sealane.export.runs import Run
    from sealane.export.source import Source


def certificate(
    source: Source, signature: Signature, golden: Golden, runs: Sequence[Run], seed: int
) -> dict[str, Any]:
    """The certificate without its content id, which the bundle writer adds."""
    oracle: dict[str, object] = {"kind": "none"}
    if golden.oracle is not None:
        oracle = {"kind": golden.oracle.kind, "version": golden.oracle.version}
    return {
        "schema": "sealane-parity/1",
        "createdAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tool": {"name": "sealane", "version": tool_version()},
        "reference": {
            "framework": source.framework,
            "version": source.version,
            "device": "cpu",
            "eval": True,
            "seed": seed,
        },
        "oracle": oracle,
        "host": host(),
        "golden": [_golden_entry(case, signature) for case in golden.cases],
        "runs": [_run_entry(run) for run in runs],
        "limitsUsed": {"maxOracleRatio": MAX_ORACLE_RATIO, "maxScaledUlp": MAX_SCALED_ULP},
        "notes": list(golden.notes),
    }


def tool_version() -> str:
    """The version of this distribution, or ``unknown`` when it runs from a source tree."""
    try:
        return metadata.version("sealane")
    except metadata.PackageNotFoundError:
        return "unknown"


def host() -> dict[str, object]:
    """The machine as far as it can move a number: operating system, architecture, CPU flags."""
    flags: list[str] = []
    info = Path("/proc/cpuinfo")
    if info.is_file():
        line = next(
            (x for x in info.read_text().splitlines() if x.startswith(("flags", "Features"))), ""
        )
        known = ("avx", "fma", "sse4", "amx", "asimd", "sve", "f16c")
        flags = sorted(f for f in line.partition(":")[2].split() if f.startswith(known))
    return {
        "os": platform.system(),
        "architecture": platform.machine(),
        "cpuFlags": flags,
        "python": platform.python_version(),
    }


def environment(source: Source) -> dict[str, object]:
    """Versions of the frameworks and tools, for the manifest."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "onnx": metadata.version("onnx"),
        "onnxruntime": metadata.version("onnxruntime"),
        "sealane": tool_version(),
        source.framework: source.version,
        **source.description,
    }


def _golden_entry(case: GoldenCase, signature: Signature) -> dict[str, object]:
    numeric, _ = write_golden(case, signature)
    return {
        "id": case.id,
        "purpose": case.purpose,
        "batch": case.batch,
        "sha256": hashlib.sha256(numeric).hexdigest(),
        "dims": {name: list(array.shape) for name, array in case.inputs.items()},
    }


def _run_entry(run: Run) -> dict[str, object]:
    return {
        "variant": run.variant,
        "backend": run.engine.backend,
        "backendVersion": run.engine.version,
        "language": run.engine.language,
        "options": run.engine.options,
        "outputs": [_metrics_entry(each) for each in run.worst],
        "timingMs": round(run.milliseconds, 3),
        "verdict": run.verdict.value,
    }


def _metrics_entry(each: OutputMetrics) -> dict[str, object]:
    relative = each.max_abs / each.scale if each.scale else (0.0 if each.max_abs == 0.0 else None)
    return {
        "name": each.name,
        "dtype": each.dtype.value,
        "maxAbs": _finite(each.max_abs),
        "maxRelToMax": _finite(relative),
        "scaledUlp": _finite(each.scaled_ulp) if each.dtype.is_float else None,
        "oracleRatioMax": _finite(each.oracle_ratio),
        "argmaxAgree": each.argmax_agree,
        "nonFiniteEqual": each.non_finite_equal,
        "bitEqual": each.bit_equal,
        "worstIndex": None if each.worst_index is None else list(each.worst_index),
    }


def _finite(value: float | None) -> float | None:
    """JSON has no infinity; None stands for it."""
    return None if value is None or not math.isfinite(value) else value
