"""How well a bundle does on the rows of a DataFrame, measured where the rows are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark import StorageLevel
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.sql import functions as f

from sealane.core import ErrorCode, SealaneError
from sealane.spark.job_failures import rank_failures
from sealane.spark.scoring import score
from sealane.spark.training.laying import check_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import Column, DataFrame

    from sealane.training.run import Loss

SMALLEST = 1e-15
"""A probability below it counts as it in a logarithm."""

_OUTPUT, _ERROR = "sealane_output", "sealane_output_error"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured.

    Attributes:
        rows: Rows that were scored.
        unscored: Rows that the bundle could not score, which are not measured.
        metrics: ``auc``, ``logLoss`` and ``accuracy`` for ``binary``; ``logLoss`` and ``accuracy``
            for ``categories``; ``meanSquaredError`` and ``meanAbsoluteError`` for ``squared``. The
            AUC is exact; it is left out where all rows are of one class.
    """

    rows: int
    unscored: int
    metrics: Mapping[str, float]


def evaluate(
    df: DataFrame,
    bundle: str | Path,
    target: str,
    *,
    loss: Loss = "binary",
    output: str | None = None,
    from_logits: bool = False,
    inputs: Mapping[str, str | Sequence[str]] | str | None = None,
    engine: str = "auto",
) -> Evaluation:
    """Scores the rows and measures the scores; no row comes to the driver.

    Args:
        df: The rows; a batch DataFrame.
        bundle: As :func:`sealane.spark.score` takes it.
        target: The column of truth: 0/1, class numbers, or numbers; never null.
        loss: What the model was trained for.
        output: The output that is judged; None for the only one.
        from_logits: Whether it gives logits, not probabilities.
        inputs: As `score` takes it.
        engine: As `score` takes it.

    Raises:
        SealaneError: As `score`; INPUT_MISSING without the target column, INPUT_NULL for a null in
            it, INPUT_DOMAIN for a class that there is not, INPUT_SHAPE when no row could be scored,
            INPUT_UNKNOWN when the output is not clear.
        JobFailed: Spark failed.
    """
    check_columns(df, [target])
    outputs = None if output is None else [output]
    scored = score(df, bundle, inputs=inputs, outputs=outputs, engine=engine, into=_OUTPUT)
    several: Any = scored.schema[_OUTPUT].dataType
    if several.typeName() == "struct":
        names = ", ".join(several.names)
        raise SealaneError(ErrorCode.INPUT_UNKNOWN, f"which output is judged? There are {names}.")
    truth = f.col(target).cast("double").alias("truth")
    kept = scored.select(truth, f.col(_OUTPUT).alias("given"), f.col(_ERROR).isNull().alias("good"))
    kept = kept.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        with rank_failures():
            return _measured(kept, target, loss, from_logits=from_logits)
    finally:
        kept.unpersist()


def _measured(kept: DataFrame, target: str, loss: Loss, *, from_logits: bool) -> Evaluation:
    wrong = f.count_if(f.col("good") & ~_possible(loss))
    nulls = f.count_if(f.col("truth").isNull())
    counted: Any = kept.select(f.count_if("good"), f.count_if(~f.col("good")), nulls, wrong)
    rows, unscored, nulls, impossible = map(int, counted.collect()[0])
    if nulls:
        raise SealaneError(
            ErrorCode.INPUT_NULL, f"the target '{target}' is null in {nulls} rows: filter them out"
        )
    if impossible:
        raise SealaneError(
            ErrorCode.INPUT_DOMAIN,
            f"the target '{target}' can not be what it is in {impossible} rows for loss '{loss}'",
        )
    if not rows:
        raise SealaneError(ErrorCode.INPUT_SHAPE, f"none of {unscored} rows could be scored")
    good = kept.where("good")
    made = {"binary": _binary, "categories": _categories, "squared": _squared}[loss]
    if loss != "categories":
        good = good.select("truth", _number(good).alias("given"))
    row = good.select(*(f.avg(each).alias(name) for name, each in made(from_logits).items()))
    metrics = {name: float(value) for name, value in row.collect()[0].asDict().items()}
    if loss == "binary" and 0 < metrics.pop("positives") < 1:
        judge: Any = BinaryClassificationEvaluator(
            rawPredictionCol="given", labelCol="truth", metricName="areaUnderROC", numBins=0
        )
        metrics = {"auc": judge.evaluate(good)} | metrics
    return Evaluation(rows, unscored, metrics)


def _possible(loss: Loss) -> Column:
    """Whether a row's truth is one that the loss knows."""
    truth = f.col("truth")
    if loss == "binary":
        return truth.between(0, 1)
    if loss == "squared":
        return ~f.isnan(truth)
    return (truth >= 0) & (truth < f.size("given")) & (truth == f.floor(truth))


def _number(good: DataFrame) -> Column:
    """The one number of each row, which may lie in an array of one."""
    given = f.col("given")
    kind: Any = good.schema["given"].dataType
    while kind.typeName() == "array":
        given, kind = given[0], kind.elementType
    # Spark ML takes 0 and -0 for two numbers; this makes one of them.
    return given.cast("double") + f.lit(0.0)


def _binary(from_logits: bool) -> dict[str, Column]:  # noqa: FBT001
    given, truth = f.col("given"), f.col("truth")
    if from_logits:
        loss = f.greatest(given, f.lit(0.0)) - given * truth + f.log1p(f.exp(-f.abs(given)))
        late = given > 0
    else:
        right = f.when(truth > 0.5, given).otherwise(1 - given)
        loss, late = -f.log(f.greatest(right, f.lit(SMALLEST))), given > 0.5
    positive = truth > 0.5
    accuracy = (late == positive).cast("double")
    return {"logLoss": loss, "accuracy": accuracy, "positives": positive.cast("double")}


def _categories(from_logits: bool) -> dict[str, Column]:  # noqa: FBT001
    given = f.transform("given", lambda each: each.cast("double"))
    truth = f.col("truth").cast("int")
    right = f.get(given, truth)
    top = f.array_max(given)
    if from_logits:
        total = f.aggregate(given, f.lit(0.0), lambda sum_, each: sum_ + f.exp(each - top))
        loss = top + f.log(total) - right
    else:
        loss = -f.log(f.greatest(right, f.lit(SMALLEST)))
    return {"logLoss": loss, "accuracy": (right == top).cast("double")}


def _squared(from_logits: bool) -> dict[str, Column]:  # noqa: FBT001
    del from_logits
    error = f.col("given") - f.col("truth")
    return {"meanSquaredError": error * error, "meanAbsoluteError": f.abs(error)}
