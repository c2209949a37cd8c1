"""Every dtype of the format, in and out, on every engine."""

from __future__ import annotations

import numpy as np
import pytest
from corpus.run import GOOD

import sealane
from sealane.bundle import read_bundle
from sealane.core import DType


@pytest.fixture(scope="module")
def case():
    """Extremes of each dtype."""
    with read_bundle(GOOD / "dtypes") as bundle:
        assert {spec.dtype for spec in bundle.signature.inputs} == set(DType)
        return bundle.golden[0]


BUNDLES = {
    "onnx": "dtypes",
    "jvm": "dtypes",
    "tensorflow": "savedmodel-dtypes",
    "jvm:tensorflow": "savedmodel-dtypes",
}


@pytest.mark.parametrize("engine", list(BUNDLES))
def test_extremes_of_each_dtype_come_back(engine, case, supported):
    with sealane.open(GOOD / BUNDLES[engine], engine=engine) as session:
        result = session.run(case.inputs)
        name, version = session.engine, ".".join(session.engine_version.split(".")[:2])
    held = [
        dtype.value
        for dtype in DType
        if same(result[f"out_{dtype.value}"], case.inputs[f"in_{dtype.value}"])
    ]
    assert held == [dtype.value for dtype in DType]
    supported.check("dtypes", name, {"version": version, "dtypes": held})


def same(found, given):
    if found.dtype != given.dtype or found.shape != given.shape:
        return False
    if found.dtype == object:
        return found.tolist() == given.tolist()
    return np.ascontiguousarray(found).tobytes() == given.tobytes()
