"""Walking and digesting a bundle's directory without trusting it (bundle format §4)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sealane.bundle.content import HEAD_BYTES
from sealane.bundle.manifest import MANIFEST_NAME, NOTE_NAME, SIGNATURE_NAME
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from sealane.bundle.limits import ReaderLimits
    from sealane.bundle.manifest import FileEntry

_CHUNK = 1 << 20
_NOTE_BYTES = 65_536
_NO_PLAIN_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.ENODEV})  # a link, a socket, a device
_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(slots=True)
class Listing:
    """What lies in a directory: sizes of the regular files by POSIX path, and empty directories."""

    sizes: dict[str, int] = field(default_factory=dict[str, int])
    empty: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Digested:
    """One file after digesting: SHA-256, first bytes, and all bytes when they were asked for."""

    sha256: str
    head: bytes
    data: bytes | None


def list_files(root: Path, limits: ReaderLimits) -> Listing:
    """Every entry under ``root``, each a directory or a regular file with one hard link.

    Raises:
        SealaneError: PATH_UNSAFE for other entries, LIMIT_EXCEEDED for too many or too deep.
    """
    listing = Listing()
    _list_directory(str(root), "", 1, listing, limits)
    return listing


def _list_directory(
    directory: str, prefix: str, depth: int, listing: Listing, limits: ReaderLimits
) -> None:
    if depth > limits.directory_depth:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED, f"{prefix}: deeper than {limits.directory_depth} levels"
        )
    found = False
    with os.scandir(directory) as entries:
        for entry in entries:
            found = True
            path = prefix + _utf8_name(entry.name, prefix)
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                _list_directory(entry.path, f"{path}/", depth + 1, listing, limits)
                continue
            check_regular(status, path)
            listing.sizes[path] = status.st_size
            if len(listing.sizes) - (NOTE_NAME in listing.sizes) > limits.files + 2:
                raise SealaneError(
                    ErrorCode.LIMIT_EXCEEDED, f"more than {limits.files} files in the bundle"
                )
    if not found and prefix:
        listing.empty.append(prefix)


def _utf8_name(name: str, prefix: str) -> str:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise SealaneError(
            ErrorCode.PATH_UNSAFE, f"a file name under {prefix or './'} is not UTF-8: {name!r}"
        ) from None
    return name


def check_regular(status: os.stat_result, path: str) -> None:
    """Refuse everything but a regular file with one hard link.

    Raises:
        SealaneError: PATH_UNSAFE.
    """
    if stat.S_ISLNK(status.st_mode):
        fault = "a symbolic link"
    elif not stat.S_ISREG(status.st_mode):
        fault = "neither a regular file nor a directory"
    elif status.st_nlink != 1:
        fault = f"a file with {status.st_nlink} hard links"
    else:
        return
    raise SealaneError(
        ErrorCode.PATH_UNSAFE, f"{path!r} is {fault}; a bundle holds plain files", {"path": path}
    )


@contextmanager
def open_regular(file: Path | str, path: str) -> Generator[int]:
    """A descriptor of a regular file, never followed through a link, never blocking.

    Raises:
        SealaneError: PATH_UNSAFE when it is anything else.
        OSError: It is not there or may not be read.
    """
    try:
        descriptor = os.open(file, _OPEN_FLAGS)
    except OSError as error:
        if error.errno not in _NO_PLAIN_FILE:
            raise
        raise SealaneError(
            ErrorCode.PATH_UNSAFE, f"{path!r} can not be opened as a plain file: {error.strerror}"
        ) from error
    try:
        check_regular(os.fstat(descriptor), path)
        yield descriptor
    finally:
        os.close(descriptor)


def read_at_most(file: Path | str, path: str, limit: int) -> bytes | None:
    """All bytes of a regular file, or None when there are more than ``limit``."""
    with open_regular(file, path) as descriptor:
        if os.fstat(descriptor).st_size > limit:
            return None
        parts: list[bytes] = []
        left = limit + 1
        while left and (part := os.read(descriptor, min(left, _CHUNK))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts) if left else None


def digest_file(
    root: Path, entry: FileEntry, *, capture: bool, copy_to: Path | None = None
) -> Digested:
    """Read one file once: digest it and, as asked, keep its bytes or copy them.

    At most ``entry.size`` + 1 bytes are read, so a file that grows can not hold the reader.

    Args:
        root: The bundle.
        entry: The file, with the size that the manifest gives.
        capture: Whether to keep the bytes in memory.
        copy_to: Where to write the same bytes, or None.
    """
    digest = hashlib.sha256()
    parts: list[bytes] = []
    head = b""
    # What is kept is read in one piece: joining parts would cost as much as reading them.
    most = entry.size + 1 if capture else _CHUNK
    copy = _create(copy_to) if copy_to is not None else None
    try:
        with open_regular(f"{root}/{entry.path}", entry.path) as descriptor:
            left = entry.size + 1
            while left and (part := os.read(descriptor, min(left, most))):
                left -= len(part)
                digest.update(part)
                if len(head) < HEAD_BYTES:
                    head = (head + part)[:HEAD_BYTES]
                if capture:
                    parts.append(part)
                if copy is not None:
                    _write_all(copy, part)
    finally:
        if copy is not None:
            os.close(copy)
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    return Digested(digest.hexdigest(), head, data if capture else None)


def _create(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def check_files(
    listing: Listing,
    files: tuple[FileEntry, ...],
    digest: Callable[[FileEntry], str],
) -> None:
    """Compare what lies on disk with what the manifest lists.

    Args:
        listing: What lies there.
        files: What is listed.
        digest: Called for each file whose size is right; gives its SHA-256.

    Raises:
        SealaneError: FILES_DIFFER, its details holding the sorted lists ``extra``, ``missing``
            and ``changed``.
    """
    listed = {entry.path for entry in files} | {MANIFEST_NAME, SIGNATURE_NAME}
    if listing.sizes.get(NOTE_NAME, 0) <= _NOTE_BYTES:
        listed.add(NOTE_NAME)
    extra = sorted((listing.sizes.keys() - listed) | set(listing.empty))
    missing: list[str] = []
    changed: list[dict[str, object]] = []
    for entry in files:
        size = listing.sizes.get(entry.path)
        if size is None:
            missing.append(entry.path)
        elif size != entry.size:
            changed.append(_change(entry.path, "size", entry.size, size))
        elif (actual := digest(entry)) != entry.sha256:
            changed.append(_change(entry.path, "sha256", entry.sha256, actual))
    if extra or missing or changed:
        raise _files_differ(extra, missing, changed)


def _change(path: str, what: str, expected: object, actual: object) -> dict[str, object]:
    return {"path": path, "field": what, "expected": expected, "actual": actual}


def _files_differ(
    extra: list[str], missing: list[str], changed: list[dict[str, object]]
) -> SealaneError:
    lines = [
        *(f"extra   {path}" for path in extra),
        *(f"missing {path}" for path in missing),
        *(
            f"changed {each['path']}: {each['field']} expected {each['expected']}, "
            f"actual {each['actual']}"
            for each in changed
        ),
    ]
    shown = lines[:20] + ([f"… and {len(lines) - 20} more"] if len(lines) > 20 else [])
    return SealaneError(
        ErrorCode.FILES_DIFFER,
        "the files are not those of the manifest:\n  " + "\n  ".join(shown),
        {"extra": extra, "missing": missing, "changed": changed},
    )


def check_sizes(
    files: tuple[FileEntry, ...], sizes: Mapping[str, int], limits: ReaderLimits
) -> None:
    """Bound the size of each file and of all, as listed and as found.

    Raises:
        SealaneError: LIMIT_EXCEEDED.
    """
    listed = {entry.path: entry.size for entry in files}
    for what in (listed, sizes):
        for path, size in what.items():
            if size > limits.file_bytes:
                raise SealaneError(
                    ErrorCode.LIMIT_EXCEEDED,
                    f"{path}: {size} bytes, limit {limits.file_bytes}",
                    {"path": path},
                )
            if path.startswith("golden/") and size > limits.golden_bytes:
                raise SealaneError(
                    ErrorCode.LIMIT_EXCEEDED,
                    f"{path}: {size} bytes, limit {limits.golden_bytes} for golden cases",
                    {"path": path},
                )
        if sum(what.values()) > limits.total_bytes:
            raise SealaneError(
                ErrorCode.LIMIT_EXCEEDED, f"more than {limits.total_bytes} bytes in all"
            )
