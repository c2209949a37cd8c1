"""The one error type of Sealane and its stable codes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ErrorFamily(StrEnum):
    """What is at fault: the bundle, this call's input, the engine, or it is a service's refusal."""

    BUNDLE = "bundle"
    INPUT = "input"
    ENGINE = "engine"
    SERVICE = "service"


class ErrorCode(StrEnum):
    """A stable code, shared with Java through ``tests/conformance/error_codes.json``."""

    BUNDLE_NOT_FOUND = "BUNDLE_NOT_FOUND"
    BUNDLE_EXISTS = "BUNDLE_EXISTS"
    MANIFEST_INVALID = "MANIFEST_INVALID"
    FORMAT_UNSUPPORTED = "FORMAT_UNSUPPORTED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    PATH_UNSAFE = "PATH_UNSAFE"
    FILES_DIFFER = "FILES_DIFFER"
    CONTENT_ID_MISMATCH = "CONTENT_ID_MISMATCH"
    CONTENT_FORBIDDEN = "CONTENT_FORBIDDEN"
    GOLDEN_INVALID = "GOLDEN_INVALID"
    ARTIFACT_INVALID = "ARTIFACT_INVALID"
    ARTIFACT_UNSAFE = "ARTIFACT_UNSAFE"
    ARTIFACT_UNSUPPORTED = "ARTIFACT_UNSUPPORTED"
    VARIANT_NOT_FOUND = "VARIANT_NOT_FOUND"
    PARITY_FAILED = "PARITY_FAILED"
    SIGNING_MISSING = "SIGNING_MISSING"
    SIGNING_INVALID = "SIGNING_INVALID"
    SIGNER_UNTRUSTED = "SIGNER_UNTRUSTED"
    SIGNING_KEY_INVALID = "SIGNING_KEY_INVALID"
    POLICY_REFUSED = "POLICY_REFUSED"
    EXPORT_UNSUPPORTED = "EXPORT_UNSUPPORTED"
    EXPORT_FAILED = "EXPORT_FAILED"
    INPUT_MISSING = "INPUT_MISSING"
    INPUT_UNKNOWN = "INPUT_UNKNOWN"
    INPUT_DTYPE = "INPUT_DTYPE"
    INPUT_SHAPE = "INPUT_SHAPE"
    INPUT_RAGGED = "INPUT_RAGGED"
    INPUT_NULL = "INPUT_NULL"
    INPUT_DOMAIN = "INPUT_DOMAIN"
    INPUT_TOO_LARGE = "INPUT_TOO_LARGE"
    INPUT_LAYOUT = "INPUT_LAYOUT"
    ENGINE_UNAVAILABLE = "ENGINE_UNAVAILABLE"
    ENGINE_LOAD_FAILED = "ENGINE_LOAD_FAILED"
    ENGINE_RUN_FAILED = "ENGINE_RUN_FAILED"
    SESSION_CLOSED = "SESSION_CLOSED"
    TENSOR_CLOSED = "TENSOR_CLOSED"
    BRIDGE_FAILED = "BRIDGE_FAILED"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    MODEL_NOT_READY = "MODEL_NOT_READY"
    REQUEST_INVALID = "REQUEST_INVALID"
    REQUEST_UNSUPPORTED = "REQUEST_UNSUPPORTED"
    OVERLOADED = "OVERLOADED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    REQUEST_CANCELLED = "REQUEST_CANCELLED"

    @property
    def family(self) -> ErrorFamily:
        """The family this code belongs to."""
        if self.startswith("INPUT_"):
            return ErrorFamily.INPUT
        if self.startswith(("ENGINE_", "SESSION_", "TENSOR_", "BRIDGE_")):
            return ErrorFamily.ENGINE
        if self.startswith(("MODEL_", "REQUEST_", "OVERLOADED", "DEADLINE_")):
            return ErrorFamily.SERVICE
        return ErrorFamily.BUNDLE


class SealaneError(Exception):
    """Every error Sealane raises on purpose.

    Attributes:
        code: The stable code; compare it, never the message.
        message: What is wrong, where, expected and received, what to do.
        details: Fields of the failure for machines, JSON-serialisable.
    """

    def __init__(
        self, code: ErrorCode, message: str, details: dict[str, object] | None = None
    ) -> None:
        super().__init__(f"{code.value}: {message}")
        self.code = code
        self.message = message
        self.details: dict[str, object] = details or {}

    @property
    def fields(self) -> dict[str, object]:
        """``code``, ``message`` and ``details``, as JSON holds them."""
        return {"code": self.code.value, "message": self.message, "details": self.details}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> SealaneError:
        """The error that has these `fields`."""
        return cls(ErrorCode(fields["code"]), fields["message"], fields["details"])

    def __reduce__(self) -> tuple[type[SealaneError], tuple[ErrorCode, str, dict[str, object]]]:
        return (type(self), (self.code, self.message, self.details))
