"""Training on Spark, from a DataFrame to a verified bundle."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as f

from sealane.core import SealaneError
from sealane.spark.job_failures import rank_failures
from sealane.spark.training.dl4j_trainable import Dl4jTrainable
from sealane.spark.training.gang import RESULT, GangTask
from sealane.spark.training.laying import lay_down
from sealane.spark.training.run_folder import checkpoints_folder
from sealane.spark.training.slots import check_slots
from sealane.spark.training.telling import Progress, listening
from sealane.spark.training.tracking import tracking
from sealane.spark.training.trained_model import check_export, into_bundle

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from sealane.spark.training.laying import Laid
    from sealane.spark.training.telling import Door
    from sealane.spark.training.tracking import Tracked
    from sealane.spark.training.trainable import Prepared, Trainable
    from sealane.spark.training.trained_bundle import TrainedBundle
    from sealane.training.distributed.config import TrainConfig


def train(
    df: DataFrame, trainable: Trainable | Dl4jTrainable, config: TrainConfig
) -> TrainedBundle:
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
    with tracking(config) as tracked:
        if isinstance(trainable, Dl4jTrainable):
            from sealane.spark.training.dl4j_training import train_dl4j

            made = train_dl4j(df, trainable, config)
        else:
            made = _train(df, trainable, config, tracked)
        tracked.end(made)
    return made


def _train(
    df: DataFrame, trainable: Trainable, config: TrainConfig, tracked: Tracked
) -> TrainedBundle:
    check_export(trainable, config)
    check_slots(df.sparkSession, config.ranks, config.slot_seconds)
    laid = lay_down(df, trainable, config)
    prepared = trainable.prepare(laid.preparation.features, laid.names, config)
    started = time.perf_counter()
    report, weights = _run(df, trainable.framework, prepared, laid, config, tracked)
    seconds = time.perf_counter() - started
    return into_bundle(trainable, prepared.finish(weights), laid, config, report, seconds)


def _run(
    df: DataFrame,
    framework: str,
    prepared: Prepared,
    laid: Laid,
    config: TrainConfig,
    tracked: Tracked,
) -> tuple[dict[str, Any], bytes]:
    """The report and the weights of rank 0."""
    spark = df.sparkSession
    source: Any
    if laid.lanes is None:
        source = df.select(*laid.preparation.columns).repartition(config.ranks)
    else:
        source = spark.range(0, config.ranks, 1, config.ranks).select(f.col("id"))
    kept = None if config.shared is None else checkpoints_folder(Path(config.shared))
    with _heard(spark, config, tracked) as door:
        task: Any = GangTask(
            framework, prepared.payload, config, laid.preparation, laid.lanes, kept, door
        )
        # A barrier stage that ends in a result is never tried again; one before a shuffle is.
        gang = source.mapInArrow(task, RESULT, barrier=True).repartition(1)
        with rank_failures():
            rows = gang.collect()
    errors = [json.loads(row.payload) for row in rows if row.kind == "error"]
    if errors:
        raise SealaneError.of(errors[0])
    reports = {row["rank"]: json.loads(row.payload) for row in rows if row.kind == "report"}
    return reports[0], b"".join(bytes(row.payload) for row in rows if row.kind == "weights")


def _heard(
    spark: SparkSession, config: TrainConfig, tracked: Tracked
) -> AbstractContextManager[Door | None]:
    """Where ranks tell how far they are, if anyone wants to know."""
    listeners = [tracked.hear] if tracked.wants_epochs else []
    listeners += [Progress().hear] if config.progress else []
    if not listeners:
        return nullcontext()

    def hear(message: dict[str, Any]) -> None:
        for each in listeners:
            each(message)

    host = str(spark.conf.get("spark.driver.host", "localhost"))
    bind = str(spark.conf.get("spark.driver.bindAddress", host))
    return listening(host, bind, hear)
