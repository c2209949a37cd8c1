"""A server in a process of its own: start it, wait for its answer, see what it used, end it."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60


@dataclass(frozen=True)
class Launch:
    """How a server is started.

    Attributes:
        command: Its program and arguments.
        http: Its port of REST.
        path: Where it answers.
        grpc: Its port of gRPC, None where it has none.
        env: Environment variables, beside those that all have.
        cwd: Where it runs.
    """

    command: list[str]
    http: int
    path: str = "/v2/models/mlp/infer"
    grpc: int | None = None
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None


class Failed(Exception):
    """A server that does not answer, or not what it should."""


class Server:
    """A running server.

    Attributes:
        launch: How it was started.
    """

    def __init__(self, launch: Launch, log: Path) -> None:
        """Start it; what it prints goes to ``log``."""
        self.launch = launch
        self.log = log
        with log.open("w") as out:
            self._process = subprocess.Popen(
                launch.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | launch.env,
                cwd=launch.cwd or log.parent,
            )

    def cpu_seconds(self) -> float:
        """User and system time of it and its children so far."""
        total = 0.0
        for process in self._members():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def first_answer(self, body: bytes, every: float = 0.2) -> bytes:
        """The first answer of status 200, asked for again and again.

        Raises:
            Failed: It ended, or gave none in a minute.
        """
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, answer = self.post(body)
                if status == 200:
                    return answer
            time.sleep(every)
        raise Failed(f"no answer; its log ends with {self.log.read_text()[-1500:]}")

    def post(self, body: bytes) -> tuple[int, bytes]:
        """One request over REST."""
        connection = http.client.HTTPConnection("127.0.0.1", self.launch.http, timeout=30)
        with contextlib.closing(connection):
            headers = {"Content-Type": "application/json"}
            connection.request("POST", self.launch.path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()

    def close(self) -> None:
        """End it and its children."""
        members = self._members()
        for process in members[:1]:
            process.terminate()
        _, alive = psutil.wait_procs(members, timeout=30)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()

    def _members(self) -> list[psutil.Process]:
        try:
            process = psutil.Process(self._process.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
