"""What ONNX calls each dtype."""

from __future__ import annotations

from onnx import TensorProto

from sealane.core import DType

TO_ONNX: dict[DType, int] = {
    DType.BOOL: TensorProto.BOOL,
    DType.UINT8: TensorProto.UINT8,
    DType.UINT16: TensorProto.UINT16,
    DType.UINT32: TensorProto.UINT32,
    DType.UINT64: TensorProto.UINT64,
    DType.INT8: TensorProto.INT8,
    DType.INT16: TensorProto.INT16,
    DType.INT32: TensorProto.INT32,
    DType.INT64: TensorProto.INT64,
    DType.FP16: TensorProto.FLOAT16,
    DType.BF16: TensorProto.BFLOAT16,
    DType.FP32: TensorProto.FLOAT,
    DType.FP64: TensorProto.DOUBLE,
    DType.BYTES: TensorProto.STRING,
}
_FROM_ONNX = {number: dtype for dtype, number in TO_ONNX.items()}


def from_onnx(elem_type: int) -> DType | None:
    """The dtype of an ONNX element type, or None when no signature can hold it."""
    return _FROM_ONNX.get(elem_type)
