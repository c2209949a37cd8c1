"""What a running job tells on standard error: its stages, and how many of their tasks are done."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sealane.spark.sparks import is_connect

if TYPE_CHECKING:
    from collections.abc import Generator

    from pyspark import StatusTracker
    from pyspark.sql import SparkSession

SECONDS = 1.0
"""Between two looks."""


@contextmanager
def progress(spark: SparkSession) -> Generator[None]:
    """Tells about jobs of the session meanwhile; is silent on Spark Connect, which has no tracker.

    Args:
        spark: The session.
    """
    tracker = _tracker(spark)
    if tracker is None:
        yield
        return
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(tracker, ended), daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _tracker(spark: SparkSession) -> StatusTracker | None:
    return None if is_connect(spark) else spark.sparkContext.statusTracker()


def _watch(tracker: StatusTracker, ended: threading.Event) -> None:
    told: list[str] = []
    while not ended.wait(SECONDS):
        lines = _lines(tracker)
        for line in lines:
            if line not in told:
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()
        told = lines


def _lines(tracker: StatusTracker) -> list[str]:
    stages = [tracker.getStageInfo(stage) for stage in sorted(tracker.getActiveStageIds())]
    return [
        f"stage {each.stageId}: {each.numCompletedTasks} of {each.numTasks} tasks"
        + (f", {each.numFailedTasks} failed" if each.numFailedTasks else "")
        for each in stages
        if each is not None
    ]
