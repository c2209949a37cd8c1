"""The dtypes a tensor of a signature may have."""

from __future__ import annotations

from enum import StrEnum

import ml_dtypes
import numpy as np


class DType(StrEnum):
    """A tensor's element type, by its Open Inference Protocol name.

    The table of what each system calls it is ``tests/conformance/dtypes.json``.
    """

    BOOL = "BOOL"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    FP16 = "FP16"
    BF16 = "BF16"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """The NumPy dtype; ``object`` (holding ``str``) for BYTES."""
        return _NUMPY[self]

    @property
    def width(self) -> int | None:
        """Bytes per element; None for BYTES."""
        return None if self is DType.BYTES else _NUMPY[self].itemsize

    @property
    def is_float(self) -> bool:
        """Whether elements are floating point, so that NaN may mean missing."""
        return self in (DType.FP16, DType.BF16, DType.FP32, DType.FP64)

    @classmethod
    def from_numpy(cls, dtype: np.dtype[np.generic]) -> DType | None:
        """The dtype of a NumPy array, or None when no signature can hold it.

        NumPy's fixed-width strings (``U``, ``S``) and ``object`` are BYTES.
        """
        if dtype.kind in "OUS" or dtype.kind == "T":
            return cls.BYTES
        return _FROM_NUMPY.get(dtype.newbyteorder("="))


_NUMPY: dict[DType, np.dtype[np.generic]] = {
    DType.BOOL: np.dtype(np.bool_),
    DType.UINT8: np.dtype(np.uint8),
    DType.UINT16: np.dtype(np.uint16),
    DType.UINT32: np.dtype(np.uint32),
    DType.UINT64: np.dtype(np.uint64),
    DType.INT8: np.dtype(np.int8),
    DType.INT16: np.dtype(np.int16),
    DType.INT32: np.dtype(np.int32),
    DType.INT64: np.dtype(np.int64),
    DType.FP16: np.dtype(np.float16),
    DType.BF16: np.dtype(ml_dtypes.bfloat16),
    DType.FP32: np.dtype(np.float32),
    DType.FP64: np.dtype(np.float64),
    DType.BYTES: np.dtype(np.object_),
}
_FROM_NUMPY = {dtype: name for name, dtype in _NUMPY.items()}
