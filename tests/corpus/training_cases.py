"""Training runs of PyTorch and Keras: 50 steps, their batches, losses and final weights.

``python tests/corpus/training_cases.py`` writes ``tests/conformance/training``; it needs both
frameworks and is not part of ``regenerate.py``, for the last bits depend on their versions.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "python")]

import numpy as np  # noqa: E402

from sealane.bundle.network import Layer, Network, NetworkInput, NetworkOutput  # noqa: E402
from sealane.bundle.network_weights import write_weights  # noqa: E402
from sealane.bundle.safetensors import write_safetensors  # noqa: E402
from sealane.bundle.training_trace import (  # noqa: E402
    Loss,
    Optimizer,
    TraceStep,
    TraceTolerance,
    TrainingTrace,
    digest,
)
from sealane.core import DType  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import keras
    import torch

Array = np.ndarray[Any, np.dtype[Any]]
STEPS = 50
ROWS = 8
OPTIMIZERS = ("sgd", "nesterov", "adam")
TOLERANCE = TraceTolerance(1e-5, 1e-4, 1e-4)


@dataclass(frozen=True, slots=True)
class Task:
    """What is learned: a network, and batches of its input and target."""

    network: Network
    loss: str
    batches: tuple[tuple[Array, Array], ...]


@dataclass(slots=True)
class Run:
    """What a framework did: weights by name before and after, losses, gradients by step."""

    before: dict[str, Array]
    after: dict[str, Array] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    gradients: list[dict[str, Array]] = field(default_factory=list)
    moved: list[dict[str, Array]] = field(default_factory=list)


def _layer(name: str, op: str, source: str, *roles: str, **attributes: Any) -> Layer:
    return Layer(name, op, (source,), attributes, {role: f"{name}.{role}" for role in roles})


def _normal(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _batches(shape: tuple[int, ...], classes: int) -> tuple[tuple[Array, Array], ...]:
    rng = np.random.default_rng(7)
    return tuple(
        (_normal(100 + step, ROWS, *shape), rng.integers(0, classes, ROWS)) for step in range(STEPS)
    )


def mlp() -> Task:
    """Two hidden layers, class indices as targets."""
    layers = (
        _layer("one", "dense", "x", "weight", "bias"),
        _layer("bend", "activation", "one", function="tanh"),
        _layer("two", "dense", "bend", "weight", "bias"),
        _layer("cut", "activation", "two", function="relu"),
        _layer("three", "dense", "cut", "weight", "bias"),
    )
    network = Network(
        (NetworkInput("x", DType.FP32, ("batch", 6)),), layers, (NetworkOutput("y", "three"),)
    )
    return Task(network, "categorical_cross_entropy_logits", _batches((6,), 3))


def cnn(momentum: float, *, unbiased: bool) -> Task:
    """Convolutions with batch normalisation, pooling and a classifier."""
    window = {"strides": (1, 1), "dilations": (1, 1), "pads": (1, 1, 1, 1), "groups": 1}
    norm = {"epsilon": 1e-3, "momentum": momentum, "unbiased": unbiased}
    statistics = ("scale", "offset", "mean", "variance")
    layers = (
        _layer("conv", "conv", "x", "weight", **window),
        _layer("norm", "batch_norm", "conv", *statistics, **norm),
        _layer("cut", "activation", "norm", function="relu"),
        _layer("pool", "max_pool", "cut", kernel=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0)),
        _layer("conv2", "conv", "pool", "weight", **window),
        _layer("norm2", "batch_norm", "conv2", *statistics, **norm),
        _layer("cut2", "activation", "norm2", function="relu"),
        _layer("mean", "global_average_pool", "cut2"),
        _layer("head", "dense", "mean", "weight", "bias"),
    )
    network = Network(
        (NetworkInput("x", DType.FP32, ("batch", 2, 8, 8)),), layers, (NetworkOutput("y", "head"),)
    )
    return Task(network, "categorical_cross_entropy_logits", _batches((2, 8, 8), 3))


def transformer() -> Task:
    """One encoder block, normalised before, and a linear head on every step's mean squares."""
    attention = Layer(
        "attention",
        "attention",
        ("norm", "norm", "norm"),
        {"heads": 2},
        {
            f"{part}_{role}": f"attention.{part}.{role}"
            for part in ("query", "key", "value", "output")
            for role in ("weight", "bias")
            if (part, role) != ("key", "bias")
        },
    )
    layers = (
        _layer("norm", "layer_norm", "x", "scale", "offset", epsilon=1e-5),
        attention,
        Layer("sum", "add", ("x", "attention"), {}, {}),
        _layer("norm2", "layer_norm", "sum", "scale", "offset", epsilon=1e-5),
        _layer("wide", "dense", "norm2", "weight", "bias"),
        _layer("gelu", "activation", "wide", function="gelu"),
        _layer("narrow", "dense", "gelu", "weight", "bias"),
        Layer("sum2", "add", ("sum", "narrow"), {}, {}),
        _layer("head", "dense", "sum2", "weight", "bias"),
    )
    network = Network(
        (NetworkInput("x", DType.FP32, ("batch", "time", 8)),),
        layers,
        (NetworkOutput("y", "head"),),
    )
    batches = tuple(
        (_normal(200 + step, 4, 5, 8), _normal(300 + step, 4, 5, 2)) for step in range(STEPS)
    )
    return Task(network, "mean_squared_error", batches)


def optimizer_of(kind: str, framework: str) -> Optimizer:
    """Settings that learn something in 50 steps."""
    if kind == "adam":
        form = "corrected" if framework == "torch" else "uncorrected"
        return Optimizer(
            "adam", 0.003, None, 0.9, 0.999, 1e-8 if framework == "torch" else 1e-7, form
        )
    return Optimizer(kind, 0.05, 0.9 if kind == "nesterov" else None)


class Torch:
    """A model of PyTorch, its parameters by the network's names."""

    def __init__(self, task: Task, model: torch.nn.Module, names: Mapping[str, str]) -> None:
        self.task, self.model = task, model
        self.names = names

    def weights(self) -> dict[str, Array]:
        """Copies by the network's names."""
        state = self.model.state_dict()
        found = {}
        for name, key in self.names.items():
            part, _, piece = key.partition("#")
            value = state[part].numpy()
            found[name] = np.array(np.split(value, 3)[int(piece)] if piece else value)
        return found

    def run(self, optimizer: Optimizer) -> Run:
        """50 steps."""
        import torch

        parameters = list(self.model.parameters())
        rate = optimizer.learning_rate
        if optimizer.kind == "adam":
            chosen: torch.optim.Optimizer = torch.optim.Adam(parameters, rate)
        else:
            nesterov = optimizer.kind == "nesterov"
            chosen = torch.optim.SGD(
                parameters, rate, momentum=optimizer.momentum or 0.0, nesterov=nesterov
            )
        squares = self.task.loss == "mean_squared_error"
        measure = torch.nn.functional.mse_loss if squares else torch.nn.functional.cross_entropy
        self.model.train()
        run = Run(self.weights())
        for x, target in self.task.batches:
            chosen.zero_grad()
            loss = measure(self.model(torch.tensor(x)), torch.tensor(target))
            loss.backward()
            run.losses.append(float(loss))
            run.gradients.append(self._gradients())
            chosen.step()
            now = self.weights()
            run.moved.append({n: now[n].astype(np.float64) - run.before[n] for n in now})
        run.after = self.weights()
        return run

    def _gradients(self) -> dict[str, Array]:
        parameters = dict(self.model.named_parameters())
        found = {}
        for name, key in self.names.items():
            part, _, piece = key.partition("#")
            if part in parameters:
                gradient = parameters[part].grad
                assert gradient is not None
                value = gradient.numpy()
                found[name] = np.array(np.split(value, 3)[int(piece)] if piece else value)
        return found


def torch_mlp() -> Torch:
    """`mlp` in PyTorch."""
    import torch

    torch.manual_seed(1)
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 10), nn.ReLU(), nn.Linear(10, 3)
    )
    names = {
        f"{layer}.{role}": f"{index}.{role}"
        for layer, index in (("one", 0), ("two", 2), ("three", 4))
        for role in ("weight", "bias")
    }
    return Torch(mlp(), model, names)


_NORM = {"scale": "weight", "offset": "bias", "mean": "running_mean", "variance": "running_var"}


def torch_cnn() -> Torch:
    """`cnn` in PyTorch."""
    import torch

    torch.manual_seed(2)
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4, eps=1e-3, momentum=0.1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6, eps=1e-3, momentum=0.1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    )
    names = {"conv.weight": "0.weight", "conv2.weight": "4.weight"}
    names |= {f"head.{role}": f"9.{role}" for role in ("weight", "bias")}
    for layer, index in (("norm", 1), ("norm2", 5)):
        names |= {f"{layer}.{role}": f"{index}.{key}" for role, key in _NORM.items()}
    return Torch(cnn(0.1, unbiased=True), model, names)


def torch_transformer() -> Torch:
    """`transformer` in PyTorch."""
    import torch

    torch.manual_seed(3)
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
            self.attention = nn.ModuleDict(
                {
                    "query": nn.Linear(8, 8),
                    "key": nn.Linear(8, 8, bias=False),
                    "value": nn.Linear(8, 8),
                    "output": nn.Linear(8, 8),
                }
            )
            self.wide, self.narrow, self.head = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            at = self.norm(x)
            parts = [
                self.attention[part](at).unflatten(2, (2, 4)).transpose(1, 2)
                for part in ("query", "key", "value")
            ]
            seen = nn.functional.scaled_dot_product_attention(*parts)
            x = x + self.attention["output"](seen.transpose(1, 2).flatten(2))
            return self.head(x + self.narrow(nn.functional.gelu(self.wide(self.norm2(x)))))

    model = Block()
    names = {}
    for key in model.state_dict():
        layer, _, role = key.rpartition(".")
        fixed = {"weight": "scale", "bias": "offset"}[role] if layer.startswith("norm") else role
        names[f"{layer}.{fixed}"] = key
    return Torch(transformer(), model, names)


class Keras:
    """A model of Keras, its variables by the network's names, in the network's layouts."""

    def __init__(self, task: Task, model: keras.Model, *, images: bool) -> None:
        self.task, self.model, self.images = task, model, images

    def _named(self, variables: list[Any], values: list[Any]) -> dict[str, Array]:
        roles = {
            "kernel": "weight", "gamma": "scale", "beta": "offset",
            "moving_mean": "mean", "moving_variance": "variance",
        }  # fmt: skip
        named = {}
        for variable, value in zip(variables, values, strict=True):
            layer, role = variable.path.split("/")[-2:]
            array = np.array(value)
            if role == "kernel":
                array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
            named[f"{layer}.{roles.get(role, role)}"] = np.ascontiguousarray(array)
        return named

    def weights(self) -> dict[str, Array]:
        """Copies by the network's names."""
        return self._named(self.model.weights, [each.numpy() for each in self.model.weights])

    def run(self, optimizer: Optimizer) -> Run:
        """50 steps."""
        import keras
        import tensorflow as tf

        rate = optimizer.learning_rate
        if optimizer.kind == "adam":
            chosen: keras.optimizers.Optimizer = keras.optimizers.Adam(rate)
        else:
            nesterov = optimizer.kind == "nesterov"
            chosen = keras.optimizers.SGD(rate, optimizer.momentum or 0.0, nesterov=nesterov)
        measure = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        run = Run(self.weights())
        variables = self.model.trainable_variables
        for x, target in self.task.batches:
            given = x.transpose(0, 2, 3, 1) if self.images else x
            with tf.GradientTape() as tape:
                loss = measure(target, self.model(given, training=True))
            gradients = tape.gradient(loss, [each.value for each in variables])
            chosen.apply(gradients, variables)
            run.losses.append(float(loss))
            run.gradients.append(self._named(variables, [each.numpy() for each in gradients]))
            now = self.weights()
            run.moved.append({n: now[n].astype(np.float64) - run.before[n] for n in now})
        run.after = self.weights()
        return run


def keras_mlp() -> Keras:
    """`mlp` in Keras."""
    import keras

    keras.utils.set_random_seed(4)
    dense = keras.layers.Dense
    model = keras.Sequential(
        [
            keras.Input((6,)),
            dense(12, "tanh", name="one"),
            dense(10, "relu", name="two"),
            dense(3, name="three"),
        ]
    )
    return Keras(mlp(), model, images=False)


def keras_cnn() -> Keras:
    """`cnn` in Keras: momentum 0.9 keeps nine parts of ten, and the variance divides by N."""
    import keras

    keras.utils.set_random_seed(5)
    kl = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            kl.Conv2D(4, 3, padding="same", use_bias=False, name="conv"),
            kl.BatchNormalization(momentum=0.9, epsilon=1e-3, name="norm"),
            kl.ReLU(),
            kl.MaxPooling2D(2),
            kl.Conv2D(6, 3, padding="same", use_bias=False, name="conv2"),
            kl.BatchNormalization(momentum=0.9, epsilon=1e-3, name="norm2"),
            kl.ReLU(),
            kl.GlobalAveragePooling2D(),
            kl.Dense(3, name="head"),
        ]
    )
    return Keras(cnn(0.1, unbiased=False), model, images=True)


MODELS: dict[str, Callable[[], Torch | Keras]] = {
    "torch-mlp": torch_mlp,
    "torch-cnn": torch_cnn,
    "torch-transformer": torch_transformer,
    "keras-mlp": keras_mlp,
    "keras-cnn": keras_cnn,
}


def _steps(run: Run) -> Iterator[TraceStep]:
    for loss, gradients, moved in zip(run.losses, run.gradients, run.moved, strict=True):
        yield TraceStep(
            loss,
            {name: digest(value) for name, value in gradients.items()},
            {name: digest(value) for name, value in moved.items()},
        )


def write(target: Path) -> None:
    """Write every model with every optimizer into ``target``."""
    for name, make in MODELS.items():
        for kind in OPTIMIZERS:
            model = make()
            task = model.task
            optimizer = optimizer_of(kind, name.partition("-")[0])
            run = model.run(optimizer)
            folder = target / f"{name}-{kind}"
            folder.mkdir(parents=True, exist_ok=True)
            batches = {f"step{i}:input:x": x for i, (x, _) in enumerate(task.batches)}
            batches |= {f"step{i}:target": y for i, (_, y) in enumerate(task.batches)}
            trace = TrainingTrace(
                optimizer, Loss(task.loss, "y"), (), tuple(_steps(run)), TOLERANCE, batches
            )
            (folder / "network.json").write_bytes(task.network.to_json())
            (folder / "weights.safetensors").write_bytes(write_weights(task.network, run.before))
            (folder / "trained.safetensors").write_bytes(write_weights(task.network, run.after))
            (folder / "training.json").write_bytes(trace.to_json())
            (folder / "training.safetensors").write_bytes(write_safetensors(batches))


if __name__ == "__main__":
    write(HERE.parent / "conformance" / "training")
