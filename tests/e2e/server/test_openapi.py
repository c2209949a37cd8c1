"""Requests made from the OpenAPI document: none is answered 5xx, or as it does not say."""

from __future__ import annotations

import re
import subprocess

import pytest
from e2e.server.running import ROOT

SCHEMATHESIS = ROOT / ".venv-clients/schemathesis/bin/schemathesis"
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance"


def explore(server, tmp_path, *options):
    assert SCHEMATHESIS.exists(), f"{SCHEMATHESIS} is not there: run make test"
    # What the generator would seldom find: the names of models.
    config = tmp_path / "schemathesis.toml"
    config.write_text('[parameters]\nmodel = "mlp"\nversion = "1.0.0"\n')
    done = subprocess.run(
        [
            *(SCHEMATHESIS, "--config-file", config, "run", "--no-color", "--checks", CHECKS),
            *("--seed", "7", *options, f"http://{server.address}/openapi.json"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def test_the_document_names_its_calls(server):
    document = server.get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    operations = [
        each["operationId"]
        for path in document["paths"].values()
        for each in (path.get("get"), path.get("post"))
        if each
    ]
    assert len(operations) == len(set(operations)) >= 16


def test_what_is_made_from_the_document_is_answered_as_it_says(server, tmp_path):
    told = explore(server, tmp_path, "--phases", "examples,coverage,fuzzing", "-n", "15")
    made = re.search(r"(\d+) generated, (\d+) passed", told)
    assert made, told
    assert int(made[1]) == int(made[2]) >= 300
    assert server.get("/v2/health/ready").json == {"ready": True}


@pytest.mark.soak
def test_half_an_hour_of_it(server, tmp_path):
    print(explore(server, tmp_path, "--max-time", "1800", "-n", "100000"))
