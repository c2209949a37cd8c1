"""What training on Spark costs beside PyTorch alone and torchrun, and how long it takes to start.

    python tests/benchmarks/spark_training/overhead.py [--rows 1000000] [--rounds 3]

Contestants take turns. Samples per second are of the epochs after the first.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
EPOCHS = 4
CLUSTER = {
    "spark.master": "local-cluster[2,1,2048]",
    "spark.driver.memory": "2g",
    "spark.executor.memory": "2g",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sealane-bench-") as scratch:
        folder = Path(scratch)
        table = write(folder / "rows.parquet", arguments.rows)
        rounds = [one_round(table, folder) for _ in range(arguments.rounds)]
    for first, second in (
        ("1 rank on Spark", "PyTorch alone"),
        ("2 ranks on Spark", "torchrun, 2 processes"),
    ):
        ratios = [each[first] / each[second] for each in rounds]
        rates = [statistics.median(each[name] for each in rounds) for name in (first, second)]
        print(f"{first} / {second}: {told(ratios)} ({rates[0]:,.0f} / {rates[1]:,.0f} samples/s)")
    for name in ("TorchDistributor", "gang of ranks", "gang and bundle"):
        print(f"{name}, start to end of a small training: {told([r[name] for r in rounds])} s")
    print(f"{arguments.rows:,} rows, load {' '.join(f'{x:.1f}' for x in os.getloadavg())}")


def told(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def write(path: Path, rows: int) -> Path:
    chance = np.random.default_rng(0)
    x = chance.normal(size=(rows, 16)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype(np.int32)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), 16).cast(
        pa.list_(pa.float32())
    )
    pa.parquet.write_table(pa.table({"x": lists, "y": y}), path)
    return path


def one_round(table: Path, folder: Path) -> dict[str, float]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    torchrun += [
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        "127.0.0.1:0",
        "--local-addr",
        "127.0.0.1",
    ]
    plain = [str(HERE / "plain.py"), str(table), str(EPOCHS)]
    found = {
        "PyTorch alone": rate(run([sys.executable, *plain])),
        "1 rank on Spark": rate(run(job(table, folder, 1))),
        "torchrun, 2 processes": rate(run([*torchrun, *plain])),
        "2 ranks on Spark": rate(run(job(table, folder, 2))),
    }
    small = run(submit(HERE / "distributor.py", str(table), "2"))
    return found | {
        "TorchDistributor": small["distributor"],
        "gang of ranks": small["ranks"],
        "gang and bundle": small["with bundle"],
    }


def rate(told: dict) -> float:
    """Samples per second of the epochs after the first."""
    if "epochs" in told:
        seconds = [each["seconds"] for each in told["epochs"]]
        samples = told["samplesPerSecond"] * sum(seconds) / len(seconds)
    else:
        seconds, samples = told["seconds"], told["samples"]
    return samples * (len(seconds) - 1) / sum(seconds[1:])


def job(table: Path, folder: Path, ranks: int) -> list[str]:
    settings = {
        "trainable": "network:trainable", "input": table, "name": "scores", "target": "y",
        "path": folder / "bundle", "shared": folder / f"shared-{ranks}-{os.urandom(4).hex()}",
        "ranks": ranks, "epochs": EPOCHS, "validation": 0, "checkpoint-steps": 100_000,
    }  # fmt: skip
    options = [str(word) for key, value in settings.items() for word in (f"--{key}", value)]
    return submit(ROOT / "spark_jobs/train_torch.py", *options, "--overwrite")


def submit(script: Path, *arguments: str) -> list[str]:
    conf = [word for key, value in CLUSTER.items() for word in ("--conf", f"{key}={value}")]
    jar = ROOT / "python/sealane/jvm/sealane.jar"
    spark = str(Path(sys.executable).with_name("spark-submit"))
    return [spark, *conf, "--jars", str(jar), str(script), *arguments]


def run(command: list[str]) -> dict:
    """The last line that it prints."""
    path = os.pathsep.join([str(HERE), str(ROOT / "python")])
    env = os.environ | {
        "PYTHONPATH": path, "PYSPARK_PYTHON": sys.executable, "OMP_NUM_THREADS": "1",
        "SPARK_LOCAL_IP": "127.0.0.1", "CUDA_VISIBLE_DEVICES": "", "GLOO_SOCKET_IFNAME": "lo",
    }  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
