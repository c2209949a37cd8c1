"""What the server tells of itself: log, traces, captures, and who may ask for what."""

from __future__ import annotations

import gzip
import json
import resource
import shutil
import socket
import stat
import struct
import subprocess
import time

import grpc
import pytest
from e2e.server.conftest import GOOD
from e2e.server.load import INFER, Load
from e2e.server.receiver import Receiver, attributes
from e2e.server.running import JAR, LISTENING, Reached, serving

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SECRET = 7654321.25
"""A value that must be in captures, and in nothing else."""
SERVICE = "/inference.GRPCInferenceService/"


def body(values=(1, 2, 3, SECRET)):
    data = list(values)
    tensor = {"name": "features", "datatype": "FP32", "shape": [1, len(data)], "data": data}
    return {"inputs": [tensor]}


def field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data


def message(model):
    """A ModelInferRequest."""
    tensor = field(1, b"features") + field(2, b"FP32") + field(3, bytes([1, 4]))
    raw = struct.pack("<4f", 1, 2, 3, SECRET)
    return field(1, model.encode()) + field(5, tensor) + field(7, raw)


def call(address, method, data=b"", **headers):
    """The answer of a call over gRPC, or its status."""
    with grpc.insecure_channel(address) as channel:
        metadata = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        try:
            return channel.unary_unary(method)(data, timeout=30, metadata=metadata)
        except grpc.RpcError as error:
            return error.code()


def metrics(server):
    bearer = {"Authorization": "Bearer secret"}
    text = server.get("/metrics", address=server.management, headers=bearer).body.decode()
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("operations")
    shutil.copytree(GOOD / "mlp", folder / "mlp")
    return folder


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    return tmp_path_factory.mktemp("captures") / "of/mlp"


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def server(models, captures, receiver):
    flags = [
        *("--log.format", "json", "--log.requests", "all"),
        *("--tracing.endpoint", receiver.endpoint, "--tracing.headers", "x-key=hush"),
        *("--capture.directory", str(captures)),
    ]
    with serving(models, *flags) as running:
        yield running


def logged(server, **fields):
    """The line of the request with these fields, as soon as it is there."""
    until = time.monotonic() + 30
    while True:
        lines = [json.loads(line) for line in list(server.told)]
        for line in lines:
            if fields.items() <= line.items():
                return line
        assert time.monotonic() < until, (fields, lines[-5:])
        time.sleep(0.05)


def test_a_request_has_a_line_with_what_became_of_it(server):
    answer = server.post(INFER, body(), headers={"X-Request-Id": "line-1"})
    assert answer.headers["x-request-id"] == "line-1"
    line = logged(server, request_id="line-1")
    assert line["message"] == "POST /v2/models/mlp/infer 200"
    told = {"level": "INFO", "protocol": "h1c", "method": "POST", "path": INFER, "status": 200}
    assert told.items() <= line.items()
    assert (line["model"], line["version"], line["client"]) == ("mlp", "1.0.0", "127.0.0.1")
    assert line["bytes_out"] == len(answer.body)
    assert 0 < line["run_ms"] < line["ms"]
    assert 0 <= line["queue_ms"] < line["ms"]
    assert "error" not in line


@pytest.mark.parametrize(
    ("path", "asked", "status", "code"),
    [
        (INFER, body([1, 2, SECRET]), 400, "INPUT_SHAPE"),
        (INFER, body([1, 2, 3, "7654321.25"]), 400, "REQUEST_INVALID"),
        (INFER, b'{"inputs": 7654321.25', 400, "REQUEST_INVALID"),
        ("/v2/models/absent/infer", body(), 404, "MODEL_NOT_FOUND"),
        ("/v1/models/mlp:predict", {"instances": [[SECRET]]}, 400, "INPUT_SHAPE"),
    ],
)
def test_a_failure_has_its_code(server, path, asked, status, code):
    answer = server.post(path, asked)
    assert answer.status == status
    assert answer.json["error"].startswith(code)
    line = logged(server, request_id=answer.headers["x-request-id"])
    assert (line["status"], line["error"]) == (status, code)


def test_a_call_over_grpc_has_a_line(server):
    assert b"mlp" in call(server.address, SERVICE + "ModelInfer", message("mlp"), x_request_id="g1")
    line = logged(server, request_id="g1")
    told = {"protocol": "h2c", "rpc": SERVICE[1:] + "ModelInfer", "grpc_status": "OK"}
    assert {**told, "model": "mlp", "version": "1.0.0"}.items() <= line.items()
    name = "m\n{}\u2028\x1b[31m"
    asked = call(server.address, SERVICE + "ModelInfer", message(name), x_request_id="g2")
    assert asked is grpc.StatusCode.NOT_FOUND
    line = logged(server, request_id="g2")
    assert (line["grpc_status"], line["error"]) == ("NOT_FOUND", "MODEL_NOT_FOUND")
    assert line["model"] == name


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "caf\xe9", '"', "a,b"])
def test_an_id_that_is_none_is_replaced(server, given):
    answer = server.get("/v2/health/live", headers={"x-request-id": given})
    assert answer.status == 200
    made = answer.headers["x-request-id"]
    assert made != given
    assert len(made) == 32
    assert set(made) <= set("0123456789abcdef")


def test_what_tensors_hold_is_never_logged(server):
    server.post(INFER, body())
    last = server.get("/nothing").headers["x-request-id"]
    logged(server, request_id=last, status=404)
    told = "".join(server.told)
    assert "7654321" not in told
    assert "hush" not in told
    assert all(json.loads(line)["message"] for line in server.told)


def test_a_trace_goes_on_in_the_server(server, receiver):
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "traced"}
    assert server.post(INFER, body(), headers=headers).status == 200
    assert logged(server, request_id="traced")["trace_id"] == TRACE
    spans = receiver.of(TRACE, 3)
    call, queue, run = spans["POST /v2/models/:model/infer"], spans["queue"], spans["run"]
    assert call.parent_span_id.hex() == PARENT
    assert call.kind == call.SPAN_KIND_SERVER
    assert {queue.parent_span_id, run.parent_span_id} == {call.span_id}
    assert call.start_time_unix_nano <= queue.start_time_unix_nano
    assert queue.end_time_unix_nano == run.start_time_unix_nano
    assert run.start_time_unix_nano < run.end_time_unix_nano <= call.end_time_unix_nano
    assert abs(call.end_time_unix_nano / 1e9 - time.time()) < 60
    about = {
        "http.request.method": "POST",
        "http.route": "/v2/models/:model/infer",
        "http.response.status_code": 200,
        "url.path": INFER,
        "url.scheme": "http",
        "client.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "sealane.model.name": "mlp",
        "sealane.model.version": "1.0.0",
        "sealane.request.id": "traced",
    }
    assert about.items() <= attributes(call).items()
    ran = attributes(run)
    assert (ran["sealane.engine"], ran["sealane.model.name"]) == ("onnx", "mlp")
    assert (ran["sealane.batch.rows"], ran["sealane.batch.requests"]) == (1, 1)
    assert not receiver.problems
    assert receiver.headers[0]["x-key"] == "hush"
    service, _ = receiver.spans[0]
    assert service["service.name"] == "sealane-server"
    assert service["service.version"]


def test_a_trace_over_grpc(server, receiver):
    trace = TRACE[::-1]
    told = call(
        server.address,
        SERVICE + "ModelInfer",
        message("absent"),
        traceparent=f"00-{trace}-{PARENT}-01",
    )
    assert told is grpc.StatusCode.NOT_FOUND
    [span] = receiver.of(trace, 1).values()
    assert span.name == "inference.GRPCInferenceService/ModelInfer"
    about = {
        "rpc.system": "grpc",
        "rpc.service": "inference.GRPCInferenceService",
        "rpc.method": "ModelInfer",
        "rpc.grpc.status_code": 5,
        "sealane.error.code": "MODEL_NOT_FOUND",
        "network.protocol.version": "2",
    }
    assert about.items() <= attributes(span).items()
    # The client's fault is no error of the server.
    assert span.status.code == span.status.STATUS_CODE_UNSET


def test_a_caller_decides_that_it_is_not_traced(server, receiver):
    trace = "f" * 31 + "0"
    headers = {"traceparent": f"00-{trace}-{PARENT}-00"}
    for _ in range(5):
        assert server.post(INFER, body(), headers=headers).status == 200
    last = "e" * 32
    headers = {"traceparent": f"00-{last}-{PARENT}-01"}
    assert server.post(INFER, body(), headers=headers).status == 200
    receiver.of(last, 3)
    receiver.of(trace, 0)


def test_captured_requests_can_be_asked_again(server, captures):
    headers = {"x-request-id": "captured"}
    values = [0.1, -1e-30, SECRET, 3.4e38]
    answer = server.post(INFER, body(values), headers=headers)
    assert server.post(INFER, body([1])).status == 400
    until = time.monotonic() + 30
    lines = []
    while not lines:
        assert time.monotonic() < until
        time.sleep(0.1)
        for file in captures.glob("*"):
            with gzip.open(file, "rt") as text:
                lines += [
                    each for each in map(json.loads, text) if each["request_id"] == "captured"
                ]
    [line] = lines
    assert (line["model_name"], line["model_version"]) == ("mlp", "1.0.0")
    assert line["outputs"] == answer.json["outputs"]
    assert struct.pack("<4f", *line["inputs"][0]["data"]) == struct.pack("<4f", *values)
    again = server.post(f"/v2/models/{line['model_name']}/infer", {"inputs": line["inputs"]})
    assert again.json["outputs"] == line["outputs"]
    [file] = captures.glob("*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(captures.stat().st_mode) == 0o700
    assert metrics(server)['sealane_capture_requests_total{outcome="dropped"}'] == 0


def test_failures_alone_are_logged_in_text_until_the_end(models):
    with serving(models, "--log.requests", "failures", "--drain.notice", "2s") as server:
        assert server.post(INFER, body()).status == 200
        name = "m 2026-01-01T00:00:00.000Z ERROR\n"
        call(server.address, SERVICE + "ModelInfer", message(name))
        server.process.terminate()
        until = time.monotonic() + 20
        while server.get("/v2/health/ready").status == 200:
            assert time.monotonic() < until
        assert server.process.wait(30) in (0, 143)
        server._reader.join(20)
    lines = [each for each in server.told if "io.sealane.requests" in each]
    line = lines[0]
    assert "GET /v2/health/ready 503" in lines[1]
    assert len(lines) == 2
    assert "ModelInfer NOT_FOUND protocol=h2c" in line
    assert r'model="m 2026-01-01T00:00:00.000Z ERROR\u000a" error=MODEL_NOT_FOUND' in line


def test_who_may_change_what_is_served_over_grpc(models):
    unload = SERVICE + "RepositoryModelUnload"
    with serving(models) as server:
        for token in ("", "Bearer wrong", "secret"):
            for method in (unload, SERVICE + "ServerLive"):
                told = call(server.management, method, field(2, b"mlp"), authorization=token)
                assert told is grpc.StatusCode.UNAUTHENTICATED
        for method in (unload, SERVICE + "RepositoryModelLoad"):
            told = call(server.address, method, field(2, b"mlp"), authorization="Bearer secret")
            assert told is grpc.StatusCode.PERMISSION_DENIED
        assert server.get("/v2/models/mlp/ready").status == 200
        told = call(server.management, unload, field(2, b"mlp"), authorization="Bearer secret")
        assert told == b""
        assert server.get("/v2/models/mlp/ready").status == 503


@pytest.fixture
def nobody_listens():
    """Takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"


def test_sinks_that_hang_or_are_full_cost_no_request(models, tmp_path, nobody_listens):
    """The receiver of traces hangs, nobody reads the log, the disk takes nothing: S27."""
    command = ["java", "-jar", str(JAR), "--repository", str(models)]
    command += ["--port", "0", "--management.port", "0", "--management.token", "secret"]
    command += ["--log.requests", "all", "--tracing.endpoint", nobody_listens]
    command += ["--capture.directory", str(tmp_path / "captures"), "--drain.timeout", "5s"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        found = next(filter(None, map(LISTENING.search, process.stdout)))
        server = Reached(*found.groups())
        unlimited = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, unlimited[1]))
        wanted = {
            "sealane_log_dropped_total": 0,
            'sealane_trace_spans_total{outcome="dropped"}': 0,
            'sealane_capture_requests_total{outcome="failed"}': 0,
        }
        with Load(server.address, 4, INFER, json.dumps(body())) as load:
            until = time.monotonic() + 60
            while not all(wanted.values()):
                assert time.monotonic() < until, wanted
                time.sleep(0.3)
                wanted = {name: metrics(server)[name] for name in wanted}
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
            written = 'sealane_capture_requests_total{outcome="written"}'
            while not metrics(server)[written]:
                assert time.monotonic() < until
                time.sleep(0.3)
        assert set(load.statuses) == {200}
        assert not load.broken
        assert max(load.seconds) < 5
        process.terminate()
        began = time.monotonic()
        assert process.wait(30) in (0, 143)
        assert time.monotonic() - began < 20
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
