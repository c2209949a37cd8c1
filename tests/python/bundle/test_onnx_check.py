"""The walk over ONNX files: its rules against ONNX's own node tests, and mutated bytes."""

from __future__ import annotations

import math
import time
import warnings
from collections import ChainMap

import numpy as np
import onnx
import pytest
from corpus.run import GOOD
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from sealane.bundle import ReaderLimits, read_bundle
from sealane.bundle.onnx_check import check_onnx
from sealane.bundle.onnx_constants import check_constants
from sealane.bundle.onnx_shapes import BROADCAST, RULES, evaluate, stored
from sealane.core import ErrorCode, SealaneError


def node_cases() -> list:
    """ONNX's own tests of one node whose operator the walk follows."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = collect_testcases(None)
    followed = RULES.keys() | BROADCAST
    return [
        case
        for case in cases
        if len(case.model.graph.node) == 1
        and not case.model.functions
        and case.model.graph.node[0].op_type in followed
        and case.model.graph.node[0].domain == ""
    ]


def test_rules_agree_with_the_node_tests_of_onnx():
    shapes = values = 0
    for case in node_cases():
        node = case.model.graph.node[0]
        inputs, outputs = case.data_sets[0]
        if not all(isinstance(each, np.ndarray) for each in (*inputs, *outputs)):
            continue
        names = [each.name for each in case.model.graph.input]
        constants = {
            name: stored(numpy_helper.from_array(each, name))
            for name, each in zip(names, inputs, strict=False)
        }
        attributes = {each.name: each for each in node.attribute}
        result = evaluate(node, attributes, ChainMap(constants))
        if result is None:
            continue
        shapes += 1
        assert result.shape == outputs[0].shape, case.name
        if result.value is not None and outputs[0].dtype.kind in "iuf":
            values += 1
            expected = outputs[0].astype(result.value.dtype)
            np.testing.assert_allclose(result.value, expected, rtol=1e-6, err_msg=case.name)
    assert shapes > 200
    assert values > 60


def model(nodes, initializers, inputs=()) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "g", list(inputs), [], initializers)
    return helper.make_model(graph, ir_version=10)


def refused(proto: onnx.ModelProto, file_bytes: int = 1000) -> bool:
    try:
        check_constants(proto, 1 << 28, file_bytes, "model.onnx")
    except SealaneError as error:
        assert error.code is ErrorCode.ARTIFACT_UNSAFE  # noqa: PT017 - either outcome is right
        return True
    return False


def test_the_bound_is_the_constant_limit_or_four_times_the_file():
    def filled(elements: int) -> onnx.ModelProto:
        shape = numpy_helper.from_array(np.array([elements], np.int64), "n")
        return model([helper.make_node("ConstantOfShape", ["n"], ["y"])], [shape])

    assert not refused(filled(1 << 26))
    assert refused(filled((1 << 26) + 1))
    assert not refused(filled(1 << 30), file_bytes=1 << 30)
    assert refused(filled((1 << 30) + 1), file_bytes=1 << 30)


def test_large_weights_may_be_transposed_cast_and_joined():
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT16, dims=[1 << 14, 1 << 14])
    nodes = [
        helper.make_node("Cast", ["w"], ["c"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["c"], ["t"]),
        helper.make_node("Concat", ["t", "t"], ["j"], axis=0),
    ]
    assert not refused(model(nodes, [weight]), file_bytes=1 << 29)
    assert refused(model(nodes, [weight]), file_bytes=1 << 20)


def test_a_fixed_input_shape_is_a_constant_and_its_values_are_not():
    x = helper.make_tensor_value_info("x", TensorProto.INT64, [1 << 15, 1 << 15])
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("ConstantOfShape", ["s"], ["y"]),
    ]
    assert refused(model(nodes, [], [x]))
    assert not refused(model([helper.make_node("Add", ["x", "x"], ["y"])], [], [x]))
    symbolic = helper.make_tensor_value_info("x", TensorProto.INT64, ["n", 1 << 40])
    assert not refused(model(nodes, [], [symbolic]))


def test_a_reference_to_a_function_attribute_is_resolved():
    node = helper.make_node("Constant", [], ["n"])
    node.attribute.append(
        onnx.AttributeProto(name="value_int", ref_attr_name="size", type=onnx.AttributeProto.INT)
    )
    inner = [
        node,
        helper.make_node("Constant", [], ["axis"], value_ints=[0]),
        helper.make_node("Unsqueeze", ["n", "axis"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["y"]),
    ]
    function = helper.make_function(
        "local", "F", [], ["y"], inner, [helper.make_opsetid("", 20)], ["size"]
    )
    for size, bomb in ((1 << 40, True), (8, False)):
        proto = model([helper.make_node("F", [], ["y"], domain="local", size=size)], [])
        proto.functions.append(function)
        assert refused(proto) is bomb


def test_a_large_honest_graph_takes_little_time():
    nodes = [helper.make_node("Relu", [f"x{i}"], [f"x{i + 1}"]) for i in range(20_000)]
    x = helper.make_tensor_value_info("x0", TensorProto.FLOAT, ["n", 4])
    started = time.process_time()
    check_constants(model(nodes, [], [x]), 1 << 28, 1 << 20, "model.onnx")
    assert time.process_time() - started < 2.0


NAMES = ("mlp", "strings", "external", "dtypes")


@pytest.fixture(scope="module")
def artifacts():
    found = {}
    for name in NAMES:
        bundle = read_bundle(GOOD / name)
        sizes = {entry.path: entry.size for entry in bundle.manifest.files}
        data = (GOOD / name / "1" / "model.onnx").read_bytes()
        found[name] = (bundle.manifest.primary, data, bundle.signature, sizes)
    return found


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_mutated_models_are_checked_or_refused_with_a_code(artifacts, name, data):
    variant, seed, signature, sizes = artifacts[name]
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        cut = data.draw(st.integers(0, 3))
        content[at : at + cut] = data.draw(st.binary(max_size=4))
    try:
        check_onnx(variant, bytes(content), signature, sizes, ReaderLimits())
    except SealaneError as error:
        assert error.code in (  # noqa: PT017 - either outcome is right
            ErrorCode.ARTIFACT_INVALID,
            ErrorCode.ARTIFACT_UNSAFE,
            ErrorCode.LIMIT_EXCEEDED,
        )


def test_broadcasting_of_shapes_is_numpys():
    from sealane.bundle.onnx_shapes import broadcast_shape

    for shapes in (((3, 1), (1, 4)), ((), (2,)), ((0,), (1,)), ((5, 1, 2), (3, 1))):
        assert broadcast_shape(*shapes) == np.broadcast_shapes(*shapes)
    assert math.prod(broadcast_shape((1 << 40, 1), (1, 1 << 40))) == 1 << 80
    with pytest.raises(ValueError, match="broadcast"):
        broadcast_shape((2,), (3,))
