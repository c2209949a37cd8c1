"""Bundles measured on the rows of a DataFrame, against the same sums over NumPy arrays."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as f
from python.spark import echo

from sealane.core import SealaneError
from sealane.spark import evaluate
from sealane.training.distributed import ranking

CONFORMANCE = Path(__file__).parents[2] / "conformance"
RANKINGS = json.loads((CONFORMANCE / "spark/ranking.json").read_text())["cases"]


def given(bundles, name, *dims):
    spec = {"dtype": "FP32", "dims": ["batch", *dims]}
    signature = echo.signature_of(
        {"inputs": [spec | {"name": "x"}], "outputs": [spec | {"name": "out_x"}]}
        | {"symbols": {"batch": {"min": 1}}}
    )
    path = bundles / name
    return path if path.exists() else echo.echo(path, signature)


def pairs_in_order(scores, targets):
    """The AUC by its definition."""
    positive, negative = scores[targets == 1][:, None], scores[targets == 0][None, :]
    return ((positive > negative) + (positive == negative) / 2).mean()


@pytest.fixture(scope="module")
def rows():
    chance = np.random.default_rng(7)
    scores = chance.normal(size=900).astype(np.float32).round(2)
    return scores, (chance.normal(size=900) + scores > 0).astype(int)


def frame(spark, x, y):
    return spark.createDataFrame(
        [(each.tolist(), int(truth)) for each, truth in zip(x, y, strict=True)],
        "x array<float>, y int" if np.ndim(x) > 1 else "x float, y int",
    ).repartition(3)


@pytest.mark.parametrize("logits", [False, True])
def test_two_classes(spark, bundles, rows, logits):
    scores, targets = rows
    likely = 1 / (1 + np.exp(-scores.astype(np.float64)))
    x = scores if logits else likely.astype(np.float32)
    found = evaluate(frame(spark, x, targets), given(bundles, "number"), "y", from_logits=logits)
    assert (found.rows, found.unscored) == (900, 0)
    loss = -np.log(np.where(targets == 1, likely, 1 - likely)).mean()
    assert found.metrics["auc"] == pytest.approx(pairs_in_order(x, targets), abs=1e-12)
    assert found.metrics["logLoss"] == pytest.approx(loss, abs=1e-6)
    assert found.metrics["accuracy"] == ((scores > 0) == targets).mean()


@pytest.mark.parametrize("logits", [False, True])
def test_several_classes(spark, bundles, logits):
    chance = np.random.default_rng(8)
    x = chance.normal(size=(300, 4))
    likely = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    targets = chance.integers(4, size=300)
    df = frame(spark, (x if logits else likely).astype(np.float32), targets)
    bundle = given(bundles, "classes", 4)
    found = evaluate(df, bundle, "y", loss="categories", from_logits=logits)
    loss = -np.log(likely[np.arange(300), targets]).mean()
    assert found.metrics["logLoss"] == pytest.approx(loss, abs=1e-6)
    assert found.metrics["accuracy"] == (x.argmax(1) == targets).mean()
    with pytest.raises(SealaneError) as caught:
        evaluate(df.withColumn("y", f.lit(4)), bundle, "y", loss="categories")
    assert caught.value.code == "INPUT_DOMAIN"


def test_numbers_in_arrays_of_one(spark, bundles):
    df = spark.range(10).select(f.array(f.col("id").cast("float")).alias("x"), f.lit(4).alias("y"))
    found = evaluate(df, given(bundles, "one", 1), "y", loss="squared")
    assert found.metrics == {"meanSquaredError": 8.5, "meanAbsoluteError": 2.5}


def test_rows_that_can_not_be_measured(spark, bundles, rows):
    bundle = given(bundles, "number")
    df = frame(spark, *rows)
    bad = df.withColumn("x", f.when(f.rand(1) > 0.5, f.col("x")))
    found = evaluate(bad, bundle, "y", from_logits=True)
    assert found.rows + found.unscored == 900
    assert found.unscored == bad.where("x is null").count() > 0
    assert "auc" not in evaluate(df.where("y = 1"), bundle, "y").metrics
    for changed, target, code in [
        (df, "z", "INPUT_MISSING"),
        (df.withColumn("y", f.lit(None).cast("int")), "y", "INPUT_NULL"),
        (df.withColumn("x", f.lit(None).cast("float")), "y", "INPUT_SHAPE"),
        (df.withColumn("y", f.lit(2)), "y", "INPUT_DOMAIN"),
    ]:
        with pytest.raises(SealaneError) as caught:
            evaluate(changed, bundle, target)
        assert caught.value.code == code
    with pytest.raises(SealaneError) as caught:
        evaluate(df, bundle, "y", output="late")
    assert caught.value.code == "INPUT_UNKNOWN"


@pytest.mark.parametrize("vector", RANKINGS, ids=lambda vector: vector["why"])
def test_scores_are_told_apart_as_in_java(vector):
    scores, targets = (np.array(vector[name]) for name in ("scores", "targets"))
    assert ranking.area(ranking.counts(scores, targets)) == vector["area"]


def test_an_area_out_of_the_counts_of_parts(rows):
    scores, targets = rows
    parts = [slice(0, 100), slice(100, 101), slice(101, 900)]
    counted = sum(ranking.counts(scores[part], targets[part]) for part in parts)
    assert counted.sum() == 900
    assert ranking.area(counted) == pytest.approx(pairs_in_order(scores, targets), abs=1e-5)
    ends = np.array([-math.inf, -1e30, -1e-30, 0, 1e-30, 1e30, math.inf], np.float32)
    assert ranking.area(ranking.counts(ends, np.array([0, 0, 0, 0, 1, 1, 1]))) == 1
    assert ranking.area(ranking.counts(-ends, np.array([0, 0, 0, 1, 1, 1, 1]))) == 0
    assert ranking.area(ranking.counts(ends, np.ones(7))) is None
