"""The ONNX backend tests of the `onnx` package: a model, its inputs and the specified outputs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from sealane.core import DType

NEWEST_OPSET = 26
"""The newest default-domain opset of ONNX Runtime 1.28.0."""
NEWEST_IR = 13
"""The newest IR version of ONNX Runtime 1.28.0."""

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")

_DTYPES = {
    onnx.TensorProto.DataType.Value(name): dtype
    for name, dtype in {
        "BOOL": DType.BOOL,
        "UINT8": DType.UINT8,
        "UINT16": DType.UINT16,
        "UINT32": DType.UINT32,
        "UINT64": DType.UINT64,
        "INT8": DType.INT8,
        "INT16": DType.INT16,
        "INT32": DType.INT32,
        "INT64": DType.INT64,
        "FLOAT16": DType.FP16,
        "BFLOAT16": DType.BF16,
        "FLOAT": DType.FP32,
        "DOUBLE": DType.FP64,
        "STRING": DType.BYTES,
    }.items()
}


@dataclass(frozen=True)
class NodeCase:
    """One backend test.

    Attributes:
        name: The suite's own name, without the prefix ``test_``; unique.
        kind: Which of the package's sets it comes from.
        model: The model, as the suite stamps it.
        inputs: Graph input name → value.
        expected: Graph output name → value by the specification.
        rtol: Relative tolerance of the suite's own comparison.
        atol: Absolute tolerance of it.
        restamped: Whether IR and opset were lowered to the runtime's newest; the values are not.
    """

    name: str
    kind: str
    model: onnx.ModelProto
    inputs: dict[str, Any]
    expected: dict[str, Any]
    rtol: float
    atol: float
    restamped: bool = False

    def foreign_types(self) -> list[str]:
        """The types of its graph inputs and outputs that no Sealane signature can have."""
        every = (*self.model.graph.input, *self.model.graph.output)
        return sorted({_type_name(each) for each in every if _dtype(each) is None})

    def lowered(self) -> NodeCase | None:
        """The case stamped with the runtime's newest IR and opset; None where it is not newer."""
        default = [each for each in self.model.opset_import if each.domain in ("", "ai.onnx")]
        if self.model.ir_version <= NEWEST_IR and all(o.version <= NEWEST_OPSET for o in default):
            return None
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        model.ir_version = min(model.ir_version, NEWEST_IR)
        for each in model.opset_import:
            if each.domain in ("", "ai.onnx"):
                each.version = min(each.version, NEWEST_OPSET)
        return replace(self, name=f"{self.name}@opset{NEWEST_OPSET}", model=model, restamped=True)


def dtype_of(value: onnx.ValueInfoProto) -> DType:
    """The Sealane dtype of a graph input or output that has one."""
    dtype = _dtype(value)
    assert dtype is not None, value.name
    return dtype


def load_cases() -> list[NodeCase]:
    """Every backend test of the package that carries its data, in the package's order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [_read_case(test, kind) for kind in KINDS for test in load_model_tests(kind=kind)]


def _read_case(test: Any, kind: str) -> NodeCase:
    model, (inputs, outputs) = test.model, (test.data_sets or [((), ())])[0]
    if model is None:
        model = onnx.load(Path(test.model_dir) / "model.onnx")
        inputs, outputs = _stored(model, Path(test.model_dir) / "test_data_set_0")
    return NodeCase(
        name=test.name.removeprefix("test_"),
        kind=kind,
        model=model,
        inputs=_named(model.graph.input, inputs),
        expected=_named(model.graph.output, outputs),
        rtol=test.rtol,
        atol=test.atol,
    )


def _stored(model: onnx.ModelProto, folder: Path) -> tuple[list[Any], list[Any]]:
    def read(stem: str) -> list[Any]:
        count = len(list(folder.glob(f"{stem}_*.pb")))
        return [(folder / f"{stem}_{index}.pb").read_bytes() for index in range(count)]

    def parse(data: bytes, value: onnx.ValueInfoProto) -> Any:
        if value.type.WhichOneof("value") != "tensor_type":
            return data
        tensor = onnx.TensorProto()
        tensor.ParseFromString(data)
        return tensor

    return (
        [parse(data, value) for data, value in zip(read("input"), model.graph.input, strict=False)],
        [
            parse(data, value)
            for data, value in zip(read("output"), model.graph.output, strict=True)
        ],
    )


def _named(values: Any, data: Any) -> dict[str, Any]:
    return {value.name: _array(value, each) for value, each in zip(values, data, strict=False)}


def _array(value: onnx.ValueInfoProto, data: Any) -> Any:
    dtype = _dtype(value)
    if dtype is None:
        return data
    array = numpy_helper.to_array(data) if isinstance(data, onnx.TensorProto) else np.asarray(data)
    if dtype is DType.BYTES:
        texts = [each.decode() if isinstance(each, bytes) else str(each) for each in array.ravel()]
        packed = np.empty(len(texts), object)
        packed[:] = texts
        return packed.reshape(array.shape)
    return np.ascontiguousarray(array).reshape(array.shape)


def _dtype(value: onnx.ValueInfoProto) -> DType | None:
    if value.type.WhichOneof("value") != "tensor_type":
        return None
    return _DTYPES.get(value.type.tensor_type.elem_type)


def _type_name(value: onnx.ValueInfoProto) -> str:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        return str(kind).removesuffix("_type")
    return onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
