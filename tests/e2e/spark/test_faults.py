"""A job whose world breaks ends right, or fails with a code and leaves nothing that looks done."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import psutil
import pytest
from e2e.spark.conftest import INPUTS, MLP, write_rows
from e2e.spark.submit import CLUSTER, Job

from sealane.core import ErrorCode, ErrorFamily

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.spark.conftest import Rows
    from e2e.spark.submit import Ended

ENGINES = ("jvm", "python")
ENGINES_IN_TURN = ("jvm", pytest.param("python", marks=pytest.mark.soak))
"""Where a case takes a minute, the second engine's turn is in the long form."""

RUNNING = re.compile(r"stage \d+: ([1-9]\d*) of \d+ tasks")
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
A_FILE_A_TASK = {
    "spark.sql.files.maxPartitionBytes": "100000",
    "spark.sql.files.openCostInBytes": "100000",
}
REFUSED = 3
NOT_WRITTEN = 74


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Rows:
    """A table of so many files, each a task, that its job takes several seconds."""
    return write_rows(tmp_path_factory.mktemp("many") / "rows", 20_000, 200)


@pytest.fixture
def bundle(tmp_path) -> Path:
    return shutil.copytree(MLP, tmp_path / "bundle")


def score(rows: Rows, bundle: object, output: Path, engine: str, **options: object) -> Job:
    where = ["--bundle", bundle, "--input", rows.path, "--output", output]
    conf = {**A_FILE_A_TASK, **options.pop("conf", {})}
    model = ["--inputs", INPUTS, "--engine", engine]
    return Job("batch_score.py", [*where, *model], conf=conf, **options)


def once(action: Callable[[int], None]) -> Callable[[int, str], None]:
    """Does something to a job when its first tasks are done."""
    done = []

    def meanwhile(pid: int, line: str) -> None:
        if not done and RUNNING.match(line):
            done.append(line)
            action(pid)

    meanwhile.done = done
    return meanwhile


def executors(pid: int) -> list[int]:
    """Process ids of the executors of a local cluster, whose driver is `pid`."""
    found = []
    for each in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if EXECUTOR in each.cmdline():
                found.append(each.pid)
    assert found
    return found


def kill(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def nothing_looks_done(output: Path) -> bool:
    return not (output / "_SUCCESS").exists() and not list(output.glob("part-*"))


def right_or_refused(ended: Ended, output: Path, rows: Rows) -> None:
    if ended.code == 0:
        assert (output / "_SUCCESS").exists()
        rows.check_parquet(output)
    else:
        assert ErrorCode(ended.failed(REFUSED)).family is ErrorFamily.BUNDLE
        assert nothing_looks_done(output)


@pytest.mark.parametrize("engine", ENGINES_IN_TURN)
def test_a_killed_executor_costs_only_time(many, tmp_path, engine):
    """The one that takes its place gets the bundle from the driver, whose path it is."""
    output = tmp_path / "out"
    meanwhile = once(lambda pid: kill(executors(pid)[:1]))
    ended = score(many, MLP, output, engine, master=CLUSTER).run(meanwhile)
    assert meanwhile.done
    said = ended.succeeded()
    assert (said["rows"], said["quarantined"]) == (20_000, {"INPUT_NULL": many.bad})
    many.check_parquet(output)


@pytest.mark.parametrize("engine", ENGINES_IN_TURN)
def test_a_bundle_deleted_meanwhile(many, bundle, tmp_path, engine):
    """Executors that start afterwards find none."""
    output = tmp_path / "out"

    def delete(pid: int) -> None:
        shutil.rmtree(bundle)
        kill(executors(pid))

    meanwhile = once(delete)
    ended = score(many, bundle.as_uri(), output, engine, master=CLUSTER).run(meanwhile)
    assert meanwhile.done
    right_or_refused(ended, output, many)


@pytest.mark.parametrize("engine", ENGINES_IN_TURN)
def test_a_bundle_tampered_with_meanwhile(many, bundle, tmp_path, engine):
    """Another bundle stands in its place: valid in itself, but not the one that the job is for."""
    output = tmp_path / "out"

    def exchange(pid: int) -> None:
        shutil.rmtree(bundle)
        shutil.copytree(MLP.with_name("network-mlp"), bundle)
        kill(executors(pid))

    meanwhile = once(exchange)
    ended = score(many, bundle.as_uri(), output, engine, master=CLUSTER).run(meanwhile)
    assert meanwhile.done
    right_or_refused(ended, output, many)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_bundle_that_can_not_be_reached(rows, tmp_path, engine):
    output = tmp_path / "out"
    conf = {"spark.hadoop.ipc.client.connect.max.retries": "0"}
    ended = score(rows, "hdfs://127.0.0.1:1/models/mlp", output, engine, conf=conf).run()
    assert ended.failed(REFUSED) == ErrorCode.BUNDLE_NOT_FOUND
    assert not output.exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_full_disk(many, tmp_path, engine):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256k", "sealane-test", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False).returncode != 0:
        pytest.skip("this machine lets no one mount a small disk")
    try:
        ended = score(many, MLP, disk / "out", engine).run()
        assert ended.failed(NOT_WRITTEN) == "OUTPUT"
        assert nothing_looks_done(disk / "out")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
