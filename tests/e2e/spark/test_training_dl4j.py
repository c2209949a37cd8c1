"""Training by Deeplearning4j on a cluster that breaks: it goes on, with the same result."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
from e2e.spark.crossings import STEPS, killing, losses, options, write_points
from e2e.spark.submit import CLUSTER, Job

import sealane
from sealane.spark import jar_conf

HERE = Path(__file__).parent / "training"


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Path:
    """A table of points and whether their coordinates have one sign."""
    return write_points(tmp_path_factory.mktemp("crossed") / "rows.parquet")


def job(rows: Path, folder: Path, *flags: str, jars: bool = True, **changes) -> Job:
    """A job whose Python workers could not start."""
    settings = {
        "name": "crossed", "path": folder / "bundle", "target": "y", "batch-size": 64,
        "epochs": 3, "lr": 0.02, "shared": folder / "shared", "checkpoint-steps": 10, **changes,
    }  # fmt: skip
    files = ",".join(str(HERE / name) for name in ("crossed.py", "network.py"))
    engine = jar_conf("dl4j")["spark.jars"].split(",")[1:] if jars else []
    return Job(
        "train_dl4j.py",
        ["--trainable", "network:steady", "--input", rows, *flags, *options(settings)],
        master=CLUSTER,
        jars=[Path(jar) for jar in engine],
        conf={"spark.submit.pyFiles": files, "spark.executor.memory": "1g"},
        env={"PYSPARK_PYTHON": "/nowhere/python"},
    )


@pytest.fixture(scope="module")
def steady(rows, tmp_path_factory) -> dict:
    """What a job gives on a cluster where nothing breaks."""
    folder = tmp_path_factory.mktemp("steady")
    summary = job(rows, folder).run().succeeded()
    return summary | {"onnx": (folder / "bundle/1/model.onnx").read_bytes()}


def test_a_job_trains_and_tells(steady):
    assert steady["rows"] + steady["heldOutRows"] == 5800
    assert steady["epochs"][2]["validationLoss"] < steady["epochs"][0]["validationLoss"]
    assert steady["epochs"][2]["validationAuc"] > 0.9
    with sealane.open(Path(steady["bundle"])) as session:
        same = session.run({"x": np.array([[0.8, 0.8], [0.8, -0.8]], np.float32)})["same"]
    assert same[0] > 0.5 > same[1]


@pytest.mark.parametrize("shared", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_a_job_that_loses_an_executor_goes_on(rows, steady, tmp_path, shared):
    kill, killed = killing("epoch 1 of 3", lambda driver: executors(driver)[0])
    changes = {} if shared else {"shared": None}
    summary = job(rows, tmp_path, **changes).run(kill).succeeded()
    assert len(killed) == 1
    assert losses(summary) == losses(steady)
    assert summary["dataFingerprint"] == steady["dataFingerprint"]
    assert (tmp_path / "bundle/1/model.onnx").read_bytes() == steady["onnx"]


def executors(driver: int) -> list[int]:
    """The executors' JVMs below a process."""
    found, parents = [], {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            parents[int(entry.name)] = int(parent)
            if b"CoarseGrainedExecutorBackend" in command:
                found.append(int(entry.name))
    return [pid for pid in found if driver in ancestors(pid, parents)]


def ancestors(pid: int, parents: dict[int, int]) -> list[int]:
    above = []
    while pid in parents:
        pid = parents[pid]
        above.append(pid)
    return above


@pytest.mark.soak
def test_a_job_whose_driver_is_killed_goes_on_when_it_is_started_again(rows, steady, tmp_path):
    kill, killed = killing("epoch 2 of 3", lambda driver: driver)
    first = job(rows, tmp_path, "--resume").run(kill)
    assert (first.code, killed != []) == (-signal.SIGKILL, True)
    assert not (tmp_path / "bundle").exists()
    second = job(rows, tmp_path, "--resume").run().succeeded()
    assert second["resumedSteps"] >= 2 * STEPS - 10
    assert losses(second) == losses(steady)
    assert (tmp_path / "bundle/1/model.onnx").read_bytes() == steady["onnx"]


def test_an_engine_that_is_not_there_is_told(rows, tmp_path):
    ended = job(rows, tmp_path, jars=False).run()
    assert ended.failed(5) == "ENGINE_UNAVAILABLE"
    assert 'jar_conf("dl4j")' in ended.summary["error"]["message"]
    assert job(rows, tmp_path, **{"weight-decay": 0.1}).run().failed(4) == "INPUT_DOMAIN"
