"""What happens to a server in production: floods, storms of loads, swaps, bodies made to hurt.

The long forms are marked ``soak`` and hold the figures that need a quiet machine.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from e2e.server.load import BODY, INFER, Load
from e2e.server.running import ROOT, serving

import sealane

BEARER = {"Authorization": "Bearer secret"}
PRETOUCHED = ("-Xms192m", "-Xmx192m", "-XX:+AlwaysPreTouch")


def bundle(folder, hidden=256, seed=0):
    """A bundle of the benchmarks' MLP; its version is the seed and one."""
    program = ROOT / "jvm/benchmarks/mlp_bundle.py"
    subprocess.run([sys.executable, program, folder, str(hidden), str(seed)], check=True)
    return folder / "mlp"


def repository_call(server, model, what):
    return server.post(
        f"/v2/repository/models/{model}/{what}", address=server.management, headers=BEARER
    )


def pieces(address, count):
    """The answer to a body of that many pieces of one byte each."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        head = f"POST {INFER} HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        try:
            for _ in range(0, count, 4096):
                connection.sendall(b"1\r\n \r\n" * 4096)
            connection.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            return connection.recv(65536).split(b"\r\n")[0]
        except ConnectionResetError:
            return b"reset"


@pytest.mark.parametrize(
    "count", [65_536, pytest.param(1_000_000, marks=pytest.mark.soak, id="million")]
)
def test_a_body_in_pieces_of_a_byte_is_refused_and_takes_no_memory(repository, count):
    with serving(repository, jvm=PRETOUCHED) as server:
        for _ in range(3):
            assert server.post(INFER, BODY.encode()).status == 200
            pieces(server.address, 65_536)
        before = server.memory()
        for _ in range(5):
            assert pieces(server.address, count) in (b"HTTP/1.1 400 Bad Request", b"reset")
        assert server.memory() - before < 4 << 20
        assert server.post(INFER, BODY.encode()).status == 200


class Golden(Load):
    """Clients that hold each answer against the version that it names."""

    def __init__(self, address, rows, expected, clients=2):
        tensor = {"name": "x", "datatype": "FP32", "shape": list(rows.shape), "data": rows.tolist()}
        super().__init__(address, clients, INFER, json.dumps({"inputs": [tensor]}), self._check)
        self.expected = expected
        self.versions: set[str] = set()

    def _check(self, answer):
        self.versions.add(answer["model_version"])
        expected = self.expected[answer["model_version"]]
        found = np.float32(answer["outputs"][0]["data"]).reshape(expected.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def two_versions(tmp_path, rows):
    """A repository of one version, where another is and is to be, and their answers by version."""
    first, second = bundle(tmp_path / "one", seed=0), bundle(tmp_path / "two", seed=1)
    expected = {}
    for place, version in ((first, "1.0.0"), (second, "2.0.0")):
        with sealane.open(place) as session:
            expected[version] = session.run({"x": rows})["y"]
    repository = tmp_path / "repository"
    shutil.copytree(first, repository / "mlp/1")
    shutil.copytree(second, tmp_path / "2")
    return repository, [tmp_path / "2", repository / "mlp/2"], expected


def rolled(tmp_path, swaps):
    """The clients of a quiet time, and those while two versions took each other's place."""
    rows = np.random.default_rng(5).normal(size=(2, 64)).astype(np.float32)
    repository, places, expected = two_versions(tmp_path, rows)
    with serving(repository) as server:
        with Golden(server.address, rows, expected) as warming:
            wait_for(lambda: len(warming.statuses) >= 2000)
        with Golden(server.address, rows, expected) as steady:
            time.sleep(max(1, swaps / 10))
        with Golden(server.address, rows, expected) as load:
            for _ in range(swaps):
                places[0].rename(places[1])
                places.reverse()
                assert repository_call(server, "mlp", "load").status == 200
    assert set(load.statuses) == {200}
    assert not load.broken
    assert load.versions == {"1.0.0", "2.0.0"}
    return steady, load


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.05)


def test_each_answer_is_of_the_version_that_it_names_while_versions_are_swapped(tmp_path):
    rolled(tmp_path, 10)


@pytest.mark.soak
def test_the_slowest_request_of_a_hundred_swaps(tmp_path):
    """At most twice the 99th percentile of a quiet time."""
    steady, load = rolled(tmp_path, 100)
    p99, slowest = np.percentile(steady.seconds, 99), max(load.seconds)
    print(f"steady p99 {p99 * 1e3:.1f} ms, slowest of {len(load.seconds)}: {slowest * 1e3:.1f} ms")
    assert slowest <= 2 * p99


@pytest.mark.parametrize("rounds", [10, pytest.param(125, marks=pytest.mark.soak)])
def test_a_storm_of_loads_and_unloads_under_traffic(tmp_path, rounds):
    """Eight threads at one model: each answer is right, or says that the model is not there."""
    bundle(tmp_path)

    def storm(server):
        for _ in range(rounds):
            for what in ("load", "unload"):
                assert repository_call(server, "mlp", what).status in (200, 404, 503)

    rows = np.ones((1, 64), np.float32)
    with sealane.open(tmp_path / "mlp") as session:
        expected = {"1.0.0": session.run({"x": rows})["y"]}
    with serving(tmp_path) as server:
        with Golden(server.address, rows, expected) as load, ThreadPoolExecutor(8) as threads:
            for done in [threads.submit(storm, server) for _ in range(8)]:
                done.result()
        assert repository_call(server, "mlp", "load").status == 200
        with Golden(server.address, rows, expected) as after:
            wait_for(lambda: len(after.statuses) >= 10)
    assert set(load.statuses) <= {200, 404, 503}
    assert set(after.statuses) == {200}
    assert not load.broken + after.broken


def settled(server):
    """Memory once what was freed has gone back to the system, a second after the last unload."""
    seen = []
    for _ in range(25):
        seen.append(server.memory())
        time.sleep(0.1)
    return min(seen)


@pytest.mark.soak
def test_five_hundred_loads_and_unloads_in_flat_memory(tmp_path):
    """Within 5 % of what it is after the twentieth."""
    bundle(tmp_path)
    with serving(tmp_path, jvm=PRETOUCHED) as server:
        memory = {}
        for cycle in range(1, 501):
            assert repository_call(server, "mlp", "unload").status == 200
            assert repository_call(server, "mlp", "load").status == 200
            if cycle in (20, 500):
                memory[cycle] = settled(server)
    print(", ".join(f"{bytes_ >> 20} MiB after {cycle}" for cycle, bytes_ in memory.items()))
    assert memory[500] <= 1.05 * memory[20]


@pytest.mark.soak
def test_a_large_model_that_is_loaded_does_not_slow_the_others(tmp_path):
    """A's 99th percentile within half as much again while B, of a gigabyte, is loaded."""
    bundle(tmp_path)
    bundle(tmp_path / "large", hidden=15_500)
    (tmp_path / "large/mlp").rename(tmp_path / "b")
    rows = np.ones((1, 64), np.float32)
    with sealane.open(tmp_path / "mlp") as session:
        expected = {"1.0.0": session.run({"x": rows})["y"]}
    with serving(tmp_path) as server:
        assert repository_call(server, "b", "unload").status == 200
        with Golden(server.address, rows, expected, 1) as quiet:
            time.sleep(10)
        with Golden(server.address, rows, expected, 1) as load:
            began = time.perf_counter()
            assert repository_call(server, "b", "load").status == 200
            took = time.perf_counter() - began
    alone, beside = (np.percentile(each.seconds, 99) * 1e3 for each in (quiet, load))
    print(f"p99 {alone:.1f} ms alone, {beside:.1f} ms while it loads for {took:.1f} s")
    assert beside <= 1.5 * alone


class Flood:
    """Requests at a steady rate from many threads, whatever the answers are."""

    def __init__(self, address, body, headers, per_second, seconds, clients=40):
        self.address, self.body, self.headers = address, body, headers
        self.answers: list[tuple[int, float]] = []
        self.began = time.monotonic()
        count = int(per_second * seconds)
        times = [self.began + i / per_second for i in range(count)]
        with ThreadPoolExecutor(clients) as threads:
            list(threads.map(self._ask_all, [times[i::clients] for i in range(clients)]))
        self.seconds = time.monotonic() - self.began

    def _ask_all(self, times):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        for due in times:
            time.sleep(max(0, due - time.monotonic()))
            began = time.monotonic()
            connection.request("POST", INFER, self.body, self.headers)
            answer = connection.getresponse()
            answer.read()
            self.answers.append((answer.status, time.monotonic() - began))
        connection.close()

    def rate(self, status):
        return sum(each == status for each, _ in self.answers) / self.seconds


def flooded(tmp_path, seconds):
    """Ten times what it can: the share that it goes on answering, and how soon it is itself."""
    bundle(tmp_path, hidden=2460)
    rows = np.ones((48, 64), np.float32).tobytes()
    parameters = {"binary_data_size": len(rows)}
    tensor = {"name": "x", "datatype": "FP32", "shape": [48, 64], "parameters": parameters}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    body = head + rows
    flags = ("--defaults.batching.workers", "1", "--defaults.batching.queue", "4")
    with serving(tmp_path, *flags) as server:
        Flood(server.address, body, headers, 200, 1, 2)
        peak = Flood(server.address, body, headers, 10_000, 0.01 * seconds, 2).rate(200)
        flood = Flood(server.address, body, headers, 10 * peak, seconds)
        began = time.monotonic()
        assert server.post(INFER, body, headers=headers).status == 200
        recovered = time.monotonic() - began
    refusals = [took for status, took in flood.answers if status == 429]
    goodput = flood.rate(200) / peak
    print(
        f"peak {peak:.0f}/s, goodput {goodput:.2f}, {len(refusals)} refused, "
        f"p99 of a refusal {np.percentile(refusals, 99) * 1e3:.0f} ms, "
        f"recovery {recovered * 1e3:.0f} ms"
    )
    assert {status for status, _ in flood.answers} == {200, 429}
    return goodput, recovered


def test_a_flood_is_answered_or_refused(tmp_path):
    flooded(tmp_path, 3)


@pytest.mark.soak
def test_a_minute_of_flood_leaves_nine_tenths_of_the_answers(tmp_path):
    goodput, recovered = flooded(tmp_path, 60)
    assert goodput >= 0.9
    assert recovered < 1
