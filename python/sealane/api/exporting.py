"""A trained model made into a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealane.api.bundle import Bundle
from sealane.export import export as write_export

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sealane.bundle import Tolerance
    from sealane.core import Domain, SymbolRange
    from sealane.features import FittedFeatures


def export(
    model: object,
    example_inputs: object,
    name: str,
    *,
    path: str | Path | None = None,
    version: str = "1.0.0",
    features: FittedFeatures | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dynamic: Mapping[str, Mapping[int, str]] | bool | None = None,
    domains: Mapping[str, Domain] | None = None,
    symbols: Mapping[str, SymbolRange] | None = None,
    tolerance: Tolerance | Mapping[str, Any] | None = None,
    formats: Sequence[str] = ("onnx", "savedmodel"),
    overwrite: bool = False,
    **options: Any,
) -> Bundle:
    """Exports a trained model as a bundle that has been verified against it.

    Args:
        model: A ``torch.nn.Module`` or a Keras 3 model; exported in inference mode, not changed.
        example_inputs: A tuple of arrays or tensors, a mapping name → array, or a DataFrame
            (column → vector). Real rows make the best evidence.
        name: The model's name.
        path: The bundle's directory; None for ``name`` in the current directory.
        version: The model's version.
        features: Fitted transforms; the bundle then takes the raw columns.
        input_names: What to call inputs given by position; None for the model's own names.
        output_names: What to call the outputs; None for the model's own names.
        dynamic: None makes axis 0 of every input the symbol ``batch``; False fixes every dim; a
            mapping input → {axis: symbol} says it exactly.
        domains: Which values inputs accept, by input name.
        symbols: Ranges of the symbols.
        tolerance: ``rtol``, ``atol`` and ``reason`` for a model that can not be within the oracle.
        formats: ``onnx`` always; ``savedmodel`` where it comes out right.
        overwrite: Whether a bundle at ``path`` is replaced.
        **options: ``golden_samples``, ``lineage``, ``licenses``, ``seed``,
            ``external_data_threshold``: see :func:`sealane.export.exporting.export`.

    Returns:
        The bundle on disk; ``.verify()`` replays it on every runtime.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED or EXPORT_FAILED, naming the layer or node; BUNDLE_EXISTS;
            ENGINE_UNAVAILABLE for a missing extra. Nothing is left on disk then.
    """
    written = write_export(
        model,
        example_inputs,
        name=name,
        path=name if path is None else path,
        version=version,
        features=features,
        input_names=input_names,
        output_names=output_names,
        dynamic=dynamic,
        domains=domains,
        symbols=symbols,
        tolerance=tolerance,
        formats=formats,
        overwrite=overwrite,
        **options,
    )
    return Bundle(written)
