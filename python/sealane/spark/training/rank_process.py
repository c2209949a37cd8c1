"""A rank's process, as its task sees it."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any

from sealane.training.distributed.rank import ALIVE, main

if TYPE_CHECKING:
    from sealane.training.distributed.rank import RankJob


class RankProcess:
    """Started with the object, ended with the block. Used by one thread.

    Args:
        job: What it does.
        environment: Its own.
    """

    def __init__(self, job: RankJob, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {main.__module__} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._given, self._told = self._process.stdin, self._process.stdout
        self._patience = job.config.stall_seconds
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=_read, args=(self._told, self._lines), daemon=True)
        self._reader.start()
        job.write(self._given)

    def __enter__(self) -> RankProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._told.close()
        try:
            self._given.close()
        except BrokenPipeError:
            return

    def send(self, order: dict[str, Any]) -> None:
        """Tells the process what to do; one that is gone tells why when it is listened to."""
        try:
            self._given.write(json.dumps(order).encode() + b"\n")
            self._given.flush()
        except BrokenPipeError:
            return

    def receive(self) -> dict[str, Any]:
        """The next thing that it tells; an error when it has ended without a word.

        A process that is there and gives no sign of life is ended: others may wait for it.
        """
        message: dict[str, Any] = {ALIVE: True}
        while ALIVE in message:
            try:
                line = self._lines.get(timeout=self._patience)
            except queue.Empty:
                self._process.kill()
                return _failed(f"the process gave no sign of life for {self._patience:g} seconds")
            if not line:
                return self._ended()
            message = json.loads(line)
        return message

    def _ended(self) -> dict[str, Any]:
        code = self._process.wait()
        ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        # JAX aborts a process as soon as it hears that another is gone.
        return _failed(
            f"the process ended with {ended}; its last words are in the executor's log",
            lost_peer=code == -signal.SIGABRT,
        )


def _read(stream: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Passes lines on, and at the end an empty one."""
    for line in stream:
        lines.put(line)
    lines.put(b"")


def _failed(message: str, *, lost_peer: bool = False) -> dict[str, Any]:
    return {"error": {"code": None, "message": message, "details": {}, "lostPeer": lost_peer}}
