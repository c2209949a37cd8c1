"""The SavedModel of the corpus, made by TensorFlow from the weights in ``bases``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus import bases

if TYPE_CHECKING:
    from pathlib import Path


def write_saved_model(target: Path) -> None:
    """The MLP as a SavedModel with variables; the bytes depend on TensorFlow's version."""
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

    module = Mlp()
    tf.saved_model.save(module, str(target), signatures={"serving_default": module.serve})
