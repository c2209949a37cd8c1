"""Deeplearning4j as an engine of Python's: the second opinion on a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sealane
from sealane import ErrorCode, SealaneError

GOOD = Path(__file__).parents[2] / "conformance" / "bundles" / "good"
FEATURES = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize("name", ["network", "network-mlp"])
def test_a_network_answers_as_its_onnx_model_does(name):
    with sealane.open(GOOD / name) as onnx, sealane.open(GOOD / name, "jvm:dl4j") as network:
        assert network.engine == "jvm:dl4j"
        expected = onnx.run({"features": FEATURES})["scores"]
        found = network.run({"features": FEATURES})["scores"]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
        with pytest.raises(SealaneError) as refused:
            network.run({"features": FEATURES[:, :3]})
        assert refused.value.code is ErrorCode.INPUT_SHAPE


def test_verify_has_it_agree():
    rows = {row.runtime: row for row in sealane.Bundle(GOOD / "network").verify().rows}
    assert rows["jvm:dl4j"].ok is True
    assert rows["jvm:onnx"].ok is True
