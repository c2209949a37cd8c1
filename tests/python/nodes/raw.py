"""Plain ONNX Runtime for Python on a backend test: the line everything else is measured against."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import onnxruntime

if TYPE_CHECKING:
    from python.nodes.cases import NodeCase

_BF16 = np.dtype(ml_dtypes.bfloat16)
_BF16_ONNX_TYPE = 16


@dataclass(frozen=True)
class RawRun:
    """What plain ONNX Runtime made of a case.

    Attributes:
        status: ``passes`` (meets the specification's values), ``off-specification``,
            ``random`` (two runs differ), ``load-fails`` or ``run-fails``.
        outputs: Graph output name → array; empty when it did not run.
        message: Why it failed or differs.
    """

    status: str
    outputs: dict[str, np.ndarray]
    message: str = ""


def run_raw(case: NodeCase) -> RawRun:
    """Loads and runs a case twice, with ONNX Runtime's default graph optimisation."""
    try:
        session = _session(case)
    except Exception as error:
        return RawRun("load-fails", {}, str(error))
    try:
        outputs, again = _run(session, case), _run(session, case)
    except Exception as error:
        return RawRun("run-fails", {}, str(error))
    if unequal(outputs, again) is not None:
        return RawRun("random", outputs)
    wrong = _off_specification(case, outputs)
    return RawRun("off-specification" if wrong else "passes", outputs, wrong)


def unequal(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> str | None:
    """The first output whose dtype, shape or bits are not equal, described; None when all are."""
    for name, want in expected.items():
        got = actual[name]
        if got.dtype != want.dtype or got.shape != want.shape:
            return f"{name}: {got.dtype}{list(got.shape)} for {want.dtype}{list(want.shape)}"
        same = (
            got.tolist() == want.tolist()
            if want.dtype == object
            else np.ascontiguousarray(got).tobytes() == np.ascontiguousarray(want).tobytes()
        )
        if not same:
            return f"{name}: {got.ravel()[:4]} for {want.ravel()[:4]}"
    return None


def _session(case: NodeCase) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        case.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _run(session: onnxruntime.InferenceSession, case: NodeCase) -> dict[str, np.ndarray]:
    names = [each.name for each in session.get_outputs()]
    bf16 = any(
        each.type == "tensor(bfloat16)" for each in (*session.get_inputs(), *session.get_outputs())
    )
    if bf16:
        feeds = {name: _value(array) for name, array in case.inputs.items()}
        results = [_array(each) for each in session.run_with_ort_values(names, feeds)]
    else:
        results = [np.asarray(each) for each in session.run(names, case.inputs)]
    return dict(zip(names, results, strict=True))


def _value(array: np.ndarray) -> onnxruntime.OrtValue:
    if array.dtype == _BF16:
        return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(
            array.view(np.uint16), _BF16_ONNX_TYPE
        )
    return onnxruntime.OrtValue.ortvalue_from_numpy(array)


def _array(value: Any) -> np.ndarray:
    if value.element_type() != _BF16_ONNX_TYPE:
        return np.asarray(value.numpy())
    shape = tuple(value.shape())
    data = ctypes.string_at(value.data_ptr(), 2 * int(np.prod(shape, dtype=np.int64)))
    return np.frombuffer(data, _BF16).reshape(shape)


def _off_specification(case: NodeCase, outputs: dict[str, np.ndarray]) -> str:
    """Why the outputs do not meet the specification's values by the suite's own rule, or ""."""
    for name, want in case.expected.items():
        got = outputs[name]
        if got.shape != want.shape or got.dtype != want.dtype:
            return f"{name}: {got.dtype}{list(got.shape)} for {want.dtype}{list(want.shape)}"
        if want.dtype == object:
            if got.tolist() != want.tolist():
                return f"{name}: other strings"
            continue
        if want.dtype == _BF16:
            got, want = got.astype(np.float32), want.astype(np.float32)
        if not np.allclose(got, want, rtol=case.rtol, atol=case.atol, equal_nan=True):
            return f"{name}: outside rtol {case.rtol}, atol {case.atol}"
    return ""
