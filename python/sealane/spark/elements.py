"""What the elements of a column are to Spark, and which dtypes they may become."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pyspark.sql.types import DecimalType

from sealane.core import DType

if TYPE_CHECKING:
    from pyspark.sql.types import DataType


class Kind(StrEnum):
    """A type of elements, by its name in Spark's DDL."""

    BOOLEAN = "boolean"
    BYTE = "tinyint"
    SHORT = "smallint"
    INT = "int"
    LONG = "bigint"
    FLOAT = "float"
    DOUBLE = "double"
    DECIMAL = "decimal"
    DATE = "date"
    TIMESTAMP = "timestamp"
    STRING = "string"
    BINARY = "binary"


_NAMES = {each.value: each for each in Kind} | {"timestamp_ntz": Kind.TIMESTAMP}
_INTEGERS = frozenset({Kind.BYTE, Kind.SHORT, Kind.INT, Kind.LONG})
_REALS = frozenset({Kind.FLOAT, Kind.DOUBLE, Kind.DECIMAL})
_TIMES = frozenset({Kind.DATE, Kind.TIMESTAMP})
_UINT64 = "decimal(20,0)"


@dataclass(frozen=True, slots=True)
class Element:
    """The type of a column's elements.

    Attributes:
        kind: Its name.
        ddl: Its whole name in DDL.
        scale: Digits behind the point of a decimal, else 0.
    """

    kind: Kind
    ddl: str
    scale: int = 0

    @classmethod
    def of(cls, dtype: DataType) -> Element | None:
        """The element that a Spark type is, None for types that no tensor takes."""
        ddl = dtype.simpleString()
        if isinstance(dtype, DecimalType):
            return cls(Kind.DECIMAL, ddl, dtype.scale)
        kind = _NAMES.get(ddl)
        return None if kind is None else cls(kind, ddl)

    @property
    def is_integer(self) -> bool:
        """Whether it is one of Spark's integers."""
        return self.kind in _INTEGERS

    def fits(self, dtype: DType) -> bool:
        """Whether values of this type may become ``dtype``."""
        if dtype is DType.BOOL:
            return self.kind is Kind.BOOLEAN
        if dtype is DType.BYTES:
            return self.kind in (Kind.STRING, Kind.BINARY)
        if dtype in (DType.FP32, DType.FP64):
            return self.is_integer or self.kind in _REALS or self.kind in _TIMES
        if dtype.is_float:
            return self.is_integer or self.kind in _REALS
        return self.is_integer or (dtype is DType.UINT64 and self.ddl == _UINT64)
