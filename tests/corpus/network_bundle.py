"""The good bundle with a network: features, layers, and a training trace that is exact in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from corpus import bases
from onnx import helper

from sealane.bundle import ArtifactDraft, Bindings, BundleDraft, GoldenCase, Verdict
from sealane.bundle.network import Layer, Network, NetworkInput, NetworkOutput, Weights
from sealane.bundle.network_onnx import network_to_onnx
from sealane.bundle.network_weights import write_weights
from sealane.bundle.safetensors import write_safetensors
from sealane.bundle.training_trace import (
    Loss,
    Optimizer,
    RecordedTrace,
    TraceStep,
    TraceTolerance,
    digest,
)
from sealane.core import DType, Signature, TensorSpec

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

NAME = "network"
ROWS, STEPS, RATE = 4, 3, 0.125
LINEAR = TensorSpec("scores", DType.FP32, ("batch", 4), "logits")
SIGNATURE = Signature((bases.FEATURES,), (LINEAR,), bases.BATCH)
NETWORK = Network(
    (NetworkInput("x", DType.FP32, ("batch", 4)),),
    (Layer("linear", "dense", ("x",), {}, {"weight": "linear.weight", "bias": "linear.bias"}),),
    (NetworkOutput("y", "linear"),),
)
WEIGHTS = {"linear.weight": bases.eighths(21, 4, 4), "linear.bias": bases.eighths(22, 4)}


def features() -> onnx.ModelProto:
    """Halves the raw column."""
    half = bases.tensor("half", np.float32(0.5))
    node = helper.make_node("Mul", ["features", "half"], ["x"], name="x")
    scaled = TensorSpec("x", DType.FP32, ("batch", 4))
    made = bases.model([node], [bases.value(bases.FEATURES)], [bases.value(scaled)], [half])
    made.ir_version = 9
    return made


def trace() -> RecordedTrace:
    """Three steps of gradient descent, every number a sum of few powers of two."""
    weight, bias = (WEIGHTS[name].astype(np.float64) for name in NETWORK.weight_names())
    start = weight.copy(), bias.copy()
    batches, steps = {}, []
    for index in range(STEPS):
        x = bases.eighths(30 + index, ROWS, 4)
        target = bases.eighths(40 + index, ROWS, 4)
        batches |= {f"step{index}:input:x": x, f"step{index}:target": target}
        error = x.astype(np.float64) @ weight.T + bias - target
        slope = error * (2 / error.size)
        gradients = {"linear.weight": slope.T @ x, "linear.bias": slope.sum(0)}
        weight = weight - RATE * gradients["linear.weight"]
        bias = bias - RATE * gradients["linear.bias"]
        moved = {"linear.weight": weight - start[0], "linear.bias": bias - start[1]}
        steps.append(
            TraceStep(
                float(np.mean(error * error)),
                {name: digest(value) for name, value in gradients.items()},
                {name: digest(value) for name, value in moved.items()},
            )
        )
    return RecordedTrace(
        Optimizer("sgd", RATE),
        Loss("mean_squared_error", "y"),
        (),
        tuple(steps),
        TraceTolerance(1e-6, 1e-6, 1e-5),
        batches,
    )


def network_draft(folder: Path) -> BundleDraft:
    """ONNX and the network that it was made of."""
    program = features()
    source = folder / "network"
    source.mkdir()
    recorded = trace()
    (source / "network.json").write_bytes(NETWORK.to_json())
    (source / "weights.safetensors").write_bytes(write_weights(NETWORK, WEIGHTS))
    (source / "features.onnx").write_bytes(program.SerializeToString(deterministic=True))
    (source / "training.json").write_bytes(recorded.to_json())
    (source / "training.safetensors").write_bytes(write_safetensors(recorded.batches))
    bindings = Bindings({"features": "features"}, {"scores": "y"})
    second = ArtifactDraft(
        "dl4j", "dl4j", "optional", source, bindings, "fp32", Verdict.WITHIN_ORACLE
    )
    first = bases.onnx_draft(folder, network_to_onnx(NETWORK, WEIGHTS, NAME, program), bindings)
    cases = (_case("batch-1", 1, 51), _case("batch-5", 5, 52))
    return BundleDraft(
        name=NAME,
        version="1.0.0",
        signature=SIGNATURE,
        artifacts=(first, second),
        golden=cases,
        certificate=bases.certificate(["onnx", "dl4j"], cases),
        created_at=bases.CREATED_AT,
    )


def mlp_network() -> tuple[Network, Weights]:
    """The model of the bundle ``mlp`` as a network."""
    layers = (
        Layer("hidden", "dense", ("features",), {}, {"weight": "w0", "bias": "b0"}),
        Layer("positive", "activation", ("hidden",), {"function": "relu"}, {}),
        Layer("result", "dense", ("positive",), {}, {"weight": "w1", "bias": "b1"}),
    )
    network = Network(
        (NetworkInput("features", DType.FP32, ("batch", 4)),),
        layers,
        (NetworkOutput("scores", "result"),),
    )
    weights = {
        "w0": np.ascontiguousarray(bases.HIDDEN_WEIGHT.T),
        "b0": bases.HIDDEN_BIAS,
        "w1": np.ascontiguousarray(bases.OUTPUT_WEIGHT.T),
        "b1": bases.OUTPUT_BIAS,
    }
    return network, weights


def mlp_variant(folder: Path) -> ArtifactDraft:
    """The dl4j variant of the bundle ``mlp``'s model."""
    network, weights = mlp_network()
    source = folder / "network"
    source.mkdir()
    (source / "network.json").write_bytes(network.to_json())
    (source / "weights.safetensors").write_bytes(write_weights(network, weights))
    bindings = Bindings({"features": "features"}, {"scores": "scores"})
    return ArtifactDraft(
        "dl4j", "dl4j", "optional", source, bindings, "fp32", Verdict.WITHIN_ORACLE
    )


def _case(name: str, rows: int, seed: int) -> GoldenCase:
    given = bases.eighths(seed, rows, 4)
    exact = given.astype(np.float64) / 2 @ WEIGHTS["linear.weight"].T + WEIGHTS["linear.bias"]
    return GoldenCase(
        name,
        "rows",
        rows,
        {"features": given},
        {"scores": exact.astype(np.float32)},
        {"scores": exact},
    )
