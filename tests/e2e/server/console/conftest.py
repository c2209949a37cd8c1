"""One server and one browser for all tests of the console."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from e2e.server import small_bundles
from e2e.server.conftest import GOOD, SERVED
from e2e.server.console.visit import Visit, chromium
from e2e.server.running import serving
from onnx import TensorProto, helper

from sealane.bundle import (
    ArtifactDraft,
    Bindings,
    BundleDraft,
    GoldenCase,
    Requires,
    Verdict,
    write_bundle,
)
from sealane.core import DType, Signature, TensorSpec

HOSTILE = "<img src=x onerror=alert(1)>"
DIMS = ("height", "width", 3)


SHARED = (
    *("--models.shared.versions", "all", "--models.shared.canary.2", "30"),
    *("--models.shared.shadow.to", "1"),
)


def pictures(path):
    """A model that gives back the pixels that it takes."""
    pixels = np.zeros((1, 1, 3), np.uint8)
    values = [helper.make_tensor_value_info(name, TensorProto.UINT8, DIMS) for name in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "graph", values[:1], values[1:]
    )
    opsets = [helper.make_opsetid("", 20)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.onnx"
        onnx.save(proto, source)
        artifact = ArtifactDraft(
            "onnx", "onnx", "primary", source, Bindings({"x": "x"}, {"y": "y"}), "fp32",
            Verdict.BIT_EXACT, Requires(10, {"ai.onnx": 20}, ("Identity",)),
        )  # fmt: skip
        signature = Signature(
            (TensorSpec("x", DType.UINT8, DIMS),), (TensorSpec("y", DType.UINT8, DIMS),)
        )
        case = GoldenCase("dot", "one dot", 1, {"x": pixels}, {"y": pixels}, {})
        write_bundle(path, BundleDraft("pictures", "1.0.0", signature, (artifact,), (case,)))


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """Models that are ready, one that is broken, and a folder with markup for a name."""
    folder = tmp_path_factory.mktemp("repository")
    for name in (*SERVED, "broken"):
        shutil.copytree(GOOD / name.replace("broken", "mlp"), folder / name / "1")
    (folder / "broken/1/1/model.onnx").write_bytes(b"no model")
    (folder / "strings" / HOSTILE).mkdir()
    (folder / "strings" / HOSTILE / "sealane.json").write_text(json.dumps({"format": HOSTILE}))
    pictures(folder / "pictures")
    for version in ("1", "2"):
        small_bundles.scaled(folder / "shared" / version, version, int(version) + 1)
    with serving(folder, *SHARED) as running:
        yield running


@pytest.fixture(scope="package")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser, server):
    visit = Visit(browser, server, permissions=["clipboard-read", "clipboard-write"])
    yield visit
    visit.close()
