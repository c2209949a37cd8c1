"""A Python process that exports and trains for a Java service.

``python -m sealane.api.worker`` reads a token from its first line of standard input, listens on a
free port of the loopback interface and prints the port. It ends when its standard input ends, once
the call under way is done: so it does not outlive the process that started it.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sealane.api.examples import find_attribute, load_attribute, read_example
from sealane.bundle import read_bundle
from sealane.core import ErrorCode, SealaneError
from sealane.export import export as write_export
from sealane.jvm.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class PythonWorker:
    """The Java interface ``io.sealane.bridge.PythonWorker``: JSON requests in, JSON answers out.

    One call at a time; a second one waits. No exception leaves a method: it is an answer
    ``{"error": {"code", "message"}}``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def export(self, request: str) -> str:
        """Exports a model; see the Java interface for the request."""
        return self._answer(request, _export)

    def train(self, request: str) -> str:
        """Calls a training function and exports what it returns."""
        return self._answer(request, _train)

    def describe(self) -> str:
        """The versions of Sealane and Python."""
        try:
            version = metadata.version("sealane")
        except metadata.PackageNotFoundError:
            version = "unknown"
        return json.dumps({"sealane": version, "python": platform.python_version()})

    def wait(self) -> None:
        """Returns when no call is under way."""
        with self._lock:
            return

    def _answer(self, request: str, work: Callable[[Mapping[str, Any]], Path]) -> str:
        with self._lock:
            try:
                path = work(_parse(request))
                return json.dumps({"path": str(path.resolve()), "contentId": _content_id(path)})
            except SealaneError as error:
                fields = {"code": error.code.value, "message": error.message}
            except Exception as error:  # whatever the user's code raises
                message = f"{type(error).__name__}: {error}"
                fields = {"code": ErrorCode.EXPORT_FAILED.value, "message": message}
            return json.dumps({"error": fields})


def main() -> None:
    """Runs a worker until standard input ends."""
    token = sys.stdin.readline().strip()
    worker = PythonWorker()
    gateway = Gateway(worker, token)
    sys.stdout.write(f"{gateway.port}\n")
    sys.stdout.flush()
    # Nobody reads standard output from here on; what converters print belongs to standard error.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while sys.stdin.readline():
        pass
    worker.wait()
    gateway.close()
    # Py4J's threads may sit in a read that nothing ends.
    os._exit(0)


def _parse(request: str) -> Mapping[str, Any]:
    try:
        value: Any = json.loads(request)
    except (ValueError, RecursionError) as error:
        raise SealaneError(ErrorCode.BRIDGE_FAILED, f"the request is not JSON: {error}") from error
    if not isinstance(value, dict) or not {"model", "name", "path"} <= value.keys():
        raise SealaneError(
            ErrorCode.BRIDGE_FAILED, "the request must be an object with model, name and path"
        )
    return cast("Mapping[str, Any]", value)


def _export(request: Mapping[str, Any]) -> Path:
    return _write(load_attribute(str(request["model"])), None, request)


def _train(request: Mapping[str, Any]) -> Path:
    function: Any = find_attribute(str(request["model"]))
    made = function(**request.get("parameters", {}))
    if isinstance(made, tuple):
        model, example = cast("tuple[object, object]", made)
        return _write(model, example, request)
    return _write(made, None, request)


def _write(model: object, example: object, request: Mapping[str, Any]) -> Path:
    if example is None:
        if "example" not in request:
            raise SealaneError(ErrorCode.INPUT_MISSING, "no example inputs were given")
        example = read_example(Path(request["example"]))
    return write_export(
        model,
        example,
        name=str(request["name"]),
        path=str(request["path"]),
        version=str(request.get("version", "1.0.0")),
        formats=tuple(request.get("formats", ("onnx", "savedmodel"))),
        overwrite=bool(request.get("overwrite", False)),
    )


def _content_id(path: Path) -> str:
    with read_bundle(path) as bundle:
        return bundle.manifest.content_id


if __name__ == "__main__":
    main()
