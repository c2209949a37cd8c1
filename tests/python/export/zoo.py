"""Small models of every shape that matters, with weights that give outputs of a realistic scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Entry:
    """A model with example inputs and how to export it."""

    model: Any
    examples: Any
    options: dict[str, Any] = field(default_factory=dict)


def rows(*shape: int) -> np.ndarray:
    """Seeded normal values."""
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


def torch_zoo() -> dict[str, Entry]:
    import torch
    from torch import nn

    torch.manual_seed(3)

    class Recurrent(nn.Module):
        def __init__(self, cell: Any) -> None:
            super().__init__()
            self.cell = cell(5, 16, num_layers=2, bidirectional=True, batch_first=True)
            self.head = nn.Linear(32, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.cell(x)[0][:, -1])

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(50, 32)
            layer = nn.TransformerEncoderLayer(
                32, 4, 64, batch_first=True, activation="gelu", dropout=0.1
            )
            self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.norm = nn.LayerNorm(32)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.norm(self.layers(self.embed(ids))).mean(1)

    class Tabular(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.carrier = nn.Embedding(8, 4)
            self.body = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 2))

        def forward(self, numeric: torch.Tensor, carrier: torch.Tensor) -> dict[str, torch.Tensor]:
            logits = self.body(torch.cat([numeric, self.carrier(carrier)], 1))
            return {"logits": logits, "probability": logits.softmax(-1), "label": logits.argmax(-1)}

    class TwoInTwoOut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = nn.Linear(4, 8), nn.Linear(6, 8)

        def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            total = torch.tanh(self.left(a)) + torch.tanh(self.right(b))
            return total, total > 0

    class Counter(nn.Module):
        def forward(self, x: torch.Tensor, keep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.where(keep, x * 3 + 1, -x), x.sum(-1)

    convolution = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Hardswish(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 4),
    )  # fmt: skip
    with torch.no_grad():
        convolution.train()
        for _ in range(20):
            convolution(torch.randn(16, 3, 12, 12) * 2 + 1)
    integers = np.random.default_rng(5)
    tokens = integers.integers(0, 50, (4, 9))
    return {
        "mlp": Entry(
            nn.Sequential(nn.Linear(8, 32), nn.GELU(), nn.Dropout(0.5), nn.Linear(32, 3)),
            (rows(6, 8),),
        ),
        "cnn": Entry(convolution, (rows(3, 3, 12, 12),)),
        "lstm": Entry(Recurrent(nn.LSTM), (rows(3, 7, 5),)),
        "gru": Entry(Recurrent(nn.GRU), (rows(3, 7, 5),)),
        "encoder": Entry(
            Encoder(),
            (tokens,),
            {"input_names": ["ids"], "dynamic": {"ids": {0: "batch", 1: "sequence"}}},
        ),
        "tabular": Entry(Tabular(), {"numeric": rows(6, 5), "carrier": integers.integers(0, 8, 6)}),
        "two-in-two-out": Entry(
            TwoInTwoOut(), (rows(3, 4), rows(3, 6)), {"output_names": ["total", "positive"]}
        ),
        "integers": Entry(
            Counter(), (integers.integers(-9, 9, (5, 4)), integers.random((5, 4)) < 0.5)
        ),
    }


def keras_zoo() -> dict[str, Entry]:
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers

    class Subclassed(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = layers.Dense(16, activation="relu")
            self.head = layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            return {"logits": self.head(self.hidden(inputs)), "hidden": self.hidden(inputs)}

    subclassed = Subclassed()
    subclassed(rows(2, 6))

    normalize = layers.Normalization()
    normalize.adapt(rows(64, 6) * 3 + 5)
    normalized = keras.Sequential([keras.Input((6,), name="x"), normalize, layers.Dense(3)])

    image = keras.Input((10, 10, 3), name="image")
    h = layers.Conv2D(8, 3, activation="relu")(image)
    h = layers.BatchNormalization()(h)
    h = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(h))
    batch_norm = keras.Model(image, layers.Dense(4, activation="softmax")(h))
    for weight in batch_norm.weights:
        if "moving" in weight.path:
            weight.assign(np.abs(rows(*weight.shape)) + 0.5)

    sequence = keras.Input((None, 12), name="sequence")
    attended = layers.MultiHeadAttention(2, 8)(sequence, sequence)
    attended = layers.LayerNormalization()(sequence + attended)
    attention = keras.Model(sequence, layers.Dense(3)(attended))

    a, b = keras.Input((4,), name="a"), keras.Input((3,), dtype="int32", name="b")
    embedded = layers.Flatten()(layers.Embedding(10, 4)(b))
    joined = layers.Concatenate()([layers.Dense(8, activation="tanh")(a), embedded])
    multi = keras.Model(
        {"a": a, "b": b}, {"score": layers.Dense(1, name="score")(joined), "joined": joined}
    )
    ids = np.random.default_rng(5).integers(0, 10, (5, 3)).astype(np.int32)
    return {
        "sequential-gelu": Entry(
            keras.Sequential(
                [keras.Input((8,), name="x"), layers.Dense(32, activation="gelu"), layers.Dense(3)]
            ),
            (rows(6, 8),),
        ),
        "normalization": Entry(normalized, (rows(6, 6) * 3 + 5,)),
        "subclassed": Entry(subclassed, (rows(5, 6),)),
        "cnn-batchnorm": Entry(batch_norm, (rows(3, 10, 10, 3),)),
        "lstm": Entry(
            keras.Sequential([keras.Input((7, 5), name="x"), layers.LSTM(16), layers.Dense(3)]),
            (rows(3, 7, 5),),
        ),
        "attention": Entry(
            attention,
            {"sequence": rows(3, 6, 12)},
            {"dynamic": {"sequence": {0: "batch", 1: "length"}}},
        ),
        "multi-io": Entry(multi, {"a": rows(5, 4), "b": ids}),
    }
