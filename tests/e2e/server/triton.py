"""A real Triton in a process of its own: the ``tritonserver`` that ``nvidia-pytriton`` holds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
import uuid
from pathlib import Path

from e2e.server.running import ROOT, call

ENVIRONMENT = ROOT / ".venv-clients/pytriton"
MODELS = Path(__file__).parent / "triton_models"
SHARED_MEMORY = Path("/dev/shm")
STARTS_IN = 60
CONFIG = """\
name: "{name}"
backend: "python"
max_batch_size: {rows}
instance_group [ {{ kind: KIND_CPU, count: 1 }} ]
parameters [ {{ key: "bindings", value: {{ string_value: {bindings} }} }} ]
"""


def add_model(repository: Path, bundle: Path, program: str, max_rows: int) -> None:
    """Puts what a bundle computes into a repository of Triton's, as version 1 of its name.

    Args:
        repository: Triton's.
        bundle: Its graph and its signature are taken.
        program: The file of ``triton_models`` that computes.
        max_rows: As Triton's ``max_batch_size``: 0 where the first dim is no batch dim.
    """
    manifest = json.loads((bundle / "sealane.json").read_text())
    [bindings] = [each["bindings"] for each in manifest["variants"]]
    config = CONFIG.format(
        name=bundle.name, rows=max_rows, bindings=json.dumps(json.dumps(bindings))
    )
    for kind in ("input", "output"):
        for spec in manifest["signature"][f"{kind}s"]:
            dtype = "STRING" if spec["dtype"] == "BYTES" else spec["dtype"]
            sizes = [each if isinstance(each, int) else -1 for each in spec["dims"]]
            dims = sizes[1:] if max_rows else sizes
            config += (
                f'{kind} [ {{ name: "{spec["name"]}", data_type: TYPE_{dtype}, dims: {dims} }} ]\n'
            )
    folder = repository / bundle.name / "1"
    folder.mkdir(parents=True)
    (folder.parent / "config.pbtxt").write_text(config)
    shutil.copy(MODELS / program, folder / "model.py")
    shutil.copy(bundle / "1/model.onnx", folder)


class EndedError(Exception):
    """It ended of itself."""


@contextlib.contextmanager
def triton(repository: Path, work: Path):
    """A Triton of a repository, as its addresses of HTTP and gRPC; stopped with the block.

    Args:
        repository: What ``add_model`` filled.
        work: A folder for its log and for the backend, which must lie beside its stub.
    """
    http, grpc = free_ports(2)
    # Names what it puts into shared memory, which it leaves there when it is killed.
    ours = f"sealane-{uuid.uuid4().hex}"
    command = [
        f"--model-repository={repository}",
        f"--backend-directory={backends(work)}",
        f"--backend-config=python,shm-region-prefix-name={ours}",
        "--model-control-mode=explicit",
        "--load-model=*",
        "--http-address=127.0.0.1",
        f"--http-port={http}",
        "--grpc-address=127.0.0.1",
        f"--grpc-port={grpc}",
        "--allow-metrics=false",
    ]
    log = work / "triton.log"
    with log.open("w") as told:
        process = subprocess.Popen(
            [packages() / "pytriton/tritonserver/bin/tritonserver", *command],
            stdout=told,
            stderr=subprocess.STDOUT,
            env=environment(),
            start_new_session=True,
        )
    try:
        await_ready(process, f"127.0.0.1:{http}", log)
        try:
            yield f"127.0.0.1:{http}", f"127.0.0.1:{grpc}"
        finally:
            if process.poll() is not None:
                raise EndedError(log.read_text()[-4000:])
    finally:
        stop(process)
        for left in SHARED_MEMORY.glob(f"{ours}*"):
            left.unlink()


def packages() -> Path:
    assert (ENVIRONMENT / "bin/python").exists(), f"{ENVIRONMENT} is not there: run make setup"
    [found] = (ENVIRONMENT / "lib").glob("python3*/site-packages")
    return found


def backends(work: Path) -> Path:
    """A folder with the Python backend and the stub of this Python beside it."""
    server = packages() / "pytriton/tritonserver"
    version = packages().parent.name.removeprefix("python")
    folder = work / "backends/python"
    shutil.copytree(server / "backends/python", folder)
    stub = "triton_python_backend_stub"
    shutil.copy(server / "python_backend_stubs" / version / stub, folder / stub)
    return folder.parent


def environment() -> dict[str, str]:
    """That of the environment's Python, which the stubs embed."""
    libraries = [sysconfig.get_config_var("LIBDIR"), str(packages() / "nvidia_pytriton.libs")]
    return {
        **os.environ,
        "PATH": f"{ENVIRONMENT / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(packages()),
        "LD_LIBRARY_PATH": ":".join(libraries),
    }


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as bound:
        sockets = [bound.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def await_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS_IN
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            if call(address, "GET", "/v2/health/ready").status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"Triton is not ready:\n{log.read_text()[-4000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends it and its stubs; asked to, it waits half a minute for nothing."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
