"""Runs the fenced blocks of a Markdown page, in order, in one folder, as its reader would.

A block with a title, ``title="score.py"``, is saved under that name. A ``console`` block is run:
each line that begins with ``$ `` is a command for bash, the lines below are what it must print, in
that order; ``…`` stands for anything, and lines that are printed but not shown are passed over. A
Python block without a title is run as it stands. All others are prose.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*) -->\n)?```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.M | re.S
)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
JAR = REPOSITORY / "python" / "sealane" / "jvm" / "sealane.jar"
SERVER = REPOSITORY / "jvm" / "server" / "target" / "sealane-server.jar"
LIMIT = 300
"""Seconds for one command."""


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the file it is saved as, and why it is not run, if so."""

    language: str
    title: str | None
    body: str
    not_run: str | None
    line: int

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """The commands of a console block, each with the lines it must print."""
        commands = []
        for session in re.split(r"^\$ ", self.body, flags=re.M)[1:]:
            command, _, expected = session.partition("\n")
            commands.append((command, [*filter(None, map(str.strip, expected.splitlines()))]))
        return commands


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        language, _, rest = match["info"].partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        note = match["note"] or ""
        reason = note.removeprefix("not run: ") if note.startswith("not run: ") else None
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(language, title and title[1], match["body"], reason, line))
    return found


def links(page: Path) -> list[str]:
    """Where the page's links to other files lead."""
    return LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))


def run(block: Block, folder: Path, programs: Path) -> None:
    """Saves or runs a block; ``python`` and ``sealane`` are those of ``programs``."""
    if block.title is not None:
        (folder / block.title).write_text(block.body, encoding="utf-8")
    elif block.language == "console":
        for command, expected in block.commands:
            _printed(command, _shell(command, folder, programs), expected)
    elif block.language == "python":
        file = folder / f"line_{block.line}.py"
        file.write_text(block.body, encoding="utf-8")
        _shell(f"python {file.name}", folder, programs)


def _printed(command: str, output: str, expected: list[str]) -> None:
    lines = iter(output.splitlines())
    for line in expected:
        pattern = ".*".join(map(re.escape, line.split("…")))
        found = any(re.fullmatch(pattern, printed.strip()) for printed in lines)
        assert found, f"{command!r} did not print {line!r} there; it printed:\n{output}"


def _shell(command: str, folder: Path, programs: Path) -> str:
    """What a command prints. All that it started has ended when this returns."""
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env={
            **os.environ,
            "PATH": os.pathsep.join((str(programs), str(BIN), os.environ["PATH"])),
            "SEALANE_JAR": str(JAR),
            "SEALANE_SERVER": str(SERVER),
            "SPARK_JOBS": str(REPOSITORY / "spark_jobs"),
            "COLUMNS": "160",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            output, messages = process.communicate(timeout=LIMIT)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, f"{command!r} exited {process.returncode}\n{output}\n{messages}"
    return output
