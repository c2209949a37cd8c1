"""Score ten million flights on Spark, in the executors' JVMs and in Python workers, and compare."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pandas as pd
from data import load
from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from rich.table import Table
from story import console, step

import sealane
from sealane.spark import jar_conf
from sealane.spark.batch import BatchConfig, BatchSummary, score_batch
from sealane.spark.parity_check import ParityConfig, ParitySummary, check_parity
from sealane.spark.tables import Table as Place

ENGINES = {"jvm": "the executors' JVMs", "python": "Python workers"}


def main() -> None:
    """Make the table, score it with both engines, compare them on every flight."""
    arguments = parse_arguments()
    bundle = sealane.inspect(arguments.out / "flights-torch")
    console.rule("[bold]1/3  The table")
    with step("Starting Spark"):
        spark = start()
    flights = arguments.out / "flights.parquet"
    many = arguments.out / f"flights-{arguments.rows}.parquet"
    with step("The flights table as Parquet"):
        total = write_flights(flights, arguments.sample)
    with step(f"The same flights again and again, {arguments.rows:,} rows"):
        replicate(spark, flights, total, many, arguments.rows)

    console.rule("[bold]2/3  Every row scored, from Parquet to Parquet")
    scored = {engine: score(spark, bundle, many, engine) for engine in ENGINES}
    console.print(report(scored))

    console.rule("[bold]3/3  The same bits?")
    with step(f"All {total:,} flights, row by row"):
        parity = check_parity(
            spark, ParityConfig(str(bundle.path), Place("parquet", str(flights)), sample=None)
        )
    console.print(parity_line(parity))
    spark.stop()
    closing_words(bundle.path, many)
    if not parity.ok:
        raise SystemExit(1)


def parse_arguments() -> argparse.Namespace:
    """Command line: how much, where to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows to score")
    parser.add_argument("--sample", type=int, help="make them of this many flights")
    parser.add_argument(
        "--out", type=Path, default=Path("out/flights"), help="folder of the demo's bundles"
    )
    return parser.parse_args()


def start() -> SparkSession:
    """Spark in this process, on all cores, with Sealane's jar."""
    builder = SparkSession.builder.master("local[*]").appName("sealane spark demo")
    loopback = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    memory = {"spark.driver.memory": "3g"}
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # of the workers
    spark = builder.config(map={**jar_conf(), **loopback, **quiet, **memory}).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def write_flights(path: Path, sample: int | None) -> int:
    """The columns known before departure, numbered by ``flight``; gives their number."""
    flights = load(sample)
    table = pd.concat([flights.train, flights.held_out], ignore_index=True)
    table["date"] = table["date"].dt.date
    table["flight"] = range(len(table))
    table.to_parquet(path, index=False)
    return len(table)


def replicate(spark: SparkSession, flights: Path, total: int, path: Path, rows: int) -> None:
    """Writes `rows` rows, once: the flights as often as it takes."""
    if (path / "_SUCCESS").exists():
        return
    copies = spark.range(0, -(-rows // total), numPartitions=8).withColumnRenamed("id", "copy")
    table = copies.join(f.broadcast(spark.read.parquet(str(flights))))
    number = f.col("copy") * total + f.col("flight")
    table.filter(number < rows).write.mode("overwrite").parquet(str(path))


def score(spark: SparkSession, bundle: sealane.Bundle, rows: Path, engine: str) -> BatchSummary:
    """What ``spark_jobs/batch_score.py`` does."""
    target = rows.with_name(f"scored-{engine}.parquet")
    with step(f"In {ENGINES[engine]}"):
        return score_batch(
            spark,
            BatchConfig(
                bundle=str(bundle.path),
                source=Place("parquet", str(rows)),
                target=Place("parquet", str(target)),
                mode="overwrite",
                engine=engine,
            ),
        )


def report(scored: dict[str, BatchSummary]) -> Table:
    """One line for each engine."""
    table = Table(title="Late arrivals, end to end")
    for heading in ("scored in", "engine", "rows", "not scored", "seconds", "rows/s"):
        table.add_column(heading, justify="left" if heading in ("scored in", "engine") else "right")
    for engine, each in scored.items():
        table.add_row(
            ENGINES[engine],
            f"{each.engine} {each.engine_version}",
            f"{each.rows:,}",
            f"{each.unscored:,}",
            f"{each.seconds:.1f}",
            f"{each.rows_per_second:,.0f}",
        )
    return table


def parity_line(parity: ParitySummary) -> str:
    """How many rows have the same bits, and how far apart the others are."""
    (late,) = parity.metrics
    same = parity.found.outputs[late.name].bit_equal_rows
    return (
        f"{same:,} of {parity.found.compared:,} rows have the same bits, largest difference "
        f"{late.max_abs:.1e}: {parity.verdict.value}"
    )


def closing_words(bundle: Path, rows: Path) -> None:
    """Where the result lies and what to try next."""
    submit = ".venv/bin/spark-submit --jars python/sealane/jvm/sealane.jar"
    for line in (
        f"\nThe scored rows lie in {rows.with_name('scored-jvm.parquet')}. Try next:",
        f"  {submit} spark_jobs/batch_score.py --bundle {bundle} --input {rows} "
        "--output out/flights/scored",
        f"  {submit} spark_jobs/check_parity.py --bundle {bundle} --input {rows} --sample 100000",
    ):
        console.print(line, soft_wrap=True)


if __name__ == "__main__":
    main()
