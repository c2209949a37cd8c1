"""Metrics and verdicts agree with the shared vectors, which exact arithmetic made."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from corpus.run import CONFORMANCE

from sealane.bundle import OutputMetrics, Tolerance, Verdict, compare_output, judge
from sealane.core import DType

VECTORS = json.loads((CONFORMANCE / "parity_vectors.json").read_bytes())
NAMES = {
    "maxAbs": "max_abs",
    "scale": "scale",
    "scaledUlp": "scaled_ulp",
    "oracleRatio": "oracle_ratio",
    "argmaxAgree": "argmax_agree",
    "nonFiniteEqual": "non_finite_equal",
    "bitEqual": "bit_equal",
}


def array(data: Any, dtype: DType, shape: list[int]) -> np.ndarray:
    if dtype is DType.BYTES:
        flat = np.empty(len(data), dtype=object)
        flat[:] = data
        return flat.reshape(shape)
    return (
        np.frombuffer(bytes.fromhex(data), dtype.numpy.newbyteorder("<"))
        .reshape(shape)
        .astype(dtype.numpy)
    )


def metrics(case: dict[str, Any]) -> OutputMetrics:
    dtype, shape = DType(case["dtype"]), case["shape"]
    oracle = array(case["oracle"], DType.FP64, shape) if "oracle" in case else None
    actual = array(case["actual"], dtype, case.get("actualShape", shape))
    return compare_output(actual, array(case["source"], dtype, shape), oracle, dtype, "y")


def tolerance(case: dict[str, Any]) -> Tolerance | None:
    return Tolerance(**case["tolerance"], reason="vector") if "tolerance" in case else None


@pytest.mark.parametrize("case", VECTORS["compare"], ids=lambda case: case["why"])
def test_compare(case):
    found = metrics(case)
    for name, expected in case["expected"].items():
        if name == "worstIndex":
            index = found.worst_index
            flat = (
                -1
                if index is None
                else int(np.ravel_multi_index(index, case["shape"] or [1]) if index else 0)
            )
            assert flat == expected
        elif isinstance(expected, bool) or expected is None:
            assert getattr(found, NAMES[name]) is expected, name
        else:
            assert getattr(found, NAMES[name]) == pytest.approx(float(expected), rel=1e-12), name
    verdicts = {
        "plain": judge([found]),
        "same-engine": judge([found], same_engine=True),
        "declared": judge([found], tolerance(case)),
    }
    for name, verdict in case["verdicts"].items():
        assert verdicts[name] is Verdict(verdict), name


@pytest.mark.parametrize(
    "case", VECTORS["judge"], ids=lambda case: f"{case['why']} {case['sameEngine']}"
)
def test_judge(case):
    found = [metrics(VECTORS["compare"][index]) for index in case["compare"]]
    verdict = judge(found, tolerance(case), same_engine=case["sameEngine"])
    assert verdict is Verdict(case["verdict"])


def test_verdicts_are_ordered_from_failed_up_to_bit_exact():
    assert sorted(Verdict) == [
        Verdict.FAILED,
        Verdict.TASK_ONLY,
        Verdict.WITHIN_DECLARED,
        Verdict.WITHIN_ORACLE,
        Verdict.BIT_EXACT,
    ]
    assert Verdict.BIT_EXACT >= Verdict.WITHIN_ORACLE
    assert not Verdict.FAILED >= Verdict.TASK_ONLY
    assert Verdict.worst([Verdict.BIT_EXACT, Verdict.TASK_ONLY]) is Verdict.TASK_ONLY


def test_inputs_are_not_changed():
    values = np.array([1.0, np.nan, 3.0], np.float32)
    kept = values.copy()
    compare_output(values, values, values.astype(np.float64), DType.FP32)
    np.testing.assert_array_equal(values, kept)
