"""The words every room speaks: dtypes, signatures and errors. Imports NumPy only, does no I/O."""

from sealane.core.dtype import DType as DType
from sealane.core.errors import ErrorCode as ErrorCode
from sealane.core.errors import ErrorFamily as ErrorFamily
from sealane.core.errors import SealaneError as SealaneError
from sealane.core.signature import Dim as Dim
from sealane.core.signature import Domain as Domain
from sealane.core.signature import Method as Method
from sealane.core.signature import Signature as Signature
from sealane.core.signature import SymbolRange as SymbolRange
from sealane.core.signature import TensorSpec as TensorSpec

__all__ = [
    "DType",
    "Dim",
    "Domain",
    "ErrorCode",
    "ErrorFamily",
    "Method",
    "SealaneError",
    "Signature",
    "SymbolRange",
    "TensorSpec",
]
