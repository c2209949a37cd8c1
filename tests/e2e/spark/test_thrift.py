"""A Thrift server whose clients call bundles by SQL: no Python, no API of Sealane."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest
from e2e.spark.submit import ENVIRONMENTS, JAR, LOOPBACK
from e2e.spark.systems import ROOT

GOOD = ROOT / "tests/conformance/bundles/good"
SERVER = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
ROW = re.compile(r"row (\d) (-?\d+\.\S+)( [A-Z_]+)?")
STARTS = 180
"""Seconds until it listens."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def thrift_server(line, folder):
    port = free_port()
    conf = {
        **LOOPBACK,
        "spark.sql.extensions": "io.sealane.spark.SealaneExtensions",
        "spark.sql.catalog.sealane": "io.sealane.spark.SealaneCatalog",
        "spark.sql.catalog.sealane.repository": str(GOOD),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    hive = {
        "hive.server2.thrift.port": port,
        "hive.server2.thrift.bind.host": "127.0.0.1",
        "javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder}/db;create=true",
    }
    command = [
        str(home(line) / "bin" / "spark-submit"),
        *("--master", "local[2]", "--jars", str(JAR), "--class", SERVER),
        *(f"--conf={key}={value}" for key, value in conf.items()),
        "spark-internal",
        *(word for key, value in hive.items() for word in ("--hiveconf", f"{key}={value}")),
    ]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=log,
            env=environment(line),
            start_new_session=True,
        )
        try:
            wait_for(port, server, folder)
            yield port
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGTERM)
                server.wait(60)


def home(line):
    (found,) = ENVIRONMENTS[line].glob("lib/python*/site-packages/pyspark")
    return found


def environment(line):
    cleared = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "PYSPARK_"))}
    return {**cleared, "SPARK_HOME": str(home(line)), "SPARK_LOCAL_IP": "127.0.0.1"}


def wait_for(port, server, folder):
    deadline = time.monotonic() + STARTS
    while time.monotonic() < deadline:
        assert server.poll() is None, (folder / "server.log").read_text()
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    pytest.fail((folder / "server.log").read_text())


@pytest.mark.parametrize("line", ENVIRONMENTS)
def test_a_client_of_thrift_scores_by_sql(line, tmp_path):
    row = "SELECT array(float(id), 1f, 2f, 3f) AS features, id FROM range(3)"
    query = (
        "SELECT concat_ws(' ', 'row', id, sealane.score('mlp', struct(*)).scores[0], "
        "sealane.mlp(struct(if(id = 1, null, features) AS features)).error.code) AS line "
        f"FROM ({row}) ORDER BY id"
    )
    with thrift_server(line, tmp_path) as port:
        beeline = str(home(line) / "bin" / "beeline")
        options = ("--silent=true", "--showHeader=false", "--outputformat=tsv2")
        done = subprocess.run(
            [beeline, "-u", f"jdbc:hive2://127.0.0.1:{port}", *options, "-e", query],
            capture_output=True,
            text=True,
            timeout=180,
            env=environment(line),
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr + (tmp_path / "server.log").read_text()
    found = ROW.findall(done.stdout)
    assert [number for number, _, _ in found] == ["0", "1", "2"]
    assert len({score for _, score, _ in found}) == 3
    assert [code.strip() for _, _, code in found] == ["", "INPUT_NULL", ""]
