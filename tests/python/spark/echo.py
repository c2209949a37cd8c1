"""Bundles whose outputs are their inputs, and others that are as simple."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from onnx import helper
from python.runtime import models
from python.runtime.bundles import write_onnx

from sealane.bundle import (
    GoldenCase,
    Verdict,
)
from sealane.bundle.signature_parser import parse_signature
from sealane.core import Domain, DType, Signature

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

    from sealane.core import TensorSpec


def signature_of(members: dict[str, object]) -> Signature:
    """A signature of a data file."""
    return parse_signature(lenient=False)(members, "signature")


def write(
    path: Path,
    made: onnx.ModelProto,
    signature: Signature,
    *,
    version: str = "1.0.0",
    golden: tuple[GoldenCase, ...] = (),
) -> Path:
    """Writes a bundle with one ONNX variant."""
    path.parent.mkdir(parents=True, exist_ok=True)
    verdict = Verdict.BIT_EXACT if golden else Verdict.FAILED
    return write_onnx(path, made, signature, golden, version=version, verdict=verdict)


def echo(path: Path, signature: Signature) -> Path:
    """Writes a bundle whose outputs ``out_<input>`` are its inputs; others are constant."""
    nodes = []
    names = {spec.name for spec in signature.inputs}
    initializers = {}
    for spec in signature.outputs:
        source = spec.name.removeprefix("out_")
        if source not in names:
            source = f"constant_{spec.name}"
            initializers[source] = np.zeros(spec.shape, spec.dtype.numpy)
        nodes.append(helper.make_node("Identity", [source], [spec.name]))
    given = {spec.name: _sample(spec, signature) for spec in signature.inputs}
    expected = {
        spec.name: given.get(
            spec.name.removeprefix("out_"), initializers.get(f"constant_{spec.name}")
        )
        for spec in signature.outputs
    }
    batch = len(next(iter(given.values())))
    golden = GoldenCase("sample", "a row of each", batch, given, expected, {})
    made = models.model(nodes, signature, initializers)
    return write(path, made, signature, golden=(golden,))


def with_sample(path: Path, made, signature: Signature, given, expected, **options) -> Path:
    """Writes a bundle with one golden case of these inputs and outputs."""
    tensors = {
        spec.name: np.array({**given, **expected}[spec.name], spec.dtype.numpy)
        for spec in (*signature.inputs, *signature.outputs)
    }
    batch = len(next(iter(tensors.values())))
    golden = GoldenCase(
        "sample",
        "a row of each",
        batch,
        {spec.name: tensors[spec.name] for spec in signature.inputs},
        {spec.name: tensors[spec.name] for spec in signature.outputs},
        {},
    )
    return write(path, made, signature, golden=(golden,), **options)


def _sample(spec: TensorSpec, signature: Signature) -> np.ndarray:
    """A tensor that the signature takes."""
    domain = spec.domain or Domain()
    shape = tuple(_size(dim, signature) for dim in spec.shape)
    if spec.dtype is DType.BYTES:
        return np.full(shape, (domain.vocabulary or ("a",))[0], object)
    return np.full(shape, math.ceil(domain.minimum or 0), spec.dtype.numpy)


def _size(dim: int | str, signature: Signature) -> int:
    if isinstance(dim, int):
        return dim
    allowed = signature.symbols.get(dim)
    return 2 if allowed is None or allowed.minimum == 0 else allowed.minimum


def mlp(path: Path, *widths: int, seed: int = 0, version: str = "1.0.0") -> Path:
    """Writes a perceptron's bundle with a golden case of its own."""
    from sealane.runtime.onnx import OnnxEngine

    made, signature = models.mlp(*widths, seed=seed)
    names = {"x": "x"}, {"y": "y"}
    engine = OnnxEngine(
        made.SerializeToString(), signature, inputs=names[0], outputs=names[1], label="mlp"
    )
    x = np.random.default_rng(1).standard_normal((5, widths[0]), np.float32)
    y = engine.run({"x": x}, ("y",))["y"]
    golden = GoldenCase("five", "seeded", 5, {"x": x}, {"y": y}, {})
    return write(path, made, signature, version=version, golden=(golden,))
