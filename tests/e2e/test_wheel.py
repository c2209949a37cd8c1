"""The built wheel works in an empty environment with a JDK and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sealane.jvm import find_jar

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
GOOD = REPOSITORY / "tests" / "conformance" / "bundles" / "good"
LOCK = REPOSITORY / "python" / "locks" / "dev.txt"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The programs of an environment with the wheel, its extra ``jvm`` and what these need."""
    assert find_jar().is_relative_to(REPOSITORY), "the wheel takes the jar from the source tree"
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", folder, REPOSITORY]
    checked([sys.executable, *build])
    (wheel,) = folder.glob("*.whl")
    checked([BIN / "uv", "venv", "-q", "--python", sys.executable, folder / "venv"])
    python = folder / "venv" / "bin" / "python"
    install = [BIN / "uv", "pip", "install", "-q", "--python", python, "-c", LOCK, f"{wheel}[jvm]"]
    if subprocess.run([*install, "--offline"], capture_output=True, check=False).returncode != 0:
        checked(install)
    return python.parent


def checked(command: list[object]) -> None:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def run(programs: Path, name: str, *arguments: object, stdin: str = ""):
    java = Path(shutil.which("java") or "java").resolve().parent
    path = f"{programs}{os.pathsep}{java}"
    assert shutil.which("mvn", path=path) is None
    return subprocess.run(
        [str(programs / name), *map(str, arguments)],
        env={"PATH": path, "HOME": str(programs)},
        cwd=programs,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_verify_in_the_jvm_needs_no_maven_and_no_framework(installed):
    done = run(installed, "sealane", "verify", "--runtime", "jvm", "--json", GOOD / "strings")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert [row["runtime"] for row in report["rows"]] == ["jvm:onnx"]
    absent = "import importlib.util as u; print([n for n in {} if u.find_spec(n)])"
    names = ["torch", "tensorflow", "keras", "pandas", "mlflow", "cryptography"]
    assert run(installed, "python", "-c", absent.format(names)).stdout == "[]\n"


def test_what_is_not_there_is_named_with_what_to_install(installed):
    done = run(installed, "sealane", "verify", "--runtime", "tensorflow", "--json", GOOD / "both")
    assert done.returncode == 1
    assert "sealane[tensorflow]" in json.loads(done.stdout)["rows"][0]["problem"]
    done = run(installed, "sealane", "sign", GOOD / "mlp", "--key", "k.pem", "--json")
    assert done.returncode == 5
    assert "sealane[signing]" in json.loads(done.stdout)["error"]["message"]


def test_a_worker_starts(installed):
    done = run(installed, "python", "-m", "sealane.api.worker", stdin="s" * 64 + "\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sealane-worker 1 ")
