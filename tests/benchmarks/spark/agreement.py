"""Every contestant must give ONNX Runtime's scores, row by row, and the columns as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

    Array = np.ndarray[Any, np.dtype[Any]]

RTOL, ATOL = 1e-4, 1e-4
"""ONNX Runtime 1.8, which SynapseML has, has other kernels than 1.28."""


def expected(table: Path, job: dict[str, Any]) -> Array:
    """The scores of a table, in the order of its ids: ``[rows, results]``."""
    session = onnxruntime.InferenceSession(job["onnx"], providers=["CPUExecutionProvider"])
    read = pq.read_table(table).sort_by("id")
    [given] = session.get_inputs()
    if job["layout"] == "columns":
        x = np.stack([read[name].to_numpy() for name in job["features"]], 1)
        return session.run(None, {given.name: x})[0]
    rows = read["x"].to_numpy(zero_copy_only=False)
    dims = [dim if isinstance(dim, int) else -1 for dim in given.shape[1:]]
    runs = [session.run(None, {given.name: row.reshape(1, *dims)})[0] for row in rows]
    return np.concatenate(runs)


def difference(result: Path, table: Path, job: dict[str, Any], scores: Array) -> float:
    """The largest difference from the expected scores.

    Raises:
        AssertionError: A row, a value passed on or a score is wrong.
    """
    found, read = pq.read_table(result).sort_by("id"), pq.read_table(table).sort_by("id")
    for name in job["passed"]:
        assert found[name].equals(read[name]), f"column {name} was changed"
    assert found["score"].null_count == 0, f"{found['score'].null_count} rows without a score"
    given = np.stack(found["score"].to_numpy(zero_copy_only=False))
    assert given.dtype == np.float32, f"scores are {given.dtype}"
    np.testing.assert_allclose(given, scores, RTOL, ATOL)
    return float(np.abs(given - scores).max())


def count(result: Path) -> int:
    """The rows of what was written."""
    return sum(pq.read_metadata(part).num_rows for part in result.glob("*.parquet"))
