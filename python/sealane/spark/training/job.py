"""A training job: a table is read, a model is trained on it, a bundle is written."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sealane.bundle import read_bundle
from sealane.core import ErrorCode, SealaneError
from sealane.spark.job_failures import source_failures
from sealane.spark.tables import Table, read_table
from sealane.spark.training.training import train

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sealane.spark.training.trainable import Trainable
    from sealane.spark.training.trained_bundle import TrainedBundle
    from sealane.training.distributed.config import TrainConfig


@dataclass(frozen=True, slots=True)
class TrainJob:
    """What a training job does.

    Attributes:
        framework: What the trainable has to be of.
        trainable: ``module:name`` of a trainable, or of a function without arguments that gives
            one.
        source: Where the rows are.
        config: The run.
    """

    framework: str
    trainable: str
    source: Table
    config: TrainConfig

    def __post_init__(self) -> None:
        module, _, name = self.trainable.partition(":")
        if not module or not name:
            raise ValueError(f"a trainable is MODULE:NAME, not {self.trainable!r}")


@dataclass(frozen=True, slots=True)
class TrainSummary:
    """What a training job did.

    Attributes:
        trained: The bundle and what happened.
        content_id: The bundle's.
        ranks: How many trained.
    """

    trained: TrainedBundle
    content_id: str
    ranks: int

    @property
    def ok(self) -> bool:
        """Always: what can not be trained is an error."""
        return True

    def to_json(self) -> dict[str, object]:
        """For one line of JSON."""
        made = self.trained
        samples = made.samples * len(made.epochs)
        return {
            "bundle": str(made.path),
            "contentId": self.content_id,
            "rows": made.rows,
            "heldOutRows": made.held_out,
            "dataFingerprint": made.fingerprint,
            "ranks": self.ranks,
            "epochs": list(made.epochs),
            "bestEpoch": made.best + 1,
            "resumedSteps": made.resumed,
            "seconds": round(made.seconds, 3),
            "samplesPerSecond": round(samples / sum(each["seconds"] for each in made.epochs)),
        }


def train_job(spark: SparkSession, job: TrainJob) -> TrainSummary:
    """Reads the table and trains.

    Raises:
        SealaneError: As `train`; INPUT_MISSING for a table that can not be read, ENGINE_UNAVAILABLE
            for a trainable that can not be found or is of another framework.
        JobFailed: Spark failed.
    """
    trainable = _found(job)
    with source_failures(job.source.place):
        rows = read_table(spark, job.source)
    made = train(rows, trainable, job.config)
    with read_bundle(made.path) as bundle:
        return TrainSummary(made, bundle.manifest.content_id, job.config.ranks)


def _found(job: TrainJob) -> Trainable:
    module, _, name = job.trainable.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise _unusable(job, str(error)) from error
    made = found if hasattr(found, "framework") else found()
    if getattr(made, "framework", None) != job.framework:
        raise _unusable(job, f"it is of {getattr(made, 'framework', type(made).__name__)}")
    return made


def _unusable(job: TrainJob, why: str) -> SealaneError:
    return SealaneError(
        ErrorCode.ENGINE_UNAVAILABLE, f"{job.trainable} is no trainable of {job.framework}: {why}"
    )
