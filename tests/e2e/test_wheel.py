"""The built wheel works in an empty environment with a JDK and nothing else."""

from __future__ import annotations

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
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        folder,
        REPOSITORY,
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run(
        [BIN / "uv", "venv", "-q", "--python", sys.executable, folder / "venv"], check=True
    )
    constraint = REPOSITORY / "python" / "locks" / "dev.txt"
    python = folder / "venv" / "bin" / "python"
    install = [
        BIN / "uv",
        "pip",
        "install",
        "-q",
        "--python",
        python,
        "-c",
        constraint,
        f"{wheel}[jvm]",
    ]
    subprocess.run(install, check=True)
    return python.parent


def python(bin_folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    java = Path(shutil.which("java") or "java").resolve().parent
    env = {"PATH": f"{bin_folder}{os.pathsep}{java}", "HOME": os.environ.get("HOME", "/")}
    command = [bin_folder / "python", "-c", program]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_verify_in_the_jvm_needs_no_maven_and_no_framework(installed):
    program = (
        f"import sealane; v = sealane.verify({str(GOOD_BUNDLE)!r}, ['jvm']); print(v); assert v.ok"
    )
    done = python(installed, program)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "jvm:onnx" in done.stdout


def test_a_missing_framework_is_named_with_what_to_install(installed):
    done = python(installed, "import sealane; sealane.export(print, (), 'x')")
    assert done.returncode != 0
    assert "EXPORT_UNSUPPORTED" in done.stderr or "sealane[" in done.stderr
