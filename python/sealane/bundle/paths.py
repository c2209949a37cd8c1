"""The rules for paths in a bundle (bundle format §1.1)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PATH_BYTES = 512
MAX_PATH_COMPONENTS = 16

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_FORBIDDEN_CHARACTER = re.compile(r"[\x00-\x1f\x7f\\:]")


def path_fault(path: str) -> str | None:
    """Why a path may not stand in a manifest, or None when it may."""
    components = path.split("/")
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        return f"longer than {MAX_PATH_BYTES} bytes"
    if len(components) > MAX_PATH_COMPONENTS:
        return f"more than {MAX_PATH_COMPONENTS} components"
    if _PLAIN.fullmatch(path):
        return None
    if path.startswith("/"):
        return "absolute"
    if any(component in ("", ".", "..") for component in components):
        return "an empty, '.' or '..' component"
    if _FORBIDDEN_CHARACTER.search(path):
        return "a backslash, colon or control character"
    if not unicodedata.is_normalized("NFC", path):
        return "not in Unicode NFC"
    return None


def check_paths(paths: Iterable[str]) -> None:
    """Refuse unsafe paths, and paths that some file systems take for one.

    Raises:
        SealaneError: PATH_UNSAFE.
    """
    seen: dict[str, str] = {}
    for path in paths:
        fault = path_fault(path)
        if fault is not None:
            raise SealaneError(
                ErrorCode.PATH_UNSAFE, f"sealane.json: path {path!r}: {fault}", {"path": path}
            )
        folded = unicodedata.normalize("NFC", path.lower())
        other = seen.setdefault(folded, path)
        if other != path:
            raise SealaneError(
                ErrorCode.PATH_UNSAFE,
                f"sealane.json: paths {other!r} and {path!r} differ only in letter case",
                {"path": path, "other": other},
            )
