"""Bad inputs are refused with their code on every engine, and the session goes on."""

from __future__ import annotations

import json
import tempfile
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


PROMISED = {
    "wrong dtype": ("numbers for text", "INPUT_DTYPE"),
    "wrong shape": ("fixed dim too large", "INPUT_SHAPE"),
    "wrong name": ("a misspelt input", "INPUT_UNKNOWN"),
    "missing input": ("a missing input", "INPUT_MISSING"),
    "ragged rows": ("ragged numbers", "INPUT_RAGGED"),
    "NaN where the domain forbids it": ("NaN", "INPUT_NULL"),
    "a tensor of 2^62 elements": ("2^62 elements", "INPUT_TOO_LARGE"),
    "truncated bundle": ("files-truncated.json", "FILES_DIFFER"),
    "oversized bundle": ("limit-huge-file.json", "LIMIT_EXCEEDED"),
    "tampered bundle": ("files-changed.json", "FILES_DIFFER"),
    "zip-slip bundle": ("path-climbs-out.json", "PATH_UNSAFE"),
    "external data pointing outside": ("external-climbs-out.json", "ARTIFACT_UNSAFE"),
    "a shape of 2^62 elements": ("manifest-huge-shape.json", "LIMIT_EXCEEDED"),
    "100,000-deep JSON": ("manifest-deep.json", "LIMIT_EXCEEDED"),
}
"""What users are promised → the case of the shared tables that tries it, in both languages, for its
code, the time it takes and what it leaves."""

GOOD = {name: made(value) for name, value in TABLE["good"].items()}


BUNDLE = CONFORMANCE / "bundles/good" / TABLE["bundle"]


@pytest.fixture(scope="module", params=["onnx", "jvm"])
def session(request, tmp_path_factory):
    """Open on one engine; whatever the inputs, the bundle and the temporary files stay as they
    are."""
    with (
        pytest.MonkeyPatch.context() as patch,
        sealane.open(BUNDLE, engine=request.param) as opened,
    ):
        private = tmp_path_factory.mktemp("private")
        patch.setattr(tempfile, "tempdir", str(private))
        patch.chdir(private)
        before = entries(BUNDLE)
        yield opened
        assert entries(BUNDLE) == before
        assert not entries(private)


def entries(folder: Path) -> list[tuple[str, int, int]]:
    return sorted(
        (path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")
    )


@pytest.mark.parametrize("promise", PROMISED)
def test_each_promise_is_tried_by_a_case_of_the_tables(promise):
    name, code = PROMISED[promise]
    if name.endswith(".json"):
        recipe = json.loads((CONFORMANCE / "bundles/hostile" / name).read_text("utf-8"))
        assert recipe["code"] == code
    else:
        assert {each["name"]: each["code"] for each in TABLE["cases"]}[name] == code


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
