"""Every honest conversion passes, in every variant that the bundle then holds."""

import numpy as np
import onnx
import pytest
from python.export.zoo import keras_zoo, torch_zoo

from sealane.bundle import Verdict, read_bundle
from sealane.export import export

TORCH = ["mlp", "cnn", "lstm", "gru", "encoder", "tabular", "two-in-two-out", "integers"]
KERAS = [
    "sequential-gelu",
    "normalization",
    "subclassed",
    "cnn-batchnorm",
    "lstm",
    "attention",
    "multi-io",
]


@pytest.fixture(scope="module")
def torch_models():
    return torch_zoo()


@pytest.fixture(scope="module")
def keras_models():
    return keras_zoo()


@pytest.mark.parametrize("name", TORCH)
def test_torch_model_is_within_oracle(torch_models, name, tmp_path):
    entry = torch_models[name]
    path = export(entry.model, entry.examples, name=name, path=tmp_path / name, **entry.options)
    with read_bundle(path, keep=("onnx",)) as bundle:
        assert_both_variants(bundle)
        assert bundle.certificate["oracle"]["kind"] == "torch-f64"
        assert_cases_cover_batches(bundle)
        assert_nothing_private(bundle)


@pytest.mark.parametrize("name", KERAS)
def test_keras_model_is_within_oracle(keras_models, name, tmp_path):
    entry = keras_models[name]
    before = [np.array(weight) for weight in entry.model.get_weights()]
    path = export(entry.model, entry.examples, name=name, path=tmp_path / name, **entry.options)
    with read_bundle(path, keep=("onnx",)) as bundle:
        assert_both_variants(bundle)
        assert_cases_cover_batches(bundle)
        assert_nothing_private(bundle)
    after = entry.model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def assert_both_variants(bundle):
    verdicts = {variant.id: variant.verdict for variant in bundle.manifest.variants}
    expected = {"onnx": Verdict.WITHIN_ORACLE, "savedmodel": Verdict.WITHIN_ORACLE}
    assert verdicts == expected, bundle.manifest.unavailable


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
