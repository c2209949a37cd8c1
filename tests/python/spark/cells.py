"""Rows of the shared data tables as Spark's (the grammar is in ``tests/conformance/README.md``)."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any

import numpy as np
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import functions as f
from pyspark.sql import types as t

_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def data_frame(spark, schema: list[list[str]], rows: list[list[Any]]):
    """The DataFrame of some rows, in their order, with a first column ``row`` that numbers them."""
    texts = {
        name
        for index, (name, kind) in enumerate(schema)
        if kind == "string" and any(isinstance(row[index], dict) for row in rows)
    }
    kinds = [t.BinaryType() if name in texts else kind_of(kind) for name, kind in schema]
    fields = [t.StructField(name, kind) for (name, _), kind in zip(schema, kinds, strict=True)]
    values = [
        (number, *(cell(kind, value) for kind, value in zip(kinds, row, strict=True)))
        for number, row in enumerate(rows)
    ]
    numbered = t.StructType([t.StructField("row", t.IntegerType()), *fields])
    df = spark.createDataFrame(values, numbered).coalesce(1)
    for name in texts:
        df = df.withColumn(name, f.col(name).cast("string"))
    return df


def kind_of(ddl: str) -> t.DataType:
    """The type that DDL, or ``vector``, names."""
    if ddl == "vector":
        return VectorUDT()
    return t._parse_datatype_string(ddl)


def cell(kind: t.DataType, value: Any) -> Any:
    """One value of a row."""
    if value is None:
        return None
    if isinstance(kind, t.ArrayType):
        return [cell(kind.elementType, each) for each in value]
    if isinstance(kind, t.StructType):
        fields = [field.dataType for field in kind.fields]
        return tuple(cell(*each) for each in zip(fields, value, strict=True))
    if isinstance(kind, VectorUDT):
        return _vector(value)
    return _scalar(kind, value)


def _vector(value: dict[str, Any]):
    if "dense" in value:
        return Vectors.dense([_FLOATS.get(each, each) for each in value["dense"]])
    return Vectors.sparse(value["size"], value["indices"], [float(e) for e in value["values"]])


def _scalar(kind: t.DataType, value: Any) -> Any:
    if isinstance(kind, t.FloatType | t.DoubleType):
        return float(_FLOATS.get(value, value))
    if isinstance(kind, t.DecimalType):
        return Decimal(value)
    if isinstance(kind, t.DateType):
        return datetime.date.fromisoformat(value)
    if isinstance(kind, t.TimestampType | t.TimestampNTZType):
        return datetime.datetime.fromisoformat(value)
    if isinstance(kind, t.BinaryType):
        return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()
    return value


def same(kind: t.DataType, actual: Any, expected: Any) -> bool:
    """Whether a result is what the table says, to the last bit."""
    if isinstance(kind, t.ArrayType):
        return len(actual) == len(expected) and all(
            same(kind.elementType, *pair) for pair in zip(actual, expected, strict=True)
        )
    if isinstance(kind, t.DecimalType):
        return str(actual) == expected
    if isinstance(kind, t.FloatType | t.DoubleType):
        wide = float(_FLOATS.get(expected, expected))
        wanted = float(np.float32(wide)) if isinstance(kind, t.FloatType) else wide
        return actual == wanted or (math.isnan(actual) and math.isnan(wanted))
    return type(actual) is type(expected) and actual == expected
