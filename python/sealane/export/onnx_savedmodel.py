"""An ONNX graph → SavedModel, for frameworks that TensorFlow can not save itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealane.export.errors import unsupported

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

    from sealane.core import Signature


def save(
    bare: onnx.ModelProto,
    bare_signature: Signature,
    signature: Signature,
    features: Any,
    directory: Path,
) -> None:
    """Write a SavedModel that computes the graph, features in front.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` naming an operator without TensorFlow form.
    """
    del bare, bare_signature, signature, features, directory
    raise unsupported("a model of this framework has no SavedModel route yet")
