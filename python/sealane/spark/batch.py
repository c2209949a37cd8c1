"""One batch job: a table is read, scored and written, and its rows are counted on the way."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark import StorageLevel
from pyspark.sql import Observation
from pyspark.sql import functions as f

from sealane.core import ErrorCode, ErrorFamily
from sealane.spark.facts import engine_version, read_facts, versions
from sealane.spark.job_failures import job_failures, source_failures
from sealane.spark.progress import progress
from sealane.spark.scoring import score
from sealane.spark.tables import MODES, Table, in_one_transaction, read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from pyspark.sql import Column, DataFrame, SparkSession

    from sealane.spark.options import OnError

ROW_CODES = tuple(
    code for code in ErrorCode if code.family in (ErrorFamily.INPUT, ErrorFamily.ENGINE)
)
"""What can be wrong with a row, or with its run."""


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """What a batch job does; the scoring arguments are those of :func:`sealane.spark.score`.

    Attributes:
        bundle: Path or URI.
        source: Where the rows are.
        target: Where they go with their scores.
        mode: When `target` exists: ``errorifexists``, ``overwrite`` or ``append``.
        quarantine: Where rows go that could not be scored; None keeps them in `target`.
        inputs: Columns of the inputs.
        outputs: Outputs that are asked for; None: all.
        engine: Name of the engine.
        on_error: ``quarantine``, ``fail`` or ``null``.
        into: Name of the new column.
        batch_size: Rows of a run.
    """

    bundle: str
    source: Table
    target: Table
    mode: str = "errorifexists"
    quarantine: Table | None = None
    inputs: Mapping[str, str | Sequence[str]] | str | None = None
    outputs: Sequence[str] | None = None
    engine: str = "auto"
    on_error: OnError = "quarantine"
    into: str = "score"
    batch_size: int = 1024

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode {self.mode!r} is none of {', '.join(MODES)}")
        if self.quarantine is not None and self.on_error != "quarantine":
            raise ValueError("a quarantine output needs --on-error quarantine")


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What a batch job did.

    Attributes:
        rows: Rows read.
        scored: Rows with a score.
        unscored: Rows without.
        quarantined: Rows by error code; empty unless ``on_error`` is ``quarantine``.
        seconds: From the first look at the bundle to the end of the last write.
        bundle: ``name``, ``version`` and ``content_id``.
        engine: The engine that ran, such as ``jvm:onnx``.
        engine_version: Its version.
        versions: Of Spark and Sealane.
        output: Where the rows are now.
        quarantine_output: Where those are that could not be scored, when elsewhere.
    """

    rows: int
    scored: int
    quarantined: Mapping[str, int]
    seconds: float
    bundle: Mapping[str, str]
    engine: str
    engine_version: str
    versions: Mapping[str, str]
    output: str
    quarantine_output: str | None = None
    unscored: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "unscored", self.rows - self.scored)

    @property
    def ok(self) -> bool:
        """True: rows in quarantine are what the job is for."""
        return True

    @property
    def rows_per_second(self) -> float:
        """Rows read in a second, everything included."""
        return self.rows / self.seconds

    def to_json(self) -> dict[str, Any]:
        """For one line of JSON."""
        return {
            "rows": self.rows,
            "scored": self.scored,
            "unscored": self.unscored,
            "quarantined": dict(self.quarantined),
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(self.rows_per_second, 1),
            "bundle": dict(self.bundle),
            "engine": self.engine,
            "engine_version": self.engine_version,
            "versions": dict(self.versions),
            "output": self.output,
            "quarantine_output": self.quarantine_output,
        }


def score_batch(spark: SparkSession, config: BatchConfig) -> BatchSummary:
    """Reads, scores and writes a table in one pass, telling its progress on standard error.

    Args:
        spark: The session.
        config: What to do.

    Raises:
        SealaneError: When the bundle, the arguments or the source are refused before a job runs.
        JobFailed: When Spark could not do it.
    """
    started = time.perf_counter()
    facts = read_facts(spark, config.bundle, config.engine)
    with source_failures(config.source.place):
        rows = read_table(spark, config.source)
    with job_failures(config.target.place), progress(spark):
        scored = score(
            rows,
            config.bundle,
            inputs=config.inputs,
            outputs=config.outputs,
            engine=config.engine,
            on_error=config.on_error,
            into=config.into,
            batch_size=config.batch_size,
        )
        counts = _write(scored, config)
    codes = {code.value: counts[code.value] for code in ROW_CODES if counts.get(code.value)}
    return BatchSummary(
        rows=counts["rows"],
        scored=counts["scored"],
        quarantined=codes,
        seconds=time.perf_counter() - started,
        bundle=facts.bundle,
        engine=facts.engine,
        engine_version=engine_version(spark, facts),
        versions=versions(spark),
        output=config.target.place,
        quarantine_output=config.quarantine and config.quarantine.place,
    )


def _write(scored: DataFrame, config: BatchConfig) -> dict[str, int]:
    """Writes the rows to where they belong; gives the counts that were observed on the way."""
    if config.quarantine is None:
        counted, counts = _counted(in_one_transaction(scored, config.target), config)
        write_table(counted, config.target, config.mode)
        return counts.get
    error = f"{config.into}_error"
    with _kept(scored) as kept:
        counted, counts = _counted(in_one_transaction(kept, config.quarantine), config)
        write_table(counted.filter(f.col(error).isNotNull()), config.quarantine, config.mode)
        good = kept.filter(f.col(error).isNull()).drop(error)
        write_table(in_one_transaction(good, config.target), config.target, config.mode)
    return counts.get


@contextmanager
def _kept(df: DataFrame) -> Generator[DataFrame]:
    """The rows on the executors' disks, so that they are computed once for two writes."""
    kept = df.persist(StorageLevel.DISK_ONLY)
    try:
        yield kept
    finally:
        kept.unpersist()


def _counted(df: DataFrame, config: BatchConfig) -> tuple[DataFrame, Observation]:
    """The rows, and their counts when they have been written: ``rows``, ``scored``, each code."""
    counts = Observation()
    return df.observe(counts, *_counts(config)), counts


def _counts(config: BatchConfig) -> Iterator[Column]:
    yield f.count(f.lit(1)).alias("rows")
    if config.on_error != "quarantine":
        yield f.count(f.col(config.into)).alias("scored")
        return
    code = f.col(f"{config.into}_error.code")
    yield f.count(f.when(code.isNull(), 1)).alias("scored")
    for each in ROW_CODES:
        yield f.count(f.when(code == each.value, 1)).alias(each.value)
