"""Where the driver finds a bundle: a path, or a URI of any file system that Hadoop reaches."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealane.bundle import read_bundle
from sealane.bundle.manifest import MANIFEST_NAME
from sealane.core import ErrorCode, SealaneError
from sealane.spark.remote import RemoteFolder
from sealane.spark.versions import kinds_of, manifest_text, newest

if TYPE_CHECKING:
    from collections.abc import Generator

    from pyspark.sql import SparkSession

    from sealane.bundle import VerifiedBundle


@dataclass(frozen=True, slots=True)
class Location:
    """A bundle, or a folder of its versions.

    Attributes:
        text: What the user gave; a path is made absolute.
        has_scheme: Whether it is a URI.
        path: The path it has in this file system, None for a URI of another one.
    """

    text: str
    has_scheme: bool
    path: Path | None

    @classmethod
    def parse(cls, bundle: str | Path) -> Location:
        """The location that a path or URI names."""
        text = str(bundle)
        scheme, colon, rest = text.partition(":")
        if isinstance(bundle, Path) or not colon or not scheme or "/" in scheme:
            path = Path(text).absolute()
            return cls(str(path), has_scheme=False, path=path)
        if scheme != "file":
            return cls(text, has_scheme=True, path=None)
        below = rest[2:] if rest.startswith("//") else rest
        return cls(text, has_scheme=True, path=Path(f"/{below.lstrip('/')}"))

    def kinds(self, spark: SparkSession) -> frozenset[str]:
        """The kinds of variants that the bundle says it has; it is not verified for that.

        Raises:
            SealaneError: BUNDLE_NOT_FOUND; ENGINE_UNAVAILABLE for a URI without a JVM to read it.
        """
        if self.path is None:
            return kinds_of(RemoteFolder.of(spark, self.text).newest().manifest())
        folder = newest(self.path)
        try:
            return kinds_of(manifest_text(folder / MANIFEST_NAME))
        except OSError as error:
            raise SealaneError(
                ErrorCode.BUNDLE_NOT_FOUND, f"{folder} can not be read: {error.strerror}"
            ) from error

    @contextmanager
    def verified(self, spark: SparkSession) -> Generator[VerifiedBundle]:
        """The verified bundle; one of another file system is a copy that goes with the block.

        Raises:
            SealaneError: A code of the bundle family; ENGINE_UNAVAILABLE for a URI without a JVM
                to read it.
        """
        if self.path is not None:
            with read_bundle(newest(self.path)) as bundle:
                yield bundle
            return
        remote = RemoteFolder.of(spark, self.text).newest()
        with tempfile.TemporaryDirectory(prefix="sealane-") as folder:
            copy = Path(folder) / "bundle"
            remote.fetch(copy)
            with read_bundle(copy) as bundle:
                yield bundle
