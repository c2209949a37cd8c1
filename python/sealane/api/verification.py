"""Every artifact of a bundle replayed on every runtime, as one table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from sealane.api.opening import RUNTIMES, open_bundle, runtime_name
from sealane.api.tables import html_table, number, rich_table, text_table
from sealane.bundle import Variant, Verdict, VerifiedBundle, compare_output, read_bundle
from sealane.core import ErrorCode, SealaneError
from sealane.runtime import Replay, replay_golden
from sealane.runtime.opening import certified_version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Group

    from sealane.bundle import Policy
    from sealane.runtime import Session

_NOT_RUN = (ErrorCode.ENGINE_UNAVAILABLE, ErrorCode.ARTIFACT_UNSUPPORTED)
"""What keeps an engine that nobody asked for from running a variant, without a fault of either."""

_HEADER = ("variant", "runtime", "version", "max abs", "S", "R", "verdict", "")


@dataclass(frozen=True, slots=True)
class VerificationRow:
    """One artifact on one runtime.

    Attributes:
        variant: The variant's id; "" when the bundle has none for this runtime.
        runtime: ``onnx``, ``tensorflow``, ``jvm:onnx`` or another engine of the JVM.
        version: The engine's version; "" when it was not run.
        required: The verdict the bundle claims, as it applies here; None when it was not run.
        verdict: What was reached; ``bit-exact`` also when every bit is that of another runtime's
            run with the same engine version. None when it was not run.
        max_abs: Largest absolute difference from the source framework's output, in its unit.
        scaled_ulp: S (docs/bundle-format.md §6); None without float outputs.
        oracle_ratio: R (docs/bundle-format.md §6); None without an oracle.
        same_bits_as: The runtime whose bits it has, or None.
        ok: Whether the required verdict was reached; None when there was nothing to run.
        problem: Why it failed or was not run; "" otherwise.
    """

    variant: str
    runtime: str
    version: str = ""
    required: Verdict | None = None
    verdict: Verdict | None = None
    max_abs: float | None = None
    scaled_ulp: float | None = None
    oracle_ratio: float | None = None
    same_bits_as: str | None = None
    ok: bool | None = None
    problem: str = ""

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        if self.ok is None:
            state = "not run"
        else:
            state = "-" if self.verdict is None else self.verdict.value
        metrics = (number(x) for x in (self.max_abs, self.scaled_ulp, self.oracle_ratio))
        return (
            self.variant or "-",
            self.runtime,
            self.version or "-",
            *metrics,
            state,
            self.problem,
        )


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """The outcome of :meth:`Bundle.verify`; prints as a table.

    Attributes:
        bundle: The model's name and version.
        cases: How many golden cases were replayed on each runtime.
        rows: One per artifact and runtime.
    """

    bundle: str
    cases: int
    rows: tuple[VerificationRow, ...]

    @property
    def ok(self) -> bool:
        """Whether something was verified and nothing failed."""
        states = [row.ok for row in self.rows]
        return True in states and False not in states

    def raise_if_failed(self) -> None:
        """Does nothing when all is well.

        Raises:
            SealaneError: PARITY_FAILED naming every row that failed.
        """
        if self.ok:
            return
        failed = [row for row in self.rows if row.ok is False] or list(self.rows)
        reasons = "; ".join(f"{row.variant} on {row.runtime}: {row.problem}" for row in failed)
        raise SealaneError(
            ErrorCode.PARITY_FAILED, f"{self.bundle} is not verified: {reasons}", self.to_dict()
        )

    def to_dict(self) -> dict[str, object]:
        """JSON-serialisable: ``{bundle, cases, ok, rows: [VerificationRow's attributes]}``."""
        return {
            "bundle": self.bundle,
            "cases": self.cases,
            "ok": self.ok,
            "rows": [asdict(row) for row in self.rows],
        }

    def __rich__(self) -> Group:
        return rich_table(self._title(), _HEADER, self._cells(), self._notes())

    def __repr__(self) -> str:
        return text_table(self._title(), _HEADER, self._cells(), self._notes())

    def _repr_html_(self) -> str:
        return html_table(self._title(), _HEADER, self._cells(), self._notes())

    def _cells(self) -> list[tuple[str, ...]]:
        return [row.cells() for row in self.rows]

    def _notes(self) -> list[str]:
        return [
            f"{row.runtime} has the same bits as {row.same_bits_as} on the {row.variant} artifact."
            for row in self.rows
            if row.same_bits_as
        ]

    def _title(self) -> str:
        state = "verified" if self.ok else "NOT verified"
        return f"{self.bundle}: {state} on {self.cases} golden cases"


def verify_bundle(
    path: Path, runtimes: Sequence[str] | None = None, policy: Policy | None = None
) -> Verification:
    """Reads a bundle and replays its golden cases, for each artifact, on each runtime.

    Args:
        path: The bundle's directory.
        runtimes: Names of runtimes; None for every one that has a variant to run, where one that is
            not installed, or lacks what the variant needs, is listed as not run instead of failed.
        policy: What the bundle must prove.

    Raises:
        SealaneError: When the bundle itself is refused, or a runtime's name is unknown. What goes
            wrong on one runtime is in its row.
    """
    names = list(dict.fromkeys(runtime_name(each) for each in runtimes or RUNTIMES))
    wanted = {RUNTIMES[name] for name in names}
    with read_bundle(path, policy=policy, keep=wanted) as bundle:
        rows: list[VerificationRow] = []
        replays: list[tuple[VerificationRow, Replay]] = []
        for runtime in names:
            for row, replay in _runtime_rows(bundle, runtime, asked=runtimes is not None):
                compared = row if replay is None else _with_bits(row, replay, replays)
                rows.append(compared)
                if replay is not None:
                    replays.append((compared, replay))
        manifest = bundle.manifest
        return Verification(f"{manifest.name} {manifest.version}", len(bundle.golden), tuple(rows))


def _runtime_rows(
    bundle: VerifiedBundle, runtime: str, *, asked: bool
) -> list[tuple[VerificationRow, Replay | None]]:
    kind = RUNTIMES[runtime]
    variants = [each for each in bundle.manifest.variants if each.kind == kind]
    if variants:
        return [_verify_variant(bundle, variant, runtime, asked=asked) for variant in variants]
    reasons = [each.reason for each in bundle.manifest.unavailable if each.kind == kind]
    if not asked and not reasons:
        return []
    problem = f"no {kind} variant" + (f": {reasons[0]}" if reasons else "")
    return [(VerificationRow("", runtime, problem=problem), None)]


def _verify_variant(
    bundle: VerifiedBundle, variant: Variant, runtime: str, *, asked: bool
) -> tuple[VerificationRow, Replay | None]:
    try:
        with open_bundle(bundle, runtime, variant=variant.id, replay="off") as session:
            return _replayed(bundle, variant, session)
    except SealaneError as error:
        absent = error.code in _NOT_RUN and not asked
        row = VerificationRow(
            variant.id, runtime, ok=None if absent else False, problem=str(error)[:500]
        )
        return row, None


def _replayed(
    bundle: VerifiedBundle, variant: Variant, session: Session
) -> tuple[VerificationRow, Replay]:
    certified = certified_version(bundle, variant, session.engine) == session.engine_version
    replay = replay_golden(session, bundle.golden, variant, same_engine=certified)
    metrics = [each for case in replay.cases for each in case.outputs]
    ulps = [each.scaled_ulp for each in metrics if each.dtype.is_float]
    ratios = [each.oracle_ratio for each in metrics if each.oracle_ratio is not None]
    problem = "" if replay.ok else f"{replay.required.value} is claimed"
    if not replay.ok and replay.worst is not None:
        case, worst = replay.worst
        problem += f"; worst is output '{worst.name}' of golden case '{case}'"
    row = VerificationRow(
        variant.id,
        session.engine,
        session.engine_version,
        replay.required,
        replay.verdict,
        max((each.max_abs for each in metrics), default=None),
        max(ulps, default=None),
        max(ratios, default=None),
        ok=replay.ok,
        problem=problem,
    )
    return row, replay


def _with_bits(
    row: VerificationRow, replay: Replay, earlier: Sequence[tuple[VerificationRow, Replay]]
) -> VerificationRow:
    """The row with its bits compared to the same variant's run elsewhere on the same engine."""
    for other, other_replay in earlier:
        same_engine = other.runtime.rpartition(":")[2] == row.runtime.rpartition(":")[2]
        if other.variant != row.variant or other.version != row.version or not same_engine:
            continue
        if not _equal_bits(replay, other_replay):
            problem = f"differs in bits from {other.runtime}, the same engine and version"
            return replace(row, problem="; ".join(filter(None, (row.problem, problem))))
        verdict = Verdict.BIT_EXACT if row.ok else row.verdict
        return replace(row, same_bits_as=other.runtime, verdict=verdict)
    return row


def _equal_bits(a: Replay, b: Replay) -> bool:
    return all(
        compare_output(x.values[m.name], y.values[m.name], None, m.dtype).bit_equal
        for x, y in zip(a.cases, b.cases, strict=True)
        for m in x.outputs
    )
