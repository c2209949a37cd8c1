"""A rank of PyTorch's DistributedDataParallel: NCCL where every rank has a GPU, gloo otherwise."""

from __future__ import annotations

import importlib
import io
import pickle
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from sealane.training.torch import BatchLoss

torch: Any = importlib.import_module("torch")
dist: Any = importlib.import_module("torch.distributed")

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sealane.training.distributed.config import TrainConfig
    from sealane.training.distributed.rank import RankJob
    from sealane.training.run import Array, Rows


@dataclass(frozen=True, slots=True)
class TorchPayload:
    """What is trained. Picklable by cloudpickle.

    Attributes:
        module: With its first weights.
        logits: The method that gives what the loss takes; None for ``forward``.
        loss: A name, or a function of outputs and targets.
        features: The names of the features.
    """

    module: nn.Module
    logits: str | None
    loss: Any
    features: tuple[str, ...]


def create(job: RankJob) -> TorchRank:
    """Called by the rank's process."""
    torch.set_num_threads(job.threads)
    return TorchRank(job)


class TorchRank:
    """One process of a process group."""

    def __init__(self, job: RankJob) -> None:
        self._job = job
        self._payload: TorchPayload = pickle.loads(job.payload)
        self._patience = timedelta(seconds=job.config.stall_seconds)
        self._store: Any = None

    def address(self) -> str:
        """Rank 0 binds the store that all meet at; the port is any that is free."""
        if self._job.rank != 0:
            return ""
        ranks = self._job.config.ranks
        self._store = dist.TCPStore(
            self._job.host, 0, ranks, is_master=True, timeout=self._patience, wait_for_workers=False
        )
        return f"{self._job.host}:{self._store.port}"

    def join(self, peers: Sequence[str]) -> TorchLearner:
        """Connects to rank 0's store."""
        config, rank = self._job.config, self._job.rank
        if self._store is None:
            host, _, port = peers[0].rpartition(":")
            self._store = dist.TCPStore(host, int(port), config.ranks, timeout=self._patience)
        device = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
        dist.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            store=self._store,
            rank=rank,
            world_size=config.ranks,
            timeout=self._patience,
        )
        return TorchLearner(self._payload, config, device)

    def is_lost_peer(self, error: Exception) -> bool:
        """Gloo and NCCL tell it in words."""
        if isinstance(error, dist.DistError):
            return True
        words = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "gloo")
        return isinstance(error, RuntimeError) and any(word in str(error) for word in words)

    def close(self) -> None:
        """Waits for no one."""
        if dist.is_initialized():
            dist.destroy_process_group()


class _Loss(nn.Module):
    """The model and its loss as one module, so that DDP's hooks see whatever method it uses."""

    def __init__(self, payload: TorchPayload) -> None:
        super().__init__()
        self.model = payload.module
        described = getattr(self.model, payload.logits or "forward")
        call = described if payload.logits else self.model
        self._loss = BatchLoss(torch, described, call, payload.loss, payload.features)

    def forward(self, features: Mapping[str, Any], targets: Any) -> Any:
        return self._loss.judged(features, targets)


class TorchLearner:
    """A module that all ranks train."""

    def __init__(self, payload: TorchPayload, config: TrainConfig, device: Any) -> None:
        self._device = device
        # Not torch.manual_seed: where CUDA has not been used it keeps a traceback of each call.
        cuda = device.type == "cuda"
        if cuda:
            torch.cuda.init()
        self._generator = (
            torch.cuda.default_generators[device.index] if cuda else torch.default_generator
        )
        self._loss = _Loss(payload).to(device)
        self._parallel: Callable[..., Any] = self._loss
        if config.ranks > 1:
            self._parallel = DistributedDataParallel(self._loss, gradient_as_bucket_view=True)
        self._optimizer = _optimizer(self._loss.model, config)
        mixed = config.precision == "mixed"
        half = torch.float16 if mixed and _lacks_bfloat16(device) else torch.bfloat16
        self._precision = (lambda: torch.autocast(device.type, half)) if mixed else nullcontext
        scaled = mixed and half is torch.float16
        self._scaler = torch.amp.GradScaler(device.type, enabled=scaled)
        self._sum = torch.zeros((), dtype=torch.float64, device=device)

    def step(self, rows: Rows, seed: int) -> None:
        """Forward, backward with the gradients' mean over the ranks, update."""
        if not self._loss.training:
            self._loss.train()
        self._generator.manual_seed(seed)
        self._optimizer.zero_grad(set_to_none=True)
        with self._precision():
            loss, _ = self._parallel(*self._tensors(rows))
        self._scaler.scale(loss).backward()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._sum += loss.detach()

    def taken(self) -> float:
        """The sum, which begins anew."""
        loss = float(self._sum)
        self._sum.zero_()
        return loss

    def evaluate(self, rows: Rows) -> tuple[float, Array]:
        """The mean loss in eval mode, times the rows; and the outputs."""
        self._loss.eval()
        with torch.inference_mode(), self._precision():
            loss, outputs = self._loss(*self._tensors(rows))
        return float(loss) * len(rows), outputs.double().cpu().numpy()

    def total(self, values: Array) -> Array:
        """By all-reduce, in double precision."""
        tensor = torch.tensor(values, dtype=torch.float64, device=self._device)
        dist.all_reduce(tensor)
        return tensor.cpu().numpy()

    def state(self) -> bytes:
        """Model, optimizer and scaler."""
        return _saved(
            {
                "model": self._loss.model.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "scaler": self._scaler.state_dict(),
            }
        )

    def load(self, state: bytes) -> None:
        """Model, optimizer and scaler."""
        found = torch.load(io.BytesIO(state), map_location=self._device, weights_only=True)
        self._loss.model.load_state_dict(found["model"])
        self._optimizer.load_state_dict(found["optimizer"])
        self._scaler.load_state_dict(found["scaler"])

    def weights(self) -> bytes:
        """The state_dict."""
        return _saved(self._loss.model.state_dict())

    def _tensors(self, rows: Rows) -> tuple[dict[str, Any], Any]:
        features = {name: self._tensor(value) for name, value in rows.features.items()}
        return features, self._tensor(rows.target)

    def _tensor(self, value: np.ndarray[Any, Any]) -> Any:
        array = np.require(value, requirements=("C", "W"))
        return torch.from_numpy(array).to(self._device)


def _optimizer(model: nn.Module, config: TrainConfig) -> Any:
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    make: Any = kinds[config.optimizer]
    return make(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)


def _lacks_bfloat16(device: Any) -> bool:
    return device.type == "cuda" and not torch.cuda.is_bf16_supported()


def _saved(state: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()
