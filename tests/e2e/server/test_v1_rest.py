"""TensorFlow Serving's REST as its documentation has it."""

from __future__ import annotations

import base64
import math

import numpy as np
import pytest
from e2e.server.conftest import golden


@pytest.fixture(scope="module")
def mlp():
    return golden("mlp")


def predict(server, model, body, where=""):
    return server.post(f"/v1/models/{model}{where}:predict", body)


def test_rows_and_columns_give_the_same(server, mlp):
    [(name, rows)] = mlp["inputs"].items()
    expected = np.array(mlp["outputs"]["scores"], np.float32)
    for body, key in (
        ({"instances": rows}, "predictions"),
        ({"instances": [{name: row} for row in rows]}, "predictions"),
        ({"inputs": rows, "signature_name": "serving_default"}, "outputs"),
        ({"inputs": {name: rows}}, "outputs"),
    ):
        for where in ("", "/versions/1", "/versions/1.0.0", "/versions/0"):
            answer = predict(server, "mlp", body, where)
            assert answer.status == 200, answer.body
            assert set(answer.json) == {key}
            np.testing.assert_array_equal(np.array(answer.json[key], np.float32), expected)


def test_paths_do_not_mind_case(server, mlp):
    [rows] = mlp["inputs"].values()
    assert server.post("/V1/Models/mlp:Predict", {"instances": rows}).status == 200


def test_no_rows_are_rows(server):
    answer = predict(server, "domains", {"instances": []})
    assert answer.status in (200, 400), answer.body
    if answer.status == 400:
        assert "INPUT_SHAPE" in answer.json["error"]


def test_texts_may_be_base64(server):
    case = golden("strings")
    names = list(case["inputs"])
    rows = [
        dict(zip(names, row, strict=True)) for row in zip(*case["inputs"].values(), strict=True)
    ]

    def encoded(value):
        if isinstance(value, list):
            return [encoded(each) for each in value]
        if isinstance(value, str):
            return {"b64": base64.b64encode(value.encode()).decode()}
        return value

    plain = predict(server, "strings", {"instances": rows})
    wrapped = predict(server, "strings", {"instances": encoded_rows(rows, encoded)})
    assert plain.status == 200, plain.body
    assert plain.body == wrapped.body
    by_column = predict(server, "strings", {"inputs": case["inputs"]})
    assert by_column.status == 200, by_column.body


def encoded_rows(rows, encoded):
    return [{name: encoded(value) for name, value in row.items()} for row in rows]


def test_a_float_beyond_the_range_is_infinite(server):
    body = b'{"instances": [[1e39, 0, 0, 0]]}'
    answer = server.post("/v1/models/mlp:predict", body)
    assert answer.status == 200, answer.body
    assert not all(math.isfinite(each) for each in answer.json["predictions"][0])


def test_status_and_metadata(server):
    status = server.get("/v1/models/mlp").json["model_version_status"]
    fine = {"error_code": "OK", "error_message": ""}
    assert status == [{"version": "1", "state": "AVAILABLE", "status": fine}]
    metadata = server.get("/v1/models/mlp/metadata").json
    assert metadata["model_spec"] == {"name": "mlp", "signature_name": "", "version": "1"}
    assert server.get("/v1/models/absent").status == 404
    assert server.get("/v1/models/mlp/versions/9").status == 404
    assert server.get("/").json == {"status": "alive"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"instances": [], "inputs": []}',
        b'{"instances": 1}',
        b'{"instances": [[1, 2, 3, 4], [1, 2, 3]]}',
        b'{"instances": [[1, 2, 3, [4]]]}',
        b'{"instances": [["a", 2, 3, 4]]}',
        b'{"instances": [[1e400, 2, 3, 4]]}',
        b'{"instances": [{"absent": [1, 2, 3, 4]}]}',
        b'{"instances": [{"features": [1, 2, 3, 4]}, {}]}',
        b'{"inputs": {"absent": [[1, 2, 3, 4]]}}',
        b'{"inputs": [[1, 2, 3, 4]], "signature_name": "other"}',
        b'{"inputs": [[{"b64": "?"}, 2, 3, 4]]}',
        b'{"inputs": ' + b"[" * 100_000 + b"}",
    ],
)
def test_a_bad_body_is_a_client_fault(server, body):
    answer = server.post("/v1/models/mlp:predict", body)
    assert answer.status == 400, answer.body
    assert set(answer.json) == {"error"}
