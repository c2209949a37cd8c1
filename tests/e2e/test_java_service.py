"""A plain Java program has Python export and train a model for it, then runs the bundle itself."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sealane.api.worker import PythonWorker
from sealane.core import ErrorCode, SealaneError
from sealane.jvm import find_jar
from sealane.jvm.gateway import LOOPBACK, Gateway

ROOT = Path(__file__).parents[2]
SERVICE = Path(__file__).with_name("JavaService.java")
TRAIN = """
import torch

def model():
    line = torch.nn.Linear(2, 1)
    with torch.no_grad():
        line.weight[:] = torch.tensor([[2.0, 3.0]])
        line.bias[:] = 0.5
    return line

class Scaled(torch.nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor

def fit(factor):
    return Scaled(factor), (torch.tensor([[1.0, 2.0], [3.0, -4.0], [0.5, 0.1]]),)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("service")
    (path / "train.py").write_text(TRAIN)
    (path / "rows.json").write_text("[[[0.5, 1.0], [2.0, -1.0], [0.1, 0.2]]]")
    return path


def service(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    return subprocess.run(
        ["java", "-cp", str(find_jar()), str(SERVICE), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )


@pytest.fixture
def gateway():
    token = secrets.token_hex(32)
    opened = Gateway(PythonWorker(), token)
    yield opened, token
    opened.close()


def test_java_exports_trains_opens_and_runs(home):
    done = service("serve", sys.executable, home)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0].startswith("python 3.")
    assert lines[1:3] == ["y [8.5] true", "y [3.0, 6.0] true"]
    assert lines[3].startswith("BUNDLE_EXISTS")
    assert lines[4].startswith("EXPORT_FAILED")
    assert "nonsense" in lines[4]


def test_java_reaches_a_worker_that_python_started(gateway):
    opened, token = gateway
    assert service("connect", opened.port, token).stdout.startswith("python 3.")


def test_a_wrong_token_is_refused(gateway):
    opened, token = gateway
    for wrong in (token[:-1] + ("0" if token[-1] != "0" else "1"), "x"):
        done = service("connect", opened.port, wrong)
        assert done.stdout.startswith("BRIDGE_FAILED"), done.stdout + done.stderr


def test_without_a_token_nothing_is_answered(gateway):
    opened, _ = gateway
    with socket.create_connection((LOOPBACK, opened.port), timeout=5) as connection:
        connection.sendall(b"c\nt\ndescribe\ne\n")
        answer = connection.recv(4096)
    assert b"python" not in answer
    assert not answer.startswith(b"!y")


def test_it_listens_on_the_loopback_interface_only(gateway):
    opened, _ = gateway
    listening = Path("/proc/net/tcp").read_text().splitlines()
    port = f":{opened.port:04X} "
    places = [line.split()[1] for line in listening if port in line and " 0A " in line]
    assert places == [f"0100007F{port.strip()}"]


def test_a_short_token_is_refused():
    with pytest.raises(SealaneError) as caught:
        Gateway(PythonWorker(), "secret")
    assert caught.value.code is ErrorCode.BRIDGE_FAILED


def test_the_worker_ends_when_java_is_killed(home):
    done = service("orphan", sys.executable, home)
    pids = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("pid")]
    assert pids, done.stderr
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_java_is_told_when_the_worker_dies(home):
    done = service("widow", sys.executable, home)
    assert done.stdout.splitlines()[-1] == "alive false", done.stderr
    assert "BRIDGE_FAILED" in done.stdout
    assert "died" in done.stdout


def test_bad_requests_are_answered():
    worker = PythonWorker()
    for request in ("{", "[]", "{}", "[" * 100_000):
        assert ErrorCode.BRIDGE_FAILED.value in worker.export(request)
    missing = '{"model": "nope:model", "name": "a", "path": "b"}'
    assert ErrorCode.EXPORT_UNSUPPORTED.value in worker.export(missing)
