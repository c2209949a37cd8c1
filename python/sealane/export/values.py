"""Seeded inputs inside a signature's domain, shaped like the examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.core import Domain, DType, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.export.examples import Array, Arrays

_STRINGS = ("", "naïve", "Zürich ☃", "数据", "👩‍🚀", "never seen")
COVERAGE_ROWS = 2048
"""Most rows of a case that walks through every category or every integer of a range."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """Draws values for one input.

    Numbers follow the examples (normal with their mean and deviation, or uniform between a domain's
    bounds); integers stay between the examples' or the domain's smallest and largest; strings come
    from the vocabulary, or from the examples, with some that no vocabulary has unless it is closed.

    Attributes:
        spec: The input's spec; the domain binds what is drawn.
        example: The caller's own values of that input.
    """

    spec: TensorSpec
    example: Array

    @property
    def domain(self) -> Domain:
        """The declared domain, or one that bounds nothing."""
        return self.spec.domain or Domain()

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape for given sizes of the symbols."""
        return tuple(sizes[dim] if isinstance(dim, str) else dim for dim in self.spec.shape)

    def draw(self, sizes: Mapping[str, int], rng: np.random.Generator) -> Array:
        """An array for given sizes of the symbols."""
        shape = self.shape(sizes)
        dtype = self.spec.dtype
        if dtype is DType.BYTES:
            return _objects(rng.integers(0, len(self.strings()), shape), self.strings())
        if dtype is DType.BOOL:
            return np.asarray(rng.integers(0, 2, shape), np.bool_)
        if not dtype.is_float:
            low, high = self.integer_range()
            return rng.integers(low, high, shape, endpoint=True).astype(dtype.numpy)
        drawn = self._floats(shape, rng)
        if self.domain.nullable and drawn.ndim:
            drawn[rng.random(shape) < 0.1] = np.nan
        return drawn.astype(dtype.numpy)

    def boundary(self, sizes: Mapping[str, int], rng: np.random.Generator) -> Array:
        """Drawn rows among which the first ones hold one boundary value each.

        A row of several values holds it in every second place, beside drawn ones: a row of equal
        values has no variance, and layers that divide by it show nothing but rounding.

        For floats zero, the domain's bounds (or ten times the examples' largest), the dtype's
        smallest normal number and one below it, NaN where missing values are allowed; for integers
        the smallest and the largest; for strings the empty one, non-ASCII ones and null.
        """
        values = self.draw(sizes, rng)
        if values.ndim == 0 or not self.spec.shape or not isinstance(self.spec.shape[0], str):
            return values
        edges = self._edges()
        if values.ndim == 1:
            values[: len(edges)] = edges[: len(values)]
            return values
        for row, (start, value) in enumerate((start, edge) for start in (0, 1) for edge in edges):
            if row < len(values):
                values[row].reshape(-1)[start::2] = value
        return values

    def coverage(self) -> list[Any]:
        """Every category, or every integer of the domain, where they can be listed."""
        if self.spec.dtype is DType.BYTES:
            return list(self.strings())
        if self.spec.dtype.is_float or self.spec.dtype is DType.BOOL:
            return []
        low, high = self.integer_range()
        return list(range(low, high + 1)) if high - low < COVERAGE_ROWS else []

    def strings(self) -> tuple[str | None, ...]:
        """The strings to draw from, the vocabulary's or the examples' own first."""
        known: list[str | None] = list(self.domain.vocabulary or ())
        if not known:
            known = list(dict.fromkeys(cast("list[str | None]", self.example.reshape(-1).tolist())))
            known = [value for value in known if value is not None]
        if not self.domain.closed:
            known += [value for value in _STRINGS if value not in known]
        return (*known, None) if self.domain.nullable else tuple(known)

    def integer_range(self) -> tuple[int, int]:
        """The smallest and largest integer to draw, from the domain or else the examples."""
        low, high = self.domain.minimum, self.domain.maximum
        seen = self.example if self.example.size else np.zeros(1, self.example.dtype)
        return (
            int(np.ceil(low)) if low is not None else int(seen.min()),
            int(np.floor(high)) if high is not None else int(seen.max()),
        )

    def _floats(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        low, high = self.domain.minimum, self.domain.maximum
        if low is not None and high is not None:
            return rng.uniform(low, high, shape)
        known = self._finite()
        distinct = np.unique(known)
        if known.size >= 8 and distinct.size <= 2:
            return rng.choice(distinct, shape).astype(np.float64)
        mean = float(known.mean()) if known.size else 0.0
        deviation = float(known.std()) if known.size else 0.0
        drawn = rng.normal(mean, deviation if deviation > 1e-12 else 1.0, shape)
        return np.clip(drawn, low, high) if low is not None or high is not None else drawn

    def _finite(self) -> Array:
        known = self.example.astype(np.float64).reshape(-1)
        return known[np.isfinite(known)]

    def _edges(self) -> list[Any]:
        dtype, domain = self.spec.dtype, self.domain
        if dtype is DType.BYTES:
            known = self.strings()
            return [v for v in (None, *_STRINGS) if v in known]
        if dtype is DType.BOOL:
            return [False, True]
        if not dtype.is_float:
            return list(self.integer_range())
        known = self._finite()
        distinct = np.unique(known)
        if known.size >= 8 and distinct.size <= 2:
            return distinct.tolist()
        reach = 10.0 * float(np.abs(known).max(initial=1.0))
        low = domain.minimum if domain.minimum is not None else -reach
        high = domain.maximum if domain.maximum is not None else reach
        tiny = float(np.finfo(np.float32).tiny)
        edges = [0.0, low, high, tiny, tiny / 4]
        return [v for v in edges if low <= v <= high] + ([np.nan] if domain.nullable else [])


def draw_all(
    samplers: Mapping[str, Sampler], sizes: Mapping[str, int], rng: np.random.Generator
) -> Arrays:
    """One array per input, for given sizes of the symbols."""
    return {name: sampler.draw(sizes, rng) for name, sampler in samplers.items()}


def resample_rows(
    examples: Arrays, samplers: Mapping[str, Sampler], rows: int, seed: int
) -> Arrays:
    """The caller's own rows, drawn with replacement to a batch of ``rows``.

    Keeps what holds between the columns of a row. Inputs without a batch dim stay as they are.
    """
    rng = np.random.default_rng(seed)
    count = min((len(a) for a in examples.values() if a.ndim and len(a)), default=1)
    chosen = rng.integers(0, count, rows)
    result: Arrays = {}
    for name, array in examples.items():
        shape = samplers[name].spec.shape
        batched = bool(shape) and isinstance(shape[0], str) and len(array) >= count
        result[name] = array[chosen] if batched else array
    return result


def _objects(indices: Array, values: tuple[str | None, ...]) -> Array:
    table = np.empty(len(values), object)
    table[:] = values
    return table[indices]
