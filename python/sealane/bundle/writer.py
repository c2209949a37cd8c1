"""Writing a bundle: everything beside its place, the manifest last, then one rename."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sealane.bundle.content import content_id
from sealane.bundle.golden import GoldenCase, write_golden
from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.manifest import (
    MANIFEST_NAME,
    Bindings,
    FileEntry,
    GoldenRef,
    Manifest,
    ManifestLimits,
    Preprocess,
    Requires,
    Tolerance,
    Unavailable,
    Variant,
)
from sealane.bundle.manifest_parser import parse_manifest
from sealane.bundle.network import NETWORK_NAME
from sealane.bundle.reader import CERTIFICATE_PATH, read_bundle
from sealane.bundle.stock_tools import (
    CARD_NAME,
    MLMODEL_NAME,
    MODEL_FILE,
    MODEL_FOLDER,
    TRITON_NAME,
    mlmodel,
    model_card,
    triton_config,
)
from sealane.core import ErrorCode, SealaneError, Signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealane.bundle.verdict import Verdict

_CHUNK = 1 << 20
_ABSOLUTE_PATH = re.compile(r"/[^/\s]|[A-Za-z]:[\\/]|\\\\")
# fingerprint.pb holds a random id; engines do not need it.
_SAVEDMODEL_FILES = ("saved_model.pb", "variables", "assets")


@dataclass(frozen=True, slots=True)
class ArtifactDraft:
    """A variant to be written.

    Attributes:
        id: Unique in the bundle.
        kind: ``onnx``, ``savedmodel`` or ``dl4j``.
        role: ``primary``, ``optional`` or ``experimental``.
        source: The ``.onnx`` file (its external data beside it as ``<name>.data``), the SavedModel
            directory, or the directory of a network. It is copied, never changed.
        bindings: Signature names to engine names.
        precision: ``fp64``, ``fp32``, ``fp16``, ``bf16``, ``int8`` or ``mixed``.
        verdict: The worst verdict in the certificate for this variant.
        requires: What it needs of its engine.
        tolerance: Given exactly when the verdict is ``within-declared``.
    """

    id: str
    kind: str
    role: str
    source: Path
    bindings: Bindings
    precision: str
    verdict: Verdict
    requires: Requires = field(default_factory=Requires)
    tolerance: Tolerance | None = None


@dataclass(frozen=True, slots=True)
class BundleDraft:
    """All that a bundle will hold.

    Attributes:
        name: The model's name.
        version: The model's version.
        signature: Its inputs and outputs.
        artifacts: At least one, exactly one of them ``primary``.
        golden: The golden cases; may be empty only when every verdict is ``failed``.
        unavailable: Kinds that were wanted and are absent, with the reason.
        preprocess: Kind and source file of each file used before the model.
        environment: Framework and tool versions; no user names, no absolute paths.
        lineage: Where the model comes from.
        certificate: The contents of ``evidence/parity.json``; ``contentId`` is added.
        readme: The model card, Markdown; "" generates a short one.
        licenses: SPDX expressions.
        limits: Bounds the bundle puts on itself.
        created_at: ``YYYY-MM-DDThh:mm:ssZ``; None for now.
    """

    name: str
    version: str
    signature: Signature
    artifacts: tuple[ArtifactDraft, ...]
    golden: tuple[GoldenCase, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()
    preprocess: tuple[tuple[str, Path], ...] = ()
    environment: Mapping[str, object] = field(default_factory=dict[str, object])
    lineage: Mapping[str, object] = field(default_factory=dict[str, object])
    certificate: Mapping[str, Any] = field(default_factory=dict[str, Any])
    readme: str = ""
    licenses: tuple[str, ...] = ()
    limits: ManifestLimits = field(default_factory=ManifestLimits)
    created_at: str | None = None


def write_bundle(path: Path | str, draft: BundleDraft, *, overwrite: bool = False) -> None:
    """Write a bundle so that it is there whole or not at all.

    It is built in a directory beside ``path``, read back with ``read_bundle``, flushed to
    disk and renamed.

    Args:
        path: The bundle's directory; its parent must exist.
        draft: What to write.
        overwrite: Whether a bundle that is there already is replaced.

    Raises:
        SealaneError: BUNDLE_EXISTS when something is at ``path`` and may not be replaced;
            otherwise what ``read_bundle`` would say of the result.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise SealaneError(
            ErrorCode.BUNDLE_NOT_FOUND, f"{target.parent} is no directory to write a bundle into"
        )
    _check_replaceable(target, overwrite=overwrite)
    _check_environment(draft.environment, "environment")
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        building.chmod(0o755)
        _fill(building, draft)
        read_bundle(building).close()
        _flush(building)
        _move(building, target)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _check_replaceable(target: Path, *, overwrite: bool) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise SealaneError(
            ErrorCode.BUNDLE_EXISTS,
            f"{target} is there already; choose another path or pass overwrite=True",
        )
    if not (target / MANIFEST_NAME).is_file():
        raise SealaneError(
            ErrorCode.BUNDLE_EXISTS, f"{target} is no bundle; only a bundle is ever overwritten"
        )


def _check_environment(value: object, where: str) -> None:
    """Refuse absolute paths: they name a machine and its users, and nothing a reader needs."""
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, object]", value).items():
            _check_environment(inner, f"{where}.{name}")
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(cast("list[object]", value)):
            _check_environment(inner, f"{where}[{index}]")
    elif isinstance(value, str) and _ABSOLUTE_PATH.match(value):
        raise SealaneError(
            ErrorCode.MANIFEST_INVALID,
            f"{where}: {value!r} is an absolute path; leave it out or make it relative",
        )


def _fill(root: Path, draft: BundleDraft) -> None:
    variants = tuple(_place_artifacts(root, draft.artifacts))
    preprocess = tuple(
        Preprocess(kind, _place_file(root, source, f"preprocess/{source.name}"))
        for kind, source in draft.preprocess
    )
    golden = tuple(_place_golden(root, case, draft.signature) for case in draft.golden)
    manifest = Manifest(
        name=draft.name,
        version=draft.version,
        created_at=draft.created_at or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        content_id="sha256:" + "0" * 64,
        signature=draft.signature,
        variants=variants,
        files=(),
        licenses=draft.licenses,
        unavailable=draft.unavailable,
        golden=golden,
        preprocess=preprocess,
        environment=dict(draft.environment),
        lineage=dict(draft.lineage),
        limits=draft.limits,
    )
    model_id = content_id(list_entries(root))
    manifest = manifest.with_files((), model_id)
    _place_generated(root, manifest, draft.readme)
    if draft.certificate:
        certificate = {**draft.certificate, "contentId": model_id}
        text = json.dumps(certificate, indent=2, ensure_ascii=False, allow_nan=False)
        _write(root, CERTIFICATE_PATH, text.encode("utf-8") + b"\n")
    manifest = manifest.with_files(tuple(list_entries(root)), model_id)
    data = manifest.to_json()
    parse_manifest(data, DEFAULT_LIMITS)
    _write(root, MANIFEST_NAME, data)


def _place_generated(root: Path, manifest: Manifest, readme: str) -> None:
    generated = {
        MLMODEL_NAME: mlmodel(manifest, local=False),
        f"{MODEL_FOLDER}/{MLMODEL_NAME}": mlmodel(manifest, local=True),
        TRITON_NAME: triton_config(manifest),
        CARD_NAME: readme.encode("utf-8") if readme else model_card(manifest),
    }
    for path, data in generated.items():
        if data is not None:
            _write(root, path, data)


def _place_artifacts(root: Path, drafts: tuple[ArtifactDraft, ...]) -> Iterator[Variant]:
    foremost: set[str] = set()
    for draft in sorted(drafts, key=lambda each: each.role != "primary"):
        first = draft.kind not in foremost
        foremost.add(draft.kind)
        if draft.kind == "savedmodel":
            path = MODEL_FOLDER if first else f"variants/{draft.id}"
            _place_saved_model(root, draft.source, path)
        elif draft.kind == "dl4j":
            path = f"variants/{draft.id}/{NETWORK_NAME}"
            for file in sorted(draft.source.iterdir()):
                _place_file(root, file, f"variants/{draft.id}/{file.name}")
        else:
            path = MODEL_FILE if first else f"variants/{draft.id}/model.onnx"
            _place_onnx(root, draft.source, path)
        yield Variant(
            id=draft.id,
            kind=draft.kind,
            role=draft.role,
            path=path,
            bindings=draft.bindings,
            precision=draft.precision,
            verdict=draft.verdict,
            requires=draft.requires,
            tolerance=draft.tolerance,
        )


def _place_onnx(root: Path, source: Path, path: str) -> None:
    external = source.with_name(f"{source.name}.data")
    if not external.is_file():
        _place_file(root, source, path)
        return
    target = f"{Path(path).name}.data"
    if external.name == target:
        _place_file(root, source, path)
    else:
        _write(root, path, _relocated(source, external.name, target))
    _place_file(root, external, f"{path}.data")


def _relocated(source: Path, before: str, after: str) -> bytes:
    """The model with its external data under another name."""
    import onnx
    from onnx.external_data_helper import uses_external_data

    model = onnx.ModelProto.FromString(source.read_bytes())
    for tensor in model.graph.initializer:
        if uses_external_data(tensor):
            for entry in tensor.external_data:
                if entry.key == "location" and entry.value == before:
                    entry.value = after
    return model.SerializeToString()


def _place_saved_model(root: Path, source: Path, path: str) -> None:
    for name in _SAVEDMODEL_FILES:
        start = source / name
        files = [start] if start.is_file() else sorted(start.rglob("*"))
        for file in files:
            if file.is_file():
                _place_file(root, file, f"{path}/{file.relative_to(source).as_posix()}")


def _place_golden(root: Path, case: GoldenCase, signature: Signature) -> GoldenRef:
    numeric, strings = write_golden(case, signature)
    path = f"golden/{case.id}.safetensors"
    _write(root, path, numeric)
    strings_path = None
    if strings is not None:
        strings_path = f"golden/{case.id}.json"
        _write(root, strings_path, strings)
    return GoldenRef(case.id, path, case.purpose, case.batch, strings_path)


def _place_file(root: Path, source: Path, path: str) -> str:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, target.open("xb") as write:
        shutil.copyfileobj(read, write, _CHUNK)
    return path


def _write(root: Path, path: str, data: bytes) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        file.write(data)


def list_entries(root: Path) -> list[FileEntry]:
    """The manifest's file list for a directory: every file but manifest and signature."""
    entries: list[FileEntry] = []
    for file in root.rglob("*"):
        path = file.relative_to(root).as_posix()
        if file.is_file() and path not in (MANIFEST_NAME, "bundle.sig"):
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            entries.append(FileEntry(path, file.stat().st_size, digest))
    return sorted(entries, key=lambda entry: entry.path)


def _flush(root: Path) -> None:
    for directory, _, names in os.walk(root):
        for name in (*names, "."):
            descriptor = os.open(Path(directory) / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _move(building: Path, target: Path) -> None:
    """Give the finished directory its name; a bundle it replaces goes only after that."""
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
        target.rename(old / target.name)
        building.rename(target)
        shutil.rmtree(old)
    else:
        building.rename(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
