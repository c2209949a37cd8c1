"""ONNX Runtime in this process behind a session."""

from __future__ import annotations

import ctypes
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from onnx import TensorProto, helper

from sealane.core import DType, ErrorCode, SealaneError, Signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.runtime.values import AnyArray

_BF16_ONNX_TYPE = 16
_QUIET = 4
"""ONNX Runtime's log level FATAL: its errors are raised, not printed."""

_UNSUPPORTED_SIGNS = (
    "Unsupported model IR version",
    "ONNX Runtime only *guarantees* support",
    "is not a registered function/op",
    "Could not find an implementation for",
    "Failed to find kernel for",
    "No opset import for domain",
    "No Op registered for",
)


@dataclass(frozen=True, slots=True)
class OnnxOptions:
    """Settings of an ONNX Runtime session.

    Attributes:
        intra_op_threads: Threads of one operator; 0 for ONNX Runtime's default, one per core. Does
            not change results.
        optimization: Graph optimisation level: ``all`` (ONNX Runtime's default, in every
            language), ``extended``, ``basic`` or ``none``. Levels differ in rounding, so it is
            part of the evidence.
        spinning: Whether idle threads wait busily, as ONNX Runtime has it: lower latency, more CPU
            time. Does not change results.
    """

    intra_op_threads: int = 0
    optimization: str = "all"
    spinning: bool = True


class OnnxEngine:
    """One ONNX model loaded by ONNX Runtime on the CPU.

    Args:
        model: The model's bytes, or its path when it has external data.
        signature: The bundle's signature.
        inputs: Signature input name → graph input name.
        outputs: Signature output name → graph output name.
        label: The model and variant, for messages.
        options: Session settings.

    Raises:
        SealaneError: ARTIFACT_UNSUPPORTED when the IR version, opset or an operator is above this
            runtime; ENGINE_LOAD_FAILED for any other failure.
    """

    name = "onnx"

    def __init__(
        self,
        model: bytes | Path,
        signature: Signature,
        *,
        inputs: Mapping[str, str],
        outputs: Mapping[str, str],
        label: str,
        options: OnnxOptions | None = None,
    ) -> None:
        self._label = label
        self._renames_inputs = any(name != bound for name, bound in inputs.items())
        self._options = options or OnnxOptions()
        self._input_names = dict(inputs)
        self._output_names = dict(outputs)
        self._output_dtypes = {spec.name: spec.dtype for spec in signature.outputs}
        specs = (*signature.inputs, *signature.outputs)
        self._has_bf16 = any(spec.dtype is DType.BF16 for spec in specs)
        self._session: Any = _load(model, label, self._options)
        # InferenceSession.run looks at every name again, for 2 us a call.
        self._native: Any = getattr(self._session, "_sess", self._session)
        self._every_output = (
            tuple(spec.name for spec in signature.outputs),
            [outputs[spec.name] for spec in signature.outputs],
        )

    @property
    def version(self) -> str:
        """ONNX Runtime's version."""
        return str(_onnxruntime().__version__)

    @property
    def options(self) -> dict[str, object]:
        """The effective settings."""
        return {
            "optimization": self._options.optimization,
            "intraOpThreads": self._options.intra_op_threads,
            "spinning": self._options.spinning,
            "provider": "CPUExecutionProvider",
        }

    def run(self, inputs: dict[str, AnyArray], outputs: tuple[str, ...]) -> dict[str, AnyArray]:
        """Runs parsed inputs; see :meth:`sealane.runtime.session.Engine.run`."""
        feeds = inputs
        if self._renames_inputs:
            feeds = {self._input_names[name]: array for name, array in inputs.items()}
        every, wanted = self._every_output
        if outputs != every:
            wanted = [self._output_names[name] for name in outputs]
        try:
            if self._has_bf16:
                return self._run_with_bf16(feeds, wanted, outputs)
            results = self._native.run(wanted, feeds, None)
        except Exception as error:
            raise SealaneError(
                ErrorCode.ENGINE_RUN_FAILED,
                f"ONNX Runtime {self.version} failed to run {self._label}: {error}",
                {"engine": self.name},
            ) from error
        return dict(zip(outputs, results, strict=True))

    def _run_with_bf16(
        self, feeds: dict[str, AnyArray], wanted: list[str], outputs: tuple[str, ...]
    ) -> dict[str, AnyArray]:
        """Runs through OrtValue, because ONNX Runtime's NumPy door does not know bfloat16."""
        ort = _onnxruntime()
        bf16 = DType.BF16.numpy
        values: dict[str, object] = {}
        for name, array in feeds.items():
            if array.dtype == bf16:
                values[name] = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(
                    array.view(np.uint16), _BF16_ONNX_TYPE
                )
            elif array.dtype == np.object_:
                values[name] = _text_value(ort, array)
            else:
                values[name] = ort.OrtValue.ortvalue_from_numpy(array)
        results = self._session.run_with_ort_values(wanted, values)
        return {
            name: _copy_bf16(each)
            if self._output_dtypes[name] is DType.BF16
            else np.asarray(each.numpy())
            for name, each in zip(outputs, results, strict=True)
        }

    def close(self) -> None:
        """Frees the ONNX Runtime session."""
        self._session = self._native = None


def _onnxruntime() -> Any:
    return importlib.import_module("onnxruntime")


def _text_value(ort: Any, array: AnyArray) -> object:
    """Text as an OrtValue, which ONNX Runtime's Python door only gives as a model's output."""
    constant = TensorProto(data_type=TensorProto.STRING, dims=array.shape)
    constant.string_data.extend(str(text).encode() for text in array.reshape(-1))
    text = helper.make_tensor_value_info("text", TensorProto.STRING, None)
    node = helper.make_node("Constant", [], ["text"], value=constant)
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(
        helper.make_graph([node], "text", [], [text]), opset_imports=[opset], ir_version=8
    )
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run_with_ort_values(["text"], {})[0]


def _copy_bf16(value: Any) -> AnyArray:
    shape = tuple(int(size) for size in value.shape())
    data = ctypes.string_at(int(value.data_ptr()), 2 * int(np.prod(shape, dtype=np.int64)))
    return np.frombuffer(bytearray(data), DType.BF16.numpy).reshape(shape)


def _load(model: bytes | Path, label: str, options: OnnxOptions) -> object:
    ort = _onnxruntime()
    settings = ort.SessionOptions()
    settings.log_severity_level = _QUIET
    settings.intra_op_num_threads = options.intra_op_threads
    settings.graph_optimization_level = _optimization_level(ort, options.optimization)
    for pool in ("intra_op", "inter_op"):
        settings.add_session_config_entry(
            f"session.{pool}.allow_spinning", "1" if options.spinning else "0"
        )
    try:
        return cast(
            "object",
            ort.InferenceSession(
                str(model) if isinstance(model, Path) else model,
                settings,
                providers=["CPUExecutionProvider"],
            ),
        )
    except Exception as error:
        text = str(error)
        unsupported = any(sign in text for sign in _UNSUPPORTED_SIGNS)
        code = ErrorCode.ARTIFACT_UNSUPPORTED if unsupported else ErrorCode.ENGINE_LOAD_FAILED
        raise SealaneError(
            code,
            f"ONNX Runtime {ort.__version__} can not load {label}: {text}",
            {"engine": "onnx", "version": str(ort.__version__)},
        ) from error


def _optimization_level(ort: Any, name: str) -> object:
    levels = ort.GraphOptimizationLevel
    table = {
        "all": levels.ORT_ENABLE_ALL,
        "extended": levels.ORT_ENABLE_EXTENDED,
        "basic": levels.ORT_ENABLE_BASIC,
        "none": levels.ORT_DISABLE_ALL,
    }
    if name not in table:
        raise SealaneError(
            ErrorCode.ENGINE_LOAD_FAILED,
            f"optimization '{name}' is unknown: expected one of {', '.join(table)}",
        )
    return table[name]
