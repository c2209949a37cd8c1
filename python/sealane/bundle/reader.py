"""Reading a bundle: nothing is believed until it has been checked (bundle format §4)."""

from __future__ import annotations

import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sealane.bundle.content import check_content_allowed, content_id
from sealane.bundle.files import (
    Digested,
    check_files,
    check_sizes,
    digest_file,
    list_files,
    read_at_most,
)
from sealane.bundle.golden import GoldenCase, read_golden
from sealane.bundle.limits import DEFAULT_LIMITS, ReaderLimits
from sealane.bundle.manifest import (
    MANIFEST_NAME,
    SIGNATURE_NAME,
    FileEntry,
    Manifest,
    Variant,
)
from sealane.bundle.manifest_parser import check_manifest_paths, parse_members
from sealane.bundle.network_check import FILES as NETWORK_FILES
from sealane.bundle.network_check import check_network_variant
from sealane.bundle.policy import Policy, Signer, TrustedSigners, check_demands
from sealane.bundle.saved_model_check import check_saved_model
from sealane.bundle.signing_check import check_signature
from sealane.bundle.strict_json import parse_strict_json
from sealane.bundle.verified_bundle import Artifact, VerifiedBundle, remove_private
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

CERTIFICATE_PATH = "evidence/parity.json"

LARGE_BYTES = 1 << 20
"""Size from which a file is worth a thread."""


def read_bundle(
    path: Path | str,
    *,
    limits: ReaderLimits = DEFAULT_LIMITS,
    policy: Policy | None = None,
    keep: Collection[str] = (),
) -> VerifiedBundle:
    """Read and verify a bundle.

    Args:
        path: Its directory.
        limits: The reader's bounds; the bundle's own ``limits`` can only lower them.
        policy: What is asked of signature, verdict and version; None asks for nothing.
        keep: Ids or kinds of the variants whose bytes are wanted. An ONNX file without external
            data is kept in memory; others are copied, while they are digested, into a private
            directory that the result owns.

    Returns:
        The verified bundle. Nothing is written into the bundle, and a refused one leaves
        nothing behind.

    Raises:
        SealaneError: A code of the bundle family, in the order of checks of the format (§2).
    """
    root = Path(path)
    try:
        return _read(root, limits, policy or Policy(), keep)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise SealaneError(
            ErrorCode.BUNDLE_NOT_FOUND, f"{root} can not be read: {error.strerror}"
        ) from error


def _read(
    root: Path, limits: ReaderLimits, policy: Policy, keep: Collection[str]
) -> VerifiedBundle:
    manifest, manifest_digest = _read_manifest(root, limits)
    bounds = _lower_limits(limits, manifest)
    listing = list_files(root, bounds)
    check_manifest_paths(manifest)
    check_sizes(manifest.files, listing.sizes, bounds)
    reading = _Reading(root, manifest, bounds, keep)
    try:
        reading.read_ahead(listing.sizes)
        check_files(listing, manifest.files, reading.digest)
        return reading.verified(policy, manifest_digest)
    except BaseException:
        remove_private(reading.private)
        raise


class _Reading:
    """One bundle on its way to being verified."""

    def __init__(
        self, root: Path, manifest: Manifest, limits: ReaderLimits, keep: Collection[str]
    ) -> None:
        self.root = root
        self.manifest = manifest
        self.limits = limits
        self.kept = [each for each in manifest.variants if each.id in keep or each.kind in keep]
        self.private: Path | None = None
        self.files: dict[str, Digested] = {}
        self._copied = {
            entry.path for each in self.kept for entry in _private_files(each, manifest.files)
        }
        self._captured = _captured_paths(manifest)

    def read_ahead(self, sizes: Mapping[str, int]) -> None:
        """Digest large files side by side, where there are several: hashing needs no lock."""
        large = [
            each
            for each in self.manifest.files
            if each.size >= LARGE_BYTES and sizes.get(each.path) == each.size
        ]
        if len(large) < 2:
            return
        for entry in large:
            self._private_copy(entry)
        with ThreadPoolExecutor(min(len(large), os.cpu_count() or 1)) as pool:
            for entry, digested in zip(large, pool.map(self._read, large), strict=True):
                self.files[entry.path] = digested

    def digest(self, entry: FileEntry) -> str:
        if entry.path not in self.files:
            self.files[entry.path] = self._read(entry)
        return self.files[entry.path].sha256

    def _read(self, entry: FileEntry) -> Digested:
        capture = entry.path in self._captured and entry.size <= self.limits.onnx_bytes
        return digest_file(self.root, entry, capture=capture, copy_to=self._private_copy(entry))

    def _private_copy(self, entry: FileEntry) -> Path | None:
        if entry.path not in self._copied:
            return None
        if self.private is None:
            self.private = Path(tempfile.mkdtemp(prefix="sealane-"))
        return self.private / entry.path

    def verified(self, policy: Policy, manifest_digest: str) -> VerifiedBundle:
        manifest = self.manifest
        expected = content_id(manifest.files)
        if manifest.content_id != expected:
            raise SealaneError(
                ErrorCode.CONTENT_ID_MISMATCH,
                f"sealane.json gives content id {manifest.content_id}, its files make {expected}",
            )
        for entry in manifest.files:
            check_content_allowed(entry.path, self.files[entry.path].head)
        digests = {path: digested.sha256 for path, digested in self.files.items()}
        digests[MANIFEST_NAME] = manifest_digest
        signer = self._signer(policy.signed_by, digests)
        check_demands(policy, manifest, self.kept)
        golden = tuple(self._golden_case(index) for index in range(len(manifest.golden)))
        self._check_artifacts()
        certificate = self._certificate()
        artifacts = {each.id: self._artifact(each) for each in self.kept}
        return VerifiedBundle(
            self.root, manifest, golden, artifacts, certificate, digests, signer, self.private
        )

    def data(self, path: str) -> bytes:
        data = self.files[path].data
        if data is None:
            raise SealaneError(
                ErrorCode.LIMIT_EXCEEDED, f"{path}: above {self.limits.onnx_bytes} bytes"
            )
        return data

    def _signer(self, signers: TrustedSigners | None, digests: dict[str, str]) -> Signer | None:
        if signers is None:
            return None
        limit = self.limits.signature_bytes
        try:
            data = read_at_most(self.root / SIGNATURE_NAME, SIGNATURE_NAME, limit)
        except FileNotFoundError:
            raise SealaneError(
                ErrorCode.SIGNING_MISSING,
                f"{self.root} has no {SIGNATURE_NAME}, and the policy asks for a signer",
            ) from None
        if data is None:
            raise SealaneError(
                ErrorCode.LIMIT_EXCEEDED, f"{SIGNATURE_NAME}: more than {limit} bytes"
            )
        return check_signature(data, digests, signers, self.limits)

    def _golden_case(self, index: int) -> GoldenCase:
        ref = self.manifest.golden[index]
        strings = None if ref.strings is None else self.data(ref.strings)
        return read_golden(ref, self.data(ref.path), strings, self.manifest.signature, self.limits)

    def _check_artifacts(self) -> None:
        for variant in self.manifest.variants:
            if variant.kind == "onnx":
                from sealane.bundle.onnx_check import check_onnx

                sizes = {entry.path: entry.size for entry in self.manifest.files}
                check_onnx(
                    variant, self.data(variant.path), self.manifest.signature, sizes, self.limits
                )
            elif variant.kind == "savedmodel":
                data = self.data(f"{variant.path}/saved_model.pb")
                check_saved_model(variant, data, self.manifest.signature, self.limits)
            elif variant.kind == "dl4j":
                sizes = {entry.path: entry.size for entry in self.manifest.files}
                check_network_variant(
                    variant, self.data, self.manifest.signature, sizes, self.limits
                )

    def _certificate(self) -> dict[str, Any]:
        if CERTIFICATE_PATH not in self.files:
            return {}
        data = self.data(CERTIFICATE_PATH)
        if len(data) > self.limits.manifest_bytes:
            raise SealaneError(
                ErrorCode.LIMIT_EXCEEDED,
                f"{CERTIFICATE_PATH}: {len(data)} bytes, limit {self.limits.manifest_bytes}",
            )
        value = parse_strict_json(data, self.limits, where=CERTIFICATE_PATH)
        if not isinstance(value, dict):
            raise SealaneError(
                ErrorCode.MANIFEST_INVALID, f"{CERTIFICATE_PATH}: expected a JSON object"
            )
        return cast("dict[str, Any]", value)

    def _artifact(self, variant: Variant) -> Artifact:
        in_memory = variant.kind == "onnx" and variant.path not in self._copied
        if in_memory or self.private is None:
            return Artifact(self.data(variant.path), None)
        return Artifact(None, self.private / variant.path)


def _read_manifest(root: Path, limits: ReaderLimits) -> tuple[Manifest, str]:
    try:
        data = read_at_most(root / MANIFEST_NAME, MANIFEST_NAME, limits.manifest_bytes)
    except (FileNotFoundError, NotADirectoryError):
        raise SealaneError(
            ErrorCode.BUNDLE_NOT_FOUND, f"{root} is no directory with a {MANIFEST_NAME}"
        ) from None
    if data is None:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED,
            f"{MANIFEST_NAME}: more than {limits.manifest_bytes} bytes",
        )
    return parse_members(data, limits), hashlib.sha256(data).hexdigest()


def _lower_limits(limits: ReaderLimits, manifest: Manifest) -> ReaderLimits:
    """The lower of the reader's bounds and the bundle's own."""
    own = manifest.limits
    return replace(
        limits,
        file_bytes=min(limits.file_bytes, own.max_file_bytes or limits.file_bytes),
        tensor_bytes=min(limits.tensor_bytes, own.max_tensor_bytes or limits.tensor_bytes),
        onnx_nodes=min(limits.onnx_nodes, own.max_nodes or limits.onnx_nodes),
        constant_bytes=min(limits.constant_bytes, own.max_constant_bytes or limits.constant_bytes),
    )


def _private_files(variant: Variant, files: Sequence[FileEntry]) -> list[FileEntry]:
    """The files of a variant that an engine must find on disk; none when bytes suffice."""
    if variant.kind == "onnx":
        external = f"{variant.path}.data"
        with_external = [each for each in files if each.path in (variant.path, external)]
        return with_external if len(with_external) > 1 else []
    folder = f"{variant.path}/"
    if variant.kind == "savedmodel":
        inner = (f"{folder}saved_model.pb", f"{folder}variables/", f"{folder}assets/")
        return [each for each in files if each.path.startswith(inner)]
    if variant.kind == "dl4j":
        inner = tuple(_beside(variant.path, name) for name in NETWORK_FILES)
        return [each for each in files if each.path in inner]
    return [each for each in files if each.path == variant.path or each.path.startswith(folder)]


def _captured_paths(manifest: Manifest) -> set[str]:
    """The files whose bytes the checks themselves need."""
    captured = {CERTIFICATE_PATH}
    for variant in manifest.variants:
        if variant.kind == "onnx":
            captured.add(variant.path)
        elif variant.kind == "savedmodel":
            captured.add(f"{variant.path}/saved_model.pb")
        elif variant.kind == "dl4j":
            captured.update(_beside(variant.path, name) for name in NETWORK_FILES)
    for ref in manifest.golden:
        captured.add(ref.path)
        if ref.strings is not None:
            captured.add(ref.strings)
    return captured


def _beside(path: str, name: str) -> str:
    """The path of a file in the directory of another."""
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}{name}"
