"""The demos of the README on a sample of their rows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import sealane

DEMO = Path(__file__).parents[2] / "docs/examples/flights/demo.py"
FINETUNE = DEMO.with_name("finetune.py")
LEARNT = re.compile(r"│ (parent|child) +│ (\S+) +│ +([\d.e+-]+) │ ([01]\.\d{4}) │")
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


def test_the_round_trip_comes_back(tmp_path: Path) -> None:
    """Java goes on with what Python began, and all engines agree on parent and child."""
    options = ["--sample", "8000", "--epochs", "1", "--more-epochs", "2", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(FINETUNE), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = LEARNT.findall(done.stdout)
    assert len(rows) == 6
    assert all(float(difference) < 2e-6 for _, _, difference, _ in rows)
    parent, child = (sealane.inspect(tmp_path / name) for name in ("parent", "child"))
    assert child.manifest.lineage["parent"] == parent.manifest.content_id
    assert parent.manifest.content_id in done.stdout
