"""Ranks that get their GPUs from Spark's resources."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from e2e.spark.crossings import options, write_points
from e2e.spark.submit import Job

HERE = Path(__file__).parent / "training"

pytestmark = pytest.mark.skipif(
    shutil.which("nvidia-smi") is None, reason="this machine has no NVIDIA GPU (no nvidia-smi)"
)


@pytest.mark.parametrize("precision", ["single", "mixed"])
@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_a_rank_trains_on_the_gpu_that_spark_gives_it(tmp_path, framework, precision):
    rows = write_points(tmp_path / "rows.parquet", 4000)
    settings = {
        "trainable": f"on_gpu:{framework}", "input": rows, "name": "crossed",
        "path": tmp_path / "bundle", "target": "y", "ranks": 1, "batch-size": 64, "epochs": 3,
        "lr": 0.02, "precision": precision, "shared": tmp_path / "shared",
    }  # fmt: skip
    conf = {
        "spark.submit.pyFiles": str(HERE / "on_gpu.py"),
        "spark.executor.resource.gpu.amount": "1",
        "spark.executor.resource.gpu.discoveryScript": str(HERE / "gpus.sh"),
        "spark.worker.resource.gpu.amount": "1",
        "spark.worker.resource.gpu.discoveryScript": str(HERE / "gpus.sh"),
        "spark.task.resource.gpu.amount": "1",
    }
    env = {"CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES") or "0"}
    master = "local-cluster[1,1,2048]"
    job = Job(f"train_{framework}.py", options(settings), master=master, conf=conf, env=env)
    summary = job.run().succeeded()
    assert summary["epochs"][2]["validationLoss"] < summary["epochs"][0]["validationLoss"]
