"""Parity vectors: outputs, sources and oracles with the metrics and verdicts they must give.

The expected numbers are computed here by the definitions of format §6 in exact rational
arithmetic, element by element, apart from the package's own vectorised code.
"""

from __future__ import annotations

import functools
import json
import math
import operator
from fractions import Fraction
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from sealane.core import DType

if TYPE_CHECKING:
    from pathlib import Path

INF, NAN = math.inf, math.nan
Case = dict[str, Any]


def write_vectors(path: Path) -> None:
    """Write ``parity_vectors.json``."""
    compare = [_described(*each) for each in _cases()]
    document = {"compare": compare, "judge": _judged(compare)}
    text = json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False)
    path.write_text(text + "\n", encoding="ascii")


def _cases() -> list[tuple[str, DType, Any, Any, Any, Any]]:
    """Why, dtype, actual, source, oracle or None, and (rtol, atol) or None."""
    f32, f64, f16, bf16 = DType.FP32, DType.FP64, DType.FP16, DType.BF16
    row = [0.1, -2.5, 3.75, 1e-3]
    o = [Fraction(1, 3), Fraction(-2, 7), Fraction(9, 11)]
    third = [float(each) for each in o]
    step = float(np.finfo(np.float32).eps)
    big = (1 << 63) - 1
    return [
        ("equal", f32, row, row, row, None),
        ("equal without an oracle", f32, row, row, None, None),
        ("rounded to FP32 against a finer oracle", f32, third, third, third, None),
        ("one unit in the last place", f32, [1 + step, 1.0], [1.0, 1.0], [1.0, 1.0], None),
        ("S of exactly 64", f32, [1 + 64 * step, 0.5], [1 + 32 * step, 0.5], [1.0, 0.5], None),
        ("S of 65", f32, [1 + 65 * step, 0.5], [1 + 33 * step, 0.5], [1.0, 0.5], None),
        ("R of exactly 8", f32, [1 + 8 * step, 0.5], [1 + step, 0.5], [1.0, 0.5], None),
        ("R of 9", f32, [1 + 9 * step, 0.5], [1 + step, 0.5], [1.0, 0.5], None),
        ("the source exact, so R is floored", f32, [1 + 4 * step], [1.0], [1.0], None),
        ("the source exact, 5 steps off", f32, [1 + 5 * step], [1.0], [1.0], None),
        ("better than the source", f32, [1 + step], [1 + 20 * step], [1.0], None),
        ("without an oracle only S counts", f32, [1 + 60 * step], [1.0], None, None),
        ("a corrupted weight", f32, [0.12345, 0.5], [0.1234, 0.5], [0.1234, 0.5], None),
        ("inside the tolerance", f32, [1.001, 0.5], [1.0, 0.5], [1.0, 0.5], (1e-2, 0.0)),
        ("inside atol alone", f32, [1.001, 0.5], [1.0, 0.5], [1.0, 0.5], (0.0, 2e-3)),
        ("outside the tolerance", f32, [1.1, 0.5], [1.0, 0.5], [1.0, 0.5], (1e-2, 1e-3)),
        ("rtol is of the largest magnitude", f32, [100.0, 0.9], [100.0, 0.5], None, (5e-3, 0.0)),
        ("minus zero for zero", f32, [-0.0, 1.0], [0.0, 1.0], [0.0, 1.0], None),
        ("NaN in the same places", f32, [NAN, 1.0], [NAN, 1.0], [NAN, 1.0], None),
        ("NaN where the source has a number", f32, [NAN, 1.0], [0.5, 1.0], [0.5, 1.0], None),
        ("a number where the source has NaN", f32, [0.5, 1.0], [NAN, 1.0], [NAN, 1.0], (1.0, 1.0)),
        ("infinities of the same sign", f32, [INF, -INF, 1.0], [INF, -INF, 1.0], [INF, -INF, 1.0], None),
        ("infinities of other sign", f32, [INF, 1.0], [-INF, 1.0], [-INF, 1.0], None),
        ("infinity for NaN", f32, [INF, 1.0], [NAN, 1.0], [NAN, 1.0], None),
        ("the oracle finite where FP16 overflows", f16, [INF, 2.0], [INF, 2.0], [70000.0, 2.0], None),
        ("all NaN", f32, [NAN, NAN], [NAN, NAN], [NAN, NAN], None),
        ("all zero", f32, [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], None),
        ("tiny where the oracle is zero", f32, [1e-9, 0.0], [0.0, 0.0], [0.0, 0.0], None),
        ("tiny where all is zero, declared", f32, [1e-9, 0.0], [0.0, 0.0], None, (0.0, 1e-6)),
        ("empty", f32, [[]], [[]], [[]], None),
        ("a scalar", f32, 1.5, 1.5, 1.5, None),
        ("denormals", f32, [1e-45, 1e-40], [1e-45, 1e-40], [1e-45, 1e-40], None),
        ("the largest numbers", f32, [3e38, -3e38], [-3e38, 3e38], [-3e38, 3e38], None),
        ("arg-max moved, margin clear in the oracle", f32, [[1.0, 2.0]], [[2.0, 1.9999]], [[1.0, 2.0]], None),
        ("arg-max moved in a close call", f32, [[1.0, 1 + step]], [[1.0, 1.0 - step]], [[1.0, 1.0]], None),
        ("arg-max of equal elements is the first", f32, [[2.0, 2.0]], [[2.0, 2.0]], [[2.0, 2.0]], None),
        ("arg-max moved in a row with NaN", f32, [[1.0, 2.0, NAN]], [[2.0, 1.0, NAN]], [[1.0, 2.0, NAN]], None),
        ("arg-max moved in one column only", f32, [[1.0], [2.0]], [[2.0], [1.0]], [[1.0], [2.0]], None),
        ("FP64 a step off", f64, [1 + 2**-52, 1.0], [1.0, 1.0], [1.0, 1.0], None),
        ("FP64 equal", f64, third, third, third, None),
        ("FP16 a step off", f16, [1 + 2**-10, 0.5], [1.0, 0.5], [1.0, 0.5], None),
        ("FP16 sixty steps off", f16, [1 + 60 * 2**-10, 0.5], [1 + 20 * 2**-10, 0.5], [1.0, 0.5], None),
        ("BF16 a step off", bf16, [1 + 2**-7, 0.5], [1.0, 0.5], [1.0, 0.5], None),
        ("BF16 of other sign", bf16, [-1.0, 0.5], [1.0, 0.5], [1.0, 0.5], None),
        ("INT64 equal", DType.INT64, [big, -big - 1], [big, -big - 1], None, None),
        ("INT64 at both ends", DType.INT64, [big, 0], [-big - 1, 0], None, (0.0, 10.0)),
        ("INT64 one off", DType.INT64, [5, 7], [5, 8], None, (0.0, 1.0)),
        ("INT8 of the least number", DType.INT8, [-128, 1], [-127, 1], None, (0.01, 0.0)),
        ("UINT64 equal", DType.UINT64, [2**64 - 1, 0], [2**64 - 1, 0], None, None),
        ("UINT64 at both ends", DType.UINT64, [0], [2**64 - 1], None, None),
        ("UINT8 one off", DType.UINT8, [[254, 3]], [[255, 3]], None, (0.0, 1.0)),
        ("INT32 empty", DType.INT32, [], [], None, None),
        ("BOOL equal", DType.BOOL, [True, False], [True, False], None, None),
        ("BOOL differing", DType.BOOL, [True, True], [True, False], None, (0.0, 1.0)),
        ("BYTES equal", DType.BYTES, ["a", "\u00df\U0001f6eb"], ["a", "\u00df\U0001f6eb"], None, None),
        ("BYTES differing", DType.BYTES, [["a", "b"]], [["a", "B"]], None, (0.0, 1.0)),
        ("BYTES null for the empty string", DType.BYTES, ["", "a"], [None, "a"], None, None),
        ("BYTES of another normal form", DType.BYTES, ["e\u0301"], ["\u00e9"], None, None),
        ("another shape", f32, [1.0, 2.0], [[1.0, 2.0]], [[1.0, 2.0]], (1.0, 1.0)),
    ]  # fmt: skip


def _array(values: Any, dtype: DType) -> np.ndarray:
    if dtype is DType.BYTES:
        return np.array(values, dtype=object)
    if dtype.is_float:
        return np.array(values, dtype=np.float64).astype(dtype.numpy)
    return np.array(values, dtype=dtype.numpy)


def _described(
    why: str,
    dtype: DType,
    actual: Any,
    source: Any,
    oracle: Any,
    tolerance: tuple[float, float] | None,
) -> Case:
    y, s = _array(actual, dtype), _array(source, dtype)
    o = None if oracle is None else np.array(oracle, dtype=np.float64)
    case: Case = {"why": why, "dtype": dtype.value, "shape": list(s.shape)}
    if y.shape != s.shape:
        case["actualShape"] = list(y.shape)
    case |= {"actual": _encoded(y), "source": _encoded(s)}
    if o is not None:
        case["oracle"] = _encoded(o)
    if tolerance is not None:
        case["tolerance"] = {"rtol": tolerance[0], "atol": tolerance[1]}
    expected = _expected(y, s, o, dtype)
    case["expected"] = {name: _number(value) for name, value in expected.items()}
    case["verdicts"] = _verdicts(expected, dtype, tolerance)
    return case


def _encoded(array: np.ndarray) -> Any:
    if array.dtype == object:
        return array.ravel().tolist()
    return array.astype(array.dtype.newbyteorder("<")).tobytes().hex()


def _number(value: Any) -> Any:
    return "Infinity" if isinstance(value, float) and math.isinf(value) else value


def _expected(y: np.ndarray, s: np.ndarray, o: np.ndarray | None, dtype: DType) -> Case:
    if y.shape != s.shape:
        return {"maxAbs": INF, "nonFiniteEqual": False, "bitEqual": False}
    if dtype.is_float:
        return _expected_floats(y, s, o, dtype)
    pairs = list(zip(y.ravel().tolist(), s.ravel().tolist(), strict=True))
    if dtype in (DType.BOOL, DType.BYTES):
        errors = [
            int((a or "") != (b or "")) if dtype is DType.BYTES else int(a != b) for a, b in pairs
        ]
        scale = 0
    else:
        errors = [abs(a - b) for a, b in pairs]
        scale = max((abs(b) for _, b in pairs), default=0)
    largest = max(errors, default=0)
    return {
        "maxAbs": float(largest),
        "scale": float(scale),
        "nonFiniteEqual": True,
        "bitEqual": largest == 0,
        "worstIndex": errors.index(largest) if largest else -1,
    }


def _kind(value: float) -> str:
    return "finite" if math.isfinite(value) else str(value)


def _expected_floats(y: np.ndarray, s: np.ndarray, o: np.ndarray | None, dtype: DType) -> Case:
    ys, ss = (each.astype(np.float64).ravel().tolist() for each in (y, s))
    os = ss if o is None else o.ravel().tolist()
    counted = [i for i in range(len(ys)) if all(map(math.isfinite, (ys[i], ss[i], os[i])))]
    errors = {i: abs(Fraction(ys[i]) - Fraction(os[i])) for i in counted}
    largest = max(errors.values(), default=Fraction(0))
    step = Fraction(float(ml_dtypes.finfo(dtype.numpy).eps)) * max(
        (abs(Fraction(os[i])) for i in counted), default=Fraction(0)
    )
    own = max((abs(Fraction(ss[i]) - Fraction(os[i])) for i in counted), default=Fraction(0))
    masks = [i for i in range(len(ys)) if _kind(ys[i]) != _kind(ss[i])]
    worst = next((i for i in counted if errors[i] == largest), -1) if largest else -1
    return {
        "maxAbs": float(max((abs(Fraction(ys[i]) - Fraction(ss[i])) for i in counted), default=0)),
        "scale": float(max((abs(Fraction(ss[i])) for i in counted), default=0)),
        "scaledUlp": _quotient(largest, step),
        "oracleRatio": None if o is None else _quotient(largest, max(own, step / 2)),
        "argmaxAgree": _argmax_agree(y, ys, ss, os, largest),
        "nonFiniteEqual": not masks,
        "bitEqual": all(
            (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
            for a, b in zip(ys, ss, strict=True)
        ),
        "worstIndex": masks[0] if masks else worst,
    }  # fmt: skip


def _quotient(numerator: Fraction, denominator: Fraction) -> float:
    if not numerator:
        return 0.0
    return float(numerator / denominator) if denominator else INF


def _argmax_agree(
    y: np.ndarray, ys: list[float], ss: list[float], os: list[float], largest: Fraction
) -> bool:
    width = y.shape[-1] if y.ndim else 0
    if width < 2:
        return True
    for start in range(0, len(ys), width):
        rows = [each[start : start + width] for each in (ys, ss, os)]
        if not all(map(math.isfinite, functools.reduce(operator.iadd, rows, []))):
            continue
        if rows[0].index(max(rows[0])) != rows[1].index(max(rows[1])):
            first, second = sorted(map(Fraction, rows[2]), reverse=True)[:2]
            if first - second >= 4 * largest:
                return False
    return True


def _verdicts(expected: Case, dtype: DType, tolerance: tuple[float, float] | None) -> Case:
    if dtype.is_float and "scale" in expected:
        ratio = expected["oracleRatio"]
        within = (
            expected["nonFiniteEqual"] and expected["argmaxAgree"]
            and expected["scaledUlp"] <= 64 and (ratio is None or ratio <= 8)
        )  # fmt: skip
    else:
        within = expected["bitEqual"]
    plain = "within-oracle" if within else "failed"
    result = {"plain": plain, "same-engine": "bit-exact" if expected["bitEqual"] else plain}
    if tolerance is not None:
        exact_only = dtype in (DType.BOOL, DType.BYTES)
        inside = expected["nonFiniteEqual"] and (
            expected["bitEqual"] if exact_only
            else expected["maxAbs"] <= tolerance[1] + tolerance[0] * expected.get("scale", 0.0)
        )  # fmt: skip
        result["declared"] = plain if within else "within-declared" if inside else "failed"
    return result


def _judged(compare: list[Case]) -> list[Case]:
    """Pairs of outputs: the verdict of a run is no better than that of its worst output."""
    names = [case["why"] for case in compare]
    picked = ["equal", "one unit in the last place", "inside the tolerance", "a corrupted weight",
              "INT64 equal", "BYTES differing", "NaN where the source has a number"]  # fmt: skip
    tolerance = {"rtol": 1e-2, "atol": 0.0}
    ladder = ["bit-exact", "within-oracle", "within-declared", "task-only", "failed"]
    cases: list[Case] = [
        {"why": "no outputs", "compare": [], "sameEngine": True, "verdict": "failed"}
    ]
    for (first, second), same in product(pairwise(picked), (False, True)):
        pair = [names.index(first), names.index(second)]
        verdicts = []
        for index in pair:
            case = compare[index]
            tight = _verdicts(
                {k: INF if v == "Infinity" else v for k, v in case["expected"].items()},
                DType(case["dtype"]), (tolerance["rtol"], tolerance["atol"]),
            )  # fmt: skip
            verdicts.append(
                tight["same-engine"]
                if same and tight["same-engine"] == "bit-exact"
                else tight["declared"]
            )
        if "bit-exact" in verdicts and verdicts[0] != verdicts[1]:
            verdicts = ["within-oracle" if each == "bit-exact" else each for each in verdicts]
        worst = max(verdicts, key=ladder.index)
        cases.append({"why": f"{first}; {second}", "compare": pair, "tolerance": tolerance,
                      "sameEngine": same, "verdict": worst})  # fmt: skip
    return cases
