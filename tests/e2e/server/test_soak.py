"""A server for an hour: traffic over each protocol, versions that come and go, flat memory."""

from __future__ import annotations

import json
import os
import threading
import time

import grpc
import numpy as np
import pytest
from e2e.server import messages
from e2e.server.load import Load
from e2e.server.running import serving
from e2e.server.test_scenarios import (
    BEARER,
    PRETOUCHED,
    Golden,
    repository_call,
    two_versions,
)

ROW = [1.0] * 64

# Of its clients; each asks so often.
EVERY_SECONDS = 0.02


class Paced(Load):
    """Clients that rest between two requests."""

    def _look(self, answer):
        super()._look(answer)
        time.sleep(EVERY_SECONDS)


class PacedGolden(Paced, Golden):
    """They hold each answer against the version that it names, too."""


class GrpcCalls(threading.Thread):
    """V2 over gRPC and TensorFlow Serving's gRPC in turns, and a stream of V2 a turn."""

    def __init__(self, address):
        super().__init__()
        self.address = address
        self.stop = threading.Event()
        self.calls = 0
        self.failures: list[str] = []

    def run(self):
        with grpc.insecure_channel(self.address) as channel:
            calls = [
                lambda: channel.unary_unary(messages.INFER)(messages.infer("mlp", ROW), timeout=20),
                lambda: channel.unary_unary(messages.PREDICT)(
                    messages.predict("mlp", ROW), timeout=20
                ),
                lambda: list(
                    channel.stream_stream(messages.STREAM)(
                        iter([messages.infer("mlp", ROW)]), timeout=20
                    )
                ),
            ]
            while not self.stop.wait(EVERY_SECONDS):
                try:
                    assert calls[self.calls % len(calls)]()
                except (grpc.RpcError, AssertionError) as failed:
                    self.failures.append(repr(failed))
                self.calls += 1


def swapping(server, places, until, memory):
    """A version takes another's place each ten seconds; memory each minute, from the fifth on."""
    began = time.monotonic()
    while time.monotonic() < until:
        places[0].rename(places[1])
        places.reverse()
        assert repository_call(server, "mlp", "load").status == 200
        time.sleep(10)
        if time.monotonic() - began > 300 + 60 * len(memory):
            memory.append(server.memory())
            print(f"{time.monotonic() - began:.0f} s: {memory[-1] >> 20} MiB", flush=True)


@pytest.mark.soak
def test_an_hour_of_traffic_in_flat_memory(tmp_path):
    """Each answer right, and within 5 % of the memory of the fifth minute."""
    seconds = int(os.environ.get("SEALANE_SOAK_SECONDS", "3600"))
    assert seconds > 360, "memory is compared from the fifth minute on"
    rows = np.asarray([ROW], np.float32)
    repository, places, expected = two_versions(tmp_path, rows)
    memory: list[int] = []
    body = json.dumps({"instances": [ROW]})
    with serving(repository, jvm=PRETOUCHED) as server:
        calls = GrpcCalls(server.address)
        calls.start()
        with (
            PacedGolden(server.address, rows, expected) as rest,
            Paced(server.address, 2, "/v1/models/mlp:predict", body) as tfs,
        ):
            try:
                swapping(server, places, time.monotonic() + seconds, memory)
            finally:
                calls.stop.set()
                calls.join(60)
        metrics = server.get("/metrics", address=server.management, headers=BEARER)
        assert metrics.status == 200
    print(f"{len(rest.statuses)} and {len(tfs.statuses)} over REST, {calls.calls} over gRPC")
    assert set(rest.statuses) | set(tfs.statuses) == {200}
    assert not rest.broken + tfs.broken + calls.failures
    assert rest.versions == {"1.0.0", "2.0.0"}
    assert memory[-1] <= 1.05 * memory[0]
