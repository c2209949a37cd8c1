"""The demos of the README on a sample of their rows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sealane

DEMO = Path(__file__).parents[2] / "docs/examples/flights/demo.py"
FINETUNE = DEMO.with_name("finetune.py")
SPARK = DEMO.with_name("spark_demo.py")
LEARNT = re.compile(r"│ (parent|child) +│ (\S+) +│ +([\d.e+-]+) │ ([01]\.\d{4}) │")
SCORED = re.compile(
    r"│ (?:the executors' JVMs|Python workers) +│ (\S+) \S+ +│ +([\d,]+) │ +(\d+) │"
)
ROW = re.compile(r"│ (onnx|savedmodel) +│ (.+?) +│ +([\d.e+-]+) │ ([01]\.\d{4}) │")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of the demo's results, and what it printed."""
    folder = tmp_path_factory.mktemp("flights")
    options = ["--sample", "6000", "--epochs", "1", "--out", str(folder)]
    return folder, finished(DEMO, *options)


def finished(program: Path, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, str(program), *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_tells_one_story(told: tuple[Path, str]) -> None:
    """Every artifact on every runtime scores the held-out rows as the trained model does."""
    folder, printed = told
    rows = ROW.findall(printed)
    assert len(rows) == 8
    assert [artifact for artifact, *_ in rows].count("savedmodel") == 2
    assert sum("plain Java" in runtime for _, runtime, *_ in rows) == 2
    assert all(float(error) < 1e-6 for *_, error, _ in rows)
    assert len({auc for *_, auc in rows}) == 2, "one AUC per trained model"
    for name in ("flights-torch", "flights-keras"):
        assert {each.kind for each in sealane.inspect(folder / name).manifest.variants} == {
            "onnx",
            "savedmodel",
        }
    for command in ("inspect", "verify --runtime jvm", "diff"):
        assert f"sealane {command} {folder}" in printed


def test_both_sides_of_spark_give_the_same(told: tuple[Path, str]) -> None:
    """JVM executors and Python workers score the flights, in the bits of each other."""
    folder, _ = told
    printed = finished(SPARK, "--rows", "20000", "--sample", "3000", "--out", str(folder))
    expected = [("jvm:onnx", "20,000", "0"), ("python:onnx", "20,000", "0")]
    assert SCORED.findall(printed) == expected, printed
    assert "3,000 of 3,000 rows have the same bits" in printed
    assert "spark_jobs/batch_score.py --bundle" in printed


def test_the_round_trip_comes_back(tmp_path: Path) -> None:
    """Java goes on with what Python began, and all engines agree on parent and child."""
    options = ["--sample", "8000", "--epochs", "1", "--more-epochs", "2", "--out", str(tmp_path)]
    printed = finished(FINETUNE, *options)
    rows = LEARNT.findall(printed)
    assert len(rows) == 6
    assert all(float(difference) < 2e-6 for _, _, difference, _ in rows)
    parent, child = (sealane.inspect(tmp_path / name) for name in ("parent", "child"))
    assert child.manifest.lineage["parent"] == parent.manifest.content_id
    assert parent.manifest.content_id in printed
