"""What can be trained on Spark: one class per framework, used alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealane.features import Features, FittedFeatures
    from sealane.training.distributed.config import TrainConfig


class Prepared(Protocol):
    """A model that is ready to be sent to the ranks."""

    @property
    def payload(self) -> bytes:
        """What the ranks get, pickled."""
        ...

    def finish(self, weights: bytes) -> object:
        """The model with the weights that rank 0 gave, ready for export."""
        ...


class Trainable(Protocol):
    """A model and what it reads."""

    @property
    def framework(self) -> str:
        """Which rank trains it."""
        ...

    @property
    def features(self) -> Features | FittedFeatures | None:
        """Transforms of raw columns, fitted or to be fitted; None when ``inputs`` are read."""
        ...

    @property
    def inputs(self) -> Sequence[str]:
        """Columns of numbers, or of arrays of one length, by the model's arguments."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """Further arguments of :func:`sealane.export` by name."""
        ...

    def prepare(
        self, fitted: FittedFeatures | None, names: Sequence[str], config: TrainConfig
    ) -> Prepared:
        """Makes the model that all ranks begin with.

        Args:
            fitted: The fitted transforms.
            names: Of the features that the model gets.
            config: The run.
        """
        ...
