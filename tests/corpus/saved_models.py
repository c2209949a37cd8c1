"""The SavedModels of the corpus, made by TensorFlow: twins of the graphs in ``bases``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from corpus import bases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sealane.core import Signature


def write_saved_models(folder: Path) -> None:
    """One SavedModel for each name of ``bases.SAVED_MODELS``; bytes depend on TensorFlow."""
    makers: dict[str, Callable[[], Any]] = {
        "both": _mlp,
        "savedmodel-strings": _strings,
        "savedmodel-dtypes": lambda: _identities(bases.dtypes_signature()),
        "savedmodel-domains": lambda: _identities(bases.DOMAINS_SIGNATURE),
    }
    import tensorflow as tf

    for name, make in makers.items():
        module = make()
        signatures = {"serving_default": module.serve}
        tf.saved_model.save(module, str(folder / name), signatures=signatures)
        (folder / name / "fingerprint.pb").unlink(missing_ok=True)


def _mlp() -> Any:
    """The MLP with variables."""
    import tensorflow as tf

    class Mlp(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w0 = tf.Variable(bases.HIDDEN_WEIGHT)
            self.b0 = tf.Variable(bases.HIDDEN_BIAS)
            self.w1 = tf.Variable(bases.OUTPUT_WEIGHT)
            self.b1 = tf.Variable(bases.OUTPUT_BIAS)

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="features")])
        def serve(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
            hidden = tf.nn.relu(features @ self.w0 + self.b0)
            return {"scores": hidden @ self.w1 + self.b1}

    return Mlp()


def _strings() -> Any:
    """Strings looked up in a table, which is filled when the model is loaded."""
    import tensorflow as tf

    class Strings(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            entries = tf.lookup.KeyValueTensorInitializer(
                list(bases.CARRIERS), [1.0, 2.0, 3.0, 4.0], tf.string, tf.float32
            )
            self.codes = tf.lookup.StaticHashTable(entries, 0.5)

        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.string, name="carrier"),
                tf.TensorSpec([None], tf.float32, name="distance"),
            ]
        )
        def serve(self, carrier: tf.Tensor, distance: tf.Tensor) -> dict[str, tf.Tensor]:
            filled = tf.where(tf.math.is_nan(distance), np.float32(512), distance)
            near, far = (tf.constant(each) for each in bases.KIND_LABELS)
            return {
                "score": filled * np.float32(1 / 256) + self.codes.lookup(carrier),
                "label": tf.where(filled > 1000, far, near),
            }

    return Strings()


def _identities(signature: Signature) -> Any:
    """Every input passed through."""
    import tensorflow as tf

    pairs = list(zip(signature.inputs, signature.outputs, strict=True))
    specs = [
        tf.TensorSpec(
            [None if isinstance(dim, str) else dim for dim in spec.shape],
            tf.string if spec.dtype.value == "BYTES" else spec.dtype.numpy,
            name=spec.name,
        )
        for spec in signature.inputs
    ]

    class Identities(tf.Module):
        @tf.function(input_signature=specs)
        def serve(self, *values: tf.Tensor) -> dict[str, tf.Tensor]:
            return {
                output.name: tf.identity(value)
                for (_, output), value in zip(pairs, values, strict=True)
            }

    return Identities()
