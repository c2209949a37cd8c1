"""Rows of a DataFrame on the driver, as Spark's Python workers would see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealane.spark.arrow import pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame


def to_arrow(df: DataFrame) -> Any:
    """A small DataFrame as an Arrow table; all of it is held in memory."""
    frame: Any = df
    parts = frame.mapInArrow(_encode, "stream binary").collect()
    streams = [pa.ipc.open_stream(bytes(part[0])) for part in parts]
    if not streams:
        return pa.table({name: [] for name in df.columns})
    return pa.concat_tables([stream.read_all() for stream in streams])


def _encode(batches: Iterator[Any]) -> Iterator[Any]:
    for batch in batches:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        stream = pa.array([sink.getvalue().to_pybytes()], pa.binary())
        yield pa.RecordBatch.from_arrays([stream], names=["stream"])
