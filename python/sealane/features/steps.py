"""Fitted steps: the instructions of a compiled feature program.

A program is a straight line of steps over named values. Each step reads the value ``source`` and
gives the values ``targets``; a target of the same name replaces its source. A step holds numbers
and strings only, so that it prints to JSON and back without loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from sealane.features.ops import Ops, V

MISSING = 0
"""The index of the missing category."""
UNSEEN = 1
"""The index of every category that was not seen when fitting (out of vocabulary)."""
FIRST = 2
"""The index of the first category of a vocabulary."""

Part = Literal["year", "month", "day", "weekday", "hour", "minute", "dayofyear"]
Encoding = Literal["category", "number", "sine", "cosine"]

PART_RANGE: dict[str, tuple[int, int]] = {
    "month": (1, 12),
    "day": (1, 31),
    "weekday": (0, 6),
    "hour": (0, 23),
    "minute": (0, 59),
    "dayofyear": (1, 366),
}
"""Smallest and largest value of each bounded date part; Monday is weekday 0."""

DATE_MINIMUM = -62135596800.0
"""0001-01-01T00:00:00Z in seconds since 1970-01-01T00:00:00Z."""
DATE_MAXIMUM = 253402300799.0
"""9999-12-31T23:59:59Z in seconds since 1970-01-01T00:00:00Z."""

OFFSET_LIMIT = 86400
"""The largest fixed distance to UTC, one day in seconds."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Puts ``value`` where a number is missing."""

    kind: ClassVar[str] = "fill"
    source: str
    value: float

    @property
    def targets(self) -> tuple[str, ...]:
        """The filled value, in place."""
        return (self.source,)

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """``value`` where NaN, else ``x``."""
        return (ops.where(ops.is_nan(x), ops.number(self.value), x),)


@dataclass(frozen=True, slots=True)
class Indicate:
    """Gives 1 where a number is missing and 0 elsewhere, beside the number itself."""

    kind: ClassVar[str] = "indicate"
    source: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The value itself and ``<source>_missing``."""
        return (self.source, f"{self.source}_missing")

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """``x`` and its missing mask as numbers."""
        return (x, ops.to_number(ops.is_nan(x)))


@dataclass(frozen=True, slots=True)
class Scale:
    """``(x - shift) * factor``."""

    kind: ClassVar[str] = "scale"
    source: str
    shift: float
    factor: float

    @property
    def targets(self) -> tuple[str, ...]:
        """The scaled value, in place."""
        return (self.source,)

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """``(x - shift) * factor``."""
        return (ops.mul(ops.sub(x, ops.number(self.shift)), ops.number(self.factor)),)


@dataclass(frozen=True, slots=True)
class Bound:
    """Limits a number to ``[low, high]``; None is no limit. NaN stays NaN."""

    kind: ClassVar[str] = "bound"
    source: str
    low: float | None
    high: float | None

    @property
    def targets(self) -> tuple[str, ...]:
        """The limited value, in place."""
        return (self.source,)

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """``x`` limited."""
        if self.low is not None:
            low = ops.number(self.low)
            x = ops.where(ops.less(x, low), low, x)
        if self.high is not None:
            high = ops.number(self.high)
            x = ops.where(ops.less(high, x), high, x)
        return (x,)


@dataclass(frozen=True, slots=True)
class Logarithm:
    """``log(x)``, or ``log(1 + x)`` with ``plus_one``."""

    kind: ClassVar[str] = "logarithm"
    source: str
    plus_one: bool

    @property
    def targets(self) -> tuple[str, ...]:
        """The logarithm, in place."""
        return (self.source,)

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """The natural logarithm."""
        return (ops.log1p(x) if self.plus_one else ops.log(x),)


@dataclass(frozen=True, slots=True)
class IndexText:
    """The index of a string: `MISSING` for the empty one, `UNSEEN`, or `FIRST` + its position."""

    kind: ClassVar[str] = "index-text"
    source: str
    keys: tuple[str, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """The index, in place."""
        return (self.source,)

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """The index of each string."""
        keys = ("", *self.keys)
        values = (MISSING, *range(FIRST, FIRST + len(self.keys)))
        return (ops.index_text(x, keys, values, UNSEEN),)


@dataclass(frozen=True, slots=True)
class IndexInteger:
    """The index of an integer: `UNSEEN`, or `FIRST` + its position.

    With ``from_number`` the source is a number: NaN is `MISSING`, and a number that is not
    integral or is beyond ±2**53 is `UNSEEN`.
    """

    kind: ClassVar[str] = "index-integer"
    source: str
    keys: tuple[int, ...]
    from_number: bool

    @property
    def targets(self) -> tuple[str, ...]:
        """The index, in place."""
        return (self.source,)

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """The index of each integer."""
        values = tuple(range(FIRST, FIRST + len(self.keys)))
        if not self.from_number:
            return (ops.index_integer(x, self.keys, values, UNSEEN),)
        bound = ops.number(2.0**53)
        small = ops.both(ops.less(x, bound), ops.less(ops.number(-(2.0**53)), x))
        whole = ops.both(small, ops.equal(ops.floor(x), x))
        integer = ops.to_integer(ops.where(whole, x, ops.number(0.0)))
        found = ops.index_integer(integer, self.keys, values, UNSEEN)
        index = ops.where(whole, found, ops.integer(UNSEEN))
        return (ops.where(ops.is_nan(x), ops.integer(MISSING), index),)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The interval of a number: `MISSING` for NaN, else 1 + how many boundaries are ≤ it."""

    kind: ClassVar[str] = "bucket"
    source: str
    boundaries: tuple[float, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """The interval's index, in place."""
        return (self.source,)

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """The interval's index."""
        reached = ops.count_reached(x, self.boundaries)
        index = ops.add(reached, ops.integer(1))
        return (ops.where(ops.is_nan(x), ops.integer(MISSING), index),)


@dataclass(frozen=True, slots=True)
class OneHot:
    """Turns an index into ``depth`` numbers, one of them 1."""

    kind: ClassVar[str] = "one-hot"
    source: str
    depth: int

    @property
    def targets(self) -> tuple[str, ...]:
        """The numbers, in place."""
        return (self.source,)

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """One column per index."""
        return (ops.one_hot(x, self.depth),)


@dataclass(frozen=True, slots=True)
class DatePart:
    """One part of a moment in the proleptic Gregorian calendar.

    The source is a number, seconds since 1970-01-01T00:00:00Z; ``offset`` seconds are added
    first. NaN and moments outside the years 1 to 9999 are missing.

    Days become year, month and day by integer arithmetic on 400-year eras that start on 1 March:
    Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", ``civil_from_days``.
    """

    kind: ClassVar[str] = "date-part"
    source: str
    part: Part
    encoding: Encoding
    offset: int

    @property
    def targets(self) -> tuple[str, ...]:
        """``<source>_<part>``, with ``_sin`` or ``_cos`` for the cyclic encodings."""
        suffix = {"sine": "_sin", "cosine": "_cos"}.get(self.encoding, "")
        return (f"{self.source}_{self.part}{suffix}",)

    def apply(self, ops: Ops[V], x: V) -> tuple[V, ...]:
        """The part in its encoding."""
        above = ops.less(ops.number(math.nextafter(DATE_MINIMUM, -math.inf)), x)
        known = ops.both(above, ops.less(x, ops.number(DATE_MAXIMUM + 1)))
        whole = ops.to_integer(ops.floor(ops.where(known, x, ops.number(0.0))))
        seconds = ops.add(whole, ops.integer(self.offset))
        value = _date_part(ops, seconds, self.part)
        if self.encoding == "number":
            return (ops.where(known, ops.to_number(value), ops.number(math.nan)),)
        low, high = PART_RANGE[self.part]
        index = ops.where(known, ops.add(value, ops.integer(1 - low)), ops.integer(MISSING))
        if self.encoding == "category":
            return (index,)
        wave = math.sin if self.encoding == "sine" else math.cos
        period = high - low + 1
        table = [0.0, *(wave(2 * math.pi * step / period) for step in range(period))]
        return (ops.take(table, index),)


def _date_part(ops: Ops[V], seconds: V, part: Part) -> V:
    day = ops.floordiv(seconds, 86400)
    if part == "weekday":
        return ops.mod(ops.add(day, ops.integer(3)), 7)
    if part == "hour":
        return ops.floordiv(ops.mod(seconds, 86400), 3600)
    if part == "minute":
        return ops.floordiv(ops.mod(seconds, 3600), 60)
    return _civil_part(ops, day, part)


def _civil_part(ops: Ops[V], day: V, part: Part) -> V:
    shifted = ops.add(day, ops.integer(719468))
    era = ops.floordiv(shifted, 146097)
    day_of_era = ops.mod(shifted, 146097)
    days = ops.sub(day_of_era, ops.floordiv(day_of_era, 1460))
    days = ops.add(days, ops.floordiv(day_of_era, 36524))
    days = ops.sub(days, ops.floordiv(day_of_era, 146096))
    year_of_era = ops.floordiv(days, 365)
    before = ops.add(ops.mul(ops.integer(365), year_of_era), ops.floordiv(year_of_era, 4))
    before = ops.sub(before, ops.floordiv(year_of_era, 100))
    day_from_march = ops.sub(day_of_era, before)
    five = ops.add(ops.mul(ops.integer(5), day_from_march), ops.integer(2))
    month_from_march = ops.floordiv(five, 153)
    if part == "day":
        past = ops.mul(ops.integer(153), month_from_march)
        past = ops.floordiv(ops.add(past, ops.integer(2)), 5)
        return ops.add(ops.sub(day_from_march, past), ops.integer(1))
    early = ops.less(ops.integer(9), month_from_march)
    if part == "month":
        shift = ops.where(early, ops.integer(-9), ops.integer(3))
        return ops.add(month_from_march, shift)
    year = ops.add(ops.add(year_of_era, ops.mul(era, ops.integer(400))), ops.to_integer(early))
    if part == "year":
        return year
    late = ops.add(ops.add(day_from_march, ops.integer(60)), _leap_day(ops, year))
    return ops.where(early, ops.sub(day_from_march, ops.integer(305)), late)


def _leap_day(ops: Ops[V], year: V) -> V:
    zero = ops.integer(0)

    def divides(divisor: int) -> V:
        return ops.to_integer(ops.equal(ops.mod(year, divisor), zero))

    return ops.add(ops.sub(divides(4), divides(100)), divides(400))


Step = (
    Fill
    | Indicate
    | Scale
    | Bound
    | Logarithm
    | IndexText
    | IndexInteger
    | Bucket
    | OneHot
    | DatePart
)
"""One instruction of a feature program."""

STEPS: tuple[type[Step], ...] = (
    Fill,
    Indicate,
    Scale,
    Bound,
    Logarithm,
    IndexText,
    IndexInteger,
    Bucket,
    OneHot,
    DatePart,
)
