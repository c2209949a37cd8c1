"""How close one engine's output is to the source model's, and what that is worth (§6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, cast

import ml_dtypes
import numpy as np

from sealane.core import DType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Array = np.ndarray[Any, np.dtype[Any]]

MAX_ORACLE_RATIO = 8.0
MAX_SCALED_ULP = 64.0
ARGMAX_MARGIN = 4.0


class Verdict(StrEnum):
    """What a comparison proves, from ``bit-exact`` (greatest) down to ``failed``."""

    BIT_EXACT = "bit-exact"
    WITHIN_ORACLE = "within-oracle"
    WITHIN_DECLARED = "within-declared"
    TASK_ONLY = "task-only"
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """0 for the best verdict, 4 for the worst."""
        return _RANK[self.value]

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """The worst of some verdicts; BIT_EXACT of none."""
        return min(verdicts, default=cls.BIT_EXACT)

    def __lt__(self, other: object) -> bool:
        return self.rank > Verdict(str(other)).rank

    def __le__(self, other: object) -> bool:
        return self.rank >= Verdict(str(other)).rank

    def __gt__(self, other: object) -> bool:
        return self.rank < Verdict(str(other)).rank

    def __ge__(self, other: object) -> bool:
        return self.rank <= Verdict(str(other)).rank


_RANK = {verdict.value: rank for rank, verdict in enumerate(Verdict)}


class DeclaredTolerance(Protocol):
    """What an author allows: |y - s| ≤ atol + rtol · max |s|."""

    @property
    def rtol(self) -> float:
        """Share of the output's largest magnitude."""
        ...

    @property
    def atol(self) -> float:
        """Absolute part, in the output's own unit."""
        ...


@dataclass(frozen=True, slots=True)
class OutputMetrics:
    """One output of one run compared with the source (bundle format §6).

    Attributes:
        name: The output's name in the signature.
        dtype: Its dtype.
        max_abs: Largest |y - s| over elements that are finite in y, s and o; 1 for any
            difference in BOOL and BYTES; infinite when the shapes differ.
        scale: Largest |s| over the same elements.
        scaled_ulp: S; 0 when the output is not floating point.
        oracle_ratio: R; None without an oracle or when the output is not floating point.
        argmax_agree: Whether the arg-max along the last axis is the source's wherever the oracle
            is sure of it.
        non_finite_equal: Whether NaN, +Inf and -Inf stand in the same places as in the source.
        bit_equal: Whether every element equals the source's as bits (NaN payloads ignored).
        worst_index: Where the largest error is, or None when there is none.
    """

    name: str
    dtype: DType
    max_abs: float
    scale: float
    scaled_ulp: float
    oracle_ratio: float | None
    argmax_agree: bool
    non_finite_equal: bool
    bit_equal: bool
    worst_index: tuple[int, ...] | None


def epsilon(dtype: DType) -> float:
    """Machine epsilon of a float dtype: the gap between 1 and the next larger number."""
    return float(cast("float", ml_dtypes.finfo(dtype.numpy).eps))  # pyright: ignore[reportUnknownMemberType]


def compare_output(
    actual: Array, source: Array, oracle: Array | None, dtype: DType, name: str = ""
) -> OutputMetrics:
    """Measure one output against the source model's and the float64 oracle's.

    Args:
        actual: y, the engine's output; for BYTES an object array of str or None.
        source: s, the source framework's output, or the reference run where ``bit-exact`` is
            asked; same shape and dtype.
        oracle: o, float64, same shape; None where there is none, then s stands in for it.
        dtype: The output's dtype in the signature.
        name: The output's name, kept in the result.

    Returns:
        The metrics. For another shape or dtype they are such that the verdict is ``failed``.
    """
    if actual.shape != source.shape or actual.dtype != source.dtype:
        return _incomparable(name, dtype)
    if dtype is DType.BYTES:
        return _compare_strings(actual, source, name)
    if dtype.is_float:
        return _compare_floats(actual, source, oracle, dtype, name)
    return _compare_integers(actual, source, dtype, name)


def judge(
    metrics: Sequence[OutputMetrics],
    tolerance: DeclaredTolerance | None = None,
    same_engine: bool = False,  # noqa: FBT001 - the name of the rule
) -> Verdict:
    """The best verdict that all outputs of one run reach.

    Args:
        metrics: Of every output.
        tolerance: The author's, or None where none was declared.
        same_engine: Whether the source of the metrics is a run of the same engine and
            version, so that ``bit-exact`` may be given.
    """
    if not metrics:
        return Verdict.FAILED
    if same_engine and all(each.bit_equal for each in metrics):
        return Verdict.BIT_EXACT
    if all(_within_oracle(each) for each in metrics):
        return Verdict.WITHIN_ORACLE
    if tolerance is not None and all(_within_declared(each, tolerance) for each in metrics):
        return Verdict.WITHIN_DECLARED
    return Verdict.FAILED


def _within_oracle(metrics: OutputMetrics) -> bool:
    if not metrics.dtype.is_float:
        return metrics.bit_equal
    return (
        metrics.non_finite_equal
        and metrics.argmax_agree
        and metrics.scaled_ulp <= MAX_SCALED_ULP
        and (metrics.oracle_ratio is None or metrics.oracle_ratio <= MAX_ORACLE_RATIO)
    )


def _within_declared(metrics: OutputMetrics, tolerance: DeclaredTolerance) -> bool:
    if metrics.dtype in (DType.BOOL, DType.BYTES):
        return metrics.bit_equal
    bound = tolerance.atol + tolerance.rtol * metrics.scale
    return metrics.non_finite_equal and metrics.max_abs <= bound


def _incomparable(name: str, dtype: DType) -> OutputMetrics:
    infinite = float("inf")
    return OutputMetrics(
        name=name,
        dtype=dtype,
        max_abs=infinite,
        scale=0.0,
        scaled_ulp=infinite,
        oracle_ratio=None,
        argmax_agree=True,
        non_finite_equal=False,
        bit_equal=False,
        worst_index=None,
    )


def _compare_strings(actual: Array, source: Array, name: str) -> OutputMetrics:
    differs = np.fromiter(
        ((a or "") != (b or "") for a, b in zip(actual.flat, source.flat, strict=True)),
        dtype=np.bool_,
        count=actual.size,
    ).reshape(actual.shape)
    return _exact_metrics(name, DType.BYTES, differs.astype(np.uint64), scale=0.0)


def _compare_integers(actual: Array, source: Array, dtype: DType, name: str) -> OutputMetrics:
    if dtype is DType.BOOL:
        return _exact_metrics(name, dtype, (actual != source).astype(np.uint64), scale=0.0)
    signed = source.dtype.kind == "i"
    wide = np.int64 if signed else np.uint64
    y, s = actual.astype(wide), source.astype(wide)
    # The wrapped difference read as unsigned is the exact distance, for int64 too.
    distance = np.where(y > s, y - s, s - y).astype(np.uint64)
    magnitude = np.where(s < 0, -s, s).astype(np.uint64) if signed else s
    return _exact_metrics(name, dtype, distance, scale=float(magnitude.max(initial=0)))


def _exact_metrics(name: str, dtype: DType, distance: Array, scale: float) -> OutputMetrics:
    largest = float(distance.max(initial=0))
    return OutputMetrics(
        name=name,
        dtype=dtype,
        max_abs=largest,
        scale=scale,
        scaled_ulp=0.0,
        oracle_ratio=None,
        argmax_agree=True,
        non_finite_equal=True,
        bit_equal=largest == 0.0,
        worst_index=_index(distance) if largest else None,
    )


def _compare_floats(
    actual: Array, source: Array, oracle: Array | None, dtype: DType, name: str
) -> OutputMetrics:
    bit_equal = _bit_equal(actual, source)
    s = source.astype(np.float64)
    y = s if bit_equal else actual.astype(np.float64)
    o = s if oracle is None else oracle.astype(np.float64)
    finite = np.isfinite(s) & np.isfinite(o)
    masks_differ = None
    if not bit_equal:
        finite &= np.isfinite(y)
        differs = _non_finite_kind(y) != _non_finite_kind(s)
        masks_differ = differs if differs.any() else None
    error = _distance(y, o, finite)
    largest_error = float(error.max(initial=0.0))
    step = epsilon(dtype) * _largest(o, finite)
    ratio: float | None = None
    if oracle is not None:
        source_error = error if bit_equal else _distance(s, o, finite)
        ratio = _quotient(largest_error, max(float(source_error.max(initial=0.0)), step / 2))
    weights = error if masks_differ is None else masks_differ
    return OutputMetrics(
        name=name,
        dtype=dtype,
        max_abs=0.0 if bit_equal else float(_distance(y, s, finite).max(initial=0.0)),
        scale=_largest(s, finite),
        scaled_ulp=_quotient(largest_error, step),
        oracle_ratio=ratio,
        argmax_agree=bit_equal or _argmax_agree(y, s, o, largest_error),
        non_finite_equal=masks_differ is None,
        bit_equal=bit_equal,
        worst_index=_index(weights) if weights.any() else None,
    )


def _largest(values: Array, where: Array) -> float:
    """The largest magnitude where it counts."""
    return float(np.abs(values, where=where, out=np.zeros_like(values)).max(initial=0.0))


def _distance(a: Array, b: Array, where: Array) -> Array:
    """|a - b| where both count, 0 elsewhere."""
    return np.abs(np.subtract(a, b, where=where, out=np.zeros_like(a)))


def _quotient(numerator: float, denominator: float) -> float:
    """A quotient in which 0/0 is 0 and x/0 is infinite."""
    if numerator == 0.0:
        return 0.0
    return numerator / denominator if denominator else float("inf")


def _non_finite_kind(values: Array) -> Array:
    """0 for finite, 1 for NaN, 2 for +Inf, 3 for -Inf."""
    return np.isnan(values) + 2 * np.isposinf(values) + 3 * np.isneginf(values)


def _bit_equal(actual: Array, source: Array) -> bool:
    bits = np.dtype(f"u{actual.dtype.itemsize}")
    same = np.ascontiguousarray(actual).view(bits) == np.ascontiguousarray(source).view(bits)
    return bool(np.all(same | (np.isnan(actual) & np.isnan(source)).reshape(same.shape)))


def _argmax_agree(y: Array, s: Array, o: Array, largest_error: float) -> bool:
    """Whether the first arg-max of each row of the last axis is the source's.

    Rows with a non-finite element are left out; so are rows whose two largest oracle
    elements lie less than 4 x the largest error apart, where rounding alone decides.
    """
    if y.ndim == 0 or y.shape[-1] < 2 or y.size == 0:
        return True
    width = y.shape[-1]
    y, s, o = y.reshape(-1, width), s.reshape(-1, width), o.reshape(-1, width)
    usable = np.isfinite(y).all(1) & np.isfinite(s).all(1) & np.isfinite(o).all(1)
    if not usable.any():
        return True
    y, s, o = y[usable], s[usable], o[usable]
    moved = y.argmax(1) != s.argmax(1)
    if not moved.any():
        return True
    top = np.partition(o[moved], width - 2, axis=1)
    return bool(np.all(top[:, -1] - top[:, -2] < ARGMAX_MARGIN * largest_error))


def _index(weights: Array) -> tuple[int, ...]:
    return tuple(int(axis) for axis in np.unravel_index(int(weights.argmax()), weights.shape))
