"""What ``docker/`` gives the server, Prometheus and Grafana is what the server knows and tells."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml
from e2e.server.running import JAR, ROOT

DOCKER = ROOT / "docker"
METRIC = re.compile(r"\b(?:sealane|jvm|process|system)_[a-z_]+\b")
SETTING = re.compile(r"SEALANE_SERVER_[A-Z_]+")


def asked():
    """Every expression of the dashboard and of the alerts, by what it is called."""
    dashboard = json.loads((DOCKER / "grafana/dashboards/sealane.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield pytest.param(target["expr"], id=f"{panel['title']}-{target['refId']}")
    for group in yaml.safe_load((DOCKER / "prometheus/alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield pytest.param(rule["expr"], id=rule["alert"])


@pytest.fixture(scope="module")
def told(server):
    """The names of all metrics."""
    answer = server.get(
        "/metrics", address=server.management, headers={"Authorization": "Bearer secret"}
    )
    assert answer.status == 200
    return set(re.findall(r"^([a-z_]+)[{ ]", answer.body.decode(), re.MULTILINE))


@pytest.mark.parametrize("expression", list(asked()))
def test_metrics_that_are_asked_for_are_told(told, expression):
    names = set(METRIC.findall(expression))
    assert names
    assert names <= told


def test_settings_of_the_images_are_settings_of_the_server():
    known = subprocess.run(
        ["java", "-jar", JAR, "--help"], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    variables = {
        "SEALANE_SERVER_" + line.split()[0].upper().replace(".", "_").replace("-", "_")
        for line in known.splitlines()
        if re.match(r"[a-z]", line)
    }
    for file in ("server.Dockerfile", "compose.yaml", "ready.sh", "smoke.sh"):
        names = set(SETTING.findall((DOCKER / file).read_text()))
        assert names, file
        assert names <= variables, file


def test_the_composed_server_can_write_nothing_and_has_no_secret():
    composed = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    server = composed["services"]["sealane"]
    assert server["read_only"]
    assert server["cap_drop"] == ["ALL"]
    assert all(volume.endswith(":ro") for volume in server["volumes"])
    assert "SEALANE_SERVER_MANAGEMENT_TOKEN" not in server["environment"]
    published = [port for each in composed["services"].values() for port in each.get("ports", [])]
    assert published == ["8080:8080", "127.0.0.1:9090:9090", "127.0.0.1:3000:3000"]
