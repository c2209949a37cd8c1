"""Artifacts loaded for the replay at export, before there is a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sealane.export.runs import Engine
from sealane.export.tensorflow_graph import engine_names
from sealane.runtime.onnx import OnnxEngine
from sealane.runtime.session import EngineSession
from sealane.runtime.tensorflow import TensorflowEngine

if TYPE_CHECKING:
    from pathlib import Path

    from sealane.bundle import Bindings
    from sealane.core import Signature


def onnx_engine(
    path: Path,
    signature: Signature,
    bindings: Bindings | None = None,
    label: str = "the converted model",
) -> Engine:
    """ONNX Runtime on a written model, loaded as a session of a bundle loads it.

    Args:
        path: The ``.onnx`` file.
        signature: What it takes and gives.
        bindings: The signature's names → the graph's; None where they are the same.
        label: What messages call it.

    Raises:
        SealaneError: ``ARTIFACT_UNSUPPORTED`` or ``ENGINE_LOAD_FAILED`` when it does not load.
    """
    loaded = OnnxEngine(
        path,
        signature,
        inputs=bindings.inputs if bindings else {spec.name: spec.name for spec in signature.inputs},
        outputs=bindings.outputs
        if bindings
        else {spec.name: spec.name for spec in signature.outputs},
        label=label,
    )
    session = EngineSession(signature, loaded, model=label)
    return Engine("onnx", session.engine_version, "python", session.options, session.run)


def tensorflow_engine(directory: Path, signature: Signature) -> Engine:
    """TensorFlow on a written SavedModel, loaded as a session of a bundle loads it.

    Raises:
        SealaneError: ``ENGINE_LOAD_FAILED`` when it does not load.
    """
    loaded = TensorflowEngine(
        directory,
        signature,
        inputs=engine_names(signature.inputs),
        outputs=engine_names(signature.outputs),
        label="the SavedModel",
    )
    session = EngineSession(signature, loaded, model="the SavedModel")
    return Engine("tensorflow", session.engine_version, "python", session.options, session.run)
