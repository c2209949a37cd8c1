"""An oracle from the converted graph itself: ONNX's reference evaluator in double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sealane.export import rewrite
from sealane.export.source import Oracle

if TYPE_CHECKING:
    from sealane.export.examples import Arrays
    from sealane.export.preparation import Prepared

_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16)


def onnx_oracle(bare: onnx.ModelProto, prepared: Prepared) -> Oracle | None:
    """The bare graph in float64, the features in float64 before it; None when it does not run.

    An oracle made from the conversion is blind to a fault of the conversion. It is used only while
    it is within 64 rounding steps of the source model, which a faulty graph is not.
    """
    from onnx.reference import ReferenceEvaluator

    try:
        evaluator: Any = ReferenceEvaluator(in_double(bare))
    except Exception:
        return None
    names = [spec.name for spec in prepared.bare.outputs]

    def run(inputs: Arrays) -> Arrays:
        given = inputs
        if prepared.features is not None:
            given = prepared.features.transform(inputs, dtype=np.float64)
        wide = {n: a.astype(np.float64) if a.dtype.kind == "f" else a for n, a in given.items()}
        with np.errstate(all="ignore"):
            return dict(zip(names, evaluator.run(names, wide), strict=True))

    try:
        run(prepared.contract.draw({}, prepared.seed))
    except Exception:
        return None
    return Oracle("onnx-reference-f64", onnx.__version__, run)


def in_double(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model in which every float tensor is double."""
    double = onnx.ModelProto()
    double.CopyFrom(model)
    for graph in rewrite.all_graphs(double):
        for index, tensor in enumerate(graph.initializer):
            graph.initializer[index].CopyFrom(_widen(tensor))
        for part in (graph.input, graph.output, graph.value_info):
            for value in part:
                if value.type.tensor_type.elem_type in _FLOATS:
                    value.type.tensor_type.elem_type = TensorProto.DOUBLE
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.TENSOR:
                    attribute.t.CopyFrom(_widen(attribute.t))
                if node.op_type == "Cast" and attribute.name == "to" and attribute.i in _FLOATS:
                    attribute.i = TensorProto.DOUBLE
                if node.op_type == "LayerNormalization" and attribute.name == "stash_type":
                    attribute.i = TensorProto.DOUBLE
        for node in graph.node:
            if node.op_type == "Constant":
                _widen_constant(node)
    return double


def _widen(tensor: onnx.TensorProto) -> onnx.TensorProto:
    if tensor.data_type not in _FLOATS:
        return tensor
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name)


def _widen_constant(node: onnx.NodeProto) -> None:
    """A Constant given as Python floats as a double tensor."""
    for attribute in node.attribute:
        if attribute.name in ("value_float", "value_floats"):
            value = attribute.f if attribute.name == "value_float" else list(attribute.floats)
            tensor = numpy_helper.from_array(np.asarray(value, np.float64))
            attribute.CopyFrom(helper.make_attribute("value", tensor))
