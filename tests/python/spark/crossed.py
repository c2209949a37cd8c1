"""What the training tests share: two tables, the settings of a run, what a bundle has learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as f

from sealane.spark.training import TrainConfig

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from pyspark.sql import DataFrame, SparkSession

    from sealane.spark.training import TrainedBundle


def points(spark: SparkSession) -> DataFrame:
    """Pairs of numbers ``x``, and in ``y`` whether they have one sign."""
    x = f.array(f.rand(1) * 2 - 1, f.rand(2) * 2 - 1)
    df = spark.range(0, 6000, 1, 3).select("id", x.alias("x"))
    return df.withColumn("y", (f.col("x")[0] * f.col("x")[1] > 0).cast("int"))


def rides(spark: SparkSession) -> DataFrame:
    """Strings, numbers and nulls; rides of one city are ``late``."""
    city = f.when(f.col("id") % 3 == 0, "Oslo").when(f.col("id") % 3 == 1, "Rome")
    km = f.when(f.col("id") % 5 != 0, f.rand(4) * 10)
    df = spark.range(0, 3000, 1, 2).select(city.alias("city"), km.alias("km"), "id")
    return df.withColumn("late", (f.col("id") % 3 == 0).cast("double"))


def settings(folder: Path, **changes: Any) -> TrainConfig:
    """A short run on the points."""
    given = {
        "name": "crossed", "path": str(folder / "new" / "bundle"), "target": "y", "batch_size": 64,
        "lr": 2e-2, "epochs": 3, "progress": False, "slot_seconds": 5.0,
    }  # fmt: skip
    return TrainConfig(**{**given, **changes})


def weights(bundle: TrainedBundle) -> dict[str, np.ndarray]:
    """The floats of its ONNX graph."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(bundle.path / "1" / "model.onnx"))
    found = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    return {name: array for name, array in found.items() if array.dtype.kind == "f"}
