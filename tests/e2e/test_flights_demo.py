"""The demo of the README on a sample of its rows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import sealane

DEMO = Path(__file__).parents[2] / "docs/examples/flights/demo.py"
ROW = re.compile(r"│ (onnx|savedmodel) +│ (.+?) +│ +([\d.e+-]+) │ ([01]\.\d{4}) │")


def test_the_demo_tells_one_story(tmp_path: Path) -> None:
    """Every artifact on every runtime scores the held-out rows as the trained model does."""
    done = subprocess.run(
        [sys.executable, str(DEMO), "--sample", "6000", "--epochs", "1", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = ROW.findall(done.stdout)
    assert len(rows) == 8
    assert [artifact for artifact, *_ in rows].count("savedmodel") == 2
    assert sum("plain Java" in runtime for _, runtime, *_ in rows) == 2
    assert all(float(error) < 1e-6 for *_, error, _ in rows)
    assert len({auc for *_, auc in rows}) == 2, "one AUC per trained model"
    for name in ("flights-torch", "flights-keras"):
        assert {each.kind for each in sealane.inspect(tmp_path / name).manifest.variants} == {
            "onnx",
            "savedmodel",
        }
    for command in ("inspect", "verify --runtime jvm", "diff"):
        assert f"sealane {command} {tmp_path}" in done.stdout
