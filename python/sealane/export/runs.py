"""One artifact replayed on one engine over the golden cases, and the verdict."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sealane.bundle import GoldenCase, OutputMetrics, Tolerance, Verdict, compare_output, judge
from sealane.core import ErrorFamily, SealaneError, Signature
from sealane.export.errors import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sealane.export.examples import Arrays


@dataclass(frozen=True, slots=True)
class Engine:
    """A loaded artifact.

    Attributes:
        backend: The session engine's name: ``onnx``, ``tensorflow``, ``jvm:onnx``….
        version: The engine's version.
        language: ``python`` or ``java``.
        options: Effective settings.
        run: Inputs by name → outputs by name.
    """

    backend: str
    version: str
    language: str
    options: dict[str, object]
    run: Callable[[Arrays], Arrays]


@dataclass(frozen=True, slots=True)
class Run:
    """The evidence of one artifact on one engine.

    Attributes:
        variant: The variant's id.
        engine: What ran it.
        worst: Per output, the worst metrics over all cases.
        verdict: The worst verdict over all cases.
        failing: The id of a case with that verdict when it is ``failed``.
        milliseconds: Time of all cases together.
        outputs: Per case, what the engine returned.
    """

    variant: str
    engine: Engine
    worst: tuple[OutputMetrics, ...]
    verdict: Verdict
    failing: str | None
    milliseconds: float
    outputs: dict[str, Arrays] = field(repr=False)


def replay(
    variant: str,
    engine: Engine,
    signature: Signature,
    cases: Sequence[GoldenCase],
    tolerance: Tolerance | None,
) -> Run:
    """Run every case and compare with the source's and the oracle's outputs.

    Raises:
        SealaneError: ``EXPORT_FAILED`` when the engine fails, or gives other shapes or dtypes.
    """
    results: dict[str, Arrays] = {}
    started = time.perf_counter()
    for case in cases:
        try:
            results[case.id] = engine.run(case.inputs)
        except SealaneError as error:
            if error.code.family is not ErrorFamily.ENGINE:
                raise
            raise failed(
                f"variant {variant!r} fails on {engine.backend} {engine.version} for batch "
                f"{case.batch} (golden case {case.id!r}), which the source model computes: "
                f"{error.message[:400]}",
                case=case.id,
            ) from error
    milliseconds = (time.perf_counter() - started) * 1e3
    verdicts: dict[str, Verdict] = {}
    worst: dict[str, OutputMetrics] = {}
    for case in cases:
        metrics = compare_case(results[case.id], case, signature)
        verdicts[case.id] = judge(metrics, tolerance, same_engine=False)
        for each in metrics:
            worst[each.name] = _worse(worst.get(each.name), each)
    verdict = Verdict.worst(verdicts.values())
    failing = next((case for case, v in verdicts.items() if v is Verdict.FAILED), None)
    ordered = tuple(worst[spec.name] for spec in signature.outputs)
    return Run(variant, engine, ordered, verdict, failing, milliseconds, results)


def compare_case(
    actual: Arrays, case: GoldenCase, signature: Signature
) -> tuple[OutputMetrics, ...]:
    """The metrics of every output of one case."""
    return tuple(
        compare_output(
            actual[spec.name],
            case.outputs[spec.name],
            case.oracle.get(spec.name),
            spec.dtype,
            spec.name,
        )
        for spec in signature.outputs
    )


def same_bits(run: Run, other: Run) -> bool:
    """Whether two runs gave the same bits for every case and output (NaN payloads ignored)."""
    return all(
        compare_output(
            values[each.name], other.outputs[case][each.name], None, each.dtype
        ).bit_equal
        for case, values in run.outputs.items()
        for each in run.worst
    )


def describe(run: Run) -> str:
    """The metrics of a run in one line, for error messages."""
    parts: list[str] = []
    for each in run.worst:
        if not each.dtype.is_float:
            parts.append(f"{each.name}: {'equal' if each.bit_equal else 'not equal'}")
            continue
        ratio = "-" if each.oracle_ratio is None else f"{each.oracle_ratio:.3g}"
        parts.append(f"{each.name}: max abs {each.max_abs:.3g}, S {each.scaled_ulp:.3g}, R {ratio}")
    return "; ".join(parts)


def _worse(a: OutputMetrics | None, b: OutputMetrics) -> OutputMetrics:
    """The metrics of both cases with the worse value of each."""
    if a is None:
        return b
    ratios = [r for r in (a.oracle_ratio, b.oracle_ratio) if r is not None]
    leading = a if (a.scaled_ulp, a.max_abs) >= (b.scaled_ulp, b.max_abs) else b
    return OutputMetrics(
        name=b.name,
        dtype=b.dtype,
        max_abs=max(a.max_abs, b.max_abs),
        scale=max(a.scale, b.scale),
        scaled_ulp=max(a.scaled_ulp, b.scaled_ulp),
        oracle_ratio=max(ratios, default=None),
        argmax_agree=a.argmax_agree and b.argmax_agree,
        non_finite_equal=a.non_finite_equal and b.non_finite_equal,
        bit_equal=a.bit_equal and b.bit_equal,
        worst_index=leading.worst_index,
    )
