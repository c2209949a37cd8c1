"""A Spark job as a process: its session, its one line of JSON, its exit code.

Exit codes are those of the command line (:mod:`sealane.cli.process`); 1 when a check finds a
difference, 5 also when Spark failed, 74 when the output can not be written.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Protocol

import typer
from pyspark.sql import SparkSession

from sealane.cli.output import (
    EXIT_CODES,
    EXIT_DIFFERENT,
    EXIT_NOT_WRITTEN,
    TRACEBACK,
    tell,
    write_json,
)
from sealane.cli.process import EXIT_FAULT, EXIT_INTERRUPTED, own_output
from sealane.core import ErrorFamily, SealaneError
from sealane.spark import jar_conf
from sealane.spark.job_failures import JobFailed
from sealane.spark.sparks import is_connect

if TYPE_CHECKING:
    from collections.abc import Callable


class Summary(Protocol):
    """What a job did."""

    @property
    def ok(self) -> bool:
        """Whether nothing that it looked for was found wanting."""
        ...

    def to_json(self) -> dict[str, object]:
        """For one line of JSON."""
        ...


def run_job(name: str, job: Callable[[SparkSession], Summary]) -> int:
    """Does a job in a Spark session and prints its summary, or why it failed.

    Args:
        name: The application's.
        job: The job; what it and Spark print goes to standard error.

    Returns:
        The exit code.
    """
    result, sys.stdout = own_output(), sys.stderr
    try:
        summary = _done(name, job)
        printed, code = summary.to_json(), 0 if summary.ok else EXIT_DIFFERENT
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        printed, code = _told(error)
    sys.stdout = result
    try:
        write_json(printed)
    except typer.Exit as unread:
        return unread.exit_code
    return code


def _done(name: str, job: Callable[[SparkSession], Summary]) -> Summary:
    builder = SparkSession.builder.appName(name).config("spark.ui.showConsoleProgress", "false")
    if not os.environ.keys() & {"PYSPARK_GATEWAY_PORT", "SPARK_REMOTE"}:
        builder = builder.config(map={**jar_conf()})  # else the one who submits says --jars
    spark = builder.getOrCreate()
    _quiet(spark)
    try:
        return job(spark)
    finally:
        spark.stop()


def _quiet(spark: SparkSession) -> None:
    """Leaves out what Spark tells of each task, unless its configuration names a level."""
    if not is_connect(spark) and spark.conf.get("spark.log.level", "") == "":
        spark.sparkContext.setLogLevel("WARN")


def _told(error: Exception) -> tuple[dict[str, object], int]:
    """Tells of an error in one line on standard error; gives its JSON and the exit code."""
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error, file=sys.stderr)
    fields, code = _fields(error)
    tell(f"{fields['code']}: {fields['message']}")
    return {"error": fields}, code


def _fields(error: Exception) -> tuple[dict[str, object], int]:
    details: dict[str, object] = {}
    if isinstance(error, SealaneError):
        name, message, details = error.code.value, error.message, error.details
        code = EXIT_CODES[error.code.family]
    elif isinstance(error, JobFailed):
        name, message = ("OUTPUT" if error.is_output else "SPARK"), error.message
        code = EXIT_NOT_WRITTEN if error.is_output else EXIT_CODES[ErrorFamily.ENGINE]
    else:
        name, message, code = "FAULT", f"{type(error).__name__}: {error}", EXIT_FAULT
    return {"code": name, "message": " ".join(message.split()), "details": details}, code
