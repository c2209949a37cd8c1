"""Raw columns, strings and nulls included, in front of a model in every variant."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from python.export.zoo import rows
from torch import nn

from sealane.bundle import Verdict, read_bundle
from sealane.core import DType
from sealane.export import export
from sealane.features import Bucketize, Features, Impute, Log1p, Lookup, Normalize


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(4)
    count = 60
    return {
        "carrier": random.choice(np.array(["UA", "AA", "B6", "Ünïted", None], object), count),
        "distance": np.abs(rows(count)) * 800 + 100,
        "delay": np.where(random.random(count) < 0.2, np.nan, rows(count) * 20),
    }


@pytest.fixture(scope="module")
def fitted(table):
    return Features(
        {
            "carrier": Lookup(),
            "distance": Log1p() | Normalize(),
            "delay": Impute("median") | Bucketize([-10.0, 0.0, 15.0]),
        }
    ).fit(table)


class Torch(nn.Module):
    def __init__(self, cardinalities):
        super().__init__()
        self.carrier = nn.Embedding(cardinalities["carrier"], 4)
        self.delay = nn.Embedding(cardinalities["delay"], 3)
        self.head = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, numeric, carrier, delay):
        joined = torch.cat([numeric, self.carrier(carrier), self.delay(delay)], 1)
        return {"probability": torch.sigmoid(self.head(joined))}


def keras_model(cardinalities):
    numeric = keras.Input((1,), name="numeric")
    carrier = keras.Input((), dtype="int64", name="carrier")
    delay = keras.Input((), dtype="int64", name="delay")
    embedded = [
        keras.layers.Embedding(cardinalities["carrier"], 4)(carrier),
        keras.layers.Embedding(cardinalities["delay"], 3)(delay),
    ]
    h = keras.layers.Concatenate()([numeric, *embedded])
    h = keras.layers.Dense(16, activation="relu")(h)
    output = keras.layers.Dense(1, activation="sigmoid")(h)
    return keras.Model(
        {"numeric": numeric, "carrier": carrier, "delay": delay}, {"probability": output}
    )


def test_torch_model_takes_raw_columns(table, fitted, tmp_path):
    torch.manual_seed(5)
    model = Torch(fitted.cardinalities)
    path = export(model, table, name="m", path=tmp_path / "m", features=fitted)
    check_raw_signature(path)


def test_keras_model_takes_raw_columns(table, fitted, tmp_path):
    keras.utils.set_random_seed(5)
    model = keras_model(fitted.cardinalities)
    path = export(model, table, name="m", path=tmp_path / "m", features=fitted)
    check_raw_signature(path)


def check_raw_signature(path):
    with read_bundle(path) as bundle:
        assert [spec.name for spec in bundle.signature.inputs] == ["carrier", "distance", "delay"]
        assert bundle.signature.inputs[0].dtype is DType.BYTES
        verdicts = {variant.id: variant.verdict for variant in bundle.manifest.variants}
        assert verdicts == {"onnx": Verdict.WITHIN_ORACLE, "savedmodel": Verdict.WITHIN_ORACLE}, (
            bundle.manifest.unavailable
        )
        seen = [case.inputs["carrier"].tolist() for case in bundle.golden]
        assert {"UA", "AA", "B6", "Ünïted", "", "never seen"} <= {v or "" for c in seen for v in c}
        assert any(np.isnan(case.inputs["delay"]).any() for case in bundle.golden)
        assert {"boundary", "coverage"} <= {case.purpose for case in bundle.golden}
