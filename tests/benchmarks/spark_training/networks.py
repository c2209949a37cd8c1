"""One network in each framework, imported when it is asked for."""

from __future__ import annotations

from typing import Any

OPTIONS = {"formats": ("onnx",), "output_names": ["score"]}


def torch() -> Any:
    """A PyTorch module that gives logits."""
    from network import trainable

    return trainable


def tensorflow() -> Any:
    """A Keras model."""
    from sealane.spark.training import KerasTrainable

    return KerasTrainable(model=keras_scores, inputs=["x"], from_logits=True, options=OPTIONS)


def keras_scores(_: object) -> Any:
    """Log-odds."""
    import keras

    dense = keras.layers.Dense
    layers = [keras.Input((16,)), dense(256, "relu"), dense(128, "relu"), dense(1)]
    return keras.Sequential(layers)


def jax() -> Any:
    """A Flax NNX module."""
    from sealane.spark.training import JaxTrainable

    return JaxTrainable(module=jax_scores, inputs=["x"], options=OPTIONS)


def jax_scores(_: object) -> Any:
    """Log-odds."""
    from flax import nnx

    rngs = nnx.Rngs(0)
    return nnx.Sequential(
        nnx.Linear(16, 256, rngs=rngs),
        nnx.relu,
        nnx.Linear(256, 128, rngs=rngs),
        nnx.relu,
        nnx.Linear(128, 1, rngs=rngs),
    )


def dl4j() -> Any:
    """PyTorch's module on Deeplearning4j, with probabilities."""
    from network import Scores
    from torch import nn

    from sealane.spark.training import Dl4jTrainable

    def made(_: object) -> Any:
        return nn.Sequential(*Scores().layers, nn.Sigmoid())

    return Dl4jTrainable(module=made, inputs=["x"], options={"output_names": ["score"]})
