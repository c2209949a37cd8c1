"""JAX functions and Flax modules that can be trained on Spark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

from sealane.core import ErrorCode, SealaneError
from sealane.core.frameworks import load_module
from sealane.jax import JaxModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sealane.features import Features, FittedFeatures
    from sealane.spark.training.trainable import Prepared
    from sealane.training.distributed.config import TrainConfig
    from sealane.training.distributed.jax_parts import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class JaxTrainable:
    """A ``flax.nnx.Module`` or a `JaxModel` for multi-process JAX, with Optax.

    What it is made of has to be importable on the executors, or defined in ``__main__``.

    Attributes:
        module: The module or model, or a function of the fitted features (None without) that makes
            it; the function is called once, on the driver, and seeds what it draws itself.
        features: Transforms of raw columns, fitted or to be fitted; their outputs are given to the
            arguments of their names.
        inputs: Without features: the columns, given to the arguments of their names.
        logits: What gives what the loss takes, when it is not the model itself: the name of a
            module's method, or for a JaxModel a function of its parameters and the features. An
            argument ``key`` of that function gets a random key in training and None otherwise.
        loss: A function of outputs and targets that gives the mean loss of a batch, in place of the
            one that the run names.
        options: Further arguments of :func:`sealane.export` by name.
    """

    module: Any
    features: Features | FittedFeatures | None = None
    inputs: Sequence[str] = ()
    logits: str | Callable[..., Any] | None = None
    loss: Callable[[Any, Any], Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def framework(self) -> str:
        """``jax``."""
        return "jax"

    def prepare(
        self, fitted: FittedFeatures | None, names: Sequence[str], config: TrainConfig
    ) -> Prepared:
        """Makes the model, and takes it apart.

        Raises:
            SealaneError: ENGINE_UNAVAILABLE without JAX, INPUT_DTYPE when it is no model or one
                that can not be trained, INPUT_UNKNOWN for a feature without an argument.
        """
        for name in ("jax", "optax"):
            load_module(name, "jax")
        nnx = load_module("flax.nnx", "jax")
        known = (nnx.Module, JaxModel)
        model = self.module if isinstance(self.module, known) else self.module(fitted)
        if not isinstance(model, known):
            raise SealaneError(
                ErrorCode.INPUT_DTYPE,
                f"module gives a {type(model).__name__}, no flax.nnx.Module and no JaxModel",
            )
        from sealane.training.distributed.jax_parts import take_apart
        from sealane.training.distributed.jax_rank import JaxPayload

        parts = take_apart(model, self.logits, names)
        pickle: Any = cloudpickle
        told = pickle.dumps((model, self.logits, self.loss or config.loss))
        return _PreparedJax(parts, pickle.dumps(JaxPayload(told, tuple(names))))


@dataclass(frozen=True, slots=True)
class _PreparedJax:
    parts: Parts
    payload: bytes

    def finish(self, weights: bytes) -> object:
        from sealane.training.distributed.jax_parts import of_bytes

        return self.parts.whole(*of_bytes((self.parts.params, self.parts.state), weights))
