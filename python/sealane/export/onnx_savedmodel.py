"""An ONNX graph → SavedModel, for frameworks that TensorFlow can not save itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealane.export import tensorflow_graph
from sealane.export.onnx_to_tensorflow import to_function

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import onnx

    from sealane.core import Signature
from sealane.core.frameworks import load_module


def save(
    bare: onnx.ModelProto,
    bare_signature: Signature,
    signature: Signature,
    features: Any,
    directory: Path,
) -> None:
    """Write a SavedModel that computes the graph, features in front.

    Args:
        bare: The model without features, its weights inside.
        bare_signature: What the graph takes and gives, by its own names.
        signature: What the SavedModel takes and gives.
        features: A function of raw tensors by name → the graph's inputs by name, or None.
        directory: Where to; must not exist.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` naming an operator without TensorFlow form;
            ``ENGINE_UNAVAILABLE`` without TensorFlow.
    """
    tf = load_module("tensorflow", "tensorflow")
    function = to_function(bare)

    def call(tensors: Mapping[str, Any]) -> Mapping[str, Any]:
        given = features(tensors) if features is not None else tensors
        return function({spec.name: given[spec.name] for spec in bare_signature.inputs})

    tracked = [function] if features is None else [function, features]
    tensorflow_graph.save(tf, call, tracked, signature, directory)
