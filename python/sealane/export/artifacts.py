"""A prepared model → proven artifacts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sealane.bundle import ArtifactDraft, Bindings, Tolerance, Unavailable, Verdict
from sealane.bundle.manifest import Requires
from sealane.bundle.verdict import MAX_ORACLE_RATIO, MAX_SCALED_ULP
from sealane.core import DType, SealaneError, Signature
from sealane.export import engines, reference
from sealane.export.conversion import bare_onnx, write_onnx, write_savedmodel
from sealane.export.errors import failed
from sealane.export.frozen_graph import freeze
from sealane.export.runs import Engine, Run, describe, replay
from sealane.export.tensorflow_graph import engine_names
from sealane.export.tensorflow_java import tensorflow_java

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import onnx

    from sealane.export.golden import Golden
    from sealane.export.network.trace import TrainingTrace
    from sealane.export.preparation import Prepared

ONNX, SAVEDMODEL, DL4J = "onnx", "savedmodel", "dl4j"


@dataclass(frozen=True, slots=True)
class Forms:
    """Which variants are wanted, and how.

    Attributes:
        kinds: Kinds wanted; ``savedmodel`` is left out with its reason when it is not right.
            ``dl4j`` is not: who asks for it wants to train it.
        threshold: Bytes of weights above which they lie beside the ONNX model.
        frozen: Whether the SavedModel holds the variables as constants.
        trace: Training steps to record beside the network, or None.
    """

    kinds: tuple[str, ...]
    threshold: int
    frozen: bool = False
    trace: TrainingTrace | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """The variants of a bundle to be, with their evidence.

    Attributes:
        artifacts: What is to be written.
        unavailable: Kinds that did not come out right, and why.
        runs: One per variant, in the same order.
        golden: The cases that were replayed.
        training_notes: Where training the ``dl4j`` variant differs from training the source.
    """

    artifacts: tuple[ArtifactDraft, ...]
    unavailable: tuple[Unavailable, ...]
    runs: tuple[Run, ...]
    golden: Golden
    training_notes: tuple[str, ...] = ()


def make(
    prepared: Prepared,
    scratch: Path,
    name: str,
    forms: Forms,
    tolerance: Tolerance | None,
) -> Made:
    """Convert, prove and describe every variant that was asked for.

    Args:
        prepared: The model.
        scratch: A private directory for the artifacts.
        name: The model's name.
        forms: The variants wanted.
        tolerance: The author's, or None.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` or ``EXPORT_FAILED`` when there is no right ONNX model.
    """
    bare = bare_onnx(prepared)
    onnx_path = scratch / "model.onnx"
    requires = write_onnx(prepared, bare, onnx_path, name, forms.threshold)
    golden = prepared.golden(prepared.oracle or reference.onnx_oracle(bare, prepared))
    engine = engines.onnx_engine(onnx_path, prepared.signature)
    check_sizes(ONNX, engine, prepared)
    run = prove(ONNX, engine, prepared.signature, golden, tolerance)
    runs, unavailable = [run], list[Unavailable]()
    names = {
        spec.name: spec.name for spec in (*prepared.signature.inputs, *prepared.signature.outputs)
    }
    artifacts = [_artifact(run, "primary", onnx_path, prepared, names, names, requires, tolerance)]
    if SAVEDMODEL in forms.kinds:
        try:
            _write_savedmodel(prepared, bare, scratch / "saved", frozen=forms.frozen)
            run = _savedmodel(prepared, scratch / "saved", golden, tolerance)
        except SealaneError as error:
            unavailable.append(Unavailable(SAVEDMODEL, error.message[:1000]))
        else:
            runs.append(run)
            golden = _noted(golden, scratch / "saved")
            ins, outs = (
                engine_names(prepared.signature.inputs),
                engine_names(prepared.signature.outputs),
            )
            artifacts.append(
                _artifact(run, "optional", scratch / "saved", prepared, ins, outs, {}, tolerance)
            )
    network = None
    if DL4J in forms.kinds:
        from sealane.export.network.variant import make_network

        network = make_network(prepared, scratch, name, golden, tolerance, forms.trace)
        runs.append(network.run)
        artifacts.append(network.artifact)
    notes = network.built.notes if network is not None else ()
    return Made(tuple(artifacts), tuple(unavailable), tuple(runs), golden, notes)


def _write_savedmodel(
    prepared: Prepared, bare: onnx.ModelProto, directory: Path, *, frozen: bool
) -> None:
    try:
        write_savedmodel(prepared, bare, directory)
        if frozen:
            freeze(directory)
    except SealaneError:
        raise
    except Exception as error:
        raise failed(f"TensorFlow can not save the model: {str(error)[:500]}") from error


def _savedmodel(
    prepared: Prepared, directory: Path, golden: Golden, tolerance: Tolerance | None
) -> Run:
    engine = engines.tensorflow_engine(directory, prepared.signature)
    check_sizes(SAVEDMODEL, engine, prepared)
    return prove(SAVEDMODEL, engine, prepared.signature, golden, tolerance)


def _noted(golden: Golden, directory: Path) -> Golden:
    """The cases with a note for the certificate when TensorFlow for Java can not run the graph."""
    java = tensorflow_java()
    lacking = java.lacking(directory)
    if not lacking:
        return golden
    note = f"TensorFlow {java.version} for Java can not run the SavedModel: {', '.join(lacking)}"
    return replace(golden, notes=(*golden.notes, note))


def check_sizes(variant: str, engine: Engine, prepared: Prepared) -> None:
    """Run batches of 1, 2 and 3 and compare the outputs' shapes and dtypes with the source's.

    Golden cases compare the values, but not every size yields one that is worth keeping.

    Raises:
        SealaneError: ``EXPORT_FAILED`` naming the output and the batch.
    """
    contract = prepared.contract
    for rows in (1, 2, 3) if contract.batch is not None else (0,):
        sizes = {contract.batch: contract.size(contract.batch, rows)} if contract.batch else {}
        inputs = contract.draw(sizes, prepared.seed + rows)
        expected = prepared.run(inputs)
        try:
            actual = engine.run(inputs)
        except SealaneError as error:
            raise failed(
                f"variant {variant!r} does not run with {sizes}, which the source model does: "
                f"{error.message[:400]}"
            ) from error
        for name, value in expected.items():
            got = actual[name]
            if got.shape != value.shape or got.dtype != value.dtype:
                raise failed(
                    f"variant {variant!r} gives output {name!r} as {got.dtype}{list(got.shape)} "
                    f"with {sizes}, the source model as {value.dtype}{list(value.shape)}"
                )


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


def with_runs(made: Made, runs: Sequence[Run], tolerance: Tolerance | None) -> Made:
    """What was made with the evidence of further runtimes; a variant's verdict is its worst run's.

    Args:
        made: The variants with a run of this process each.
        runs: Of further runtimes, on the same variants and cases.
        tolerance: The author's, or None.
    """
    every = (*made.runs, *runs)
    artifacts: list[ArtifactDraft] = []
    for artifact in made.artifacts:
        verdict = Verdict.worst(run.verdict for run in every if run.variant == artifact.id)
        declared = tolerance if verdict is Verdict.WITHIN_DECLARED else None
        artifacts.append(replace(artifact, verdict=verdict, tolerance=declared))
    return replace(made, artifacts=tuple(artifacts), runs=every)


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
