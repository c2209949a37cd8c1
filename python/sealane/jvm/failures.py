"""Java's exceptions as :class:`SealaneError` with the same code."""

from __future__ import annotations

import importlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sealane.core import SealaneError

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def java_errors(bridge: Any) -> Generator[None]:
    """Turns what Java throws inside the block into SealaneError."""
    jpype: Any = importlib.import_module("jpype")
    try:
        yield
    except jpype.JException as error:
        raise from_java(bridge, error) from error


def from_java(bridge: Any, error: Any) -> SealaneError:
    """The same error in Python; BRIDGE_FAILED when it is none of Sealane's own."""
    fields: dict[str, Any] = json.loads(str(bridge.error(error)))
    return SealaneError.of(fields)
