"""Models and example inputs named on a command line or by a Java service."""

from __future__ import annotations

import csv
import importlib
import json
import sys
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sealane.runtime.values import AnyArray


def find_attribute(name: str) -> object:
    """What ``module:attribute`` names, looked up also in the current directory.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED when it can not be imported.
    """
    module, _, attribute = name.partition(":")
    if not attribute:
        raise _unusable(name, "expected module:attribute, such as train:model")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise _unusable(name, str(error)) from error
    return cast("object", found)


def read_example(path: Path) -> dict[str, AnyArray] | tuple[AnyArray, ...]:
    """Example inputs from a ``.json`` or ``.csv`` file, in the dtypes models usually take.

    JSON is an object of nested lists, ``{"x": [[0.1, 0.2], [0.3, 0.4]]}``, or an array of them for
    inputs by position; CSV has one input per column. Whole numbers become int64, decimals (and an
    empty CSV cell, as NaN) float32, all else text.

    Raises:
        SealaneError: INPUT_DTYPE when it can not be read.
    """
    if path.suffix not in (".json", ".csv"):
        raise SealaneError(
            ErrorCode.INPUT_DTYPE, f"example '{path}' can not be read: expected .csv or .json"
        )
    try:
        if path.suffix == ".json":
            value: Any = json.loads(path.read_text("utf-8"))
            if isinstance(value, list):
                return tuple(_as_array(each) for each in cast("list[object]", value))
            return {name: _as_array(each) for name, each in value.items()}
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file, strict=True)
        return {
            name: _from_cells([row[index] for row in rows]) for index, name in enumerate(header)
        }
    except (OSError, ValueError, AttributeError, IndexError, csv.Error) as error:
        raise SealaneError(
            ErrorCode.INPUT_DTYPE, f"example '{path}' can not be read: {error}"
        ) from error


def _as_array(value: object) -> AnyArray:
    array = np.asarray(value)
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    return array.astype(np.object_) if array.dtype.kind in "UO" else array


def _from_cells(cells: Sequence[str]) -> AnyArray:
    for parse, dtype in ((int, np.int64), (_decimal, np.float32)):
        try:
            return np.array([parse(cell) for cell in cells], dtype)
        except ValueError:
            continue
    packed = np.empty(len(cells), np.object_)
    packed[:] = cells
    return packed


def _decimal(cell: str) -> float:
    return float(cell) if cell else float("nan")


def _unusable(name: str, problem: str) -> SealaneError:
    return SealaneError(ErrorCode.EXPORT_UNSUPPORTED, f"model '{name}' can not be used: {problem}")
