"""Networks that Deeplearning4j trains on the executors' JVMs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sealane.features import Features, FittedFeatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Dl4jTrainable:
    """A network that is trained without a Python worker: one of three things that make it.

    The session needs the engine's jars: ``sealane.spark.jar_conf("dl4j")``.

    Attributes:
        bundle: A bundle with a network (format ``dl4j``), which is trained further; its features
            read the columns of its signature.
        module: A ``torch.nn.Module`` or a Keras model, or a function of the fitted features (None
            without) that makes one. It is exported on the driver, after the seed was set, and what
            its layers can not say is refused there.
        configuration: A file of Deeplearning4j's: a model's zip, or the JSON of a
            MultiLayerConfiguration or ComputationGraphConfiguration, whose weights are drawn by the
            seed in it.
        features: With ``module``: transforms of raw columns, fitted or to be fitted.
        inputs: With ``module``, without features: the columns, given to the arguments of their
            names.
        output: The output that the loss judges, logits or probabilities; None for the first.
        local_steps: Steps that each rank takes alone before weights and moments are averaged. 1
            shares every gradient, and so many ranks train as one with all their rows; more is
            faster, and another training.
        options: With ``module``: further arguments of :func:`sealane.export` by name.
    """

    bundle: Path | str | None = None
    module: Any = None
    configuration: Path | str | None = None
    features: Features | FittedFeatures | None = None
    inputs: Sequence[str] = ()
    output: str | None = None
    local_steps: int = 1
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        given = [self.bundle, self.module, self.configuration]
        if sum(each is not None for each in given) != 1:
            raise SealaneError(
                ErrorCode.INPUT_MISSING,
                "a Dl4jTrainable is made of a bundle, of a module or of a configuration",
            )
        named = self.features is not None or bool(self.inputs)
        if named != (self.module is not None):
            raise SealaneError(
                ErrorCode.INPUT_MISSING if self.module is not None else ErrorCode.INPUT_UNKNOWN,
                "a module needs features or inputs; a bundle or a configuration has its own",
            )
        if self.local_steps < 1:
            raise SealaneError(
                ErrorCode.INPUT_DOMAIN,
                f"local_steps = {self.local_steps} can not train a model",
                {"setting": "local_steps"},
            )

    @property
    def framework(self) -> str:
        """``dl4j``."""
        return "dl4j"
