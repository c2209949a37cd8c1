"""Runs the fenced blocks of a Markdown page, in order, in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*) -->\n)?```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.M | re.S
)
REPOSITORY = Path(__file__).parents[2]
JAR = REPOSITORY / "python" / "sealane" / "jvm" / "sealane.jar"


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the file it is saved as, and why it is not run, if so."""

    language: str
    title: str | None
    body: str
    not_run: str | None
    line: int


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


def run(block: Block, folder: Path) -> None:
    if block.language == "python":
        file = folder / (block.title or f"block{block.line}.py")
        file.write_text(block.body, encoding="utf-8")
        _check([sys.executable, file.name], folder)
    elif block.language == "java":
        assert block.title, f"the Java block at line {block.line} needs a title"
        (folder / block.title).write_text(block.body, encoding="utf-8")
    elif block.language == "console":
        _console(block.body, folder)


def _console(body: str, folder: Path) -> None:
    for session in re.split(r"^\$ ", body, flags=re.M)[1:]:
        command, _, expected = session.partition("\n")
        printed = _check(["bash", "-c", command], folder).splitlines()
        position = 0
        for line in filter(None, map(str.strip, expected.splitlines())):
            pattern = ".*".join(map(re.escape, re.split("…", line)))
            while position < len(printed) and not re.fullmatch(pattern, printed[position].strip()):
                position += 1
            text = "\n".join(printed)
            assert position < len(printed), (
                f"{command!r} did not print {line!r}; it printed:\n{text}"
            )
            position += 1


def _check(command: list[str], folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "SEALANE_JAR": str(JAR), "COLUMNS": "160"}
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
