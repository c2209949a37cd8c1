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

    from sealane.core.keras import Keras
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
        keras: The Keras that the model is from.
        make: Makes the model.
        weights: Its first weights, in the order of `Keras.weights`.
        loss: A name, or a function of targets and outputs.
        from_logits: Whether the outputs are logits.
    """

    keras: Keras
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
        self._keras = payload.keras
        self._model = _made(payload, config)
        # What AutoGraph makes of the model is a function of its own, so that in ours nothing is
        # converted: it would wrap our errors in others.
        self._call = tf.function(self._model.__call__) if self._keras.autograph else self._model
        self._likely = config.loss == "binary" and not payload.from_logits
        self._each = payload.loss in ("binary", "squared")
        module = self._keras.module
        self._loss = batch_loss(module, payload.loss, from_logits=payload.from_logits)
        self._optimizer = _optimizer(module, config)
        self._optimizer.build(self._model.trainable_variables)
        self._weights = self._keras.weights(self._model)
        self._statistics = _statistics(self._model, self._weights)
        self._reseeds = self._keras.reseeds(self._model)
        self._sum = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self._step = tf.function(self._update, autograph=False)
        self._forward = tf.function(self._inferred, reduce_retracing=True, autograph=False)
        self._total = tf.function(self._summed, autograph=False)

    def step(self, rows: Rows, seed: int) -> None:
        """Forward, backward with the gradients' mean over the ranks, update."""
        drawn = np.random.SeedSequence(seed).generate_state(2 * len(self._reseeds), np.uint32)
        for reseed, words in zip(self._reseeds, drawn.reshape(-1, 2), strict=True):
            reseed(words)
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
        return _saved([*self._weights, *self._optimizer.variables])

    def load(self, state: bytes) -> None:
        """Weights and the optimizer's variables."""
        assign([*self._weights, *self._optimizer.variables], loaded(state))

    def weights(self) -> bytes:
        """The model's, in the order of `Keras.weights`."""
        return _saved(self._weights)

    def _update(self, x: Any, y: Any) -> None:
        trained = self._model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self._judged(y, self._call(x, training=True))
        values = [self._keras.value(variable) for variable in trained]
        gradients = tape.gradient(loss, values, unconnected_gradients="zero")
        statistics = [self._keras.value(variable) for variable in self._statistics]
        reduced = self._reduced("MEAN", [*gradients, *statistics])
        self._keras.apply(self._optimizer, reduced[: len(trained)], trained)
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
        outputs = self._call(x, training=False)
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


def assign(variables: Sequence[Any], values: Arrays) -> None:
    """Gives variables of either Keras their values."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _saved(variables: Sequence[Any]) -> bytes:
    buffer = io.BytesIO()
    named = {str(number): _array(variable) for number, variable in enumerate(variables)}
    np.savez(buffer, **named)
    return buffer.getvalue()


def _array(variable: Any) -> Any:
    """Its values; bfloat16, which no file of NumPy's keeps, as float32."""
    array = variable.numpy()
    return array.astype(np.float32) if array.dtype.kind == "V" else array


def _made(payload: KerasPayload, config: TrainConfig) -> Any:
    """The model with its first weights, in the run's precision."""
    mixed = config.precision == "mixed"
    model = payload.keras.mixed(payload.make) if mixed else payload.make()
    assign(payload.keras.weights(model), payload.weights)
    return model


def _statistics(model: Any, weights: Sequence[Any]) -> list[Any]:
    """The weights that a step may change without a gradient: running means, and no counts."""
    trained = {id(variable) for variable in model.trainable_weights}
    rest = [each for each in weights if id(each) not in trained]
    return [each for each in rest if tf.as_dtype(each.dtype).is_floating]


def _optimizer(keras: Any, config: TrainConfig) -> Any:
    kinds = keras.optimizers
    make = {"sgd": kinds.SGD, "adam": kinds.Adam, "adamw": kinds.AdamW}[config.optimizer]
    decay = config.weight_decay if config.weight_decay or config.optimizer == "adamw" else None
    return make(config.lr, weight_decay=decay)
