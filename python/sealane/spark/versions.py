"""A folder of bundles is a model with versions: the newest counts."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, TypeVar, cast

from sealane.bundle import ReaderLimits
from sealane.bundle.manifest import MANIFEST_NAME
from sealane.bundle.policy import version_key
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Place = TypeVar("Place")

_LIMIT = ReaderLimits().manifest_bytes


def newest(folder: Path) -> Path:
    """The bundle at a folder: itself, or the newest version in a folder of bundles.

    Raises:
        SealaneError: BUNDLE_NOT_FOUND.
    """
    return versions(folder)[0]


def versions(folder: Path) -> list[Path]:
    """The bundles at a folder: itself, or those in a folder of bundles, the newest version first.

    Returns:
        At least one; none is verified.

    Raises:
        SealaneError: BUNDLE_NOT_FOUND.
    """
    if (folder / MANIFEST_NAME).exists():
        return [folder]
    try:
        manifests = {each: each / MANIFEST_NAME for each in folder.iterdir() if each.is_dir()}
        texts = {each: manifest_text(path) for each, path in manifests.items() if path.is_file()}
    except OSError as error:
        raise SealaneError(
            ErrorCode.BUNDLE_NOT_FOUND, f"{folder} can not be read: {error.strerror}"
        ) from error
    return newest_first(texts.items(), str(folder))


def newest_first(manifests: Iterable[tuple[Place, bytes]], label: str) -> list[Place]:
    """Places by the ``version`` of their manifests, in the order of format §7.4.

    Manifests that tell no version are passed over.

    Raises:
        SealaneError: BUNDLE_NOT_FOUND when none does.
    """
    told = [(place, version_of(text)) for place, text in manifests]
    known = [(place, version) for place, version in told if version is not None]
    if not known:
        raise SealaneError(
            ErrorCode.BUNDLE_NOT_FOUND,
            f"{label} has no {MANIFEST_NAME} and no folder that has",
        )
    known.sort(key=lambda each: version_key(each[1]), reverse=True)
    return [place for place, _ in known]


def version_of(manifest: bytes) -> str | None:
    """The version that a manifest's text tells, before it is believed."""
    members = _members(manifest)
    version = members.get("version")
    return version if isinstance(version, str) else None


def kinds_of(manifest: bytes) -> frozenset[str]:
    """The kinds of variants that a manifest's text tells, before it is believed."""
    variants = _members(manifest).get("variants")
    if not isinstance(variants, list):
        return frozenset()
    members = [
        cast("dict[str, object]", each)
        for each in cast("list[object]", variants)
        if isinstance(each, dict)
    ]
    return frozenset(str(each.get("kind")) for each in members)


def _members(manifest: bytes) -> dict[str, object]:
    try:
        value: object = json.loads(manifest)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def manifest_text(path: Path) -> bytes:
    """The beginning of a manifest, which is all of it when it is within the reader's limit."""
    with path.open("rb") as file:
        return file.read(_LIMIT)


def manifest_digest(folder: Path) -> str:
    """SHA-256 of a bundle's manifest, in hexadecimal.

    Raises:
        SealaneError: BUNDLE_NOT_FOUND.
    """
    try:
        return hashlib.sha256(manifest_text(folder / MANIFEST_NAME)).hexdigest()
    except OSError as error:
        raise SealaneError(ErrorCode.BUNDLE_NOT_FOUND, f"{folder}: {error.strerror}") from error
