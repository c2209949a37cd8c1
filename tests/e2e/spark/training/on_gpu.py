"""Trainables whose steps fail anywhere but on a GPU."""

from __future__ import annotations

from typing import Any

OPTIONS = {"formats": ("onnx",), "output_names": ["same"]}


def torch() -> Any:
    """A PyTorch module."""
    from torch import nn

    from sealane.spark.training import TorchTrainable

    class OnGpu(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))

        def forward(self, x: Any) -> Any:
            if self.training and x.device.type != "cuda":
                message = f"trained on {x.device}"
                raise ValueError(message)
            return self.layers(x)

    return TorchTrainable(module=lambda _: OnGpu(), inputs=["x"], options=OPTIONS)


def tensorflow() -> Any:
    """A Keras model."""
    from sealane.spark.training import KerasTrainable

    def made(_: object) -> Any:
        import keras
        import tensorflow as tf

        class OnGpu(keras.layers.Layer):
            def call(self, x: Any, training: bool = False) -> Any:
                if training and not tf.config.list_physical_devices("GPU"):
                    message = "trained without a GPU"
                    raise ValueError(message)
                return x

        layers = [keras.Input((2,)), OnGpu(), keras.layers.Dense(16, "tanh")]
        return keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])

    return KerasTrainable(model=made, inputs=["x"], options=OPTIONS)
