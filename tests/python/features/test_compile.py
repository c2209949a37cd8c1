"""Compiled graphs: in front of a model, in a SavedModel, and for declarations made at random."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from sealane.core import ErrorCode, SealaneError
from sealane.features import (
    Bucketize,
    Clip,
    DateParts,
    Features,
    Impute,
    Log1p,
    Lookup,
    MinMax,
    Normalize,
    OneHot,
)

TABLE = {
    "carrier": ["UA", "AA", None, "UA"],
    "distance": [1.0, 2.0, 3.0, 4.0],
    "hour": [1, 2, 3, 4],
}
FITTED = Features(
    {"carrier": Lookup(), "distance": Normalize(), "hour": Clip(2) | Normalize()}
).fit(TABLE)


def info(name, element, shape):
    return helper.make_tensor_value_info(name, element, shape)


def model(*, numeric="numeric", output="score", element=TensorProto.FLOAT, opset=20):
    """score = sum over columns of numeric + carrier, with an inner value named ``distance``."""
    nodes = [
        helper.make_node("Cast", ["carrier"], ["distance"], to=TensorProto.FLOAT),
        helper.make_node("Cast", [numeric], ["features/Cast_0"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["features/Cast_0", "axis"], ["hour"], keepdims=0),
        helper.make_node("Add", ["hour", "distance"], [output]),
    ]
    graph = helper.make_graph(
        nodes,
        "model",
        [info(numeric, element, ["batch", 2]), info("carrier", TensorProto.INT64, ["batch"])],
        [info(output, TensorProto.FLOAT, ["batch"])],
        [helper.make_tensor("axis", TensorProto.INT64, [1], [1])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


@pytest.mark.parametrize("opset", [13, 18, 20])
def test_prepended_model_takes_raw_columns(run_onnx, opset):
    bare = model(opset=opset)
    before = bare.SerializeToString()
    merged = FITTED.prepend_onnx(bare)
    assert bare.SerializeToString() == before
    onnx.checker.check_model(merged, full_check=True)
    assert [value.name for value in merged.graph.input] == ["carrier", "distance", "hour"]
    assert [value.name for value in merged.graph.output] == ["score"]
    made = FITTED.transform(TABLE)
    score = run_onnx(merged, FITTED.raw_inputs(TABLE))["score"]
    np.testing.assert_array_equal(score, made["numeric"].sum(axis=1) + made["carrier"])


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (model(numeric="x"), "does not have it"),
        (model(element=TensorProto.DOUBLE), "another dtype"),
        (model(output="carrier_"), None),
        (model(opset=21), "13 to 20"),
        (model(opset=12), "13 to 20"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(other, says):
    if says is None:
        FITTED.prepend_onnx(other)
        return
    with pytest.raises(SealaneError) as caught:
        FITTED.prepend_onnx(other)
    assert caught.value.code is ErrorCode.EXPORT_UNSUPPORTED
    assert says in caught.value.message


def test_an_output_named_like_a_raw_column_is_refused():
    other = model()
    other.graph.node[-1].output[0] = "raw"
    other.graph.output[0].name = "raw"
    fitted = Features({"carrier": Lookup(), "raw": Clip(0), "hour": Clip(0)}).fit(
        {**TABLE, "raw": [1.0] * 4}
    )
    with pytest.raises(SealaneError, match="'raw' is also another input or an output"):
        fitted.prepend_onnx(other)


def test_names_captured_by_a_subgraph_follow(run_onnx):
    branch = helper.make_graph(
        [helper.make_node("Add", ["hour", "hour"], ["inner"])],
        "branch",
        [],
        [info("inner", TensorProto.FLOAT, None)],
    )
    other = model()
    del other.graph.node[-1]
    other.graph.node.append(
        helper.make_node("If", ["yes"], ["score"], then_branch=branch, else_branch=branch)
    )
    other.graph.initializer.append(helper.make_tensor("yes", TensorProto.BOOL, [], [True]))
    made = FITTED.transform(TABLE)["numeric"].sum(axis=1)
    merged = FITTED.prepend_onnx(other)
    np.testing.assert_array_equal(run_onnx(merged, FITTED.raw_inputs(TABLE))["score"], made + made)


def test_standalone_model_has_no_paths_or_times():
    left, right = (FITTED.to_onnx().SerializeToString() for _ in range(2))
    assert left == right
    with pytest.raises(SealaneError, match="opset 13 to 20"):
        FITTED.to_onnx(opset=21)


def test_saved_model(tmp_path, encode):
    import tensorflow as tf

    module = FITTED.to_tensorflow()
    specs = {
        "carrier": tf.TensorSpec([None], tf.string, "carrier"),
        "distance": tf.TensorSpec([None], tf.float64, "distance"),
        "hour": tf.TensorSpec([None], tf.int64, "hour"),
    }
    module.serve = tf.function(lambda raw: module(raw), input_signature=[specs])
    tf.saved_model.save(module, str(tmp_path), signatures=module.serve)
    assert not list(tmp_path.glob("assets/*"))
    call = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    raw = FITTED.raw_inputs(TABLE)
    made = call(**{name: tf.constant(encode(array)) for name, array in raw.items()})
    for name, array in FITTED.transform(TABLE).items():
        np.testing.assert_array_equal(made[name].numpy(), array)


NUMBERS = st.floats(width=64, allow_nan=True, allow_infinity=False)
ORDINARY = st.floats(-1e6, 1e6)
TEXT = st.none() | st.text(max_size=6)
NUMERIC_CHAINS = st.sampled_from(
    [
        Impute("mean") | Normalize(),
        Impute("median", indicator=True) | MinMax(),
        Impute("most_frequent") | Clip(-3, 1e9) | Normalize() | MinMax(),
        Impute("constant", 0.5) | Clip(low=-0.5) | Log1p(),
        Bucketize(quantiles=5),
        Bucketize([-1.0, 0.0, 1e-30, 5.0]) | OneHot(),
    ]
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_declarations_have_equal_bits(everywhere, data):
    size = data.draw(st.integers(2, 6))
    columns, train, rows = {}, {}, {}
    for name in ("a", "b"):
        columns[name] = data.draw(NUMERIC_CHAINS)
        train[name] = data.draw(st.lists(ORDINARY, min_size=size, max_size=size))
        rows[name] = data.draw(st.lists(NUMBERS, min_size=3, max_size=3))
    columns["s"] = data.draw(st.sampled_from([Lookup(), Lookup(max_size=2) | OneHot()]))
    train["s"] = [*data.draw(st.lists(TEXT, min_size=size - 1, max_size=size - 1)), "x"]
    rows["s"] = data.draw(st.lists(TEXT | st.sampled_from(train["s"]), min_size=3, max_size=3))
    columns["t"] = DateParts("month", "day", "hour")
    train["t"] = [0.0] * size
    rows["t"] = data.draw(
        st.lists(st.floats(-6e10, 2e11) | st.just(np.nan), min_size=3, max_size=3)
    )
    fitted = Features(columns).fit(train)
    everywhere(fitted, rows, tensorflow=data.draw(st.integers(0, 4)) == 0)
