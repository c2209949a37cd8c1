"""Training on Spark, from a DataFrame to a verified bundle."""

from __future__ import annotations

import json
import os
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import TaskContext
from pyspark.sql import functions as f

from sealane.core import ErrorCode, SealaneError
from sealane.export.exporting import check_request, export
from sealane.features import Features, FittedFeatures
from sealane.spark.arrow import pa
from sealane.spark.job_failures import rank_failures
from sealane.spark.training.gang import RESULT, GangTask
from sealane.spark.training.gathering import to_arrow
from sealane.spark.training.preparation import Preparation
from sealane.spark.training.run_folder import RunFolder
from sealane.spark.training.slots import check_slots
from sealane.spark.training.telling import Progress, listening
from sealane.training.distributed.lanes import Lane, write_lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import DataFrame

    from sealane.spark.training.trainable import Prepared, Trainable
    from sealane.training.distributed.config import TrainConfig

EXAMPLE_ROWS = 256


@dataclass(frozen=True, slots=True)
class TrainedBundle(os.PathLike[str]):
    """A bundle that was trained, exported and verified; a path to ``sealane.open``.

    Attributes:
        path: Its folder.
        epochs: Per epoch ``loss``, ``validationLoss`` (None without validation) and ``seconds``.
        best: Index of the epoch whose weights it has.
        rows: Rows that were trained on, of which an epoch leaves out what is less than a step.
        samples: Rows that an epoch took, in whole steps.
        held_out: Rows that were held back.
        fingerprint: SHA-256 of all rows as they were laid down.
        resumed: Steps that an earlier attempt had done.
        seconds: From the first executor to the last.
    """

    path: Path
    epochs: tuple[dict[str, Any], ...]
    best: int
    rows: int
    samples: int
    held_out: int
    fingerprint: str
    resumed: int
    seconds: float

    def __fspath__(self) -> str:
        return str(self.path)


def train(df: DataFrame, trainable: Trainable, config: TrainConfig) -> TrainedBundle:
    """Trains a model on the rows of a DataFrame and exports it as a verified bundle.

    The rows never come to the driver, but for those that unfitted features are fitted on and a few
    examples. They are laid down once as Arrow files; each rank reads its own, shuffled anew in
    each epoch. All ranks take the same number of steps; rows that do not fill one are left out,
    others in each epoch. A rank or an executor that is lost makes Spark start all ranks again;
    with a shared folder they go on from the last checkpoint.

    Args:
        df: The rows; a batch DataFrame of a classic session.
        trainable: The model and what it reads.
        config: The run.

    Returns:
        The bundle and what happened. Its lineage has the fingerprint of the rows, the seed, the
        number of ranks and the losses of every epoch.

    Raises:
        SealaneError: INPUT_* for columns that can not be trained on, ENGINE_UNAVAILABLE when there
            is no room for all ranks, ENGINE_RUN_FAILED when ranks failed again and again or a loss
            is not finite, BUNDLE_EXISTS, ARTIFACT_INVALID for a run that can not be resumed,
            EXPORT_UNSUPPORTED or EXPORT_FAILED.
        JobFailed: Spark failed.
    """
    formats = trainable.options.get("formats", ("onnx", "savedmodel"))
    check_request(
        config.name, config.version, Path(config.path), formats, overwrite=config.overwrite
    )
    Path(config.path).absolute().parent.mkdir(parents=True, exist_ok=True)
    check_slots(df.sparkSession, config.ranks, config.slot_seconds)
    preparation, lanes = _rows(df, trainable, config)
    example = to_arrow(df.select(*preparation.columns).limit(EXAMPLE_ROWS))
    if not example.num_rows:
        raise SealaneError(ErrorCode.INPUT_SHAPE, "there are no rows to train on")
    names = tuple(preparation.model_inputs(example))
    prepared = trainable.prepare(preparation.features, names, config)
    started = time.perf_counter()
    report, weights = _run(df, trainable.framework, prepared, preparation, lanes, config)
    seconds = time.perf_counter() - started
    lineage = _lineage(config, report) | dict(trainable.options.get("lineage", {}))
    fixed: dict[str, Any] = {
        "version": config.version,
        "overwrite": config.overwrite,
        "seed": config.seed,
        "features": preparation.features,
        "lineage": lineage,
    }
    export(
        prepared.finish(weights),
        preparation.raw(example) if preparation.features else preparation.model_inputs(example),
        name=config.name,
        path=config.path,
        **{**trainable.options, **fixed},
    )
    return TrainedBundle(
        Path(config.path),
        tuple(report["epochs"]),
        report["best"],
        report["train"],
        report["steps"] * config.rows_per_step,
        report["validation"],
        report["fingerprint"],
        report["resumed"],
        seconds,
    )


def _rows(
    df: DataFrame, trainable: Trainable, config: TrainConfig
) -> tuple[Preparation, tuple[Lane, ...] | None]:
    """How rows are made ready; and where they lie, when all ranks can reach them."""
    inputs = () if trainable.features is not None else tuple(trainable.inputs)
    if not inputs and trainable.features is None:
        raise SealaneError(ErrorCode.INPUT_MISSING, "a trainable needs features or inputs")
    columns = inputs if trainable.features is None else _raw_columns(trainable.features)
    _check_columns(df, [*columns, config.target])
    folder = RunFolder(config, columns) if config.shared is not None else None
    found = folder.found() if folder is not None else None
    if found is not None:
        fitted, lanes = found
        return Preparation(fitted, inputs, config.target, config.loss), lanes
    fitted = _fitted(df, trainable.features, config)
    preparation = Preparation(fitted, inputs, config.target, config.loss)
    if folder is None:
        return preparation, None
    lanes = _laid_down(df, preparation, config, folder.rows())
    folder.keep(fitted, lanes)
    return preparation, lanes


def _raw_columns(features: Features | FittedFeatures) -> tuple[str, ...]:
    if isinstance(features, Features):
        return features.columns
    return tuple(spec.name for spec in features.input_signature)


def _fitted(
    df: DataFrame, features: Features | FittedFeatures | None, config: TrainConfig
) -> FittedFeatures | None:
    if not isinstance(features, Features):
        return features
    share = config.fit_rows / max(df.count(), 1)
    drawn = df.select(*features.columns)
    if share < 1:
        drawn = drawn.sample(min(1.0, 1.1 * share), config.seed).limit(config.fit_rows)
    return features.fit(to_arrow(drawn).to_pandas(date_as_object=False))


def _check_columns(df: DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in df.columns:
            raise SealaneError(
                ErrorCode.INPUT_MISSING,
                f"there is no column '{name}'; there are {', '.join(df.columns[:50])}",
                {"column": name},
            )


@dataclass(frozen=True, slots=True)
class _LaneTask:
    """Lays a partition down as the lane of its number. Picklable."""

    preparation: Preparation
    config: TrainConfig
    folder: Path

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        context = TaskContext.get()
        assert context is not None
        made = (self.preparation.arrays(batch) for batch in batches)
        config, number = self.config, context.partitionId()
        told: dict[str, Any]
        try:
            told = write_lane(self.folder, number, made, config.validation, config.seed).to_json()
        except SealaneError as error:
            told = {"error": [error.code, error.message, error.details]}
        yield pa.RecordBatch.from_arrays([pa.array([json.dumps(told)])], names=["told"])


def _laid_down(
    df: DataFrame, preparation: Preparation, config: TrainConfig, folder: Path
) -> tuple[Lane, ...]:
    task: Any = _LaneTask(preparation, config, folder)
    chosen: Any = df.select(*preparation.columns).repartition(config.all_lanes)
    with rank_failures():
        rows = chosen.mapInArrow(task, "told string").collect()
    told = [json.loads(row[0]) for row in rows]
    for each in told:
        if "error" in each:
            code, message, details = each["error"]
            raise SealaneError(ErrorCode(code), message, details)
    return tuple(sorted((Lane(**each) for each in told), key=lambda lane: lane.number))


def _run(
    df: DataFrame,
    framework: str,
    prepared: Prepared,
    preparation: Preparation,
    lanes: tuple[Lane, ...] | None,
    config: TrainConfig,
) -> tuple[dict[str, Any], bytes]:
    """The report and the weights of rank 0."""
    spark = df.sparkSession
    source: Any
    if lanes is None:
        source = df.select(*preparation.columns).repartition(config.ranks)
    else:
        source = spark.range(0, config.ranks, 1, config.ranks).select(f.col("id"))
    host = str(spark.conf.get("spark.driver.host", "localhost"))
    bind = str(spark.conf.get("spark.driver.bindAddress", host))
    heard = listening(host, bind, Progress().hear) if config.progress else nullcontext()
    with heard as door:
        task: Any = GangTask(framework, prepared.payload, config, preparation, lanes, door)
        # A barrier stage that ends in a result is never tried again; one before a shuffle is.
        gang = source.mapInArrow(task, RESULT, barrier=True).repartition(1)
        with rank_failures():
            rows = gang.collect()
    errors = [json.loads(row.payload) for row in rows if row.kind == "error"]
    if errors:
        error = errors[0]
        raise SealaneError(ErrorCode(error["code"]), error["message"], error["details"])
    reports = {row["rank"]: json.loads(row.payload) for row in rows if row.kind == "report"}
    return reports[0], b"".join(bytes(row.payload) for row in rows if row.kind == "weights")


def _lineage(config: TrainConfig, report: dict[str, Any]) -> dict[str, object]:
    return {
        "rows": report["train"],
        "heldOutRows": report["validation"],
        "dataFingerprint": report["fingerprint"],
        "ranks": config.ranks,
        "lanes": config.all_lanes,
        "rowsPerStep": config.rows_per_step,
        "optimizer": config.optimizer,
        "lr": config.lr,
        "loss": config.loss,
        "epochs": report["epochs"],
        "bestEpoch": report["best"] + 1,
    }
