"""A server in a process of its own, on ports of the system's choice."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[3]
JAR = ROOT / "jvm/server/target/sealane-server.jar"
LISTENING = re.compile(r"listening on ([\d.]+:\d+), management on ([\d.]+:\d+)")
STARTS_IN = 60


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def call(address, method, path, body=None, headers=None) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(address, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())


@dataclass
class Reached:
    """A server that is called; `address` and `management` are HOST:PORT."""

    address: str
    management: str

    def call(self, method, path, body=None, headers=None, address=None) -> Answer:
        return call(address or self.address, method, path, body, headers)

    def get(self, path, **kwargs) -> Answer:
        return self.call("GET", path, **kwargs)

    def post(self, path, body=b"", **kwargs) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("POST", path, data, **kwargs)


class Server(Reached):
    """One running server, whose output is read."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.told: list[str] = []
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._listening.wait(STARTS_IN), "".join(self.told)
        found = LISTENING.search(self.told[-1])
        assert found, "".join(self.told)
        super().__init__(*found.groups())

    def _read(self) -> None:
        for line in self.process.stdout:
            self.told.append(line)
            if LISTENING.search(line):
                self._listening.set()
        self._listening.set()

    def memory(self) -> int:
        """Resident bytes."""
        return psutil.Process(self.process.pid).memory_info().rss

    def terminate(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.terminate()
        return self.process.wait(60)


@contextlib.contextmanager
def serving(repository: Path, *flags: str, jvm: tuple[str, ...] = ()):
    """A server of a directory, killed with the block; what it unpacked goes with it."""
    assert JAR.exists(), f"{JAR} is not there: run make setup"
    free = ["--port", "0", "--management.port", "0", "--management.token", "secret"]
    with tempfile.TemporaryDirectory(prefix="sealane-server-") as scratch:
        jvm = (f"-Djava.io.tmpdir={scratch}", *jvm)
        command = ["java", *jvm, "-jar", str(JAR), "--repository", str(repository), *free, *flags]
        with running(command) as server:
            yield server


@contextlib.contextmanager
def running(command: list[str]):
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("SEALANE_SERVER_")},
    )
    with process.stdout:
        try:
            yield Server(process)
        finally:
            # Until its output ends, the thread that reads it keeps the pipe from closing.
            process.kill()
            process.wait()
