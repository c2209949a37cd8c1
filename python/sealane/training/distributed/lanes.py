"""Rows laid down as Arrow files, a lane each, for ranks to read again and again.

A lane is two files of Arrow's IPC format, ``train`` and ``validation``, in blocks of one size. A
tensor of more dims than its rows is a fixed-size list; the field's metadata has its shape.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    Array = np.ndarray[Any, np.dtype[Any]]

pa: Any = importlib.import_module("pyarrow")

BLOCK_ROWS = 8192
PARTS = ("train", "validation")
TARGET = "target"
"""The column of the target; a feature's is its name after a slash."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What a lane holds.

    Attributes:
        number: From 0.
        train: Rows to train on.
        validation: Rows to validate with.
        digest: SHA-256 of both files.
    """

    number: int
    train: int
    validation: int
    digest: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def part_path(folder: Path, lane: int, part: str) -> Path:
    """Where a lane's file lies."""
    return folder / f"lane-{lane:05}.{part}.arrow"


def write_lane(
    folder: Path,
    number: int,
    batches: Iterable[tuple[Mapping[str, Array], Array]],
    validation: float,
    seed: int,
) -> Lane:
    """Lays rows down as a lane; another one of that number is replaced when this one is whole.

    Args:
        folder: Where to.
        number: The lane's.
        batches: Features by name ``[rows, …]`` and the target ``[rows, …]``.
        validation: The share of rows to hold back.
        seed: Of the choice.
    """
    chance = np.random.default_rng([seed, number])
    parts = {part: _Part(part_path(folder, number, part)) for part in PARTS}
    try:
        for features, target in batches:
            held = chance.random(len(target)) < validation
            columns = {f"/{name}": value for name, value in features.items()} | {TARGET: target}
            for part, rows in zip(PARTS, (~held, held), strict=True):
                parts[part].add({name: value[rows] for name, value in columns.items()})
        digest = hashlib.sha256("".join(each.finish() for each in parts.values()).encode())
    finally:
        for each in parts.values():
            each.discard()
    return Lane(number, parts["train"].rows, parts["validation"].rows, digest.hexdigest())


class _Part:
    """One file in the making, in blocks of one size whatever the batches were."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._path = path
        self._partial = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
        self._pending: list[dict[str, Array]] = []
        self._waiting = 0
        self._writer: Any = None

    def add(self, columns: dict[str, Array]) -> None:
        rows = len(columns[TARGET])
        self.rows += rows
        self._waiting += rows
        self._pending.append(columns)
        if self._waiting >= BLOCK_ROWS:
            self._write(self._waiting - self._waiting % BLOCK_ROWS)

    def finish(self) -> str:
        """Puts the file in its place; gives its SHA-256."""
        if self._pending and (self._waiting or self._writer is None):
            self._write(self._waiting)
        if self._writer is None:
            self._path.unlink(missing_ok=True)
            return "none"
        self._writer.close()
        self._writer = None
        with self._partial.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._partial.replace(self._path)
        return digest

    def discard(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._partial.unlink(missing_ok=True)

    def _write(self, rows: int) -> None:
        names = self._pending[0]
        whole = {name: np.concatenate([each[name] for each in self._pending]) for name in names}
        for start in range(0, max(rows, 1), BLOCK_ROWS):
            end = min(start + BLOCK_ROWS, rows)
            batch = _record_batch({name: value[start:end] for name, value in whole.items()})
            if self._writer is None:
                self._writer = pa.ipc.new_file(str(self._partial), batch.schema)
            self._writer.write_batch(batch)
        self._pending = [{name: value[rows:] for name, value in whole.items()}]
        self._waiting -= rows


def _record_batch(columns: Mapping[str, Array]) -> Any:
    fields: list[Any] = []
    arrays: list[Any] = []
    for name, value in columns.items():
        flat = pa.array(np.ascontiguousarray(value).reshape(-1))
        dims = value.shape[1:]
        size = math.prod(dims)
        array = flat if not dims else pa.FixedSizeListArray.from_arrays(flat, size)
        fields.append(pa.field(name, array.type, metadata={"shape": json.dumps(dims)}))
        arrays.append(array)
    return pa.record_batch(arrays, schema=pa.schema(fields))


class LaneFile:
    """A lane's file, mapped into memory. Not thread-safe.

    Attributes:
        blocks: Rows of each block.
    """

    def __init__(self, path: Path) -> None:
        self._file: Any = pa.ipc.open_file(pa.memory_map(str(path)))
        self._shapes = {
            each.name: tuple(json.loads(each.metadata[b"shape"])) for each in self._file.schema
        }
        count = self._file.num_record_batches
        self.blocks = [BLOCK_ROWS] * (count - 1) + [self._file.get_batch(count - 1).num_rows]

    @property
    def rows(self) -> int:
        """Of all blocks."""
        return sum(self.blocks)

    def block(self, index: int) -> dict[str, Array]:
        """The columns of a block; booleans are copied, all else is in the mapped file."""
        batch = self._file.get_batch(index)
        return {
            name: self._array(batch.column(position), shape)
            for position, (name, shape) in enumerate(self._shapes.items())
        }

    def _array(self, column: Any, shape: tuple[int, ...]) -> Array:
        flat = column.flatten() if shape else column
        values = flat.to_numpy(zero_copy_only=not pa.types.is_boolean(flat.type))
        return values.reshape(-1, *shape)
