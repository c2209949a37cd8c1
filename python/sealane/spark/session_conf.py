"""What a Spark session needs, and what it can tell about scoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as f

from sealane.jvm import find_jar
from sealane.jvm.engines import engine_jars
from sealane.spark.options import ERROR_SUFFIX

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Observation


def jar_conf(*engines: str) -> dict[str, str]:
    """The settings with which a Spark session has Sealane in its JVM.

    Args:
        engines: Further engines, such as ``dl4j`` to train with.

    Example:
        >>> SparkSession.builder.config(map=sealane.spark.jar_conf())  # doctest: +SKIP

    Raises:
        SealaneError: ENGINE_UNAVAILABLE without the jars.
    """
    # Spark has its own logging.
    jars = [jar for each in engines for jar in engine_jars(each) if "slf4j" not in jar.name]
    return {
        "spark.jars": ",".join(map(str, [find_jar(), *jars])),
        "spark.sql.extensions": "io.sealane.spark.SealaneExtensions",
        "spark.sql.catalog.sealane": "io.sealane.spark.SealaneCatalog",
        "spark.connect.extensions.relation.classes": "io.sealane.spark.connect.ScoreRelationPlugin",
    }


def observed(df: DataFrame, name: str | Observation, into: str = "score") -> DataFrame:
    """A scored DataFrame that counts its rows while they pass.

    Args:
        df: What :func:`score` gave.
        name: Under which Spark tells the numbers ``rows`` and ``quarantined`` to listeners of
            queries and in the progress of a streaming query; or an ``Observation``.
        into: Name of the score column.
    """
    error = into + ERROR_SUFFIX
    if error in df.columns:
        refused = f.col(f"`{error}`").isNotNull()
    else:
        refused = f.col(f"`{into}`").isNull()
    return df.observe(
        name,
        f.count(f.lit(1)).alias("rows"),
        f.count(f.when(refused, f.lit(1))).alias("quarantined"),
    )
