"""Rows in files as a model's inputs, and outputs as files: JSON, JSON lines, CSV, Parquet.

JSON is an object of columns ``{"age": [41, 33]}`` or an array of rows ``[{"age": 41}, …]``;
``null`` is a missing value. In CSV an empty cell is a missing value, and an input ``x`` of shape
[batch, 3] has the columns ``x[0]``, ``x[1]``, ``x[2]``. In JSON that is written, NaN and the
infinities are the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from sealane.core import DType, ErrorCode, SealaneError, Signature, TensorSpec
from sealane.runtime.inputs import unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealane.runtime.values import AnyArray

Columns = dict[str, Any]
FORMATS = ("json", "jsonl", "csv", "parquet")

_TRUE = {"true", "1"}
_FALSE = {"false", "0"}


def read_rows(source: Path | TextIO, kind: str, signature: Signature) -> Columns:
    """The inputs that a file or a stream holds, by input name, not yet checked for shapes.

    Args:
        source: A file, or an open text stream (not for Parquet).
        kind: ``json``, ``jsonl``, ``csv`` or ``parquet``.
        signature: Tells how cells of text are to be read.

    Raises:
        SealaneError: INPUT_DTYPE for what can not be parsed, INPUT_UNKNOWN for a column that is no
            input, INPUT_RAGGED for rows with other columns than the first.
    """
    if kind == "parquet":
        return _read_parquet(source, signature)
    text = _text(source)
    if kind == "csv":
        return _read_csv(text, signature)
    if kind == "jsonl":
        rows = [_parse_json(line) for line in text.split("\n") if line.strip()]
        return _from_rows(rows)
    value = _parse_json(text)
    if isinstance(value, list):
        return _from_rows(cast("list[Any]", value))
    if not isinstance(value, dict):
        raise _unreadable("JSON", "expected an object of columns or an array of rows")
    return cast("Columns", value)


def to_json(outputs: Mapping[str, AnyArray]) -> dict[str, Any]:
    """Outputs as nested lists; floats in the fewest digits that read back to the same value."""
    return {name: _nested(array) for name, array in outputs.items()}


def write_csv(outputs: Mapping[str, AnyArray], target: TextIO) -> None:
    """Outputs as columns, one line per row of axis 0.

    Raises:
        SealaneError: INPUT_SHAPE when an output has no rows, or the outputs have different numbers.
    """
    columns: dict[str, list[str]] = {}
    for name, array in outputs.items():
        if array.ndim == 0:
            raise _no_table(name, "a single value has no rows")
        flat = array.reshape(len(array), -1) if array.size else array.reshape(len(array), 0)
        for index in range(flat.shape[1]):
            key = name if array.ndim == 1 else f"{name}[{index}]"
            columns[key] = [_shortest(each) for each in flat[:, index]]
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise _no_table(next(iter(outputs)), "the outputs have different numbers of rows")
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))


def _read_csv(text: str, signature: Signature) -> Columns:
    try:
        lines = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise _unreadable("CSV", str(error)) from error
    if not lines:
        raise _unreadable("CSV", "expected a line of column names")
    header, rows = lines[0], [line for line in lines[1:] if line]
    for row, line in enumerate(rows):
        if len(line) != len(header):
            raise SealaneError(
                ErrorCode.INPUT_RAGGED,
                f"CSV row {row}: expected {len(header)} cells, received {len(line)}",
                {"row": row, "expected": len(header), "received": len(line)},
            )
    cells = {name: [line[index] for line in rows] for index, name in enumerate(header)}
    places = _csv_places(signature)
    for name in cells:
        if name not in places:
            raise unknown_name("input", name, list(places))
    columns: Columns = {}
    for spec in signature.inputs:
        names = [name for name, owner in places.items() if owner is spec]
        if not all(name in cells for name in names):
            continue
        parsed = [_parse_cells(spec, name, cells[name]) for name in names]
        flat = len(spec.shape) == 1
        columns[spec.name] = parsed[0] if flat else [list(row) for row in zip(*parsed, strict=True)]
    return columns


def _csv_places(signature: Signature) -> dict[str, TensorSpec]:
    """The columns that a signature has in CSV."""
    places: dict[str, TensorSpec] = {}
    for spec in signature.inputs:
        if len(spec.shape) == 1:
            places[spec.name] = spec
        elif len(spec.shape) == 2 and isinstance(spec.shape[1], int):
            places.update({f"{spec.name}[{index}]": spec for index in range(spec.shape[1])})
        else:
            raise _no_table(spec.name, f"{spec} has no columns in CSV, use JSON")
    return places


def _parse_cells(spec: TensorSpec, name: str, cells: Sequence[str]) -> list[Any]:
    parsed: list[Any] = []
    for row, cell in enumerate(cells):
        try:
            parsed.append(_parse_cell(spec, cell))
        except ValueError:
            raise SealaneError(
                ErrorCode.INPUT_DTYPE,
                f"column '{name}', row {row}: expected {spec.dtype.value}, received {cell[:80]!r}",
                {"input": spec.name, "row": row, "received": cell[:80]},
            ) from None
    return parsed


def _parse_cell(spec: TensorSpec, cell: str) -> Any:
    if cell == "":
        return None
    if spec.dtype is DType.BYTES:
        return cell
    if spec.dtype is DType.BOOL:
        word = cell.strip().lower()
        if word not in _TRUE | _FALSE:
            raise ValueError(cell)
        return word in _TRUE
    if spec.dtype.is_float:
        return float(cell)
    try:
        return int(cell)
    except ValueError:
        number = float(cell)
        if not number.is_integer():
            raise
        return int(number)


def _read_parquet(source: Path | TextIO, signature: Signature) -> Columns:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "pyarrow is not installed: pip install 'sealane[pandas]'",
            {"extra": "pandas"},
        ) from error
    try:
        table = parquet.read_table(source)
    except Exception as error:
        raise _unreadable("Parquet", str(error)) from error
    for name in table.column_names:
        if signature.input(name) is None:
            raise unknown_name("input", name, [spec.name for spec in signature.inputs])
    return {name: table.column(name).to_pylist() for name in table.column_names}


def _from_rows(rows: Sequence[Any]) -> Columns:
    columns: dict[str, list[Any]] = {}
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise _unreadable("JSON", f"row {index} is no object")
        fields = cast("dict[str, Any]", row)
        if index and fields.keys() != columns.keys():
            odd = sorted(fields.keys() ^ columns.keys())
            raise SealaneError(
                ErrorCode.INPUT_RAGGED,
                f"row {index}: expected the names of the first row, received other ones: {odd[:8]}",
                {"row": index},
            )
        for name, value in fields.items():
            columns.setdefault(name, []).append(value)
    return columns


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable("JSON", str(error)) from error


def _text(source: Path | TextIO) -> str:
    try:
        return _file_text(source) if isinstance(source, Path) else source.read()
    except UnicodeDecodeError as error:
        raise _unreadable("input", f"not UTF-8: {error}") from error


def _file_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise _unreadable("input", f"{path}: {error.strerror}") from error


def _nested(array: AnyArray) -> Any:
    if array.ndim == 0:
        return _plain(array[()])
    if array.ndim == 1:
        return [_plain(each) for each in array]
    return [_nested(each) for each in array]


def _plain(value: Any) -> Any:
    """A JSON value for one element."""
    if isinstance(value, str | bool | int):
        return value
    if hasattr(value, "dtype") and value.dtype.kind in "biu":
        return value.item()
    number = float(str(value))
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _shortest(value: Any) -> str:
    """A CSV cell: the fewest digits that read back to the same value."""
    if isinstance(value, str):
        return value
    plain = _plain(value)
    return ("true" if plain else "false") if isinstance(plain, bool) else str(plain)


def _unreadable(what: str, problem: str) -> SealaneError:
    return SealaneError(ErrorCode.INPUT_DTYPE, f"{what} can not be read: {problem}")


def _no_table(name: str, problem: str) -> SealaneError:
    return SealaneError(ErrorCode.INPUT_SHAPE, f"'{name}': {problem}", {"name": name})
