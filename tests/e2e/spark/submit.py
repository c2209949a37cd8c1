"""``spark-submit`` as its user calls it, on either Spark."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from e2e.spark.systems import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

ENVIRONMENTS = {"4.3": ROOT / ".venv", "3.5": ROOT / ".venv-spark35"}
JAR = ROOT / "python/sealane/jvm/sealane.jar"
LOOPBACK = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
CLUSTER = "local-cluster[2,1,1024]"
LIMIT = 600
"""Seconds of one job."""


@dataclass(frozen=True)
class Job:
    """One run of a script of ``spark_jobs``.

    Attributes:
        script: Its file's name.
        arguments: Its own.
        spark: ``4.3`` or ``3.5``.
        master: Where it runs.
        jars: Beside Sealane's.
        conf: Of Spark.
        env: Further environment.
    """

    script: str
    arguments: Iterable[object]
    spark: str = "4.3"
    master: str = "local[2]"
    jars: Iterable[Path] = ()
    conf: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, meanwhile: Callable[[int, str], None] | None = None) -> Ended:
        """Runs it to its end.

        Args:
            meanwhile: Called with the process id and each line of standard error.
        """
        process = subprocess.Popen(
            self._command(),
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        stop = threading.Timer(LIMIT, process.kill)
        stop.start()
        lines: list[str] = []
        with process:
            for line in process.stderr:
                lines.append(line)
                if meanwhile is not None:
                    meanwhile(process.pid, line)
            output = process.stdout.read()
        stop.cancel()
        return Ended(process.returncode, output, "".join(lines))

    def _command(self) -> list[str]:
        bin_folder = ENVIRONMENTS[self.spark] / "bin"
        jars = ",".join(map(str, [JAR, *self.jars]))
        conf = [f"--conf={key}={value}" for key, value in {**LOOPBACK, **self.conf}.items()]
        script = str(ROOT / "spark_jobs" / self.script)
        submit = [str(bin_folder / "spark-submit"), "--master", self.master, "--jars", jars, *conf]
        return [*submit, script, *map(str, self.arguments)]

    def _environment(self) -> dict[str, str]:
        python = str(ENVIRONMENTS[self.spark] / "bin" / "python")
        cleared = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "PYSPARK_"))}
        own = {"PYSPARK_PYTHON": python, "PYSPARK_DRIVER_PYTHON": python}
        return {**cleared, **own, "SPARK_LOCAL_IP": "127.0.0.1", **self.env}


@dataclass(frozen=True)
class Ended:
    """How a job ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        """The one line of JSON."""
        assert self.stdout.count("\n") == 1, self.stdout + self.stderr
        return json.loads(self.stdout)

    def succeeded(self) -> dict[str, Any]:
        """The summary of a job that ended well."""
        assert self.code == 0, self.stdout + self.stderr
        return self.summary

    def failed(self, exit_code: int) -> str:
        """The error's code; it is on one line of standard error too."""
        assert self.code == exit_code, self.stdout + self.stderr
        error = self.summary["error"]
        said = [line for line in self.stderr.splitlines() if line.startswith(f"{error['code']}: ")]
        assert len(said) == 1, self.stderr
        return error["code"]
