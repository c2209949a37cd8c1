"""The two ways an export ends without a bundle."""

from __future__ import annotations

import importlib
from typing import Any

from sealane.core import ErrorCode, SealaneError


def unsupported(message: str, **details: object) -> SealaneError:
    """The model uses something that no route can export."""
    return SealaneError(ErrorCode.EXPORT_UNSUPPORTED, message, details)


def failed(message: str, **details: object) -> SealaneError:
    """A converter failed, or its result did not pass the gate."""
    return SealaneError(ErrorCode.EXPORT_FAILED, message, details)


def load_module(name: str, extra: str) -> Any:
    """Import a module that belongs to an optional extra.

    Args:
        name: Dotted module name.
        extra: The extra of the ``sealane`` distribution that brings it.

    Raises:
        SealaneError: ``ENGINE_UNAVAILABLE`` when it can not be imported.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"{name} can not be imported; install it with: pip install 'sealane[{extra}]'",
            {"module": name, "extra": extra},
        ) from error
