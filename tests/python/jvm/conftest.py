"""The JVM's tests need a JDK and the jar that ``make setup`` builds; without them they fail."""

from __future__ import annotations

import gc

import pytest

from sealane.jvm import start


@pytest.fixture(scope="session")
def bridge():
    return start()


@pytest.fixture(autouse=True)
def no_handle_is_left(bridge):
    """Every test gives back what it opened."""
    gc.collect()
    before = bridge.live()
    yield
    gc.collect()
    assert bridge.live() == before
