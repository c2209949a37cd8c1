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
from sealane.spark.versions import manifest_digest, versions

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
    """What a bundle that was verified has beside its manifest."""

    content_id: str
    signature: Signature


_SEEN: dict[str, _Seen] = {}
"""By SHA-256 of the manifest."""

_USED: dict[tuple[str, SessionKey], SessionKey] = {}
"""By location and the bundle that a stream began with: what scored last in this process."""


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
    """The newest bundle at the location that can take the place of the one in use.

    Every process comes to the same answer, whatever it saw before: the newest that can be verified
    and has the signature. Without one it is what this process used last.
    """
    used = _USED.get((location, key), key)
    try:
        for folder in versions(Path(location)):
            found = _fitting(source, folder, key)
            if found is not None:
                if found != used:
                    _LOG.warning("%s: %s takes over", location, folder)
                _USED[location, key] = found
                return found
    except SealaneError as error:
        _LOG.warning("%s: the bundle in use stays: %s", location, error)
    return used if used in SESSIONS else key


def _fitting(source: BundleSource, folder: Path, key: SessionKey) -> SessionKey | None:
    """What serves the bundle of a folder, or None when it does not fit.

    Its session is open, unless it is the bundle that the driver verified.
    """
    try:
        manifest = manifest_digest(folder)
        if manifest == key.manifest:
            return key
        seen = _SEEN.get(manifest)
        if seen is not None and seen.signature != source.signature:
            return None
        if seen is not None:
            found = replace(key, content_id=seen.content_id, manifest=manifest)
            if found in SESSIONS:
                return found
        return _verified(source, folder, key)
    except SealaneError as error:
        _LOG.warning("%s is passed over: %s", folder, error)
        return None


def _verified(source: BundleSource, folder: Path, key: SessionKey) -> SessionKey | None:
    with read_bundle(folder, keep=(PYTHON_ENGINES[key.engine],)) as bundle:
        found = replace(key, content_id=bundle.manifest.content_id, manifest=_digest(bundle))
        _SEEN[found.manifest] = _Seen(found.content_id, bundle.signature)
        if bundle.signature == source.signature:
            with SESSIONS.lease(found, lambda: _session(bundle, found)):
                return found
    _LOG.warning("%s is passed over, it has another signature: %s", folder, bundle.signature)
    return None


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
