"""A JVM engine in a process of its own, for native code that can not live beside Python's.

One process for each such engine, started on first use and kept until this process ends; it answers
one call at a time. Its side is :mod:`sealane.jvm.engine_process`; requests and answers are pickles
over the pipes between the two, which nobody else can open. When it dies, by a crash of native code
for example, its sessions fail with ENGINE_RUN_FAILED and the next session starts another one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import threading
import warnings
import weakref
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError
from sealane.jvm.engines import engine_jars

if TYPE_CHECKING:
    from sealane.core import Signature
    from sealane.runtime.values import AnyArray

LENGTH = struct.Struct("<Q")
"""Before each message: its bytes."""

_LOG_BYTES = 2000
_END_SECONDS = 10
_LOCK = threading.Lock()
_processes: dict[str, EngineProcess] = {}


def engine_process(engine: str) -> EngineProcess:
    """The running process of an engine, started if there is none.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE without the engine's jars, JPype or a JDK; BRIDGE_FAILED
            when the process does not start.
    """
    engine_jars(engine)
    with _LOCK:
        there = _processes.get(engine)
        if there is None or not there.alive:
            there = _processes[engine] = EngineProcess(engine)
        return there


class EngineProcess:
    """A process that holds one engine. Thread-safe: calls wait for each other.

    Args:
        engine: The engine's name in Java.
    """

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._dropped: deque[int] = deque()
        self._log: Any = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sealane.jvm.engine_process", engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_environment(),
        )
        atexit.register(self.stop)
        try:
            self.call("start")
        except BaseException:
            self.stop()
            raise

    @property
    def alive(self) -> bool:
        """Whether it runs, and was started by this very process rather than before a fork."""
        return self._owner == os.getpid() and self._process.poll() is None

    def call(self, operation: str, *arguments: object) -> Any:
        """One operation of :mod:`sealane.jvm.engine_process`.

        Raises:
            SealaneError: What the operation raised, or ENGINE_RUN_FAILED when the process is gone.
        """
        with self._lock:
            if not self.alive:
                raise self._gone()
            while self._dropped:
                self._exchange("close", (self._dropped.popleft(),))
            ok, answer = self._exchange(operation, arguments)
        if ok:
            return answer
        code, message, details = answer
        raise SealaneError(ErrorCode(code), message, details)

    def drop(self, handle: int) -> None:
        """Closes a session at the next call; safe in a finalizer."""
        self._dropped.append(handle)

    def _exchange(self, operation: str, arguments: tuple[object, ...]) -> tuple[bool, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise self._gone()
        try:
            send(stdin, (operation, arguments))
            return receive(stdout)
        except (OSError, EOFError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
            raise self._gone() from error

    def _gone(self) -> SealaneError:
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - _LOG_BYTES))
        said = self._log.read().decode("utf-8", "replace").strip()
        return SealaneError(
            ErrorCode.ENGINE_RUN_FAILED,
            f"the process of jvm:{self._engine} has ended with exit code "
            f"{self._process.returncode}; open a new session. Its last words: {said or 'none'}",
            {"engine": f"jvm:{self._engine}", "exitCode": self._process.returncode},
        )

    def stop(self) -> None:
        """Ends the process. Idempotent."""
        if self._owner != os.getpid():
            return
        atexit.unregister(self.stop)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class RemoteEngine:
    """One session in an :class:`EngineProcess`, behind a :class:`sealane.runtime.EngineSession`.

    Args:
        process: The process.
        described: What ``open`` of :mod:`sealane.jvm.engine_process` answered.
    """

    def __init__(self, process: EngineProcess, described: dict[str, Any]) -> None:
        self._process = process
        self._handle: int = described["handle"]
        self.signature: Signature = described["signature"]
        self.model: str = described["model"]
        self.passed: bool = described["passed"]
        self.name: str = described["name"]
        self.version: str = described["version"]
        self._options: dict[str, object] = described["options"]
        self._leak = weakref.finalize(self, _abandon, process, self._handle, self.model, self.name)
        self._leak.atexit = False  # By then the process has ended, and the session with it.

    @property
    def options(self) -> dict[str, object]:
        """The effective settings."""
        return dict(self._options)

    def run(self, inputs: dict[str, AnyArray], outputs: tuple[str, ...]) -> dict[str, AnyArray]:
        """Runs parsed inputs; see :meth:`sealane.runtime.session.Engine.run`."""
        return self._process.call("run", self._handle, inputs, outputs)

    def close(self) -> None:
        """Closes the session in the process, if that still runs."""
        self._leak.detach()
        if self._process.alive:
            self._process.call("close", self._handle)


def send(stream: IO[bytes], message: object) -> None:
    """Writes one message."""
    data = pickle.dumps(message, protocol=5)
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Reads one message.

    Raises:
        EOFError: When the other side is gone.
    """
    (size,) = LENGTH.unpack(_exactly(stream, LENGTH.size))
    return pickle.loads(_exactly(stream, size))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _environment() -> dict[str, str]:
    """Finds this very package, and gives each session the threads that it asks for."""
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "TF_OVERRIDE_GLOBAL_THREADPOOL": "1"}


def _abandon(process: EngineProcess, handle: int, model: str, name: str) -> None:
    """Frees a session that was dropped without close, and says so."""
    process.drop(handle)
    warnings.warn(
        f"a session of '{model}' on {name} was dropped without close",
        ResourceWarning,
        stacklevel=2,
    )
