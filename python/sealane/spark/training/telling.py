"""Live progress: ranks tell the driver over a connection of their own, and nothing waits for it."""

from __future__ import annotations

import json
import secrets
import socket
import socketserver
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

CONNECT_SECONDS = 5.0
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Door:
    """Where the driver listens.

    Attributes:
        host: The driver's name.
        port: Its port.
        token: What a rank proves itself with.
    """

    host: str
    port: int
    token: str

    @contextmanager
    def opened(self, rank: int) -> Generator[Callable[[dict[str, Any]], None]]:
        """What tells the driver; when it can not be reached, what is told is dropped."""
        try:
            connection = socket.create_connection((self.host, self.port), CONNECT_SECONDS)
        except OSError as error:
            sys.stderr.write(f"rank {rank}: no progress, {self.host}:{self.port}: {error}\n")
            yield lambda _: None
            return
        with connection:

            def send(line: str) -> None:
                with suppress(OSError):
                    connection.sendall(f"{line}\n".encode())

            send(self.token)
            yield lambda message: send(json.dumps({"rank": rank} | message))


@contextmanager
def listening(
    host: str, bind: str, hear: Callable[[dict[str, Any]], None]
) -> Generator[Door | None]:
    """Hears what ranks tell, as long as the block lasts.

    Args:
        host: The name of this machine that executors reach.
        bind: The address to listen on.
        hear: Called with each message, by one thread at a time.

    Yields:
        Where it listens; None when it can not, for progress is not worth a run.
    """
    token = secrets.token_hex(_TOKEN_BYTES)
    lock = threading.Lock()

    class Handler(socketserver.StreamRequestHandler):
        """One rank's connection."""

        def handle(self) -> None:
            """Reads lines until there are no more."""
            given = self.rfile.readline(2 * _TOKEN_BYTES + 1).strip()
            if not secrets.compare_digest(given, token.encode()):
                return
            for line in self.rfile:
                with lock:
                    hear(json.loads(line))

    try:
        server = _Server((bind, 0), Handler)
    except OSError as error:
        sys.stderr.write(f"no progress will be told: {bind}: {error}\n")
        yield None
        return
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield Door(host, server.server_address[1], token)
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    """One thread per rank."""

    daemon_threads = True
    block_on_close = False


class Progress:
    """Turns messages into lines on standard error: each epoch once, each rank's speed in it."""

    def __init__(self) -> None:
        self._rates: dict[int, int] = {}

    def hear(self, message: dict[str, Any]) -> None:
        """One message of one rank."""
        rank = int(message["rank"])
        if "samplesPerSecond" in message:
            self._rates[rank] = int(message["samplesPerSecond"])
        if rank != 0:
            return
        if "in" in message:
            self._say(f"epoch {message['in']}, step {message['step']} of {message['steps']}")
        elif "epoch" in message:
            validation = message["validationLoss"]
            held = "" if validation is None else f", validation {validation:.4f}"
            auc = message.get("validationAuc")
            held += "" if auc is None else f", AUC {auc:.4f}"
            loss = f"loss {message['loss']:.4f}{held}"
            self._say(f"epoch {message['epoch']} of {message['of']}: {loss}")

    def _say(self, text: str) -> None:
        rates = ", ".join(f"rank {rank} {rate:,}" for rank, rate in sorted(self._rates.items()))
        sys.stderr.write(f"{text}{f'; samples/s: {rates}' if rates else ''}\n")
        sys.stderr.flush()
