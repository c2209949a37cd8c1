"""JAX models trained by ranks of a Spark job: into a verified bundle, or not at all."""

from __future__ import annotations

import os
import signal
from functools import partial

import numpy as np
import pytest
from python.spark import crossed as shared
from python.spark.crossed import rides, weights

import sealane
from sealane.core import SealaneError
from sealane.features import Features, Impute, Lookup, Normalize
from sealane.jax import JaxModel
from sealane.spark.training import JaxTrainable, train
from sealane.spark.training.gang import steps_of
from sealane.training.distributed import loop
from sealane.training.distributed.lanes import write_lane
from sealane.training.distributed.reading import RankRows

jax = pytest.importorskip("jax", reason="the environment of Spark 3.5 has no JAX")
import jax.numpy as jnp  # noqa: E402
from flax import linen, nnx  # noqa: E402

from sealane.training.distributed.jax_rank import JaxLearner  # noqa: E402


class Crossed(nnx.Module):
    """Whether two numbers have one sign."""

    def __init__(self, rngs, width=16):
        self.first = nnx.Linear(2, width, rngs=rngs)
        self.last = nnx.Linear(width, 1, rngs=rngs)

    def logit(self, x):
        return self.last(jnp.tanh(self.first(x)))

    def __call__(self, x):
        return nnx.sigmoid(self.logit(x))


class Normalised(Crossed):
    """With running means and dropout."""

    def __init__(self, rngs):
        super().__init__(rngs)
        self.norm = nnx.BatchNorm(2, momentum=0.9, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)

    def logit(self, x):
        return super().logit(self.dropout(self.norm(x * 5 + 2)))


settings = partial(shared.settings, stall_seconds=60.0)


def crossed(module=None, **changes):
    made = module or (lambda _: Crossed(nnx.Rngs(0)))
    options = {"formats": ("onnx",), "output_names": ["same"]}
    given = {"module": made, "inputs": ["x"], "logits": "logit", "options": options}
    return JaxTrainable(**{**given, **changes})


def test_two_ranks_train_a_bundle(table, tmp_path, capfd):
    module = Crossed(nnx.Rngs(0))
    before = np.array(module.first.kernel[...])
    config = settings(tmp_path, epochs=6, patience=None, progress=True)
    made = train(table, crossed(module), config)
    told = capfd.readouterr().err
    assert all(f"epoch {epoch} of 6: loss" in told for epoch in range(1, 7))
    assert made.rows + made.held_out == 6000
    assert made.epochs[-1]["validationLoss"] < 0.25 < made.epochs[0]["validationLoss"]
    assert made.epochs[-1]["validationAuc"] > 0.95
    with sealane.open(made) as session:
        x = np.array([[0.7, 0.7], [0.7, -0.7], [-0.5, 0.5], [-0.5, -0.5]], np.float32)
        same = session.run({"x": x})["same"]
    assert (same.reshape(-1) > 0.5).tolist() == [True, False, False, True]
    lineage = sealane.inspect(made).manifest.lineage
    assert (lineage["ranks"], lineage["rows"]) == (2, made.rows)
    assert np.array_equal(before, module.first.kernel[...])


@pytest.mark.parametrize(
    ("optimizer", "module"), [("sgd", Crossed), ("adam", Crossed), ("adamw", Normalised)]
)
def test_two_ranks_are_one_with_twice_the_batch(table, tmp_path, optimizer, module):
    found = {}
    for ranks in (1, 2):
        shared = tmp_path / f"{optimizer}-{ranks}"
        config = settings(
            tmp_path, ranks=ranks, batch_size=128 // ranks, lanes=2, shared=str(shared),
            optimizer=optimizer, overwrite=True, patience=None, threads=1, weight_decay=1e-4,
        )  # fmt: skip
        made = train(table, crossed(lambda _: module(nnx.Rngs(0))), config)
        found[ranks] = (made, weights(made))
    (one, first), (two, second) = found[1], found[2]
    assert one.fingerprint == two.fingerprint
    assert one.epochs[-1]["loss"] < one.epochs[0]["loss"]
    assert set(first) == set(second)
    assert max(np.abs(first[name] - second[name]).max() for name in first) < 1e-6
    for key in ("loss", "validationLoss"):
        losses = [[each[key] for each in made.epochs] for made in (one, two)]
        np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=1e-6)


def test_a_function_with_its_parameters(table, tmp_path):
    class Net(linen.Module):
        @linen.compact
        def __call__(self, x, train=False):
            x = jnp.tanh(linen.Dense(16)(x))
            return linen.Dense(1)(linen.Dropout(0.05, deterministic=not train)(x))

    net = Net()

    def logits(variables, x, key):
        rngs = None if key is None else {"dropout": key}
        return net.apply(variables, x, train=key is not None, rngs=rngs)

    def model(_):
        return JaxModel(net.apply, net.init(jax.random.key(0), jnp.zeros((1, 2))))

    trainable = crossed(model, logits=logits)
    made = train(table, trainable, settings(tmp_path, epochs=5, patience=None))
    assert made.epochs[-1]["validationAuc"] > 0.9
    with sealane.open(made) as session:
        x = np.array([[0.7, 0.7], [0.7, -0.7]], np.float32)
        assert (session.run({"x": x})["same"].reshape(-1) > 0).tolist() == [True, False]


def test_raw_columns_and_a_loss_of_ones_own(spark, tmp_path):
    df = rides(spark)

    class Lateness(nnx.Module):
        def __init__(self, cities):
            rngs = nnx.Rngs(0)
            self.city = nnx.Embed(cities, 4, rngs=rngs)
            self.head = nnx.Linear(5, 1, rngs=rngs)

        def __call__(self, numeric, city):
            return self.head(jnp.concatenate([numeric, self.city(city)], 1))

    trainable = JaxTrainable(
        module=lambda fitted: Lateness(fitted.cardinalities["city"]),
        features=Features({"city": Lookup(), "km": Impute() | Normalize()}),
        loss=lambda outputs, targets: jnp.abs(outputs - (2 * targets - 1)).mean(),
        options={"formats": ("onnx",), "output_names": ["late"]},
    )
    made = train(df, trainable, settings(tmp_path, target="late", lr=0.05, epochs=4))
    with sealane.open(made) as session:
        rows = {"city": np.array(["Oslo", "Rome", ""]), "km": np.array([1.0, np.nan, 3.0])}
        found = session.run({k: v.astype(object) if k == "city" else v for k, v in rows.items()})
    assert (found["late"].reshape(-1) > 0).tolist() == [True, False, False]


def test_several_outputs_of_a_row_have_no_auc(tmp_path):
    class Pair(nnx.Module):
        def __init__(self):
            self.last = nnx.Linear(2, 2, rngs=nnx.Rngs(0))

        def __call__(self, x):
            return self.last(x)

    def first_alone(outputs, targets):
        return jnp.square(outputs[:, 0] - targets).mean()

    x = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    lane = write_lane(tmp_path, 0, [({"x": x}, (x[:, 0] > 0).astype(np.float32))], 0.2, 0)
    config = settings(tmp_path, ranks=1, validation=0.2)
    steps = steps_of([lane], config)
    learner = JaxLearner(Pair(), None, first_alone, ["x"], config)
    rows = RankRows(tmp_path, config, 0, steps)
    place = loop.Place(0, steps, "run", None)
    epochs = loop.train(learner, rows, config, place, None, lambda _: None).epochs
    assert [each["validationAuc"] for each in epochs] == [None] * 3
    assert epochs[-1]["validationLoss"] < epochs[0]["validationLoss"]


def test_a_run_goes_on_after_its_driver_is_gone(table, tmp_path):
    shared = str(tmp_path / "shared")
    trainable = crossed(lambda _: Normalised(nnx.Rngs(0)))
    short = settings(tmp_path, ranks=1, shared=shared, epochs=1, resume=True)
    first = train(table, trainable, short)
    longer = settings(tmp_path, ranks=1, shared=shared, epochs=3, resume=True, overwrite=True)
    second = train(table.limit(0).union(table), trainable, longer)
    assert (first.resumed, len(first.epochs)) == (0, 1)
    assert second.resumed > 0
    other = settings(tmp_path, ranks=1, shared=str(tmp_path / "other"), overwrite=True)
    whole = train(table, trainable, other)
    for key in ("loss", "validationLoss"):
        assert [each[key] for each in second.epochs] == [each[key] for each in whole.epochs]


class Failing(Crossed):
    """Fails on one rank when it validates for the first time, unless a file is there."""

    def __init__(self, rank, act, marker):
        super().__init__(nnx.Rngs(0))
        self.deterministic = True
        self.rank, self.act, self.marker = rank, act, marker

    def logit(self, x):
        here = jax.process_count() > 1 and jax.process_index() == self.rank
        if self.deterministic and here and not self.marker.exists():
            self.marker.touch()
            if self.act == "raise":
                raise ValueError("the sensor is on fire")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().logit(x)


@pytest.fixture(scope="module")
def steady(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("steady")
    (folder / "marker").touch()
    config = settings(folder, epochs=2, shared=str(folder / "shared"))
    return train(table, crossed(lambda _: Failing(1, "kill", folder / "marker")), config)


@pytest.mark.parametrize(("rank", "act"), [(1, "raise"), (0, "kill")])
def test_a_rank_that_is_lost_once_goes_on_with_the_same_losses(table, tmp_path, steady, rank, act):
    config = settings(tmp_path, epochs=2, shared=str(tmp_path / "shared"), checkpoint_steps=20)
    made = train(table, crossed(lambda _: Failing(rank, act, tmp_path / "marker")), config)
    assert (tmp_path / "marker").exists()
    assert (steady.resumed, made.resumed) == (0, 40)
    losses = [[each["loss"] for each in bundle.epochs] for bundle in (steady, made)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "select", "code"),
    [
        ({}, "array(double('NaN'), 1D) as x, y", "ENGINE_RUN_FAILED"),
        ({"inputs": ["z"]}, "x as z, y", "INPUT_UNKNOWN"),
        ({"module": lambda _: None}, "*", "INPUT_DTYPE"),
        ({"module": JaxModel(lambda p, x: x, {"params": {}, "batch_stats": {}}),
          "logits": None}, "*", "INPUT_DTYPE"),
    ],
)  # fmt: skip
def test_what_can_not_be_trained_is_refused(table, tmp_path, changes, select, code):
    table.createOrReplaceTempView("crossed")
    df = table.sparkSession.sql(f"select {select} from crossed")
    with pytest.raises(SealaneError) as caught:
        train(df, crossed(**changes), settings(tmp_path))
    assert caught.value.code == code
    assert not (tmp_path / "new" / "bundle").exists()
