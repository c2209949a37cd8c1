"""Thirty drawn models as networks: the network's ONNX is within the float64 framework's oracle."""

from __future__ import annotations

import onnxruntime
import pytest
from python.export.network.architectures import keras_model, torch_model

from sealane.bundle import Verdict, compare_output, judge
from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.network_onnx import network_to_onnx
from sealane.bundle.network_parser import parse_network
from sealane.bundle.network_weights import read_weights, write_weights
from sealane.core import DType
from sealane.export.preparation import Wanted, prepare


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("make", [torch_model, keras_model], ids=["torch", "keras"])
def test_drawn_model_is_within_the_oracle(make, seed):
    model, example = make(seed)
    prepared = prepare(model, example, Wanted())
    built = prepared.source.to_network(prepared.bare)
    network = parse_network(built.network.to_json(), DEFAULT_LIMITS, "network.json")
    assert network == built.network
    weights = read_weights(write_weights(network, built.weights), DEFAULT_LIMITS, "weights")
    proto = network_to_onnx(network, weights, "drawn")
    session = onnxruntime.InferenceSession(proto.SerializeToString(deterministic=True))
    names = [built.outputs[spec.name] for spec in prepared.bare.outputs]
    for rows in (1, 5):
        inputs = prepared.contract.draw({prepared.contract.batch: rows}, seed)
        values = session.run(names, {built.inputs[name]: each for name, each in inputs.items()})
        source, oracle = prepared.run(inputs), prepared.oracle.run(inputs)
        metrics = [
            compare_output(value, source[spec.name], oracle[spec.name], DType.FP32, spec.name)
            for spec, value in zip(prepared.bare.outputs, values, strict=True)
        ]
        assert judge(metrics) is Verdict.WITHIN_ORACLE, metrics
