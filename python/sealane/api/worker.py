"""A Python process that exports and trains for a Java service.

``python -m sealane.api.worker`` reads a secret from the first line of its standard input, listens
on a free port of the loopback interface and prints ``sealane-worker 1 PORT``. It ends when its
standard input ends, so it does not outlive the process that started it; a call that is under way
then has `GRACE` seconds to finish. A module is imported once: a worker sees no later changes of it.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
import traceback
from dataclasses import dataclass, field, fields
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sealane.api.sources import Target, export_trained, load_model, metric_values, train_model
from sealane.core import ErrorCode, SealaneError
from sealane.jvm.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from sealane.training import Trained

GRACE = 8
"""Seconds for a call that is under way when standard input ends."""

PROTOCOL = 1


@dataclass(frozen=True, slots=True)
class _Request:
    """What Java asks for, parsed; see ``io.sealane.bridge.PythonWorker`` for the members."""

    name: str
    path: str
    model: str = ""
    function: str = ""
    example: str = ""
    version: str = "1.0.0"
    overwrite: bool = False
    formats: list[str] = field(default_factory=lambda: ["onnx", "savedmodel"])
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])

    def target(self) -> Target:
        """Where the bundle is to be."""
        formats = tuple(self.formats)
        return Target(self.name, Path(self.path), self.version, formats, self.overwrite)


class PythonWorker:
    """The Java interface ``io.sealane.bridge.PythonWorker``: JSON requests in, JSON answers out.

    One export or training at a time; a second one waits. No exception leaves a method: it is an
    answer ``{"error": {"code", "message"}}``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def export(self, request: str) -> str:
        """Exports a model; see the Java interface for the request."""
        return self._answer(request, "model", _load)

    def train(self, request: str) -> str:
        """Calls a training function and exports what it returns."""
        return self._answer(request, "function", _train)

    def describe(self, request: str) -> str:
        """The versions of Sealane and Python."""
        del request
        try:
            version = metadata.version("sealane")
        except metadata.PackageNotFoundError:
            version = "unknown"
        return json.dumps({"sealane": version, "python": platform.python_version()})

    def wait(self, seconds: float) -> None:
        """Returns when no call is under way, or after so many seconds."""
        if self._lock.acquire(timeout=seconds):
            self._lock.release()

    def _answer(self, request: str, needed: str, work: Callable[[_Request], Trained]) -> str:
        with self._lock:
            try:
                asked = _parse(request, needed)
                target = asked.target()
                answer = _export(work(asked), target)
            except SealaneError as error:
                if error.__cause__ is not None:
                    traceback.print_exception(error.__cause__, file=sys.stderr)
                answer = {"error": {"code": error.code.value, "message": error.message}}
            except BaseException as error:  # a thread of Py4J's that ends leaves Java waiting
                traceback.print_exc(file=sys.stderr)
                message = f"{type(error).__name__}: {error}"
                answer = {"error": {"code": ErrorCode.EXPORT_FAILED.value, "message": message}}
            return json.dumps(answer)


def main() -> None:
    """Runs a worker until standard input ends."""
    control = os.fdopen(os.dup(0), encoding="ascii", errors="replace")
    told = os.dup(1)
    # The user's code shares neither pipe: it reads nothing, and what it prints is a message.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    worker = PythonWorker()
    try:
        gateway = Gateway(worker, control.readline().strip())
    except SealaneError as error:
        sys.exit(str(error))
    os.write(told, f"sealane-worker {PROTOCOL} {gateway.port}\n".encode())
    os.close(told)
    while control.readline():
        pass
    worker.wait(GRACE)
    sys.stderr.flush()
    # Py4J's threads may sit in a read that nothing ends, and the user's code in a loop.
    os._exit(0)


def _parse(request: str, needed: str) -> _Request:
    try:
        value: Any = json.loads(request)
    except (ValueError, RecursionError) as error:
        raise _refused(f"it is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _refused("expected an object")
    members = cast("dict[str, Any]", value)
    for name in ("name", "path", needed):
        if not members.get(name):
            raise _refused(f"'{name}' is missing")
    kinds = {each.name: str(each.type).partition("[")[0] for each in fields(_Request)}
    for name, member in members.items():
        if type(member).__name__ != kinds.get(name):
            raise _refused(f"'{name}': expected {kinds.get(name, 'no such member')}")
    if not all(isinstance(each, str) for each in members.get("formats", [])):
        raise _refused("'formats': expected text in it")
    return _Request(**members)


def _refused(problem: str) -> SealaneError:
    return SealaneError(ErrorCode.BRIDGE_FAILED, f"the request can not be used: {problem}")


def _load(request: _Request) -> Trained:
    return load_model(request.model, Path(request.example) if request.example else None)


def _train(request: _Request) -> Trained:
    return train_model(request.function, request.parameters)


def _export(trained: Trained, target: Target) -> dict[str, object]:
    bundle = export_trained(trained, target)
    return {
        "path": str(bundle.path.resolve()),
        "contentId": bundle.manifest.content_id,
        "metrics": metric_values(trained),
    }


if __name__ == "__main__":
    main()
