"""A JAX function of arrays → ONNX, by jax2onnx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper

from sealane.core.frameworks import load_module
from sealane.export import canonical, rewrite

if TYPE_CHECKING:
    from collections.abc import Callable

    import onnx

    from sealane.core import Signature

_NARROWED = {
    np.dtype(np.int64): np.dtype(np.int32),
    np.dtype(np.uint64): np.dtype(np.uint32),
}


def taken_for(dtype: Any, *, wide: bool) -> np.dtype[Any]:
    """The dtype that JAX takes an input for: 64-bit integers have 32 bits without ``wide``."""
    return np.dtype(dtype) if wide else _NARROWED.get(np.dtype(dtype), np.dtype(dtype))


def convert(
    jax: Any, function: Callable[..., Any], signature: Signature, opset: int, *, wide: bool
) -> onnx.ModelProto:
    """Traces a function with a symbolic size for each symbol of the signature.

    Args:
        jax: The module, computing in the precision wanted.
        function: Of the inputs by position, to a tuple of arrays.
        signature: Of the function.
        opset: Of the default domain.
        wide: Whether it computes in double precision.

    Raises:
        Exception: Whatever tracing or jax2onnx raises.
    """
    symbols = sorted({d for spec in signature.inputs for d in spec.shape if isinstance(d, str)})
    plain = ", ".join(f"d{index}" for index in range(len(symbols)))
    made = jax.export.symbolic_shape(plain) if symbols else ()
    dims: dict[object, Any] = dict(zip(symbols, made, strict=True))
    shapes = [
        jax.ShapeDtypeStruct(
            tuple(dims.get(dim, dim) for dim in spec.shape), taken_for(spec.dtype.numpy, wide=wide)
        )
        for spec in signature.inputs
    ]
    model: onnx.ModelProto = load_module("jax2onnx", "jax").to_onnx(
        function,
        shapes,
        opset=opset,
        input_names=[spec.name for spec in signature.inputs],
        enable_double_precision=wide,
    )
    model = rewrite.inline_functions(model)
    for spec in signature.inputs:
        if taken_for(spec.dtype.numpy, wide=wide) != spec.dtype.numpy:
            _widen_input(model, spec.name, spec.dtype.numpy)
    _drop_unread_bias(model)
    canonical.settle(model)
    return model


def _drop_unread_bias(model: onnx.ModelProto) -> None:
    """Take from products the bias that they do not read: jax2onnx makes it float32, always."""
    for graph in rewrite.all_graphs(model):
        for node in graph.node:
            betas = [each.f for each in node.attribute if each.name == "beta"]
            if node.op_type == "Gemm" and betas == [0.0] and len(node.input) == 3:
                del node.input[2]


def _widen_input(model: onnx.ModelProto, name: str, dtype: Any) -> None:
    """Let an input be of 64 bits and cast it to what the graph computes with."""
    value = next(each for each in model.graph.input if each.name == name)
    narrow = value.type.tensor_type.elem_type
    rewrite.rename_values(model, {name: f"{name}__narrow"})
    value.name = name
    value.type.tensor_type.elem_type = (
        TensorProto.INT64 if np.dtype(dtype) == np.int64 else TensorProto.UINT64
    )
    cast = helper.make_node("Cast", [name], [f"{name}__narrow"], f"{name}__cast", to=narrow)
    model.graph.node.insert(0, cast)
