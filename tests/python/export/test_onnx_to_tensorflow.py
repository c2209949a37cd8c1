"""ONNX graphs as TensorFlow functions: refusals by name, weights, bounds, raw columns in front."""

from __future__ import annotations

import os
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sealane.core import ErrorCode, SealaneError
from sealane.export import export
from sealane.export.onnx_to_tensorflow import to_function
from sealane.features import DateParts, Features, Impute, Log1p, Lookup, Normalize


def test_torch_model_with_features_takes_raw_columns(tmp_path):
    import tensorflow as tf
    import torch
    from torch import nn

    table = {
        "carrier": ["UA", "AA", None, "ÜB"] * 8,
        "distance": np.arange(32.0) * 37,
        "delay": [1.0, np.nan, -3.5, 60.0] * 8,
        "when": np.arange("2013-01-01", "2013-02-02", dtype="datetime64[D]"),
    }
    fitted = Features(
        {
            "carrier": Lookup(),
            "distance": Log1p() | Normalize(),
            "delay": Impute(indicator=True) | Normalize(),
            "when": DateParts("weekday"),
        }
    ).fit(table)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.carrier = nn.Embedding(fitted.cardinalities["carrier"], 4)
            self.weekday = nn.Embedding(fitted.cardinalities["when_weekday"], 3)
            self.body = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))

        def forward(self, numeric, carrier, when_weekday):
            parts = [numeric, self.carrier(carrier), self.weekday(when_weekday)]
            return self.body(torch.cat(parts, 1)).squeeze(1)

    torch.manual_seed(0)
    model = Model().eval()
    path = export(
        model, table, name="delays", path=tmp_path / "delays", features=fitted,
        formats=("onnx", "savedmodel"), output_names=["logit"],
    )  # fmt: skip
    call = tf.saved_model.load(str(path / "1")).signatures["serving_default"]
    rows = {name: list(column)[:3] for name, column in table.items()}
    rows["when"] = table["when"][:3]
    raw = fitted.raw_inputs(rows)
    tensors = {
        name: tf.constant([text.encode() for text in array] if array.dtype == object else array)
        for name, array in raw.items()
    }
    made = call(**tensors)["logit"].numpy()
    with torch.no_grad():
        given = {name: torch.tensor(array) for name, array in fitted.transform(rows).items()}
        expected = model(**given).numpy()
    np.testing.assert_allclose(made, expected, rtol=1e-6, atol=1e-6)


def graph(*nodes, inputs=(("x", TensorProto.FLOAT, ["b", 3]),), initializers=()):
    infos = [helper.make_tensor_value_info(*value) for value in inputs]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    made = helper.make_graph(list(nodes), "g", infos, outputs, list(initializers))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def refused(model):
    with pytest.raises(SealaneError) as caught:
        to_function(model)({"x": np.ones((2, 3), np.float32)})
    assert caught.value.code is ErrorCode.EXPORT_UNSUPPORTED
    return caught.value.message


def test_operators_outside_the_table_are_named_together():
    message = refused(
        graph(
            helper.make_node("Det", ["x"], ["a"]),
            helper.make_node("FusedGelu", ["a"], ["b"], domain="com.microsoft"),
            helper.make_node("GridSample", ["b", "b"], ["y"]),
        )
    )
    assert "Det" in message
    assert "com.microsoft:FusedGelu" in message
    assert "GridSample" in message


def test_attributes_that_no_one_honours_are_refused():
    node = helper.make_node("Relu", ["x"], ["y"], name="first", slope=0.5)
    assert "Relu (node 'first')" in refused(graph(node))
    assert "the attribute slope" in refused(graph(node))


def test_a_failure_inside_tensorflow_names_the_node():
    weight = onnx.numpy_helper.from_array(np.ones((4, 2), np.float32), "w")
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name="head")
    assert "MatMul (node 'head')" in refused(graph(node, initializers=[weight]))


def test_strings_are_refused():
    text = (("x", TensorProto.STRING, ["b"]),)
    model = graph(helper.make_node("Identity", ["x"], ["y"]), inputs=text)
    assert "dtype STRING" in refused(model)


def test_equal_weights_are_stored_once():
    weight = onnx.numpy_helper.from_array(np.eye(32, dtype=np.float32), "w")
    again = onnx.numpy_helper.from_array(np.eye(32, dtype=np.float32), "v")
    model = graph(
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("MatMul", ["a", "v"], ["y"]),
        inputs=(("x", TensorProto.FLOAT, ["b", 32]),),
        initializers=[weight, again],
    )
    function = to_function(model)
    made = function({"x": np.ones((2, 32), np.float32)})["y"]
    np.testing.assert_array_equal(made, np.ones((2, 32)))
    assert len(function.variables) == 1


@pytest.mark.parametrize(
    ("start", "end", "step"),
    [
        (-(2**63), 2**63 - 1, 1), (-2, 2**63 - 1, 1), (1, -1, 1), (5, 9, 1),
        (2**63 - 1, -(2**63), -1), (-1, 0, -1), (2, 0, -2), (-9, 2, 2), (2, 1, 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [True, False])
def test_slices_clamp_as_numpy(start, end, step, known):
    import tensorflow as tf

    bounds = [
        onnx.numpy_helper.from_array(np.array([value], np.int64), name)
        for name, value in (("s", start), ("e", end), ("a", 1), ("d", step))
    ]
    model = graph(helper.make_node("Slice", ["x", "s", "e", "a", "d"], ["y"]), initializers=bounds)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    spec = tf.TensorSpec([None, 3 if known else None], tf.float32)
    made = tf.function(to_function(model), input_signature=[{"x": spec}])({"x": x})["y"]
    np.testing.assert_array_equal(made.numpy(), x[:, start:end:step])


ONEDNN = """
import numpy as np, onnx, tensorflow as tf
from onnx import TensorProto, helper
from sealane.export.onnx_to_tensorflow import to_function

def compare(nodes, shape):
    bias = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    value = lambda name, dims: helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
    graph = helper.make_graph(
        nodes, "g", [value("x", [6, "b"]), value("w", [6, 4])], [value("y", ["b", 4])],
        [onnx.numpy_helper.from_array(bias, "c")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    x, w = np.full((6, 3), 0.5, np.float32), np.ones((6, 4), np.float32)
    made = tf.function(to_function(model), autograph=False)({"x": x, "w": w})["y"].numpy()
    want = x.T @ w + bias
    assert made.shape == want.shape
    np.testing.assert_array_equal(made, want)

for shape in ((1, 4), (4,), (3, 4), (1, 1), (3, 1), ()):
    compare([helper.make_node("Gemm", ["x", "w", "c"], ["y"], transA=1)], shape)
    transposed = helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0])
    product = helper.make_node("MatMul", ["t", "w"], ["p"])
    compare([transposed, product, helper.make_node("Add", ["p", "c"], ["y"])], shape)
    compare([transposed, product, helper.make_node("Add", ["c", "p"], ["y"])], shape)
"""


@pytest.mark.parametrize("onednn", ["0", "1"])
def test_products_of_a_transposed_matrix_with_a_bias(onednn):
    """TensorFlow turns oneDNN on by the CPU, so either is what some machine does."""
    environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": onednn, "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        [sys.executable, "-c", ONEDNN], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
