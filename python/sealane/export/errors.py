"""The two ways an export ends without a bundle."""

from __future__ import annotations

from sealane.core import ErrorCode, SealaneError


def unsupported(message: str, **details: object) -> SealaneError:
    """The model uses something that no route can export."""
    return SealaneError(ErrorCode.EXPORT_UNSUPPORTED, message, details)


def failed(message: str, **details: object) -> SealaneError:
    """A converter failed, or its result did not pass the gate."""
    return SealaneError(ErrorCode.EXPORT_FAILED, message, details)
