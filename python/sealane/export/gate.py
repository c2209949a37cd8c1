"""The gate that every converted ONNX model passes before it may be in a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from onnx import checker, defs, shape_inference

from sealane.export import rewrite
from sealane.export.capabilities import Capabilities, element_name, onnxruntime_capabilities
from sealane.export.dtypes import from_onnx
from sealane.export.errors import failed, unsupported

if TYPE_CHECKING:
    from pathlib import Path

    from sealane.core import Signature, TensorSpec


_PROTOBUF_LIMIT = 2**31 - 1


def normalise(model: onnx.ModelProto, signature: Signature, name: str) -> onnx.ModelProto:
    """Bring a converter's model into the form that bundles hold.

    Functions are inlined, inputs and outputs carry the signature's names and dims in its order,
    metadata is scrubbed, HardSwish is expanded and the IR version is the export level.

    Args:
        model: What a converter returned, inputs and outputs in the signature's order.
        signature: The declared contract.
        name: The model's name, stored as the graph's.

    Raises:
        SealaneError: ``EXPORT_FAILED`` when the graph's inputs or outputs are not the signature's.
    """
    model = _reinfer(rewrite.inline_functions(model))
    _check_same(model, signature)
    rewrite.separate_passed_through(model)
    outputs = zip(model.graph.output, signature.outputs, strict=True)
    rewrite.rename_values(model, {value.name: spec.name for value, spec in outputs})
    rewrite.scrub(model, name)
    rewrite.expand_hard_swish(model)
    rewrite.drop_unused_initializers(model)
    rewrite.drop_unused_opsets(model)
    rewrite.declare_shapes(model, signature)
    model.ir_version = min(model.ir_version, onnxruntime_capabilities().export_ir)
    return model


def check(path: Path, signature: Signature) -> None:
    """Re-read a written model and hold it against the signature and the capability table.

    Args:
        path: The ``.onnx`` file, external data beside it.
        signature: The declared contract.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` for an operator, opset, IR version or dtype that the
            JVM's runtime does not have, naming the node; ``EXPORT_FAILED`` for an invalid model.
    """
    table = onnxruntime_capabilities()
    model = onnx.ModelProto.FromString(path.read_bytes())
    _check_levels(model, table)
    _check_operators(model, table)
    try:
        checker.check_model(str(path), full_check=True)  # pyright: ignore[reportUnknownMemberType]
    except (checker.ValidationError, shape_inference.InferenceError) as error:
        raise failed(f"the converted ONNX model is invalid: {error}") from error
    _check_same(model, signature)


def check_operators(model: onnx.ModelProto) -> None:
    """Hold a model in memory against the capability table.

    Raises:
        SealaneError: As `check`.
    """
    table = onnxruntime_capabilities()
    _check_levels(model, table)
    _check_operators(model, table)


def requirements(model: onnx.ModelProto) -> dict[str, object]:
    """What the model asks of a runtime, as the manifest's ``requires``."""
    ops = {
        f"{node.domain}:{node.op_type}" if node.domain else node.op_type
        for graph in rewrite.all_graphs(model)
        for node in graph.node
    }
    opsets = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    return {"irVersion": model.ir_version, "opsets": opsets, "ops": sorted(ops)}


def _reinfer(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its outputs' shapes inferred from the graph.

    What a converter writes there is what it saw while tracing: a recurrent layer's output is
    annotated with the traced sequence length though the graph takes any.
    """
    for value in model.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    model.graph.ClearField("value_info")
    if model.ByteSize() >= _PROTOBUF_LIMIT:
        return model
    return shape_inference.infer_shapes(model)


def _check_levels(model: onnx.ModelProto, table: Capabilities) -> None:
    if model.ir_version > table.export_ir:
        raise failed(
            f"the model has IR version {model.ir_version}, at most {table.export_ir} is written"
        )
    for entry in model.opset_import:
        if not table.domain_known(entry.domain):
            raise unsupported(
                f"operator domain {entry.domain!r} is none that ONNX Runtime {table.version} has",
                domain=entry.domain,
            )
        if entry.domain == "" and entry.version > table.export_opset:
            raise failed(
                f"the model has opset {entry.version}, at most {table.export_opset} is written"
            )


def _check_operators(model: onnx.ModelProto, table: Capabilities) -> None:
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    for graph in rewrite.all_graphs(model):
        types = _element_types(model, graph)
        for node in graph.node:
            _check_node(node, opsets, types, table)


def _check_node(
    node: onnx.NodeProto, opsets: dict[str, int], types: dict[str, str], table: Capabilities
) -> None:
    where = f"node {node.name or node.output[0]!r} ({node.domain or 'ai.onnx'}:{node.op_type})"
    details = {"node": node.name, "operator": node.op_type, "domain": node.domain}
    opset = opsets.get(node.domain, 0)
    if node.domain in ("", "ai.onnx.ml") and not defs.has(node.op_type, opset, node.domain):
        raise failed(f"{where} is no ONNX operator of opset {opset}", **details)
    dtypes = _constraints(node, opset, types)
    if not table.supports(node.domain, node.op_type, opset, dtypes):
        shown = ", ".join(f"{k}={v}" for k, v in dtypes.items()) or "any dtype"
        raise unsupported(
            f"{where} with {shown} has no CPU kernel in ONNX Runtime {table.version}, "
            "which the JVM uses too; express the layer with other operations or dtypes",
            **details,
            dtypes=dtypes,
        )


def _constraints(node: onnx.NodeProto, opset: int, types: dict[str, str]) -> dict[str, str]:
    """Element type by type constraint, for the inputs and outputs whose type is known."""
    if not defs.has(node.op_type, opset, node.domain):
        return {}
    schema = defs.get_schema(node.op_type, opset, node.domain)
    found: dict[str, str] = {}
    for formals, actuals in ((schema.inputs, node.input), (schema.outputs, node.output)):
        for formal, actual in zip(formals, actuals, strict=False):
            if actual in types and "(" not in formal.type_str:
                found[formal.type_str] = types[actual]
    return found


def _element_types(model: onnx.ModelProto, graph: onnx.GraphProto) -> dict[str, str]:
    inferred = model
    if graph is model.graph and model.ByteSize() < _PROTOBUF_LIMIT:
        inferred = shape_inference.infer_shapes(model)
        graph = inferred.graph
    types = {tensor.name: element_name(tensor.data_type) for tensor in graph.initializer}
    for part in (graph.input, graph.output, graph.value_info):
        for value in part:
            if value.type.HasField("tensor_type"):
                types[value.name] = element_name(value.type.tensor_type.elem_type)
    return types


def _check_same(model: onnx.ModelProto, signature: Signature) -> None:
    """The graph's inputs (less its constants) and outputs are the signature's."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    given = [value.name for value in inputs]
    declared = [spec.name for spec in signature.inputs]
    if sorted(given) != sorted(declared):
        extra, missing = sorted(set(given) - set(declared)), sorted(set(declared) - set(given))
        raise failed(
            f"the converted graph's inputs are not the model's: extra {extra}, missing {missing}",
            extra=extra,
            missing=missing,
        )
    if len(model.graph.output) != len(signature.outputs):
        raise failed(
            f"the converted graph has {len(model.graph.output)} outputs, the model has "
            f"{len(signature.outputs)}"
        )
    by_name = {value.name: value for value in inputs}
    for spec in signature.inputs:
        _check_spec("input", by_name[spec.name], spec)
    for value, spec in zip(model.graph.output, signature.outputs, strict=True):
        _check_spec("output", value, spec)


def _check_spec(side: str, value: onnx.ValueInfoProto, spec: TensorSpec) -> None:
    tensor = value.type.tensor_type
    dtype = from_onnx(tensor.elem_type)
    if dtype is not spec.dtype:
        raise failed(
            f"{side} {spec.name!r} of the converted graph is {element_name(tensor.elem_type)}, "
            f"the model's is {spec.dtype.value}"
        )
    if not tensor.HasField("shape"):
        return
    dims = list(tensor.shape.dim)
    fixed = [
        (d.dim_value, s) for d, s in zip(dims, spec.shape, strict=False) if d.HasField("dim_value")
    ]
    if len(dims) != len(spec.shape) or any(got != want for got, want in fixed):
        shown = [d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in dims]
        raise failed(
            f"{side} {spec.name!r} of the converted graph has shape {shown}, the model's is "
            f"{list(spec.shape)}: a dim is fixed or reordered that the signature leaves free",
            side=side,
            name=spec.name,
        )
