"""What a training function gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model with all that exporting it needs.

    A function that returns one can be named on the command line (``sealane export train:fit``) and
    by a Java service (``io.sealane.bridge.PythonProcess.train``).

    Attributes:
        model: A ``torch.nn.Module`` or a Keras model.
        example_inputs: As for :func:`sealane.export`.
        metrics: What was measured, by name; kept in the bundle's lineage.
        options: Further arguments of :func:`sealane.export` by name, such as ``features``,
            ``output_names`` and ``domains``.
    """

    model: object
    example_inputs: object
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
