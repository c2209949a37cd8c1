"""Where a Python process listens for a Java service, over Py4J.

It listens on the loopback interface only, answers no one who does not know its secret, and proves
with each answer that it knows it too. Python opens no connection to Java, and Java shows it no
objects. Java's side is ``io.sealane.bridge.PythonProcess``; its ``PythonWorker`` has the protocol.
"""

from __future__ import annotations

import hmac
import importlib
from typing import TYPE_CHECKING, Any, Protocol

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = "127.0.0.1"
MIN_SECRET = 32
"""Characters a secret has at least."""

NONCE = 32
"""Characters before the JSON of a request, which make each request another one."""

AUTHENTICATION_LINES = 3
"""Lines that a caller sends before it is known: a command, the token, an end."""

AUTHENTICATION_BYTES = 1024
"""Bytes of each such line at most."""

AUTHENTICATION_SECONDS = 10
"""Seconds within which they must come."""

LINE_BYTES = 1 << 24
"""Bytes of a later line at most."""


class Worker(Protocol):
    """The Java interface ``io.sealane.bridge.PythonWorker``: JSON requests in, JSON answers out."""

    def export(self, request: str) -> str:
        """Exports a model."""
        ...

    def train(self, request: str) -> str:
        """Trains a model and exports it."""
        ...

    def describe(self, request: str) -> str:
        """The worker's versions."""
        ...


class Gateway:
    """A worker that listens. Its threads are daemons: they do not keep the process alive.

    Args:
        worker: What callers reach; it must let no exception out.
        secret: What a caller must know.
        port: The port on the loopback interface; 0 for a free one.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE without Py4J; BRIDGE_FAILED for a short secret or a port
            that is taken.
    """

    def __init__(self, worker: Worker, secret: str, *, port: int = 0) -> None:
        if len(secret) < MIN_SECRET:
            raise SealaneError(
                ErrorCode.BRIDGE_FAILED,
                f"the secret must have at least {MIN_SECRET} characters, received {len(secret)}",
            )
        py4j = _import_py4j("py4j.java_gateway")
        protocol = _import_py4j("py4j.protocol")
        parameters = py4j.CallbackServerParameters(
            address=LOOPBACK,
            port=port,
            daemonize=True,
            daemonize_connections=True,
            auth_token=_Token(_hmac(secret, "token")),
        )
        pool = py4j.PythonProxyPool()
        pool.put(_EntryPoint(worker, secret), protocol.ENTRY_POINT_OBJECT_ID)
        self._server: Any = _server_class(py4j.CallbackServer)(
            pool, None, callback_server_parameters=parameters
        )
        try:
            self._server.start()
        except Exception as error:
            self._server.server_socket.close()
            raise SealaneError(
                ErrorCode.BRIDGE_FAILED, f"can not listen on {LOOPBACK}:{port}: {error}"
            ) from error
        # Py4J's thread does so too, at a time that nobody knows.
        self._server.server_socket.listen()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.get_listening_port())

    def close(self) -> None:
        """Stops listening. Idempotent; a call under way runs on."""
        if not self._server.is_shutdown:
            self._server.shutdown()


class _EntryPoint:
    """The worker as Py4J shows it to Java: these methods and no others."""

    class Java:
        implements = ("io.sealane.bridge.PythonWorker",)

    def __init__(self, worker: Worker, secret: str) -> None:
        self.export = _proving("export", worker.export, secret)
        self.train = _proving("train", worker.train, secret)
        self.describe = _proving("describe", worker.describe, secret)


class _Token(str):
    """A token that is compared in the same time wherever another one differs."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and hmac.compare_digest(self.encode(), other.encode())

    __hash__ = str.__hash__


class _Lines:
    """The lines of a connection, bounded in length, and in time until the caller is known."""

    def __init__(self, stream: Any, connection: Any) -> None:
        self._stream = stream
        self._connection = connection
        self._unknown = AUTHENTICATION_LINES
        connection.settimeout(AUTHENTICATION_SECONDS)

    def readline(self) -> bytes:
        """The next line.

        Raises:
            ConnectionError: When it is too long.
        """
        if self._unknown == 0:
            self._connection.settimeout(None)
        limit = AUTHENTICATION_BYTES if self._unknown > 0 else LINE_BYTES
        self._unknown -= 1
        line: bytes = self._stream.readline(limit)
        if len(line) == limit:
            raise ConnectionError(f"a line of more than {limit} bytes")
        return line

    def close(self) -> None:
        """Closes the stream."""
        self._stream.close()


def _server_class(base: Any) -> Any:
    class Server(base):
        """Py4J's server over bounded lines."""

        def _create_connection(self, socket_instance: Any, stream: Any) -> Any:
            lines = _Lines(stream, socket_instance)
            return base._create_connection(self, socket_instance, lines)

    return Server


def _proving(method: str, call: Callable[[str], str], secret: str) -> Callable[[str], str]:
    def answer(request: str) -> str:
        body = call(request[NONCE:])
        return _hmac(secret, f"{method}\n{request}\n{body}") + body

    return answer


def _hmac(secret: str, message: str) -> str:
    return hmac.new(secret.encode(), message.encode(), "sha256").hexdigest()


def _import_py4j(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "Py4J is not installed: pip install 'sealane[jvm]'",
            {"extra": "jvm"},
        ) from error
