"""Tables for people: text for terminals, HTML for notebooks."""

from __future__ import annotations

import html
import io
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Group

_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

WIDTH = 118
SHORT = 20
"""Characters up to which the cells of a column stay in one line."""


def visible(text: str) -> str:
    r"""Text of unknown origin for a terminal: what would steer it is shown as an escape.

    Line feeds stay. Control characters, and those that reorder or hide text (Unicode categories Cc,
    Cf, Cs, Zl and Zp), become ``\x1b``, ``\u202e`` and the like.
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in _STEERING else _escape(char)
        for char in text
    )


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def number(value: float | None) -> str:
    """A metric in three digits; a dash where there is none."""
    return "-" if value is None else f"{value:.3g}"


def rich_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> Group:
    """A title over a table over notes; no table without rows. Cells are plain text.

    A last column without a heading is for remarks: it may wrap, and goes when it is empty.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    title, notes = visible(title), [*map(visible, notes)]
    rows = [[*map(visible, row)] for row in rows]
    if not rows:
        return Group(Text(title))
    table = Table(show_edge=False, pad_edge=False)
    shown = len(header) - (not header[-1] and not any(row[-1] for row in rows))
    for name, *cells in list(zip(header, *rows, strict=True))[:shown]:
        table.add_column(name, no_wrap=max(map(len, cells)) <= SHORT, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_style(cell)) for cell in row[:shown]))
    return Group(Text(title), table, *map(Text, notes))


def text_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> str:
    """The same as plain text."""
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None).print(rich_table(title, header, rows, notes))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def html_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> str:
    """The same as HTML."""
    head = "".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in header)
    body = "".join(
        "<tr>"
        + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    below = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    return f"<table><caption>{html.escape(title)}</caption><tr>{head}</tr>{body}</table>{below}"


def _style(cell: str) -> str:
    if cell in ("failed", "FAILED", "differs") or cell.startswith("error"):
        return "bold red"
    return "green" if cell in ("ok", "bit-exact", "within-oracle") else ""
