"""The orchestrator's side of a contestant: start it, ask it, measure it, end it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import build
import tree
from build import HERE, ROOT, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

LINES = {"4.3": ".venv", "3.5": ".venv-spark35"}
"""Line of Spark → the environment that has it."""

CONFS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.log.level": "ERROR",
}
PATIENCE = 1800


class Failed(Exception):
    """What a contestant answered instead of a result."""


@dataclass(frozen=True)
class Sample:
    """One stage of one turn."""

    rows: int
    cpu: float
    wall: float


class Process:
    """A contestant that is running.

    Attributes:
        name: The contestant's name.
        result: Where it writes.
        version: Its Spark's version.
    """

    def __init__(
        self, name: str, line: str, out: Path, tally: Path | None = None, java: str = ""
    ) -> None:
        """Start it and wait for its Spark session.

        Args:
            name: The contestant's name.
            line: The line of Spark.
            out: A folder for its jars, log and results.
            tally: A file that grows by one byte with every session of ONNX Runtime.
            java: Further options of its JVM.

        Raises:
            Unavailable: It can not be built here, or its session does not start.
        """
        self.name = name
        self.result = own_folder(out) / f"{name}-{line}"
        confs = _confs(name, line, out, tally, java)
        self._log = (out / f"{name}-{line}.log").open("w")
        self._process = _started(name, line, tally, self._log)
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.version = self._open(confs)

    @property
    def pid(self) -> int:
        """The root of its tree."""
        return self._process.pid

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Send an order and wait for its answer.

        Raises:
            Failed: It failed or ended.
        """
        try:
            print(json.dumps(order), file=self._process.stdin, flush=True)
            answer = json.loads(self._answers.get(timeout=PATIENCE))
        except (BrokenPipeError, queue.Empty, json.JSONDecodeError) as error:
            raise Failed(f"no answer: {error!r}") from error
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def measure(self, rows: int, order: dict[str, Any]) -> Sample:
        """Do one stage over so many rows."""
        before = tree.cpu_seconds(self.pid)
        seconds = self.ask({"do": "run", "out": str(self.result), "rows": rows} | order)["seconds"]
        return Sample(rows, tree.cpu_seconds(self.pid) - before, seconds)

    def close(self) -> None:
        """End it, and wait until it has."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _open(self, confs: dict[str, str]) -> str:
        try:
            return self.ask({"do": "open", "name": self.name, "confs": confs})["version"]
        except Failed as error:
            self.close()
            raise Unavailable(str(error)) from error

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")


def own_folder(out: Path) -> Path:
    """Where this run's contestants write; another run beside it has another."""
    folder = out / f"run-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _confs(name: str, line: str, out: Path, tally: Path | None, java: str) -> dict[str, str]:
    """The settings of its Spark: its jars and its JVM's options among them."""
    python = _python(line)
    if name == "synapseml" and line != "3.5":
        raise Unavailable("SynapseML 1.1.0 is for Spark 3.5")
    [spark] = python.parents[1].glob("lib/python3.*/site-packages/pyspark/jars")
    jars = {
        "limit": lambda: build.raw_onnx(out),
        "djl": lambda: build.djl(out, spark, line),
        "synapseml": lambda: build.synapseml(out),
    }
    confs = CONFS | {"spark.local.dir": str(own_folder(out))}
    if name in jars:
        confs["spark.jars"] = ",".join(jars[name]())
    if tally is not None:
        java += f" -javaagent:{build.session_agent(out, spark, line)}={tally}"
    return confs | {"spark.driver.extraJavaOptions": java}


def _started(name: str, line: str, tally: Path | None, log: IO[str]) -> subprocess.Popen[str]:
    python = _python(line)
    return subprocess.Popen(
        [str(python), str(HERE / "contestant.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=os.environ | _environment(name, python, tally),
    )


def _python(line: str) -> Path:
    python = ROOT / LINES[line] / "bin/python"
    if not python.exists():
        raise Unavailable(f"no environment with Spark {line}")
    return python


def _environment(name: str, python: Path, tally: Path | None) -> dict[str, str]:
    paths = [HERE, ROOT / "python"] + ([HERE / "counting"] if tally else [])
    found = {
        "PYTHONPATH": ":".join(map(str, paths)),
        "PYSPARK_PYTHON": str(python),
        "PYSPARK_DRIVER_PYTHON": str(python),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    if tally is not None:
        found["SESSIONS_TALLY"] = str(tally)
    return found | ({"ORT_LOAD_CONFIG_FROM_MODEL": "1"} if name == "synapseml" else {})
