"""One server, three engines: the one in its jar, and those in a folder, loaded when used."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from e2e.server.conftest import GOOD
from e2e.server.running import serving

from sealane.bundle import read_bundle
from sealane.bundle.verdict import Verdict, compare_output, judge
from sealane.jvm import JVM_ENGINES
from sealane.jvm.engines import engine_jars

MODELS = {
    "layers-onnx": ("network-mlp", "onnx"),
    "layers-dl4j": ("network-mlp", "dl4j"),
    "graph-onnx": ("both", "onnx"),
    "graph-tensorflow": ("both", "tensorflow"),
}
READY_IN = 120


def flags(models=MODELS):
    for name, (_, engine) in models.items():
        yield from (f"--models.{name}.engine", engine)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engines")
    for name, (bundle, _) in MODELS.items():
        shutil.copytree(GOOD / bundle, folder / name)
    return folder


@pytest.fixture(scope="module")
def engines() -> Path:
    return engine_jars("tensorflow")[0].parents[1]


@pytest.fixture(scope="module")
def server(repository, engines):
    assert engine_jars("dl4j")[0].parents[1] == engines
    with serving(repository, "--engines", str(engines), *flags()) as running:
        yield running


def answer(server, model, inputs):
    [(name, rows)] = inputs.items()
    asked = {"name": name, "datatype": "FP32", "shape": list(rows.shape), "data": rows.tolist()}
    response = server.post(f"/v2/models/{model}/infer", {"inputs": [asked]})
    assert response.status == 200, response.body
    return {
        each["name"]: np.array(each["data"], np.float32).reshape(each["shape"])
        for each in response.json["outputs"]
    }


def test_each_engine_answers_what_was_trained(server):
    for model, (name, engine) in MODELS.items():
        properties = server.get(f"/v2/models/{model}").json["properties"]
        assert properties["engine"] == engine
        bundle = read_bundle(GOOD / name)
        kind = JVM_ENGINES[engine].variant
        [variant] = [each for each in bundle.manifest.variants if each.kind == kind]
        assert properties["parity"] == str(variant.verdict)
        for case in bundle.golden:
            found = answer(server, model, case.inputs)
            metrics = [
                compare_output(
                    found[spec.name],
                    case.outputs[spec.name],
                    case.oracle.get(spec.name),
                    spec.dtype,
                    spec.name,
                )
                for spec in bundle.manifest.signature.outputs
            ]
            assert judge(metrics) is Verdict.WITHIN_ORACLE, (model, case.id, metrics)


def test_an_engine_that_is_not_there_takes_no_other_model_with_it(repository, tmp_path):
    (tmp_path / "engines").mkdir()
    with serving(repository, "--engines", str(tmp_path / "engines"), *flags()) as bare:
        index = {each["name"]: each for each in bare.post("/v2/repository/index").json}
        for model, (_, engine) in MODELS.items():
            if engine == "onnx":
                assert index[model]["state"] == "READY"
            else:
                assert index[model]["state"] == "UNAVAILABLE"
                assert index[model]["reason"].startswith("ENGINE_UNAVAILABLE: ")
                assert f"engine '{engine}'" in index[model]["reason"]
                assert bare.get(f"/v2/models/{model}").status == 503


def test_jars_of_an_engine_are_opened_when_a_model_needs_it(repository, engines, tmp_path):
    shutil.copytree(repository / "graph-onnx", tmp_path / "graph-onnx")
    with serving(tmp_path, "--engines", str(engines), "--defaults.engine", "onnx") as onnx:
        held = Path(f"/proc/{onnx.process.pid}/maps").read_text()
        files = Path(f"/proc/{onnx.process.pid}/fd").iterdir()
        held += "\n".join(str(each.readlink()) for each in files)
        assert onnx.get("/v2/health/ready").status == 200
        assert "sealane-server.jar" in held
        assert str(engines) not in held
        assert "tensorflow" not in held
