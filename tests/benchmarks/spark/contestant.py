"""One contestant in its own process: reads JSON lines, does what they say, answers in JSON lines.

``{"do": "open", "name", "line", "confs"}`` → ``{"version"}``
``{"do": "run", "stage", "job", "table", "out", "sink", "confs"}`` → ``{"seconds"}``

Stage ``score`` is table → score → sink, Parquet or Spark's ``noop``; stage ``onnx``, of the
contestant ``limit`` alone, is ONNX Runtime over as many rows. A failure answers ``{"error"}``.
Ends when its input does.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from typing import Any

from scorers import SCORERS

CORES = 2


class Contestant:
    """A Spark session and the scorer that it serves."""

    def __init__(self, name: str, confs: dict[str, str]) -> None:
        from pyspark.sql import SparkSession

        if name == "sealane-jvm":
            from sealane.spark import jar_conf

            confs = confs | jar_conf()
        builder = SparkSession.builder.master(f"local[{CORES}]").appName(name)
        for key, value in confs.items():
            builder = builder.config(key, value)
        self.spark: Any = builder.getOrCreate()
        self._scorer = SCORERS[name]

    def run(self, order: dict[str, Any]) -> float:
        """Do one stage; returns the seconds that it took."""
        for key, value in order.get("confs", {}).items():
            self.spark.conf.set(key, value)
        start = time.perf_counter()
        if order["stage"] == "onnx":
            job, rows = order["job"], order["rows"]
            self.spark._jvm.RawOnnx.run(job["onnx"], rows, job["batch"], CORES)
        else:
            table = self.spark.read.parquet(order["table"])
            scored = self._scorer(self.spark, table, order["job"])
            writer = scored.write.mode("overwrite").format(order["sink"])
            writer.save(order["out"] if order["sink"] == "parquet" else None)
        return time.perf_counter() - start


def _message(error: Exception) -> str:
    """What a person has to read; a Python worker's error ends with it, one of Java's starts so."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    last = type(error).__name__ == "PythonException"
    return f"{type(error).__name__}: {lines[-1] if last else ' '.join(lines[:2])}"[:400]


def main() -> None:
    """Answer until there is nothing more to answer."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    contestant: Contestant | None = None
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if contestant is None:
                contestant = Contestant(order["name"], order["confs"])
                answer: dict[str, Any] = {"version": contestant.spark.version}
            else:
                answer = {"seconds": contestant.run(order)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": _message(error)}
        print(json.dumps(answer), file=answers, flush=True)
    if contestant is not None:
        contestant.spark.stop()


if __name__ == "__main__":
    main()
