"""The rules of a manifest that hold between its members (bundle format §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sealane.bundle.json_members import invalid
from sealane.bundle.manifest import MANIFEST_NAME, SIGNATURE_NAME, Manifest, Variant
from sealane.bundle.verdict import Verdict
from sealane.core import DType, ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sealane.bundle.limits import ReaderLimits
    from sealane.core import Signature, TensorSpec

STRING_WIDTH = 16


def check_manifest_rules(manifest: Manifest, limits: ReaderLimits) -> None:
    """Check what no single member can say.

    Raises:
        SealaneError: MANIFEST_INVALID, or LIMIT_EXCEEDED for tensors and file counts.
    """
    _check_sizes(manifest, limits)
    _check_signature(manifest.signature)
    _check_files(manifest)
    _check_variants(manifest)
    _check_golden(manifest)
    listed = {entry.path for entry in manifest.files}
    for step in manifest.preprocess:
        if step.path not in listed:
            raise invalid("preprocess", f"path {step.path!r} is not in files")


def _check_sizes(manifest: Manifest, limits: ReaderLimits) -> None:
    if len(manifest.files) > limits.files:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED,
            f"{MANIFEST_NAME}: {len(manifest.files)} files, limit {limits.files}",
        )
    most = min(limits.tensor_bytes, manifest.limits.max_tensor_bytes or limits.tensor_bytes)
    for spec in (*manifest.signature.inputs, *manifest.signature.outputs):
        size = least_bytes(spec)
        if size > most:
            raise SealaneError(
                ErrorCode.LIMIT_EXCEEDED,
                f"{MANIFEST_NAME}: {spec} takes at least {size} bytes, limit {most}",
                {"tensor": spec.name},
            )


def least_bytes(spec: TensorSpec) -> int:
    """Bytes of a tensor whose symbols are all 1; 16 for each BYTES element."""
    size = spec.dtype.width or STRING_WIDTH
    for dim in spec.shape:
        if isinstance(dim, int):
            size *= dim
    return size


def _check_signature(signature: Signature) -> None:
    for where, specs in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        _unique((spec.name for spec in specs), f"signature.{where}")
    used = {dim for spec in (*signature.inputs, *signature.outputs) for dim in spec.shape}
    for symbol in signature.symbols:
        if symbol not in used:
            raise invalid("signature.symbols", f"{symbol[:80]!r} occurs in no dims")
    for name, method in signature.methods.items():
        for given in method.inputs:
            if signature.input(given) is None:
                raise invalid(f"signature.methods.{name}", f"no input {given[:80]!r}")
        for given in method.outputs:
            if signature.output(given) is None:
                raise invalid(f"signature.methods.{name}", f"no output {given[:80]!r}")


def _check_files(manifest: Manifest) -> None:
    if not manifest.files:
        raise invalid("files", "expected at least one file")
    before: str | None = None
    for entry in manifest.files:
        if entry.path in (MANIFEST_NAME, SIGNATURE_NAME):
            raise invalid("files", f"{entry.path} must not be listed")
        if before is not None and entry.path <= before:
            raise invalid(
                "files", f"{entry.path!r} stands after {before!r}; sort by path, once each"
            )
        before = entry.path


def _check_variants(manifest: Manifest) -> None:
    if not manifest.variants:
        raise invalid("variants", "expected at least one variant")
    _unique((variant.id for variant in manifest.variants), "variants")
    primaries = sum(variant.role == "primary" for variant in manifest.variants)
    if primaries != 1:
        raise invalid("variants", f"{primaries} variants are primary, expected exactly one")
    listed = {entry.path for entry in manifest.files}
    for variant in manifest.variants:
        where = f"variants.{variant.id}"
        _check_variant_path(variant, listed, where)
        _check_binding(variant.bindings.inputs, manifest.signature.inputs, f"{where}.inputs")
        _check_binding(variant.bindings.outputs, manifest.signature.outputs, f"{where}.outputs")
        declared = variant.verdict is Verdict.WITHIN_DECLARED
        if declared != (variant.tolerance is not None):
            raise invalid(where, "tolerance is given exactly when the verdict is within-declared")


def _check_variant_path(variant: Variant, listed: set[str], where: str) -> None:
    if variant.kind == "onnx":
        found = variant.path in listed
    elif variant.kind == "savedmodel":
        found = f"{variant.path}/saved_model.pb" in listed
    elif variant.kind == "dl4j":
        found = variant.path in listed and variant.path.rpartition("/")[2] == "network.json"
    else:
        folder = f"{variant.path}/"
        found = variant.path in listed or any(path.startswith(folder) for path in listed)
    if not found:
        raise invalid(where, f"path {variant.path!r} holds no listed file of kind {variant.kind}")


def _check_binding(binding: dict[str, str], specs: tuple[TensorSpec, ...], where: str) -> None:
    names = {spec.name for spec in specs}
    if binding.keys() != names:
        odd = sorted(binding.keys() ^ names)
        raise invalid(where, f"bindings must name each tensor of the signature once: {odd[:8]}")
    _unique(binding.values(), where)


def _check_golden(manifest: Manifest) -> None:
    _unique((ref.id for ref in manifest.golden), "golden")
    if not manifest.golden and any(
        each.verdict is not Verdict.FAILED for each in manifest.variants
    ):
        raise invalid("golden", "a verdict other than failed needs golden cases")
    listed = {entry.path for entry in manifest.files}
    tensors = (*manifest.signature.inputs, *manifest.signature.outputs)
    has_strings = any(spec.dtype is DType.BYTES for spec in tensors)
    for ref in manifest.golden:
        where = f"golden.{ref.id}"
        if ref.path != f"golden/{ref.id}.safetensors" or ref.path not in listed:
            raise invalid(where, f"path must be the listed file golden/{ref.id}.safetensors")
        if has_strings != (ref.strings is not None):
            raise invalid(where, "strings is given exactly when the signature has BYTES tensors")
        if ref.strings is not None and (
            ref.strings != f"golden/{ref.id}.json" or ref.strings not in listed
        ):
            raise invalid(where, f"strings must be the listed file golden/{ref.id}.json")


def _unique(names: Iterable[str], where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise invalid(where, f"{name[:80]!r} appears twice")
        seen.add(name)
