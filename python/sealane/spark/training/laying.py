"""Rows of a DataFrame laid down for training, and the features fitted on a sample of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark import TaskContext

from sealane.core import ErrorCode, SealaneError
from sealane.features import Features, FittedFeatures
from sealane.spark.arrow import pa
from sealane.spark.job_failures import rank_failures
from sealane.spark.training.gathering import to_arrow
from sealane.spark.training.preparation import Preparation
from sealane.spark.training.run_folder import RunFolder
from sealane.training.distributed.lanes import Lane, write_lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame

    from sealane.spark.training.trainable import Trainable
    from sealane.training.distributed.config import TrainConfig

EXAMPLE_ROWS = 256


@dataclass(frozen=True, slots=True)
class Laid:
    """Rows that are ready to be trained on.

    Attributes:
        preparation: How features and target are made of columns.
        lanes: Where they lie, when all ranks can reach them; None when each task lays down its own.
        examples: Some, in the form that `export` takes.
        names: Of the features that the model gets.
    """

    preparation: Preparation
    lanes: tuple[Lane, ...] | None
    examples: Any
    names: tuple[str, ...]


def lay_down(df: DataFrame, trainable: Trainable, config: TrainConfig) -> Laid:
    """Lays the rows down where all ranks reach them, or says how each task does it.

    Raises:
        SealaneError: INPUT_* for columns that can not be trained on; BUNDLE_EXISTS or
            ARTIFACT_INVALID for a run that can not be resumed.
    """
    preparation, lanes = _rows(df, trainable, config)
    example = to_arrow(df.select(*preparation.columns).limit(EXAMPLE_ROWS))
    if not example.num_rows:
        raise SealaneError(ErrorCode.INPUT_SHAPE, "there are no rows to train on")
    inputs = preparation.model_inputs(example)
    examples = preparation.raw(example) if preparation.features else inputs
    return Laid(preparation, lanes, examples, tuple(inputs))


def _rows(
    df: DataFrame, trainable: Trainable, config: TrainConfig
) -> tuple[Preparation, tuple[Lane, ...] | None]:
    """How rows are made ready; and where they lie, when all ranks can reach them."""
    inputs = () if trainable.features is not None else tuple(trainable.inputs)
    if not inputs and trainable.features is None:
        raise SealaneError(ErrorCode.INPUT_MISSING, "a trainable needs features or inputs")
    columns = inputs if trainable.features is None else raw_columns(trainable.features)
    check_columns(df, [*columns, config.target])
    folder = RunFolder(config, columns) if config.shared is not None else None
    found = folder.found() if folder is not None else None
    if found is not None:
        fitted, lanes = found
        return Preparation(fitted, inputs, config.target, config.loss), lanes
    fitted = fit(df, trainable.features, config, to_arrow)
    preparation = Preparation(fitted, inputs, config.target, config.loss)
    if folder is None:
        return preparation, None
    lanes = _laid_down(df, preparation, config, folder.rows())
    folder.keep(fitted, lanes)
    return preparation, lanes


def raw_columns(features: Features | FittedFeatures) -> tuple[str, ...]:
    """The columns that transforms read."""
    if isinstance(features, Features):
        return features.columns
    return tuple(spec.name for spec in features.input_signature)


def fit(
    df: DataFrame,
    features: Features | FittedFeatures | None,
    config: TrainConfig,
    gather: Callable[[DataFrame], Any],
) -> FittedFeatures | None:
    """Fits features on a sample of the rows, if they are not fitted yet.

    Args:
        df: The rows.
        features: To be fitted, fitted, or None.
        config: The run, which says how many rows.
        gather: Brings the sample to the driver, as an Arrow table.
    """
    if not isinstance(features, Features):
        return features
    share = config.fit_rows / max(df.count(), 1)
    drawn = df.select(*features.columns)
    if share < 1:
        drawn = drawn.sample(min(1.0, 1.1 * share), config.seed).limit(config.fit_rows)
    return features.fit(gather(drawn).to_pandas(date_as_object=False))


def check_columns(df: DataFrame, names: Sequence[str]) -> None:
    """Refuses a DataFrame that lacks columns.

    Raises:
        SealaneError: INPUT_MISSING.
    """
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
            told = {"error": error.fields}
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
            raise SealaneError.of(each["error"])
    return tuple(sorted((Lane(**each) for each in told), key=lambda lane: lane.number))
