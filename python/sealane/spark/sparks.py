"""Which Spark this is."""

from __future__ import annotations

from typing import Any

from sealane.core import ErrorCode, SealaneError


def is_connect(thing: object) -> bool:
    """Whether a session or DataFrame is one of Spark Connect, which has no JVM on this side."""
    return any("pyspark.sql.connect" in each.__module__ for each in type(thing).__mro__)


def check_connect_version(spark: Any) -> None:
    """Refuses Spark Connect before Spark 4.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE.
    """
    version = str(spark.version)
    if int(version.partition(".")[0]) < 4:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"Sealane scores on Spark Connect from Spark 4.0 on, this is {version}: use a classic "
            "session (SparkSession.builder.master(…)), or a newer server",
            {"version": version},
        )


def is_local(spark: Any) -> bool:
    """Whether workers run on the driver's machine, out of its file system; classic sessions."""
    master = str(spark.sparkContext.master)
    return master.startswith("local") and not master.startswith("local-cluster")
