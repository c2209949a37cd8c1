"""Every framework's fit: learns, repeats itself for a seed, stops early, keeps the best."""

from __future__ import annotations

import os
from importlib import import_module

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import pytest

from sealane.core import ErrorCode, SealaneError
from sealane.training import keras as keras_training
from sealane.training import torch as torch_training
from sealane.training.history import Epoch, History

FRAMEWORKS = ["torch", "keras"]
EVERY = [*FRAMEWORKS, "tf_keras"]


def table(rows=2000):
    rng = np.random.default_rng(5)
    numeric = rng.normal(size=(rows, 3)).astype(np.float32)
    city = rng.integers(0, 4, rows)
    odds = 2 * numeric[:, 0] - numeric[:, 1] + np.array([-2, 0, 1, 3])[city]
    late = (odds + rng.logistic(size=rows) > 0).astype(np.float32)
    return {"numeric": numeric, "city": city}, late


def torch_model():
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.city = nn.Embedding(4, 3)
            self.body = nn.Sequential(
                nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1)
            )

        def logit(self, numeric, *categories):
            return self.body(torch.cat([numeric, self.city(categories[0])], 1)).squeeze(1)

        def forward(self, numeric, city):
            return torch.sigmoid(self.logit(numeric, city))

    torch.manual_seed(1)
    return Model()


def keras_model(keras):
    keras.utils.set_random_seed(1)
    numeric, city = keras.Input((3,), name="numeric"), keras.Input((), dtype="int64", name="city")
    x = keras.layers.Concatenate()([numeric, keras.layers.Embedding(4, 3)(city)])
    x = keras.layers.BatchNormalization()(keras.layers.Dense(16)(x))
    x = keras.layers.Dropout(0.2)(keras.layers.ReLU()(x))
    x = keras.layers.Dense(1, activation="sigmoid")(x)
    return keras.Model({"numeric": numeric, "city": city}, keras.layers.Reshape(())(x))


def fit(framework, features, target, **options):
    """A fresh model, trained, with its history and a function that predicts."""
    options = {"epochs": 8, "batch_size": 100, "lr": 0.01, "progress": False, **options}
    if framework != "torch":
        model = keras_model(import_module(framework))
        history = keras_training.fit(model, features, target, **options)
        return model.get_weights(), history, lambda x: model.predict(x, verbose=0)
    import torch

    model = torch_model()
    history = torch_training.fit(model, features, target, logits=model.logit, **options)

    def predict(x):
        with torch.inference_mode():
            return model(**{name: torch.from_numpy(values) for name, values in x.items()}).numpy()

    assert not model.training
    return [value.numpy().copy() for value in model.state_dict().values()], history, predict


@pytest.mark.parametrize("framework", EVERY)
def test_it_learns_and_repeats_itself(framework):
    features, late = table()
    weights, history, predict = fit(framework, features, late, seed=3)
    again, history_again, _ = fit(framework, features, late, seed=3)
    for left, right in zip(weights, again, strict=True):
        np.testing.assert_array_equal(left, right)
    losses = [(epoch.loss, epoch.validation_loss) for epoch in history.epochs]
    assert losses == [(epoch.loss, epoch.validation_loss) for epoch in history_again.epochs]
    other, _, _ = fit(framework, features, late, seed=4)
    assert any(not np.array_equal(a, b) for a, b in zip(weights, other, strict=True))
    assert history.rows == 1800
    assert history.epochs[-1].loss < history.epochs[0].loss
    assert np.mean((predict(features) > 0.5) == late) > 0.8
    assert "rows/s" in str(history)


@pytest.mark.parametrize("framework", EVERY)
def test_it_stops_early_and_keeps_the_best(framework):
    features, late = table(400)
    noise = np.random.default_rng(0).integers(0, 2, 400).astype(np.float32)
    _, history, predict = fit(
        framework, features, late, epochs=40, lr=0.05, patience=2, validation=(features, noise)
    )
    losses = [epoch.validation_loss for epoch in history.epochs]
    assert history.stopped_early
    assert len(losses) < 40
    assert history.best == int(np.argmin(losses)) == len(losses) - 3
    made = predict(features)
    loss = -np.mean(np.where(noise == 1, np.log(made), np.log(1 - made)))
    assert loss == pytest.approx(losses[history.best], rel=1e-4)


@pytest.mark.parametrize("framework", EVERY)
def test_without_validation_it_keeps_the_last(framework):
    features, late = table(200)
    _, history, _ = fit(framework, features, late, epochs=3, validation=None)
    assert [epoch.validation_loss for epoch in history.epochs] == [None] * 3
    assert (history.best, history.rows, history.stopped_early) == (2, 200, False)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"target": np.zeros(3)}, "INPUT_RAGGED"),
        ({"target": np.full(200, np.nan)}, "INPUT_DOMAIN"),
        ({"target": np.array(["a"] * 200)}, "INPUT_DOMAIN"),
        ({"features": {}, "target": np.zeros(0)}, "INPUT_SHAPE"),
        ({"validation": 0.001}, "INPUT_DOMAIN"),
        ({"validation": 1.0}, "INPUT_DOMAIN"),
        ({"epochs": 0}, "INPUT_DOMAIN"),
        ({"batch_size": 0}, "INPUT_DOMAIN"),
        ({"lr": float("nan")}, "INPUT_DOMAIN"),
        ({"patience": 0}, "INPUT_DOMAIN"),
        ({"nan": True}, "ENGINE_RUN_FAILED"),
    ],
    ids=str,
)
def test_what_can_not_be_trained_on_is_refused(framework, change, code):
    features, late = table(200)
    change = dict(change)
    if change.pop("nan", False):
        features["numeric"][7, 1] = np.nan
    with pytest.raises(SealaneError) as caught:
        fit(
            framework, change.pop("features", features), change.pop("target", late),
            **{"epochs": 1, **change},
        )  # fmt: skip
    assert caught.value.code is ErrorCode(code)


def test_keras_takes_no_other_model():
    with pytest.raises(SealaneError, match="no Keras model") as caught:
        keras_training.fit(torch_model(), *table(20), progress=False)
    assert caught.value.code is ErrorCode.INPUT_DTYPE


def test_torch_names_features_that_the_module_does_not_take():
    features, late = table(200)
    with pytest.raises(SealaneError, match="features extra") as caught:
        torch_training.fit(
            torch_model(), {**features, "extra": features["city"]}, late, progress=False
        )
    assert caught.value.code is ErrorCode.INPUT_UNKNOWN


def test_torch_leaves_random_state_and_threads_as_they_were():
    import torch

    features, late = table(200)
    torch.manual_seed(11)
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    model = torch_model()
    torch.random.set_rng_state(state)
    torch_training.fit(
        model, features, late, logits=model.logit, epochs=1, threads=2, progress=False
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("loss", "kind"), [("squared", "f"), ("categories", "i")])
def test_other_losses(loss, kind):
    import torch
    from torch import nn

    features, late = table(400)
    torch.manual_seed(0)
    model = nn.Linear(3, 1 if kind == "f" else 2)
    target = late if kind == "f" else late.astype(np.int64)
    history = torch_training.fit(
        model, {"input": features["numeric"]}, target, loss=loss, epochs=4, lr=0.02, progress=False
    )
    assert history.epochs[-1].validation_loss < history.epochs[0].validation_loss


def test_history_counts():
    history = History((Epoch(0.5, 0.4, 2.0), Epoch(0.3, 0.6, 2.0)), 0, 100, stopped_early=False)
    assert (history.seconds, history.rows_per_second) == (4.0, 50.0)
    assert str(history) == "2 epochs of 100 rows in 4.0 s (50 rows/s); epoch 1 kept, loss 0.4000"


def test_progress_is_shown(capsys):
    features, late = table(200)
    fit("torch", features, late, epochs=1, progress=True)
    assert "epoch 1/1, loss" in capsys.readouterr().out
