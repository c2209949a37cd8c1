"""What ``pandas-udf`` and ``predict-batch-udf`` run in Spark's Python workers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Array = np.ndarray[Any, np.dtype[Any]]


@cache
def session(path: str) -> Any:
    """One session per worker process: one thread, no spinning."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(path: str, x: Array) -> Array:
    """One run: ``[rows, …]`` → ``[rows, results]``."""
    opened = session(path)
    return opened.run(None, {opened.get_inputs()[0].name: x})[0]


def batch_function(path: str) -> Callable[[], Callable[[Array], Array]]:
    """What ``predict_batch_udf`` takes: it cuts the batches itself."""

    def make() -> Callable[[Array], Array]:
        session(path)
        return lambda x: run(path, x)

    return make


def columns_function(path: str, batch: int) -> Any:
    """For an iterator of tuples of float columns; stacking, then turning, was the fastest."""

    def scored(parts: Iterator[tuple[pd.Series, ...]]) -> Iterator[pd.Series]:
        for part in parts:
            yield _series(path, np.ascontiguousarray(np.stack(part).T), batch)

    return scored


def array_function(path: str, batch: int, dims: tuple[int, ...]) -> Any:
    """For an iterator of array columns whose rows have ``dims``."""

    def scored(parts: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for part in parts:
            x = np.concatenate(part.to_numpy()).reshape(len(part), *dims)
            yield _series(path, x, batch)

    return scored


def ragged_function(path: str, batch: int) -> Any:
    """For an iterator of array columns of any length: rows of one length run together."""

    def scored(parts: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for part in parts:
            rows = part.to_numpy()
            lengths = np.fromiter(map(len, rows), np.int64, len(rows))
            scores: list[Array] = [rows] * len(rows)
            for length in np.unique(lengths):
                where = np.flatnonzero(lengths == length)
                for start in range(0, len(where), batch):
                    some = where[start : start + batch]
                    for index, score in zip(some, run(path, np.stack(rows[some])), strict=True):
                        scores[index] = score
            yield pd.Series(scores)

    return scored


def _series(path: str, x: Array, batch: int) -> pd.Series:
    scores = [run(path, x[start : start + batch]) for start in range(0, len(x), batch)]
    return pd.Series(list(np.concatenate(scores)))
