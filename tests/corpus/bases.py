"""The good bundles of the corpus. All arithmetic is exact in float32, so every engine agrees."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sealane.bundle import (
    ArtifactDraft,
    Bindings,
    BundleDraft,
    GoldenCase,
    Requires,
    Unavailable,
    Verdict,
    write_bundle,
)
from sealane.bundle.dtype_codes import ONNX
from sealane.core import Domain, DType, Signature, SymbolRange, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sealane.bundle.manifest import Role

CREATED_AT = "2026-01-01T00:00:00Z"
OPSETS = {"": 20}
ML_OPSETS = {"": 20, "ai.onnx.ml": 4}
FEATURES = TensorSpec("features", DType.FP32, ("batch", 4), "numeric")
SCORES = TensorSpec("scores", DType.FP32, ("batch", 3), "logits")
BATCH = {"batch": SymbolRange(1, 4096)}
MLP_SIGNATURE = Signature((FEATURES,), (SCORES,), BATCH)
MLP_BINDINGS = Bindings({"features": "x"}, {"scores": "y"})
DTYPES = tuple(DType)


def eighths(seed: int, *shape: int) -> np.ndarray:
    """Multiples of 1/8 in [-2, 2]: products and short sums of them are exact in float32."""
    return (np.random.default_rng(seed).integers(-16, 17, shape) / 8).astype(np.float32)


HIDDEN_WEIGHT, HIDDEN_BIAS = eighths(1, 4, 8), eighths(2, 8)
OUTPUT_WEIGHT, OUTPUT_BIAS = eighths(3, 8, 3), eighths(4, 3)


def tensor(name: str, value: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(value, name)


def model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    initializers: list[onnx.TensorProto],
    opsets: dict[str, int] = OPSETS,
    functions: list[onnx.FunctionProto] | None = None,
) -> onnx.ModelProto:
    """A model of IR version 10 without producer metadata."""
    return helper.make_model(
        helper.make_graph(nodes, "graph", inputs, outputs, initializers),
        opset_imports=[helper.make_opsetid(name, version) for name, version in opsets.items()],
        functions=functions or [],
        ir_version=10,
    )


def value(spec: TensorSpec, name: str | None = None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name or spec.name, ONNX[spec.dtype], list(spec.shape))


def mlp_model() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "w1", "b1"], ["y"]),
    ]
    weights = [
        tensor("w0", HIDDEN_WEIGHT),
        tensor("b0", HIDDEN_BIAS),
        tensor("w1", OUTPUT_WEIGHT),
        tensor("b1", OUTPUT_BIAS),
    ]
    return model(nodes, [value(FEATURES, "x")], [value(SCORES, "y")], weights)


def mlp_bytes() -> int:
    """The size of the model file of the bundle ``mlp``."""
    return len(mlp_model().SerializeToString(deterministic=True))


def mlp_scores(features: np.ndarray) -> np.ndarray:
    """float64 scores [batch, 3] of float32 features [batch, 4]."""
    hidden = np.maximum(features.astype(np.float64) @ HIDDEN_WEIGHT + HIDDEN_BIAS, 0)
    return hidden @ OUTPUT_WEIGHT + OUTPUT_BIAS


def mlp_case(name: str, purpose: str, batch: int, seed: int) -> GoldenCase:
    features = eighths(seed, batch, 4)
    exact = mlp_scores(features)
    return GoldenCase(
        name,
        purpose,
        batch,
        {"features": features},
        {"scores": exact.astype(np.float32)},
        {"scores": exact},
    )


MLP_CASES = (
    mlp_case("batch-1", "batch of one", 1, 11),
    mlp_case("batch-5", "odd batch", 5, 12),
)


def certificate(variants: list[str], cases: tuple[GoldenCase, ...]) -> dict[str, object]:
    return {
        "schema": 1,
        "tool": {"name": "sealane", "version": "conformance"},
        "golden": [{"id": case.id, "batch": case.batch} for case in cases],
        "runs": [{"variant": each, "verdict": "bit-exact"} for each in variants],
    }


def onnx_draft(folder: Path, proto: onnx.ModelProto, bindings: Bindings) -> ArtifactDraft:
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString(deterministic=True))
    opsets = {each.domain or "ai.onnx": each.version for each in proto.opset_import}
    return ArtifactDraft(
        "onnx", "onnx", "primary", path, bindings, "fp32", Verdict.BIT_EXACT,
        Requires(10, opsets, tuple(sorted({node.op_type for node in proto.graph.node}))),
    )  # fmt: skip


def mlp_draft(folder: Path, name: str = "mlp") -> BundleDraft:
    return BundleDraft(
        name=name,
        version="1.0.0",
        signature=MLP_SIGNATURE,
        artifacts=(onnx_draft(folder, mlp_model(), MLP_BINDINGS),),
        golden=MLP_CASES,
        unavailable=(Unavailable("savedmodel", "the source is a graph written by hand"),),
        environment={"generator": "regenerate.py"},
        lineage={"source": "hand-written", "seed": 1},
        certificate=certificate(["onnx"], MLP_CASES),
        licenses=("Apache-2.0",),
        created_at=CREATED_AT,
    )


CARRIERS = ("AA", "B6", "ÉÜ", "日本")
KIND_LABELS = ("short", "long")


CARRIER = TensorSpec(
    "carrier", DType.BYTES, ("batch",), "categorical", Domain(nullable=True, vocabulary=CARRIERS)
)
DISTANCE = TensorSpec(
    "distance",
    DType.FP32,
    ("batch",),
    "numeric",
    Domain(nullable=True, minimum=0.0, maximum=8192.0),
)
SCORE = TensorSpec("score", DType.FP32, ("batch",))
LABEL = TensorSpec("label", DType.BYTES, ("batch",))
STRINGS_SIGNATURE = Signature((CARRIER, DISTANCE), (SCORE, LABEL))


def strings_draft(folder: Path) -> BundleDraft:
    """Strings and missing values: carrier and distance to a score and a label."""
    nodes = [
        helper.make_node(
            "LabelEncoder", ["carrier"], ["code"], domain="ai.onnx.ml",
            keys_strings=list(CARRIERS), values_floats=[1.0, 2.0, 3.0, 4.0], default_float=0.5,
        ),
        helper.make_node("IsNaN", ["distance"], ["absent"]),
        helper.make_node("Where", ["absent", "median", "distance"], ["filled"]),
        helper.make_node("Mul", ["filled", "slope"], ["part"]),
        helper.make_node("Add", ["part", "code"], ["score"]),
        helper.make_node("Greater", ["filled", "limit"], ["far"]),
        helper.make_node("Cast", ["far"], ["kind"], to=TensorProto.INT64),
        helper.make_node(
            "LabelEncoder", ["kind"], ["label"], domain="ai.onnx.ml",
            keys_int64s=[0, 1], values_strings=list(KIND_LABELS),
        ),
    ]  # fmt: skip
    constants = [
        tensor("median", np.float32(512)),
        tensor("slope", np.float32(1 / 256)),
        tensor("limit", np.float32(1000)),
    ]
    proto = model(
        nodes, [value(CARRIER), value(DISTANCE)], [value(SCORE), value(LABEL)], constants, ML_OPSETS
    )
    cases = (
        _strings_case("known", ["AA", "日本", "ÉÜ"], [256.0, 2048.0, 1000.0]),
        _strings_case("missing", [None, "", "ZZ", "B6"], [np.nan, 0.0, 8192.0, np.nan]),
    )
    names = Bindings(
        {"carrier": "carrier", "distance": "distance"}, {"score": "score", "label": "label"}
    )
    return BundleDraft(
        name="strings",
        version="1.0.0",
        signature=STRINGS_SIGNATURE,
        artifacts=(onnx_draft(folder, proto, names),),
        golden=cases,
        certificate=certificate(["onnx"], cases),
        created_at=CREATED_AT,
    )


def _strings_case(name: str, carriers: list[str | None], distances: list[float]) -> GoldenCase:
    codes = np.array(
        [dict(zip(CARRIERS, (1, 2, 3, 4), strict=True)).get(c or "", 0.5) for c in carriers]
    )
    distance = np.array(distances, dtype=np.float32)
    filled = np.where(np.isnan(distance), np.float32(512), distance)
    exact = filled.astype(np.float64) / 256 + codes
    labels = np.array([KIND_LABELS[int(far)] for far in filled > 1000], dtype=object)
    return GoldenCase(
        name, "strings and missing values", len(carriers),
        {"carrier": np.array(carriers, dtype=object), "distance": distance},
        {"score": exact.astype(np.float32), "label": labels},
        {"score": exact},
    )  # fmt: skip


def external_draft(folder: Path) -> BundleDraft:
    proto = mlp_model()
    data = b""
    for each in proto.graph.initializer:
        data += b"\0" * (-len(data) % 64)
        raw = each.raw_data
        each.ClearField("raw_data")
        each.data_location = TensorProto.EXTERNAL
        for key, text in (
            ("location", "model.onnx.data"),
            ("offset", len(data)),
            ("length", len(raw)),
        ):
            each.external_data.add(key=key, value=str(text))
        data += raw
    (folder / "model.onnx.data").write_bytes(data)
    draft = mlp_draft(folder, "external")
    return _with_artifacts(draft, (onnx_draft(folder, proto, MLP_BINDINGS),), unavailable=True)


def dtypes_signature(dtypes: Sequence[DType] = DTYPES) -> Signature:
    return Signature(
        tuple(TensorSpec(f"in_{each.value}", each, ("n",)) for each in dtypes),
        tuple(TensorSpec(f"out_{each.value}", each, ("n",)) for each in dtypes),
    )


def dtypes_draft(
    folder: Path, name: str = "dtypes", dtypes: Sequence[DType] = DTYPES
) -> BundleDraft:
    """Every dtype, or those given, passed through."""
    signature = dtypes_signature(dtypes)
    inputs, outputs = signature.inputs, signature.outputs
    nodes = [
        helper.make_node("Identity", [a.name], [b.name])
        for a, b in zip(inputs, outputs, strict=True)
    ]
    proto = model(nodes, [value(each) for each in inputs], [value(each) for each in outputs], [])
    arrays = {each: _extremes(each) for each in dtypes}
    case = GoldenCase(
        "extremes", "extremes of each dtype", 3,
        {f"in_{each.value}": arrays[each] for each in dtypes},
        {f"out_{each.value}": arrays[each] for each in dtypes},
        {f"out_{each.value}": arrays[each].astype(np.float64) for each in dtypes if each.is_float},
    )  # fmt: skip
    names = Bindings(
        {each.name: each.name for each in inputs}, {each.name: each.name for each in outputs}
    )
    return BundleDraft(
        name=name,
        version="1.0.0",
        signature=signature,
        artifacts=(onnx_draft(folder, proto, names),),
        golden=(case,),
        certificate=certificate(["onnx"], (case,)),
        created_at=CREATED_AT,
    )


DOMAINS_SIGNATURE = Signature(
    (
        TensorSpec(
            "token", DType.BYTES, ("batch",), None, Domain(vocabulary=("a", "b"), closed=True)
        ),
        TensorSpec("amount", DType.FP32, ("batch", 2), None, Domain(minimum=0.0, maximum=10.0)),
        TensorSpec("count", DType.INT64, ("batch",), None, Domain(minimum=0, maximum=100)),
        TensorSpec("ids", DType.UINT8, ("rows", "length")),
    ),
    (
        TensorSpec("token_out", DType.BYTES, ("batch",)),
        TensorSpec("amount_out", DType.FP32, ("batch", 2)),
        TensorSpec("count_out", DType.INT64, ("batch",)),
        TensorSpec("ids_out", DType.UINT8, ("rows", "length")),
    ),
    {"batch": SymbolRange(1, 8), "length": SymbolRange(multiple_of=2)},
)


def domains_draft(folder: Path) -> BundleDraft:
    """Inputs that refuse much, passed through: what ``bad_inputs.json`` is tried on."""
    inputs, outputs = DOMAINS_SIGNATURE.inputs, DOMAINS_SIGNATURE.outputs
    nodes = [
        helper.make_node("Identity", [a.name], [b.name])
        for a, b in zip(inputs, outputs, strict=True)
    ]
    proto = model(nodes, [value(each) for each in inputs], [value(each) for each in outputs], [])
    arrays = {
        "token": np.array(["b", "a"], dtype=object),
        "amount": np.array([[0, 10], [1, 2.5]], dtype=np.float32),
        "count": np.array([0, 100]),
        "ids": np.array([[0, 1, 2, 255]], dtype=np.uint8),
    }
    case = GoldenCase(
        "bounds", "bounds of each domain", 2, arrays,
        {f"{name}_out": array for name, array in arrays.items()},
        {"amount_out": arrays["amount"].astype(np.float64)},
    )  # fmt: skip
    names = Bindings(
        {each.name: each.name for each in inputs}, {each.name: each.name for each in outputs}
    )
    return BundleDraft(
        name="domains",
        version="1.0.0",
        signature=DOMAINS_SIGNATURE,
        artifacts=(onnx_draft(folder, proto, names),),
        golden=(case,),
        certificate=certificate(["onnx"], (case,)),
        created_at=CREATED_AT,
    )


def _extremes(dtype: DType) -> np.ndarray:
    if dtype is DType.BYTES:
        return np.array(["", "ß日本\U0001f6eb", "line\nbreak"], dtype=object)
    if dtype is DType.BOOL:
        return np.array([True, False, True])
    if dtype.is_float:
        return np.array([-0.0, np.inf, 1.5], dtype=np.float64).astype(dtype.numpy)
    info = np.iinfo(dtype.numpy)
    return np.array([info.min, info.max, 1], dtype=dtype.numpy)


SAVED_MODELS = ("both", "savedmodel-dtypes", "savedmodel-domains", "savedmodel-strings")
"""The good bundles with a SavedModel; ``saved_models.py`` makes them."""


def saved_model_artifact(signature: Signature, saved_model: Path, role: Role) -> ArtifactDraft:
    names = Bindings(
        {each.name: each.name for each in signature.inputs},
        {each.name: each.name for each in signature.outputs},
    )
    return ArtifactDraft(
        "saved-model", "savedmodel", role, saved_model, names, "fp32", Verdict.BIT_EXACT
    )


def both_draft(folder: Path, saved_model: Path) -> BundleDraft:
    """ONNX and SavedModel of one model."""
    first = onnx_draft(folder, mlp_model(), MLP_BINDINGS)
    second = saved_model_artifact(MLP_SIGNATURE, saved_model, "optional")
    return _with_artifacts(mlp_draft(folder, "both"), (first, second))


def twin_draft(draft: BundleDraft, saved_model: Path) -> BundleDraft:
    """The same model and golden cases with a SavedModel alone."""
    artifact = saved_model_artifact(draft.signature, saved_model, "primary")
    twin = _with_artifacts(draft, (artifact,))
    return replace(twin, name=f"savedmodel-{draft.name}")


def network_mlp_draft(folder: Path) -> BundleDraft:
    """ONNX and network of one model."""
    from corpus.network_bundle import mlp_variant

    first = onnx_draft(folder, mlp_model(), MLP_BINDINGS)
    return _with_artifacts(mlp_draft(folder, "network-mlp"), (first, mlp_variant(folder)))


def _with_artifacts(
    draft: BundleDraft, artifacts: tuple[ArtifactDraft, ...], *, unavailable: bool = False
) -> BundleDraft:
    return BundleDraft(
        name=draft.name,
        version=draft.version,
        signature=draft.signature,
        artifacts=artifacts,
        golden=draft.golden,
        unavailable=draft.unavailable if unavailable else (),
        environment=draft.environment,
        lineage=draft.lineage,
        certificate=certificate([each.id for each in artifacts], draft.golden),
        licenses=draft.licenses,
        created_at=CREATED_AT,
    )


def write_bases(target: Path, saved_models: Path) -> None:
    """Write every good bundle into ``target``; SavedModels are found by name."""
    target.mkdir(parents=True, exist_ok=True)
    from corpus.network_bundle import network_draft

    makers: dict[str, Callable[[Path], BundleDraft]] = {
        "network": network_draft,
        "network-mlp": network_mlp_draft,
        "mlp": mlp_draft,
        "strings": strings_draft,
        "external": external_draft,
        "dtypes": dtypes_draft,
        "domains": domains_draft,
        "both": lambda folder: both_draft(folder, saved_models / "both"),
    }
    for name in SAVED_MODELS[1:]:
        original = makers[name.removeprefix("savedmodel-")]
        makers[name] = partial(_twin, original, saved_models / name)
    for name, make in makers.items():
        folder = Path(tempfile.mkdtemp())
        try:
            write_bundle(target / name, make(folder))
        finally:
            shutil.rmtree(folder)


def _twin(original: Callable[[Path], BundleDraft], saved_model: Path, folder: Path) -> BundleDraft:
    return twin_draft(original(folder), saved_model)
