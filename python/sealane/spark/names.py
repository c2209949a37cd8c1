"""Columns found by their names, as Spark finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql.types import StructType

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from pyspark.sql.types import DataType

Found = tuple[tuple[int, ...], "DataType"]
"""The index of a column and of the fields below, and the type there."""


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The columns of a DataFrame, or the fields of a struct.

    Attributes:
        schema: Their names and types.
        ignore_case: Whether a name that none has stands for one that differs in case alone.
    """

    schema: StructType
    ignore_case: bool

    def find(self, asker: str, name: str) -> Found:
        """A column of that name, or else ``struct.field`` inside one.

        Args:
            asker: The input that reads it, for messages.
            name: The column's own name counts before a field's.

        Raises:
            SealaneError: INPUT_MISSING; INPUT_LAYOUT for several of that name; INPUT_DTYPE for a
                field of what is no struct.
        """
        index = self._index(asker, name)
        if index is not None:
            return (index,), self.schema.fields[index].dataType
        outer, dot, inner = name.partition(".")
        while dot:
            index = self._index(asker, outer)
            if index is not None:
                below = self.schema.fields[index].dataType
                if not isinstance(below, StructType):
                    raise _no_struct(asker, outer, below)
                path, dtype = ColumnNames(below, self.ignore_case).find(asker, inner)
                return (index, *path), dtype
            more, dot, inner = inner.partition(".")
            outer = f"{outer}.{more}"
        raise SealaneError(
            ErrorCode.INPUT_MISSING,
            f"input '{asker}': there is no column '{name}' among {', '.join(self.schema.names)}; "
            "name its column in inputs=",
            {"input": asker, "missing": [name]},
        )

    def _index(self, asker: str, name: str) -> int | None:
        names = self.schema.names
        found = [index for index, each in enumerate(names) if each == name]
        if not found and self.ignore_case:
            folded = name.casefold()
            found = [index for index, each in enumerate(names) if each.casefold() == folded]
        if len(found) > 1:
            raise SealaneError(
                ErrorCode.INPUT_LAYOUT,
                f"input '{asker}': there are several columns '{name}': rename one",
                {"input": asker, "column": name},
            )
        return found[0] if found else None


def _no_struct(asker: str, column: str, dtype: DataType) -> SealaneError:
    return SealaneError(
        ErrorCode.INPUT_DTYPE,
        f"input '{asker}': column '{column}' of type {dtype.simpleString()} is no struct; to name "
        "the column of one input write inputs={'" + asker + f"': '{column}'" + "}",
        {"input": asker, "received": dtype.simpleString()},
    )
