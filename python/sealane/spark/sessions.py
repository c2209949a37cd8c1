"""Sessions of a Python worker: opened once, shared by its tasks, closed when others need room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sealane.runtime import Session

CAPACITY = 3
"""Sessions that a worker keeps open; those in use are kept beyond."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What one session serves.

    Attributes:
        content_id: Of the bundle.
        manifest: SHA-256 of its ``sealane.json``, which the content id does not cover.
        engine: What runs it.
        threads: Threads of one operator.
    """

    content_id: str
    manifest: str
    engine: str
    threads: int


class _Entry:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.users = 0
        self.evicted = False


class SessionCache:
    """Sessions by key, the least recently used closed first. Thread-safe.

    Args:
        capacity: Sessions kept while nobody uses them.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._entries: OrderedDict[SessionKey, _Entry] = OrderedDict()

    def __contains__(self, key: SessionKey) -> bool:
        with self._lock:
            return key in self._entries

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    @contextmanager
    def lease(self, key: SessionKey, opening: Callable[[], Session]) -> Generator[Session]:
        """The session of a key, which stays open as long as the block lasts.

        Args:
            key: What it serves.
            opening: Opens it, when there is none.
        """
        entry = self._take(key, opening)
        try:
            yield entry.session
        finally:
            with self._lock:
                entry.users -= 1
                close = entry.evicted and entry.users == 0
            if close:
                entry.session.close()

    def _take(self, key: SessionKey, opening: Callable[[], Session]) -> _Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(opening())
            self._entries.move_to_end(key)
            entry.users += 1
            idle = self._evict()
        for each in idle:
            each.session.close()
        return entry

    def _evict(self) -> list[_Entry]:
        """Removes what is beyond the capacity; gives those that nobody uses."""
        idle: list[_Entry] = []
        while len(self._entries) > self._capacity:
            _, entry = self._entries.popitem(last=False)
            entry.evicted = True
            if entry.users == 0:
                idle.append(entry)
        return idle


SESSIONS = SessionCache()
"""Those of this process."""
