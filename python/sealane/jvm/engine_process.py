"""The process of a JVM engine: ``python -m sealane.jvm.engine_process ENGINE``.

It reads requests from standard input and answers on standard output, one at a time, as
:mod:`sealane.jvm.remote` writes and reads them, and ends when standard input does. Whatever native
code prints goes to standard error.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError
from sealane.jvm.process import start
from sealane.jvm.remote import receive, send
from sealane.jvm.session import JvmEngine, open_engine

if TYPE_CHECKING:
    from pathlib import Path

    from sealane.runtime.values import AnyArray


class _Sessions:
    """The operations; each method is one."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._open: dict[int, JvmEngine] = {}
        self._opened = 0

    def start(self) -> None:
        """Starts the JVM."""
        start(self._engine)

    def open(self, path: Path, settings: dict[str, Any]) -> dict[str, Any]:
        """Opens a bundle; the answer is what :class:`sealane.jvm.remote.RemoteEngine` takes."""
        engine = open_engine(path, engine=self._engine, **settings)
        self._opened += 1
        self._open[self._opened] = engine
        return {
            "handle": self._opened,
            "signature": engine.signature,
            "model": engine.model,
            "passed": engine.passed,
            "name": engine.name,
            "version": engine.version,
            "options": engine.options,
        }

    def run(
        self, handle: int, inputs: dict[str, AnyArray], outputs: tuple[str, ...]
    ) -> dict[str, AnyArray]:
        """Runs parsed inputs."""
        return self._open[handle].run(inputs, outputs)

    def close(self, handle: int) -> None:
        """Closes a session."""
        self._open.pop(handle).close()


def main() -> None:
    """Answer until standard input ends."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sessions = _Sessions(sys.argv[1])
    while True:
        try:
            operation, arguments = receive(requests)
        except EOFError:
            break
        send(answers, _answer(getattr(sessions, operation), arguments))
    # The JVM's threads and TensorFlow's would be waited for.
    os._exit(0)


def _answer(operation: Any, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return True, operation(*arguments)
    except SealaneError as error:
        return False, (error.code.value, error.message, error.details)
    except Exception as error:
        return False, (ErrorCode.BRIDGE_FAILED.value, f"{type(error).__name__}: {error}", {})


if __name__ == "__main__":
    main()
