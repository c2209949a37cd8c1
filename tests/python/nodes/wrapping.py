"""A backend test wrapped in a bundle, as an author would who has only the ONNX file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from python.nodes.cases import NodeCase, dtype_of

from sealane.bundle import ArtifactDraft, Bindings, BundleDraft, Verdict, write_bundle
from sealane.core import Signature, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import onnx

    from sealane.core import Dim


def signature_of(case: NodeCase) -> Signature:
    """The signature that the graph declares; dims it leaves open become symbols of their own.

    An input that has an initializer is not part of it (docs/bundle-format.md §4.4).
    """
    graph = case.model.graph
    fixed = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in fixed]
    return Signature(
        tuple(_spec(each, case.inputs) for each in inputs),
        tuple(_spec(each, case.expected) for each in graph.output),
    )


def write_case(path: Path, case: NodeCase, signature: Signature) -> None:
    """Writes the bundle. It claims no verdict: a backend test has no source model to agree with."""
    source = path.with_name(f"{path.name}.onnx")
    source.write_bytes(case.model.SerializeToString())
    artifact = ArtifactDraft(
        id="onnx",
        kind="onnx",
        role="primary",
        source=source,
        bindings=Bindings(
            {spec.name: spec.name for spec in signature.inputs},
            {spec.name: spec.name for spec in signature.outputs},
        ),
        precision="mixed",
        verdict=Verdict.FAILED,
    )
    write_bundle(path, BundleDraft("node-case", "1", signature, (artifact,)))


def _spec(value: onnx.ValueInfoProto, data: dict[str, np.ndarray]) -> TensorSpec:
    tensor = value.type.tensor_type
    if tensor.HasField("shape"):
        dims = [
            dim.dim_value if dim.WhichOneof("value") == "dim_value" else dim.dim_param
            for dim in tensor.shape.dim
        ]
    else:
        dims = [""] * data[value.name].ndim
    return TensorSpec(value.name, dtype_of(value), _symbols(value.name, dims))


def _symbols(name: str, dims: Sequence[int | str]) -> tuple[Dim, ...]:
    return tuple(
        dim if isinstance(dim, int) else _symbol(dim or f"{name}_{axis}")
        for axis, dim in enumerate(dims)
    )


def _symbol(text: str) -> str:
    return "s_" + re.sub(r"[^A-Za-z0-9_]", "_", text)[:60]
