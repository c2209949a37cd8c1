"""The built wheel works in an empty environment with a JDK and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
GOOD_BUNDLE = REPOSITORY / "tests" / "conformance" / "bundles" / "good" / "mlp"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, REPOSITORY]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([BIN / "uv", "venv", "-q", "--python", sys.executable, folder / "venv"], check=True)
    constraint = REPOSITORY / "python" / "locks" / "dev.txt"
    python = folder / "venv" / "bin" / "python"
    install = [BIN / "uv", "pip", "install", "-q", "--python", python, "-c", constraint, f"{wheel}[jvm]"]
    subprocess.run(install, check=True)
    return python.parent


def sealane(bin_folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    java = Path(shutil.which("java") or "java").resolve().parent
    env = {"PATH": f"{bin_folder}{os.pathsep}{java}", "HOME": os.environ.get("HOME", "/")}
    command = [bin_folder / "sealane", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_verify_in_the_jvm_needs_no_maven_and_no_framework(installed):
    done = sealane(installed, "verify", "--runtime", "jvm", "--json", GOOD_BUNDLE)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert [run["runtime"] for run in report["runs"]] == ["jvm:onnx"]


def test_a_missing_framework_is_named_with_what_to_install(installed):
    done = sealane(installed, "verify", "--runtime", "tensorflow", "--json", GOOD_BUNDLE)
    assert done.returncode != 0
    assert "VARIANT_NOT_FOUND" in done.stdout or "sealane[tensorflow]" in done.stdout
