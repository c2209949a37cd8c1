"""How the demos speak."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

console = Console(highlight=False)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Tells what is going on, and afterwards how long it took."""
    started = time.perf_counter()
    with console.status(f"{what} …"):
        yield
    console.print(f"{what}: {time.perf_counter() - started:.0f} s")
