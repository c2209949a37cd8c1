"""Rows of 16 numbers and a class, as Parquet, made by Spark: the folder and how many."""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

path, count = sys.argv[1], int(sys.argv[2])
spark = SparkSession.builder.getOrCreate()
columns = [f.randn(seed).cast("float") for seed in range(16)]
rows = spark.range(0, count, 1, 16).select(f.array(*columns).alias("x"))
late = f.col("x")[0] * f.col("x")[1] + f.col("x")[2] > 0
rows.withColumn("y", late.cast("int")).write.parquet(path)
spark.stop()
print("{}")
