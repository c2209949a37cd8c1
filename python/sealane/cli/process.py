"""The command line as a process: its streams, and how it ends.

Exit codes: 0 all is well; 1 verified and found wanting, or different; 2 the command line is wrong;
3 the bundle can not be trusted, or a model can not be exported; 4 the input is bad; 5 an engine or
the JVM is missing or failed; 70 a fault of Sealane itself; 74 the output can not be written;
130 interrupted; 141 nobody reads the output any more.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, TextIO

from sealane.cli.commands import app
from sealane.cli.output import EXIT_NOBODY_READS, EXIT_NOT_WRITTEN, TRACEBACK, tell, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_USAGE = 2
EXIT_FAULT = 70
EXIT_INTERRUPTED = 130


def main() -> None:
    """Runs the command line and ends the process."""
    sys.stdout = own_output()
    rows: Any = sys.stdin
    if isinstance(rows, io.TextIOWrapper):
        rows.reconfigure(encoding="utf-8-sig")
    code = run(sys.argv[1:])
    if code in (EXIT_NOBODY_READS, EXIT_NOT_WRITTEN):
        # What is left in the buffer has nowhere to go.
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command.

    Args:
        arguments: As after the program's name.

    Returns:
        The exit code.
    """
    as_json = "--json" in arguments
    try:
        code: Any = app(list(arguments), prog_name="sealane", standalone_mode=False)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except SystemExit:  # the parser's answer to a pipe that is closed while it prints help
        return EXIT_NOBODY_READS
    except Exception as error:
        if hasattr(error, "format_message"):
            return _usage(error, as_json=as_json)
        return _fault(error, as_json=as_json)
    return code if isinstance(code, int) else 0


def own_output() -> TextIO:
    """Standard output for results alone: what native code prints there goes to standard error."""
    try:
        result = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # one of them is closed
        return sys.stdout
    return os.fdopen(result, "w", encoding="utf-8")


def _usage(error: Any, *, as_json: bool) -> int:
    """A command line that the parser refused."""
    context = error.ctx
    name = "sealane" if context is None else context.command_path
    message = " ".join(error.format_message().split())
    tell(f"usage: {message} (see {name} --help)")
    if as_json:
        write_json({"error": {"code": "USAGE", "message": message, "details": {}}})
    return EXIT_USAGE


def _fault(error: Exception, *, as_json: bool) -> int:
    """What no room of the house foresaw."""
    message = " ".join(f"{type(error).__name__}: {error}".split())
    if os.environ.get(TRACEBACK):
        traceback.print_exc(file=sys.stderr)
    tell(f"fault of Sealane: {message} ({TRACEBACK}=1 shows where)")
    if as_json:
        write_json({"error": {"code": "FAULT", "message": message, "details": {}}})
    return EXIT_FAULT
