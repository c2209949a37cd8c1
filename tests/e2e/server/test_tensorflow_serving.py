"""TensorFlow Serving's REST as its documentation and tests have it, and what they leave open."""

from __future__ import annotations

import json
import shutil

import grpc
import numpy as np
import pytest
from e2e.server.conftest import GOOD
from e2e.server.documented_models import half_plus, identity
from e2e.server.running import ROOT, serving

from sealane.core import DType, TensorSpec

DATA = json.loads((ROOT / "tests/conformance/serving/tensorflow_serving.json").read_text())
BEARER = {"Authorization": "Bearer secret"}


def documented(folder):
    """The models that the documented requests are of."""
    half_plus(folder / "saved_model_half_plus_three", 3, "123.0.0")
    half_plus(folder / "saved_model_half_plus_two_2_versions", 2, "123.0.0", ("batch", 1))
    texts = np.array([["a", "b"], ["c", "d"]], object)
    tensors = {
        "double_scalar_tensor": ("dbl", DType.FP64, (), np.float64([1, 2])),
        "float_tensor": ("float", DType.FP32, (2,), np.float32([[1, 2], [3, 4]])),
        "int_tensor": ("int", DType.INT32, (3, 2), np.arange(12, dtype=np.int32).reshape(2, 3, 2)),
        "str_tensor": ("str", DType.BYTES, (2,), texts),
        "str_tensor_bytes": ("bin", DType.BYTES, (2,), texts),
    }
    identity(
        folder / "tensors",
        {
            output: (TensorSpec(name, dtype, ("batch", *row)), rows)
            for output, (name, dtype, row, rows) in tensors.items()
        },
    )


def labelled(folder):
    """Outputs that classify and regress choose by name, each beside another that would fit."""
    rows, values = np.float32([[1, 2], [3, 4]]), np.float32([1, 2])
    outputs = {
        "other": (DType.FP32, (2,), rows),
        "scores": (DType.FP32, (2,), rows),
        "classes": (DType.BYTES, (2,), np.array([["a", "b"], ["c", "d"]], object)),
        "also": (DType.FP32, (), values),
        "outputs": (DType.FP32, (), values),
    }
    identity(
        folder / "labelled",
        {
            output: (TensorSpec(f"{output}_in", dtype, ("batch", *row)), array)
            for output, (dtype, row, array) in outputs.items()
        },
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documented")
    documented(folder)
    labelled(folder)
    shutil.copytree(GOOD / "strings", folder / "strings")
    shutil.copytree(GOOD / "mlp", folder / "mlp")
    with serving(folder) as server:
        yield server


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda case: case["from"])
def test_documented(served, case):
    body = case.get("body")
    answer = served.call(case["method"], case["path"], None if body is None else body.encode())
    assert answer.status == case["status"], answer.body
    assert answer.headers["content-type"] == "application/json"
    if "answer" not in case:
        assert set(answer.json) == {"error"}
        return
    expected = json.loads(case["answer"])
    told = {name: answer.json.get(name) for name in expected}
    # As text, for NaN is not equal to itself.
    assert json.dumps(_floats(told), sort_keys=True) == json.dumps(
        _floats(expected), sort_keys=True
    )


def _floats(value):
    if isinstance(value, dict):
        return {name: _floats(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def regress(served, body, model="strings"):
    return served.post(f"/v1/models/{model}:regress", body)


def test_examples_are_rows_and_their_context_is_of_each(served):
    apart = [{"carrier": "AA", "distance": 256}, {"carrier": ["AA"], "distance": [1000.0]}]
    shared = [{"distance": 256.0}, {"distance": 1000}]
    encoded = [{**row, "carrier": {"b64": "QUE="}} for row in shared]
    for body in (
        {"examples": apart},
        {"examples": [{**row, "unknown": [1, "x"]} for row in apart]},
        {"examples": shared, "context": {"carrier": "AA"}},
        {"examples": encoded},
    ):
        answer = regress(served, body)
        assert answer.status == 200, answer.body
        assert answer.json == {"results": [2.0, 4.90625]}


def test_classes_are_those_of_predict(served):
    rows = [[0.5, -1.0, 0.25, 2.0], [1.0, 1.5, -0.5, 0.0]]
    predicted = served.post("/v1/models/mlp:predict", {"instances": rows}).json["predictions"]
    answer = served.post(
        "/v1/models/mlp/versions/1:classify", {"examples": [{"features": row} for row in rows]}
    )
    assert answer.json == {
        "results": [[[str(i), score] for i, score in enumerate(row)] for row in predicted]
    }


def test_outputs_and_labels_are_chosen_by_name(served):
    shared = {"other_in": [9, 9], "also_in": 9}
    rows = [([0.25, 0.5], ["no", "yes"], -1.5), ([1, 2], ["x", "ä"], 2.5)]
    examples = [
        {"scores_in": scores, "classes_in": labels, "outputs_in": value}
        for scores, labels, value in rows
    ]
    body = {"context": shared, "examples": examples}
    classes = served.post("/v1/models/labelled:classify", body).json["results"]
    assert classes == [[["no", 0.25], ["yes", 0.5]], [["x", 1.0], ["ä", 2.0]]]
    assert served.post("/v1/models/labelled:regress", body).json["results"] == [-1.5, 2.5]


@pytest.mark.parametrize(
    ("model", "method", "body", "said"),
    [
        ("strings", "regress", {}, "examples"),
        ("strings", "regress", {"examples": [{"carrier": "AA"}]}, "INPUT_MISSING"),
        ("strings", "regress", {"examples": [{"carrier": "AA", "distance": "x"}]}, "FP32"),
        ("strings", "regress", {"examples": [{"carrier": 1, "distance": 1.0}]}, "BYTES"),
        ("strings", "regress", {"examples": [{"carrier": "AA", "distance": [1, 2]}]}, "2 values"),
        ("strings", "regress", {"examples": [{"carrier": "AA", "distance": [[1]]}]}, "FP32"),
        ("strings", "regress", {"examples": [{"carrier": "AA", "distance": -1}]}, "INPUT_DOMAIN"),
        (
            "strings",
            "regress",
            {"examples": [{"carrier": "AA", "distance": 1}], "context": {"distance": 1}},
            "context",
        ),
        (
            "strings",
            "regress",
            {"examples": [{"carrier": "AA", "distance": 1}], "signature_name": "regress_x_to_y"},
            "regress_x_to_y",
        ),
        ("strings", "classify", {"examples": [{"carrier": "AA", "distance": 1}]}, "scores"),
        ("mlp", "regress", {"examples": [{"features": [1, 2, 3, 4]}]}, "regressed"),
        ("mlp", "classify", {"examples": [{"features": [1, 2, 3]}]}, "expected 4"),
    ],
)
def test_what_does_not_fit_is_told(served, model, method, body, said):
    answer = served.post(f"/v1/models/{model}:{method}", body)
    assert answer.status == 400, answer.body
    assert said in answer.json["error"]


def test_a_context_does_not_grow_without_end(served):
    """Few bytes may not ask for much memory: one long feature of all of many examples."""
    body = {"examples": [{}] * 50_000, "context": {"features": [1] * 1000}}
    answer = served.post("/v1/models/mlp:classify", body)
    assert answer.status == 400, answer.body
    assert served.get("/v1/models/mlp").status == 200


@pytest.mark.parametrize("method", ["predict", "classify", "regress"])
def test_an_unknown_encoding_is_not_read(served, method):
    answer = served.post(
        f"/v1/models/mlp:{method}", b"\x28\xb5\x2f\xfd", headers={"Content-Encoding": "zstd"}
    )
    assert answer.status == 501, answer.body
    assert "REQUEST_UNSUPPORTED" in answer.json["error"]


def test_its_path_of_metrics(served):
    path = "/monitoring/prometheus/metrics"
    assert served.get(path).status == 404
    assert served.get(path, address=served.management).status == 401
    answer = served.get(path, address=served.management, headers=BEARER)
    assert answer.status == 200
    assert b"sealane_version_ready" in answer.body


def call(address, method, request=b"", token=None):
    """The status code of a call whose answer does not matter."""
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.insecure_channel(address) as channel:
        try:
            channel.unary_unary(f"/tensorflow.serving.{method}")(
                request, timeout=60, metadata=metadata
            )
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def test_what_is_not_there_is_unimplemented(served):
    assert call(served.address, "SessionService/SessionRun") == grpc.StatusCode.UNIMPLEMENTED


def test_models_are_listed_on_the_management_port_only(served):
    reload = "ModelService/HandleReloadConfigRequest"
    assert call(served.address, reload) == grpc.StatusCode.PERMISSION_DENIED
    assert call(served.management, reload) == grpc.StatusCode.UNAUTHENTICATED
    # Told that the list is missing.
    assert call(served.management, reload, token="secret") == grpc.StatusCode.INVALID_ARGUMENT


def test_web_pages_call_it_only_where_they_are_allowed(served, tmp_path):
    shutil.copytree(GOOD / "mlp", tmp_path / "mlp")
    page = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    path = "/v1/models/mlp:predict"
    answer = served.call("OPTIONS", path, headers=page)
    assert "access-control-allow-origin" not in answer.headers
    flags = ("--cors.origins", "https://page.example, https://other.example")
    with serving(tmp_path, *flags) as server:
        answer = server.call("OPTIONS", path, headers=page)
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == page["Origin"]
        assert "POST" in answer.headers["access-control-allow-methods"]
        body = {"instances": [[1, 2, 3, 4]]}
        answer = server.post(path, body, headers={"Origin": page["Origin"]})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (
            200,
            page["Origin"],
        )
        foreign = {**page, "Origin": "https://foreign.example"}
        answer = server.call("OPTIONS", path, headers=foreign)
        assert "access-control-allow-origin" not in answer.headers
