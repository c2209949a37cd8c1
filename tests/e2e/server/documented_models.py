"""The models of TensorFlow Serving's documentation and tests, as bundles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from corpus.bases import certificate, model, onnx_draft, tensor, value
from onnx import helper

from sealane.bundle import Bindings, BundleDraft, GoldenCase, write_bundle
from sealane.core import DType, Signature, TensorSpec

if TYPE_CHECKING:
    from pathlib import Path


def half_plus(target: Path, addend: float, version: str, shape=("batch",)) -> Path:
    """``y = x / 2 + addend``, as ``saved_model_half_plus_three`` has it."""
    x, y = TensorSpec("x", DType.FP32, shape), TensorSpec("y", DType.FP32, shape)
    nodes = [helper.make_node("Mul", ["x", "half"], ["h"])]
    nodes.append(helper.make_node("Add", ["h", "addend"], ["y"]))
    constants = [tensor("half", np.float32(0.5)), tensor("addend", np.float32(addend))]
    graph = model(nodes, [value(x)], [value(y)], constants)
    rows = np.array([1, 2, 5], np.float32).reshape([3] + [1] * (len(shape) - 1))
    case = GoldenCase("three", "three rows", 3, {"x": rows}, {"y": rows / 2 + np.float32(addend)})
    return _write(target, version, Signature((x,), (y,)), graph, case)


def identity(target: Path, inputs: dict[str, tuple[TensorSpec, np.ndarray]]) -> Path:
    """Each output, by its name, is the input of that spec; the arrays are its golden case."""
    outputs = [TensorSpec(name, spec.dtype, spec.shape) for name, (spec, _) in inputs.items()]
    specs = [spec for spec, _ in inputs.values()]
    nodes = [
        helper.make_node("Identity", [spec.name], [name]) for name, (spec, _) in inputs.items()
    ]
    graph = model(nodes, [value(each) for each in specs], [value(each) for each in outputs], [])
    case = GoldenCase(
        "two",
        "two rows",
        2,
        {spec.name: array for spec, array in inputs.values()},
        {name: array for name, (_, array) in inputs.items()},
    )
    return _write(target, "1.0.0", Signature(tuple(specs), tuple(outputs)), graph, case)


def _write(target, version, signature, graph, case):
    names = Bindings(
        {each.name: each.name for each in signature.inputs},
        {each.name: each.name for each in signature.outputs},
    )
    draft = BundleDraft(
        name="documented",
        version=version,
        signature=signature,
        artifacts=(onnx_draft(target.parent, graph, names),),
        golden=(case,),
        certificate=certificate(["onnx"], (case,)),
    )
    write_bundle(target, draft)
    (target.parent / "model.onnx").unlink()
    return target
