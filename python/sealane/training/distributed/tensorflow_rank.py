"""A rank of TensorFlow's MultiWorkerMirroredStrategy, with Keras models in a loop of our own.

Keras 3's ``fit`` can not be used under the strategy (keras#20585). The strategy's ``run`` averages
the gradients; forward, backward and the update are outside of it, the last alike on every rank.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import ErrorCode, SealaneError
from sealane.training.keras import batch_loss, model_input

# Another socket of ours holds the port until TensorFlow binds it, which it does late.
os.environ["TF_GRPC_REUSE_PORT"] = "true"
tf: Any = importlib.import_module("tensorflow")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sealane.training.distributed.config import TrainConfig
    from sealane.training.distributed.rank import RankJob
    from sealane.training.run import Array, Rows

    Arrays = list[np.ndarray[Any, Any]]

SMALLEST = 1e-30
"""A probability below it is taken for it, when it is made a logit."""


@dataclass(frozen=True, slots=True)
class KerasPayload:
    """What is trained. Picklable by cloudpickle.

    Attributes:
        make: Makes the model.
        weights: Its first weights, in the order of ``get_weights``.
        loss: A name, or a function of targets and outputs.
        from_logits: Whether the outputs are logits.
    """

    make: Callable[[], Any]
    weights: Arrays
    loss: Any
    from_logits: bool


def create(job: RankJob) -> TensorFlowRank:
    """Called by the rank's process."""
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    # Collectives wait in threads of their own kind of work: one must be left for the rest.
    tf.config.threading.set_inter_op_parallelism_threads(max(2, job.threads))
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    return TensorFlowRank(job)


class TensorFlowRank:
    """One worker of a cluster in which every worker is alike."""

    def __init__(self, job: RankJob) -> None:
        self._job = job
        self._held = socket.socket()

    def address(self) -> str:
        """Holds a port that TensorFlow's server may bind too, and no other program."""
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind(("", 0))
        return f"{self._job.host}:{self._held.getsockname()[1]}"

    def join(self, peers: Sequence[str]) -> TensorFlowLearner:
        """Starts the strategy, which meets the others."""
        distribute = tf.distribute
        resolver = distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": list(peers)}),
            task_type="worker",
            task_id=self._job.rank,
            rpc_layer="grpc",
        )
        options = distribute.experimental.CommunicationOptions(
            timeout_seconds=self._job.config.stall_seconds
        )
        strategy = distribute.MultiWorkerMirroredStrategy(resolver, options)
        # Not before: the strategy refuses to start when a model has started TensorFlow.
        payload: KerasPayload = pickle.loads(self._job.payload)
        return TensorFlowLearner(payload, self._job.config, strategy, options)

    def is_lost_peer(self, error: Exception) -> bool:
        """What collectives fail with when another worker is gone."""
        errors = tf.errors
        kinds = (errors.UnavailableError, errors.AbortedError, errors.DeadlineExceededError)
        return isinstance(error, kinds) or (
            isinstance(error, errors.OpError) and "Collective ops is aborted" in str(error)
        )

    def close(self) -> None:
        """Nothing to leave: the servers end with their processes."""


class TensorFlowLearner:
    """A Keras model that all ranks train."""

    def __init__(
        self, payload: KerasPayload, config: TrainConfig, strategy: Any, options: Any
    ) -> None:
        self._strategy = strategy
        self._options = options
        self._model = payload.make()
        if config.precision == "mixed":
            for layer in self._model._flatten_layers(include_self=False):
                layer.dtype_policy = "mixed_bfloat16"
        self._model.set_weights(payload.weights)
        self._likely = config.loss == "binary" and not payload.from_logits
        self._each = payload.loss in ("binary", "squared")
        self._keras = importlib.import_module("keras")
        self._loss = batch_loss(self._keras, payload.loss, from_logits=payload.from_logits)
        self._optimizer = _optimizer(self._keras, config)
        self._optimizer.build(self._model.trainable_variables)
        trained = {id(variable) for variable in self._model.trainable_weights}
        self._statistics = [v for v in self._model.weights if id(v) not in trained]
        weights = {id(variable) for variable in self._model.weights}
        self._seeds = [v for v in self._model.variables if id(v) not in weights]
        self._sum = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        # As Keras' own loop, not converted: AutoGraph would wrap our errors in others.
        self._step = tf.function(self._update, autograph=False)
        self._forward = tf.function(self._inferred, reduce_retracing=True, autograph=False)
        self._total = tf.function(self._summed, autograph=False)

    def step(self, rows: Rows, seed: int) -> None:
        """Forward, backward with the gradients' mean over the ranks, update."""
        drawn = np.random.SeedSequence(seed).generate_state(2 * len(self._seeds), np.uint32)
        for variable, state in zip(self._seeds, drawn.reshape(-1, 2), strict=True):
            variable.assign(state)
        self._step(*self._tensors(rows))

    def taken(self) -> float:
        """The sum, which begins anew."""
        loss = float(self._sum)
        self._sum.assign(0.0)
        return loss

    def evaluate(self, rows: Rows) -> tuple[float, Array]:
        """The mean loss with ``training=False``, times the rows; and logits."""
        loss, outputs = self._forward(*self._tensors(rows))
        found = np.asarray(outputs, np.float64)
        if self._likely:
            found = np.log(np.maximum(found, SMALLEST)) - np.log(np.maximum(1 - found, SMALLEST))
        return float(loss) * len(rows), found

    def total(self, values: Array) -> Array:
        """By all-reduce, in double precision."""
        return np.asarray(self._total(tf.constant(values, tf.float64)))

    def state(self) -> bytes:
        """Weights and the optimizer's variables."""
        optimizer = [np.asarray(variable) for variable in self._optimizer.variables]
        return _saved([*self._model.get_weights(), *optimizer])

    def load(self, state: bytes) -> None:
        """Weights and the optimizer's variables."""
        found = loaded(state)
        count = len(self._model.weights)
        self._model.set_weights(found[:count])
        for variable, value in zip(self._optimizer.variables, found[count:], strict=True):
            variable.assign(value)

    def weights(self) -> bytes:
        """The model's, in the order of ``get_weights``."""
        return _saved(self._model.get_weights())

    def _update(self, x: Any, y: Any) -> None:
        trained = self._model.trainable_variables
        values = [variable.value for variable in trained]
        with tf.GradientTape() as tape:
            loss = self._judged(y, self._model(x, training=True))
        gradients = tape.gradient(loss, values, unconnected_gradients="zero")
        reduced = self._reduced("MEAN", [*gradients, *(each.value for each in self._statistics)])
        self._optimizer.apply(reduced[: len(trained)], trained)
        for variable, mean in zip(self._statistics, reduced[len(trained) :], strict=True):
            variable.assign(mean)
        self._sum.assign_add(tf.cast(loss, tf.float64))

    def _reduced(self, operation: str, values: list[Any]) -> list[Any]:
        """Over the ranks. Only this runs under the strategy, in which Keras scales its losses."""
        mine = [tf.convert_to_tensor(each) for each in values]
        if self._strategy.num_replicas_in_sync == 1 or not mine:
            return mine

        def reduce(given: list[Any]) -> Any:
            # The strategy refuses tensors without a device; identity has that of the replica.
            placed = [tf.identity(each) for each in given]
            context = tf.distribute.get_replica_context()
            kind = getattr(tf.distribute.ReduceOp, operation)
            return context.all_reduce(kind, placed, options=self._options)

        return list(self._strategy.run(reduce, args=(mine,)))

    def _judged(self, y: Any, outputs: Any) -> Any:
        one = outputs.shape[1:].num_elements() == y.shape[1:].num_elements()
        if self._each and not one:
            raise SealaneError(
                ErrorCode.INPUT_SHAPE, f"The model gives {outputs.shape} for targets {y.shape}."
            )
        return self._loss(y, tf.cast(outputs, tf.float32))

    def _inferred(self, x: Any, y: Any) -> tuple[Any, Any]:
        outputs = self._model(x, training=False)
        return self._judged(y, outputs), outputs

    def _summed(self, values: Any) -> Any:
        return self._reduced("SUM", [values])[0]

    def _tensors(self, rows: Rows) -> tuple[Any, Any]:
        x, y = model_input(self._model, rows)
        return tf.nest.map_structure(tf.convert_to_tensor, x), tf.convert_to_tensor(y)


def loaded(data: bytes) -> Arrays:
    """Arrays in the order in which they were kept."""
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        return [found[str(number)] for number in range(len(found.files))]


def _saved(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    named: dict[str, Any] = {str(number): array for number, array in enumerate(arrays)}
    np.savez(buffer, **named)
    return buffer.getvalue()


def _optimizer(keras: Any, config: TrainConfig) -> Any:
    kinds = keras.optimizers
    make = {"sgd": kinds.SGD, "adam": kinds.Adam, "adamw": kinds.AdamW}[config.optimizer]
    decay = config.weight_decay if config.weight_decay or config.optimizer == "adamw" else None
    return make(config.lr, weight_decay=decay)
