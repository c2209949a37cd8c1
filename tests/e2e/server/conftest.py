"""A repository of conformance bundles, and a server of it."""

from __future__ import annotations

import json
import shutil

import pytest
from e2e.server.running import ROOT, serving

from sealane.bundle import read_bundle

GOOD = ROOT / "tests/conformance/bundles/good"
SERVED = ("mlp", "strings", "dtypes", "domains")


def golden(name):
    """A model's first golden case, with lists in place of arrays."""
    bundle = read_bundle(GOOD / name)
    case = bundle.golden[0]
    return {
        "model": name,
        "version": bundle.manifest.version,
        "inputs": {name: array.tolist() for name, array in case.inputs.items()},
        "outputs": {name: array.tolist() for name, array in case.outputs.items()},
    }


@pytest.fixture(scope="package")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    for name in SERVED:
        shutil.copytree(GOOD / name, folder / name)
    return folder


@pytest.fixture(scope="package")
def only_mlp(tmp_path_factory):
    """A repository of one model, for servers that are set up otherwise."""
    folder = tmp_path_factory.mktemp("only-mlp")
    shutil.copytree(GOOD / "mlp", folder / "mlp")
    return folder


@pytest.fixture(scope="package")
def server(repository, tmp_path_factory):
    """With all that it can tell of itself, and no receiver of its traces."""
    captures = tmp_path_factory.mktemp("captures")
    flags = ["--management.on-main-port", "true", "--capture.directory", str(captures)]
    flags += ["--log.requests", "all", "--tracing.endpoint", "http://127.0.0.1:9/v1/traces"]
    with serving(repository, *flags) as running:
        yield running


@pytest.fixture(scope="package")
def case(tmp_path_factory):
    """The path of the golden case of ``mlp``, for programs."""
    path = tmp_path_factory.mktemp("case") / "mlp.json"
    path.write_text(json.dumps(golden("mlp")))
    return path
