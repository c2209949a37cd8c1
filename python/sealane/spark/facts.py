"""What a job tells about its bundle, its engine and its Spark."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError
from sealane.spark.location import Location
from sealane.spark.options import EngineChoice
from sealane.spark.scoring import host_of
from sealane.spark.sparks import is_connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import SparkSession

    from sealane.bundle import Manifest, Tolerance, Verdict
    from sealane.core import TensorSpec

_KINDS = {"onnx": "onnx", "tensorflow": "savedmodel", "dl4j": "dl4j"}
"""Engine → the kind of variant it runs; the preferred one first."""

_MODULES = {"onnx": "onnxruntime", "tensorflow": "tensorflow"}


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """A verified bundle, and the engine that an engine's name means for it.

    Attributes:
        manifest: The bundle's.
        host: ``jvm`` or ``python``.
        kind: ``onnx``, ``tensorflow`` or ``dl4j``.
        required: The verdict that the variant claims.
        tolerance: The author's, where the verdict is ``within-declared``.
    """

    manifest: Manifest
    host: str
    kind: str
    required: Verdict
    tolerance: Tolerance | None

    @property
    def engine(self) -> str:
        """The engine, such as ``jvm:onnx``."""
        return f"{self.host}:{self.kind}"

    @property
    def bundle(self) -> dict[str, str]:
        """``name``, ``version`` and ``content_id``."""
        manifest = self.manifest
        names = {"name": manifest.name, "version": manifest.version}
        return {**names, "content_id": manifest.content_id}

    def outputs(self, asked: Sequence[str] | None) -> tuple[TensorSpec, ...]:
        """The outputs asked for, in the order of the request.

        Args:
            asked: Their names; None for all.

        Raises:
            SealaneError: INPUT_UNKNOWN.
        """
        known = {each.name: each for each in self.manifest.signature.outputs}
        names = list(known) if asked is None else list(asked)
        unknown = [each for each in names if each not in known]
        if unknown:
            message = f"output '{unknown[0]}' is unknown: the bundle has {', '.join(known)}"
            raise SealaneError(ErrorCode.INPUT_UNKNOWN, message, {"output": unknown[0]})
        return tuple(known[each] for each in names)


def read_facts(spark: SparkSession, bundle: str, engine: str) -> BundleFacts:
    """Verifies a bundle on the driver and says what will run it.

    Args:
        spark: The session.
        bundle: Path or URI.
        engine: As for :func:`sealane.spark.score`.

    Raises:
        SealaneError: A code of the bundle family; ENGINE_UNAVAILABLE, VARIANT_NOT_FOUND.
    """
    location = Location.parse(bundle)
    choice = EngineChoice.parse(engine)
    with location.verified(spark) as verified:
        manifest = verified.manifest
        host = host_of(spark, location, choice)
        has = [kind for kind, named in _KINDS.items() if manifest.variant(named) is not None]
        runs = [kind for kind in has if host == "jvm" or kind in _MODULES]
        kind = choice.engine or (runs[0] if runs else "onnx")
        variant = verified.variant(_KINDS[kind])
    return BundleFacts(manifest, host, kind, variant.verdict, variant.tolerance)


def engine_version(spark: SparkSession, facts: BundleFacts) -> str:
    """The version of an engine that has run.

    Returns:
        What the driver has, which is what ships it to executors; "" where nobody can be asked: of
        a JVM on Spark Connect.
    """
    if facts.host == "python":
        return str(importlib.import_module(_MODULES[facts.kind]).__version__)
    if is_connect(spark):
        return ""
    session: Any = spark
    if facts.kind == "onnx":
        return str(session._jvm.ai.onnxruntime.OrtEnvironment.getEnvironment().getVersion())
    return ""


def versions(spark: SparkSession) -> Mapping[str, str]:
    """Of Spark and Sealane."""
    try:
        sealane = metadata.version("sealane")
    except metadata.PackageNotFoundError:  # it runs from its sources
        sealane = ""
    return {"spark": str(spark.version), "sealane": sealane}
