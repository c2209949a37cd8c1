"""What a bundle's files are: their content id, and kinds that may never be there (§3, §4.3)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sealane.bundle.manifest import FileEntry

HEAD_BYTES = 8

_MODEL_FOLDERS = ("1/", "variants/", "preprocess/")
_GENERATED = "1/MLmodel"

_FORBIDDEN_SUFFIXES = (
    *(".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin"),
    *(".keras", ".h5", ".hdf5", ".npy", ".npz"),
    *(".so", ".dll", ".dylib", ".jar", ".class"),
)
_FORBIDDEN_HEADS = (
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\x93NUMPY", "NumPy"),
    (b"\xac\xed\x00\x05", "Java serialisation"),
    (b"\xca\xfe\xba\xbe", "Java class"),
    (b"\x7fELF", "ELF"),
    (b"MZ", "PE"),
    (b"\xfe\xed\xfa\xce", "Mach-O"),
    (b"\xfe\xed\xfa\xcf", "Mach-O"),
    (b"\xce\xfa\xed\xfe", "Mach-O"),
    (b"\xcf\xfa\xed\xfe", "Mach-O"),
)
_ARCHIVE_HEADS = (
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\x00", "xz"),
)
_PICKLE_HEAD = re.compile(rb"\x80[\x02-\x05]")
_RAW_WEIGHTS = re.compile(
    r"(?:.*/)?(?:variables\.(?:index|data-[0-9]+-of-[0-9]+)|[^/]*\.onnx\.data)"
)


def content_id(files: Iterable[FileEntry]) -> str:
    """The name of the model itself: a digest over its model files' paths and digests (§3).

    Args:
        files: The manifest's file list, sorted by path.
    """
    digest = hashlib.sha256()
    for entry in files:
        if entry.path.startswith(_MODEL_FOLDERS) and entry.path != _GENERATED:
            digest.update(entry.path.encode("utf-8") + b"\0" + bytes.fromhex(entry.sha256))
    return f"sha256:{digest.hexdigest()}"


def check_content_allowed(path: str, head: bytes) -> None:
    """Refuse a file of a kind that may never be in a bundle.

    Args:
        path: Its path in the bundle.
        head: Its first 8 bytes, fewer when it is shorter.

    Raises:
        SealaneError: CONTENT_FORBIDDEN.
    """
    kind = _forbidden_kind(path, head)
    if kind is not None:
        raise SealaneError(
            ErrorCode.CONTENT_FORBIDDEN,
            f"{path}: {kind} content may not be in a bundle",
            {"path": path, "kind": kind},
        )


def forbidden_start(head: bytes) -> str | None:
    """The kind of content that starts like this and may nowhere be in a bundle, or None."""
    for start, kind in _FORBIDDEN_HEADS:
        if head.startswith(start):
            return kind
    return "pickle" if _PICKLE_HEAD.match(head) else None


def _forbidden_kind(path: str, head: bytes) -> str | None:
    name = path.lower()
    if name.endswith(_FORBIDDEN_SUFFIXES):
        return f"{name[name.rindex('.') :]} file"
    if _RAW_WEIGHTS.fullmatch(path):
        return None
    kind = forbidden_start(head)
    if kind is None and not path.startswith("variants/"):
        kind = next((each for start, each in _ARCHIVE_HEADS if head.startswith(start)), None)
    return kind
