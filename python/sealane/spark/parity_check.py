"""Whether two engines give the same for a sample of a table, row by row."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as f

from sealane.bundle import Verdict, judge
from sealane.spark.arrow import pa
from sealane.spark.comparison import RowsComparison, compare_batch
from sealane.spark.facts import BundleFacts, engine_version, read_facts, versions
from sealane.spark.job_failures import job_failures, source_failures
from sealane.spark.progress import progress
from sealane.spark.scoring import score
from sealane.spark.tables import Table, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from sealane.bundle import OutputMetrics
    from sealane.core import TensorSpec

_PARTITIONS = 8
"""Of a sample of a number of rows: Spark leaves it in one."""

Batches = Iterator[Any]


@dataclass(frozen=True, slots=True)
class ParityConfig:
    """What a parity check does.

    Attributes:
        bundle: Path or URI.
        source: Where the rows are.
        sample: How many rows (1 or more), or which share of them (below 1); None: all.
        seed: Of the draw; the same rows for the same table and seed.
        engines: The engine that is judged, and the one it is judged by.
        inputs: Columns of the inputs, as for :func:`sealane.spark.score`.
        outputs: Outputs to compare; None: all.
        batch_size: Rows of a run.
    """

    bundle: str
    source: Table
    sample: float | None = 10_000
    seed: int = 0
    engines: tuple[str, str] = ("jvm", "python")
    inputs: Mapping[str, str | Sequence[str]] | str | None = None
    outputs: Sequence[str] | None = None
    batch_size: int = 1024

    def __post_init__(self) -> None:
        if self.sample is not None and self.sample <= 0:
            raise ValueError("a sample is a number of rows, or a share of them below 1")


@dataclass(frozen=True, slots=True)
class ParitySummary:
    """What a parity check found.

    Attributes:
        found: Rows, and how their results differ.
        metrics: Of each output.
        verdict: What the outputs reach.
        required: What the bundle claims, as it applies to these engines.
        bundle: Name, version, content id.
        engines: Versions by engine.
        versions: Of Spark and Sealane.
        seconds: All of it.
    """

    found: RowsComparison
    metrics: tuple[OutputMetrics, ...]
    verdict: Verdict
    required: Verdict
    bundle: Mapping[str, str]
    engines: Mapping[str, str]
    versions: Mapping[str, str]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether there were rows, their codes agree and the claimed verdict is reached."""
        reached = self.required is Verdict.TASK_ONLY or self.verdict >= self.required
        return self.found.compared > 0 and not self.found.codes and reached

    def to_json(self) -> dict[str, Any]:
        """For one line of JSON."""
        return {
            "ok": self.ok,
            "rows": self.found.rows,
            "compared": self.found.compared,
            "codes_differ": dict(self.found.codes),
            "outputs": {each.name: self._output(each) for each in self.metrics},
            "verdict": self.verdict.value,
            "required": self.required.value,
            "bundle": dict(self.bundle),
            "engines": dict(self.engines),
            "versions": dict(self.versions),
            "seconds": round(self.seconds, 3),
        }

    def _output(self, metrics: OutputMetrics) -> dict[str, Any]:
        return {
            "max_abs": metrics.max_abs,
            "scaled_ulp": metrics.scaled_ulp,
            "bit_equal_rows": self.found.outputs[metrics.name].bit_equal_rows,
            "same_argmax": metrics.argmax_agree,
        }


def check_parity(spark: SparkSession, config: ParityConfig) -> ParitySummary:
    """Scores a sample with two engines in one pass and compares the results where they are.

    Args:
        spark: The session.
        config: What to do.

    Raises:
        SealaneError: When the bundle, the arguments or the source are refused before a job runs.
        JobFailed: When Spark could not do it.
    """
    started = time.perf_counter()
    facts = [read_facts(spark, config.bundle, engine) for engine in config.engines]
    specs = facts[0].outputs(config.outputs)
    with source_failures(config.source.place):
        rows = _sampled(read_table(spark, config.source), config)
    with job_failures("the sample"), progress(spark):
        scored = _scored(rows, config)
        compared: Any = scored.mapInArrow(_comparer(specs), "part string")  # pyright: ignore[reportUnknownMemberType]
        parts = compared.collect()
    found = reduce(
        RowsComparison.plus,
        (RowsComparison.from_json(json.loads(each.part)) for each in parts),
        RowsComparison.of_none(specs),
    )
    return _summary(spark, facts, specs, found, time.perf_counter() - started)


def _sampled(df: DataFrame, config: ParityConfig) -> DataFrame:
    if config.sample is None:
        return df
    if config.sample < 1:
        return df.sample(fraction=config.sample, seed=config.seed)
    drawn = df.orderBy(f.rand(config.seed)).limit(int(config.sample))
    return drawn.repartition(_PARTITIONS)


def _scored(rows: DataFrame, config: ParityConfig) -> DataFrame:
    """Both engines' results beside each other, so that no join can mix rows up."""
    for name, engine in zip(("_sealane_a", "_sealane_b"), config.engines, strict=True):
        rows = score(
            rows,
            config.bundle,
            inputs=config.inputs,
            outputs=config.outputs,
            engine=engine,
            into=name,
            batch_size=config.batch_size,
        )
    return rows.select(
        f.col("_sealane_a").alias("a"),
        f.col("_sealane_a_error.code").alias("a_code"),
        f.col("_sealane_b").alias("b"),
        f.col("_sealane_b_error.code").alias("b_code"),
    )


def _comparer(specs: tuple[TensorSpec, ...]) -> Callable[[Batches], Batches]:
    """What the executors run: a partition's comparison as one row of JSON."""

    def compare(batches: Batches) -> Batches:
        parts = (compare_batch(batch, specs) for batch in batches)
        whole = reduce(RowsComparison.plus, parts, RowsComparison.of_none(specs))
        yield pa.RecordBatch.from_pydict({"part": [json.dumps(whole.to_json())]})

    return compare


def _summary(
    spark: SparkSession,
    facts: Sequence[BundleFacts],
    specs: tuple[TensorSpec, ...],
    found: RowsComparison,
    seconds: float,
) -> ParitySummary:
    judged, by = facts
    engines = {each.engine: engine_version(spark, each) for each in facts}
    same_engine = judged.kind == by.kind and engines[judged.engine] == engines[by.engine]
    required = judged.required
    if required is Verdict.BIT_EXACT and not same_engine:
        required = Verdict.WITHIN_ORACLE
    metrics = tuple(found.outputs[each.name].metrics(each, found.compared) for each in specs)
    return ParitySummary(
        found=found,
        metrics=metrics,
        verdict=judge(metrics, judged.tolerance, same_engine),
        required=required,
        bundle=judged.bundle,
        engines=engines,
        versions=versions(spark),
        seconds=seconds,
    )
