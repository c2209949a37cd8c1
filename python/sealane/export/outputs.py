"""A model's outputs as a flat list of named tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, cast

from sealane.export.errors import unsupported


def flatten(result: object) -> list[tuple[str, object]]:
    """Name and value of every output, in the model's order.

    A single tensor is ``output``; a tuple's are ``output_0``, ``output_1``…; a mapping's or a
    dataclass's are its keys, nested ones joined by an underscore. None is left out.
    """
    found = _walk("", result)
    return [("output", found[0][1])] if len(found) == 1 and not found[0][0] else found


def named(found: Sequence[str], wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The outputs' names: what the caller wants, or what the model calls them.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` when the caller's do not fit.
    """
    if not found:
        raise unsupported("the model returns no tensor")
    names = tuple(wanted) if wanted is not None else tuple(found)
    if len(names) != len(found) or len(set(names)) != len(names):
        raise unsupported(
            f"output_names {list(names)} do not fit the model's {len(found)} outputs {list(found)}"
        )
    return names


def _walk(prefix: str, value: object) -> list[tuple[str, object]]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        items = [(str(k), v) for k, v in cast("Mapping[object, object]", value).items()]
    elif is_dataclass(value) and not isinstance(value, type):
        items = [(entry.name, getattr(value, entry.name)) for entry in fields(value)]
    elif isinstance(value, tuple) and hasattr(cast("object", value), "_fields"):
        items = list(cast("Any", value)._asdict().items())
    elif isinstance(value, tuple | list):
        start = prefix or "output"
        entries = enumerate(cast("Sequence[object]", value))
        return [pair for index, v in entries for pair in _walk(f"{start}_{index}", v)]
    else:
        return [(prefix, value)]
    joined = [(f"{prefix}_{key}" if prefix else key, v) for key, v in items]
    return [pair for key, v in joined for pair in _walk(re.sub(r"[\x00-\x1f]", "_", key), v)]
