"""Why a job failed, in one line, out of what Spark says in hundreds."""

from __future__ import annotations

import importlib
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pyspark.errors import PySparkException

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Generator

_FAILURES: tuple[Any, ...] = (
    PySparkException,
    importlib.import_module("py4j.protocol").Py4JError,
)
_CODED = re.compile(rf"\b({'|'.join(ErrorCode)}): ([^\n]*)")
_CAUSE = re.compile(r"^(?:\s*Caused by)?: (.*)$", re.MULTILINE)
"""How Py4J shows an exception of Java, and Java the exceptions below."""

_PYTHON = re.compile(r"Traceback \(most.*?^(\w[^\n]*)$", re.MULTILINE | re.DOTALL)
"""How a Python worker shows an exception."""

_RANK = re.compile(r"RankFailed: (rank \d+: [^\n]*)")

_UNWRITTEN = re.compile(
    r"No space left on device|Mkdirs failed|DSQuotaExceeded|Permission denied|PATH_ALREADY_EXISTS"
    r"|TABLE_OR_VIEW_ALREADY_EXISTS|already exists|FileAlreadyExistsException|SQLException"
    r"|Read-only file system|DELTA_PATH_EXISTS|Disk quota exceeded|BatchUpdateException"
)
_LONGEST = 500


class JobFailed(Exception):
    """Spark could not do the job, and nothing of Sealane's is at fault.

    Attributes:
        message: Why, on one line.
        is_output: Whether the output can not be written.
    """

    def __init__(self, message: str, *, is_output: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.is_output = is_output


@contextmanager
def job_failures(output: str) -> Generator[None]:
    """Turns what Spark raises into a SealaneError where its cause is one, else into JobFailed.

    Args:
        output: Where the job writes to, for the message.
    """
    try:
        yield
    except _FAILURES as error:
        raise _explained(_text(error), output) from error


@contextmanager
def source_failures(source: str) -> Generator[None]:
    """Turns what Spark raises while it looks at a table into INPUT_MISSING.

    Args:
        source: Where the table is, for the message.
    """
    try:
        yield
    except _FAILURES as error:
        message = f"the table {source} can not be read: {_reason(_text(error))}"
        raise SealaneError(ErrorCode.INPUT_MISSING, message, {"table": source}) from error


@contextmanager
def rank_failures() -> Generator[None]:
    """Turns what Spark raises while ranks train into a SealaneError, or else into JobFailed.

    It is ENGINE_RUN_FAILED when a rank failed as often as Spark tries again.
    """
    try:
        yield
    except _FAILURES as error:
        text = _text(error)
        rank = _RANK.search(text)
        if rank is None:
            raise _explained(text, "the model") from error
        message = f"the ranks failed again and again; the last time {_short(rank[1])}"
        raise SealaneError(ErrorCode.ENGINE_RUN_FAILED, message) from error


def _explained(text: str, output: str) -> SealaneError | JobFailed:
    coded = _CODED.search(text)
    if coded is not None:
        return SealaneError(ErrorCode(coded[1]), coded[2].strip())
    unwritten = _UNWRITTEN.search(text)
    if unwritten is None:
        return JobFailed(f"Spark: {_reason(text)}")
    line = next(line for line in text.splitlines() if unwritten[0] in line)
    return JobFailed(f"{output} can not be written: {_short(line)}", is_output=True)


def _reason(text: str) -> str:
    """What a worker raised, or the innermost cause, or the first line."""
    python = _PYTHON.search(text)
    if python is not None:
        return _short(f"a Python worker: {python[1]}")
    causes = _CAUSE.findall(text)
    return _short(causes[-1] if causes else text.strip().splitlines()[0])


def _short(line: str) -> str:
    words = " ".join(line.strip(" :").removeprefix("Caused by: ").split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


def _text(error: Exception) -> str:
    """All that Spark says: of an exception of Java its causes too."""
    trace = getattr(error, "_stackTrace", None) or getattr(error, "_stacktrace", None)
    return f"{error}\n{trace or ''}"
