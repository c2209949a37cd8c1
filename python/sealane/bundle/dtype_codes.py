"""What other systems call the dtypes; the table is ``tests/conformance/dtypes.json``."""

from __future__ import annotations

from sealane.core import DType

SAFETENSORS: dict[DType, str] = {
    DType.BOOL: "BOOL",
    DType.UINT8: "U8",
    DType.UINT16: "U16",
    DType.UINT32: "U32",
    DType.UINT64: "U64",
    DType.INT8: "I8",
    DType.INT16: "I16",
    DType.INT32: "I32",
    DType.INT64: "I64",
    DType.FP16: "F16",
    DType.BF16: "BF16",
    DType.FP32: "F32",
    DType.FP64: "F64",
}
ONNX: dict[DType, int] = {
    DType.BOOL: 9,
    DType.UINT8: 2,
    DType.UINT16: 4,
    DType.UINT32: 12,
    DType.UINT64: 13,
    DType.INT8: 3,
    DType.INT16: 5,
    DType.INT32: 6,
    DType.INT64: 7,
    DType.FP16: 10,
    DType.BF16: 16,
    DType.FP32: 1,
    DType.FP64: 11,
    DType.BYTES: 8,
}
TENSORFLOW: dict[DType, int] = {
    DType.BOOL: 10,
    DType.UINT8: 4,
    DType.UINT16: 17,
    DType.UINT32: 22,
    DType.UINT64: 23,
    DType.INT8: 6,
    DType.INT16: 5,
    DType.INT32: 3,
    DType.INT64: 9,
    DType.FP16: 19,
    DType.BF16: 14,
    DType.FP32: 1,
    DType.FP64: 2,
    DType.BYTES: 7,
}
