"""The README's supported matrix is the recorded findings', and those are the suites' own."""

from __future__ import annotations

import pytest
from python.export.zoo import NAMES
from python.supported import END, README, START, Supported, block, recorded, rendered

from sealane.core import DType


def test_the_readme_shows_what_is_recorded():
    text = README.read_text("utf-8")
    assert (text.count(START), text.count(END)) == (1, 1)
    assert block(text) == rendered(recorded()), "run make matrix"


def test_everything_recorded_is_still_found_by_a_suite():
    table = recorded()
    assert list(table["models"]) == list(NAMES)
    assert set(table["nodes"]) == {"python", "jvm"}
    assert set(table["dtypes"]) == {"onnx", "jvm:onnx", "tensorflow", "jvm:tensorflow"}
    assert {d for each in table["dtypes"].values() for d in each["dtypes"]} == set(DType)


def test_a_stale_finding_is_refused():
    kept = Supported({"models": {"a": 1}})
    kept.check("models", "a", 1)
    with pytest.raises(AssertionError, match="make matrix"):
        kept.check("models", "a", 2)
    with pytest.raises(AssertionError, match="make matrix"):
        kept.check("models", "b", 1)
