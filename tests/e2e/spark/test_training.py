"""Training jobs on a cluster that breaks: they go on where they were, or fail with a code."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from e2e.spark.crossings import STEPS, killing, losses, options, write_points
from e2e.spark.submit import CLUSTER, Job

import sealane

HERE = Path(__file__).parent / "training"


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Path:
    """A table of points and whether their coordinates have one sign."""
    return write_points(tmp_path_factory.mktemp("crossed") / "rows.parquet")


def job(
    rows: Path, folder: Path, trainable: str = "steady", master: str = CLUSTER, **changes
) -> Job:
    settings = {
        "name": "crossed", "path": folder / "bundle", "target": "y", "batch-size": 64,
        "epochs": 3, "lr": 0.02, "shared": folder / "shared", "checkpoint-steps": 10,
        "slot-seconds": 30, **{k: v for k, v in changes.items() if k not in ("env", "flags")},
    }  # fmt: skip
    where = ["--trainable", f"crossed:{trainable}", "--input", rows, *changes.get("flags", [])]
    conf = {"spark.submit.pyFiles": str(HERE / "crossed.py"), "spark.executor.memory": "1g"}
    return Job(
        "train_torch.py", [*where, *options(settings)], master=master, conf=conf, **env_of(changes)
    )


def env_of(changes) -> dict:
    return {"env": changes["env"]} if "env" in changes else {}


@pytest.fixture(scope="module")
def steady(rows, tmp_path_factory) -> dict:
    """What a job gives on a cluster where nothing breaks."""
    folder = tmp_path_factory.mktemp("steady")
    summary = job(rows, folder).run().succeeded()
    return summary | {"onnx": (folder / "bundle/1/model.onnx").read_bytes()}


def test_a_job_trains_and_tells(steady):
    assert steady["rows"] + steady["heldOutRows"] == 5800
    assert steady["ranks"] == 2
    assert [set(each) for each in steady["epochs"]] == [
        {"loss", "validationLoss", "validationAuc", "seconds"}
    ] * 3
    assert steady["epochs"][2]["validationLoss"] < steady["epochs"][0]["validationLoss"]
    assert steady["resumedSteps"] == 0
    assert steady["contentId"].startswith("sha256:")
    with sealane.open(Path(steady["bundle"])) as session:
        same = session.run({"x": np.array([[0.8, 0.8], [0.8, -0.8]], np.float32)})["same"]
    assert same[0] > 0.5 > same[1]


@pytest.mark.parametrize(
    "act",
    [
        "executor",
        *(pytest.param(each, marks=pytest.mark.soak) for each in ("raise", "rank", "stop")),
    ],
)
def test_a_gang_that_loses_a_rank_goes_on_from_the_last_checkpoint(rows, steady, tmp_path, act):
    step = STEPS + 25
    env = {"ACT": act, "MARKER": str(tmp_path / "done"), "STEP": str(step)}
    ended = job(rows, tmp_path, "failing", env=env, **{"stall-seconds": 20}).run()
    summary = ended.succeeded()
    assert (tmp_path / "done").exists()
    assert step - 10 - 1 <= summary["resumedSteps"] <= step
    assert losses(summary) == losses(steady)
    assert (tmp_path / "bundle/1/model.onnx").read_bytes() == steady["onnx"]


def test_a_job_whose_driver_is_killed_goes_on_when_it_is_started_again(rows, steady, tmp_path):
    kill, killed = killing("epoch 2 of 3", lambda driver: driver)
    first = job(rows, tmp_path, flags=["--resume"]).run(kill)
    assert (first.code, killed != []) == (-signal.SIGKILL, True)
    assert not (tmp_path / "bundle").exists()
    gone = time.monotonic() + 60
    while writes(tmp_path / "shared") and time.monotonic() < gone:
        time.sleep(1)
    second = job(rows, tmp_path, flags=["--resume"]).run().succeeded()
    assert second["resumedSteps"] >= 2 * STEPS - 10
    assert losses(second) == losses(steady)
    assert (tmp_path / "bundle/1/model.onnx").read_bytes() == steady["onnx"]


def writes(shared: Path) -> bool:
    """Whether a checkpoint came within two seconds: ranks of a driver that is gone end soon."""
    seen = sorted(shared.rglob("*.checkpoint"))
    time.sleep(2)
    return sorted(shared.rglob("*.checkpoint")) != seen


def test_too_few_slots_are_told_within_seconds(rows, tmp_path):
    ended = job(rows, tmp_path, ranks=3, **{"slot-seconds": 3, "batch-size": 66}).run()
    assert ended.failed(5) == "ENGINE_UNAVAILABLE"
    message = ended.summary["error"]["message"]
    assert "room for 2 tasks at once and 3 ranks" in message


def test_bad_usage(rows, tmp_path):
    assert job(rows, tmp_path, optimizer="lion").run().code == 2
    ended = job(rows, tmp_path, "nothing").run()
    assert ended.failed(5) == "ENGINE_UNAVAILABLE"
    ended = job(rows, tmp_path, target="z").run()
    assert ended.failed(4) == "INPUT_MISSING"
    assert json.loads(ended.stdout)["error"]["details"] == {"column": "z"}
