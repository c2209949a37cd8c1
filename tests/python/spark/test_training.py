"""Models trained by ranks of a Spark job: into a verified bundle, or not at all."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from python.spark.crossed import rides, settings, weights

import sealane
from sealane.core import SealaneError
from sealane.features import Features, Impute, Lookup, Normalize
from sealane.spark.training import TorchTrainable, train

torch = pytest.importorskip("torch", reason="the environment of Spark 3.5 has no PyTorch")
from torch import nn  # noqa: E402


class Crossed(nn.Module):
    """Whether two numbers have one sign."""

    def __init__(self, width=16):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1))

    def logit(self, x):
        return self.layers(x)

    def forward(self, x):
        return torch.sigmoid(self.logit(x))


def crossed(module=None, **changes):
    made = module or (lambda _: Crossed())
    options = {"formats": ("onnx",), "output_names": ["same"]}
    given = {"module": made, "inputs": ["x"], "logits": "logit", "options": options}
    return TorchTrainable(**{**given, **changes})


def test_two_ranks_train_a_bundle(table, tmp_path, capfd):
    made = train(table, crossed(), settings(tmp_path, epochs=6, patience=None, progress=True))
    told = capfd.readouterr().err
    assert all(f"epoch {epoch} of 6: loss" in told for epoch in range(1, 7))
    assert made.rows + made.held_out == 6000
    assert len(made.epochs) == 6
    assert made.epochs[-1]["validationLoss"] < 0.25 < made.epochs[0]["validationLoss"]
    with sealane.open(made) as session:
        x = np.array([[0.7, 0.7], [0.7, -0.7], [-0.5, 0.5], [-0.5, -0.5]], np.float32)
        same = session.run({"x": x})["same"]
    assert (same.reshape(-1) > 0.5).tolist() == [True, False, False, True]
    lineage = sealane.inspect(made).manifest.lineage
    assert lineage["dataFingerprint"] == made.fingerprint
    assert (lineage["ranks"], lineage["seed"], lineage["rows"]) == (2, 0, made.rows)
    assert len(lineage["epochs"]) == 6


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_two_ranks_are_one_with_twice_the_batch(table, tmp_path, optimizer):
    found = {}
    for ranks in (1, 2):
        shared = tmp_path / f"{optimizer}-{ranks}"
        config = settings(
            tmp_path, ranks=ranks, batch_size=128 // ranks, lanes=2, shared=str(shared),
            optimizer=optimizer, overwrite=True, patience=None,
        )  # fmt: skip
        made = train(table, crossed(), config)
        found[ranks] = (made, weights(made))
    (one, first), (two, second) = found[1], found[2]
    assert one.fingerprint == two.fingerprint
    assert one.epochs[-1]["loss"] < one.epochs[0]["loss"]
    assert set(first) == set(second)
    assert max(np.abs(first[name] - second[name]).max() for name in first) < 1e-6
    losses = [[each["loss"] for each in made.epochs] for made in (one, two)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=1e-6)


def test_a_rank_that_always_fails_ends_the_run(table, tmp_path):
    class Broken(Crossed):
        def logit(self, x):
            raise ValueError("there is no such layer")

    started = time.monotonic()
    with pytest.raises(SealaneError) as caught:
        train(table, crossed(lambda _: Broken()), settings(tmp_path, ranks=1))
    assert caught.value.code == "ENGINE_RUN_FAILED"
    assert "there is no such layer" in caught.value.message
    assert time.monotonic() - started < 180
    assert not (tmp_path / "new" / "bundle").exists()


def test_a_run_goes_on_after_its_driver_is_gone(table, tmp_path):
    shared = str(tmp_path / "shared")
    short = settings(tmp_path, ranks=1, shared=shared, epochs=1, resume=True)
    first = train(table, crossed(), short)
    longer = settings(tmp_path, ranks=1, shared=shared, epochs=3, resume=True, overwrite=True)
    second = train(table.limit(0).union(table), crossed(), longer)
    assert (first.resumed, len(first.epochs)) == (0, 1)
    assert second.resumed > 0
    assert second.epochs[0] == first.epochs[0]
    whole = train(
        table,
        crossed(),
        settings(tmp_path, ranks=1, shared=str(tmp_path / "other"), overwrite=True),
    )
    assert [each["loss"] for each in second.epochs] == [each["loss"] for each in whole.epochs]
    with pytest.raises(SealaneError) as caught:
        train(table, crossed(), settings(tmp_path, ranks=1, shared=shared, overwrite=True))
    assert caught.value.code == "BUNDLE_EXISTS"
    changed = settings(tmp_path, ranks=1, shared=shared, overwrite=True, resume=True, lr=0.5)
    with pytest.raises(SealaneError) as caught:
        train(table, crossed(), changed)
    assert caught.value.code == "ARTIFACT_INVALID"


def test_raw_columns_and_missing_values(spark, tmp_path):
    df = rides(spark)

    class Lateness(nn.Module):
        def __init__(self, cities):
            super().__init__()
            self.city = nn.Embedding(cities, 4)
            self.head = nn.Linear(5, 1)

        def forward(self, numeric, city):
            return self.head(torch.cat([numeric, self.city(city)], 1))

    features = Features({"city": Lookup(), "km": Impute() | Normalize()})
    trainable = TorchTrainable(
        module=lambda fitted: Lateness(fitted.cardinalities["city"]),
        features=features,
        options={"formats": ("onnx",), "output_names": ["late"]},
    )
    made = train(df, trainable, settings(tmp_path, target="late", lr=0.1))
    with sealane.open(made) as session:
        rows = {"city": np.array(["Oslo", "Rome", ""]), "km": np.array([1.0, np.nan, 3.0])}
        found = session.run({k: v.astype(object) if k == "city" else v for k, v in rows.items()})
    assert (found["late"].reshape(-1) > 0).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("changes", "select", "code"),
    [
        ({"ranks": 64, "slot_seconds": 0.5}, "*", "ENGINE_UNAVAILABLE"),
        ({"target": "label"}, "*", "INPUT_MISSING"),
        ({}, "id", "INPUT_MISSING"),
        ({}, "x, if(id % 1000 = 1, null, y) as y", "INPUT_NULL"),
        ({}, "if(id = 4000, array(1d), x) as x, y", "INPUT_RAGGED"),
        ({}, "cast(x as string) as x, y", "INPUT_DTYPE"),
        ({"batch_size": 4000}, "*", "INPUT_SHAPE"),
        ({}, "array(double('NaN'), 1D) as x, y", "ENGINE_RUN_FAILED"),
    ],
)
@pytest.mark.parametrize("shared", [False, True])
def test_what_can_not_be_trained_is_refused_in_seconds(
    table, tmp_path, changes, select, code, shared
):
    folder = {"shared": str(tmp_path / "shared")} if shared else {}
    table.createOrReplaceTempView("crossed")
    df = table.sparkSession.sql(f"select {select} from crossed")
    started = time.monotonic()
    with pytest.raises(SealaneError) as caught:
        train(df, crossed(), settings(tmp_path, **changes, **folder))
    assert caught.value.code == code
    assert time.monotonic() - started < 90
    assert not (tmp_path / "new" / "bundle").exists()


def test_uneven_and_empty_partitions(table, tmp_path):
    uneven = table.where("id < 4000").repartitionByRange(5, "id").where("id > 1500")
    made = train(uneven, crossed(), settings(tmp_path))
    assert made.rows + made.held_out == 2499


def test_two_runs_at_once_take_ports_of_their_own(table, tmp_path):
    def run(number):
        folder = tmp_path / str(number)
        return train(table, crossed(), settings(folder, ranks=1, epochs=1, progress=True))

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, range(2))
    assert first.path != second.path
    assert [each["loss"] for each in first.epochs] == [each["loss"] for each in second.epochs]
