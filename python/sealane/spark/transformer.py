"""Scoring as a stage of a Spark ML pipeline, which saves and loads in both languages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import JavaMLReadable, JavaMLReader, JavaMLWritable
from pyspark.ml.wrapper import JavaTransformer
from pyspark.sql import SparkSession

from sealane.core import ErrorCode, SealaneError
from sealane.spark.gateway import java_errors, jvm_has_sealane, no_jar
from sealane.spark.location import Location
from sealane.spark.options import EngineChoice, InputColumns
from sealane.spark.sparks import is_connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame

_JAVA_CLASS = "io.sealane.spark.BundleTransformer"


class BundleTransformer(JavaTransformer, JavaMLReadable["BundleTransformer"], JavaMLWritable):
    """Scores the rows of a DataFrame in the executors' JVM; see :func:`sealane.spark.score`.

    The parameters are those of the Java class: ``bundle``, ``inputs`` (JSON), ``outputs``,
    ``engine``, ``onError``, ``into``, ``batchSize``. A saved stage holds the path or URI of the
    bundle, not the bundle.

    Args:
        bundle: Path or URI. None for a stage that is about to be loaded.
        inputs: Columns of the inputs; None: by name.
        outputs: The outputs to compute; None for all.
        engine: ``jvm``, ``jvm:onnx``, ``jvm:tensorflow`` or ``jvm:dl4j``.
        on_error: ``quarantine``, ``fail`` or ``null``.
        into: Name of the score column.
        batch_size: Rows of one run, at most.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE on Spark Connect, or when Spark's JVM does not have
            Sealane's jar.
    """

    _own: Any = Params._dummy()  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    bundle: Param[str] = Param(_own, "bundle", "path or URI", TypeConverters.toString)
    inputs: Param[str] = Param(_own, "inputs", "columns, as JSON", TypeConverters.toString)
    outputs: Param[list[str]] = Param(_own, "outputs", "outputs", TypeConverters.toListString)
    engine: Param[str] = Param(_own, "engine", "engine of the JVM", TypeConverters.toString)
    onError: Param[str] = Param(_own, "onError", "bad rows", TypeConverters.toString)
    into: Param[str] = Param(_own, "into", "score column", TypeConverters.toString)
    batchSize: Param[int] = Param(_own, "batchSize", "rows", TypeConverters.toInt)

    def __init__(
        self,
        bundle: str | Path | None = None,
        *,
        inputs: Mapping[str, str | Sequence[str]] | str | None = None,
        outputs: Sequence[str] | None = None,
        engine: str = "jvm",
        on_error: str = "quarantine",
        into: str = "score",
        batch_size: int = 1024,
    ) -> None:
        super().__init__()
        _require_jvm()
        stage: Any = self
        stage._java_obj = stage._new_java_obj(_JAVA_CLASS, self.uid)
        stage._setDefault(
            inputs="null", outputs=[], engine="", onError="quarantine", into="score", batchSize=1024
        )
        if bundle is None:
            return
        values: dict[str, object] = {
            "bundle": Location.parse(bundle).text,
            "engine": _engine(engine),
            "onError": on_error,
            "into": into,
            "batchSize": batch_size,
        }
        columns = InputColumns.parse(inputs).to_json()
        if columns is not None:
            values["inputs"] = json.dumps(columns, ensure_ascii=False)
        if outputs is not None:
            values["outputs"] = list(outputs)
        stage._set(**values)

    def transform(self, dataset: DataFrame, params: Any = None) -> DataFrame:
        """The DataFrame with its scores.

        Raises:
            SealaneError: As :func:`sealane.spark.score`.
        """
        stage: Any = super()
        with java_errors():
            return stage.transform(dataset, params)

    @classmethod
    def read(cls) -> JavaMLReader[BundleTransformer]:
        """Reads what was saved, by either language."""
        return _Reader(cls)


class _Reader(JavaMLReader["BundleTransformer"]):
    @classmethod
    def _java_loader_class(cls, clazz: object) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _JAVA_CLASS


def _engine(name: str) -> str:
    choice = EngineChoice.parse(name)
    if choice.host == "python":
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"engine '{name}': a stage of Spark ML runs in the JVM; use sealane.spark.score for "
            "Python workers",
            {"engine": name},
        )
    return choice.engine


def _require_jvm() -> None:
    spark = SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()
    if is_connect(spark) or not jvm_has_sealane(spark):
        raise no_jar("jvm")
