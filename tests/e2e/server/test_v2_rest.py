"""V2 over HTTP as a program without a client library speaks it."""

from __future__ import annotations

import gzip
import json
import math
import struct

import grpc
import numpy as np
import pytest
from e2e.server.conftest import golden

LENGTH = "Inference-Header-Content-Length"
DTYPES = {"FP32": np.float32, "FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_}


def request(case, **more):
    [(name, rows)] = case["inputs"].items()
    shape = list(np.array(rows).shape)
    return {"inputs": [{"name": name, "datatype": "FP32", "shape": shape, "data": rows}], **more}


@pytest.fixture(scope="module")
def mlp():
    return golden("mlp")


def test_nested_and_flat_data_in_any_order_of_fields(server, mlp):
    asked = request(mlp)
    tensor = asked["inputs"][0]
    flat = {**tensor, "data": np.array(tensor["data"]).reshape(-1).tolist()}
    last = {key: tensor[key] for key in ("data", "shape", "datatype", "name")}
    for form in (tensor, flat, last):
        answer = server.post("/v2/models/mlp/infer", {"inputs": [form]})
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"] == "application/json"
        [output] = answer.json["outputs"]
        found = np.array(output["data"], np.float32).reshape(output["shape"])
        np.testing.assert_array_equal(found, np.array(mlp["outputs"]["scores"], np.float32))


@pytest.mark.parametrize("name", ["mlp", "strings", "domains"])
def test_every_golden_case_comes_out_bit_for_bit(server, name):
    case = golden(name)
    version = case["version"]
    tensors = []
    metadata = server.get(f"/v2/models/{name}").json
    for spec in metadata["inputs"]:
        value = case["inputs"][spec["name"]]
        shape = list(np.array(value, dtype=object if spec["datatype"] == "BYTES" else None).shape)
        nothing = [None if v != v else v for v in np.array(value, dtype=object).reshape(-1)]
        tensors.append({**spec, "shape": shape, "data": nothing})
    answer = server.post(f"/v2/models/{name}/versions/{version}/infer", {"inputs": tensors})
    assert answer.status == 200, answer.body
    for output in answer.json["outputs"]:
        dtype = DTYPES.get(output["datatype"], object)
        expected = np.array(case["outputs"][output["name"]], dtype)
        assert list(expected.shape) == output["shape"]
        found = np.array(output["data"], dtype).reshape(output["shape"])
        np.testing.assert_array_equal(found, expected)


def test_a_body_of_bytes_alone(server, mlp):
    [rows] = mlp["inputs"].values()
    raw = np.array(rows[:1], np.float32).tobytes()
    answer = server.post("/v2/models/mlp/infer", raw, headers={LENGTH: "0"})
    assert answer.status == 200, answer.body
    size = int(answer.headers[LENGTH.lower()])
    assert json.loads(answer.body[:size])["outputs"][0]["parameters"] == {"binary_data_size": 12}
    found = np.frombuffer(answer.body[size:], np.float32)
    np.testing.assert_array_equal(found, mlp["outputs"]["scores"][0])


def test_unknown_paths_methods_and_versions(server, mlp):
    assert server.get("/v2/models/absent").status == 404
    assert server.get("/v2/models/mlp/versions/7").status == 404
    assert server.get("/v3").status == 404
    assert server.call("DELETE", "/v2/models/mlp").status == 405
    assert server.get("/v2/models/mlp/infer").status == 405
    for path in ("/v2/models/absent", "/v3"):
        assert set(server.get(path).json) == {"error"}
    assert server.post("/v2/models/absent/infer", request(mlp)).status == 404


HOSTILE = {
    "no JSON": b"nonsense",
    "nothing": b"",
    "a list": b"[]",
    "no inputs": b"{}",
    "inputs is no list": b'{"inputs": {}}',
    "two objects": b'{"inputs": []} {}',
    "deep data": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[1,4],"data":'
    + b"[" * 100_000
    + b"]}]}",
    "deep anything": b'{"x":' + b"[" * 250_000,
    "a huge shape": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[9223372036854775807'
    b',4],"data":[1]}]}',
    "an overflowing shape": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[4,115292150'
    b'4606846978],"data":[1,2,3,4]}]}',
    "a negative dim": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[-1,4],"data":[1]}'
    b"]}",
    "too few values": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[1,4],"data":[1]}]'
    b"}",
    "ragged": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[2,4],"data":[[1,2,3],[4,5,'
    b"6,7,8]]}]}",
    "text in FP32": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[1,4],"data":["1",2,3'
    b",4]}]}",
    "1e400": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[1,4],"data":[1e400,2,3,4]}]'
    b"}",
    "null data": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[1,4],"data":null}]}',
    "an unknown datatype": b'{"inputs":[{"name":"features","datatype":"FP31","shape":[1,4],"data":['
    b"1]}]}",
    "twice": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]},'
    b'{"name":"features","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]}]}',
    "shared memory": b'{"inputs":[{"name":"features","datatype":"FP32","shape":[1,4],"parameters":{'
    b'"shared_memory_region":"x","binary_data_size":16}}]}',
    "a reserved parameter": b'{"parameters":{"triton_x":1},"inputs":[{"name":"features","datatype":'
    b'"FP32","shape":[1,4],"data":[1,2,3,4]}]}',
    "a NUL": b'{"id":"a\x00b","inputs":[]}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_body_is_a_client_fault_and_the_server_goes_on(server, mlp, name):
    before = server.memory()
    answer = server.post("/v2/models/mlp/infer", HOSTILE[name])
    assert answer.status in ((501,) if name == "shared memory" else (400,)), answer.body
    assert set(answer.json) == {"error"}
    assert len(answer.body) < 2000
    assert server.memory() - before < 64 << 20
    assert server.post("/v2/models/mlp/infer", request(mlp)).status == 200


@pytest.mark.parametrize("value", ["-5", "abc", "99999999999", "9999"])
def test_a_false_header_length(server, mlp, value):
    body = json.dumps(request(mlp)).encode()
    answer = server.post("/v2/models/mlp/infer", body, headers={LENGTH: value})
    assert answer.status == 400, answer.body


@pytest.mark.parametrize(("size", "sent"), [(16, 12), (16, 20), (-1, 16), (2**40, 16), (12, 12)])
def test_false_binary_sizes(server, size, sent):
    tensor = {"name": "features", "datatype": "FP32", "shape": [1, 4]}
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": size}}]}).encode()
    answer = server.post(
        "/v2/models/mlp/infer", head + bytes(sent), headers={LENGTH: str(len(head))}
    )
    assert answer.status == 400, answer.body


def test_binary_strings_that_lie_about_their_length(server):
    spec = server.get("/v2/models/strings").json["inputs"]
    [name] = [each["name"] for each in spec if each["datatype"] == "BYTES"][:1]
    for raw in (
        struct.pack("<I", 2**31 - 1),
        struct.pack("<I", 3) + b"ab",
        b"\x02\x00\x00\x00\xff\xfe",
    ):
        tensor = {"name": name, "datatype": "BYTES", "shape": [1, 1]}
        size = {"binary_data_size": len(raw)}
        head = json.dumps({"inputs": [{**tensor, "parameters": size}]}).encode()
        answer = server.post(
            "/v2/models/strings/infer", head + raw, headers={LENGTH: str(len(head))}
        )
        assert answer.status == 400, answer.body


def test_a_small_body_that_grows_is_refused(server):
    bomb = gzip.compress(bytes(200 << 20))
    before = server.memory()
    answer = server.post("/v2/models/mlp/infer", bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status == 413, answer.status
    assert server.memory() - before < 256 << 20
    assert server.get("/v2/health/ready").status == 200


@pytest.mark.parametrize("binary", [False, True])
def test_large_answers_are_compressed_where_a_client_asks(server, mlp, binary):
    [(name, rows)] = mlp["inputs"].items()
    tensor = {"name": name, "datatype": "FP32", "shape": [500, 4], "data": rows[:1] * 500}
    asked = {"inputs": [tensor], "parameters": {"binary_data_output": binary}}
    plain = server.post("/v2/models/mlp/infer", asked)
    packed = server.post("/v2/models/mlp/infer", asked, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers.get(LENGTH.lower()) == plain.headers.get(LENGTH.lower())
    assert gzip.decompress(packed.body) == plain.body


@pytest.mark.parametrize("name", ["..%2f..%2ftmp", "a%2fb", "%00", "x" * 256, "%20", "%2e%2e"])
def test_names_that_are_paths(server, name):
    for path in (f"/v2/repository/models/{name}/load", f"/v2/models/{name}/infer"):
        assert server.post(path).status in (400, 404)


def test_values_that_are_no_numbers(server, mlp):
    """A model whose domain says nothing computes with them; they are written as they are read."""
    bare = json.dumps(request(mlp)).encode().replace(b"-1.5", b"NaN")
    answer = server.post("/v2/models/mlp/infer", bare)
    assert answer.status == 200, answer.body
    assert any(math.isnan(each) for each in answer.json["outputs"][0]["data"])


def test_management_needs_its_token(server):
    path = "/v2/repository/models/mlp/load"
    assert server.post(path, address=server.management).status == 401
    wrong = {"Authorization": "Bearer wrong"}
    assert server.post(path, address=server.management, headers=wrong).status == 401
    right = {"Authorization": "Bearer secret"}
    assert server.post(path, address=server.management, headers=right).status == 200
    with grpc.insecure_channel(server.management) as channel:
        live = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
        with pytest.raises(grpc.RpcError) as refused:
            live(b"", timeout=20)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert refused.value.details() == "the management token is needed"


def test_prometheus_reads_what_was_done(server, mlp):
    right = {"Authorization": "Bearer secret"}
    assert server.get("/metrics").status == 404
    assert server.get("/metrics", address=server.management).status == 401

    def told():
        answer = server.get("/metrics", address=server.management, headers=right)
        assert answer.headers["content-type"].startswith("text/plain")
        lines = (line.rpartition(" ") for line in answer.body.decode().splitlines())
        return {name: float(value) for name, _, value in lines if not name.startswith("#")}

    labels = f'{{model="mlp",outcome="success",version="{mlp["version"]}"}}'
    before = told()
    assert server.post("/v2/models/mlp/infer", request(mlp)).status == 200
    name = f"sealane_requests_total{labels}"
    assert told()[name] == before[name] + 1
    assert before[f'sealane_version_ready{{model="mlp",version="{mlp["version"]}"}}'] == 1
