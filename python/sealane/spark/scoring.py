"""One door to scoring a DataFrame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sealane.spark import connect, gateway, python_engine
from sealane.spark.location import Location
from sealane.spark.options import EngineChoice, InputColumns, ScoreOptions
from sealane.spark.sparks import check_connect_version, is_connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from sealane.spark.options import Host, OnError


def score(
    df: DataFrame,
    bundle: str | Path,
    *,
    inputs: Mapping[str, str | Sequence[str]] | str | None = None,
    outputs: Sequence[str] | None = None,
    engine: str = "auto",
    on_error: OnError = "quarantine",
    into: str = "score",
    batch_size: int = 1024,
) -> DataFrame:
    """Scores each row of a DataFrame, batch or streaming, classic or Spark Connect.

    Args:
        df: The rows.
        bundle: A path of the driver, which Spark ships, or a URI, which every executor reads. A
            folder of bundles stands for the newest version in it. Streaming queries look again at
            each micro-batch.
        inputs: Input → its column, a field ``struct.field``, or one column for each element of a
            vector. A string names a struct column whose fields are the inputs. Inputs that are
            left out have a column of their own name.
        outputs: The outputs to compute; None for all.
        engine: ``jvm`` (no Python worker), ``python``, one of them with ``:onnx``,
            ``:tensorflow`` or ``:dl4j`` (JVM), or ``auto``: the JVM when it has Sealane's jar and
            the bundle an ONNX variant.
        on_error: What becomes of a row that can not be scored: ``quarantine`` gives it the reason
            in ``<into>_error``, ``null`` no score, ``fail`` ends the job.
        into: Name of the score column: the value of the one output, or a struct of several.
        batch_size: Rows of one run, at most. Engines may round differently in the last bit.

    Returns:
        ``df``'s columns, the score, and with ``quarantine`` ``<into>_error``: a struct of
        ``code`` and ``message``, null for scored rows.

    Raises:
        SealaneError: Before any job runs: a code of the bundle family, INPUT_* for columns that do
            not fit, ENGINE_UNAVAILABLE.

    Example:
        >>> sealane.spark.score(flights, "models/delay").show()  # doctest: +SKIP
    """
    location = Location.parse(bundle)
    connected = is_connect(df)
    options = ScoreOptions(
        str(bundle) if connected else location.text,
        InputColumns.parse(inputs),
        None if outputs is None else (outputs,) if isinstance(outputs, str) else tuple(outputs),
        EngineChoice.parse(engine),
        on_error,
        into,
        batch_size,
    )
    options.check_free(df.columns)
    if connected:
        check_connect_version(df.sparkSession)
    host = host_of(df.sparkSession, location, options.engine)
    options = replace(options, engine=replace(options.engine, host=host))
    if options.engine.host == "python":
        return python_engine.score(df, options)
    return connect.score(df, options) if connected else gateway.score(df, options)


def host_of(spark: SparkSession, location: Location, engine: EngineChoice) -> Host:
    """Where an engine runs: for ``auto`` the JVM if it has Sealane, and the bundle ONNX.

    Args:
        spark: The session.
        location: Where the bundle is.
        engine: What was asked for.

    Returns:
        ``jvm`` or ``python``.

    Raises:
        SealaneError: BUNDLE_NOT_FOUND.
    """
    if engine.host != "auto":
        return engine.host
    return "jvm" if _jvm_can(spark, location) else "python"


def _jvm_can(spark: SparkSession, location: Location) -> bool:
    if is_connect(spark):
        if not connect.server_has_sealane(spark):
            return False
        if location.path is None or not location.path.exists():
            return True
    elif not gateway.jvm_has_sealane(spark):
        return False
    return "onnx" in location.kinds(spark)
