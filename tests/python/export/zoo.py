"""Small models of every shape that matters, with weights that give outputs of a realistic scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from sealane.features import Bucketize, Features, Impute, Log1p, Lookup, Normalize

NAMES = (
    "torch:mlp",
    "torch:cnn",
    "torch:lstm",
    "torch:gru",
    "torch:encoder",
    "torch:tabular",
    "torch:two-in-two-out",
    "torch:integers",
    "torch:bytes-to-floats",
    "torch:half",
    "torch:double",
    "torch:raw-columns",
    "keras:sequential-gelu",
    "keras:normalization",
    "keras:lstm",
    "keras:half",
    "keras:double",
    "keras:cnn-batchnorm",
    "keras:group-normalization",
    "keras:attention",
    "keras:multi-io",
    "keras:strings",
    "keras:raw-columns",
    "keras:subclassed",
    "keras:subclassed-multi-io",
    "keras:subclassed-two-arguments",
)


@dataclass(frozen=True)
class Entry:
    """A model with example inputs and how to export it.

    Attributes:
        kind: How the model is written, for the supported matrix.
        what: What it is made of, for the supported matrix.
    """

    kind: str
    what: str
    model: Any
    examples: Any
    options: dict[str, Any] = field(default_factory=dict)


def entry(name: str) -> Entry:
    """A model of the zoo by its name in ``NAMES``."""
    framework, _, model = name.partition(":")
    return (torch_zoo() if framework == "torch" else keras_zoo())[model]


def rows(*shape: int) -> np.ndarray:
    """Seeded normal values."""
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


def columns() -> dict[str, np.ndarray]:
    """Raw columns with missing values and non-ASCII text."""
    random = np.random.default_rng(4)
    count = 60
    carriers = np.array(["UA", "AA", "B6", "Ünïted", None], object)
    return {
        "carrier": random.choice(carriers, count),
        "distance": np.abs(rows(count)) * 800 + 100,
        "delay": np.where(random.random(count) < 0.2, np.nan, rows(count) * 20),
    }


@cache
def transforms() -> Any:
    """Transforms fitted to ``columns``."""
    return Features(
        {
            "carrier": Lookup(),
            "distance": Log1p() | Normalize(),
            "delay": Impute("median") | Bucketize([-10.0, 0.0, 15.0]),
        }
    ).fit(columns())


@cache
def torch_zoo() -> dict[str, Entry]:
    """PyTorch models; shared, so not to be changed."""
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

    class RawColumns(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.carrier = nn.Embedding(transforms().cardinalities["carrier"], 4)
            self.delay = nn.Embedding(transforms().cardinalities["delay"], 3)
            self.head = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))

        def forward(
            self, numeric: torch.Tensor, carrier: torch.Tensor, delay: torch.Tensor
        ) -> dict[str, torch.Tensor]:
            joined = torch.cat([numeric, self.carrier(carrier), self.delay(delay)], 1)
            return {"probability": torch.sigmoid(self.head(joined))}

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

    class BytesToFloats(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(12, 3)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.head((pixels.float() / 255 - 0.5).flatten(1))

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

    def perceptron(dtype: torch.dtype) -> nn.Module:
        return nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 3)).to(dtype)

    module, sequential = "`torch.nn.Module`", "`torch.nn.Sequential`"
    return {
        "mlp": Entry(
            sequential,
            "MLP with GELU and dropout",
            nn.Sequential(nn.Linear(8, 32), nn.GELU(), nn.Dropout(0.5), nn.Linear(32, 3)),
            (rows(6, 8),),
        ),
        "cnn": Entry(
            sequential, "CNN with BatchNorm and Hardswish", convolution, (rows(3, 3, 12, 12),)
        ),
        "half": Entry(
            sequential,
            "half precision",
            perceptron(torch.float16),
            (torch.from_numpy(rows(6, 8)).half(),),
        ),
        "double": Entry(
            sequential,
            "double precision",
            perceptron(torch.float64),
            (torch.from_numpy(rows(6, 8)).double(),),
        ),
        "lstm": Entry(module, "bidirectional LSTM", Recurrent(nn.LSTM), (rows(3, 7, 5),)),
        "gru": Entry(module, "bidirectional GRU", Recurrent(nn.GRU), (rows(3, 7, 5),)),
        "encoder": Entry(
            module,
            "transformer encoder of any length",
            Encoder(),
            (tokens,),
            {"input_names": ["ids"], "dynamic": {"ids": {0: "batch", 1: "sequence"}}},
        ),
        "tabular": Entry(
            module,
            "embeddings beside numbers",
            Tabular(),
            {"numeric": rows(6, 5), "carrier": integers.integers(0, 8, 6)},
        ),
        "two-in-two-out": Entry(
            module,
            "several inputs and outputs",
            TwoInTwoOut(),
            (rows(3, 4), rows(3, 6)),
            {"output_names": ["total", "positive"]},
        ),
        "integers": Entry(
            module,
            "integers and booleans",
            Counter(),
            (integers.integers(-9, 9, (5, 4)), integers.random((5, 4)) < 0.5),
        ),
        "bytes-to-floats": Entry(
            module,
            "bytes cast to floats",
            BytesToFloats(),
            (integers.integers(0, 256, (5, 3, 4)).astype(np.uint8),),
        ),
        "raw-columns": Entry(
            module,
            "raw columns with text and missing values",
            RawColumns(),
            columns(),
            {"features": transforms()},
        ),
    }


@cache
def keras_zoo() -> dict[str, Entry]:
    """Keras models on TensorFlow; shared, so not to be changed."""
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

    class SubclassedMultiIo(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.numeric = layers.Dense(4)
            self.embedding = layers.Embedding(5, 4)

        def call(self, inputs: Any) -> Any:
            total = self.numeric(inputs["x"]) + self.embedding(inputs["key"])
            return {"total": total, "positive": inputs["x"][:, 0] > 0}

    subclassed_multi_io = SubclassedMultiIo()
    several = {"x": rows(5, 3), "key": np.arange(5, dtype=np.int32)}
    subclassed_multi_io({n: keras.ops.convert_to_tensor(v) for n, v in several.items()})

    class TwoArguments(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = layers.Dense(3)

        def call(self, a: Any, b: Any) -> Any:
            return self.hidden(a) + b

    two_arguments = TwoArguments()
    two_arguments(rows(2, 4), rows(2, 3))

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

    def perceptron(dtype: str) -> Any:
        return keras.Sequential(
            [
                keras.Input((8,), name="x", dtype=dtype),
                layers.Dense(16, activation="tanh", dtype=dtype),
                layers.Dense(3, dtype=dtype),
            ]
        )

    word, number = keras.Input((), dtype="string", name="word"), keras.Input((2,), name="number")
    looked_up = layers.StringLookup(vocabulary=["UA", "AA", "Ünï"])(word)
    with_words = layers.Concatenate()([layers.Embedding(5, 4)(looked_up), number])
    strings = keras.Model({"word": word, "number": number}, layers.Dense(2)(with_words))
    words = np.array(["UA", "AA", "Ünï", "never seen"] * 2, object)

    parts = {
        "numeric": keras.Input((1,), name="numeric"),
        "carrier": keras.Input((), dtype="int64", name="carrier"),
        "delay": keras.Input((), dtype="int64", name="delay"),
    }
    h = layers.Concatenate()(
        [
            parts["numeric"],
            layers.Embedding(transforms().cardinalities["carrier"], 4)(parts["carrier"]),
            layers.Embedding(transforms().cardinalities["delay"], 3)(parts["delay"]),
        ]
    )
    h = layers.Dense(16, activation="relu")(h)
    raw = keras.Model(parts, {"probability": layers.Dense(1, activation="sigmoid")(h)})

    return {
        "sequential-gelu": Entry(
            "Keras Sequential",
            "MLP with GELU",
            keras.Sequential(
                [keras.Input((8,), name="x"), layers.Dense(32, activation="gelu"), layers.Dense(3)]
            ),
            (rows(6, 8),),
        ),
        "normalization": Entry(
            "Keras Sequential", "adapted normalisation", normalized, (rows(6, 6) * 3 + 5,)
        ),
        "lstm": Entry(
            "Keras Sequential",
            "LSTM",
            keras.Sequential([keras.Input((7, 5), name="x"), layers.LSTM(16), layers.Dense(3)]),
            (rows(3, 7, 5),),
        ),
        "half": Entry(
            "Keras Sequential",
            "half precision",
            perceptron("float16"),
            (rows(6, 8).astype(np.float16),),
        ),
        "double": Entry(
            "Keras Sequential",
            "double precision",
            perceptron("float64"),
            (rows(6, 8).astype(np.float64),),
        ),
        "cnn-batchnorm": Entry(
            "Keras Functional", "CNN with BatchNormalization", batch_norm, (rows(3, 10, 10, 3),)
        ),
        "group-normalization": Entry(
            "Keras Functional",
            "GroupNormalization",
            keras.Model(
                pixels := keras.Input((4, 4, 8), name="pixels"),
                layers.GlobalMaxPooling2D()(
                    layers.Conv2D(4, 3, activation="hard_sigmoid")(
                        layers.GroupNormalization(4)(pixels)
                    )
                ),
            ),
            (rows(3, 4, 4, 8),),
        ),
        "attention": Entry(
            "Keras Functional",
            "attention over any length",
            attention,
            {"sequence": rows(3, 6, 12)},
            {"dynamic": {"sequence": {0: "batch", 1: "length"}}},
        ),
        "multi-io": Entry(
            "Keras Functional", "several inputs and outputs", multi, {"a": rows(5, 4), "b": ids}
        ),
        "strings": Entry(
            "Keras Functional", "StringLookup", strings, {"word": words, "number": rows(8, 2)}
        ),
        "raw-columns": Entry(
            "Keras Functional",
            "raw columns with text and missing values",
            raw,
            columns(),
            {"features": transforms()},
        ),
        "subclassed": Entry("Keras subclassed", "MLP", subclassed, (rows(5, 6),)),
        "subclassed-multi-io": Entry(
            "Keras subclassed", "several inputs and outputs", subclassed_multi_io, several
        ),
        "subclassed-two-arguments": Entry(
            "Keras subclassed",
            "several arguments",
            two_arguments,
            (rows(5, 4), rows(5, 3)),
        ),
    }
