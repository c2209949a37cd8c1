"""Tables for people: text for terminals, HTML for notebooks."""

from __future__ import annotations

import html
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Group

WIDTH = 118


def number(value: float | None) -> str:
    """A metric in three digits; a dash where there is none."""
    return "-" if value is None else f"{value:.3g}"


def rich_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Group:
    """A title over a table; no table without rows. Cells are plain text."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return Group(Text(title))
    table = Table(show_edge=False, pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    return Group(Text(title), table)


def text_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same table as plain text."""
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None).print(rich_table(title, header, rows))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def html_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same table as HTML."""
    head = "".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in header)
    body = "".join(
        "<tr>"
        + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><caption>{html.escape(title)}</caption><tr>{head}</tr>{body}</table>"


def _style(cell: str) -> str:
    if cell in ("failed", "FAILED", "differs") or cell.startswith("error"):
        return "bold red"
    return "green" if cell in ("ok", "bit-exact", "within-oracle") else ""
