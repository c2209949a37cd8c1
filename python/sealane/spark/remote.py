"""Bundles on file systems that only the JVM's Hadoop reaches."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sealane.bundle import ReaderLimits
from sealane.bundle.manifest import MANIFEST_NAME
from sealane.core import ErrorCode, SealaneError
from sealane.spark.gateway import java_exceptions
from sealane.spark.sparks import is_connect
from sealane.spark.versions import newest_first

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pyspark.sql import SparkSession

_LIMITS = ReaderLimits()


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder on a file system of Hadoop.

    Attributes:
        jvm: The driver's JVM, by Py4J.
        files: Its ``FileSystem``.
        uri: The folder.
    """

    jvm: Any
    files: Any
    uri: str

    @classmethod
    def of(cls, spark: SparkSession, uri: str) -> RemoteFolder:
        """The folder of that URI.

        Raises:
            SealaneError: ENGINE_UNAVAILABLE on Spark Connect; BUNDLE_NOT_FOUND for a file system
                that Hadoop does not know.
        """
        if is_connect(spark):
            raise SealaneError(
                ErrorCode.ENGINE_UNAVAILABLE,
                f"{uri}: on Spark Connect only the server reads this file system: use "
                "engine='jvm', or give a path of this machine",
                {"engine": "python"},
            )
        session: Any = spark
        jvm = session._jvm
        with _io_errors(uri):
            hadoop = session._jsparkSession.sessionState().newHadoopConf()
            return cls(jvm, jvm.org.apache.hadoop.fs.Path(uri).getFileSystem(hadoop), uri)

    def newest(self) -> RemoteFolder:
        """The bundle here: itself, or the newest version in a folder of bundles.

        Raises:
            SealaneError: BUNDLE_NOT_FOUND.
        """
        with _io_errors(self.uri):
            if self.files.exists(self._path(MANIFEST_NAME)):
                return self
            below = [
                RemoteFolder(self.jvm, self.files, each.getPath().toString())
                for each in self.files.listStatus(self._path())
                if each.isDirectory() and self.files.exists(self._path_in(each.getPath()))
            ]
            return newest_first(((each, each.manifest()) for each in below), self.uri)[0]

    def manifest(self) -> bytes:
        """The text of ``sealane.json``.

        Raises:
            SealaneError: BUNDLE_NOT_FOUND, LIMIT_EXCEEDED.
        """
        path = self._path(MANIFEST_NAME)
        with _io_errors(self.uri):
            self._limit(int(self.files.getFileStatus(path).getLen()), _LIMITS.manifest_bytes)
            stream = self.files.open(path)
            try:
                return bytes(self.jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
            finally:
                stream.close()

    def fetch(self, target: Path) -> None:
        """Copies the folder to ``target``, which does not exist yet.

        Raises:
            SealaneError: BUNDLE_NOT_FOUND, LIMIT_EXCEEDED.
        """
        with _io_errors(self.uri):
            summary = self.files.getContentSummary(self._path())
            self._limit(int(summary.getFileCount()), _LIMITS.files + 2)
            self._limit(int(summary.getLength()), _LIMITS.total_bytes)
            local = self.jvm.org.apache.hadoop.fs.Path(target.as_uri())
            self.files.copyToLocalFile(False, self._path(), local, True)

    def _path(self, *below: str) -> Any:
        return self.jvm.org.apache.hadoop.fs.Path("/".join((self.uri.rstrip("/"), *below)))

    def _path_in(self, folder: Any) -> Any:
        return self.jvm.org.apache.hadoop.fs.Path(folder, MANIFEST_NAME)

    def _limit(self, received: int, limit: int) -> None:
        if received > limit:
            raise SealaneError(
                ErrorCode.LIMIT_EXCEEDED, f"bundle {self.uri}: {received}, limit {limit}"
            )


@contextmanager
def _io_errors(uri: str) -> Generator[None]:
    try:
        yield
    except java_exceptions() as error:
        cause = getattr(error, "java_exception", error)
        raise SealaneError(
            ErrorCode.BUNDLE_NOT_FOUND, f"bundle {uri} can not be read: {cause}"
        ) from error
