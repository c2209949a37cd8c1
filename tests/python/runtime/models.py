"""Tiny ONNX models and a SavedModel for the tests of sessions."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sealane.core import DType, Signature, TensorSpec

if TYPE_CHECKING:
    from pathlib import Path

ONNX_TYPES = {
    DType.BOOL: TensorProto.BOOL,
    DType.UINT8: TensorProto.UINT8,
    DType.UINT16: TensorProto.UINT16,
    DType.UINT32: TensorProto.UINT32,
    DType.UINT64: TensorProto.UINT64,
    DType.INT8: TensorProto.INT8,
    DType.INT16: TensorProto.INT16,
    DType.INT32: TensorProto.INT32,
    DType.INT64: TensorProto.INT64,
    DType.FP16: TensorProto.FLOAT16,
    DType.BF16: TensorProto.BFLOAT16,
    DType.FP32: TensorProto.FLOAT,
    DType.FP64: TensorProto.DOUBLE,
    DType.BYTES: TensorProto.STRING,
}


def info(spec: TensorSpec) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(spec.name, ONNX_TYPES[spec.dtype], list(spec.shape))


def model(
    nodes: list[onnx.NodeProto],
    signature: Signature,
    initializers: dict[str, np.ndarray] | None = None,
    *,
    opset: int = 18,
    ir: int = 10,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [info(spec) for spec in signature.inputs],
        [info(spec) for spec in signature.outputs],
        [numpy_helper.from_array(array, name) for name, array in (initializers or {}).items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = ir
    return made


def identity(dtype: DType, *shape: int | str) -> tuple[onnx.ModelProto, Signature]:
    shape = shape or ("batch", 3)
    signature = Signature((TensorSpec("x", dtype, shape),), (TensorSpec("y", dtype, shape),))
    return model([helper.make_node("Identity", ["x"], ["y"])], signature), signature


def mlp(*widths: int, seed: int = 0) -> tuple[onnx.ModelProto, Signature]:
    """A perceptron with ReLU between its layers; weights from ``seed``."""
    rng = np.random.default_rng(seed)
    signature = Signature(
        (TensorSpec("x", DType.FP32, ("batch", widths[0])),),
        (TensorSpec("y", DType.FP32, ("batch", widths[-1])),),
    )
    nodes, weights, current = [], {}, "x"
    for layer, (rows, columns) in enumerate(itertools.pairwise(widths)):
        last = layer == len(widths) - 2
        scale = np.float32(1 / np.sqrt(rows))
        weights[f"w{layer}"] = rng.standard_normal((rows, columns), np.float32) * scale
        weights[f"b{layer}"] = rng.standard_normal(columns, np.float32)
        out = "y" if last else f"h{layer}"
        nodes.append(helper.make_node("Gemm", [current, f"w{layer}", f"b{layer}"], [out]))
        current = out
        if not last:
            nodes.append(helper.make_node("Relu", [out], [f"r{layer}"]))
            current = f"r{layer}"
    return model(nodes, signature, weights), signature


def text_and_number() -> tuple[onnx.ModelProto, Signature]:
    """Passes a string and a float through, and adds 1 to the float."""
    signature = Signature(
        (TensorSpec("carrier", DType.BYTES, ("batch",)), TensorSpec("d", DType.FP32, ("batch",))),
        (TensorSpec("same", DType.BYTES, ("batch",)), TensorSpec("more", DType.FP32, ("batch",))),
    )
    nodes = [
        helper.make_node("Identity", ["carrier"], ["same"]),
        helper.make_node("Add", ["d", "one"], ["more"]),
    ]
    return model(nodes, signature, {"one": np.array(1, np.float32)}), signature


def saved_model(path: Path) -> Signature:
    """Writes a SavedModel with a lookup table, text in and out, and a variable; gives its
    signature."""
    import tensorflow as tf

    class Lookup(tf.Module):
        def __init__(self):
            self.table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(["UA", "日本"], tf.constant([1.0, 2.0])), -1.0
            )
            self.scale = tf.Variable(10.0)

        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.string, name="carrier"),
                tf.TensorSpec([None], tf.float32, name="d"),
            ]
        )
        def serve(self, carrier, d):
            code = self.table.lookup(carrier)
            return {"score": code * self.scale + d, "label": tf.strings.join([carrier, "!"])}

    module = Lookup()
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
    return Signature(
        (TensorSpec("carrier", DType.BYTES, ("batch",)), TensorSpec("d", DType.FP32, ("batch",))),
        (
            TensorSpec("score", DType.FP32, ("batch",)),
            TensorSpec("label", DType.BYTES, ("batch",)),
        ),
    )
