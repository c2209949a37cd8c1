"""Networks: strict reading, shapes, and the ONNX model that every language writes."""

from __future__ import annotations

import json
import time

import numpy as np
import onnx
import pytest
from corpus.network_recipes import make_network
from corpus.networks import GOOD as DRAFTS
from corpus.networks import SIZES
from corpus.run import CONFORMANCE

from sealane.bundle import Verdict, compare_output, judge
from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.network_onnx import network_to_onnx
from sealane.bundle.network_ops import FUNCTIONS, OPERATORS
from sealane.bundle.network_parser import parse_network
from sealane.bundle.network_weights import check_network, read_weights, write_weights
from sealane.bundle.protobuf_wire import fields
from sealane.bundle.safetensors import read_safetensors
from sealane.core import DType, ErrorCode, SealaneError

GOOD = CONFORMANCE / "networks" / "good"
NAMES = sorted(path.name for path in GOOD.iterdir())
HOSTILE = json.loads((CONFORMANCE / "networks" / "hostile.json").read_bytes())["cases"]
SECONDS = 1.0


def load(name):
    network = parse_network((GOOD / name / "network.json").read_bytes(), DEFAULT_LIMITS, name)
    data = (GOOD / name / "weights.safetensors").read_bytes()
    return network, read_weights(data, DEFAULT_LIMITS, name)


def read_pair(document, weights):
    network = parse_network(document, DEFAULT_LIMITS, "network.json")
    tensors = read_weights(weights, DEFAULT_LIMITS, "weights.safetensors")
    return check_network(network, tensors, DEFAULT_LIMITS, "network.json")


@pytest.mark.parametrize("name", NAMES)
def test_printing_keeps_the_network(name):
    network, weights = load(name)
    data = network.to_json()
    assert parse_network(data, DEFAULT_LIMITS, name) == network
    assert data == parse_network(data, DEFAULT_LIMITS, name).to_json()
    assert write_weights(network, weights) == (GOOD / name / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_onnx_bytes_are_those_of_the_corpus(name):
    model = network_to_onnx(*load(name), name)
    assert model.SerializeToString(deterministic=True) == (GOOD / name / "model.onnx").read_bytes()
    onnx.checker.check_model(model, full_check=True)


@pytest.mark.parametrize("name", NAMES)
def test_onnx_runtime_computes_the_oracle(name):
    import onnxruntime

    case = read_safetensors((GOOD / name / "case.safetensors").read_bytes(), DEFAULT_LIMITS, name)
    session = onnxruntime.InferenceSession(str(GOOD / name / "model.onnx"))
    names = [each.name for each in session.get_outputs()]
    inputs = {key[6:]: value for key, value in case.items() if key.startswith("input:")}
    shapes = read_pair(
        (GOOD / name / "network.json").read_bytes(),
        (GOOD / name / "weights.safetensors").read_bytes(),
    )
    layers = {each.name: each.layer for each in load(name)[0].outputs}
    metrics = []
    for output, value in zip(names, session.run(names, inputs), strict=True):
        source, oracle = case[f"output:{output}"], case[f"oracle:{output}"]
        metrics.append(compare_output(value, source, oracle, DType.FP32, output))
        dims = shapes[layers[output]].dims
        fixed = [(dim, size) for dim, size in zip(dims, value.shape, strict=True)]
        assert all(size == dim for dim, size in fixed if isinstance(dim, int))
        assert all(size == SIZES[str(dim)] for dim, size in fixed if str(dim) in SIZES)
    assert judge(metrics) is Verdict.WITHIN_ORACLE


def in_field_order(message, nested):
    """Whether the fields of a protobuf message stand by number, those in ``nested`` too."""
    numbers = []
    for number, value in fields(memoryview(message)):
        numbers.append(number)
        if number in nested:
            assert in_field_order(value, nested[number])
    return numbers == sorted(numbers)


@pytest.mark.parametrize("name", NAMES)
def test_onnx_fields_stand_in_the_order_of_their_numbers(name):
    value_info = {2: {1: {2: {1: {}}}}}
    graph = {1: {5: {}}, 5: {}, 11: value_info, 12: value_info}
    assert in_field_order((GOOD / name / "model.onnx").read_bytes(), {7: graph, 8: {}})


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case["name"])
def test_hostile_network_is_refused(case):
    document, weights = make_network(case, GOOD)
    started = time.perf_counter()
    with pytest.raises(SealaneError) as caught:
        read_pair(document, weights)
    assert time.perf_counter() - started < SECONDS
    assert caught.value.code is ErrorCode[case["code"]], str(caught.value)
    assert len(str(caught.value)) < 4096
    if "layer" in case:
        assert f"layer {case['layer']!r}" in caught.value.message
    if caught.value.code is not ErrorCode.LIMIT_EXCEEDED:
        assert "sealane.json" not in caught.value.message


def test_the_corpus_shows_every_operator_function_and_default():
    layers = [layer for draft in DRAFTS.values() for layer in draft.layers]
    assert {layer["op"] for layer in layers} == set(OPERATORS)
    assert {layer.get("function") for layer in layers} >= set(FUNCTIONS)
    for op, operator in OPERATORS.items():
        used = [layer for layer in layers if layer["op"] == op]
        for role in operator.optional:
            assert {role in layer["weights"] for layer in used} == {True, False}
        for rule in operator.attributes:
            if rule.default is not None:
                assert {rule.name in layer for layer in used} == {True, False}


def test_weights_fit_the_network_they_are_given_for():
    network, weights = load("mlp")
    with pytest.raises(SealaneError) as caught:
        check_network(network, {**weights, "more": np.zeros(1, np.float32)}, DEFAULT_LIMITS, "mlp")
    assert caught.value.code is ErrorCode.ARTIFACT_INVALID
    weights["hidden.bias"] = np.full(8, np.nan, np.float32)
    with pytest.raises(SealaneError) as caught:
        check_network(network, weights, DEFAULT_LIMITS, "mlp")
    assert caught.value.code is ErrorCode.ARTIFACT_INVALID
