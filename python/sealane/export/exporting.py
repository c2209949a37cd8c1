"""The walk from a trained model to a bundle on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealane.bundle import (
    ArtifactDraft,
    Bindings,
    BundleDraft,
    Tolerance,
    Unavailable,
    Verdict,
    write_bundle,
)
from sealane.bundle.manifest import Requires
from sealane.bundle.verdict import MAX_ORACLE_RATIO, MAX_SCALED_ULP
from sealane.core import Domain, DType, ErrorCode, SealaneError, Signature, SymbolRange
from sealane.export import certificate, engines, reference
from sealane.export.conversion import (
    EXTERNAL_DATA_THRESHOLD,
    bare_onnx,
    write_onnx,
    write_savedmodel,
)
from sealane.export.errors import failed, unsupported
from sealane.export.preparation import Prepared, Wanted, prepare
from sealane.export.runs import Engine, Run, describe, replay, same_bits
from sealane.export.tensorflow_graph import engine_names

if TYPE_CHECKING:
    import onnx

    from sealane.export.golden import Golden
    from sealane.features import FittedFeatures
    from sealane.runtime.session import Session

ONNX, SAVEDMODEL = "onnx", "savedmodel"
Witness = Callable[[Path], "Session | None"]
"""Opens a bundle on a further runtime, without replaying it; None where that is not there."""


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
    witnesses: Sequence[Witness] = (),
) -> Path:
    """Export a trained model as a verified bundle.

    The model is converted, put through the gate, replayed on golden cases against the source model
    and a float64 oracle, and only then written. The given model is not changed.

    Args:
        model: A ``torch.nn.Module`` or a Keras 3 model; exported in inference mode.
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
        formats: ``onnx`` always; ``savedmodel`` where it comes out right.
        golden_samples: Further inputs to keep as golden cases, in the form of ``example_inputs``.
            They are stored in the bundle.
        lineage: Where the model comes from: data fingerprint, metrics, commit…
        licenses: SPDX expressions.
        overwrite: Whether a bundle at ``path`` is replaced.
        seed: Of the drawn golden cases.
        external_data_threshold: Bytes of weights above which they lie in ``model.onnx.data``.
        witnesses: Further runtimes to replay on before the bundle is written, each a function from
            a bundle's path to an open session, or None where its runtime is not there.

    Returns:
        ``path``.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` or ``EXPORT_FAILED``, naming the layer or node;
            ``BUNDLE_EXISTS``; ``ENGINE_UNAVAILABLE`` for a missing extra. Nothing is left on disk.
    """
    target = Path(path)
    _check_request(target, formats, overwrite=overwrite)
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
        made = _make(prepared, Path(scratch), name, formats, allowed, external_data_threshold)
        draft = _draft(prepared, made, name, version, lineage, licenses, seed)
        runs = _testify(witnesses, draft, made, Path(scratch) / "bundle", allowed)
        if runs:
            made = replace(made, runs=(*made.runs, *runs))
            draft = _draft(prepared, made, name, version, lineage, licenses, seed)
        write_bundle(target, draft, overwrite=overwrite)
    return target


def _draft(
    prepared: Prepared,
    made: _Made,
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
    made: _Made,
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
        session = witness(path)
        if session is None:
            continue
        with session:
            language = "java" if session.engine.startswith("jvm:") else "python"
            engine = Engine(session.engine, session.engine_version, language, {}, session.run)
            run = prove(ONNX, engine, draft.signature, made.golden, tolerance)
        if run.engine.version == made.runs[0].engine.version and same_bits(run, made.runs[0]):
            run = replace(run, verdict=Verdict.BIT_EXACT)
        found.append(run)
    return found


@dataclass(frozen=True, slots=True)
class _Made:
    artifacts: tuple[ArtifactDraft, ...]
    unavailable: tuple[Unavailable, ...]
    runs: tuple[Run, ...]
    golden: Golden


def _make(
    prepared: Prepared,
    scratch: Path,
    name: str,
    formats: Sequence[str],
    tolerance: Tolerance | None,
    threshold: int,
) -> _Made:
    bare = bare_onnx(prepared)
    onnx_path = scratch / "model.onnx"
    requires = write_onnx(prepared, bare, onnx_path, name, threshold)
    golden = prepared.golden(prepared.oracle or reference.onnx_oracle(bare, prepared))
    run = prove(
        ONNX,
        engines.onnx_engine(onnx_path, prepared.signature),
        prepared.signature,
        golden,
        tolerance,
    )
    runs, unavailable = [run], list[Unavailable]()
    names = {
        spec.name: spec.name for spec in (*prepared.signature.inputs, *prepared.signature.outputs)
    }
    artifacts = [_artifact(run, "primary", onnx_path, prepared, names, names, requires, tolerance)]
    if SAVEDMODEL in formats:
        try:
            run = _savedmodel(prepared, bare, scratch / "saved", golden, tolerance)
        except SealaneError as error:
            unavailable.append(Unavailable(SAVEDMODEL, error.message[:1000]))
        else:
            runs.append(run)
            ins, outs = (
                engine_names(prepared.signature.inputs),
                engine_names(prepared.signature.outputs),
            )
            artifacts.append(
                _artifact(run, "optional", scratch / "saved", prepared, ins, outs, {}, tolerance)
            )
    return _Made(tuple(artifacts), tuple(unavailable), tuple(runs), golden)


def _savedmodel(
    prepared: Prepared,
    bare: onnx.ModelProto,
    directory: Path,
    golden: Golden,
    tolerance: Tolerance | None,
) -> Run:
    try:
        write_savedmodel(prepared, bare, directory)
    except SealaneError:
        raise
    except Exception as error:
        raise failed(f"TensorFlow can not save the model: {str(error)[:500]}") from error
    engine = engines.tensorflow_engine(directory, prepared.signature)
    return prove(SAVEDMODEL, engine, prepared.signature, golden, tolerance)


def prove(
    variant: str, engine: Engine, signature: Signature, golden: Golden, tolerance: Tolerance | None
) -> Run:
    """Replay an artifact over the golden cases and refuse one that computes something else.

    Raises:
        SealaneError: ``EXPORT_FAILED`` with the metrics.
    """
    run = replay(variant, engine, signature, golden.cases, tolerance)
    if run.verdict is Verdict.FAILED:
        raise failed(
            f"variant {variant!r} on {engine.backend} {engine.version} does not compute what the "
            f"source model computes (golden case {run.failing!r}): {describe(run)}; allowed are "
            f"S {MAX_SCALED_ULP:g} and R {MAX_ORACLE_RATIO:g}, or a tolerance with its reason",
            variant=variant,
            case=run.failing,
            metrics=[
                {"name": m.name, "maxAbs": m.max_abs, "S": m.scaled_ulp, "R": m.oracle_ratio}
                for m in run.worst
            ],
        )
    return run


def _artifact(
    run: Run,
    role: str,
    source: Path,
    prepared: Prepared,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    requires: Mapping[str, Any],
    tolerance: Tolerance | None,
) -> ArtifactDraft:
    signature = prepared.signature
    needs = Requires(
        requires.get("irVersion"), requires.get("opsets", {}), tuple(requires.get("ops", ()))
    )
    return ArtifactDraft(
        id=run.variant,
        kind=run.variant,
        role=role,
        source=source,
        bindings=Bindings(
            {spec.name: inputs[spec.name] for spec in signature.inputs},
            {spec.name: outputs[spec.name] for spec in signature.outputs},
        ),
        precision=_precision(prepared.bare),
        verdict=run.verdict,
        requires=needs,
        tolerance=tolerance if run.verdict is Verdict.WITHIN_DECLARED else None,
    )


def _precision(signature: Signature) -> str:
    names = {DType.FP16: "fp16", DType.BF16: "bf16", DType.FP32: "fp32", DType.FP64: "fp64"}
    specs = (*signature.inputs, *signature.outputs)
    found = {names[spec.dtype] for spec in specs if spec.dtype in names}
    return found.pop() if len(found) == 1 else "mixed" if found else "fp32"


def _check_request(target: Path, formats: Sequence[str], *, overwrite: bool) -> None:
    unknown = sorted(set(formats) - {ONNX, SAVEDMODEL})
    if unknown or ONNX not in formats:
        raise unsupported(
            f"formats {list(formats)} must contain 'onnx' and may contain 'savedmodel'"
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


def _readme(name: str, version: str, signature: Signature, made: _Made) -> str:
    lines = [f"# {name} {version}", "", "| input | output |", "| --- | --- |"]
    lines.append(
        f"| {', '.join(map(str, signature.inputs))} | {', '.join(map(str, signature.outputs))} |"
    )
    lines += ["", "| variant | engine | verdict | outputs |", "| --- | --- | --- | --- |"]
    for run in made.runs:
        engine = f"{run.engine.backend} {run.engine.version}"
        lines.append(f"| {run.variant} | {engine} | {run.verdict.value} | {describe(run)} |")
    lines += [f"\nNo {each.kind} variant: {each.reason}" for each in made.unavailable]
    return "\n".join(lines) + "\n"
