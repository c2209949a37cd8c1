"""The rows of a rank, step after step: shuffled, in the same order whenever they are read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.training.distributed.lanes import TARGET, LaneFile, part_path
from sealane.training.run import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sealane.training.distributed.config import TrainConfig

    Array = np.ndarray[Any, np.dtype[Any]]
    Columns = dict[str, Array]


class RankRows:
    """The lanes of one rank.

    Args:
        folder: Where the lanes lie.
        config: The run.
        rank: Whose.
        steps: Steps of an epoch, the same on every rank.
    """

    def __init__(self, folder: Path, config: TrainConfig, rank: int, steps: int) -> None:
        self._config = config
        self._steps = steps
        self._lanes = config.lanes_of(rank)
        self._train = [LaneFile(part_path(folder, lane, "train")) for lane in self._lanes]
        held = [part_path(folder, lane, "validation") for lane in self._lanes]
        self._held = [LaneFile(path) for path in held if path.exists()]

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Rows]:
        """The batches of an epoch.

        Args:
            epoch: From 0; each is shuffled anew.
            start: The step to begin with.
        """
        size = self._config.lane_rows
        streams = [
            _batches(self._windows(file, lane, epoch, start * size), size)
            for file, lane in zip(self._train, self._lanes, strict=True)
        ]
        for _ in range(start, self._steps):
            yield _rows([next(stream) for stream in streams])

    def validation(self) -> Iterator[Rows]:
        """The rows held back, in batches."""
        for file in self._held:
            for index in range(len(file.blocks)):
                block = file.block(index)
                if len(block[TARGET]):
                    yield _rows([block])

    def _windows(self, file: LaneFile, lane: int, epoch: int, skip: int) -> Iterator[_Window]:
        """Blocks in an order of chance, as many at a time as memory allows, their rows shuffled."""
        seeds = (self._config.seed, epoch, lane)
        order = np.random.default_rng(seeds).permutation(len(file.blocks))
        limit = max(1, self._config.shuffle_rows // len(self._lanes))
        for number, blocks in enumerate(_grouped(order, file.blocks, limit)):
            rows = sum(file.blocks[block] for block in blocks)
            if skip >= rows:
                skip -= rows
                continue
            parts = [file.block(block) for block in blocks]
            turn = np.random.default_rng((*seeds, number)).permutation(rows)[skip:]
            skip = 0
            yield _Window(_joined(parts), turn)


@dataclass(frozen=True, slots=True)
class _Window:
    """Rows in memory, and their order.

    They are not sorted by it: that would hold the interpreter's lock for as long as several steps
    take, and the other ranks would wait.
    """

    columns: Columns
    turn: Array

    def __len__(self) -> int:
        return len(self.turn)

    def take(self, start: int, end: int) -> Columns:
        index = self.turn[start:end]
        return {name: value[index] for name, value in self.columns.items()}


def _grouped(order: Array, sizes: list[int], limit: int) -> Iterator[list[int]]:
    group: list[int] = []
    held = 0
    for block in map(int, order):
        if group and held + sizes[block] > limit:
            yield group
            group, held = [], 0
        group.append(block)
        held += sizes[block]
    if group:
        yield group


def _batches(windows: Iterator[_Window], size: int) -> Iterator[Columns]:
    """Batches of one size; what is left of a window goes before the next one's rows."""
    left: list[Columns] = []
    waiting = 0
    for window in _ahead(windows):
        start = min(size - waiting, len(window)) if waiting else 0
        if waiting:
            left.append(window.take(0, start))
            waiting += start
            if waiting < size:
                continue
            yield _joined(left)
        end = start + (len(window) - start) // size * size
        for at in range(start, end, size):
            yield window.take(at, at + size)
        left, waiting = [window.take(end, len(window))], len(window) - end


def _ahead(windows: Iterator[_Window]) -> Iterator[_Window]:
    """One window is made by a thread while the one before it is used."""
    with ThreadPoolExecutor(1, "sealane-windows") as pool:
        coming = pool.submit(next, windows, None)
        while (window := coming.result()) is not None:
            coming = pool.submit(next, windows, None)
            yield window


def _joined(parts: list[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _rows(parts: list[Columns]) -> Rows:
    whole = dict(_joined(parts))
    target = whole.pop(TARGET)
    return Rows({name[1:]: value for name, value in whole.items()}, target)
