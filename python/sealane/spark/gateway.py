"""Scoring in the executors' JVM, asked for through the driver's (classic sessions)."""

from __future__ import annotations

import importlib
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Generator

    from pyspark.sql import DataFrame, SparkSession

    from sealane.spark.options import ScoreOptions

_CLASS = "io.sealane.spark.Gateway"
_CODED = re.compile(rf"\b({'|'.join(ErrorCode)}): (.*)", re.DOTALL)


def jvm_has_sealane(spark: SparkSession) -> bool:
    """Whether the driver's JVM has Sealane's classes."""
    return java_class(spark, _CLASS) is not None


def score(df: DataFrame, options: ScoreOptions) -> DataFrame:
    """The DataFrame with its scores, by the JVM.

    Raises:
        SealaneError: Whatever Java says; ENGINE_UNAVAILABLE when the jar is not there.
    """
    from pyspark.sql import DataFrame

    spark: Any = df.sparkSession
    gateway = java_class(spark, _CLASS)
    if gateway is None:
        raise no_jar("jvm")
    with java_errors():
        frame: Any = DataFrame
        jdf: Any = df
        return frame(gateway.score(jdf._jdf, options.to_json()), spark)


def no_jar(engine: str) -> SealaneError:
    """ENGINE_UNAVAILABLE: Sealane's jar is not on Spark's class path."""
    return SealaneError(
        ErrorCode.ENGINE_UNAVAILABLE,
        "Spark's JVM does not have Sealane's jar: start the session with sealane.spark.jar_conf(), "
        "for example SparkSession.builder.config(map=sealane.spark.jar_conf()), or use "
        "engine='python'",
        {"engine": engine},
    )


def java_class(spark: Any, name: str) -> Any:
    """A class of the driver's JVM, None when it can not load it."""
    found = spark._jvm
    for part in name.split("."):
        found = getattr(found, part)
    # Py4J takes the name of a class that it can not load for a package.
    return None if type(found).__name__ == "JavaPackage" else found


def java_exceptions() -> tuple[type[Exception], ...]:
    """What Py4J raises for an exception of Java: its own, or PySpark's in its place."""
    from pyspark.errors import PySparkException

    py4j: Any = importlib.import_module("py4j.protocol")
    return (py4j.Py4JJavaError, PySparkException)


@contextmanager
def java_errors() -> Generator[None]:
    """Turns what Java throws inside the block into SealaneError, when it has one of our codes."""
    try:
        yield
    except java_exceptions() as error:
        known = from_java(error)
        if known is None:
            raise
        raise known from error


def from_java(error: BaseException) -> SealaneError | None:
    """The same error in Python, None when it is none of Sealane's."""
    thrown: Any = getattr(error, "java_exception", None)
    while thrown is not None:
        found = _coded(str(thrown.getMessage()))
        if found is not None:
            return found
        thrown = thrown.getCause()
    return _coded(str(error))


def _coded(text: str) -> SealaneError | None:
    found = _CODED.search(text)
    return None if found is None else SealaneError(ErrorCode(found[1]), found[2])
