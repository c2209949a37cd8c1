"""A rank of multi-process JAX: NCCL where every rank has a GPU, gloo otherwise."""

from __future__ import annotations

import importlib
import math
import os
import pickle
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sealane.training.distributed.config import TrainConfig
    from sealane.training.distributed.rank import RankJob
    from sealane.training.run import Array, Rows

_LOST = ("Gloo", "NCCL", "coordination service", "CoordinationService", "Connection reset by peer")


@dataclass(frozen=True, slots=True)
class JaxPayload:
    """What is trained. Picklable.

    Attributes:
        model: Module, logits and loss, pickled apart: JAX has to know the other processes before
            the first array is made.
        features: The names of the features.
    """

    model: bytes
    features: tuple[str, ...]


def create(job: RankJob) -> JaxRank:
    """Called by the rank's process, before JAX has looked for devices."""
    os.environ["NPROC"] = str(job.threads)
    if job.threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    jax: Any = importlib.import_module("jax")
    if not os.environ.get("CUDA_VISIBLE_DEVICES"):
        jax.config.update("jax_platforms", "cpu")
    # It would keep the process from ending at SIGTERM.
    jax.config.update("jax_enable_preemption_service", False)
    return JaxRank(job, jax)


class JaxRank:
    """One process of many."""

    def __init__(self, job: RankJob, jax: Any) -> None:
        self._job = job
        self._jax = jax
        self._payload: JaxPayload = pickle.loads(job.payload)
        self._held: socket.socket | None = None
        self._bound = ""

    def address(self) -> str:
        """Rank 0 holds a free port for the coordinator, which shares it (SO_REUSEPORT)."""
        if self._job.rank != 0 or self._job.config.ranks == 1:
            return ""
        family = socket.getaddrinfo(self._job.host, None, type=socket.SOCK_STREAM)[0][0]
        self._held = socket.socket(family, socket.SOCK_STREAM)
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        host = self._job.host
        try:
            self._held.bind((host, 0))
        except OSError:
            # Others reach this machine under a name that is not its own: all its names will do.
            host = "0.0.0.0" if family == socket.AF_INET else "[::]"
            self._held.bind(("", 0))
        port = self._held.getsockname()[1]
        self._bound = f"{host}:{port}"
        return f"{self._job.host}:{port}"

    def join(self, peers: Sequence[str]) -> JaxLearner:
        """Connects to rank 0's coordinator."""
        config = self._job.config
        if config.ranks > 1:
            seconds = math.ceil(config.stall_seconds)
            self._jax.config.update("jax_cpu_collectives_implementation", "gloo")
            self._jax.distributed.initialize(
                peers[0],
                config.ranks,
                self._job.rank,
                coordinator_bind_address=self._bound or None,
                cluster_detection_method="deactivate",
                initialization_timeout=seconds,
                heartbeat_timeout_seconds=seconds,
                shutdown_timeout_seconds=seconds,
            )
        if self._held is not None:
            self._held.close()
        model, logits, loss = pickle.loads(self._payload.model)
        return JaxLearner(model, logits, loss, self._payload.features, config)

    def is_lost_peer(self, error: Exception) -> bool:
        """Gloo and NCCL tell it in words; a rank that only waits is told by a clock."""
        if isinstance(error, Silence):
            return True
        raised = isinstance(error, (ValueError, self._jax.errors.JaxRuntimeError))
        return raised and any(word in str(error) for word in _LOST)

    def close(self) -> None:
        """Leaves together with the others: a process whose coordinator is gone is aborted."""
        if self._job.config.ranks > 1:
            # All that was to be told has been told.
            with suppress(Exception):
                self._jax.distributed.shutdown()


class Silence(Exception):
    """Other ranks have not answered in time."""


class JaxLearner:
    """A model whose parameters every device has, trained on batches that lie across all of them.

    A step is one compiled program for all processes: the loss is the mean over the rows of all
    ranks, and so are the means and variances of batch normalisation.
    """

    def __init__(
        self,
        model: Any,
        logits: Any,
        loss: Any,
        features: Sequence[str],
        config: TrainConfig,
    ) -> None:
        from sealane.training.distributed import jax_losses, jax_parts

        self._jax, self._parts_of = jax_parts.jax, jax_parts
        self._parts = jax_parts.take_apart(model, logits, features)
        self._judge = jax_losses.judge(loss)
        self._optimizer = jax_losses.optimizer(config)
        self._apply_updates: Callable[..., Any] = jax_losses.optax.apply_updates
        self._ranks = config.ranks
        self._patience = config.stall_seconds
        self._precision = "BF16_BF16_F32" if config.precision == "mixed" else "highest"
        self._waiting = ThreadPoolExecutor(1, "sealane-jax")
        devices = self._jax.devices()
        local = len(self._jax.local_devices())
        if config.batch_size % local:
            raise SealaneError(
                ErrorCode.INPUT_SHAPE,
                f"batch_size = {config.batch_size} can not be shared by {local} devices of a rank",
            )
        sharding = self._jax.sharding
        mesh = sharding.Mesh(np.array(devices), ("rows",))
        self._same = sharding.NamedSharding(mesh, sharding.PartitionSpec())
        self._across = sharding.NamedSharding(mesh, sharding.PartitionSpec("rows"))
        params = self._everywhere(self._parts.params)
        state = self._everywhere(self._parts.state)
        begun = self._everywhere(self._optimizer.init(self._parts.params))
        self._state: Any = (params, state, begun)
        self._compiled: Callable[..., Any] | None = None
        self._evaluate = self._jax.jit(self._evaluated)
        self._gather = self._jax.jit(_itself, out_shardings=self._same)
        self._sum, self._pending = 0.0, None

    def step(self, rows: Rows, seed: int) -> None:
        """One compiled step; the loss of the one before is taken while it runs."""
        # All ranks draw as one, by the step alone, however many there are.
        common = seed // self._ranks
        words = np.array([common >> 32, common & 0xFFFFFFFF], np.uint32)
        batch = (*self._batch(rows), self._everywhere(words))
        if self._compiled is None:
            step = self._jax.jit(
                self._stepped, donate_argnums=0, out_shardings=(self._same, self._same)
            )
            self._compiled = step.lower(self._state, *batch).compile()
        self._in_time(self._advance, batch)

    def taken(self) -> float:
        """The sum, which begins anew."""
        self._in_time(self._settle)
        loss, self._sum = self._sum, 0.0
        return loss

    def evaluate(self, rows: Rows) -> tuple[float, Array]:
        """The mean loss in inference mode, times the rows; and the outputs. By this rank alone."""
        params, state, _ = self._jax.tree.map(self._parts_of.local, self._state)
        features = {name: self._plain(value) for name, value in rows.features.items()}
        loss, outputs = self._evaluate(params, state, features, self._plain(rows.target))
        return float(loss) * len(rows), np.asarray(outputs, np.float64)

    def total(self, values: Array) -> Array:
        """Gathered in double precision and summed in the order of the ranks."""
        if self._ranks == 1:
            return values

        def gathered() -> Array:
            with self._jax.enable_x64(True):
                mine = np.zeros((len(self._jax.local_devices()), len(values)), np.float64)
                mine[0] = values
                across = self._jax.make_array_from_process_local_data(self._across, mine)
                return np.asarray(self._parts_of.local(self._gather(across)))

        return self._in_time(gathered).sum(axis=0)

    def state(self) -> bytes:
        """Parameters, the model's state and the optimizer's."""
        return self._parts_of.to_bytes(self._state)

    def load(self, state: bytes) -> None:
        """Parameters, the model's state and the optimizer's."""
        self._state = self._everywhere(self._parts_of.of_bytes(self._state, state))

    def weights(self) -> bytes:
        """Parameters and the model's state."""
        return self._parts_of.to_bytes(self._state[:2])

    def _advance(self, batch: tuple[Any, ...]) -> None:
        assert self._compiled is not None
        self._state, loss = self._compiled(self._state, *batch)
        self._settle()
        self._pending = loss

    def _settle(self) -> None:
        if self._pending is not None:
            self._sum += float(self._parts_of.local(self._pending))
            self._pending = None

    def _stepped(self, carried: Any, features: Any, targets: Any, seed: Any) -> tuple[Any, Any]:
        params, state, begun = carried

        def judged(params: Any) -> tuple[Any, Any]:
            outputs, after = self._parts.outputs(params, state, features, seed)
            return self._judge(outputs, targets)[0], after

        with self._jax.default_matmul_precision(self._precision):
            gradient = self._jax.value_and_grad(judged, has_aux=True)
            (loss, after), slope = gradient(params)
        updates, begun = self._optimizer.update(slope, begun, params)
        return (self._apply_updates(params, updates), after, begun), loss

    def _evaluated(self, params: Any, state: Any, features: Any, targets: Any) -> tuple[Any, Any]:
        with self._jax.default_matmul_precision(self._precision):
            outputs, _ = self._parts.outputs(params, state, features, None)
            return self._judge(outputs, targets)

    def _in_time(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function gives that waits for other ranks.

        Raises:
            Silence: It takes longer than a rank may be silent.
        """
        if self._ranks == 1:
            return function(*arguments)
        try:
            return self._waiting.submit(function, *arguments).result(self._patience)
        except TimeoutError as error:
            raise Silence(f"other ranks gave no answer for {self._patience:g} seconds") from error

    def _batch(self, rows: Rows) -> tuple[dict[str, Any], Any]:
        def across(value: Array) -> Any:
            plain = self._plain(value)
            return self._jax.make_array_from_process_local_data(self._across, plain)

        features = {name: across(value) for name, value in rows.features.items()}
        return features, across(rows.target)

    def _plain(self, value: Any) -> Array:
        return np.asarray(value, self._jax.dtypes.canonicalize_dtype(value.dtype))

    def _everywhere(self, tree: Any) -> Any:
        """A pytree that every process has, as arrays of all devices."""

        def placed(leaf: Any) -> Any:
            plain = self._plain(np.asarray(leaf))
            return self._jax.make_array_from_callback(plain.shape, self._same, plain.__getitem__)

        return self._jax.tree.map(placed, tree)


def _itself(array: Any) -> Any:
    return array
