"""What a process and all its children used."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

EVERY = 0.25
YOUNG = 1.0


def cpu_seconds(pid: int) -> float:
    """User and system time of the tree so far; children that ended are part of their parents."""
    total = 0.0
    for process in _members(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


class Peak:
    """The largest resident size of a tree while it is watched, in bytes.

    Pages that a Python worker shares with its parent count twice. Processes younger than a second
    do not count: a JVM that starts a program, as Hadoop does to change a file's mode, looks twice
    as large for a moment.
    """

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._pid = pid
        self._stop = threading.Event()

    @classmethod
    @contextmanager
    def watch(cls, pid: int) -> Iterator[Self]:
        """Look four times a second."""
        peak = cls(pid)
        watcher = threading.Thread(target=peak._look)
        watcher.start()
        try:
            yield peak
        finally:
            peak._stop.set()
            watcher.join()

    def _look(self) -> None:
        while not self._stop.wait(EVERY):
            sizes = []
            for process in _members(self._pid):
                try:
                    if time.time() - process.create_time() > YOUNG:
                        sizes.append(process.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            self.bytes = max(self.bytes, sum(sizes))


def _members(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
