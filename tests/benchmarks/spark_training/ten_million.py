"""Ten million rows, driver 1 GB, executors 2 GB: trains, and tells each process's peak memory.

python tests/benchmarks/spark_training/ten_million.py torch [--rows 10000000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from overhead import CLUSTER, HERE, ROOT

KINDS = {
    "SparkSubmit": "driver's JVM and master",
    "CoarseGrainedExecutorBackend": "executor's JVM",
    "distributed.rank": "rank",
    "train_": "driver's Python",
    "daemon": "Python worker",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("framework", choices=["torch", "tensorflow", "jax", "dl4j"])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--epochs", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sealane-bench-") as scratch:
        folder = Path(scratch)
        spark = {**CLUSTER, "spark.driver.memory": "1g", "spark.executor.memory": "2g"}
        run(spark, [str(HERE / "make_rows.py"), str(folder / "rows"), str(arguments.rows)])
        started = time.perf_counter()
        told, peaks = run(spark, job(arguments, folder))
        seconds = time.perf_counter() - started
    print(f"{arguments.framework}: {told['rows'] + told['heldOutRows']:,} rows in {seconds:.0f} s")
    print(f"epochs: {told['epochs']}; {told['samplesPerSecond']:,} samples/s")
    for kind, size in peaks.items():
        print(f"  largest {kind}: {size / 2**20:,.0f} MiB resident")
    print(f"load {' '.join(f'{x:.1f}' for x in os.getloadavg())}")


def job(arguments: argparse.Namespace, folder: Path) -> list[str]:
    settings = {
        "trainable": f"networks:{arguments.framework}", "input": folder / "rows",
        "name": "scores", "target": "y", "path": folder / "bundle", "shared": folder / "shared",
        "ranks": 2, "batch-size": 4096, "epochs": arguments.epochs, "validation": 0.02,
        "checkpoint-steps": 500, "optimizer": "adam",
    }  # fmt: skip
    options = [str(word) for key, value in settings.items() for word in (f"--{key}", value)]
    return [str(ROOT / f"spark_jobs/train_{arguments.framework}.py"), *options]


def run(spark: dict[str, str], arguments: list[str]) -> tuple[dict, dict[str, int]]:
    """What the program prints last, and the peak of each kind of process."""
    conf = [word for key, value in spark.items() for word in ("--conf", f"{key}={value}")]
    engine = (ROOT / "python/sealane/jvm/engines/dl4j").glob("*.jar")
    jars = [jar for jar in engine if "slf4j" not in jar.name]
    jars = ",".join(map(str, [ROOT / "python/sealane/jvm/sealane.jar", *jars]))
    command = [str(Path(sys.executable).with_name("spark-submit")), *conf, "--jars", jars]
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT / "python")]),
        "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1",
        "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    process = subprocess.Popen([*command, *arguments], env=env, stdout=subprocess.PIPE, text=True)
    peaks: dict[str, int] = {}
    done = threading.Event()
    watch = threading.Thread(target=look, args=(process.pid, peaks, done))
    watch.start()
    out, _ = process.communicate()
    done.set()
    watch.join()
    if process.returncode:
        sys.exit(f"it ended with {process.returncode}: {out}")
    last = out.strip().splitlines()
    return json.loads(last[-1]) if last else {}, peaks


def look(pid: int, peaks: dict[str, int], done: threading.Event) -> None:
    while not done.wait(0.5):
        try:
            members = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for each in members:
            try:
                line, size = " ".join(each.cmdline()), each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            kind = next((name for part, name in KINDS.items() if part in line), None)
            if kind is not None:
                peaks[kind] = max(peaks.get(kind, 0), size)


if __name__ == "__main__":
    main()
