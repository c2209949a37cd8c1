"""Every honest conversion passes, in every variant that the bundle then holds, ONNX Runtime gives
the same bits in Python and in the JVM, and TensorFlow is within the oracle in both."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from python.export.zoo import NAMES, entry, keras_zoo, torch_zoo
from python.supported import COLUMNS, MIN_CASES

import sealane
from sealane.bundle import Verdict, read_bundle
from sealane.core import DType


def test_names_are_the_whole_zoo():
    named = [f"torch:{name}" for name in torch_zoo()] + [f"keras:{name}" for name in keras_zoo()]
    assert sorted(named) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_model_is_within_oracle(name, zoo_bundle, supported):
    model = entry(name).model
    before = weights(model)
    path = zoo_bundle(name)
    with read_bundle(path, keep=("onnx",)) as bundle:
        verdicts = {variant.id: variant.verdict for variant in bundle.manifest.variants}
        expected = {"onnx": Verdict.WITHIN_ORACLE, "savedmodel": Verdict.WITHIN_ORACLE}
        assert verdicts == expected, bundle.manifest.unavailable
        supported.check("models", name, finding(entry(name), bundle.certificate["runs"]))
        assert_runs(bundle)
        assert_oracle(bundle)
        assert_cases_cover_batches(bundle)
        assert_nothing_private(bundle)
    after = weights(model)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_java_gives_the_bits_of_python_on_every_case(name, zoo_bundle):
    path = zoo_bundle(name)
    with (
        read_bundle(path) as bundle,
        sealane.open(path, engine="onnx", replay="off") as python,
        sealane.open(path, engine="jvm", replay="off") as java,
    ):
        assert java.engine_version == python.engine_version
        assert len(bundle.golden) >= MIN_CASES
        differing = [
            (case.id, spec.name)
            for case in bundle.golden
            for here, there in [(python.run(case.inputs), java.run(case.inputs))]
            for spec in bundle.signature.outputs
            if not same_bits(here[spec.name], there[spec.name], spec.dtype)
        ]
    assert not differing


@pytest.mark.parametrize("name", ["torch:encoder", "keras:raw-columns"])
def test_verification_calls_java_bit_exact(name, zoo_bundle):
    result = sealane.inspect(zoo_bundle(name)).verify(runtimes=["onnx", "jvm"])
    assert result.ok
    found = [(row.runtime, row.verdict, row.same_bits_as) for row in result.rows]
    assert found == [
        ("onnx", Verdict.WITHIN_ORACLE, None),
        ("jvm:onnx", Verdict.BIT_EXACT, "onnx"),
    ]


def same_bits(here, there, dtype):
    if here.dtype != there.dtype or here.shape != there.shape:
        return False
    if dtype is DType.BYTES:
        return here.tolist() == there.tolist()
    return here.tobytes() == there.tobytes()


def weights(model):
    if hasattr(model, "get_weights"):
        return [np.array(weight) for weight in model.get_weights()]
    return [tensor.detach().clone().numpy() for tensor in model.state_dict().values()]


def finding(chosen, runs):
    """What the supported matrix shows of a model."""
    found = {run["backend"]: run["verdict"] for run in runs}
    backends = ("onnx", "jvm:onnx", "tensorflow", "jvm:tensorflow")
    verdicts = {column: found[name] for column, name in zip(COLUMNS, backends, strict=True)}
    return {"kind": chosen.kind, "what": chosen.what, "verdicts": verdicts}


def assert_runs(bundle):
    runs = {(run["variant"], run["backend"]): run for run in bundle.certificate["runs"]}
    verdicts = {key: run["verdict"] for key, run in runs.items()}
    assert verdicts == {
        ("onnx", "onnx"): "within-oracle",
        ("onnx", "jvm:onnx"): "bit-exact",
        ("savedmodel", "tensorflow"): "within-oracle",
        ("savedmodel", "jvm:tensorflow"): "within-oracle",
    }
    assert not [note for note in bundle.certificate["notes"] if "for Java" in note]
    java = runs["onnx", "jvm:onnx"]
    assert java["language"] == "java"
    assert java["backendVersion"] == runs["onnx", "onnx"]["backendVersion"]
    assert java["options"]
    assert java["outputs"] == runs["onnx", "onnx"]["outputs"]


def assert_oracle(bundle):
    """Every output that float64 is wider than is judged by an oracle."""
    narrow = {
        spec.name
        for spec in bundle.signature.outputs
        if spec.dtype in (DType.FP16, DType.BF16, DType.FP32)
    }
    assert all(case.oracle.keys() == narrow for case in bundle.golden)
    assert (bundle.certificate["oracle"]["kind"] != "none") == bool(narrow)


def assert_cases_cover_batches(bundle):
    assert {1, 2, 7}.issubset({case.batch for case in bundle.golden})
    assert max(case.batch for case in bundle.golden) >= 16


def assert_nothing_private(bundle):
    data = bundle.artifact("onnx").data
    model = onnx.ModelProto.FromString(data)
    assert model.ir_version <= 10
    assert all(entry.version <= 20 for entry in model.opset_import)
    assert not model.metadata_props
    assert not model.functions
    for node in model.graph.node:
        assert not node.metadata_props
        assert not node.doc_string
        assert node.op_type not in ("HardSwish", "Erfc")
    for private in (b"/tmp/", b"/home/", b"site-packages", b"zoo.py"):
        assert private not in data
