"""Golden cases run through a session and judged (docs/bundle-format.md §6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sealane.bundle import OutputMetrics, Verdict, compare_output, judge
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.bundle import GoldenCase, Variant
    from sealane.runtime.session import Session
    from sealane.runtime.values import AnyArray


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One golden case on one engine.

    Attributes:
        case: The case's id.
        verdict: The best verdict that all its outputs reach.
        outputs: Metrics of each output.
        values: What the engine gave, by output name.
    """

    case: str
    verdict: Verdict
    outputs: tuple[OutputMetrics, ...]
    values: dict[str, AnyArray] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Replay:
    """Golden cases on one engine, judged.

    Attributes:
        variant: The variant's id.
        required: The verdict the variant claims, as it applies to this engine.
        cases: One result per golden case.
    """

    variant: str
    required: Verdict
    cases: tuple[CaseResult, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the cases."""
        return Verdict.worst(each.verdict for each in self.cases)

    @property
    def ok(self) -> bool:
        """Whether each case reaches the required verdict. A ``failed`` variant never does."""
        if self.required is Verdict.TASK_ONLY:
            return True
        return self.required is not Verdict.FAILED and self.verdict >= self.required

    @property
    def worst(self) -> tuple[str, OutputMetrics] | None:
        """The case and output with the largest error in rounding steps; None without outputs."""
        every = [(each.case, metrics) for each in self.cases for metrics in each.outputs]
        return max(every, key=lambda pair: _badness(pair[1]), default=None)


def replay_golden(
    session: Session,
    cases: Sequence[GoldenCase],
    variant: Variant,
    *,
    same_engine: bool,
) -> Replay:
    """Runs golden cases and judges them by the rule of the variant's verdict.

    Args:
        session: The opened model.
        cases: Golden cases of the same bundle.
        variant: The variant the session runs.
        same_engine: Whether the session's engine version is the one in the certificate; otherwise
            ``bit-exact`` is judged as ``within-oracle``.

    Raises:
        SealaneError: GOLDEN_INVALID when the signature refuses a case's inputs; ENGINE_RUN_FAILED.
    """
    required = variant.verdict
    if required is Verdict.BIT_EXACT and not same_engine:
        required = Verdict.WITHIN_ORACLE
    results = tuple(_replay_case(session, case, variant, same_engine=same_engine) for case in cases)
    return Replay(variant.id, required, results)


def _replay_case(
    session: Session, case: GoldenCase, variant: Variant, *, same_engine: bool
) -> CaseResult:
    try:
        outputs = session.run(case.inputs)
    except SealaneError as error:
        if error.code.startswith("INPUT_"):
            raise SealaneError(
                ErrorCode.GOLDEN_INVALID,
                f"golden case '{case.id}' is refused by the signature: {error.message}",
                {"case": case.id, **error.details},
            ) from error
        raise
    metrics = tuple(
        compare_output(
            outputs[spec.name],
            case.outputs[spec.name],
            case.oracle.get(spec.name),
            spec.dtype,
            spec.name,
        )
        for spec in session.signature.outputs
    )
    return CaseResult(case.id, judge(metrics, variant.tolerance, same_engine), metrics, outputs)


def parity_error(bundle_name: str, session: Session, result: Replay) -> SealaneError:
    """PARITY_FAILED that names the case, output and place of the largest error."""
    worst = result.worst
    where = ""
    details: dict[str, object] = {"variant": result.variant, "engine": session.engine}
    if worst is not None:
        case, metrics = worst
        place = list(metrics.worst_index or ())
        where = (
            f"; worst is output '{metrics.name}' at {place} of golden case '{case}': max abs error "
            f"{metrics.max_abs:.3g}, S {_number(metrics.scaled_ulp)}, "
            f"R {_number(metrics.oracle_ratio)}"
        )
        details |= {
            "case": case,
            "output": metrics.name,
            "maxAbs": metrics.max_abs,
            "scaledUlp": metrics.scaled_ulp,
            "oracleRatio": metrics.oracle_ratio,
        }
    return SealaneError(
        ErrorCode.PARITY_FAILED,
        f"variant '{result.variant}' of '{bundle_name}' on {session.engine} "
        f"{session.engine_version}: expected {result.required.value}, received "
        f"{result.verdict.value}{where}. Do not serve it; export it again, or open it with "
        "replay='warn' to look into it",
        details,
    )


def _badness(metrics: OutputMetrics) -> tuple[bool, float]:
    size = metrics.scaled_ulp if metrics.dtype.is_float else metrics.max_abs
    return (not metrics.non_finite_equal, size)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
