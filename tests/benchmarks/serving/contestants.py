"""Who serves the model: each in its own environment, on the same file, with one thread a run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from server import Launch, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PEERS = HERE / "peers"
ROOT = HERE.parents[2]
ENVIRONMENTS = ROOT / ".venv-bench"
JAR = ROOT / "jvm/server/target/sealane-server.jar"


def sealane(bundle: Path, folder: Path, *flags: str, jvm: tuple[str, ...] = ()) -> Launch:
    """Sealane's server with its defaults, as ``make serve`` starts it; flags are beside them."""
    repository = folder / "repository"
    if not repository.exists():
        shutil.copytree(bundle, repository / "mlp")
    http, management = free_ports(2)
    command = ["java", *jvm, "-jar", str(JAR), "--repository", str(repository)]
    command += ["--port", str(http), "--management.port", str(management)]
    command += ["--management.token", "secret", *flags]
    return Launch(command, http, grpc=http)


def triton(bundle: Path, folder: Path) -> Launch:
    """Triton of the wheel nvidia-pytriton, with its Python backend."""
    packages = _packages("triton")
    triton = packages / "pytriton/tritonserver"
    backend = folder / "backends/python"
    shutil.copytree(triton / "backends/python", backend, dirs_exist_ok=True)
    [stub] = triton.glob("python_backend_stubs/3.11/triton_python_backend_stub")
    shutil.copy(stub, backend)
    repository = folder / "repository/mlp"
    (repository / "1").mkdir(parents=True, exist_ok=True)
    shutil.copy(PEERS / "triton/config.pbtxt", repository)
    shutil.copy(PEERS / "triton/model.py", repository / "1")
    http, grpc, metrics = free_ports(3)
    command = [str(triton / "bin/tritonserver"), f"--model-repository={repository.parent}"]
    command += [f"--backend-directory={backend.parent}", "--allow-gpu-metrics=false"]
    for name, port in (("http", http), ("grpc", grpc), ("metrics", metrics)):
        command += [f"--{name}-address=127.0.0.1", f"--{name}-port={port}"]
    libraries = f"{sysconfig.get_config_var('LIBDIR')}:{packages / 'nvidia_pytriton.libs'}"
    env = _env("triton", PYTHONPATH=str(packages), LD_LIBRARY_PATH=libraries)
    return Launch(command, http, grpc=grpc, env=env | {"MODEL": str(model(bundle))})


def fastapi(bundle: Path, folder: Path) -> Launch:
    """A program of 30 lines on FastAPI, one worker of uvicorn."""
    [http] = free_ports(1)
    command = [_program("fastapi", "uvicorn"), "fastapi_app:app", "--host", "127.0.0.1"]
    command += ["--port", str(http), "--log-level", "warning", "--no-access-log"]
    return Launch(command, http, env={"MODEL": str(model(bundle))}, cwd=PEERS)


def mlserver(bundle: Path, folder: Path) -> Launch:
    """MLServer, which runs the model in its own process."""
    http, grpc, metrics = free_ports(3)
    shutil.copy(PEERS / "mlserver/runtime.py", folder)
    parameters = {"uri": str(model(bundle))}
    settings = {"name": "mlp", "implementation": "runtime.Mlp", "parameters": parameters}
    (folder / "model-settings.json").write_text(json.dumps(settings))
    ports = {"http_port": http, "grpc_port": grpc, "metrics_port": metrics}
    server = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False, **ports}
    (folder / "settings.json").write_text(json.dumps(server))
    command = [_program("mlserver", "mlserver"), "start", str(folder)]
    return Launch(command, http, grpc=grpc, env=_env("mlserver", PYTHONPATH=str(folder)))


def kserve(bundle: Path, folder: Path) -> Launch:
    """The model server of KServe's SDK, one worker."""
    http, grpc = free_ports(2)
    program = [_program("kserve", "python"), str(PEERS / "kserve_server.py")]
    return Launch([*program, str(model(bundle)), str(http), str(grpc)], http, grpc=grpc)


def litserve(bundle: Path, folder: Path) -> Launch:
    """LitServe, one worker."""
    [http] = free_ports(1)
    program = [_program("litserve", "python"), str(PEERS / "litserve_server.py")]
    return Launch([*program, str(model(bundle)), str(http)], http)


def torchserve(bundle: Path, folder: Path) -> Launch:
    """TorchServe, one worker."""
    http, management, metrics, grpc, grpc_management = free_ports(5)
    store = folder / "store"
    store.mkdir(exist_ok=True)
    archiver = _program("torchserve", "torch-model-archiver")
    archive = [archiver, "--model-name", "mlp", "--version", "1.0", "--export-path", str(store)]
    archive += ["--handler", str(PEERS / "torchserve_handler.py"), "--force"]
    subprocess.run([*archive, "--extra-files", str(model(bundle))], check=True)
    lines = [
        f"inference_address=http://127.0.0.1:{http}",
        f"management_address=http://127.0.0.1:{management}",
        f"metrics_address=http://127.0.0.1:{metrics}",
        f"grpc_inference_port={grpc}",
        f"grpc_management_port={grpc_management}",
        "default_workers_per_model=1",
    ]
    (folder / "config.properties").write_text("\n".join(lines))
    command = [_program("torchserve", "torchserve"), "--start", "--foreground", "--ncs"]
    command += ["--model-store", str(store), "--models", "mlp=mlp.mar", "--disable-token-auth"]
    command += ["--ts-config", str(folder / "config.properties")]
    env = _env(
        "torchserve", TEMP=str(folder), LOG_LOCATION=str(folder), METRICS_LOCATION=str(folder)
    )
    return Launch(command, http, path="/predictions/mlp", env=env)


ALL: dict[str, Callable[[Path, Path], Launch]] = {
    "sealane": sealane,
    "triton": triton,
    "fastapi": fastapi,
    "mlserver": mlserver,
    "kserve": kserve,
    "litserve": litserve,
    "torchserve": torchserve,
}


def model(bundle: Path) -> Path:
    """The ONNX file that all serve."""
    return bundle / "1/model.onnx"


def _program(environment: str, name: str) -> str:
    program = ENVIRONMENTS / environment / "bin" / name
    if not program.exists():
        raise SystemExit(f"{program} is not there: run make serve-bench")
    return str(program)


def _packages(environment: str) -> Path:
    [packages] = (
        Path(_program(environment, "python")).parents[1].glob("lib/python3.*/site-packages")
    )
    return packages


def _env(environment: str, **more: str) -> dict[str, str]:
    """Variables of a server that starts programs of its environment by their names."""
    programs = Path(_program(environment, "python")).parent
    return {"PATH": f"{programs}:{os.environ['PATH']}"} | more
