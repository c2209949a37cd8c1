"""What an exporter needs of a trained model, whatever framework it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sealane.core.keras import keras_of
from sealane.export.errors import unsupported
from sealane.jax import JaxModel

if TYPE_CHECKING:
    from collections.abc import Callable

    import onnx

    from sealane.core import Signature
    from sealane.export.examples import Arrays, Examples
    from sealane.export.network.builder import Built
    from sealane.export.network.trace import TraceSettings, Trainer


@dataclass(frozen=True, slots=True)
class Oracle:
    """A float64 evaluation of the model.

    Attributes:
        kind: ``torch-f64``, ``keras-f64``, ``tf_keras-f64``, ``jax-f64`` or
            ``onnx-reference-f64``.
        version: Version of what evaluates it.
        run: Inputs by name → outputs by name; float outputs are float64.
    """

    kind: str
    version: str
    run: Callable[[Arrays], Arrays]


class Source(Protocol):
    """A private copy of a model in inference mode; the caller's own is never touched.

    Attributes:
        framework: ``torch``, ``keras`` (Keras 3), ``tf_keras`` or ``jax``.
        version: The framework's version.
        description: Of the model and exporter, for the manifest's environment.
        flushes_denormals: Whether the framework takes denormal numbers for zero.
    """

    flushes_denormals: bool
    framework: str
    version: str
    description: dict[str, object]

    def bind(self, examples: Examples, output_names: tuple[str, ...] | None) -> Arrays:
        """Fix how the inputs are passed and what the outputs are called, by running it once.

        Returns:
            The example inputs, in the dtypes that the model takes.
        """
        ...

    def run(self, inputs: Arrays) -> Arrays:
        """The reference outputs, in the model's own precision and in its own order."""
        ...

    def oracle(self) -> Oracle | None:
        """The model in float64, or None when the framework can not evaluate it so."""
        ...

    def to_onnx(self, signature: Signature, probe: Arrays, opset: int) -> onnx.ModelProto:
        """Convert the bare model.

        Args:
            signature: Of the bare model, before feature transforms.
            probe: Inputs whose dynamic dims differ from 0 and 1 and from each other.
            opset: The default-domain opset wanted; a route may return a lower one.
        """
        ...

    def to_network(self, signature: Signature, prefix: str = "") -> Built:
        """The bare model as layers that the JVM can train.

        Args:
            signature: Of the bare model, before feature transforms.
            prefix: Put before the names of the network's inputs.

        Raises:
            SealaneError: ``EXPORT_UNSUPPORTED`` naming the layer that a network can not hold.
        """
        ...

    def trainer(self, signature: Signature, settings: TraceSettings) -> Trainer:
        """A copy of the bare model that is trained step by step, for a golden training trace."""
        ...


def adapt(model: object) -> tuple[Source, tuple[str, ...]]:
    """The source for a model's framework, and what it calls its inputs.

    Only the framework the model comes from is imported.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` for any other object.
    """
    keras = keras_of(model)
    if keras is not None:
        from sealane.export.keras import KerasSource

        source = KerasSource(model, keras)
        return source, source.input_names()
    modules = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if "torch" in modules:
        from sealane.export.torch import TorchSource

        torch_source = TorchSource(model)
        return torch_source, torch_source.input_names()
    if "flax" in modules or isinstance(model, JaxModel):
        from sealane.export.jax import JaxSource

        jax_source = JaxSource(model)
        return jax_source, jax_source.input_names()
    name = f"{type(model).__module__}.{type(model).__qualname__}"
    raise unsupported(
        f"a {name} can not be exported; give a torch.nn.Module, a model of Keras 3 or tf_keras, a "
        "flax.nnx.Module or a sealane.jax.JaxModel",
        type=name,
    )
