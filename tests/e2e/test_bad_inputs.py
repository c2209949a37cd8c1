"""Bad inputs are refused with their code on every engine, and the session goes on."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

import sealane
from sealane.core import DType

CONFORMANCE = Path(__file__).parents[1] / "conformance"
TABLE = json.loads((CONFORMANCE / "bad_inputs.json").read_text("utf-8"))
SECONDS = 1.0


def made(value: dict) -> object:
    """A value of the table: an array, or nested lists."""
    if "rows" in value:
        return value["rows"]
    dtype, shape = DType(value["dtype"]), value["shape"]
    if "data" not in value:
        return np.broadcast_to(np.zeros((), dtype.numpy), shape)
    if dtype is DType.BYTES:
        packed = np.empty(len(value["data"]), object)
        packed[:] = value["data"]
        return packed.reshape(shape)
    data = [float(each) if isinstance(each, str) else each for each in value["data"]]
    return np.array(data, dtype.numpy).reshape(shape)


GOOD = {name: made(value) for name, value in TABLE["good"].items()}


@pytest.fixture(scope="module", params=["onnx", "jvm"])
def session(request):
    path = CONFORMANCE / "bundles/good" / TABLE["bundle"]
    with sealane.open(path, engine=request.param) as opened:
        yield opened


def passes(session) -> bool:
    found = session.run(GOOD)
    return all(found[f"{name}_out"].tolist() == array.tolist() for name, array in GOOD.items())


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_a_bad_input_is_refused_with_its_code(session, case):
    inputs = {name: value for name, value in GOOD.items() if name not in case.get("remove", ())}
    started = time.perf_counter()
    changed = {name: made(value) for name, value in case.get("change", {}).items()}
    with pytest.raises(sealane.SealaneError) as caught:
        session.run({**inputs, **changed}, case.get("outputs"))
    taken = time.perf_counter() - started
    error = caught.value
    assert error.code == case["code"], error.message
    assert error.details.get("input") == case.get("input", error.details.get("input"))
    assert error.details.get("row") == case.get("row", error.details.get("row"))
    assert taken < SECONDS
    assert passes(session)
