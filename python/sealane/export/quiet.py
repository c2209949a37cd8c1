"""Converters held to silence: what fails is raised, not logged."""

from __future__ import annotations

import logging
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

_ONE_AT_A_TIME = threading.RLock()
"""Loggers, Python's warnings and PyTorch's exporter belong to the process."""


@contextmanager
def quiet(names: Sequence[str]) -> Generator[None]:
    """Hold back warnings and the notices of these loggers. For one thread at once."""
    loggers = [logging.getLogger(name) for name in names]
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        levels = [logger.level for logger in loggers]
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
