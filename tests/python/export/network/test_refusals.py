"""What a network can not hold is refused at export, by the layer's path and type."""

from __future__ import annotations

import numpy as np
import pytest

import sealane
from sealane.core import ErrorCode, SealaneError
from sealane.export.preparation import Wanted, prepare

ROWS = np.ones((2, 4), np.float32)
STEPS = np.ones((2, 3, 4), np.float32)
IMAGES = np.ones((2, 4, 6, 6), np.float32)


def torch_refusals():
    import torch
    from torch import nn

    class Gate(nn.Module):
        def __init__(self, gate):
            super().__init__()
            self.encoder = nn.ModuleDict({"gate": gate})

        def forward(self, x):
            return self.encoder["gate"](x, x)

    class Call(nn.Module):
        def __init__(self, function, **modules):
            super().__init__()
            self.function = function
            for name, module in modules.items():
                setattr(self, name, module)

        def forward(self, x):
            return self.function(self, x)

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(4))

        def forward(self, x):
            return x * self.scale

    linear = nn.Linear(4, 4)
    hooked = torch.nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))
    rnn = nn.LSTM(4, 3, batch_first=True)
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    return {
        "bilinear": (Gate(nn.Bilinear(4, 4, 2)), ROWS, "encoder.gate (torch.nn.Bilinear)"),
        "prelu": (nn.Sequential(nn.Linear(4, 3), nn.PReLU()), ROWS, "1 (torch.nn.PReLU)"),
        "parametrised": (nn.Sequential(hooked), ROWS, "0 (torch.nn.utils.parametrize"),
        "parameter": (Own(), ROWS, "the parameter or buffer 'scale'"),
        "twice": (Call(lambda m, x: m.a(m.a(x)), a=linear), ROWS, "a (torch.nn.Linear): it is"),
        "branch": (Call(lambda m, x: x if x.sum() > 0 else -x), ROWS, "can not be traced"),
        "function": (Call(lambda m, x: torch.cumsum(x, 1)), ROWS, "cumsum"),
        "method": (Call(lambda m, x: x.sort(1)[0]), ROWS, "tensor method 'sort'"),
        "softmax": (nn.Softmax(dim=1), STEPS, "over axis 1, not the last"),
        "time-first": (nn.Sequential(nn.Linear(4, 4), nn.GRU(4, 2)), STEPS, "batch_first=False"),
        "cell": (Call(lambda m, x: m.r(x)[1][1][0], r=rnn), STEPS, "cell state"),
        "weights": (Call(lambda m, x: m.a(x, x, x)[1], a=attention), STEPS, "attention weights"),
        "padding": (nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"), IMAGES, "padding_mode"),
        "statistics": (nn.BatchNorm2d(4, affine=False), IMAGES, "without affine"),
        "transposed": (nn.Sequential(nn.ConvTranspose2d(4, 2, 3)), IMAGES, "ConvTranspose2d"),
        "broadcast": (Call(lambda m, x: x * x.mean((2, 3), keepdim=True)), IMAGES, "one shape"),
        "group-norm": (nn.Sequential(nn.GroupNorm(2, 4)), IMAGES, "0 (torch.nn.GroupNorm)"),
        "flat-batch": (Call(lambda m, x: x.reshape(4, -1).t()), ROWS, "keeps its batch"),
        "double": (nn.Linear(4, 2).double(), ROWS.astype(np.float64), "FP32"),
    }  # fmt: skip


TORCH = (
    "bilinear", "prelu", "parametrised", "parameter", "twice", "branch", "function", "method",
    "softmax", "time-first", "cell", "weights", "padding", "statistics", "transposed",
    "broadcast", "group-norm", "flat-batch", "double",
)  # fmt: skip


@pytest.mark.parametrize("name", TORCH)
def test_torch_layer_is_refused_by_name(name):
    model, example, said = torch_refusals()[name]
    refuse(model, example, said)


def keras_refusals():
    import keras

    k, photos = keras.layers, IMAGES.transpose(0, 2, 3, 1)
    shared = k.Dense(4, name="shared")

    def functional(shape, *layers):
        inputs = keras.Input(shape)
        x = inputs
        for layer in layers:
            x = layer(x)
        return keras.Model(inputs, x)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = k.Dense(2)

        def call(self, x):
            return self.dense(x)

    own = Own()
    own(ROWS)
    return {
        "prelu": (functional((4,), k.Dense(3), k.PReLU(name="slope")), ROWS, "slope (keras"),
        "shared": (functional((4,), shared, shared), ROWS, "shared (Dense): it is called twice"),
        "subclass": (own, ROWS, "subclassed Own"),
        "exponential": (functional((4,), k.Dense(3, "exponential", name="e")), ROWS, "e (keras"),
        "norm": (functional((4,), k.BatchNormalization(scale=False, name="n")), ROWS, "n (keras"),
        "before": (functional((3, 4), k.GRU(2, reset_after=False)), STEPS, "reset_after=False"),
        "relu-gate": (functional((3, 4), k.LSTM(2, activation="relu")), STEPS, "other activations"),
        "reversed": (functional((3, 4), k.LSTM(2, go_backwards=True, return_sequences=True)), STEPS,
                     "go_backwards"),
        "cropping": (functional((6, 6, 4), k.Cropping2D(1, name="c")), photos,
                     "c (keras.layers.Cropping2D)"),
        "strided-same": (functional((None, None, 4), k.Conv2D(2, 3, 2, "same", name="s")),
                         photos, "s (keras.layers.Conv2D): padding='same'"),
        "unit-norm": (functional((4,), k.UnitNormalization(name="u")), ROWS, "u (keras"),
    }  # fmt: skip


KERAS = (
    "prelu", "shared", "subclass", "exponential", "norm", "before", "relu-gate", "reversed",
    "cropping", "strided-same", "unit-norm",
)  # fmt: skip


@pytest.mark.parametrize("name", KERAS)
def test_keras_layer_is_refused_by_name(name):
    model, example, said = keras_refusals()[name]
    dynamic = None
    if name == "strided-same":
        names = [each.name for each in model.inputs]
        dynamic = {names[0]: {0: "batch", 1: "height", 2: "width"}}
    refuse(model, example, said, dynamic)


def refuse(model, example, said, dynamic=None):
    prepared = prepare(model, (example,), Wanted(dynamic=dynamic))
    with pytest.raises(SealaneError) as caught:
        prepared.source.to_network(prepared.bare)
    assert caught.value.code is ErrorCode.EXPORT_UNSUPPORTED
    assert said in caught.value.message, caught.value.message


def test_the_lists_are_whole():
    assert set(TORCH) == set(torch_refusals())
    assert set(KERAS) == set(keras_refusals())


def test_an_export_that_asks_for_a_network_is_refused_whole(tmp_path):
    import torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.CELU(), torch.nn.Linear(6, 2))
    rows = np.random.default_rng(0).standard_normal((8, 4), np.float32)
    with pytest.raises(SealaneError) as caught:
        sealane.export(model, (rows,), "m", path=tmp_path / "bundle", formats=("onnx", "dl4j"))
    assert caught.value.code is ErrorCode.EXPORT_UNSUPPORTED
    assert caught.value.details["layer"] == "1"
    assert not list(tmp_path.iterdir())
