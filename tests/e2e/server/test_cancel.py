"""Clients that leave, and deadlines that pass, while the engine runs what they asked for."""

from __future__ import annotations

import contextlib
import http.client
import json
import time

import grpc
import pytest
from e2e.server import messages, small_bundles
from e2e.server.running import serving

WIDTH = 1024
# Left alone a run is 500 products of 1,024 by 1,024, 10^12 operations: no core does it so soon.
SOON = 2.0
INFER = "/v2/models/slow/infer"
AS_STATUS = [("triton_grpc_error", "true")]
TOKEN = {"Authorization": "Bearer secret"}


def body(width):
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, width], "data": [0.0] * width}
    return json.dumps({"inputs": [tensor]})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cancel")
    small_bundles.slow(folder / "slow", "1")
    with serving(folder, "--defaults.batching.workers", "1") as running:
        yield running


def statistics(server):
    """How many were answered, were given up, and wait."""
    [model] = server.get("/traffic", headers=TOKEN, address=server.management).json["models"]
    [version] = model["versions"]
    requests = version["requests"]
    return requests["success"], requests["cancelled"], version["waiting"]


def eventually(server, expected, within=20.0):
    until = time.monotonic() + within
    while (found := statistics(server)) != expected:
        assert time.monotonic() < until, (found, expected)
        time.sleep(0.01)


def settled(server):
    """What stays so for a while."""
    before, now = None, statistics(server)
    while now != before:
        time.sleep(0.2)
        before, now = now, statistics(server)
    return now


@contextlib.contextmanager
def connected(server, width, headers=None):
    """A connection by which a request is sent, and not answered yet."""
    connection = http.client.HTTPConnection(server.address, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", INFER, body(width), headers or {})
        yield connection


@contextlib.contextmanager
def waiting(server):
    """A request that waits behind the one in the engine, and what was done before."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        success, cancelled, _ = statistics(server)
        with connected(server, 2) as connection:
            found = settled(server)
            while found == (success, cancelled, 0):
                found = settled(server)
            if found == (success, cancelled, 1):
                yield connection, (success, cancelled)
                return
            # It was answered: the other had not come to the engine yet.
            assert connection.getresponse().status == 200
    raise AssertionError(found)


def requires_stop(server, leave):
    """Fails unless the run that is in the engine ends soon after ``leave``."""
    with waiting(server) as (connection, (success, cancelled)):
        left = time.monotonic()
        leave()
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        assert time.monotonic() - left < SOON
    eventually(server, (success + 1, cancelled + 1, 0))


def test_a_run_ends_when_its_http_connection_is_closed(server):
    with connected(server, WIDTH) as connection:
        requires_stop(server, connection.close)


def test_a_run_ends_when_its_grpc_call_is_cancelled(server):
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary(messages.INFER).future(messages.infer("slow", [0.0] * WIDTH))
        requires_stop(server, call.cancel)


def test_a_run_ends_when_its_grpc_stream_is_cancelled(server):
    with grpc.insecure_channel(server.address) as channel:
        slow = messages.infer("slow", [0.0] * WIDTH)
        call = channel.stream_stream(messages.STREAM)(iter([slow]))
        requires_stop(server, call.cancel)


def test_a_run_ends_at_its_deadline(server):
    with (
        connected(server, WIDTH, {"x-request-timeout-ms": "2000"}) as late,
        waiting(server) as (other, (success, cancelled)),
    ):
        assert late.getresponse().status == 504
        over = time.monotonic()
        assert other.getresponse().status == 200
        assert time.monotonic() - over < SOON
    eventually(server, (success + 1, cancelled + 1, 0))


def test_a_run_ends_at_its_grpc_deadline(server):
    success, cancelled, _ = statistics(server)
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as late:
        channel.unary_unary(messages.INFER)(messages.infer("slow", [0.0] * WIDTH), timeout=0.5)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    eventually(server, (success, cancelled + 1, 0), SOON)


def test_a_stream_that_an_error_ends_has_its_status(server):
    """Not that of a call which is given up, which clients read where it is reset before its end."""
    codes = set()
    with grpc.insecure_channel(server.address) as channel:
        call = channel.stream_stream(messages.STREAM)
        for _ in range(300):
            with pytest.raises(grpc.RpcError) as ended:
                list(call(iter([messages.infer("absent", [0.0])]), metadata=AS_STATUS, timeout=20))
            codes.add(ended.value.code())
    assert codes == {grpc.StatusCode.NOT_FOUND}
