"""A small training by Spark's own TorchDistributor, and the same by Sealane: seconds of each."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from network import trainable
from pyspark.ml.torch.distributor import TorchDistributor
from pyspark.sql import SparkSession

from sealane.spark import TrainConfig, train


def main(path: str, ranks: int) -> None:
    spark = SparkSession.builder.getOrCreate()
    small = spark.read.parquet(path).limit(20_000).cache()
    small.count()
    plain = str(Path(__file__).with_name("plain.py"))
    started = time.perf_counter()
    TorchDistributor(num_processes=ranks, local_mode=False, use_gpu=False).run(plain, path, "1")
    theirs = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(
            name="scores", path=f"{folder}/bundle", target="y", ranks=ranks, epochs=1,
            progress=False,
        )  # fmt: skip
        started = time.perf_counter()
        made = train(small, trainable, config)
        whole = time.perf_counter() - started
    spark.stop()
    print(json.dumps({"distributor": theirs, "ranks": made.seconds, "with bundle": whole}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
