"""Bundles of models of a few nodes, from ``x`` to ``y``, both FP32[batch, width]."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sealane.bundle import (
    ArtifactDraft,
    Bindings,
    BundleDraft,
    GoldenCase,
    Requires,
    Verdict,
    write_bundle,
)
from sealane.core import DType, Signature, TensorSpec

SHAPE = ("batch", "width")
SIGNATURE = Signature((TensorSpec("x", DType.FP32, SHAPE),), (TensorSpec("y", DType.FP32, SHAPE),))
PRODUCTS = 500


def scaled(path: Path, version: str, factor: float) -> None:
    """y = factor · x."""
    x = np.float32([[1, 2], [3, 4]])
    constant = numpy_helper.from_array(np.float32(factor), "factor")
    nodes = [helper.make_node("Mul", ["x", "factor"], ["y"])]
    _write(path, version, nodes, [constant], x, x * np.float32(factor))


def slow(path: Path, version: str) -> None:
    """500 products of width · width: 1,024 columns keep a core busy for seconds, two do not."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0]),
        helper.make_node("MatMul", ["t", "x"], ["p0"]),
    ]
    for i in range(PRODUCTS):
        nodes.append(helper.make_node("MatMul", [f"p{i}", f"p{i}"], [f"p{i + 1}"]))
    nodes.append(helper.make_node("MatMul", ["x", f"p{PRODUCTS}"], ["y"]))
    identity = np.eye(2, dtype=np.float32)
    _write(path, version, nodes, [], identity, identity)


def _write(
    path: Path,
    version: str,
    nodes: list[onnx.NodeProto],
    constants: list[onnx.TensorProto],
    x: np.ndarray,
    y: np.ndarray,
) -> None:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in "xy"]
    proto = helper.make_model(
        helper.make_graph(nodes, "graph", values[:1], values[1:], constants),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    golden = GoldenCase("two", "two rows", 2, {"x": x}, {"y": y}, {"y": y.astype(np.float64)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.onnx"
        source.write_bytes(proto.SerializeToString())
        artifact = ArtifactDraft(
            "onnx", "onnx", "primary", source, Bindings({"x": "x"}, {"y": "y"}), "fp32",
            Verdict.BIT_EXACT, Requires(10, {"ai.onnx": 20}, tuple({n.op_type for n in nodes})),
        )  # fmt: skip
        certificate = {
            "schema": 1,
            "tool": {"name": "sealane", "version": "test"},
            "golden": [{"id": "two", "batch": 2}],
            "runs": [{"variant": "onnx", "verdict": "bit-exact"}],
        }
        draft = BundleDraft(
            path.parent.name, version, SIGNATURE, (artifact,), (golden,), certificate=certificate
        )
        write_bundle(path, draft)
