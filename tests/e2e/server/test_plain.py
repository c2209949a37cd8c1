"""Models without a bundle, in the layouts of Triton and TensorFlow Serving."""

from __future__ import annotations

import json
import os
import shutil
import time

import grpc
import numpy as np
import onnx
import pytest
from e2e.server.conftest import GOOD, golden
from e2e.server.running import serving
from onnx import TensorProto, helper

from sealane.jvm.engines import engine_jars

WAIT = 60
CONFIG = """
name: "{name}"
backend: "onnxruntime"
max_batch_size: 8
input [ {{ name: "x" data_type: TYPE_FP32 dims: [ 4 ] }} ]
output [ {{ name: "y" data_type: TYPE_FP32 dims: [ 3 ] }} ]
dynamic_batching {{ max_queue_delay_microseconds: 100 }}
instance_group [ {{ count: 2 kind: KIND_CPU }} ]
{more}
"""
MLP = GOOD / "mlp/1/model.onnx"


def put(folder, *, config=None, name="", more=""):
    """The model of the conformance bundle ``mlp`` as a file, with what is said of it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(MLP, folder / "model.onnx")
    if config is not None:
        text = config.format(name=name or folder.parent.name, more=more)
        (folder.parent / "config.pbtxt").write_text(text)


def unknown_rows(path, dims):
    """``y = 2 x`` of an ONNX file whose dims are those."""
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, dims) for n in ("x", "y")]
    node = helper.make_node("Add", ["x", "x"], ["y"])
    graph = helper.make_graph([node], "double", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    root = tmp_path_factory.mktemp("plain")
    put(root / "triton/1")
    put(root / "triton/3")
    (root / "triton/notes").mkdir()
    put(root / "configured/1", config=CONFIG)
    put(root / "optimised/1", config=CONFIG, more="optimization { graph { level: 1 } }")
    put(root / "ensemble/1", config=CONFIG, more="ensemble_scheduling { step [ { } ] }")
    put(root / "renamed/1", config=CONFIG, name="other")
    put(root / "broken/1", config="nonsense {{")
    put(root / "python/1", config='backend: "python"')
    put(root / "wrong/1", config='input [ {{ name: "x" dims: [ 9, 9 ] }} ]')
    shutil.copy(MLP, root / "flat.onnx")
    put(root / "direct")
    external = GOOD / "external/1"
    shutil.copytree(external, root / "external/2", ignore=shutil.ignore_patterns("MLmodel"))
    unknown_rows(root / "rows.onnx", [None, None])
    unknown_rows(root / "shapeless.onnx", None)
    (root / "cut/1").mkdir(parents=True)
    (root / "cut/1/model.onnx").write_bytes(MLP.read_bytes()[:-20])
    (root / "linked/1").mkdir(parents=True)
    (root / "linked/1/model.onnx").symlink_to(MLP)
    shutil.copytree(GOOD / "mlp", root / "halfway", ignore=lambda *_: ["sealane.json"])
    shutil.copytree(GOOD / "both/1", root / "served/5", ignore=lambda *_: ["model.onnx", "MLmodel"])
    shutil.copytree(root / "served/5", root / "saved/1/model.savedmodel")
    shutil.copytree(root / "served/5", root / "whole")
    shutil.copytree(GOOD / "mlp", root / "bundle")
    return root


def index(server):
    return {
        (each["name"], each["version"]): each for each in server.post("/v2/repository/index").json
    }


def until(server, holds):
    deadline = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < deadline, index(server)
        time.sleep(0.1)


def ready(server, model, version="1"):
    return index(server).get((model, version), {}).get("state") == "READY"


@pytest.fixture(scope="module")
def server(repository):
    engines = str(engine_jars("tensorflow")[0].parents[1])
    with serving(repository, "--poll", "200ms", "--engines", engines) as running:
        until(running, lambda: ready(running, "rows") and ready(running, "whole"))
        yield running


def ask(server, model, rows, name="x"):
    asked = {"name": name, "datatype": "FP32", "shape": list(np.shape(rows)), "data": rows}
    return server.post(f"/v2/models/{model}/infer", {"inputs": [asked]})


@pytest.mark.parametrize(
    ("model", "version", "output"),
    [
        ("triton", "3", "y"),
        ("configured", "1", "y"),
        ("optimised", "1", "y"),
        ("flat", "1", "y"),
        ("direct", "1", "y"),
        ("external", "2", "y"),
    ],
)
def test_an_onnx_file_answers_as_its_bundle_does(server, model, version, output):
    case = golden("external" if model == "external" else "mlp")
    answer = ask(server, model, case["inputs"]["features"])
    assert answer.status == 200, answer.body
    assert answer.json["model_version"] == version
    [found] = answer.json["outputs"]
    assert found["name"] == output
    expected = np.array(case["outputs"]["scores"], np.float32)
    np.testing.assert_array_equal(np.float32(found["data"]).reshape(expected.shape), expected)


@pytest.mark.parametrize(("model", "version"), [("served", "5"), ("saved", "1"), ("whole", "1")])
def test_a_saved_model_answers_as_its_bundle_does(server, model, version):
    case = golden("both")
    metadata = server.get(f"/v2/models/{model}").json
    [name] = [each["name"] for each in metadata["inputs"]]
    answer = ask(server, model, case["inputs"]["features"], name)
    assert answer.status == 200, answer.body
    assert answer.json["model_version"] == version
    [found] = answer.json["outputs"]
    expected = np.array(case["outputs"]["scores"], np.float32)
    np.testing.assert_allclose(np.float32(found["data"]).reshape(expected.shape), expected, 1e-6)
    rows = server.post(f"/v1/models/{model}:predict", {"instances": case["inputs"]["features"]})
    assert np.shape(rows.json["predictions"]) == expected.shape


def test_that_nothing_is_proved_is_told_everywhere(server):
    found = index(server)
    for model, version in (("triton", "3"), ("served", "5")):
        assert "parity none" in found[model, version]["reason"]
        assert server.get(f"/v2/models/{model}").json["properties"]["parity"] == "none"
        config = server.get(f"/v2/models/{model}/config").json
        assert config["parameters"]["parity"]["string_value"] == "none"
        assert any(
            f"{model} {version}" in line and "parity none" in line for line in server.told
        ) or ("just changed" in "".join(server.told))
    assert found["bundle", "1.0.0"]["reason"] == ""
    assert server.get("/v2/models/bundle").json["properties"]["parity"] == "bit-exact"


def test_rows_are_gathered_only_where_somebody_says_that_they_are_rows(server):
    limits = {
        model: server.get(f"/v2/models/{model}/config").json["max_batch_size"]
        for model in ("configured", "triton", "rows", "served")
    }
    # mlp's file calls the first dim of input and output "batch", the others' have no name.
    assert limits == {"configured": 8, "triton": 2**31 - 1, "rows": 0, "served": 0}
    batching = server.get("/v2/models/configured/config").json
    assert batching["dynamic_batching"] == {"max_queue_delay_microseconds": 100}
    assert batching["instance_group"][0]["count"] == 2
    assert "dynamic_batching" not in server.get("/v2/models/triton/config").json
    assert ask(server, "configured", [[0.0] * 4] * 8).status == 200
    assert ask(server, "configured", [[0.0] * 4] * 9).status == 400
    assert ask(server, "rows", [[1.0, 2.0]]).json["outputs"][0]["data"] == [2.0, 4.0]


@pytest.mark.parametrize(
    ("model", "version", "reason"),
    [
        ("ensemble", "1", "ensemble_scheduling"),
        ("renamed", "1", "is of model 'other'"),
        ("broken", "1", "is not Triton's configuration"),
        ("python", "1", "asks for 'python'"),
        ("wrong", "1", "ARTIFACT_INVALID"),
        ("shapeless", "1", "ARTIFACT_UNSUPPORTED"),
        ("cut", "1", "ARTIFACT_INVALID"),
        ("linked", "1", "PATH_UNSAFE"),
        ("halfway", "halfway", "a bundle that is not whole"),
        ("triton", "notes", "holds no sealane.json"),
        ("triton", "1", "version policy"),
    ],
)
def test_what_is_not_served_says_why(server, model, version, reason):
    until(server, lambda: "just changed" not in index(server)[model, version]["reason"])
    found = index(server)[model, version]
    assert found["state"] == "UNAVAILABLE"
    assert reason in found["reason"], found
    assert "/1/model.onnx" in found["reason"] or "ARTIFACT" not in reason or model == "shapeless"


def test_what_is_not_obeyed_is_warned_of(server):
    assert any("not obeyed here: ModelConfig.optimization" in line for line in server.told)


def test_a_file_that_is_still_written_waits_and_a_new_one_takes_the_place_of_the_old(tmp_path):
    put(tmp_path / "m/1")
    with serving(tmp_path, "--poll", "100ms", "--management.on-main-port", "true") as running:
        until(running, lambda: ready(running, "m"))
        target = tmp_path / "m/2/model.onnx"
        target.parent.mkdir()
        whole = MLP.read_bytes()
        with target.open("wb") as writing:
            for piece in range(0, len(whole), len(whole) // 30):
                writing.write(whole[piece : piece + len(whole) // 30])
                writing.flush()
                os.fsync(writing.fileno())
                assert not ready(running, "m", "2")
                time.sleep(0.1)
        until(running, lambda: "just changed" in index(running)["m", "2"]["reason"])
        assert ready(running, "m", "1")
        until(running, lambda: ready(running, "m", "2"))
        assert running.post("/v2/repository/models/m/unload").status == 200
        put(tmp_path / "m/3")
        # Who asks for it says that it is whole.
        assert running.post("/v2/repository/models/m/load").status == 200
        assert ready(running, "m", "3")


def test_plain_models_can_be_refused(tmp_path):
    put(tmp_path / "m/1")
    shutil.copytree(GOOD / "mlp", tmp_path / "bundle")
    with serving(tmp_path, "--plain-models", "false") as running:
        found = index(running)
        assert found["m", "1"]["state"] == "UNAVAILABLE"
        assert found["m", "1"]["reason"].startswith("POLICY_REFUSED: ")
        assert found["bundle", "1.0.0"]["state"] == "READY"
        assert running.get("/v2/models/m").status == 503


def test_without_an_engine_for_it_a_saved_model_says_what_is_missing(tmp_path):
    shutil.copytree(GOOD / "both/1", tmp_path / "m/1", ignore=lambda *_: ["model.onnx"])
    with serving(tmp_path) as running:
        until(running, lambda: "ENGINE_UNAVAILABLE" in index(running)["m", "1"]["reason"])
        assert "engine 'tensorflow'" in index(running)["m", "1"]["reason"]


def test_grpc_tells_the_same(server):
    # RepositoryIndex's answer as text: names, versions, states and reasons are strings in it.
    with grpc.insecure_channel(server.address) as channel:
        asked = channel.unary_unary("/inference.GRPCInferenceService/RepositoryIndex")
        assert b"parity none" in asked(b"", timeout=20)
        config = channel.unary_unary("/inference.GRPCInferenceService/ModelConfig")
        assert b"parity" in config(b"\n\x06triton", timeout=20)
    assert json.loads(server.get("/v2/models/triton").body)["platform"] == "onnxruntime_onnx"
