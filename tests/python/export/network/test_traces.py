"""Golden training traces of PyTorch and Keras: what is recorded, and what can not be."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib import import_module

import numpy as np
import pytest

import sealane
from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.network_parser import parse_network
from sealane.bundle.network_weights import check_network, read_weights
from sealane.bundle.training_trace import Optimizer, largest_difference, moving_weights
from sealane.bundle.training_trace_parser import parse_trace
from sealane.core import ErrorCode, SealaneError
from sealane.export.network import TrainingTrace
from sealane.export.network.trace import record_trace
from sealane.export.preparation import Wanted, prepare

OPTIMIZERS = {
    "sgd": Optimizer("sgd", 0.05),
    "nesterov": Optimizer("nesterov", 0.05, 0.9),
    "adam": Optimizer("adam", 0.01, beta1=0.9, beta2=0.999, epsilon=1e-7),
}
STEPS = 3


def torch_models():
    import torch
    from torch import nn

    torch.manual_seed(3)
    mlp = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.LayerNorm(6), nn.Linear(6, 3))
    cnn = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16, 3),
    )
    return {"mlp": mlp, "cnn": cnn}


def keras_models(name="keras"):
    keras = import_module(name)
    k = keras.layers
    keras.utils.set_random_seed(3)
    mlp = keras.Sequential(
        [
            keras.Input((4,), name="x"),
            k.Dense(6, "tanh", name="first"),
            k.LayerNormalization(name="norm"),
            k.Dense(3, name="last"),
        ]
    )
    cnn = keras.Sequential(
        [
            keras.Input((4, 4, 2), name="x"),
            k.Conv2D(4, 3, padding="same", use_bias=False, name="conv"),
            k.BatchNormalization(name="norm"),
            k.ReLU(name="relu"),
            k.MaxPooling2D(name="pool"),
            k.Flatten(name="flat"),
            k.Dense(3, name="last"),
        ]
    )
    return {"mlp": mlp, "cnn": cnn}


MODELS = {
    "torch": torch_models,
    "keras": keras_models,
    "tf_keras": partial(keras_models, "tf_keras"),
}
RECORDED = [(framework, model) for framework in ("torch", "keras") for model in ("mlp", "cnn")]


def shape_of(framework, model):
    if model == "mlp":
        return (8, 4)
    return (8, 2, 4, 4) if framework == "torch" else (8, 4, 4, 2)


def batches(shape, count=STEPS):
    random = np.random.default_rng(5)
    return [
        ((random.standard_normal(shape, np.float32),), random.integers(0, 3, shape[0]))
        for _ in range(count)
    ]


def recorded(framework, model, optimizer, **members):
    shape = shape_of(framework, model)
    given = batches(shape)
    prepared = prepare(MODELS[framework]()[model], given[0][0], Wanted())
    built = prepared.source.to_network(prepared.bare)
    wanted = TrainingTrace(optimizer, "categorical_cross_entropy_logits", given, **members)
    return record_trace(prepared, built, wanted), built


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize(("framework", "model"), [*RECORDED, ("tf_keras", "mlp")])
def test_training_is_recorded(framework, model, kind):
    """And a planted change of the step size shows in it."""
    trace, built = recorded(framework, model, OPTIMIZERS[kind])
    learned, counted = moving_weights(built.network)
    assert bool(counted) == (model == "cnn")
    assert len(trace.steps) == STEPS
    assert trace.steps[0].gradients.keys() == set(learned)
    assert trace.steps[0].updates.keys() == {*learned, *counted}
    assert trace.steps[-1].updates[learned[0]][0] > 0
    assert trace.tolerance.updates <= 1e-2
    if kind == "adam":
        form = "corrected" if framework == "torch" else "uncorrected"
        assert trace.optimizer.epsilon_form == form
    if kind != "sgd":
        return
    other = replace(OPTIMIZERS[kind], learning_rate=OPTIMIZERS[kind].learning_rate * 1.05)
    changed, _ = recorded(framework, model, other)
    apart, _ = largest_difference(trace.steps[-1].updates, changed.steps[-1].updates)
    assert apart > trace.tolerance.updates


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_two_frameworks_record_the_same_of_the_same_weights(name):
    """Gradient descent from equal weights. Keras holds the epsilon of the norm in float32."""
    import torch

    ours, theirs = torch_models()["mlp"], keras_models(name)["mlp"]
    with torch.no_grad():
        for module, layer in ((ours[0], 0), (ours[3], 2)):
            kernel, bias = theirs.layers[layer].get_weights()
            module.weight.copy_(torch.from_numpy(kernel.T))
            module.bias.copy_(torch.from_numpy(bias))
        ours[2].eps = theirs.layers[1].epsilon
    traces = []
    for model in (ours, theirs):
        given = batches((8, 4))
        prepared = prepare(model, given[0][0], Wanted())
        built = prepared.source.to_network(prepared.bare)
        wanted = TrainingTrace(OPTIMIZERS["sgd"], "categorical_cross_entropy_logits", given)
        traces.append((record_trace(prepared, built, wanted), built.network.weight_names()))
    (a, names), (b, others) = traces
    renamed = dict(zip(names, others, strict=True))
    for left, right in zip(a.steps, b.steps, strict=True):
        assert left.loss == pytest.approx(right.loss, rel=1e-7)
        for digests, found in ((left.gradients, right.gradients), (left.updates, right.updates)):
            same = {name: found[renamed[name]] for name in digests}
            assert largest_difference(digests, same)[0] < 1e-6


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_frozen_layers_stay(framework):
    _, built = recorded(framework, "cnn", OPTIMIZERS["sgd"])
    frozen = tuple(layer.name for layer in built.network.layers if layer.op != "dense")
    trace, _ = recorded(framework, "cnn", OPTIMIZERS["sgd"], frozen=frozen)
    dense = next(layer for layer in built.network.layers if layer.op == "dense")
    assert trace.steps[0].gradients.keys() == set(dense.weights.values())
    assert trace.frozen == frozen


def test_the_trace_lies_in_the_bundle(tmp_path):
    given = batches((8, 4))
    wanted = TrainingTrace(OPTIMIZERS["adam"], "categorical_cross_entropy_logits", given)
    bundle = sealane.export(
        torch_models()["mlp"], given[0][0], "mlp", path=tmp_path / "mlp",
        formats=("onnx", "dl4j"), training_trace=wanted,
    )  # fmt: skip
    folder = bundle.path / "variants" / "dl4j"
    network = parse_network((folder / "network.json").read_bytes(), DEFAULT_LIMITS, "network.json")
    weights = read_weights((folder / "weights.safetensors").read_bytes(), DEFAULT_LIMITS, "w")
    values = check_network(network, weights, DEFAULT_LIMITS, "network.json")
    document = (folder / "training.json").read_bytes()
    arrays = (folder / "training.safetensors").read_bytes()
    trace = parse_trace(document, arrays, network, values, DEFAULT_LIMITS, "training.json")
    assert trace.to_json() == document
    assert len(trace.steps) == STEPS


def refuse(model, example, wanted, said):
    prepared = prepare(model, example, Wanted())
    built = prepared.source.to_network(prepared.bare)
    with pytest.raises(SealaneError) as caught:
        record_trace(prepared, built, wanted)
    assert caught.value.code is ErrorCode.EXPORT_UNSUPPORTED
    assert said in caught.value.message, caught.value.message


def test_what_no_engine_can_repeat_is_refused():
    from torch import nn

    rows = batches((8, 4))
    loss, sgd, adam = "categorical_cross_entropy_logits", OPTIMIZERS["sgd"], OPTIMIZERS["adam"]
    dropping = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1), nn.Linear(4, 3))
    refuse(dropping, rows[0][0], TrainingTrace(sgd, loss, rows), "drops out at random")
    idle = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    refuse(idle, rows[0][0], TrainingTrace(adam, loss, rows), "can not be repeated")
    plain = torch_models()["mlp"]
    refuse(plain, rows[0][0], TrainingTrace(sgd, "hinge", rows), "needs a loss of")
    refuse(plain, rows[0][0], TrainingTrace(sgd, loss, []), "a batch for each")
    refuse(plain, rows[0][0], TrainingTrace(sgd, loss, rows, frozen=("x",)), "no layer")
    form = replace(adam, epsilon_form="uncorrected")
    refuse(plain, rows[0][0], TrainingTrace(form, loss, rows), "'corrected'")


def test_a_fused_normalisation_is_refused():
    """The kernel is tf_keras' for images: in float64 the moving variance has another divisor."""
    rows = batches((8, 4, 4, 2))
    wanted = TrainingTrace(OPTIMIZERS["sgd"], "categorical_cross_entropy_logits", rows)
    refuse(keras_models("tf_keras")["cnn"], rows[0][0], wanted, "norm: TensorFlow's fused kernel")


def test_a_trace_needs_a_network(tmp_path):
    rows = batches((8, 4))
    wanted = TrainingTrace(OPTIMIZERS["sgd"], "categorical_cross_entropy_logits", rows)
    with pytest.raises(SealaneError) as caught:
        sealane.export(
            torch_models()["mlp"], rows[0][0], "m", path=tmp_path / "m", training_trace=wanted
        )
    assert caught.value.code is ErrorCode.EXPORT_UNSUPPORTED
