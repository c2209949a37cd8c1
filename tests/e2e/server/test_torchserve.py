"""TorchServe's inference and management APIs, as its documentation and its clients have them."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import struct

import grpc
import numpy as np
import pytest
from e2e.server.conftest import GOOD, golden
from e2e.server.running import ROOT, serving

BEARER = {"Authorization": "Bearer secret"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
BYTES = {"Content-Type": "application/octet-stream"}
TEXT = {"Content-Type": "text/plain"}
ROW = b"[[1, 2, 3, 4]]"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=edge"}


def multipart(*fields):
    """What ``curl -F name=@file`` sends."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="f"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in fields
    ]
    return b"".join(parts) + b"--edge--\r\n"


def predict(server, model, body, headers=None, method="POST"):
    return server.call(method, f"/predictions/{model}", body, headers)


@pytest.fixture(scope="module")
def mlp():
    case = golden("mlp")
    [rows] = case["inputs"].values()
    [scores] = case["outputs"].values()
    return rows, np.array(scores, np.float32)


def equal(answer, expected):
    assert answer.status == 200, answer.body
    assert "x-request-id" in answer.headers
    np.testing.assert_array_equal(np.array(answer.json, np.float32), expected)


@pytest.mark.parametrize("headers", [None, JSON, FORM, TEXT], ids=str)
@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"features": rows}])
def test_rows_are_answered_by_rows(server, mlp, headers, wrap):
    rows, expected = mlp
    body = json.dumps(wrap(rows)).encode()
    equal(predict(server, "mlp", body, headers), expected)
    equal(predict(server, "mlp/1.0.0", body, headers), expected)


def test_a_row_is_answered_by_its_row(server, mlp):
    rows, expected = mlp
    row = json.dumps(rows[0]).encode()
    raw = struct.pack("<4f", *rows[0])
    for body, headers, method in [
        (row, None, "POST"),
        (row, None, "PUT"),
        (row, FORM, "POST"),
        (json.dumps({"features": rows[0]}).encode(), JSON, "POST"),
        (json.dumps({"data": rows[0]}).encode(), JSON, "POST"),
        (json.dumps({"body": {"features": rows[0]}}).encode(), JSON, "POST"),
        (b"data=" + row, FORM, "POST"),
        (b"features=" + row, FORM, "POST"),
        (multipart(("data", row)), MULTIPART, "POST"),
        (multipart(("features", row)), MULTIPART, "POST"),
        (multipart(("data", raw)), MULTIPART, "POST"),
        (raw, BYTES, "POST"),
        (raw, None, "PUT"),
        (json.dumps(base64.b64encode(row).decode()).encode(), JSON, "POST"),
        (json.dumps(base64.b64encode(raw).decode()).encode(), JSON, "POST"),
    ]:
        equal(predict(server, "mlp", body, headers, method), expected[0])


def test_the_json_envelope_is_answered_in_its_own(server, mlp):
    rows, expected = mlp
    for key, answered in (("instances", "predictions"), ("inputs", "outputs")):
        answer = predict(server, "mlp", json.dumps({key: rows}), JSON)
        assert answer.status == 200, answer.body
        assert set(answer.json) == {answered}
        np.testing.assert_array_equal(np.array(answer.json[answered], np.float32), expected)


def test_texts_and_several_inputs(server):
    case = golden("strings")
    names = list(case["inputs"])
    rows = [
        dict(zip(names, row, strict=True)) for row in zip(*case["inputs"].values(), strict=True)
    ]
    columns = predict(server, "strings", json.dumps(case["inputs"]), JSON).json
    assert columns == {name: values for name, values in case["outputs"].items()}
    listed = predict(server, "strings", json.dumps(rows), JSON).json
    assert listed == [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]
    at, whole = next(
        (at, row) for at, row in enumerate(rows) if all(value is not None for value in row.values())
    )
    assert predict(server, "strings", json.dumps(whole), JSON).json == listed[at]
    fields = [(name, str(value).encode()) for name, value in whole.items()]
    assert predict(server, "strings", multipart(*fields), MULTIPART).json == listed[at]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", None),
        (b"hello hello 1234", None),
        (b"hello hello 1234", TEXT),
        (b"[[1, 2, 3, 4]", None),
        (b"[[1, 2, 3, 4], [1, 2]]", JSON),
        (b"[[1, 2, 3]]", JSON),
        (b"7", JSON),
        (b'"?"', JSON),
        (b'"aGVsbG8="', JSON),
        (b'{"absent": [[1, 2, 3, 4]]}', JSON),
        (b'{"data": {"data": [[1, 2, 3, 4]]}}', JSON),
        (b'{"data": {"body": {"data": [[1, 2, 3, 4]]}}}', JSON),
        (b'{"inputs": [{"name": "features", "datatype": "FP32", "data": [1]}]}', JSON),
        (b"\x00" * 15, None),
        (b"\x00" * 32, BYTES),
        (b"absent=1", FORM),
        (b"data=1&features=2", FORM),
        (multipart(("features", b"[1, 2, 3, 4]"), ("features", b"[1, 2, 3, 4]")), MULTIPART),
        (multipart(("absent", b"[1, 2, 3, 4]")), MULTIPART),
        (b"--edge\r\nContent-Disp", MULTIPART),
        (b"--edge\r\nContent-Disposition: ;;=\r\n\r\n1\r\n--edge--\r\n", MULTIPART),
        (b"[1, 2, 3, 4]", {"Content-Type": "multipart/form-data"}),
        (b"[" * 100_000, JSON),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_body_is_a_client_fault(server, body, headers):
    answer = predict(server, "mlp", body, headers)
    assert answer.status == 400, answer.body
    assert set(answer.json) == {"code", "type", "message"}
    assert answer.json["code"] == 400
    assert answer.json["type"] == "BadRequestException"
    assert answer.json["message"].split(":")[0].isupper()


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("POST", "/predictions/absent", 404, "ModelNotFoundException"),
        ("POST", "/predictions/absent/1.0", 404, "ModelNotFoundException"),
        ("POST", "/predictions/mlp/9.9", 404, "ModelVersionNotFoundException"),
        ("GET", "/predictions/mlp", 405, "MethodNotAllowedException"),
        ("DELETE", "/ping", 405, "MethodNotAllowedException"),
        ("POST", "/explanations/mlp", 501, "UnsupportedOperationException"),
        ("POST", "/explanations/absent", 404, "ModelNotFoundException"),
        ("GET", "/models/absent", 404, "ModelNotFoundException"),
        ("GET", "/models/mlp?customized=true", 501, "UnsupportedOperationException"),
        ("GET", "/models/mlp/9.9", 404, "ModelVersionNotFoundException"),
        ("PUT", "/models/mlp/9.9/set-default", 404, "ModelVersionNotFoundException"),
        ("GET", "/models/mlp/1.0.0/set-default", 405, "MethodNotAllowedException"),
        ("DELETE", "/models/absent", 404, "ModelNotFoundException"),
        ("GET", "/models/mlp/1.0.0/no/such", 404, "ResourceNotFoundException"),
        ("POST", "/predictions/mlp/1.0.0/no/such", 404, "ResourceNotFoundException"),
        ("DELETE", "/models", 405, "MethodNotAllowedException"),
        ("POST", "/models/mlp", 405, "MethodNotAllowedException"),
        ("PUT", "/models/mlp?min_worker=0", 501, "UnsupportedOperationException"),
        ("PUT", "/models/mlp?min_worker=1000", 501, "UnsupportedOperationException"),
        ("PUT", "/models/mlp?min_worker=2&max_worker=1", 400, "BadRequestException"),
        ("GET", "/models?limit=many", 400, "BadRequestException"),
        ("POST", "/models", 400, "BadRequestException"),
        ("POST", "/models?url=absent", 404, "ModelNotFoundException"),
        ("POST", "/models?url=mlp", 409, "ConflictStatusException"),
        ("POST", "/models?url=mlp&handler=image_classifier", 501, "UnsupportedOperationException"),
        ("POST", "/models?url=mlp&batch_size=8", 501, "UnsupportedOperationException"),
        ("POST", "/models?url=mlp&model_name=other", 501, "UnsupportedOperationException"),
    ],
)
def test_refusals_have_torchserves_shape(server, method, path, status, kind):
    answer = server.call(method, path, ROW, JSON if "predict" in path else None)
    assert (answer.status, answer.json["type"]) == (status, kind), answer.body
    assert answer.json["code"] == status
    assert "x-request-id" in answer.headers or kind == "ResourceNotFoundException"


def test_bodies_may_be_compressed(server, mlp):
    rows, expected = mlp
    body = gzip.compress(json.dumps(rows).encode())
    equal(predict(server, "mlp", body, JSON | {"Content-Encoding": "gzip"}), expected)
    broken = predict(server, "mlp", b"no gzip", JSON | {"Content-Encoding": "gzip"})
    assert (broken.status, broken.json["type"]) == (400, "BadRequestException")
    unknown = predict(server, "mlp", body, BYTES | {"Content-Encoding": "zstd"})
    assert (unknown.status, unknown.json["type"]) == (501, "UnsupportedOperationException")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/mlp.mar",
        "https://example.org/mlp.mar",
        "file:///etc/passwd",
        "s3://bucket/mlp.mar",
        "/etc/passwd",
        "../mlp",
        "..",
        ".",
        "mlp/../mlp",
        "mlp%2f..%2f..%2fetc",
        "mlp%00",
        "http:mlp",
        "",
    ],
)
def test_nothing_is_fetched_and_no_path_is_followed(server, url):
    # Of some, the server's own reader of paths refuses the request before TorchServe's API does.
    assert server.call("POST", f"/models?url={url}&initial_workers=1").status == 400
    answer = server.call("POST", "/models", json.dumps({"url": url}), JSON)
    assert (answer.status, answer.json["type"]) == (400, "BadRequestException"), answer.body


def test_ping_and_the_description_of_the_api(server):
    ping = server.get("/ping")
    assert (ping.status, ping.json) == (200, {"status": "Healthy"})
    assert ping.headers["content-type"] == "application/json"
    both = server.call("OPTIONS", "/").json
    assert both["openapi"] == "3.0.1"
    assert {"/ping", "/predictions/{model_name}", "/models"} <= set(both["paths"])
    assert server.get("/api-description").json == both
    assert set(server.call("OPTIONS", "/models").json["paths"]["/models"]) == {"get", "post"}
    assert "/predictions/mlp" in server.call("OPTIONS", "/predictions/mlp").json["paths"]
    assert server.get("/").json == {"status": "alive"}


def test_models_are_listed_by_pages_and_described(server):
    names = ["domains", "dtypes", "mlp", "strings"]
    page = server.get("/models?limit=3").json
    assert page["nextPageToken"] == "3"
    assert page["models"] == [{"modelName": name, "modelUrl": name} for name in names[:3]]
    rest = server.get(f"/models?limit=3&next_page_token={page['nextPageToken']}").json
    assert rest == {"models": [{"modelName": "strings", "modelUrl": "strings"}]}
    [told] = server.get("/models/mlp").json
    assert server.get("/models/mlp/all").json == server.get("/models/mlp/1.0.0").json == [told]
    assert (told["modelName"], told["modelVersion"]) == ("mlp", "1.0.0")
    assert len(told["workers"]) == told["minWorkers"] == told["maxWorkers"]
    assert {each["status"] for each in told["workers"]} == {"READY"}
    assert told["jobQueueStatus"] == {"remainingCapacity": 1024, "pendingRequests": 0}


def field(number, *values):
    """Fields of one number in protobuf's wire format, of fewer than 128 bytes each."""
    return b"".join(bytes([number << 3 | 2, len(value)]) + value for value in values)


def called(address, method, message, token=""):
    """A gRPC call by the numbers of TorchServe's definition, and its one answer."""
    service = "inference.InferenceAPIsService" if not token else "management.ManagementAPIsService"
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_stream(f"/org.pytorch.serve.grpc.{service}/{method}")
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        [answer] = call(message, timeout=20, metadata=metadata)
    return answer


def test_grpc_has_the_names_and_numbers_of_torchserves_definition(server, mlp):
    rows, expected = mlp
    row = json.dumps(rows[0]).encode()
    request = field(1, b"mlp") + field(2, b"1.0.0") + field(3, field(1, b"data") + field(2, row))
    for method in ("Predictions", "StreamPredictions"):
        answer = called(server.address, method, request)
        assert answer[:1] == field(1, b"")[:1]
        np.testing.assert_array_equal(np.array(json.loads(answer[2:]), np.float32), expected[0])
    assert called(server.address, "Ping", b"") == field(1, b'{"status":"Healthy"}')
    said = b'Default version successfully updated for model "mlp" to "1.0.0"'
    chosen = called(
        server.management, "SetDefault", field(1, b"mlp") + field(2, b"1.0.0"), "secret"
    )
    assert chosen == field(1, said)
    with pytest.raises(grpc.RpcError) as refused:
        called(server.management, "RegisterModel", field(9, b"http://127.0.0.1/a.mar"), "secret")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as refused:
        called(server.management, "ListModels", b"", "wrong")
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


def with_version(folder, version):
    """A copy of the conformance model ``mlp`` as another version."""
    shutil.copytree(GOOD / "mlp", folder)
    manifest = (folder / "sealane.json").read_text()
    (folder / "sealane.json").write_text(
        manifest.replace('"version": "1.0.0"', f'"version": "{version}"')
    )


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """A server of the model ``rows``, version 1.0, whose main port manages nothing."""
    repository = tmp_path_factory.mktemp("apart")
    with_version(repository / "rows", "1.0")
    flags = ("--defaults.batching.workers", "1", "--request.max-bytes", "1000")
    with serving(repository, *flags) as running:
        yield running


@pytest.mark.parametrize("headers", [JSON, MULTIPART, FORM], ids=str)
def test_a_body_over_the_limit_is_told_so(apart, headers):
    answer = predict(apart, "rows", b"[" + b" " * 1000 + b"]", headers)
    assert (answer.status, answer.json["code"]) == (413, 413), answer.body
    assert answer.json["type"] == "BadRequestException"
    assert apart.post("/predictions/rows", ROW).status == 200


def test_management_needs_its_port_and_its_token(apart):
    for method, path in [
        ("GET", "/models"),
        ("POST", "/models?url=rows"),
        ("GET", "/models/rows"),
        ("PUT", "/models/rows?min_worker=1"),
        ("PUT", "/models/rows/1.0/set-default"),
        ("DELETE", "/models/rows"),
        ("OPTIONS", "/"),
    ]:
        if path != "/":
            assert apart.call(method, path).status == 404
        assert apart.call(method, path, address=apart.management).status == 401
    assert "/models" not in apart.call("OPTIONS", "/").json["paths"]
    described = apart.call("OPTIONS", "/", address=apart.management, headers=BEARER).json
    assert "/models" in described["paths"]
    assert "/ping" not in described["paths"]


def answered(wanted, answer):
    """Whether an answer is what the conformance data have for it."""
    if answer.status != wanted["status"]:
        return False
    told = answer.json
    if "type" in wanted:
        return (told["type"], told["code"]) == (wanted["type"], wanted["status"])
    if wanted.get("answer") == "numbers":
        return all(isinstance(each, float) for each in told)
    one = told[0] if isinstance(told, list) else told
    return set(wanted.get("keys", ())) <= set(one) and wanted.get("answer", told) == told


def test_answers_are_those_of_a_real_torchserve(apart):
    exchanges = json.loads((ROOT / "tests/conformance/wire/torchserve.json").read_text())
    wrong = []
    for each in exchanges:
        inference = each["to"] == "inference"
        headers = {"Content-Type": each["content"]} if "content" in each else {}
        answer = apart.call(
            each["method"],
            each["path"],
            each.get("body"),
            headers if inference else headers | BEARER,
            apart.address if inference else apart.management,
        )
        if not answered(each.get("ours", each["seen"]), answer):
            wrong.append((each, answer))
    assert not wrong


def test_versions_come_and_go_as_torchserves_clients_ask(tmp_path):
    repository = tmp_path / "repository"
    for version in ("1.0", "2.0"):
        with_version(repository / "mlp" / version, version)
    with_version(repository / "later", "1.0")
    with serving(repository, "--defaults.versions", "all") as server:

        def manage(method, path):
            answer = server.call(method, path, address=server.management, headers=BEARER)
            return answer.status, answer.json

        def described(path="/models/mlp"):
            return [each["modelVersion"] for each in manage("GET", path)[1]]

        def status(text):
            return 200, {"status": text}

        assert described("/models/mlp/all") == ["2.0", "1.0"]
        assert described() == ["2.0"]
        said = 'Default version successfully updated for model "mlp" to "1.0"'
        assert manage("PUT", "/models/mlp/1.0/set-default") == status(said)
        assert described() == ["1.0"]
        assert server.get("/v2/models/mlp/config").json["name"] == "mlp"
        code, refused = manage("DELETE", "/models/mlp")
        assert (code, refused["type"]) == (403, "InvalidModelVersionException")
        code, refused = manage("DELETE", "/models/mlp/1.0")
        assert (code, refused["type"]) == (403, "InvalidModelVersionException")
        gone = status('Model "mlp" unregistered')
        assert manage("DELETE", "/models/mlp/2.0") == gone
        assert described("/models/mlp/all") == ["1.0"]
        assert server.post("/predictions/mlp/2.0", ROW).status == 404
        assert server.post("/predictions/mlp", ROW).status == 200
        assert manage("DELETE", "/models/mlp/1.0") == gone
        code, refused = manage("GET", "/models/mlp")
        assert (code, refused["type"]) == (404, "ModelNotFoundException")
        missing = server.post("/predictions/mlp", ROW)
        assert (missing.status, missing.json["type"]) == (404, "ModelNotFoundException")
        assert manage("GET", "/models")[1]["models"] == [
            {"modelName": "later", "modelUrl": "later"}
        ]
        workers = manage("GET", "/models/later")[1][0]["minWorkers"]
        said = f'Model "mlp" Version: 2.0 registered with {workers} initial workers'
        assert manage("POST", "/models?url=mlp.mar&synchronous=true&initial_workers=1") == status(
            said
        )
        assert described("/models/mlp/all") == ["2.0", "1.0"]
        assert manage("DELETE", "/models/later") == status('Model "later" unregistered')
        assert manage("POST", "/models?url=later&initial_workers=1&synchronous=false") == (
            202,
            {"status": "Processing worker updates..."},
        )
        assert manage("PUT", "/models/later?min_worker=1") == (
            202,
            {"status": "Processing worker updates..."},
        )
        said = f"Workers scaled to {workers} for model: later, version: 1.0"
        assert manage("PUT", "/models/later/1.0?min_worker=1&synchronous=true") == status(said)
