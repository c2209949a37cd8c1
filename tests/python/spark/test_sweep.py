"""A search over settings, its pruning, and MLflow's account of a run."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pyspark.sql import functions as f

import sealane
from sealane.core import SealaneError
from sealane.spark.training import Between, TorchTrainable, TrainConfig, sweep, train
from sealane.spark.training.space import choices, epochs_of_rounds

torch = pytest.importorskip("torch", reason="the environment of Spark 3.5 has no PyTorch")
from torch import nn  # noqa: E402

OPTIONS = {"formats": ("onnx",), "output_names": ["same"]}


@pytest.fixture(scope="module")
def table(spark):
    x = f.array(f.rand(1) * 2 - 1, f.rand(2) * 2 - 1)
    df = spark.range(0, 3000, 1, 2).select(x.alias("x"))
    return df.withColumn("y", (f.col("x")[0] * f.col("x")[1] > 0).cast("int")).cache()


def crossed(parameters):
    width = parameters.get("width", 8)
    layers = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1))
    torch.manual_seed(3)
    for each in layers:
        if hasattr(each, "reset_parameters"):
            each.reset_parameters()
    return TorchTrainable(module=layers, inputs=["input"], options=OPTIONS)


def settings(folder, **changes):
    given = {
        "name": "crossed", "path": str(folder / "bundle"), "target": "y", "batch_size": 64,
        "ranks": 1, "epochs": 3, "progress": False, "shared": str(folder / "shared"),
    }  # fmt: skip
    return TrainConfig(**{**given, **changes})


def test_the_best_trial_goes_on_and_the_others_are_pruned(table, tmp_path):
    rows = table.withColumnRenamed("x", "input")
    space = {"lr": [1e-4, 3e-2], "width": [4, 16]}
    found = sweep(rows, crossed, settings(tmp_path), space, trials=4, keep=0.5)
    assert [dict(each.parameters) for each in found.trials] == [
        {"lr": lr, "width": width} for lr in space["lr"] for width in space["width"]
    ]
    assert found.trial.parameters["lr"] == 3e-2
    assert found.trial.score == min(each.score for each in found.trials if each.score is not None)
    assert len(found.trial.epochs) == 3
    assert not found.trial.pruned
    slow = [each for each in found.trials if each.parameters["lr"] == 1e-4]
    assert [(each.pruned, len(each.epochs)) for each in slow] == [(True, 1), (True, 1)]
    lineage = sealane.inspect(found.best).manifest.lineage
    assert (lineage["trial"], lineage["trials"]) == (dict(found.trial.parameters), 4)
    alone = settings(
        tmp_path, shared=str(tmp_path / "alone"), lr=3e-2, overwrite=True, patience=None
    )
    again = train(rows, crossed(found.trial.parameters), alone)
    assert [each["loss"] for each in again.epochs] == [each["loss"] for each in found.trial.epochs]
    with sealane.open(again) as session:
        x = np.array([[0.9, 0.9], [0.9, -0.9]], np.float32)
        assert session.run({"input": x})["same"][0] > session.run({"input": x})["same"][1]


def test_a_space_is_tried_whole_or_drawn_by_the_seed():
    assert len(choices({"a": [1, 2], "b": "xyz"}, 6, 0)) == 6
    space = {"a": Between(1e-5, 1, log=True), "b": Between(-1, 1), "c": [1, 2, 3]}
    drawn = choices(space, 400, 5)
    assert drawn == choices(space, 400, 5) != choices(space, 400, 6)
    assert all(1e-5 <= each["a"] <= 1 and -1 <= each["b"] <= 1 for each in drawn)
    assert 140 < sum(each["a"] < 1e-3 for each in drawn) < 260
    assert {each["c"] for each in drawn} == {1, 2, 3}
    assert epochs_of_rounds(9, 1, 1 / 3) == [1, 3, 9]
    assert epochs_of_rounds(5, 2, 0.9) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ({"ranks": 2}, {}),
        ({"shared": None}, {}),
        ({"validation": 0.0}, {}),
        ({}, {"trials": 0}),
        ({}, {"keep": 1.0}),
        ({}, {"first_epochs": 4}),
        ({"loss": "squared"}, {"metric": "validationAuc"}),
        ({}, {"space": {}}),
        ({}, {"space": {"lr": []}}),
        ({}, {"space": {"loss": ["binary", "squared"]}}),
    ],
)
def test_a_search_that_can_not_be_done(table, tmp_path, changes, given):
    space = given.pop("space", {"lr": [0.1]})
    with pytest.raises(SealaneError) as caught:
        sweep(table, crossed, settings(tmp_path, **changes), space, **given)
    assert caught.value.code == "INPUT_DOMAIN"
    with pytest.raises(SealaneError):
        Between(1, 1)
    with pytest.raises(SealaneError):
        Between(0, 1, log=True)


def test_every_trial_may_fail(table, tmp_path):
    rows = table.select(f.array(f.lit(float("nan")), f.lit(1.0)).alias("input"), "y")
    with pytest.raises(SealaneError) as caught:
        sweep(rows, crossed, settings(tmp_path), {"lr": [0.1]})
    assert caught.value.code == "ENGINE_RUN_FAILED"
    assert "every trial failed" in caught.value.message


@pytest.mark.filterwarnings("ignore::DeprecationWarning:sqlalchemy")
@pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")  # MLflow's store
def test_mlflow_hears_of_each_epoch(table, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="the environment of Spark 3.5 has no MLflow")
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    client = mlflow.MlflowClient(store)
    rows = table.withColumnRenamed("x", "input")
    made = train(rows, crossed({}), settings(tmp_path, shared=None, mlflow="crossed"))
    experiment = client.get_experiment_by_name("crossed").experiment_id
    [run] = client.search_runs([experiment])
    assert run.info.status == "FINISHED"
    assert run.data.params["lr"] == "0.001"
    assert run.data.tags["sealane.dataFingerprint"] == made.fingerprint
    for name in ("loss", "validationLoss", "validationAuc"):
        told = [each.value for each in client.get_metric_history(run.info.run_id, name)]
        assert told == [each[name] for each in made.epochs]
    with pytest.raises(SealaneError):
        train(rows.drop("y"), crossed({}), settings(tmp_path, mlflow="crossed", overwrite=True))
    states = {each.info.status for each in client.search_runs([experiment])}
    assert states == {"FINISHED", "FAILED"}
    assert json.loads((made.path / "sealane.json").read_text())["lineage"]["ranks"] == 1
