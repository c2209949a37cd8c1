"""A plain Java program has Python export and train models for it, then runs the bundles itself."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import sealane
from sealane.api.worker import PythonWorker
from sealane.core import ErrorCode, SealaneError
from sealane.jvm import find_jar
from sealane.jvm.gateway import LOOPBACK, Gateway

ROOT = Path(__file__).parents[2]
SERVICE = Path(__file__).with_name("JavaService.java")
TRAIN = """
import pandas as pd
import torch

from sealane.features import Features, Impute, Lookup, Normalize
from sealane.training import Trained
from sealane.training.torch import fit


def model():
    line = torch.nn.Linear(2, 1)
    with torch.no_grad():
        line.weight[:] = torch.tensor([[2.0, 3.0]])
        line.bias[:] = 0.5
    return line


class Price(torch.nn.Module):
    def __init__(self, cities):
        super().__init__()
        self.city = torch.nn.Embedding(cities, 4)
        self.price = torch.nn.Linear(5, 1)

    def forward(self, numeric, city):
        return self.price(torch.cat([numeric, self.city(city)], dim=1)).squeeze(1)


def price(table, epochs, lr, columns, squared):
    rides = pd.read_csv(table)
    assert lr == 0.0625 and squared is True and columns == ["city", "km"]
    rows = rides[columns]
    features = Features({"city": Lookup(), "km": Impute("median") | Normalize()}).fit(rows)
    torch.manual_seed(0)
    net = Price(features.cardinalities["city"])
    target = rides["price"].to_numpy("float32")
    history = fit(
        net, features.transform(rows), target,
        loss="squared", epochs=epochs, lr=lr, batch_size=16, progress=False,
    )
    first, best = history.epochs[0], history.epochs[history.best]
    metrics = {
        "loss.first": first.validation_loss, "loss.best": best.validation_loss, "odd": float("nan")
    }
    return Trained(net, rows, metrics, {"features": features, "output_names": ["price"]})
"""
FAULTS = """
import os, pathlib, subprocess, sys, time
from sealane.training import Trained

if os.environ.get("SEALANE_TEST_NOISE"):
    print("noise on standard output", flush=True)

def raises():
    sys.stdin.read()
    raise ValueError("no rows")

def exits():
    sys.exit(3)

def nothing():
    return None

def metric():
    return Trained(object(), (), {"auc": "high"})

def option():
    return Trained(object(), (), {}, {"colour": "red"})

def dies():
    os._exit(7)

def hangs():
    child = subprocess.Popen(["sleep", "600"])
    pathlib.Path("child").write_text(str(child.pid))
    child.wait()

def sleeps():
    pathlib.Path("sleeping").touch()
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("service")
    (path / "train.py").write_text(TRAIN)
    (path / "faults.py").write_text(FAULTS)
    (path / "rows.json").write_text("[[[0.5, 1.0], [2.0, -1.0], [0.1, 0.2]]]")
    rides = [f"{city},{km},{2 + km}" for city in ("Oslo", "Lima", "") for km in range(20)]
    (path / "rides.csv").write_text("\n".join(["city,km,price", *rides, "Pune,,4"]) + "\n")
    return path


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("classes")
    command = ["javac", "-d", str(path), "-cp", str(find_jar()), str(SERVICE)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return path


@pytest.fixture
def service(classes):
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        search = f"{classes}{os.pathsep}{find_jar()}"
        return subprocess.run(
            ["java", "-Xshare:auto", "-cp", search, "JavaService", *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def gateway():
    secret = secrets.token_hex(32)
    opened = Gateway(PythonWorker(), secret)
    yield opened, secret
    opened.close()


def runs(pid: int) -> bool:
    """Whether a process is there, and is not a dead one that nobody has asked about."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def floats(line: str) -> np.ndarray:
    return np.array(re.findall(r"-?[0-9.]+(?:E-?[0-9]+)?", line), np.float32)


def test_java_exports_trains_opens_and_runs(service, home):
    done = service("serve", sys.executable, home)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[0].startswith("python 3.")
    assert lines[1] == "line [8.5]"
    assert lines[2].startswith("BUNDLE_EXISTS")
    best, first = re.fullmatch(
        r"metrics \{loss\.best=([0-9.]+), loss\.first=([0-9.]+), odd=NaN}", lines[3]
    ).groups()
    assert float(best) < float(first) / 2
    with sealane.open(home / "line") as session:
        rows = {"city": ["Oslo", None, "Atlantis"], "km": [2.5, float("nan"), 40.0]}
        expected = session.run(rows)["price"]
    assert floats(lines[4].removeprefix("price")).tobytes() == expected.tobytes()
    bundle = sealane.inspect(home / "line")
    assert bundle.manifest.version == "2.1.0"
    assert bundle.manifest.lineage["metrics"]["odd"] == "NaN"
    assert done.stderr.count("py4j") == 0


def test_what_goes_wrong_in_the_worker_is_told(service, home):
    done = service("faults", sys.executable, home)
    assert done.returncode == 0, done.stdout + done.stderr
    expected = [
        r"EXPORT_FAILED: 'faults:raises' raised ValueError: no rows \(faults.py, line 10\)",
        r"EXPORT_FAILED: 'faults:exits' raised SystemExit: 3 .*",
        r"INPUT_MISSING: 'faults:nothing' .*",
        r"EXPORT_UNSUPPORTED: metric 'auc' .*",
        r"EXPORT_UNSUPPORTED: sealane.export has no argument colour .*",
        r"EXPORT_UNSUPPORTED: .*absent.*",
        r"EXPORT_FAILED: .*nonsense.*",
        r"INPUT_DTYPE: parameter 'lr': .*NaN",
        r"INPUT_DTYPE: parameter 'when': .*",
        r"EXPORT_UNSUPPORTED: .*nothing.*",
        r"alive true",
        r"BRIDGE_FAILED: the Python worker has died: it ended with exit code 7",
        r"alive false",
        r"BRIDGE_FAILED: the Python worker has died: .*",
        r"BRIDGE_FAILED: the Python worker did not answer within PT20S and was ended",
        r"ended alive false",
        r"BRIDGE_FAILED: the Python worker was closed",
        r"forgotten 1",
    ]
    lines = done.stdout.splitlines()
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), done.stdout
    assert "noise on standard output" in done.stderr
    assert re.search(r"PythonProcess [0-9]+", done.stderr)
    assert not (home / "n").exists()
    assert not runs(int((home / "child").read_text()))


def test_a_program_that_is_no_worker_is_told_and_ended(service, home):
    started = time.monotonic()
    done = service("commands", home)
    lines = done.stdout.splitlines()
    parts = [
        "No such file",
        "exit code 1",
        "exit code 3; its messages are on standard error; it printed: Welcome",
        "within PT3S",
        "it printed: hello",
        "did not start: BRIDGE_FAILED",
        "absent",
        "children 0",
    ]
    for line, part in zip(lines, parts, strict=True):
        assert part in line, done.stdout + done.stderr
    assert all(line.startswith("BRIDGE_FAILED") for line in lines[:-1])
    assert time.monotonic() - started < 60


def test_only_who_knows_the_secret_reaches_a_worker(service, gateway):
    opened, secret = gateway
    wrong = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    lines = service("connect", opened.port, secret, wrong, "x").stdout.splitlines()
    assert lines[0].startswith("python 3.")
    assert [line.partition(":")[0] for line in lines[1:]] == ["BRIDGE_FAILED"] * 2


def test_an_answer_without_proof_is_refused(service):
    """Who listens on the port of a worker that has died may say yes to any token."""
    with socket.create_server((LOOPBACK, 0)) as server:

        def impostor() -> None:
            with server.accept()[0] as connection, connection.makefile("rb") as lines:
                while line := lines.readline():
                    if line == b"e\n":
                        made = (
                            b"!yv\n" if not asked else b'!ys{"python": "3.11"}' + b" " * 80 + b"\n"
                        )
                        asked.append(line)
                        connection.sendall(made)

        asked: list[bytes] = []
        thread = threading.Thread(target=impostor)
        thread.start()
        done = service("connect", server.getsockname()[1], "s" * 64)
        thread.join(30)
    assert len(asked) == 2, done.stdout
    assert "BRIDGE_FAILED: an answer came from someone who is not" in done.stdout


@pytest.mark.parametrize(
    "said",
    [b"c\nt\ndescribe\ns{}\ne\n", b"A\nx\ne\n", b"A" * 5000, b"A\n" + b"x" * 5000, b"\xff\n\n\n"],
    ids=["call", "token", "endless command", "endless token", "not UTF-8"],
)
def test_a_stranger_is_cut_off(gateway, said):
    opened, _ = gateway
    with socket.create_connection((LOOPBACK, opened.port), timeout=5) as connection:
        connection.sendall(said)
        answer = b""
        try:
            while part := connection.recv(4096):
                answer += part
        except ConnectionResetError:
            pass
    assert b"python" not in answer
    assert not answer.startswith(b"!y")


def test_it_listens_on_the_loopback_interface_only(gateway):
    opened, _ = gateway
    listening = Path("/proc/net/tcp").read_text().splitlines()
    port = f":{opened.port:04X} "
    places = [line.split()[1] for line in listening if port in line and " 0A " in line]
    assert places == [f"0100007F{port.strip()}"]


def test_a_short_secret_and_a_taken_port_are_refused(gateway):
    for secret, port in (("secret", 0), ("s" * 64, gateway[0].port)):
        with pytest.raises(SealaneError) as caught:
            Gateway(PythonWorker(), secret, port=port)
        assert caught.value.code is ErrorCode.BRIDGE_FAILED


def test_a_worker_that_is_at_work_ends_when_java_is_killed(service, home):
    (home / "sleeping").unlink(missing_ok=True)
    done = service("orphan", sys.executable, home)
    pids = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("pid")]
    assert pids, done.stderr
    deadline = time.monotonic() + 30
    while any(map(runs, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


GOOD = '"name": "a", "path": "b", "model": "m:a"'


@pytest.mark.parametrize(
    "request_text",
    [
        "{",
        "[]",
        "{}",
        "[" * 100_000,
        "{" + GOOD.replace('"m:a"', "3") + "}",
        "{" + GOOD.replace('"m:a"', '""') + "}",
        "{" + GOOD + ', "overwrite": "false"}',
        "{" + GOOD + ', "formats": "onnx"}',
        "{" + GOOD + ', "formats": [1]}',
        "{" + GOOD + ', "colour": 1}',
    ],
)
def test_bad_requests_are_answered(request_text):
    assert ErrorCode.BRIDGE_FAILED.value in PythonWorker().export(request_text)


def test_a_model_that_is_not_there_is_named():
    request = "{" + GOOD.replace("m:a", "nope:model") + "}"
    answer = PythonWorker().export(request)
    assert ErrorCode.EXPORT_UNSUPPORTED.value in answer
    assert "nope" in answer
