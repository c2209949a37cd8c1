"""PyTorch modules that can be trained on Spark."""

from __future__ import annotations

import copy
import io
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

from sealane.core import ErrorCode, SealaneError
from sealane.core.frameworks import load_module

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sealane.features import Features, FittedFeatures
    from sealane.spark.training.trainable import Prepared
    from sealane.training.distributed.config import TrainConfig


_ONE_AT_A_TIME = threading.Lock()
"""PyTorch's random state belongs to the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchTrainable:
    """A ``torch.nn.Module`` for DistributedDataParallel.

    What it is made of has to be importable on the executors, or defined in ``__main__``.

    Attributes:
        module: The module, or a function of the fitted features (None without) that makes it; the
            function is called once, on the driver, after the seed was set.
        features: Transforms of raw columns, fitted or to be fitted; their outputs are given to the
            arguments of their names.
        inputs: Without features: the columns, given to the arguments of their names.
        logits: The method that gives what the loss takes, when it is not ``forward``.
        loss: A function of outputs and targets that gives the mean loss of a batch, in place of the
            one that the run names.
        options: Further arguments of :func:`sealane.export` by name.
    """

    module: Any
    features: Features | FittedFeatures | None = None
    inputs: Sequence[str] = ()
    logits: str | None = None
    loss: Callable[[Any, Any], Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def framework(self) -> str:
        """``torch``."""
        return "torch"

    def prepare(
        self, fitted: FittedFeatures | None, names: Sequence[str], config: TrainConfig
    ) -> Prepared:
        """Makes or copies the module.

        Raises:
            SealaneError: ENGINE_UNAVAILABLE without PyTorch, INPUT_DTYPE when it is no module.
        """
        torch = load_module("torch", "torch")
        with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            given = isinstance(self.module, torch.nn.Module)
            module = copy.deepcopy(self.module) if given else self.module(fitted)
        if not isinstance(module, torch.nn.Module):
            raise SealaneError(
                ErrorCode.INPUT_DTYPE, f"module gives a {type(module).__name__}, no nn.Module"
            )
        from sealane.training.distributed.torch_rank import TorchPayload

        payload = TorchPayload(module, self.logits, self.loss or config.loss, tuple(names))
        pickle: Any = cloudpickle
        return _PreparedTorch(torch, module, pickle.dumps(payload))


@dataclass(frozen=True, slots=True)
class _PreparedTorch:
    torch: Any
    module: Any
    payload: bytes

    def finish(self, weights: bytes) -> object:
        state = self.torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
        self.module.load_state_dict(state)
        return self.module.eval()
