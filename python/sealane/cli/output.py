"""What a command prints: results to standard output, messages to standard error."""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO, cast

import typer
from rich.console import Console

from sealane.api.tables import visible
from sealane.core import ErrorFamily, SealaneError

if TYPE_CHECKING:
    from collections.abc import Generator

TRACEBACK = "SEALANE_TRACEBACK"
"""Environment variable: whether an error shows where it was raised."""

EXIT_DIFFERENT = 1
EXIT_NOBODY_READS = 141
EXIT_NOT_WRITTEN = 74
EXIT_CODES = {
    ErrorFamily.BUNDLE: 3,
    ErrorFamily.INPUT: 4,
    ErrorFamily.ENGINE: 5,
    ErrorFamily.SERVICE: 5,
}


@contextmanager
def work(*, as_json: bool) -> Generator[None]:
    """Turns a SealaneError into a line on standard error and an exit code.

    What libraries and models print meanwhile goes to standard error: standard output is the
    result's.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except SealaneError as error:
        if as_json:
            fields = error.fields
            write_json({"error": fields})
        if os.environ.get(TRACEBACK):
            traceback.print_exc(file=sys.stderr)
        tell(str(error))
        raise typer.Exit(EXIT_CODES[error.code.family]) from error


def show(value: object) -> None:
    """Prints a result for people: a table on a terminal, the same as plain text elsewhere."""
    if hasattr(value, "__rich__") and sys.stdout and sys.stdout.isatty():
        Console().print(value)
    else:
        put(f"{value}\n")


def put(text: str) -> None:
    """Writes to standard output."""
    output: TextIO | None = sys.stdout
    if output is None:  # it is closed
        return
    try:
        output.write(text)
        output.flush()
    except BrokenPipeError as error:
        raise typer.Exit(EXIT_NOBODY_READS) from error
    except OSError as error:
        tell(f"standard output can not be written: {error.strerror}")
        raise typer.Exit(EXIT_NOT_WRITTEN) from error


def tell(message: str) -> None:
    """Prints one line to standard error."""
    console = Console(stderr=True, soft_wrap=True)
    console.print(visible(" ".join(message.split())), style="red", markup=False, highlight=False)


def write_json(value: object) -> None:
    """Prints the one JSON document of a command."""
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=str)
    put(text + "\n")


def _finite(value: Any) -> Any:
    """The value with NaN and the infinities as strings, which JSON has no numbers for."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in cast("list[Any]", value)]
    return value
