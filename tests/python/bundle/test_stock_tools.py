"""Stock tools read a bundle's own bytes and compute its golden outputs."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml

import sealane
from sealane.bundle import (
    ArtifactDraft,
    Bindings,
    BundleDraft,
    GoldenCase,
    Requires,
    Verdict,
    VerifiedBundle,
    read_bundle,
    write_bundle,
)
from sealane.bundle.stock_tools import triton_config
from sealane.core import DType

with warnings.catch_warnings():  # MLflow warns about its own type hints while it is imported
    warnings.simplefilter("ignore")
    import mlflow
    import mlflow.onnx
    import mlflow.pyfunc

pytestmark = pytest.mark.filterwarnings("ignore:::mlflow", "ignore::DeprecationWarning")

GOOD = Path(__file__).parents[2] / "conformance" / "bundles" / "good"
ONNX_BUNDLES = ("mlp", "external", "both", "strings")


def feeds(bundle: VerifiedBundle, case: GoldenCase) -> dict[str, np.ndarray]:
    """A case's inputs under the ONNX variant's names, null as the empty string."""
    names = bundle.variant("onnx").bindings.inputs
    return {
        names[name]: np.where(array == None, "", array) if array.dtype == object else array  # noqa: E711
        for name, array in case.inputs.items()
    }


def assert_golden(bundle: VerifiedBundle, case: GoldenCase, results: dict[str, np.ndarray]) -> None:
    names = bundle.variant("onnx").bindings.outputs
    for name, expected in case.outputs.items():
        np.testing.assert_array_equal(results[names[name]], expected)


@pytest.mark.parametrize("name", ONNX_BUNDLES)
def test_mlflow_pyfunc_computes_the_golden_outputs(name):
    bundle = read_bundle(GOOD / name)
    model = mlflow.pyfunc.load_model(str(GOOD / name))
    for case in bundle.golden:
        assert_golden(bundle, case, model.predict(feeds(bundle, case)))


def test_mlflow_refuses_what_the_signature_does_not_allow():
    model = mlflow.pyfunc.load_model(str(GOOD / "mlp"))
    with pytest.raises(mlflow.MlflowException, match="does not match expected shape"):
        model.predict({"x": np.zeros((1, 5), np.float32)})
    with pytest.raises(mlflow.MlflowException, match="does not match expected dtype"):
        model.predict({"x": np.zeros((1, 4), np.float64)})


@pytest.mark.parametrize("name", ONNX_BUNDLES)
def test_mlflow_onnx_loads_the_same_bytes(name):
    model = mlflow.onnx.load_model(str(GOOD / name))
    bound = {each.name for each in model.graph.input}
    assert bound == set(read_bundle(GOOD / name).variant("onnx").bindings.inputs.values())


@pytest.mark.parametrize("name", ["mlp", "both"])
def test_the_model_registry_gives_the_bundle_back(name, tmp_path, monkeypatch):
    store = f"sqlite:///{tmp_path}/registry.db"
    source = shutil.copytree(GOOD / name, tmp_path / "source")
    client = mlflow.MlflowClient(tracking_uri=store, registry_uri=store)
    client.create_registered_model(name)
    client.create_model_version(name, source.as_uri())
    client.set_registered_model_alias(name, "prod", "1")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", store)
    original = read_bundle(GOOD / name)
    for number, uri in enumerate((f"models:/{name}/1", f"models:/{name}@prod")):
        model = mlflow.pyfunc.load_model(uri)
        for case in original.golden:
            assert_golden(original, case, model.predict(feeds(original, case)))
        target = tmp_path / f"download-{number}"
        target.mkdir()
        path = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(target))
        assert (Path(path) / "registered_model_meta").exists()  # MLflow's own note
        assert read_bundle(path).manifest == original.manifest
        for engine in ("onnx", "jvm"):
            with sealane.open(path, engine=engine) as session:
                for case in original.golden:
                    results = session.run(case.inputs)
                    for name, expected in case.outputs.items():
                        np.testing.assert_array_equal(results[name], expected)


@pytest.mark.parametrize("name", ONNX_BUNDLES)
def test_plain_onnx_runtime_computes_the_golden_outputs(name):
    bundle = read_bundle(GOOD / name)
    session = onnxruntime.InferenceSession(
        GOOD / name / "1" / "model.onnx", providers=["CPUExecutionProvider"]
    )
    names = [each.name for each in session.get_outputs()]
    for case in bundle.golden:
        results = session.run(names, feeds(bundle, case))
        assert_golden(bundle, case, dict(zip(names, results, strict=True)))


def test_every_mlmodel_is_yaml_whose_folder_names_are_text():
    for path in GOOD.glob("**/MLmodel"):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        flavors = document["flavors"]
        assert flavors["sealane"]["content_id"].startswith("sha256:")
        tensorflow = flavors.get("tensorflow", {"saved_model_dir": "1"})
        assert isinstance(tensorflow["saved_model_dir"], str)


def test_triton_configuration_names_dtypes_and_dims():
    text = (GOOD / "strings" / "config.pbtxt").read_text()
    assert 'input [ { name: "carrier", data_type: TYPE_STRING, dims: [ -1 ] } ]' in text
    assert 'output [ { name: "score", data_type: TYPE_FP32, dims: [ -1 ] } ]' in text
    assert (GOOD / "dtypes" / "config.pbtxt").read_text().count("TYPE_") == 2 * len(DType)


def test_triton_configuration_escapes_names_and_scalars(tmp_path):
    manifest = read_bundle(GOOD / "mlp").manifest
    variant = manifest.primary
    variant.bindings.inputs["features"] = 'x"\\é'
    text = triton_config(manifest)
    assert text is not None
    assert rb'name: "x\042\134\303\251"' in text


@pytest.fixture(scope="module")
def saved_model_only(tmp_path_factory) -> Path:
    """A bundle whose only variant is a SavedModel."""
    both = read_bundle(GOOD / "both")
    path = tmp_path_factory.mktemp("only") / "bundle"
    artifact = ArtifactDraft(
        "saved-model", "savedmodel", "primary", GOOD / "both" / "1",
        Bindings({"features": "features"}, {"scores": "scores"}),
        "fp32", Verdict.WITHIN_ORACLE, Requires(),
    )  # fmt: skip
    draft = BundleDraft("only", "1", both.signature, (artifact,), both.golden)
    write_bundle(path, draft)
    assert not (path / "config.pbtxt").exists()
    return path


def test_mlflow_serves_a_saved_model_by_named_inputs(saved_model_only):
    pytest.importorskip("tensorflow")
    model = mlflow.pyfunc.load_model(str(saved_model_only))
    for case in read_bundle(saved_model_only).golden:
        results = model.predict(case.inputs)["scores"]
        np.testing.assert_array_equal(
            np.asarray(results, np.float32).reshape(case.outputs["scores"].shape),
            case.outputs["scores"],
        )


def test_tensorflow_and_mlflow_tensorflow_compute_the_golden_outputs(saved_model_only):
    import mlflow.tensorflow
    import tensorflow as tf

    bundle = read_bundle(GOOD / "both")
    serve = {
        "tensorflow": tf.saved_model.load(str(GOOD / "both" / "1")).signatures["serving_default"],
        "mlflow": mlflow.tensorflow.load_model(str(GOOD / "both")).signatures["serving_default"],
        "mlflow-only": mlflow.tensorflow.load_model(str(saved_model_only)),
    }
    for name, function in serve.items():
        for case in bundle.golden:
            result = function(features=tf.constant(case.inputs["features"]))["scores"].numpy()
            np.testing.assert_array_equal(result, case.outputs["scores"], err_msg=name)
