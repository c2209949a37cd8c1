"""What an exported bundle holds, beyond the right numbers."""

from __future__ import annotations

import json
import shutil

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from corpus.run import relist
from python.export.zoo import entry, rows
from torch import nn

import sealane
from sealane.bundle import Tolerance, Verdict, read_bundle
from sealane.core import Domain, DType, ErrorCode, SealaneError, SymbolRange
from sealane.export import export
from sealane.runtime import open_session

ONLY_ONNX = {"formats": ("onnx",)}


@pytest.fixture
def mlp():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


@pytest.mark.parametrize("name", ["torch:mlp", "keras:lstm", "keras:raw-columns"])
def test_equal_exports_have_equal_content(name, zoo_bundle, tmp_path):
    chosen = entry(name)
    path = export(
        chosen.model, chosen.examples, name=name.replace(":", "-"), path=tmp_path / "m",
        **chosen.options,
    )  # fmt: skip
    assert not (path / "1" / "fingerprint.pb").exists()
    with read_bundle(zoo_bundle(name)) as first, read_bundle(path) as second:
        assert first.manifest.content_id == second.manifest.content_id
        assert {variant.id for variant in second.manifest.variants} == {"onnx", "savedmodel"}


def test_another_seed_draws_other_cases_of_the_same_model(mlp, tmp_path):
    found = []
    for seed in (0, 1):
        path = export(
            mlp, (rows(5, 4),), name="m", path=tmp_path / str(seed), seed=seed, **ONLY_ONNX
        )
        with read_bundle(path) as bundle:
            found.append((bundle.manifest.content_id, bundle.golden[0].inputs["input"].tobytes()))
    assert found[0][0] == found[1][0]
    assert found[0][1] != found[1][1]


@pytest.mark.parametrize("engine", ["onnx", "jvm"])
def test_weights_above_the_threshold_lie_beside_the_model(engine, large, monkeypatch, tmp_path):
    path, inputs, expected = large
    data = path / "1" / "model.onnx.data"
    assert data.stat().st_size > 4 * 4 * 512
    assert (path / "1" / "model.onnx").stat().st_size < 4000
    monkeypatch.chdir(tmp_path)
    with sealane.open(path, engine=engine) as session:
        np.testing.assert_allclose(session.run({"input": inputs})["output"], expected, atol=1e-5)


def test_weights_beside_the_model_are_the_same_bits_in_java(large):
    result = sealane.verify(large[0], ["onnx", "jvm"])
    assert [row.verdict for row in result.rows] == [Verdict.WITHIN_ORACLE, Verdict.BIT_EXACT]


@pytest.mark.parametrize("engine", ["onnx", "jvm"])
def test_a_changed_byte_of_the_weights_is_refused(engine, large, tmp_path):
    shutil.copytree(large[0], tmp_path / "m")
    data = tmp_path / "m" / "1" / "model.onnx.data"
    content = bytearray(data.read_bytes())
    content[100] ^= 1
    data.write_bytes(content)
    with pytest.raises(SealaneError) as caught:
        sealane.open(tmp_path / "m", engine=engine)
    assert caught.value.code is ErrorCode.FILES_DIFFER


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A bundle with external data, inputs, and what the model gives for them."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 512), nn.Hardswish(), nn.Linear(512, 2))
    path = tmp_path_factory.mktemp("large") / "m"
    export(model, (rows(5, 4),), name="m", path=path, external_data_threshold=1000, **ONLY_ONNX)
    inputs = rows(3, 4)
    with torch.no_grad():
        return path, inputs, model(torch.from_numpy(inputs)).numpy()


@pytest.mark.parametrize("engine", ["onnx", "jvm"])
def test_a_fault_planted_into_a_bundle_is_refused_when_it_opens(engine, zoo_bundle, tmp_path):
    """One weight + 0.001, every digest made right again: only the replay can tell."""
    path = tmp_path / "m"
    shutil.copytree(zoo_bundle("torch:mlp"), path)
    model = onnx.load(path / "1" / "model.onnx")
    tensor = next(t for t in model.graph.initializer if len(t.dims) == 2)
    values = onnx.numpy_helper.to_array(tensor).copy()
    values[0, 0] += np.float32(0.001)
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    onnx.save(model, path / "1" / "model.onnx")
    relist(path)
    with pytest.raises(SealaneError) as caught:
        sealane.open(path, engine=engine)
    assert caught.value.code is ErrorCode.PARITY_FAILED


def test_torch_model_without_a_right_saved_model_says_why(tmp_path):
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Upsample(scale_factor=2, mode="bilinear"))
    path = export(model, (rows(2, 2, 5, 5),), name="m", path=tmp_path / "m")
    with read_bundle(path) as bundle:
        assert [variant.id for variant in bundle.manifest.variants] == ["onnx"]
        (absent,) = bundle.manifest.unavailable
        assert absent.kind == "savedmodel"
        assert "Resize" in absent.reason
    with pytest.raises(SealaneError) as caught:
        sealane.open(path, engine="tensorflow")
    assert caught.value.code is ErrorCode.VARIANT_NOT_FOUND
    assert [row.problem for row in sealane.verify(path, ["tensorflow"]).rows] == [
        f"no savedmodel variant: {absent.reason}"
    ]


def test_certificate_says_what_was_compared(mlp, tmp_path):
    path = export(
        mlp,
        (rows(5, 4),),
        name="m",
        path=tmp_path / "m",
        lineage={"data": "sha256:1"},
        seed=3,
        **ONLY_ONNX,
    )
    with read_bundle(path) as bundle:
        certificate = bundle.certificate
        assert bundle.manifest.lineage == {"framework": "torch", "seed": 3, "data": "sha256:1"}
        assert certificate["contentId"] == bundle.manifest.content_id
        assert bundle.variant("onnx").requires.ir_version <= 10
        assert bundle.variant("onnx").requires.ops == ("Gemm", "Relu")
    assert certificate["oracle"]["kind"] == "torch-f64"
    assert certificate["reference"]["seed"] == 3
    (run,) = certificate["runs"]
    assert (run["variant"], run["backend"], run["language"]) == ("onnx", "onnx", "python")
    assert run["outputs"][0]["oracleRatioMax"] <= certificate["limitsUsed"]["maxOracleRatio"]
    assert {entry["id"] for entry in certificate["golden"]} == {case.id for case in bundle.golden}
    assert "/tmp" not in json.dumps(certificate)


def test_data_frame_columns_are_inputs(tmp_path):
    class Model(nn.Module):
        def forward(self, age, members):
            return torch.sqrt(age) * members

    frame = pd.DataFrame({"age": [20.0, 31.5, 64.0], "members": [1, 4, 2]})
    path = export(
        Model(), frame, name="m", path=tmp_path / "m", 
        domains={"age": Domain(minimum=0.0, maximum=120.0)}, **ONLY_ONNX,
    )  # fmt: skip
    with read_bundle(path) as bundle:
        assert [str(spec) for spec in bundle.signature.inputs] == [
            "age: FP64[batch]",
            "members: INT64[batch]",
        ]
        for case in bundle.golden:
            assert case.inputs["age"].min() >= 0
            assert case.inputs["age"].max() <= 120
            assert set(case.inputs["members"]) <= {1, 2, 3, 4}


def test_own_samples_become_golden_cases(mlp, tmp_path):
    samples = [(rows(9, 4) + 2,), (rows(300, 4),)]
    path = export(
        mlp, (rows(5, 4),), name="m", path=tmp_path / "m", golden_samples=samples, **ONLY_ONNX
    )
    with read_bundle(path) as bundle:
        cases = {case.id: case for case in bundle.golden if case.purpose == "sample"}
    assert np.array_equal(cases["sample-1"].inputs["input"], samples[0][0])
    assert cases["sample-2"].batch == 256


def test_declared_tolerance_needs_and_keeps_its_reason(tmp_path):
    class Cancelling(nn.Module):
        """Loses digits on purpose: the order of a sum decides its last bits."""

        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(64, 64), nn.Linear(64, 64)

        def forward(self, x):
            h = self.first(x) * 1e4
            return (self.second(h) - self.second(h + 1e-3)) * 1e3

    torch.manual_seed(0)
    arguments = {"name": "m", "path": tmp_path / "m", **ONLY_ONNX}
    with pytest.raises(SealaneError) as caught:
        export(Cancelling(), (rows(5, 64),), **arguments)
    assert caught.value.code is ErrorCode.EXPORT_FAILED
    declared = Tolerance(rtol=0.0, atol=1e3, reason="differences of nearly equal sums")
    path = export(Cancelling(), (rows(5, 64),), tolerance=declared, **arguments)
    with read_bundle(path) as bundle:
        assert bundle.variant("onnx").verdict is Verdict.WITHIN_DECLARED
        assert bundle.variant("onnx").tolerance == declared


def test_symbol_ranges_bound_the_cases(tmp_path):
    class Model(nn.Module):
        def forward(self, x):
            return torch.tanh(x).cumsum(1)

    path = export(
        Model(), {"x": rows(4, 6)}, name="m", path=tmp_path / "m",
        dynamic={"x": {0: "batch", 1: "length"}},
        symbols={"batch": SymbolRange(1, 8), "length": SymbolRange(2, 8, 2)},
        **ONLY_ONNX,
    )  # fmt: skip
    with read_bundle(path) as bundle:
        assert str(bundle.signature) == "(x: FP32[batch, length]) -> (output: FP32[batch, length])"
        assert {case.inputs["x"].shape[1] for case in bundle.golden} >= {6, 8}
        assert all(case.batch <= 8 for case in bundle.golden)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_other_precisions(mlp, dtype, tmp_path):
    examples = (torch.from_numpy(rows(5, 4)).to(dtype),)
    path = export(mlp.to(dtype), examples, name="m", path=tmp_path / "m", **ONLY_ONNX)
    with read_bundle(path) as bundle:
        expected = {torch.float64: DType.FP64, torch.float16: DType.FP16}[dtype]
        assert bundle.signature.inputs[0].dtype is expected
        assert bundle.variant("onnx").verdict is Verdict.WITHIN_ORACLE


def test_precision_without_kernels_is_refused_by_node(mlp, tmp_path):
    examples = (torch.from_numpy(rows(5, 4)).bfloat16(),)
    with pytest.raises(SealaneError, match=r"Gemm.*bfloat16") as caught:
        export(mlp.bfloat16(), examples, name="m", path=tmp_path / "m", **ONLY_ONNX)
    assert caught.value.code is ErrorCode.EXPORT_UNSUPPORTED


def test_further_runtime_testifies_before_the_bundle_is_there(mlp, tmp_path):
    asked = []

    def witness(path):
        asked.append(path)
        return open_session(path, replay="off", intra_op_threads=1)

    path = export(
        mlp, (rows(5, 4),), name="m", path=tmp_path / "m", witnesses=(witness, lambda _: None),
        **ONLY_ONNX,
    )  # fmt: skip
    assert asked != [path]
    with read_bundle(path) as bundle:
        assert [run["verdict"] for run in bundle.certificate["runs"]] == [
            "within-oracle",
            "bit-exact",
        ]


def test_hard_swish_is_written_without_the_operator(tmp_path):
    path = export(
        nn.Sequential(nn.Linear(4, 4), nn.Hardswish()), (rows(5, 4),),
        name="m", path=tmp_path / "m", **ONLY_ONNX,
    )  # fmt: skip
    model = onnx.load(path / "1" / "model.onnx")
    assert [node.op_type for node in model.graph.node] == ["Gemm", "HardSigmoid", "Mul"]
