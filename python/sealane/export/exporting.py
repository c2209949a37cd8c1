"""The walk from a trained model to a bundle on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealane.bundle import (
    BundleDraft,
    Tolerance,
    Verdict,
    write_bundle,
)
from sealane.bundle.manifest_parser import MODEL_NAME, MODEL_VERSION
from sealane.core import Domain, ErrorCode, SealaneError, Signature, SymbolRange
from sealane.export import certificate
from sealane.export.artifacts import (
    DL4J,
    ONNX,
    SAVEDMODEL,
    Forms,
    Made,
    make,
    prove,
    with_runs,
)
from sealane.export.conversion import (
    EXTERNAL_DATA_THRESHOLD,
)
from sealane.export.errors import unsupported
from sealane.export.preparation import Prepared, Wanted, prepare
from sealane.export.runs import Engine, Run, describe, same_bits

if TYPE_CHECKING:
    from sealane.export.network.trace import TrainingTrace
    from sealane.features import FittedFeatures
    from sealane.runtime import EngineSession

Witness = Callable[[Path], "EngineSession | None"]
"""Opens a bundle on a further runtime, without replaying it; None where that is not there."""

_KINDS = {"onnx": ONNX, "tensorflow": SAVEDMODEL, "dl4j": DL4J}
"""Engines by name → the variant each runs."""


def export(
    model: object,
    example_inputs: object,
    *,
    name: str,
    path: Path | str,
    version: str = "1.0.0",
    features: FittedFeatures | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dynamic: Mapping[str, Mapping[int, str]] | bool | None = None,
    domains: Mapping[str, Domain] | None = None,
    symbols: Mapping[str, SymbolRange] | None = None,
    tolerance: Tolerance | Mapping[str, Any] | None = None,
    formats: Sequence[str] = (ONNX, SAVEDMODEL),
    golden_samples: Sequence[object] = (),
    lineage: Mapping[str, object] | None = None,
    licenses: Sequence[str] = (),
    overwrite: bool = False,
    seed: int = 0,
    external_data_threshold: int = EXTERNAL_DATA_THRESHOLD,
    frozen_saved_model: bool = False,
    witnesses: Sequence[Witness] = (),
    training_trace: TrainingTrace | None = None,
) -> Path:
    """Export a trained model as a verified bundle.

    The model is converted, put through the gate, replayed on golden cases against the source model
    and a float64 oracle, and only then written. The given model is not changed.

    Args:
        model: A ``torch.nn.Module``, a model of Keras 3 or ``tf_keras``, a ``flax.nnx.Module`` or a
            :class:`~sealane.jax.JaxModel`; exported in inference mode.
        example_inputs: A tuple of arrays or tensors, a mapping name → array, or a DataFrame
            (column → vector). Real rows make the best evidence.
        name: The model's name in the manifest.
        path: The bundle's directory; must not exist unless ``overwrite``.
        version: The model's version.
        features: Fitted transforms; the bundle then takes the raw columns.
        input_names: What to call inputs given by position; default the model's own names.
        output_names: What to call the outputs; default the model's own names.
        dynamic: None makes axis 0 of every input the symbol ``batch``; False fixes every dim; a
            mapping input → {axis: symbol} says it exactly.
        domains: Which values inputs accept, by input name; golden cases stay inside.
        symbols: Ranges of the symbols.
        tolerance: ``rtol``, ``atol`` and ``reason`` for a model that can not be within the oracle.
        formats: ``onnx`` always; ``savedmodel`` where it comes out right; ``dl4j``, the layers and
            weights that the JVM can train, when asked for: a model that they can not hold is
            refused then, naming the layer.
        golden_samples: Further inputs to keep as golden cases, in the form of ``example_inputs``.
            They are stored in the bundle.
        lineage: Where the model comes from: data fingerprint, metrics, commit…
        licenses: SPDX expressions.
        overwrite: Whether a bundle at ``path`` is replaced.
        seed: Of the drawn golden cases.
        external_data_threshold: Bytes of weights above which they lie in ``model.onnx.data``.
        frozen_saved_model: Whether the SavedModel holds the variables as constants, in a graph that
            TensorFlow has optimised: it opens and runs faster, and can not be trained on.
        witnesses: Further runtimes to replay the bundle on before it is written, each a function
            from a bundle's path to an open session of the variant that it runs, or None where there
            is none or its runtime is not there. What they compute stands in the certificate, and a
            variant's verdict is the worst of its runs.
        training_trace: Steps of training that are recorded in the source framework, on a copy of
            the model, and that an engine of the JVM must repeat before it trains; needs ``dl4j``.

    Returns:
        ``path``.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` or ``EXPORT_FAILED``, naming the layer or node;
            ``BUNDLE_EXISTS``; ``ENGINE_UNAVAILABLE`` for a missing extra. Nothing is left on disk.
    """
    target = Path(path)
    check_request(name, version, target, formats, overwrite=overwrite)
    if training_trace is not None and DL4J not in formats:
        raise unsupported("a training_trace belongs to a network: add 'dl4j' to formats")
    wanted = Wanted(
        features,
        input_names,
        output_names,
        dynamic,
        domains or {},
        symbols or {},
        golden_samples,
        seed,
    )
    prepared = prepare(model, example_inputs, wanted)
    allowed = _tolerance(tolerance)
    with tempfile.TemporaryDirectory(prefix="sealane-export-") as scratch:
        forms = Forms(tuple(formats), external_data_threshold, frozen_saved_model, training_trace)
        made = make(prepared, Path(scratch), name, forms, allowed)
        draft = _draft(prepared, made, name, version, lineage, licenses, seed)
        runs = _testify(witnesses, draft, made, Path(scratch) / "bundle", allowed)
        if runs:
            made = with_runs(made, runs, allowed)
            draft = _draft(prepared, made, name, version, lineage, licenses, seed)
        write_bundle(target, draft, overwrite=overwrite)
    return target


def _draft(
    prepared: Prepared,
    made: Made,
    name: str,
    version: str,
    lineage: Mapping[str, object] | None,
    licenses: Sequence[str],
    seed: int,
) -> BundleDraft:
    evidence = certificate.certificate(
        prepared.source, prepared.signature, made.golden, made.runs, seed
    )
    return BundleDraft(
        name=name,
        version=version,
        signature=prepared.signature,
        artifacts=made.artifacts,
        golden=made.golden.cases,
        unavailable=made.unavailable,
        environment=certificate.environment(prepared.source),
        lineage={"framework": prepared.source.framework, "seed": seed, **(lineage or {})},
        certificate=evidence,
        readme=_readme(name, version, prepared.signature, made),
        licenses=tuple(licenses),
    )


def _testify(
    witnesses: Sequence[Witness],
    draft: BundleDraft,
    made: Made,
    path: Path,
    tolerance: Tolerance | None,
) -> list[Run]:
    """Replay the finished bundle on further runtimes.

    Each is judged like the runs before, and called ``bit-exact`` when it gives the bits that the
    same engine version gave in Python.
    """
    if not witnesses:
        return []
    write_bundle(path, draft)
    found: list[Run] = []
    for witness in witnesses:
        session = _opened(witness, path, made)
        if session is None:
            continue
        with session:
            language = "java" if session.engine.startswith("jvm:") else "python"
            engine = Engine(
                session.engine, session.engine_version, language, session.options, session.run
            )
            variant = _KINDS[session.engine.removeprefix("jvm:")]
            run = prove(variant, engine, draft.signature, made.golden, tolerance)
        here = next(each for each in made.runs if each.variant == variant)
        if run.engine.version == here.engine.version and same_bits(run, here):
            run = replace(run, verdict=Verdict.BIT_EXACT)
        found.append(run)
    return found


def _opened(witness: Witness, path: Path, made: Made) -> EngineSession | None:
    try:
        return witness(path)
    except SealaneError as error:
        if error.code is not ErrorCode.ARTIFACT_UNSUPPORTED:
            raise
        raise unsupported("; ".join([*made.golden.notes, error.message])) from error


def check_request(
    name: str, version: str, target: Path, formats: Sequence[str], *, overwrite: bool
) -> None:
    """Refuses what can be refused before any work is done.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED for a name or version that a bundle can not have and for
            formats that there are not; BUNDLE_EXISTS.
    """
    for what, value, form in (("name", name, MODEL_NAME), ("version", version, MODEL_VERSION)):
        if not form.fullmatch(value):
            raise unsupported(f"{what} {value!r:.80} can not be used: expected {form.pattern}")
    unknown = sorted(set(formats) - {ONNX, SAVEDMODEL, DL4J})
    if unknown or ONNX not in formats:
        raise unsupported(
            f"formats {list(formats)} must contain 'onnx' and may contain 'savedmodel' and 'dl4j'"
        )
    if target.exists() and not overwrite:
        raise SealaneError(
            ErrorCode.BUNDLE_EXISTS,
            f"{target} is there already; choose another path or pass overwrite=True",
        )


def _tolerance(given: Tolerance | Mapping[str, Any] | None) -> Tolerance | None:
    if given is None or isinstance(given, Tolerance):
        chosen = given
    else:
        try:
            chosen = Tolerance(**dict(given))
        except TypeError as error:
            raise unsupported("a tolerance has rtol, atol and reason") from error
    if chosen is not None and not (chosen.reason.strip() and chosen.rtol >= 0 and chosen.atol >= 0):
        raise unsupported("a tolerance needs rtol ≥ 0, atol ≥ 0 and a written reason")
    return chosen


def _readme(name: str, version: str, signature: Signature, made: Made) -> str:
    lines = [f"# {name} {version}", "", "| input | output |", "| --- | --- |"]
    lines.append(
        f"| {', '.join(map(str, signature.inputs))} | {', '.join(map(str, signature.outputs))} |"
    )
    lines += ["", "| variant | engine | verdict | outputs |", "| --- | --- | --- | --- |"]
    for run in made.runs:
        engine = f"{run.engine.backend} {run.engine.version}"
        lines.append(f"| {run.variant} | {engine} | {run.verdict.value} | {describe(run)} |")
    lines += [f"\nNo {each.kind} variant: {each.reason}" for each in made.unavailable]
    if made.training_notes:
        lines += ["", "Training in the JVM differs from training in Python:", ""]
        lines += [f"- {note}" for note in made.training_notes]
    return "\n".join(lines) + "\n"
