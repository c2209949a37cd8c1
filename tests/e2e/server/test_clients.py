"""Stock clients, unmodified, each in its own environment of pinned versions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from e2e.server.running import ROOT

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
    python = ENVIRONMENTS / environment / "bin/python"
    assert python.exists(), f"{python} is not there: run make setup"
    done = subprocess.run(
        [python, CLIENTS / f"{program}.py", server.address, case],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "done"
