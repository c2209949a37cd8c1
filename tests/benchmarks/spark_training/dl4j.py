"""Sealane's trainer on Spark beside dl4j-spark's parameter averaging: time, and closeness.

Both train one network from the same weights on the same rows with two ranks, on Spark 3.5; each is
measured against one machine that takes its ranks' batches as one. Needs Maven for dl4j-spark.

    python tests/benchmarks/spark_training/dl4j.py [rows]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
OUT = ROOT / "out/dl4j-spark"
ENGINE = ROOT / "python/sealane/jvm/engines/dl4j"
SEALANE = ROOT / "python/sealane/jvm/sealane.jar"
OPENED = ("lang", "lang.invoke", "io", "net", "nio", "util", "util.concurrent")
NEWER = ("nd4j-", "deeplearning4j-nn", "guava-", "jackson-", "protobuf-", "slf4j", "kryo-4")
"""Of these jars the engine's or Spark's own are taken."""


def main() -> None:
    """Runs it and prints a table."""
    rows = sys.argv[1] if len(sys.argv) > 1 else "51200"
    pom = str(HERE / "dl4j_spark/pom.xml")
    if not OUT.exists():
        copy = ["mvn", "-q", "-B", "-ntp", "-f", pom, "dependency:copy-dependencies"]
        run([*copy, f"-DoutputDirectory={OUT}", "-DincludeScope=runtime"])
    spark = next((ROOT / ".venv-spark35/lib").glob("python*/site-packages/pyspark/jars"))
    engine = [jar for jar in ENGINE.glob("*.jar") if "slf4j" not in jar.name]
    theirs = [jar for jar in OUT.glob("*.jar") if keeps(jar.name)]
    path = ":".join([f"{spark}/*", str(SEALANE), *map(str, [*engine, *theirs])])
    classes = OUT / "classes"
    source = str(HERE / "java/TrainersCompared.java")
    run(["javac", "--release", "17", "-nowarn", "-cp", path, "-d", str(classes), source])
    opened = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in OPENED]
    opened.append("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED")
    java = ["java", "-Xmx3g", *opened, "-cp", f"{path}:{classes}", "TrainersCompared", rows]
    told = run(java, {"OMP_NUM_THREADS": "1"})
    print(f"load {os.getloadavg()[0]:.1f}; {rows} rows, 2 ranks of 256, best of 3 epochs\n")
    print(
        "| trainer | optimizer | s per epoch | distance to one machine |\n| --- | --- | --- | --- |"
    )
    for line in told.splitlines():
        if line.startswith("RESULT "):
            print("|", " | ".join(line.split()[1:]), "|")


def keeps(name: str) -> bool:
    """Whether a jar of dl4j-spark's is used."""
    return not name.startswith(NEWER) or name.startswith("nd4j-kryo")


def run(command: list[str], env: dict[str, str] | None = None) -> str:
    """What a command prints; what it says on standard error is passed on."""
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"} | (env or {})
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=environment
    ).stdout


if __name__ == "__main__":
    main()
