"""A table with rows that can not be scored, and what its other rows score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from e2e.spark import systems
from pyarrow import parquet

import sealane

if TYPE_CHECKING:
    from pathlib import Path

MLP = systems.ROOT / "tests/conformance/bundles/good/mlp"
COLUMNS = ("a", "b", "c", "d")
INPUTS = '{"features": ["a", "b", "c", "d"]}'
CLOSE = 2e-6
"""Of scores near 1: a row's last bits depend on the rows that it runs with."""


@dataclass(frozen=True)
class Rows:
    """A table on disk and the scores of its good rows.

    Attributes:
        path: A folder of Parquet files.
        columns: ``id``, which counts from 0, and the columns of the input.
        scores: By ``id``; NaN for a row with a missing number.
    """

    path: Path
    columns: pa.Table
    scores: np.ndarray

    @property
    def bad(self) -> int:
        """How many rows can not be scored."""
        return int(np.isnan(self.scores[:, 0]).sum())

    def check(self, ids: list[int], scores: list[list[float] | None]) -> None:
        """A result in any order: each row once, its scores right or missing as they must be."""
        assert sorted(ids) == list(range(len(self.scores)))
        missing = [np.nan] * self.scores.shape[1]
        got = np.array([missing if each is None else each for each in scores], np.float64)
        np.testing.assert_allclose(got, self.scores[ids], rtol=0, atol=CLOSE)

    def check_parquet(self, output: object) -> None:
        """The same for Parquet: a folder, or a file."""
        found = parquet.read_table(output)
        assert found.column_names == ["id", *COLUMNS, "score", "score_error"]
        self.check(found["id"].to_pylist(), found["score"].to_pylist())
        codes = {each and each["code"] for each in found["score_error"].to_pylist()}
        assert codes == {None, "INPUT_NULL"}


def write_rows(path: Path, count: int, files: int) -> Rows:
    """A table of `count` rows in `files` files; every 97th row lacks a number."""
    x = np.random.default_rng(7).normal(size=(count, 4)).astype(np.float32)
    whole = np.arange(count) % 97 != 5
    numbers = {name: pa.array(x[:, i]) for i, name in enumerate(COLUMNS)}
    numbers["d"] = pa.array(x[:, 3], mask=~whole)
    table = pa.table({"id": np.arange(count), **numbers})
    path.mkdir()
    for i in range(files):
        first, end = count * i // files, count * (i + 1) // files
        parquet.write_table(table.slice(first, end - first), path / f"part-{i}.parquet")
    scores = np.full((count, 3), np.nan)
    with sealane.open(MLP) as session:
        good = np.flatnonzero(whole)
        for part in np.array_split(good, -(-count // 4096)):
            scores[part] = session.run({"features": x[part]})["scores"]
    return Rows(path, table, scores)


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Two thousand rows in four files."""
    return write_rows(tmp_path_factory.mktemp("rows") / "rows", 2000, 4)
