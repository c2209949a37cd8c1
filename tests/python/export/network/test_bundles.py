"""Bundles with a network: its proof, its bytes, features in front of it."""

from __future__ import annotations

import numpy as np
import onnx
from python.export.network.architectures import keras_model, torch_model

import sealane
from sealane.bundle import Verdict, read_bundle
from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.network_onnx import network_to_onnx
from sealane.bundle.network_parser import parse_network
from sealane.bundle.network_weights import read_weights
from sealane.features import Features, Lookup, Normalize

FORMATS = ("onnx", "dl4j")


def network_of(bundle):
    folder = bundle.path / "variants" / "dl4j"
    network = parse_network((folder / "network.json").read_bytes(), DEFAULT_LIMITS, "network.json")
    data = (folder / "weights.safetensors").read_bytes()
    return network, read_weights(data, DEFAULT_LIMITS, "weights")


def test_torch_model_with_a_network(tmp_path):
    model, example = torch_model(1)
    bundle = sealane.export(model, example, "net", path=tmp_path / "a", formats=FORMATS)
    again = sealane.export(model, example, "net", path=tmp_path / "b", formats=FORMATS)
    assert bundle.manifest.content_id == again.manifest.content_id
    variant = bundle.manifest.variant("dl4j")
    assert variant.path == "variants/dl4j/network.json"
    assert variant.verdict is Verdict.WITHIN_ORACLE
    assert "conv" in variant.requires.ops
    with read_bundle(bundle.path, keep=("dl4j",)) as verified:
        kept = verified.artifact("dl4j").path
        assert sorted(each.name for each in kept.parent.iterdir()) == [
            "network.json", "weights.safetensors",
        ]  # fmt: skip
        runs = {run["variant"]: run for run in verified.certificate["runs"]}
    assert runs["dl4j"]["verdict"] == "within-oracle"


def test_keras_model_with_a_network(tmp_path):
    model, example = keras_model(0)
    bundle = sealane.export(model, example, "net", path=tmp_path / "a", formats=FORMATS)
    network, weights = network_of(bundle)
    assert {layer.op for layer in network.layers} >= {"dense", "add", "multiply", "concat"}
    assert len(weights) == len(network.weight_names())


def test_features_stand_before_the_network(tmp_path):
    import torch

    class Late(torch.nn.Module):
        def __init__(self, cardinality):
            super().__init__()
            self.carrier = torch.nn.Embedding(cardinality, 2)
            self.last = torch.nn.Linear(4, 1)

        def forward(self, numeric, carrier):
            x = torch.cat([numeric, self.carrier(carrier)], dim=1)
            return torch.sigmoid(self.last(x)).squeeze(1)

    rows = {
        "carrier": np.array(["AA", "B6", None, "AA", "ZZ"], object),
        "distance": np.array([1.0, 2.0, 3.0, 4.0, 5.0], np.float32),
        "hour": np.array([5.0, 6.0, 7.0, 8.0, 20.0], np.float32),
    }
    declared = Features({"carrier": Lookup(), "distance": Normalize(), "hour": Normalize()})
    fitted = declared.fit(rows)
    bundle = sealane.export(
        Late(fitted.cardinalities["carrier"]).eval(),
        rows,
        "late",
        path=tmp_path / "a",
        features=fitted,
        formats=FORMATS,
    )
    network, weights = network_of(bundle)
    assert [each.name for each in network.inputs] == ["features/numeric", "features/carrier"]
    data = (bundle.path / "variants/dl4j/features.onnx").read_bytes()
    program = onnx.ModelProto.FromString(data)
    onnx.checker.check_model(program, full_check=True)
    assert program.SerializeToString(deterministic=True) == data
    whole = network_to_onnx(network, weights, "late", program)
    onnx.checker.check_model(whole, full_check=True)
    assert bundle.manifest.variant("dl4j").verdict is Verdict.WITHIN_ORACLE
