"""Small models drawn from a seed over the layers that a network can hold, half of them in Keras."""

from __future__ import annotations

from importlib import import_module

import numpy as np

FAMILIES = ("rows", "images", "signals", "steps", "tokens")
TORCH_ACTIVATIONS = (
    "ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "Sigmoid", "Tanh", "Softplus", "Softsign",
    "GELU", "SiLU", "Mish", "Hardsigmoid", "Hardswish",
)  # fmt: skip
KERAS_ACTIVATIONS = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "softplus", "softsign",
    "gelu", "silu", "mish", "hard_sigmoid", "hard_silu",
)  # fmt: skip


def torch_model(seed: int):
    """A module in eval mode with statistics that are not 0 and 1, and example inputs."""
    import torch

    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    model, example = _TORCH[FAMILIES[seed % len(FAMILIES)]](random)
    for module in model.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return model.eval(), example


def _torch_activation(random):
    from torch import nn

    return getattr(nn, str(random.choice(TORCH_ACTIVATIONS)))()


def _rows(random):
    from torch import nn

    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            width = int(random.integers(3, 9))
            self.first = nn.Linear(5, width)
            self.blocks = nn.ModuleList(
                nn.Sequential(
                    nn.Linear(width, width, bias=bool(random.integers(2))),
                    nn.BatchNorm1d(width) if random.integers(2) else nn.LayerNorm(width),
                    _torch_activation(random),
                    nn.Dropout(0.2),
                )
                for _ in range(int(random.integers(1, 4)))
            )
            self.gate = nn.Linear(width, width)
            self.last = nn.Linear(2 * width, 3)

        def forward(self, x):
            import torch

            x = self.first(x)
            for block in self.blocks:
                x = x + block(x)
            gated = torch.sigmoid(self.gate(x)) * x
            return torch.softmax(self.last(torch.cat([x, 0.5 * gated - 1], dim=-1)), dim=1)

    return Rows(), (random.standard_normal((4, 5), np.float32),)


def _images(random):
    return _convolutions(random, 2), (random.standard_normal((4, 3, 8, 8), np.float32),)


def _signals(random):
    return _convolutions(random, 1), (random.standard_normal((4, 3, 12), np.float32),)


def _convolutions(random, spatial: int):
    import torch
    from torch import nn

    conv, norm, most, mean, one = (
        getattr(nn, f"{name}{spatial}d")
        for name in ("Conv", "BatchNorm", "MaxPool", "AvgPool", "AdaptiveAvgPool")
    )

    class Convolutions(nn.Module):
        def __init__(self):
            super().__init__()
            width = 4 * int(random.integers(1, 3))
            self.first = conv(3, width, 3, padding=1, bias=bool(random.integers(2)))
            self.norm = norm(width)
            self.activation = _torch_activation(random)
            self.depth = conv(width, width, 3, padding="same", groups=width)
            self.point = conv(width, width, 1)
            self.pool = most(2) if random.integers(2) else mean(3, stride=2, padding=1)
            self.wide = conv(width, 6, 3, dilation=2, padding=2, groups=2)
            self.flat = bool(random.integers(2))
            self.one = one(1)
            self.last = nn.LazyLinear(3)

        def forward(self, x):
            x = self.activation(self.norm(self.first(x)))
            x = self.pool(x + self.point(self.depth(x)))
            x = self.wide(x)
            x = x.flatten(1) if self.flat else self.one(x).view(x.shape[0], -1)
            return self.last(x)

    model = Convolutions()
    model(torch.zeros(2, 3, *[12 if spatial == 1 else 8] * spatial))
    return model


def _steps(random):
    from torch import nn

    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            both = bool(random.integers(2))
            kind = nn.LSTM if random.integers(2) else nn.GRU
            self.first = kind(
                4, 5, num_layers=int(random.integers(1, 3)), batch_first=True, bidirectional=both
            )
            self.second = nn.GRU(10 if both else 5, 4, batch_first=True)
            self.end = int(random.integers(3))
            self.last = nn.Linear(4, 2)

        def forward(self, x):
            steps, _ = self.first(x)
            steps, state = self.second(steps)
            if self.end == 0:
                return self.last(steps[:, -1])
            return self.last(state[-1] if self.end == 1 else steps.mean(dim=1))

    return Steps(), (random.standard_normal((4, 6, 4), np.float32),)


def _tokens(random):
    from torch import nn

    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, 8)
            self.encoder = nn.TransformerEncoderLayer(
                8, 2, 12, 0.1, str(random.choice(["relu", "gelu"])), batch_first=True,
                norm_first=bool(random.integers(2)),
            )  # fmt: skip
            self.cross = nn.MultiheadAttention(
                8, 4, bias=bool(random.integers(2)), batch_first=True
            )
            self.norm = nn.LayerNorm(8)
            self.last = nn.Linear(8, 3)

        def forward(self, tokens):
            x = self.encoder(self.embedding(tokens))
            mixed, _ = self.cross(self.norm(x), x, x, need_weights=False)
            return self.last((x + mixed).mean(1))

    return Tokens(), (random.integers(0, 11, (4, 5)),)


_TORCH = {
    "rows": _rows, "images": _images, "signals": _signals, "steps": _steps, "tokens": _tokens,
}  # fmt: skip


def keras_model(seed: int, name: str = "keras"):
    """A model of either Keras with statistics that are not 0 and 1, and example inputs."""
    keras = import_module(name)
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    model, example = _KERAS[FAMILIES[seed % len(FAMILIES)]](keras, keras.layers, random)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model, example


def _keras_rows(keras, k, random):
    inputs = keras.Input((5,), name="x")
    width = int(random.integers(3, 9))
    x = k.Dense(width)(inputs)
    for _ in range(int(random.integers(1, 4))):
        y = k.Dense(width, use_bias=bool(random.integers(2)))(x)
        y = k.BatchNormalization()(y) if random.integers(2) else k.LayerNormalization()(y)
        y = k.Activation(_keras_activation(keras, random))(y)
        x = k.Add()([x, k.Dropout(0.2)(y)])
    gated = k.Multiply()([k.Dense(width, activation="sigmoid")(x), x])
    x = k.Concatenate()([x, k.Subtract()([gated, x]), gated * 0.5 - 1.0])
    model = keras.Model(inputs, k.Dense(3, activation="softmax")(x))
    return model, (random.standard_normal((4, 5), np.float32),)


def _keras_images(keras, k, random):
    inputs = keras.Input((9, 8, 3), name="x")
    x = k.Rescaling(0.5, offset=-0.25)(inputs)
    padding = str(random.choice(["same", "valid"]))
    activation = _keras_activation(keras, random)
    x = k.Conv2D(4, 3, strides=int(random.integers(1, 3)), padding=padding)(x)
    x = k.Activation(activation)(k.BatchNormalization()(x))
    x = k.Add()([x, k.DepthwiseConv2D(3, padding="same", use_bias=False)(x)])
    x = k.SeparableConv2D(6, 3, padding="same", activation="relu")(k.ZeroPadding2D(1)(x))
    x = k.MaxPooling2D(2)(x) if random.integers(2) else k.AveragePooling2D(2)(x)
    x = k.Concatenate()([x, k.Conv2D(2, 1, groups=2)(x)])
    x = k.Flatten()(x) if random.integers(2) else k.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, k.Dense(3)(k.Dropout(0.1)(x)))
    return model, (random.standard_normal((4, 9, 8, 3), np.float32),)


def _keras_signals(keras, k, random):
    layers = [
        keras.Input((12, 3), name="x"),
        k.Conv1D(4, 3, padding="causal", dilation_rate=2),
        k.BatchNormalization(),
        k.LeakyReLU() if random.integers(2) else k.ReLU(max_value=6),
        k.DepthwiseConv1D(3, depth_multiplier=2, padding="same"),
        k.MaxPooling1D(2) if random.integers(2) else k.AveragePooling1D(2),
        k.SeparableConv1D(5, 3, padding="same", activation=_keras_activation(keras, random)),
        k.GlobalMaxPooling1D() if random.integers(2) else k.Flatten(),
        k.Dense(2),
    ]
    return keras.Sequential(layers), (random.standard_normal((4, 12, 3), np.float32),)


def _keras_steps(keras, k, random):
    inputs = keras.Input((6, 4), name="x")
    kind = k.LSTM if random.integers(2) else k.GRU
    both = bool(random.integers(2))
    x = k.Dense(5, activation="tanh")(inputs)
    steps = kind(3 if both else 6, return_sequences=True)
    x = k.Bidirectional(steps)(x) if both else steps(x)
    x = k.GRU(4)(x) if random.integers(2) else k.LSTM(4, go_backwards=True)(x)
    model = keras.Model(inputs, k.Dense(2)(x))
    return model, (random.standard_normal((4, 6, 4), np.float32),)


def _keras_tokens(keras, k, random):
    inputs = keras.Input((5,), dtype="int64", name="x")
    x = k.Embedding(11, 8)(inputs)
    attend = k.MultiHeadAttention(2, int(random.integers(2, 5)), use_bias=bool(random.integers(2)))
    x = k.LayerNormalization(epsilon=1e-5)(k.Add()([x, attend(x, x)]))
    fed = k.Dense(8)(k.Dense(12, activation=str(random.choice(["gelu", "relu"])))(x))
    x = k.Add()([x, k.Dropout(0.1)(fed)])
    x = k.GlobalAveragePooling1D()(x) if random.integers(2) else k.Reshape((40,))(x)
    return keras.Model(inputs, k.Dense(3)(x)), (random.integers(0, 11, (4, 5)),)


def _keras_activation(keras, random) -> str:
    """One that the Keras has; ``hard_sigmoid`` is another function in tf_keras."""
    known = [n for n in KERAS_ACTIVATIONS if hasattr(keras.activations, n)]
    if keras.__name__ == "tf_keras":
        known.remove("hard_sigmoid")
    return str(random.choice(known))


_KERAS = {
    "rows": _keras_rows, "images": _keras_images, "signals": _keras_signals,
    "steps": _keras_steps, "tokens": _keras_tokens,
}  # fmt: skip
