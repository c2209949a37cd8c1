"""A trained model made into a bundle."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sealane.api.bundle import Bundle
from sealane.api.opening import runtime_name
from sealane.core import ErrorCode, SealaneError
from sealane.export import export as write_export

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sealane.bundle import Tolerance
    from sealane.core import Domain, SymbolRange
    from sealane.features import FittedFeatures
    from sealane.runtime import EngineSession


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
    runtimes: Sequence[str] = (),
    overwrite: bool = False,
    **options: Any,
) -> Bundle:
    """Exports a trained model as a bundle that has been verified against it.

    Args:
        model: A ``torch.nn.Module``, a model of Keras 3 or ``tf_keras``, a ``flax.nnx.Module`` or a
            :class:`~sealane.jax.JaxModel`; exported in inference mode, not changed.
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
        formats: ``onnx`` always; ``savedmodel`` where it comes out right; ``dl4j``, the layers and
            weights that the JVM can train, when asked for: a model that they can not hold is
            refused then, naming the layer.
        runtimes: Further runtimes that testify in the certificate before the bundle is written:
            ``jvm``, ``jvm:tensorflow``. Those of this process, ``onnx`` and ``tensorflow``, do so
            unasked.
        overwrite: Whether a bundle at ``path`` is replaced.
        **options: ``frozen_saved_model``, ``golden_samples``, ``lineage``, ``licenses``, ``seed``,
            ``external_data_threshold``, ``training_trace``: see
            :func:`sealane.export.exporting.export`.

    Returns:
        The bundle on disk; ``.verify()`` replays it on every runtime.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED or EXPORT_FAILED, naming the layer or node; BUNDLE_EXISTS;
            ENGINE_UNAVAILABLE for a missing extra, an unknown runtime or one that is not there.
            Nothing is left on disk then.
    """
    witnesses = _witnesses(runtimes)
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
        witnesses=witnesses,
        **options,
    )
    return Bundle(written)


def _witnesses(runtimes: Sequence[str]) -> list[Callable[[Path], EngineSession | None]]:
    """One for each runtime outside this process; they are started now, before the long work."""
    from sealane import jvm

    names = dict.fromkeys(runtime_name(each) for each in runtimes)
    engines = [name.removeprefix("jvm:") for name in names if name.startswith("jvm:")]
    for engine in engines:
        jvm.prepare(engine)
    return [partial(_open_on, engine) for engine in engines]


def _open_on(engine: str, bundle: Path) -> EngineSession | None:
    """A session on an engine of the JVM, or None when the bundle has no variant for it."""
    from sealane import jvm

    try:
        return jvm.open_session(bundle, engine=engine, replay="off")
    except SealaneError as error:
        if error.code is ErrorCode.VARIANT_NOT_FOUND:
            return None
        raise
