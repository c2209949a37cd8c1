"""The first node that differs is named, for a changed weight, attribute or operator."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from python.runtime import bundles, models

from sealane.core import DType, Signature, TensorSpec
from sealane.runtime.divergence import Instrumented, align, first_divergence, instrument
from sealane.runtime.onnx import OnnxEngine


def instrumented(made, signature, x) -> Instrumented:
    return instrument(made.SerializeToString(), signature, bundles.own_names(signature), {"x": x})


def runner(model: Instrumented):
    engine = OnnxEngine(
        model.data,
        model.signature,
        inputs=model.bindings.inputs,
        outputs=model.bindings.outputs,
        label="test",
    )
    return lambda feeds, names: engine.run(dict(feeds), tuple(names))


X = np.linspace(-2, 2, 3 * 8, dtype=np.float32).reshape(3, 8)


def compare(made_a, made_b, signature, **options):
    a, b = instrumented(made_a, signature, X), instrumented(made_b, signature, X)
    pairs = align(a, b)
    assert isinstance(pairs, dict)
    return first_divergence(a, {"case": {"x": X}}, runner(a), runner(b), names_b=pairs, **options)


def changed_weight(made: onnx.ModelProto, name: str) -> onnx.ModelProto:
    copy = onnx.ModelProto.FromString(made.SerializeToString())
    for each in copy.graph.initializer:
        if each.name == name:
            array = numpy_helper.to_array(each).copy()
            array.flat[0] += 0.001
            each.CopyFrom(numpy_helper.from_array(array, name))
    return copy


def test_equal_models_do_not_diverge():
    made, signature = models.mlp(8, 16, 16, 3)
    assert compare(made, made, signature) is None


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_layer_with_the_changed_weight_is_named(layer):
    made, signature = models.mlp(8, 16, 16, 3)
    found = compare(made, changed_weight(made, f"w{layer}"), signature)
    assert found is not None
    assert found.op == "Gemm"
    assert found.output == ("y" if layer == 2 else f"h{layer}")
    assert found.case == "case"
    assert 0 < found.max_abs < 0.01
    assert found.output in str(found)


def test_a_changed_attribute_is_named_under_other_tensor_names():
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("batch", 8)),), (TensorSpec("y", DType.FP32, ("batch", 8)),)
    )

    def chain(prefix: str, epsilon: float) -> onnx.ModelProto:
        nodes = [
            helper.make_node("Relu", ["x"], [f"{prefix}1"]),
            helper.make_node(
                "LayerNormalization", [f"{prefix}1", "scale"], [f"{prefix}2"], epsilon=epsilon
            ),
            helper.make_node("Exp", [f"{prefix}2"], ["y"]),
        ]
        return models.model(nodes, signature, {"scale": np.ones(8, np.float32)})

    found = compare(chain("a", 1e-5), chain("b", 1e-3), signature)
    assert found is not None
    assert (found.op, found.output) == ("LayerNormalization", "a2")


def test_a_threshold_lets_rounding_pass():
    made, signature = models.mlp(8, 16, 3)
    assert compare(made, changed_weight(made, "w0"), signature, threshold=1e6) is None


def test_graphs_built_differently_are_told_apart():
    made, signature = models.mlp(8, 16, 3)
    deeper, _ = models.mlp(8, 16, 16, 3)
    a, b = instrumented(made, signature, X), instrumented(deeper, signature, X)
    assert align(a, b) == "A has 3 nodes, B has 5"
    other = onnx.ModelProto.FromString(made.SerializeToString())
    other.graph.node[1].op_type = "Sigmoid"
    assert "node 1 is Relu" in str(align(a, instrumented(other, signature, X)))


def test_intermediates_of_every_kind_become_outputs():
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("n",)),), (TensorSpec("y", DType.INT64, ("m",)),)
    )
    nodes = [
        helper.make_node("Cast", ["x"], ["text"], to=onnx.TensorProto.STRING),
        helper.make_node("Cast", ["x"], ["half"], to=onnx.TensorProto.BFLOAT16),
        helper.make_node("Size", ["x"], ["size"]),
        helper.make_node("SequenceConstruct", ["x", "x"], ["both"]),
        helper.make_node("NonZero", ["x"], ["where"]),
        helper.make_node("Squeeze", ["where"], ["y"]),
    ]
    made = models.model(nodes, signature)
    one = instrumented(made, signature, np.array([0, 1, 2], np.float32))
    kinds = {spec.name: (spec.dtype, len(spec.shape)) for spec in one.signature.outputs}
    assert kinds == {
        "y": (DType.INT64, 1),
        "text": (DType.BYTES, 1),
        "half": (DType.BF16, 1),
        "size": (DType.INT64, 0),
        "where": (DType.INT64, 2),
    }
    onnx.checker.check_model(one.data)


def test_models_that_read_text_are_compared_too():
    made, signature = models.text_and_number()
    changed = changed_weight(made, "one")
    feeds = {"carrier": np.array(["UA", ""], object), "d": np.array([1, 2], np.float32)}
    a, b = (
        instrument(each.SerializeToString(), signature, bundles.own_names(signature), feeds)
        for each in (made, changed)
    )
    assert first_divergence(a, {"case": feeds}, runner(a), runner(a)) is None
    found = first_divergence(a, {"case": feeds}, runner(a), runner(b))
    assert found is not None
    assert (found.op, found.output) == ("Add", "more")
