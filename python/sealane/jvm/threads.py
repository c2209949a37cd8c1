"""Python threads that have called Java, given back to it when they end.

JPype attaches a thread to the JVM on its first call; without a detach the JVM would keep a record
of every thread that ever ran a model.
"""

from __future__ import annotations

import importlib
import threading
from typing import Any

_local = threading.local()


class _Attached:
    """Lives in a thread's own storage, which Python clears when the thread ends."""

    def __init__(self) -> None:
        jpype: Any = importlib.import_module("jpype")
        self._thread: Any = jpype.java.lang.Thread

    def __del__(self) -> None:
        self._thread.detach()


def detach_at_exit() -> None:
    """Makes sure that this thread leaves the JVM when it ends. The main thread never does."""
    try:
        _local.attached  # noqa: B018
    except AttributeError:
        main = threading.current_thread() is threading.main_thread()
        _local.attached = None if main else _Attached()
