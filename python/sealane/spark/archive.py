"""A bundle as one file, for Spark to ship. What comes out is verified as any bundle is."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sealane.bundle import ReaderLimits
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from sealane.bundle import VerifiedBundle

_LIMITS = ReaderLimits()


def archive_name(bundle: VerifiedBundle) -> str:
    """The archive's name: a change of content is a change of name."""
    digest = bundle.manifest.content_id.removeprefix("sha256:")
    return f"sealane-py-{digest}-{bundle.digests['sealane.json'][:16]}.zip"


def pack(bundle: VerifiedBundle, archive: Path) -> None:
    """Writes the bundle's files into a zip, as they are."""
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_STORED) as packed:
        for path in sorted(bundle.digests):
            packed.write(bundle.path / path, path)


def unpack(archive: Path, folder: Path) -> None:
    """Writes an archive's files into an empty folder.

    Raises:
        SealaneError: PATH_UNSAFE, LIMIT_EXCEEDED; BUNDLE_NOT_FOUND when it can not be read.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = packed.infolist()
            if len(entries) > _LIMITS.files + 2 or (
                sum(entry.file_size for entry in entries) > _LIMITS.total_bytes
            ):
                raise SealaneError(ErrorCode.LIMIT_EXCEEDED, f"{archive} is too large")
            for entry in entries:
                target = folder / _checked(archive, entry.filename)
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as source, target.open("xb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
    except (OSError, zipfile.BadZipFile) as error:
        raise SealaneError(
            ErrorCode.BUNDLE_NOT_FOUND, f"{archive} can not be unpacked: {error}"
        ) from error


def _checked(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts:
        raise SealaneError(ErrorCode.PATH_UNSAFE, f"{archive}: {name!r}")
    return path
