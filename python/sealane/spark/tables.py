"""Tables outside Spark: where a job's rows come from, and where they go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyspark.sql import functions as f
from pyspark.sql.types import ArrayType, MapType, StructType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import DataType

FORMATS = ("parquet", "delta", "csv", "jdbc")
MODES = ("errorifexists", "overwrite", "append")

_READ = {"csv": {"header": "true", "inferSchema": "true"}}
_WRITE = {"csv": {"header": "true"}}
_COMMIT = {"mapreduce.fileoutputcommitter.algorithm.version": "1"}
"""Files of a task, and then of the job, appear by renames when they are complete, not before."""

_DRIVERS = {
    "jdbc:mariadb:": "org.mariadb.jdbc.Driver",
    "jdbc:mysql:": "com.mysql.cj.jdbc.Driver",
    "jdbc:oracle:": "oracle.jdbc.OracleDriver",
    "jdbc:postgresql:": "org.postgresql.Driver",
    "jdbc:sqlserver:": "com.microsoft.sqlserver.jdbc.SQLServerDriver",
}
"""By the beginning of a URL. Java does not find a driver among ``--jars`` by itself."""

_FLAT = ("csv", "jdbc")
"""Formats whose columns hold no structs."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that Spark can read or write.

    Attributes:
        format: One of `FORMATS`.
        place: The path or URI; of a ``jdbc`` table its name.
        options: Of Spark's reader or writer: for ``jdbc`` the ``url``, ``user``, ``driver``, ….
    """

    format: str
    place: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"format {self.format!r} is none of {', '.join(FORMATS)}")
        if not self.place:
            raise ValueError(f"a {self.format} table needs a path, a jdbc table its name")
        if self.format == "jdbc" and "url" not in self.options:
            raise ValueError("a jdbc table needs the option url")

    @property
    def is_jdbc(self) -> bool:
        """Whether it lies in a database."""
        return self.format == "jdbc"

    def jdbc_options(self) -> dict[str, str]:
        """Options of a table in a database, its name and driver among them."""
        url = self.options["url"]
        driver = [name for start, name in _DRIVERS.items() if url.startswith(start)]
        known = {"driver": driver[0]} if driver else {}
        return {"dbtable": self.place, **known, **self.options}


def read_table(spark: SparkSession, table: Table) -> DataFrame:
    """The rows of a table.

    Args:
        spark: The session.
        table: Where they are; a CSV file has a header, and its columns' types are inferred.
    """
    if table.is_jdbc:
        return spark.read.format("jdbc").options(**table.jdbc_options()).load()
    options = {**_READ.get(table.format, {}), **table.options}
    return spark.read.format(table.format).options(**options).load(table.place)


def write_table(df: DataFrame, table: Table, mode: str) -> None:
    """Writes rows to a table; a failed job leaves nothing that looks complete.

    Files get their names when the job has ended, and ``_SUCCESS`` beside them then. A database
    gets all rows in one transaction (`in_one_transaction`).

    Args:
        df: The rows. For CSV and databases structs become columns ``a_b``; arrays become JSON, but
            for PostgreSQL, which has arrays.
        table: Where to.
        mode: One of `MODES`.
    """
    if table.format in _FLAT:
        df = _flat(df, keeps_arrays=table.options.get("url", "").startswith("jdbc:postgresql:"))
    writer = df.write.format(table.format).mode(mode)
    if table.is_jdbc:
        writer.options(**table.jdbc_options()).save()
        return
    options = {**_COMMIT, **_WRITE.get(table.format, {}), **table.options}
    writer.options(**options).save(table.place)


def in_one_transaction(df: DataFrame, table: Table) -> DataFrame:
    """The rows in one partition where `table` is in a database, whose transaction is a partition.

    The option ``numPartitions`` of the table asks for that many connections and transactions
    instead. Rows are computed in parallel before.
    """
    if not table.is_jdbc or "numPartitions" in table.options:
        return df
    return df.repartition(1)


def _flat(df: DataFrame, *, keeps_arrays: bool) -> DataFrame:
    """Columns without structs, and without arrays where the table has none."""
    columns: list[Column] = []
    for each in df.schema.fields:
        name = f.col(_quoted(each.name))
        columns += [
            (column if keeps_arrays and _simple(kind) else _text(column, kind)).alias(flat)
            for column, flat, kind in _leaves(name, each.name, each.dataType)
        ]
    return df.select(*columns)


def _leaves(column: Column, name: str, kind: DataType) -> Iterator[tuple[Column, str, DataType]]:
    if not isinstance(kind, StructType):
        yield column, name, kind
        return
    for each in kind.fields:
        yield from _leaves(column.getField(each.name), f"{name}_{each.name}", each.dataType)


def _simple(kind: DataType) -> bool:
    """Whether it is no array of arrays or of structs."""
    nested = (ArrayType, MapType, StructType)
    return not isinstance(kind, ArrayType) or not isinstance(kind.elementType, nested)


def _text(column: Column, kind: DataType) -> Column:
    return f.to_json(column) if isinstance(kind, ArrayType | MapType) else column


def _quoted(name: str) -> str:
    """A column's name for `functions.col`, in which a dot is a dot."""
    escaped = name.replace("`", "``")
    return f"`{escaped}`"
