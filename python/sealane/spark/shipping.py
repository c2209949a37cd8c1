"""Bundles handed to Spark for its workers, each once."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealane.spark.archive import archive_name, pack
from sealane.spark.sparks import is_connect

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sealane.bundle import VerifiedBundle

_LOCK = threading.Lock()
_SHIPPED: set[tuple[str, str]] = set()
"""Application or session, and archive."""


def ship(spark: SparkSession, bundle: VerifiedBundle) -> str:
    """Makes Spark bring a bundle to its workers.

    Args:
        spark: The session; thread-safe.
        bundle: The bundle; it may be closed afterwards.

    Returns:
        The name for ``SparkFiles.get``.
    """
    session: Any = spark
    name = archive_name(bundle)
    archive = _folder() / name
    connect = is_connect(spark)
    owner = session.session_id if connect else session.sparkContext.applicationId
    with _LOCK:
        if (owner, name) in _SHIPPED:
            return name
        if not archive.exists():
            partial = archive.with_suffix(".part")
            partial.unlink(missing_ok=True)
            pack(bundle, partial)
            partial.rename(archive)
        if connect:
            session.addArtifacts(str(archive), file=True)
        else:
            session.sparkContext.addFile(str(archive))
        _SHIPPED.add((owner, name))
    return name


@cache
def _folder() -> Path:
    """This process's archives; Spark reads them as long as workers come and go."""
    folder = Path(tempfile.mkdtemp(prefix="sealane-shipped-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
