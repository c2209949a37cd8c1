"""Print what a step of training costs in the JVM beside PyTorch: ``python training_step.py``.

Three convolutions on 16 images of 64 by 64, and an MLP of 784-1024-1024-10 on 256 rows, plain
gradient descent, one thread each, in turns. Needs the engine ``jvm:dl4j`` and PyTorch.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from interleaved import print_ratio, print_table, take_turns

from sealane.bundle.network import Layer, Network, NetworkInput, NetworkOutput
from sealane.bundle.network_weights import write_weights
from sealane.core import DType
from sealane.jvm.process import start

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = 0.01
ROUNDS = 20
LOSS = "CATEGORICAL_CROSS_ENTROPY_LOGITS"


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    start("dl4j")
    nn = torch.nn
    images = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )
    _compare("3 convolutions, 16 images", images, (16, 3, 64, 64))
    rows = nn.Sequential(
        nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)
    )
    _compare("MLP 784-1024-1024-10, 256 rows", rows, (256, 784))


def _compare(title: str, model: torch.nn.Sequential, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    target = rng.integers(0, 10, shape[0])
    with ExitStack() as opened:
        ours = _sealane(model, x, target, opened)
        contestants = {"PyTorch": _torch(model, x, target), "Sealane": ours}
        times = take_turns(contestants, rounds=ROUNDS, calls=1)
    print_table(f"{title}: one step, us", times)
    print_ratio("Sealane over PyTorch (at most 3)", times, "Sealane", "PyTorch")


def _torch(model: torch.nn.Module, x: Any, target: Any) -> Callable[[], object]:
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    given, wanted = torch.tensor(x), torch.tensor(target)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(given), wanted).backward()
        optimizer.step()

    return step


def _network(model: torch.nn.Sequential, dims: tuple[int, ...]) -> tuple[Network, dict[str, Any]]:
    """The layers of a sequential model; a flattening after global pooling is none."""
    weights: dict[str, Any] = {}
    layers: list[Layer] = []
    source = "x"
    for index, module in enumerate(model):
        name = f"layer{index}"
        roles = {role: f"{name}.{role}" for role in dict(module.named_parameters())}
        weights |= {
            f"{name}.{role}": value.detach().numpy().copy()
            for role, value in module.named_parameters()
        }
        if isinstance(module, torch.nn.Conv2d):
            once = (1, 1)
            attributes: dict[str, Any] = {
                "strides": once, "dilations": once, "pads": (1, 1, 1, 1), "groups": 1,
            }  # fmt: skip
            layers.append(Layer(name, "conv", (source,), attributes, roles))
        elif isinstance(module, torch.nn.Linear):
            layers.append(Layer(name, "dense", (source,), {}, roles))
        elif isinstance(module, torch.nn.ReLU):
            layers.append(Layer(name, "activation", (source,), {"function": "relu"}, {}))
        elif isinstance(module, torch.nn.MaxPool2d):
            window = {"kernel": (2, 2), "strides": (2, 2), "pads": (0, 0, 0, 0)}
            layers.append(Layer(name, "max_pool", (source,), window, {}))
        elif isinstance(module, torch.nn.AdaptiveAvgPool2d):
            layers.append(Layer(name, "global_average_pool", (source,), {}, {}))
        else:
            continue
        source = name
    given = NetworkInput("x", DType.FP32, ("batch", *dims))
    return Network((given,), tuple(layers), (NetworkOutput("y", source),)), weights


def _sealane(
    model: torch.nn.Sequential, x: Any, target: Any, opened: ExitStack
) -> Callable[[], object]:
    import jpype

    network, weights = _network(model, x.shape[1:])
    reader = jpype.JClass("io.sealane.bundle.NetworkFormat")
    settings = jpype.JClass("io.sealane.training.spi.TrainingSettings")
    loss = jpype.JClass("io.sealane.bundle.network.Loss")
    kind = jpype.JClass("io.sealane.bundle.network.Loss$Kind").valueOf(LOSS)
    optimizer = jpype.JClass("io.sealane.bundle.network.Optimizer$Sgd")(RATE)
    engine = jpype.JClass("io.sealane.runtime.dl4j.Dl4jTrainingEngine")()
    frozen = jpype.JClass("java.util.HashSet")()
    session = engine.open(
        reader.network(_bytes(network.to_json()), "bench"),
        reader.weights(_bytes(write_weights(network, weights)), "bench"),
        settings(optimizer, loss(kind, "y"), frozen, 0, 1),
    )
    given, wanted = _tensor(x, "FP32"), _tensor(target, "INT64")
    for each in (session, given, wanted):
        opened.callback(each.close)
    inputs = jpype.JClass("java.util.HashMap")()
    inputs.put("x", given)
    return lambda: session.step(inputs, wanted)


def _bytes(data: bytes) -> Any:
    import jpype

    return jpype.JArray(jpype.JByte)(data)


def _tensor(values: Any, dtype: str) -> Any:
    import jpype

    shape = jpype.JClass("io.sealane.core.Shape").of(jpype.JArray(jpype.JLong)(values.shape))
    kind = jpype.JClass("io.sealane.core.DataType").valueOf(dtype)
    tensor = jpype.JClass("io.sealane.core.Tensor").allocate(kind, shape)
    np.frombuffer(memoryview(tensor.buffer()), values.dtype)[:] = values.reshape(-1)
    return tensor


if __name__ == "__main__":
    main()
