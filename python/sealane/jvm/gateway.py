"""Where a Python process listens for a Java service, over Py4J.

It listens on the loopback interface only and answers no one without its token. Python opens no
connection to Java, and Java shows it no objects. Java's side is
``io.sealane.bridge.PythonProcess``.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from sealane.core import ErrorCode, SealaneError

LOOPBACK = "127.0.0.1"
MIN_TOKEN = 32
"""Characters a token has at least."""


class Worker(Protocol):
    """The Java interface ``io.sealane.bridge.PythonWorker``: JSON requests in, JSON answers out."""

    def export(self, request: str) -> str:
        """Exports a model."""
        ...

    def train(self, request: str) -> str:
        """Trains a model and exports it."""
        ...

    def describe(self) -> str:
        """The worker's versions."""
        ...


class _EntryPoint:
    """The worker as Py4J shows it to Java: these methods and no others."""

    class Java:
        implements = ("io.sealane.bridge.PythonWorker",)

    def __init__(self, worker: Worker) -> None:
        self.export = worker.export
        self.train = worker.train
        self.describe = worker.describe


class Gateway:
    """A worker that listens. Its threads are daemons: they do not keep the process alive.

    Args:
        worker: What callers reach; it must let no exception out.
        token: What a caller must know.
        port: The port on the loopback interface; 0 for a free one.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE without Py4J; BRIDGE_FAILED for a short token or a port
            that is taken.
    """

    def __init__(self, worker: Worker, token: str, *, port: int = 0) -> None:
        if len(token) < MIN_TOKEN:
            raise SealaneError(
                ErrorCode.BRIDGE_FAILED, f"the token must have at least {MIN_TOKEN} characters"
            )
        py4j = _import_py4j()
        entry_point = _EntryPoint(worker)
        parameters = py4j.CallbackServerParameters(
            address=LOOPBACK,
            port=port,
            daemonize=True,
            daemonize_connections=True,
            auth_token=token,
        )
        try:
            self._gateway = py4j.JavaGateway(
                callback_server_parameters=parameters, python_server_entry_point=entry_point
            )
            self._gateway.start_callback_server(parameters)
        except Exception as error:
            raise SealaneError(
                ErrorCode.BRIDGE_FAILED, f"can not listen on {LOOPBACK}:{port}: {error}"
            ) from error

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._gateway.get_callback_server().get_listening_port())

    def close(self) -> None:
        """Stops listening. Idempotent; a call under way runs on."""
        self._gateway.shutdown_callback_server()


def _import_py4j() -> Any:
    try:
        return importlib.import_module("py4j.java_gateway")
    except ImportError as error:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "Py4J is not installed: pip install 'sealane[jvm]'",
            {"extra": "jvm"},
        ) from error
