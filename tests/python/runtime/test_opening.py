"""A verified bundle becomes a session only after its golden cases agree."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from python.runtime import bundles, models

from sealane.bundle import (
    ArtifactDraft,
    BundleDraft,
    GoldenCase,
    Tolerance,
    Verdict,
    read_bundle,
    write_bundle,
)
from sealane.core import Domain, DType, ErrorCode, SealaneError, Signature, TensorSpec
from sealane.runtime import ParityWarning, open_session


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return bundles.mlp_bundle(tmp_path_factory.mktemp("mlp") / "mlp", 8, 16, 3)


def refused(path, **options) -> SealaneError:
    with pytest.raises(SealaneError) as caught:
        open_session(path, **options)
    return caught.value


def test_a_bundle_opens_by_path_and_as_verified(bundle):
    x = np.ones((2, 8), np.float32)
    with open_session(bundle) as session:
        expected = session.run({"x": x})["y"]
    with read_bundle(bundle, keep=("onnx",)) as verified, open_session(verified) as session:
        verified.close()
        assert session.run({"x": x})["y"].tobytes() == expected.tobytes()
        assert session.signature.inputs[0].name == "x"
        assert "mlp" in repr(session)


def spoil(tmp_path, by: float, verdict: Verdict, tolerance: Tolerance | None = None) -> Path:
    made, signature = models.mlp(4, 3)
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    case = bundles.spoiled(bundles.golden_from(made, signature, "case", {"x": x}), "y", by)
    path = bundles.write_onnx(
        tmp_path / "ok", made, signature, (case,), verdict=Verdict.WITHIN_ORACLE
    )
    if verdict is Verdict.WITHIN_ORACLE:
        return path
    artifact = ArtifactDraft(
        id="onnx",
        kind="onnx",
        role="primary",
        source=path / "1" / "model.onnx",
        bindings=bundles.own_names(signature),
        precision="fp32",
        verdict=verdict,
        tolerance=tolerance,
    )
    draft = BundleDraft("spoiled", "1", signature, (artifact,), golden=(case,))
    write_bundle(tmp_path / "spoiled", draft)
    return tmp_path / "spoiled"


def test_strict_refuses_warn_warns_off_skips(tmp_path):
    path = spoil(tmp_path, 1e-3, Verdict.WITHIN_ORACLE)
    error = refused(path)
    assert error.code is ErrorCode.PARITY_FAILED
    assert error.details["case"] == "case"
    assert error.details["output"] == "y"
    assert "expected within-oracle, received failed" in error.message
    with pytest.warns(ParityWarning, match="PARITY_FAILED"):
        open_session(path, replay="warn").close()
    open_session(path, replay="off").close()


def test_a_declared_tolerance_is_the_rule_of_its_variant(tmp_path):
    tolerance = Tolerance(rtol=0.0, atol=1e-2, reason="test")
    open_session(spoil(tmp_path, 1e-3, Verdict.WITHIN_DECLARED, tolerance)).close()


def test_more_than_the_declared_tolerance_is_refused(tmp_path):
    tolerance = Tolerance(rtol=0.0, atol=1e-4, reason="test")
    error = refused(spoil(tmp_path, 1e-3, Verdict.WITHIN_DECLARED, tolerance))
    assert error.code is ErrorCode.PARITY_FAILED


def test_a_failed_variant_opens_only_without_strict_replay(tmp_path):
    path = spoil(tmp_path, 0.0, Verdict.FAILED)
    assert refused(path).code is ErrorCode.PARITY_FAILED
    open_session(path, replay="off").close()


def test_one_rounding_step_breaks_bit_exact_only_on_the_certified_version(tmp_path):
    made, signature = models.mlp(4, 3)
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    case = bundles.golden_from(made, signature, "case", {"x": x})
    moved = case.outputs["y"].copy()
    moved.flat[0] = np.nextafter(moved.flat[0], np.float32(np.inf))
    case = replace(case, outputs={"y": moved})
    for version, opens in (("1.28.0", False), ("1.27.0", True)):
        path = bundles.write_onnx(
            tmp_path / f"v{version}",
            made,
            signature,
            (case,),
            verdict=Verdict.BIT_EXACT,
            certificate={
                "runs": [{"variant": "onnx", "backend": "onnx", "backendVersion": version}]
            },
        )
        if opens:
            open_session(path).close()
        else:
            assert refused(path).code is ErrorCode.PARITY_FAILED


def test_a_golden_case_that_the_domain_refuses_is_the_bundles_fault(tmp_path):
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("n",), domain=Domain(minimum=0)),),
        (TensorSpec("y", DType.FP32, ("n",)),),
    )
    made = models.model([helper.make_node("Identity", ["x"], ["y"])], signature)
    x = np.array([-1], np.float32)
    case = GoldenCase("case", "sample", 1, {"x": x}, {"y": x})
    path = bundles.write_onnx(
        tmp_path / "b", made, signature, (case,), verdict=Verdict.WITHIN_ORACLE
    )
    assert refused(path).code is ErrorCode.GOLDEN_INVALID


def test_variants_and_engines_are_checked(bundle):
    assert refused(bundle, engine="caffe").code is ErrorCode.ENGINE_UNAVAILABLE
    assert refused(bundle, engine="tensorflow").code is ErrorCode.VARIANT_NOT_FOUND
    assert refused(bundle, variant="other").code is ErrorCode.VARIANT_NOT_FOUND
    with read_bundle(bundle) as verified:
        assert refused(verified).code is ErrorCode.VARIANT_NOT_FOUND
    assert refused(bundle / "nowhere").code is ErrorCode.BUNDLE_NOT_FOUND


def test_a_tampered_bundle_is_refused(bundle, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    model = copy / "1" / "model.onnx"
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(bytes(data))
    assert refused(copy).code is ErrorCode.FILES_DIFFER


def test_text_travels_through_a_bundle(tmp_path):
    with open_session(bundles.text_bundle(tmp_path / "text")) as session:
        result = session.run({"carrier": np.array(["UA", "日本"]), "d": [1, 2]})
    assert result["same"].tolist() == ["UA", "日本"]
    assert result["more"].tolist() == [2.0, 3.0]


def test_external_data_is_loaded_from_the_private_copy(tmp_path):
    import onnx

    made, signature = models.mlp(64, 64, 4)
    golden = bundles.golden_from(made, signature, "case", {"x": np.ones((1, 64), np.float32)})
    source = tmp_path / "m.onnx"
    onnx.save_model(
        made, source, save_as_external_data=True, location="model.onnx.data", size_threshold=0
    )
    (tmp_path / "model.onnx.data").rename(tmp_path / "m.onnx.data")
    artifact = ArtifactDraft(
        id="onnx",
        kind="onnx",
        role="primary",
        source=source,
        bindings=bundles.own_names(signature),
        precision="fp32",
        verdict=Verdict.WITHIN_ORACLE,
    )
    write_bundle(tmp_path / "b", BundleDraft("big", "1", signature, (artifact,), golden=(golden,)))
    before = set(Path(tempfile.gettempdir()).glob("sealane-*"))
    with open_session(tmp_path / "b") as session:
        assert set(Path(tempfile.gettempdir()).glob("sealane-*")) == before
        result = session.run(golden.inputs)["y"]
    assert result.tobytes() == golden.outputs["y"].tobytes()


def test_a_saved_model_opens_on_tensorflow(tmp_path):
    signature = models.saved_model(tmp_path / "saved")
    inputs = {"carrier": np.array(["UA", "?"], object), "d": np.array([0.5, 0], np.float32)}
    outputs = {
        "score": np.array([10.5, -10], np.float32),
        "label": np.array(["UA!", "?!"], object),
    }
    artifact = ArtifactDraft(
        id="savedmodel",
        kind="savedmodel",
        role="primary",
        source=tmp_path / "saved",
        bindings=bundles.own_names(signature),
        precision="fp32",
        verdict=Verdict.WITHIN_ORACLE,
    )
    case = GoldenCase("case", "sample", 2, inputs, outputs)
    write_bundle(tmp_path / "b", BundleDraft("tf", "1", signature, (artifact,), golden=(case,)))
    with open_session(tmp_path / "b", "tensorflow") as session:
        assert session.run({"carrier": ["日本"], "d": [1]})["score"].tolist() == [21.0]
