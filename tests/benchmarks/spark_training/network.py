"""The network, the rows and the settings that every contestant trains."""

from __future__ import annotations

import torch
from torch import nn

from sealane.spark.training import TorchTrainable

FEATURES = 16
BATCH = 1024
LR = 1e-3


class Scores(nn.Module):
    """16 numbers → the log-odds of one class."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(FEATURES, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


trainable = TorchTrainable(
    module=lambda _: Scores(),
    inputs=["x"],
    options={"formats": ("onnx",), "output_names": ["score"]},
)
