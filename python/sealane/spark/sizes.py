"""How many elements rows have, and whether the dims of an input allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.spark import faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealane.core import Dim, SymbolRange
    from sealane.runtime.values import AnyArray
    from sealane.spark.faults import Fault
    from sealane.spark.plan import InputPlan
    from sealane.spark.rows import InputRows


def split_lists(lists: Any) -> tuple[AnyArray, Any]:
    """Where each list begins and ends in what they hold.

    Args:
        lists: An Arrow list array; shape [n].

    Returns:
        Offsets, shape [n + 1], from 0 on; and the Arrow array of what all lists hold.
    """
    if len(lists) == 0:
        return np.zeros(1, np.int64), lists.values.slice(0, 0)
    offsets = lists.offsets.to_numpy().astype(np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    return offsets - first, lists.values.slice(first, last - first)


def equal_lengths(
    lengths: AnyArray, bounds: AnyArray, dim: Dim
) -> tuple[AnyArray, AnyArray | None]:
    """The one length that all lists of a row have.

    Args:
        lengths: Of each list; shape [lists].
        bounds: Where the lists of each row begin and end; shape [rows + 1].
        dim: What they should be; an empty row has it, if it is fixed.

    Returns:
        The length for each row, and the rows whose lists differ, None when none do.
    """
    filled = np.diff(bounds) > 0
    size = np.full(len(bounds) - 1, dim if isinstance(dim, int) else 0, np.int64)
    if not filled.any():
        return size, None
    starts = bounds[:-1][filled]
    size[filled] = low = np.minimum.reduceat(lengths, starts)
    differ = low != np.maximum.reduceat(lengths, starts)
    if not differ.any():
        return size, None
    unequal = np.zeros(len(size), np.bool_)
    unequal[filled] = differ
    return size, unequal


def check_dims(
    plan: InputPlan,
    sizes: Sequence[AnyArray],
    symbols: Mapping[str, SymbolRange],
    found: list[Fault],
) -> dict[str, AnyArray]:
    """Checks each row's sizes against an input's dims.

    Args:
        plan: The input; a flat array has one size for several fixed dims.
        sizes: For each axis the size in each row.
        symbols: Ranges of the symbolic dims.
        found: Takes the faults.

    Returns:
        Symbol → its size in each row.
    """
    spec = plan.spec
    dims: tuple[Dim, ...] = plan.dims
    if len(sizes) < len(dims):
        dims = (plan.fixed_size,)
    named: dict[str, AnyArray] = {}
    for dim, size in zip(dims, sizes, strict=True):
        if isinstance(dim, int):
            wrong, expected = size != dim, f"{dim} elements, {spec}"
        elif dim in named:
            wrong, expected = size != named[dim], f"{dim} as before it, {spec}"
        else:
            named[dim] = size
            wrong, expected = _outside_range(dim, size, symbols.get(dim))
        if wrong is not None and wrong.any():
            found.append(faults.misshaped(spec, wrong, expected, size))
    return named


def _outside_range(
    symbol: str, size: AnyArray, allowed: SymbolRange | None
) -> tuple[AnyArray | None, str]:
    if allowed is None:
        return None, symbol
    wrong = size < allowed.minimum
    expected = f"{symbol} >= {allowed.minimum}"
    if allowed.maximum is not None:
        wrong |= size > allowed.maximum
        expected += f" and <= {allowed.maximum}"
    if allowed.multiple_of != 1:
        wrong |= size % allowed.multiple_of != 0
        expected += f", a multiple of {allowed.multiple_of}"
    return wrong, expected


def differing_symbols(rows: InputRows, known: dict[str, AnyArray]) -> list[Fault]:
    """The rows in which a symbol has another size than in the inputs before.

    Args:
        rows: One input.
        known: Symbol → size in each row; takes the symbols that are new.
    """
    found: list[Fault] = []
    for symbol, size in rows.symbols.items():
        before = known.setdefault(symbol, size)
        wrong = before != size
        if before is not size and wrong.any():
            found.append(faults.misshaped(rows.spec, wrong, f"{symbol} as before it", size))
    return found
