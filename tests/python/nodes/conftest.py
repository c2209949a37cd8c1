"""The backend tests, wrapped once per run, and the summary of what became of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from python.nodes.outcomes import Wrapped, wrap_all
from python.nodes.summary import Summary

_ROOT = Path(__file__).parents[3]
_SUMMARY = pytest.StashKey[Summary]()


@pytest.fixture(scope="session")
def wrapped(tmp_path_factory) -> list[Wrapped]:
    return wrap_all(tmp_path_factory.mktemp("nodes"))


@pytest.fixture(scope="session")
def listed() -> list[dict]:
    text = (_ROOT / "tests/conformance/node_exceptions.json").read_text("utf-8")
    return json.loads(text)["exceptions"]


@pytest.fixture(scope="session")
def summary(pytestconfig, wrapped) -> Summary:
    made = Summary(wrapped)
    pytestconfig.stash[_SUMMARY] = made
    return made


def pytest_terminal_summary(terminalreporter, config):
    summary = config.stash.get(_SUMMARY, None)
    if summary is None:
        return
    target = _ROOT / "out/results/nodes.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(summary.as_json(), indent=2) + "\n", "utf-8")
    terminalreporter.section("ONNX backend tests")
    for line in summary.lines():
        terminalreporter.write_line(line)
