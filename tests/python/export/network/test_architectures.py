"""Drawn models as networks: within the float64 oracle, in Python and on the JVM."""

from __future__ import annotations

from functools import partial

import pytest
from python.export.network.architectures import keras_model, torch_model

import sealane
from sealane.bundle import (
    ArtifactDraft,
    Bindings,
    BundleDraft,
    GoldenCase,
    Verdict,
    compare_output,
    judge,
    write_bundle,
)
from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.network_onnx import network_to_onnx
from sealane.bundle.network_parser import parse_network
from sealane.bundle.network_weights import read_weights, write_weights
from sealane.export.preparation import Wanted, prepare

ROWS = (1, 5)


MODELS = {
    "torch": torch_model,
    "keras": keras_model,
    "tf_keras": partial(keras_model, name="tf_keras"),
}
DRAWN = [(name, seed) for name in ("torch", "keras") for seed in range(15)]
DRAWN += [("tf_keras", seed) for seed in range(10, 15)]  # one of each family


def bundle_of(prepared, built, seed, folder):
    """A bundle of the network and of its own ONNX, golden cases from the framework."""
    network = parse_network(built.network.to_json(), DEFAULT_LIMITS, "network.json")
    assert network == built.network
    weights = read_weights(write_weights(network, built.weights), DEFAULT_LIMITS, "weights")
    model = network_to_onnx(network, weights, "drawn")
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    source = folder / "network"
    source.mkdir()
    (source / "network.json").write_bytes(network.to_json())
    (source / "weights.safetensors").write_bytes(write_weights(network, weights))
    bindings = Bindings(built.inputs, built.outputs)
    cases = []
    for rows in ROWS:
        inputs = prepared.contract.draw({prepared.contract.batch: rows}, seed)
        outputs, oracle = prepared.run(inputs), prepared.oracle.run(inputs)
        cases.append(GoldenCase(f"rows-{rows}", "drawn", rows, inputs, outputs, oracle))
    draft = BundleDraft(
        name="drawn",
        version="1.0.0",
        signature=prepared.signature,
        artifacts=tuple(
            ArtifactDraft(kind, kind, role, path, bindings, "fp32", Verdict.WITHIN_ORACLE)
            for kind, role, path in (
                ("onnx", "primary", folder / "model.onnx"),
                ("dl4j", "optional", source),
            )
        ),
        golden=tuple(cases),
    )
    write_bundle(folder / "bundle", draft)
    return folder / "bundle", cases


@pytest.mark.parametrize(("name", "seed"), DRAWN)
def test_drawn_model_is_within_the_oracle(name, seed, tmp_path):
    model, example = MODELS[name](seed)
    prepared = prepare(model, example, Wanted())
    built = prepared.source.to_network(prepared.bare)
    bundle, cases = bundle_of(prepared, built, seed, tmp_path)
    for engine in ("onnx", "jvm:dl4j"):
        with sealane.open(bundle, engine, replay="off") as session:
            for case in cases:
                values = session.run(case.inputs)
                metrics = [
                    compare_output(
                        values[spec.name],
                        case.outputs[spec.name],
                        case.oracle[spec.name],
                        spec.dtype,
                        spec.name,
                    )
                    for spec in prepared.signature.outputs
                ]
                assert judge(metrics) is Verdict.WITHIN_ORACLE, (engine, metrics)
