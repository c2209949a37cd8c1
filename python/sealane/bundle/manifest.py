"""The manifest of a bundle as types, and how they are printed (bundle format §2)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sealane.core import Domain, Method, Signature, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.bundle.verdict import Verdict

MANIFEST_NAME = "sealane.json"
SIGNATURE_NAME = "bundle.sig"
NOTE_NAME = "registered_model_meta"
"""What MLflow's registry adds to each copy that it hands out; never read (bundle format §1)."""
FORMAT = "sealane-bundle"
FORMAT_VERSION = "1.0"
ROLES = ("primary", "optional", "experimental")
PRECISIONS = ("fp64", "fp32", "fp16", "bf16", "int8", "mixed")

Free = dict[str, object]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: its POSIX path in the bundle, size in bytes, SHA-256 as 64 hex digits."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Bindings:
    """Signature names → the names the variant's engine uses, for inputs and outputs."""

    inputs: dict[str, str]
    outputs: dict[str, str]


@dataclass(frozen=True, slots=True)
class Requires:
    """What a variant needs of its engine: ONNX IR version, opset by domain, ``domain:Op`` names."""

    ir_version: int | None = None
    opsets: dict[str, int] = field(default_factory=dict[str, int])
    ops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What an author allows, |y - s| ≤ atol + rtol · max |s|, and why."""

    rtol: float
    atol: float
    reason: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One artifact of the model for one kind of engine.

    Attributes:
        id: Unique in the bundle.
        kind: ``onnx``, ``savedmodel``, ``dl4j``, or a kind this reader skips.
        role: ``primary``, ``optional`` or ``experimental``.
        path: The model file, the directory of a SavedModel, or the ``network.json``.
        bindings: Signature names to engine names.
        precision: ``fp64``, ``fp32``, ``fp16``, ``bf16``, ``int8`` or ``mixed``.
        verdict: The worst verdict in the certificate for this variant.
        requires: What it needs of its engine.
        tolerance: Given exactly when the verdict is ``within-declared``.
    """

    id: str
    kind: str
    role: str
    path: str
    bindings: Bindings
    precision: str
    verdict: Verdict
    requires: Requires = field(default_factory=Requires)
    tolerance: Tolerance | None = None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A kind of variant that was wanted, and why it is absent."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class GoldenRef:
    """Where a golden case lies: ``path`` (safetensors); with BYTES tensors, ``strings`` (JSON)."""

    id: str
    path: str
    purpose: str
    batch: int
    strings: str | None = None


@dataclass(frozen=True, slots=True)
class Preprocess:
    """A file used before the model."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class ManifestLimits:
    """Bounds the bundle puts on itself; None leaves the reader's own."""

    max_file_bytes: int | None = None
    max_tensor_bytes: int | None = None
    max_nodes: int | None = None
    max_constant_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """``sealane.json``: what is in a bundle and what it promises. Members as in format §2."""

    name: str
    version: str
    created_at: str
    content_id: str
    signature: Signature
    variants: tuple[Variant, ...]
    files: tuple[FileEntry, ...]
    format_version: str = FORMAT_VERSION
    critical: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()
    golden: tuple[GoldenRef, ...] = ()
    preprocess: tuple[Preprocess, ...] = ()
    environment: Free = field(default_factory=dict[str, object])
    lineage: Free = field(default_factory=dict[str, object])
    limits: ManifestLimits = field(default_factory=ManifestLimits)
    extensions: Free = field(default_factory=dict[str, object])

    @property
    def primary(self) -> Variant:
        """The one variant whose role is ``primary``."""
        return next(variant for variant in self.variants if variant.role == "primary")

    def variant(self, kind_or_id: str) -> Variant | None:
        """The variant of that id, else the foremost (by role) of that kind, else None."""
        for variant in self.variants:
            if variant.id == kind_or_id:
                return variant
        of_kind = [variant for variant in self.variants if variant.kind == kind_or_id]
        return min(of_kind, key=lambda variant: ROLES.index(variant.role), default=None)

    def with_files(self, files: tuple[FileEntry, ...], content_id: str) -> Manifest:
        """This manifest over another file list."""
        return replace(self, files=files, content_id=content_id)

    def to_json(self) -> bytes:
        """The text of ``sealane.json``: members in the order of the format, two spaces, UTF-8.

        Parsing it gives an equal manifest.
        """
        text = json.dumps(manifest_members(self), indent=2, ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8") + b"\n"


def default_methods(
    inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> dict[str, Method]:
    """The methods of a signature that names none: ``predict``, of all inputs and outputs."""
    return {
        "predict": Method(tuple(spec.name for spec in inputs), tuple(spec.name for spec in outputs))
    }


def manifest_members(manifest: Manifest) -> Free:
    """The manifest as JSON values, defaults left out."""
    return {
        "format": FORMAT,
        "formatVersion": manifest.format_version,
        **_given(critical=list(manifest.critical)),
        "name": manifest.name,
        "version": manifest.version,
        "createdAt": manifest.created_at,
        **_given(licenses=list(manifest.licenses)),
        "contentId": manifest.content_id,
        "signature": signature_members(manifest.signature),
        "variants": [_variant(variant) for variant in manifest.variants],
        **_given(
            unavailable=[
                {"kind": each.kind, "reason": each.reason} for each in manifest.unavailable
            ]
        ),
        "golden": [_golden(ref) for ref in manifest.golden],
        **_given(
            preprocess=[{"kind": each.kind, "path": each.path} for each in manifest.preprocess],
            environment=manifest.environment,
            lineage=manifest.lineage,
            limits=_limits(manifest.limits),
            extensions=manifest.extensions,
        ),
        "files": [
            {"path": each.path, "size": each.size, "sha256": each.sha256} for each in manifest.files
        ],
    }


def signature_members(signature: Signature) -> Free:
    """A signature as JSON values, defaults left out."""
    symbols: Free = {}
    for name, bounds in signature.symbols.items():
        members = _given(min=bounds.minimum)
        if bounds.maximum is not None:
            members["max"] = bounds.maximum
        if bounds.multiple_of != 1:
            members["multipleOf"] = bounds.multiple_of
        symbols[name] = members
    methods = signature.methods
    if methods == default_methods(signature.inputs, signature.outputs):
        methods = {}
    return {
        "inputs": [_tensor(spec) for spec in signature.inputs],
        "outputs": [_tensor(spec) for spec in signature.outputs],
        **_given(
            symbols=symbols,
            methods={
                name: {"inputs": list(method.inputs), "outputs": list(method.outputs)}
                for name, method in methods.items()
            },
        ),
    }


def _given(**members: object) -> Free:
    """The members whose value is not the default (None, empty, 0, False)."""
    return {name: value for name, value in members.items() if value is not None and value}


def _tensor(spec: TensorSpec) -> Free:
    members: Free = {"name": spec.name, "dtype": spec.dtype.value, "dims": list(spec.shape)}
    if spec.semantic is not None:
        members["semantic"] = spec.semantic
    if spec.domain is not None:
        members["domain"] = _domain(spec.domain)
    return members


def _domain(domain: Domain) -> Free:
    members = _given(nullable=domain.nullable)
    if domain.minimum is not None:
        members["min"] = domain.minimum
    if domain.maximum is not None:
        members["max"] = domain.maximum
    if domain.vocabulary is not None:
        members["vocabulary"] = list(domain.vocabulary)
    return members | _given(closed=domain.closed)


def _variant(variant: Variant) -> Free:
    members: Free = {
        "id": variant.id,
        "kind": variant.kind,
        "role": variant.role,
        "path": variant.path,
        "bindings": {
            "inputs": dict(variant.bindings.inputs),
            "outputs": dict(variant.bindings.outputs),
        },
    }
    members |= _given(requires=_requires(variant.requires))
    members["precision"] = variant.precision
    members["verdict"] = variant.verdict.value
    if variant.tolerance is not None:
        members["tolerance"] = {
            "rtol": variant.tolerance.rtol,
            "atol": variant.tolerance.atol,
            "reason": variant.tolerance.reason,
        }
    return members


def _requires(requires: Requires) -> Free:
    members: Free = {}
    if requires.ir_version is not None:
        members["irVersion"] = requires.ir_version
    return members | _given(opsets=dict(requires.opsets), ops=list(requires.ops))


def _golden(ref: GoldenRef) -> Free:
    members: Free = {"id": ref.id, "path": ref.path}
    if ref.strings is not None:
        members["strings"] = ref.strings
    return members | {"purpose": ref.purpose, "batch": ref.batch}


def _limits(limits: ManifestLimits) -> Mapping[str, object]:
    return _given(
        maxFileBytes=limits.max_file_bytes,
        maxTensorBytes=limits.max_tensor_bytes,
        maxNodes=limits.max_nodes,
        maxConstantBytes=limits.max_constant_bytes,
    )
