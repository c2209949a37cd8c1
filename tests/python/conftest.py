"""The findings that the README's supported matrix is made from."""

from __future__ import annotations

import pytest
from python.supported import Supported, recorded

_SUPPORTED = pytest.StashKey[Supported]()


def pytest_addoption(parser):
    parser.addoption(
        "--record-supported",
        action="store_true",
        help="write what is found to docs/supported.json and the README instead of comparing",
    )


@pytest.fixture(scope="session")
def supported(pytestconfig) -> Supported:
    recording = pytestconfig.getoption("--record-supported", default=False)
    return pytestconfig.stash.setdefault(
        _SUPPORTED, Supported(recorded(), {} if recording else None)
    )


def pytest_sessionfinish(session, exitstatus):
    kept = session.config.stash.get(_SUPPORTED, None)
    if kept is not None and kept.found is not None and exitstatus == 0:
        kept.write()
