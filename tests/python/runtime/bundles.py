"""Bundles of tiny models for the tests of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from python.runtime import models

from sealane.bundle import ArtifactDraft, Bindings, BundleDraft, GoldenCase, Verdict, write_bundle
from sealane.core import DType, Signature

if TYPE_CHECKING:
    from pathlib import Path

    import onnx


def own_names(signature: Signature) -> Bindings:
    return Bindings(
        {spec.name: spec.name for spec in signature.inputs},
        {spec.name: spec.name for spec in signature.outputs},
    )


def write_onnx(
    path: Path,
    made: onnx.ModelProto,
    signature: Signature,
    golden: tuple[GoldenCase, ...] = (),
    *,
    version: str = "1",
    verdict: Verdict = Verdict.FAILED,
    certificate: dict[str, object] | None = None,
) -> Path:
    """Writes a bundle with one ONNX variant ``onnx``; give golden cases with any verdict but
    FAILED."""
    source = path.parent / f"{path.name}.onnx"
    source.write_bytes(made.SerializeToString())
    artifact = ArtifactDraft(
        id="onnx",
        kind="onnx",
        role="primary",
        source=source,
        bindings=own_names(signature),
        precision="fp32",
        verdict=verdict,
    )
    write_bundle(
        path,
        BundleDraft(
            name=path.name,
            version=version,
            signature=signature,
            artifacts=(artifact,),
            golden=golden,
            certificate=certificate or {},
        ),
    )
    return path


def golden_from(
    made: onnx.ModelProto, signature: Signature, case: str, inputs: dict[str, np.ndarray]
) -> GoldenCase:
    """A golden case whose outputs are ONNX Runtime's own."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    raw = onnxruntime.InferenceSession(made.SerializeToString(), options)
    names = [spec.name for spec in signature.outputs]
    outputs = dict(zip(names, raw.run(names, inputs), strict=True))
    batch = next((array.shape[0] for array in inputs.values() if array.ndim), 1)
    return GoldenCase(case, "sample", batch, inputs, outputs)


def mlp_bundle(path: Path, *widths: int) -> Path:
    """A perceptron in a bundle with golden cases of batch 1, 2 and 7, claimed ``bit-exact`` for
    this ONNX Runtime."""
    made, signature = models.mlp(*widths)
    rng = np.random.default_rng(1)
    golden = tuple(
        golden_from(
            made,
            signature,
            f"batch-{rows}",
            {"x": rng.standard_normal((rows, widths[0]), np.float32)},
        )
        for rows in (1, 2, 7)
    )
    certificate = {
        "runs": [
            {"variant": "onnx", "backend": "onnx", "backendVersion": onnxruntime.__version__},
            {"variant": "onnx", "backend": "jvm:onnx", "backendVersion": onnxruntime.__version__},
        ]
    }
    return write_onnx(
        path, made, signature, golden, verdict=Verdict.BIT_EXACT, certificate=certificate
    )


def text_bundle(path: Path) -> Path:
    """Text and a number passed through, with a golden case of non-ASCII text."""
    made, signature = models.text_and_number()
    inputs = {
        "carrier": np.array(["", "naïve", "日本", "🛫"], object),
        "d": np.array([0, 1, -2.5, 1e-40], np.float32),
    }
    golden = golden_from(made, signature, "text", inputs)
    return write_onnx(path, made, signature, (golden,), verdict=Verdict.WITHIN_ORACLE)


def spoiled(case: GoldenCase, name: str, by: float) -> GoldenCase:
    """The case with an output moved away from what the model gives."""
    outputs = {key: array.copy() for key, array in case.outputs.items()}
    assert outputs[name].dtype == DType.FP32.numpy
    outputs[name] += np.float32(by)
    return GoldenCase(case.id, case.purpose, case.batch, case.inputs, outputs, case.oracle)
