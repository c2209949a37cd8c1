"""How a worker finds the bundle that the driver verified, and opens it."""

from __future__ import annotations

import logging
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark import SparkFiles

from sealane.bundle import read_bundle
from sealane.bundle.manifest import MANIFEST_NAME
from sealane.core import ErrorCode, SealaneError
from sealane.runtime import open_session
from sealane.spark.archive import unpack
from sealane.spark.options import PYTHON_ENGINES
from sealane.spark.sessions import SESSIONS, SessionKey
from sealane.spark.versions import newest

if TYPE_CHECKING:
    from collections.abc import Generator

    from sealane.bundle import VerifiedBundle
    from sealane.core import Signature
    from sealane.runtime import Session

_LOG = logging.getLogger("sealane.spark")


@dataclass(frozen=True, slots=True)
class BundleSource:
    """A bundle that the driver verified, as tasks find it.

    Attributes:
        content_id: What its files must have.
        manifest: SHA-256 that its ``sealane.json`` must have.
        signature: Its signature.
        engine: ``onnx`` or ``tensorflow``.
        folder: Its folder, where every worker can read it, or None.
        shipped: The file in which Spark ships it, or None.
        location: Where each task looks for a newer one: the folder, or that of all versions. None
            when this bundle is to stay.
    """

    content_id: str
    manifest: str
    signature: Signature
    engine: str
    folder: str | None
    shipped: str | None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was at a location, and the session that serves it."""

    stamp: tuple[object, ...]
    key: SessionKey


_SEEN: dict[tuple[str, str, int], _Seen] = {}
"""By location, engine and threads."""


@contextmanager
def opened(source: BundleSource, threads: int) -> Generator[Session]:
    """The session of a bundle; it may be one that other tasks of this process use.

    Args:
        source: Where the bundle is.
        threads: Threads of one operator.

    Raises:
        SealaneError: A code of the bundle family, CONTENT_ID_MISMATCH when it is not the one that
            the driver verified; ENGINE_UNAVAILABLE, ENGINE_LOAD_FAILED, PARITY_FAILED.
    """
    key = SessionKey(source.content_id, source.manifest, source.engine, threads)
    if source.location is not None:
        key = _latest(source, source.location, key)
    with SESSIONS.lease(key, lambda: _open(source, key)) as session:
        yield session


def _latest(source: BundleSource, location: str, key: SessionKey) -> SessionKey:
    """The bundle that is at the location by now, when it can take the place of the one in use."""
    place = (location, key.engine, key.threads)
    seen = _SEEN.get(place)
    used = seen.key if seen is not None and seen.key in SESSIONS else key
    try:
        folder = newest(Path(location))
        stamp = _stamp(folder)
        if seen is None or seen.stamp != stamp or used is not seen.key:
            used = _take_over(source, folder, key, used)
            _SEEN[place] = _Seen(stamp, used)
    except SealaneError as error:
        _LOG.warning("%s: the bundle in use stays: %s", location, error)
    return used


def _stamp(folder: Path) -> tuple[object, ...]:
    try:
        status = (folder / MANIFEST_NAME).stat()
    except OSError as error:
        raise SealaneError(ErrorCode.BUNDLE_NOT_FOUND, f"{folder}: {error.strerror}") from error
    return (str(folder), status.st_mtime_ns, status.st_size, status.st_ino)


def _take_over(source: BundleSource, folder: Path, key: SessionKey, used: SessionKey) -> SessionKey:
    with read_bundle(folder, keep=(PYTHON_ENGINES[key.engine],)) as bundle:
        if bundle.signature != source.signature:
            _LOG.warning(
                "%s: the bundle in use stays, the new one has another signature: %s",
                folder,
                bundle.signature,
            )
            return used
        found = replace(key, content_id=bundle.manifest.content_id, manifest=_digest(bundle))
        with SESSIONS.lease(found, lambda: _session(bundle, found)):
            if found not in (key, used):
                _LOG.warning("%s: version %s takes over", folder, bundle.manifest.version)
            return found


def _open(source: BundleSource, key: SessionKey) -> Session:
    if source.folder is not None:
        try:
            return _open_folder(Path(source.folder), key)
        except SealaneError:
            if source.shipped is None:
                raise
    assert source.shipped is not None
    with tempfile.TemporaryDirectory(prefix="sealane-") as folder:
        unpack(Path(SparkFiles.get(source.shipped)), Path(folder))
        return _open_folder(Path(folder), key)


def _open_folder(folder: Path, key: SessionKey) -> Session:
    with read_bundle(folder, keep=(PYTHON_ENGINES[key.engine],)) as bundle:
        found = (bundle.manifest.content_id, _digest(bundle))
        if found != (key.content_id, key.manifest):
            raise SealaneError(
                ErrorCode.CONTENT_ID_MISMATCH,
                f"{folder} is not the bundle that the driver verified: expected {key.content_id} "
                f"with manifest {key.manifest[:16]}, received {found[0]} with {found[1][:16]}",
                {"expected": key.content_id, "received": found[0]},
            )
        return _session(bundle, key)


def _digest(bundle: VerifiedBundle) -> str:
    return bundle.digests[MANIFEST_NAME]


def _session(bundle: VerifiedBundle, key: SessionKey) -> Session:
    return open_session(bundle, key.engine, intra_op_threads=key.threads, spinning=False)
