"""The zoo exported once per run, with the JVM's engines among its witnesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from python.export.zoo import entry

import sealane

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def zoo_bundle(tmp_path_factory):
    """A model's name in the zoo → its bundle, to be read only."""
    folder = tmp_path_factory.mktemp("zoo")
    made: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in made:
            chosen = entry(name)
            label = name.replace(":", "-")
            sealane.export(
                chosen.model,
                chosen.examples,
                label,
                path=folder / label,
                runtimes=("jvm", "jvm:tensorflow"),
                **chosen.options,
            )
            made[name] = folder / label
        return made[name]

    return get
