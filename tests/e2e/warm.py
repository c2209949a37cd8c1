"""Python that starts warm, for the scripts and commands of pages.

PyTorch, its exporter and Sealane take 20 seconds of a core to come up, a page has several scripts,
and there are several pages. So one process loads them once and forks for each script: a process of
its own, in its own folder, with its own streams and environment, as its reader would have. The
programs ``python SCRIPT.py`` and ``sealane`` of `programs` ask that process; all other uses of
``python`` go to the real one.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOADED = 120
"""Seconds until it is warm."""


@contextlib.contextmanager
def programs(folder: Path):
    """A folder with the programs ``python`` and ``sealane``, which are warm while this is open."""
    address = folder / "warm.socket"
    for name in ("python", "sealane"):
        program = folder / name
        command = [sys.executable, "-S", "-E", __file__, str(address), sys.executable, name]
        program.write_text(f'#!/bin/sh\nexec {" ".join(map(repr, command))} "$@"\n')
        program.chmod(0o755)
    server = subprocess.Popen([sys.executable, __file__, str(address)], stdin=subprocess.PIPE)
    with server:
        deadline = time.monotonic() + LOADED
        while not address.exists():
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield folder
        server.stdin.close()  # it ends then


def ask(address: str, python: str, program: str, arguments: list[str]) -> int:
    """What the programs do; gives the exit code."""
    script = program == "python" and arguments and arguments[0].endswith(".py")
    if program == "python" and not script:
        os.execv(python, [python, *arguments])
    asked = json.dumps([program, arguments, str(Path.cwd()), dict(os.environ)]).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(address)
        socket.send_fds(connection, [asked], [0, 1, 2])
        return int(connection.recv(16) or b"70")


def serve(address: str) -> None:
    """Loads, then forks for each caller, until standard input ends."""
    owner = os.dup(0)
    _load()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"{address}.new")
        listener.listen()
        Path(f"{address}.new").rename(address)
        while True:
            ready, _, _ = select.select([listener, owner], [], [], 1)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)
            if owner in ready:
                return
            if listener in ready:
                connection, _ = listener.accept()
                with connection:
                    if os.fork() == 0:
                        listener.close()
                        os.close(owner)
                        _supervise(connection)
                        return


def _load() -> None:
    import onnxscript  # noqa: F401
    import torch

    import sealane
    import sealane.cli
    import sealane.training.torch  # noqa: F401

    with contextlib.redirect_stdout(io.StringIO()):  # it tells of its progress
        model = torch.nn.Linear(2, 1).eval()
        torch.onnx.export(model, (torch.zeros(1, 2),), dynamo=True, verbose=False)
    gc.collect()
    gc.freeze()  # the collector would copy the pages of what is loaded


def _supervise(connection: socket.socket) -> None:
    """Runs what is asked in a child; ends it when the caller goes away."""
    message, streams, _, _ = socket.recv_fds(connection, 1 << 18, 3)
    child = os.fork()
    if child == 0:
        connection.close()
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        _end(_run, *json.loads(message))
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([ended, connection], [], [])
    if ended not in ready:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):
        connection.send(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _end(call: Callable[..., None], *arguments: object) -> None:
    """Ends the process as the interpreter would, but for the slow part: freeing all modules."""
    code = 0
    try:
        call(*arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else end.code is not None
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(program: str, arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if program == "sealane":
        from sealane import cli

        sys.argv = ["sealane", *arguments]
        cli.main()
    else:
        sys.argv = arguments
        sys.path[0] = str(Path(arguments[0]).resolve().parent)
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    else:
        sys.exit(ask(*sys.argv[1:4], sys.argv[4:]))
