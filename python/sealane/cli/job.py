"""A Spark job as a process: its session, its one line of JSON, its exit code.

Exit codes are those of the command line (:mod:`sealane.cli.process`); 1 when a check finds a
difference, 5 also when Spark failed, 74 when the output can not be written.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

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
    from collections.abc import Callable, Generator


GATEWAY = "PYSPARK_GATEWAY_PORT"
"""Environment variable with which ``spark-submit`` starts Python."""


class Summary(Protocol):
    """What a job did."""

    @property
    def ok(self) -> bool:
        """Whether nothing that it looked for was found wanting."""
        ...

    def to_json(self) -> dict[str, object]:
        """For one line of JSON."""
        ...


def run_job(
    name: str, job: Callable[[SparkSession], Summary], engines: tuple[str, ...] = ()
) -> int:
    """Does a job in a Spark session and prints its summary, or why it failed.

    Args:
        name: The application's.
        job: The job; what it and Spark print goes to standard error.
        engines: Of the JVM that a session needs which this process starts.

    Returns:
        The exit code.
    """
    result, sys.stdout = own_output(), sys.stderr
    try:
        printed, code = _ended(name, job, engines)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    sys.stdout = result
    try:
        write_json(printed)
    except typer.Exit as unread:
        return unread.exit_code
    return code


def _ended(
    name: str, job: Callable[[SparkSession], Summary], engines: tuple[str, ...]
) -> tuple[dict[str, object], int]:
    """Does the job; gives what is to be printed, and the exit code."""
    try:
        spark = _session(name, engines)
    except Exception as error:
        return _told(error)
    with _java_stderr(spark):
        try:
            summary = job(spark)
        except Exception as error:
            return _told(error)
        finally:
            spark.stop()
    return summary.to_json(), 0 if summary.ok else EXIT_DIFFERENT


def _session(name: str, engines: tuple[str, ...]) -> SparkSession:
    builder = SparkSession.builder.appName(name).config("spark.ui.showConsoleProgress", "false")
    if not os.environ.keys() & {GATEWAY, "SPARK_REMOTE"}:
        # Else the one who submits names jars and the workers' interpreter.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.config(map={**jar_conf(*engines)})
    spark = builder.getOrCreate()
    _quiet(spark)
    return spark


@contextmanager
def _java_stderr(spark: SparkSession) -> Generator[None]:
    """Standard error as ``spark-submit`` has it, which sends Python's to standard output."""
    if GATEWAY not in os.environ or is_connect(spark):
        yield
        return
    own, sys.stderr = sys.stderr, _JavaStderr(spark)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stderr = own


class _JavaStderr(io.TextIOBase):
    """Text that the driver's JVM writes."""

    def __init__(self, spark: Any) -> None:
        self._stream: Any = spark._jvm.System.err

    def write(self, text: str, /) -> int:
        self._stream.print(text)
        return len(text)


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
