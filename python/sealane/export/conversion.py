"""A prepared model → artifacts on disk that passed the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx

from sealane.export import gate
from sealane.export.capabilities import onnxruntime_capabilities
from sealane.export.errors import failed

if TYPE_CHECKING:
    from pathlib import Path

    from sealane.export.preparation import Prepared

EXTERNAL_DATA_THRESHOLD = 1_500_000_000
"""Bytes of weights above which they lie beside the model: a protobuf ends at 2 GiB."""
_SMALLEST_EXTERNAL = 1024


def bare_onnx(prepared: Prepared) -> onnx.ModelProto:
    """The model alone as ONNX, in the form bundles hold.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` or ``EXPORT_FAILED``, naming the layer or node.
    """
    opset = onnxruntime_capabilities().export_opset
    model = prepared.source.to_onnx(prepared.bare, prepared.probe(), opset)
    return gate.normalise(model, prepared.bare, "model")


def write_onnx(
    prepared: Prepared, bare: onnx.ModelProto, path: Path, name: str, threshold: int
) -> dict[str, object]:
    """Put the features in front, write the model and pass it through the gate.

    Args:
        prepared: The model's contract and features.
        bare: From `bare_onnx`; left unchanged.
        path: The ``.onnx`` file; weights above the threshold lie in ``<path>.data``.
        name: The model's name.
        threshold: Bytes of weights above which they are written beside the model.

    Returns:
        What the model requires of a runtime, as the manifest says it.
    """
    model = bare
    if prepared.features is not None:
        model = prepared.features.prepend_onnx(bare)
    model = gate.normalise(model, prepared.signature, name)
    weights = sum(len(t.raw_data) or t.ByteSize() for t in model.graph.initializer)
    if weights > threshold:
        onnx.save(  # pyright: ignore[reportUnknownMemberType]
            model,
            path,
            save_as_external_data=True,
            all_tensors_to_one_file=True,
            location=f"{path.name}.data",
            size_threshold=_SMALLEST_EXTERNAL,
        )
    else:
        path.write_bytes(model.SerializeToString(deterministic=True))
    gate.check(path, prepared.signature)
    return gate.requirements(model)


def write_savedmodel(prepared: Prepared, bare: onnx.ModelProto, directory: Path) -> None:
    """Write a SavedModel, features in front.

    A Keras model is saved by TensorFlow itself; a PyTorch model by way of its ONNX graph, operator
    by operator.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` naming an operator without TensorFlow form;
            ``EXPORT_FAILED`` when the result is not right.
    """
    features: Any = None
    if prepared.features is not None:
        features = prepared.features.to_tensorflow()
    save = getattr(prepared.source, "save", None)
    if save is not None:
        save(directory, prepared.signature, features)
    else:
        from sealane.export import onnx_savedmodel

        onnx_savedmodel.save(bare, prepared.bare, prepared.signature, features, directory)
    if not (directory / "saved_model.pb").is_file():
        raise failed("TensorFlow wrote no saved_model.pb")
