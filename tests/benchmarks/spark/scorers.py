"""How each contestant scores a DataFrame. Runs under both Sparks; imports neither on its own.

A scorer takes the table's DataFrame and the job (see ``workloads.job``) and returns the columns
that are passed on and ``score``, an array of floats, and writes them nowhere itself.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

    Job = dict[str, Any]
    Scorer = Callable[[SparkSession, DataFrame, Job], DataFrame]


def scan(spark: SparkSession, df: DataFrame, job: Job) -> DataFrame:
    """No model: reads every feature once and makes of them a column of the result's size.

    Element j of the made-up result adds up every n-th scalar column from the j-th on, which is one
    addition per value read; of an array column it takes the first n elements.
    """
    from pyspark.sql import functions as f

    results, names = job["results"], job["features"]
    if job["layout"] == "array":
        made = [f.col("x")[index].cast("float") for index in range(results)]
    else:
        made = [f.expr("+".join(names[first::results])) for first in range(results)]
    return df.select(*job["passed"], f.array(*made).alias("score"))


def sealane(engine: str) -> Scorer:
    """``sealane.spark.score`` with what it does when nothing is said, the error column included."""

    def scored(spark: SparkSession, df: DataFrame, job: Job) -> DataFrame:
        from sealane.spark import score

        inputs = {"x": job["features"] if job["layout"] == "columns" else "x"}
        found = score(df, job["bundle"], inputs=inputs, engine=engine, batch_size=job["batch"])
        return found.drop(*job["features"])

    return scored


def pandas_udf(spark: SparkSession, df: DataFrame, job: Job) -> DataFrame:
    """An iterator pandas UDF and ONNX Runtime."""
    score = _pandas_udf(job["onnx"], job["layout"], job["width"], job["batch"])(*job["features"])
    return df.select(*job["passed"], score.alias("score"))


def predict_batch_udf(spark: SparkSession, df: DataFrame, job: Job) -> DataFrame:
    """PySpark's ``predict_batch_udf`` and ONNX Runtime.

    It takes one tensor as one column: columns are combined by ``array``, as it says itself. A model
    of as many arguments as columns was measured too, and was no faster.
    """
    score = _batch_udf(job["onnx"], job["width"], job["batch"])(_one_column(job))
    return df.select(*job["passed"], score.alias("score"))


def synapseml(spark: SparkSession, df: DataFrame, job: Job) -> DataFrame:
    """SynapseML's ``ONNXModel``; it takes one array column."""
    from pyspark.sql import DataFrame

    jvm: Any = spark._jvm
    model = jvm.com.microsoft.azure.synapse.ml.onnx.ONNXModel()
    model.setModelPayload(Path(job["onnx14"]).read_bytes())
    model.setFeedDict({"x": "features"})
    model.setFetchDict({"score": "y"})
    model.setDeviceType("CPU")
    model.setMiniBatchSize(job["batch"])
    given = df.select(*job["passed"], _one_column(job).alias("features"))
    return DataFrame(model.transform(given._jdf), spark).select(*job["passed"], "score")


def djl(spark: SparkSession, df: DataFrame, job: Job) -> DataFrame:
    """DJL's ONNX Runtime engine in ``mapPartitions``."""
    from pyspark.sql import DataFrame

    jvm: Any = spark._jvm
    scored = jvm.DjlScorer.score(
        df._jdf, job["onnx"], job["passed"], job["features"], job["width"], job["batch"]
    )
    return DataFrame(scored, spark)


SCORERS: dict[str, Scorer] = {
    "limit": scan,
    "sealane-jvm": sealane("jvm"),
    "sealane-python": sealane("python"),
    "predict-batch-udf": predict_batch_udf,
    "pandas-udf": pandas_udf,
    "synapseml": synapseml,
    "djl": djl,
}


def _one_column(job: Job) -> Any:
    from pyspark.sql import functions as f

    return f.col("x") if job["layout"] == "array" else f.array(*job["features"])


@cache
def _pandas_udf(path: str, layout: str, width: int, batch: int) -> Any:
    from pyspark.sql.pandas.functions import PandasUDFType
    from pyspark.sql.pandas.functions import pandas_udf as udf

    if layout == "columns":
        function = workers.columns_function(path, batch)
    elif width == 0:
        function = workers.ragged_function(path, batch)
    else:
        dims = (1, 28, 28) if width == 784 else (width,)
        function = workers.array_function(path, batch, dims)
    return udf(function, "array<float>", PandasUDFType.SCALAR_ITER)


@cache
def _batch_udf(path: str, width: int, batch: int) -> Any:
    from pyspark.ml.functions import predict_batch_udf as udf
    from pyspark.sql.types import ArrayType, FloatType

    return udf(
        workers.batch_function(path),
        return_type=ArrayType(FloatType()),
        batch_size=batch,
        input_tensor_shapes=[[width]],
    )
