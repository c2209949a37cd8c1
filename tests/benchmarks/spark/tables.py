"""The tables: Parquet, seeded, in as many files as Spark shall have partitions."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from models import LENGTHS, TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workloads import Workload

CITIES = np.array([f"city-{index}" for index in range(50)])


def write(workload: Workload, folder: Path, rows: int, files: int) -> Path:
    """Write a table unless it is there.

    Args:
        workload: Whose input the table holds.
        folder: Where tables are kept.
        rows: Rows in all; file after file has the next ids.
        files: In how many files of equal size.
    """
    table = folder / f"{workload.model}-{workload.layout}-{rows}-{files}"
    if not table.exists():
        starts = [rows * index // files for index in range(files + 1)]
        with _whole(table) as half:
            for index in range(files):
                part = half / f"part-{index:05}.parquet"
                _file(workload, part, starts[index], starts[index + 1])
    return table


def repeat(table: Path, times: int) -> Path:
    """A table that holds another one several times, by links: it takes no room on disk."""
    longer = table.with_name(f"{table.name}-x{times}")
    if not longer.exists():
        with _whole(longer) as half:
            for time in range(times):
                for part in sorted(table.glob("*.parquet")):
                    os.link(part, half / f"{time:05}-{part.name}")
    return longer


@contextmanager
def _whole(table: Path) -> Iterator[Path]:
    """A folder that becomes ``table`` when all of it is written."""
    half = table.with_name(f".{table.name}-{os.getpid()}")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    yield half
    half.rename(table)


def _file(workload: Workload, path: Path, start: int, stop: int) -> None:
    rng = np.random.default_rng(start + 1)
    rows = stop - start
    columns: dict[str, Any] = {
        "id": np.arange(start, stop, dtype=np.int64),
        "city": CITIES[rng.integers(0, len(CITIES), rows)],
        "amount": rng.lognormal(3, 1, rows),
        "count": rng.integers(0, 1000, rows, dtype=np.int32),
    } | _features(workload, rng, rows)
    pq.write_table(pa.table(columns), path, use_dictionary=["city", "count"])


def _features(workload: Workload, rng: np.random.Generator, rows: int) -> dict[str, Any]:
    if workload.model == "encoder":
        lengths = rng.integers(LENGTHS[0], LENGTHS[1] + 1, rows)
        return {"x": _lists(np.cumsum(lengths), rng.integers(0, TOKENS, lengths.sum()))}
    values = rng.standard_normal((rows, workload.width), dtype=np.float32)
    if workload.layout == "columns":
        return {name: values[:, index] for index, name in enumerate(workload.features)}
    return {"x": _lists(np.arange(1, rows + 1) * workload.width, values.reshape(-1))}


def _lists(ends: Any, values: Any) -> pa.Array:
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
