"""A server from its start to its end: readiness, versions that come and go, SIGTERM under load."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time

import grpc
import pytest
from e2e.server.conftest import GOOD
from e2e.server.load import BODY, Load
from e2e.server.messages import STREAM, fields, infer
from e2e.server.running import serving

PREDICT = "/v1/models/mlp:predict"

# Field 1 of grpc.health.v1.HealthCheckResponse.
SERVING = b"\x08\x01"
NOT_SERVING = b"\x08\x02"


def health(server):
    with grpc.insecure_channel(server.address) as channel:
        return channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=20)


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    shutil.copytree(GOOD / "mlp", folder / "mlp")
    return folder


def test_sigterm_under_load_loses_nothing_and_readiness_turns_false_first(repository):
    with serving(repository, "--drain.notice", "2s") as server:
        assert server.get("/v2/health/ready").json == {"ready": True}
        assert health(server) == SERVING
        with Load(server.address) as load:
            time.sleep(1)
            server.process.terminate()
            time.sleep(1)
            ready = server.get("/v2/health/ready")
            assert (ready.status, ready.json) == (503, {"ready": False})
            assert server.get("/v2/health/live").json == {"live": True}
            assert health(server) == NOT_SERVING
            done = len(load.statuses)
            time.sleep(0.3)
            assert len(load.statuses) > done, "it does not accept during the notice"
            assert server.process.wait(20) in (0, 143)
        # The last ones came after the notice: told so, and their connection closed.
        assert set(load.statuses) <= {200, 503}
        assert 503 not in load.statuses[:done]
        assert not load.broken


def test_streams_that_nobody_writes_to_do_not_hold_it(repository):
    """A client's open stream and its watch of the health end; what was asked is answered."""
    rest = threading.Event()

    def messages():
        yield infer("mlp", [1, 2, 3, 4], "features")
        rest.wait(30)

    with serving(repository) as server, grpc.insecure_channel(server.address) as channel:
        stream = channel.stream_stream(STREAM)(messages())
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
        assert next(watch) == SERVING
        assert 1 not in fields(next(stream)), "an error"
        began = time.monotonic()
        assert server.terminate() in (0, 143)
        assert time.monotonic() - began < 20, "it waited for the streams"
        assert set(watch) == {NOT_SERVING}
        with pytest.raises(grpc.RpcError, match="the server is stopping") as ended:
            next(stream)
        assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
        rest.set()


def test_a_broken_version_is_told_and_displaces_nothing(repository):
    second = repository / "twice"
    shutil.copytree(GOOD / "mlp", second / "1")
    with serving(repository, "--poll", "200ms") as server:
        assert server.get("/v2/models/twice/ready").status == 200
        broken = shutil.copytree(GOOD / "strings", second / "2")
        model = next((broken / "1").glob("model.onnx"))
        model.write_bytes(model.read_bytes()[:-1])
        until = time.monotonic() + 20
        index = []
        while time.monotonic() < until and len(index) < 2:
            time.sleep(0.2)
            index = [
                each for each in server.post("/v2/repository/index").json if each["name"] == "twice"
            ]
        states = sorted(each["state"] for each in index)
        assert states == ["READY", "UNAVAILABLE"] or "FILES_DIFFER" in str(index), index
        assert server.get("/v2/models/twice/ready").status == 200
        assert server.get("/v2/health/ready").status == 200


def test_nothing_is_ready_before_its_golden_cases_are_replayed(repository):
    broken = shutil.copytree(GOOD / "mlp", repository / "broken")
    (broken / "1/model.onnx").write_bytes(b"no model")
    with serving(repository) as server:
        assert server.get("/v2/health/live").status == 200
        assert server.get("/v2/health/ready").status == 503
        ping = server.get("/ping")
        assert (ping.status, ping.json) == (503, {"status": "Unhealthy"})
        assert server.get("/v2/models/mlp/ready").status == 200
        answer = server.get("/v2/models/broken/ready")
        assert (answer.status, answer.json["ready"]) == (503, False)
        refused = server.post("/v2/models/broken/infer", BODY.encode())
        assert refused.status == 503
        assert "FILES_DIFFER" in refused.json["error"]


def test_who_sends_too_slowly_is_told(repository):
    with serving(repository, "--request.timeout", "1s") as server:
        host, _, port = server.address.partition(":")
        head = b"POST /v2/models/mlp/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{"
        with socket.create_connection((host, int(port)), timeout=20) as slow:
            slow.sendall(head)
            began = time.monotonic()
            answer = b""
            while b"DEADLINE_EXCEEDED" not in answer:
                more = slow.recv(4096)
                assert more, answer
                answer += more
        assert time.monotonic() - began < 10
        assert answer.startswith(b"HTTP/1.1 504"), answer
        assert server.post("/v2/models/mlp/infer", BODY.encode()).status == 200


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--no-such", "1"], "there is no setting 'no-such'"),
        (["--port", "ten"], "port must be 0 to 65535"),
        (["--poll", "5"], "poll must be such as 500ms"),
        (["--defaults.replay", "maybe"], "replay has no value 'maybe'"),
        (["--repository", "/nowhere/at/all"], "/nowhere/at/all"),
    ],
)
def test_wrong_settings_are_told_at_once(repository, flags, said):
    with pytest.raises(AssertionError, match=said), serving(repository, *flags):
        pass


def test_no_request_is_lost_while_versions_are_swapped(tmp_path):
    """Requests that name no version go to the successor when theirs is replaced at that moment."""
    repository = tmp_path / "repository"
    shutil.copytree(GOOD / "mlp", repository / "mlp/1")
    second = shutil.copytree(GOOD / "mlp", tmp_path / "2")
    manifest = (second / "sealane.json").read_text()
    assert manifest.count('"version": "1.0.0"') == 1
    (second / "sealane.json").write_text(
        manifest.replace('"version": "1.0.0"', '"version": "2.0.0"')
    )
    body = json.dumps({"instances": [[1, 2, 3, 4]]})
    bearer = {"Authorization": "Bearer secret"}
    with serving(repository) as server, Load(server.address, 4, PREDICT, body) as load:
        for place in [repository / "mlp/2", second] * 20:
            (repository / "mlp/2" if place == second else second).rename(place)
            answer = server.post(
                "/v2/repository/models/mlp/load", address=server.management, headers=bearer
            )
            assert answer.status == 200, answer.body
    assert set(load.statuses) == {200}
    assert not load.broken
