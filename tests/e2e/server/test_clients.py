"""Stock clients, unmodified, each in its own environment of pinned versions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from e2e.server.conftest import GOOD
from e2e.server.documented_models import half_plus
from e2e.server.running import ROOT, serving

CLIENTS = Path(__file__).parent / "clients"
ENVIRONMENTS = ROOT / ".venv-clients"


@pytest.mark.parametrize(
    ("environment", "program"),
    [
        ("tritonclient", "triton_http"),
        ("tritonclient", "triton_grpc"),
        ("kserve", "kserve_sdk"),
        ("ovmsclient", "ovms_http"),
        ("ovmsclient", "ovms_grpc"),
    ],
)
def test_a_client_talks_to_the_server(server, case, environment, program):
    _run(environment, program, server, case)


def test_perf_analyzer_measures_the_server(tmp_path, case):
    """It looks for a model's statistics under a version that is a whole number."""
    shutil.copytree(GOOD / "mlp", tmp_path / "mlp")
    manifest = tmp_path / "mlp/sealane.json"
    text = manifest.read_text()
    assert text.count('"version": "1.0.0"') == 1
    manifest.write_text(text.replace('"version": "1.0.0"', '"version": "1"'))
    with serving(tmp_path) as server:
        _run("perfanalyzer", "perf_analyzer", server, case)


def _run(environment, program, server, case):
    python = ENVIRONMENTS / environment / "bin/python"
    assert python.exists(), f"{python} is not there: run make setup"
    done = subprocess.run(
        [python, CLIENTS / f"{program}.py", server.address, case],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "done"


def test_the_client_of_tensorflow_serving_talks_to_the_server(tmp_path):
    """Its package has only the stubs; they use the TensorFlow of the tests' own environment."""
    repository = tmp_path / "repository"
    (repository / "half_plus_two").mkdir(parents=True)
    for version in ("123.0.0", "124.0.0"):
        half_plus(repository / "half_plus_two" / version, 2, version, ("batch", 1))
    for name in ("mlp", "strings"):
        shutil.copytree(GOOD / name, repository / name)
    [stubs] = (ENVIRONMENTS / "tensorflowservingapi").glob("lib/python*/site-packages")
    program = CLIENTS / "tensorflow_serving_api.py"
    all_versions = ("--models.half_plus_two.versions", "all")
    with serving(repository, "--management.on-main-port", "true", *all_versions) as server:
        done = subprocess.run(
            [sys.executable, program, server.address, repository],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            env={**os.environ, "PYTHONPATH": str(stubs)},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "done"


def test_apache_camels_components_talk_to_the_server(server, case):
    """From Java, with the protobuf and gRPC that they were published for."""
    jars = ENVIRONMENTS / "camel"
    assert any(jars.glob("*.jar")), f"{jars} has no jars: run make setup"
    program = CLIENTS / "camel/CamelClients.java"
    done = subprocess.run(
        ["java", "-cp", jars / "*", program, server.address, server.management, "secret", case],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "done"
