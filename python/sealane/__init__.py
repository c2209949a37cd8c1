"""Train models in Python, run them natively on the JVM, prove that both compute the same."""

from sealane.api import Bundle as Bundle
from sealane.api import Verification as Verification
from sealane.api import diff as diff
from sealane.api import export as export
from sealane.api import finetune as finetune
from sealane.api import inspect as inspect
from sealane.api import open_bundle as open
from sealane.api import verify as verify
from sealane.core import DType as DType
from sealane.core import ErrorCode as ErrorCode
from sealane.core import SealaneError as SealaneError
from sealane.core import Signature as Signature
from sealane.core import TensorSpec as TensorSpec
from sealane.features import Features as Features
from sealane.runtime import Session as Session

__all__ = [
    "Bundle",
    "DType",
    "ErrorCode",
    "Features",
    "SealaneError",
    "Session",
    "Signature",
    "TensorSpec",
    "Verification",
    "diff",
    "export",
    "finetune",
    "inspect",
    "open",
    "verify",
]
