"""Graphs that differ in order, counters and repetition become the same bytes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sealane.export import canonical


def graph(nodes, initializers, *, outputs=("y",)):
    def info(name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4])

    tensors = [numpy_helper.from_array(value, name) for name, value in initializers.items()]
    made = helper.make_graph(nodes, "g", [info("x")], [info(n) for n in outputs], tensors)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)])


def settled(model):
    canonical.settle(model)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def two_layers(first, second, *, backwards=False):
    """Two scaled and shifted branches added, with a converter's counters in the names."""
    node = helper.make_node
    nodes = [
        node("Mul", ["x", f"w__{first}"], [f"a__{first}"], name=f"scale__{first}"),
        node("Mul", ["x", f"w__{second}"], [f"b__{second}"], name=f"scale__{second}"),
        node("Relu", [f"a__{first}"], [f"r__{first}"], name=f"relu__{first}"),
        node("Sub", [f"r__{first}", f"b__{second}"], ["y"], name="out"),
    ]
    if backwards:
        nodes = [nodes[1], nodes[0], nodes[2], nodes[3]]
    weights = {f"w__{first}": np.full(4, 2, np.float32), f"w__{second}": np.full(4, 3, np.float32)}
    return graph(nodes, dict(reversed(weights.items())) if backwards else weights)


def test_counters_and_orders_do_not_show():
    assert settled(two_layers(1, 2)) == settled(two_layers(91, 17, backwards=True))


def test_another_weight_shows():
    other = two_layers(1, 2)
    other.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(np.full(4, 5, np.float32), other.graph.initializer[0].name)
    )
    assert settled(two_layers(1, 2)) != settled(other)


def test_it_computes_the_same():
    before = two_layers(1, 2)
    after = two_layers(1, 2)
    canonical.settle(after)
    x = np.array([[1, -2, 3, -4]], np.float32)
    runs = [ReferenceEvaluator(model).run(None, {"x": x})[0] for model in (before, after)]
    assert np.array_equal(*runs)
    assert runs[0].tolist() == [[-1, 6, -3, 12]]


def test_equal_constants_and_nodes_become_one():
    node = helper.make_node
    nodes = [
        node("Mul", ["x", "w1"], ["a"], name="first"),
        node("Mul", ["x", "w2"], ["b"], name="second"),
        node("Add", ["a", "b"], ["y"], name="sum"),
    ]
    model = graph(nodes, {name: np.full(4, 2, np.float32) for name in ("w1", "w2")})
    canonical.settle(model)
    assert [each.op_type for each in model.graph.node] == ["Mul", "Add"]
    assert len(model.graph.initializer) == 1
    assert model.graph.node[1].input[0] == model.graph.node[1].input[1]


def test_what_draws_and_what_is_an_output_is_not_merged():
    node = helper.make_node
    nodes = [
        node("RandomNormalLike", ["x"], ["a"], name="first"),
        node("RandomNormalLike", ["x"], ["b"], name="second"),
        node("Sub", ["a", "b"], ["y"], name="out"),
        node("Relu", ["x"], ["z1"], name="one"),
        node("Relu", ["x"], ["z2"], name="two"),
    ]
    model = graph(nodes, {}, outputs=("y", "z1", "z2"))
    canonical.settle(model)
    assert [each.op_type for each in model.graph.node].count("RandomNormalLike") == 2
    assert [each.name for each in model.graph.output] == ["y", "z1", "z2"]
    onnx.checker.check_model(model)


def test_values_read_inside_a_branch_are_renamed_there():
    inner = helper.make_tensor_value_info("inner", TensorProto.FLOAT, None)
    branch = helper.make_graph(
        [helper.make_node("Add", ["a__7", "w__9"], ["inner"])], "branch", [], [inner]
    )
    nodes = [
        helper.make_node("Relu", ["x"], ["a__7"], name="relu__7"),
        helper.make_node("Constant", [], ["c"], value_float=1.0, name="one"),
        helper.make_node("Cast", ["c"], ["yes"], to=TensorProto.BOOL, name="cast"),
        helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch, name="if"),
    ]
    model = graph(nodes, {"w__9": np.full(4, 2, np.float32)})
    canonical.settle(model)
    onnx.checker.check_model(model, full_check=True)
    run = ReferenceEvaluator(model)
    assert run.run(None, {"x": np.ones((1, 4), np.float32)})[0].tolist() == [[3, 3, 3, 3]]


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "a", "b")])
def test_lookup_tables_are_sorted(order):
    values = {"a": 1, "b": 2, "c": 3}
    node = helper.make_node(
        "LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml", keys_strings=list(order),
        values_int64s=[values[key] for key in order],
    )  # fmt: skip
    model = graph([node], {})
    canonical.settle(model)
    found = {a.name: helper.get_attribute_value(a) for a in model.graph.node[0].attribute}
    assert found == {"keys_strings": [b"a", b"b", b"c"], "values_int64s": [1, 2, 3]}
