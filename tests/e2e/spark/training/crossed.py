"""A trainable for jobs, and one of whose ranks fails once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import torch
from torch import nn

from sealane.spark.training import TorchTrainable


class Crossed(nn.Module):
    """Whether two numbers have one sign."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))

    def logit(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.logit(x))


class Failing(Crossed):
    """Fails in a step of rank 1 unless a file is there, which it makes first."""

    def __init__(self, marker: Path, act: str, step: int) -> None:
        super().__init__()
        self.marker, self.act, self.step = marker, act, step
        self.steps = 0

    def logit(self, x: torch.Tensor) -> torch.Tensor:
        self.steps += self.training
        due = self.training and self.steps == self.step and not self.marker.exists()
        if due and torch.distributed.get_rank() == 1:
            self.marker.touch()
            self._fail()
        return super().logit(x)

    def _fail(self) -> None:
        if self.act == "raise":
            message = "the sensor is on fire"
            raise ValueError(message)
        if self.act == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        target = {"rank": os.getpid(), "executor": _executor()}[self.act]
        os.kill(target, signal.SIGKILL)
        signal.pause()


def _executor() -> int:
    """The JVM above the rank, its worker and the worker's daemon."""
    pid = os.getpid()
    while b"CoarseGrainedExecutorBackend" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid


OPTIONS = {"formats": ("onnx",), "output_names": ["same"]}
steady = TorchTrainable(module=lambda _: Crossed(), inputs=["x"], logits="logit", options=OPTIONS)


def failing() -> TorchTrainable:
    """Made on the driver, which is told how it fails."""
    act, marker, step = (os.environ[name] for name in ("ACT", "MARKER", "STEP"))
    return TorchTrainable(
        module=lambda _: Failing(Path(marker), act, int(step)),
        inputs=["x"],
        logits="logit",
        options=OPTIONS,
    )
