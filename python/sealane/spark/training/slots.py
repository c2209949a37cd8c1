"""Whether the cluster has room for all ranks at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError
from sealane.spark.sparks import is_connect

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOOK_SECONDS = 0.25


def check_slots(spark: SparkSession, ranks: int, seconds: float) -> None:
    """Waits for room for all ranks, for some seconds only.

    Spark itself waits for minutes and tells nothing.

    Args:
        spark: A classic session.
        ranks: How many tasks have to run at once.
        seconds: How long to wait for executors that are about to come.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE on Spark Connect, with dynamic allocation, and when there
            is no room.
    """
    if is_connect(spark):
        raise _unavailable(
            "Spark Connect has no barrier stages that a client may start: train in a classic "
            "session (SparkSession.builder.master(…))"
        )
    if str(spark.conf.get("spark.dynamicAllocation.enabled", "false")).lower() == "true":
        raise _unavailable(
            "barrier stages need executors that stay: set spark.dynamicAllocation.enabled=false"
        )
    end = time.monotonic() + seconds
    while (slots := _slots(spark)) < ranks:
        if time.monotonic() >= end:
            raise _unavailable(
                f"there is room for {slots} tasks at once and {ranks} ranks have to run: use fewer "
                f"ranks, or more executors or cores (waited {seconds:g} s, slot_seconds)"
            )
        time.sleep(LOOK_SECONDS)


def _slots(spark: Any) -> int:
    """Tasks that run at once on the executors that are there."""
    context = spark.sparkContext._jsc.sc()
    profile = context.resourceProfileManager().defaultResourceProfile()
    return int(context.maxNumConcurrentTasks(profile))


def _unavailable(message: str) -> SealaneError:
    return SealaneError(ErrorCode.ENGINE_UNAVAILABLE, message)
