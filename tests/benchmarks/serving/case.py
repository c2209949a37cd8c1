"""One row, what ONNX Runtime makes of it, and the requests that carry it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from contestants import ROOT, model
from load import Request
from server import Failed

if TYPE_CHECKING:
    from server import Server

TOLERANCE = 1e-5
CLIENT = ROOT / ".venv-clients/tritonclient/bin/python"


class Case:
    """One row, what ONNX Runtime makes of it, and the requests that carry it."""

    def __init__(self, bundle: Path, folder: Path) -> None:
        session = onnxruntime.InferenceSession(model(bundle), providers=["CPUExecutionProvider"])
        row = np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32)
        self.expected = session.run(None, {"x": row})[0].ravel()
        self.row = [float(str(value)) for value in row.ravel()]
        self.rest = folder / "rest.json"
        x = {"name": "x", "shape": [1, 64], "datatype": "FP32", "data": self.row}
        self.rest.write_text(json.dumps({"inputs": [x]}))
        self.folder = folder

    def request(self, name: str, server: Server, *, grpc: bool = False) -> Request:
        """What the server is asked over and over, once it answers and its numbers are right.

        Raises:
            Failed: They are not.
        """
        return self._grpc(name, server) if grpc else self._rest(name, server)

    def _rest(self, name: str, server: Server) -> Request:
        body = server.first_answer(self.rest.read_bytes())
        self._require_right(f"{name} over REST", json.loads(body)["outputs"][0]["data"])
        return Request(self.rest, grpc=False, answer=len(body))

    def _grpc(self, name: str, server: Server) -> Request:
        body = self.folder / "grpc.bin"
        address = f"127.0.0.1:{server.launch.grpc}"
        command = [CLIENT, Path(__file__).parent / "grpc_case.py", address, body]
        done = subprocess.run(
            [*command, json.dumps(self.row)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Failed(f"{name} over gRPC: {done.stderr[-500:]}")
        answer = json.loads(done.stdout)
        self._require_right(f"{name} over gRPC", answer["y"])
        return Request(body, grpc=True, answer=answer["bytes"])

    def _require_right(self, what: str, numbers: list[float]) -> None:
        if not np.allclose(np.ravel(numbers), self.expected, rtol=0, atol=TOLERANCE):
            raise Failed(f"{what}: {numbers}, not {self.expected}")
