"""From a verified bundle to a session that has proved itself on its golden cases."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from sealane.bundle import Policy, VerifiedBundle, read_bundle
from sealane.core import ErrorCode, SealaneError
from sealane.runtime.onnx import OnnxEngine, OnnxOptions
from sealane.runtime.replay import Replay, parity_error, replay_golden
from sealane.runtime.session import Engine, EngineSession
from sealane.runtime.tensorflow import TensorflowEngine

if TYPE_CHECKING:
    from sealane.bundle import Variant
    from sealane.runtime.session import Session

ReplayMode = Literal["strict", "warn", "off"]

ENGINE_KINDS = {"onnx": "onnx", "tensorflow": "savedmodel"}
"""Engines of this process → the kind of variant each runs."""


class ParityWarning(UserWarning):
    """A golden case is outside its verdict and the session was opened with ``replay="warn"``."""


def open_session(
    bundle: VerifiedBundle | Path | str,
    engine: str = "onnx",
    *,
    variant: str | None = None,
    replay: ReplayMode = "strict",
    policy: Policy | None = None,
    intra_op_threads: int = 0,
    optimization: str = "all",
    spinning: bool = True,
) -> EngineSession:
    """Opens a bundle on an engine of this process.

    Args:
        bundle: A verified bundle (stays the caller's to close; it may be closed once the session
            is open), or the path of one, which is read and verified.
        engine: ``onnx`` or ``tensorflow``.
        variant: The variant's id; None takes the best one of the engine's kind (primary, optional,
            experimental).
        replay: What to do with golden cases: ``strict`` refuses a session that is outside its
            verdict, ``warn`` warns with :class:`ParityWarning`, ``off`` does not run them.
        policy: What the bundle must satisfy, when it is read here.
        intra_op_threads: ONNX Runtime's threads of one operator, 0 for one per core. Does not
            change results.
        optimization: ONNX Runtime's graph optimisation: ``all``, ``extended``, ``basic`` or
            ``none``.
        spinning: Whether ONNX Runtime's idle threads wait busily: lower latency, more CPU time.
            Does not change results.

    Returns:
        A session; the caller closes it.

    Raises:
        SealaneError: Any code of the bundle family; ENGINE_UNAVAILABLE, ENGINE_LOAD_FAILED,
            ENGINE_RUN_FAILED.
    """
    if engine not in ENGINE_KINDS:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"engine '{engine}' is unknown: expected one of {', '.join(ENGINE_KINDS)}",
            {"engine": engine},
        )
    options = OnnxOptions(intra_op_threads, optimization, spinning)
    if isinstance(bundle, VerifiedBundle):
        return _open_verified(bundle, engine, variant, replay, options)
    kept = (variant or ENGINE_KINDS[engine],)
    with read_bundle(Path(bundle), policy=policy, keep=kept) as verified:
        return _open_verified(verified, engine, variant, replay, options)


def _open_verified(
    bundle: VerifiedBundle,
    engine: str,
    variant_id: str | None,
    replay: ReplayMode,
    options: OnnxOptions,
) -> EngineSession:
    variant = bundle.variant(variant_id or ENGINE_KINDS[engine])
    if variant.kind != ENGINE_KINDS[engine]:
        raise SealaneError(
            ErrorCode.VARIANT_NOT_FOUND,
            f"variant '{variant.id}' of '{bundle.path}' is of kind {variant.kind}: engine "
            f"'{engine}' runs {ENGINE_KINDS[engine]}",
            {"variant": variant.id, "kind": variant.kind, "engine": engine},
        )
    session = EngineSession(
        bundle.signature, _load(bundle, variant, engine, options), model=bundle.manifest.name
    )
    try:
        check_replay(bundle, variant, session, replay)
    except BaseException:
        session.close()
        raise
    return session


def _load(bundle: VerifiedBundle, variant: Variant, engine: str, options: OnnxOptions) -> Engine:
    artifact = bundle.artifact(variant.id)
    label = f"variant '{variant.id}' of '{bundle.path}'"
    if engine == "onnx":
        model = artifact.data if artifact.path is None else artifact.path
        if model is None:
            raise _not_kept(label)
        return OnnxEngine(
            model,
            bundle.signature,
            inputs=variant.bindings.inputs,
            outputs=variant.bindings.outputs,
            label=label,
            options=options,
        )
    if artifact.path is None:
        raise _not_kept(label)
    return TensorflowEngine(
        artifact.path,
        bundle.signature,
        inputs=variant.bindings.inputs,
        outputs=variant.bindings.outputs,
        label=label,
    )


def _not_kept(label: str) -> SealaneError:
    return SealaneError(
        ErrorCode.VARIANT_NOT_FOUND,
        f"{label} was verified but not kept: read the bundle with its id in keep",
    )


def check_replay(
    bundle: VerifiedBundle, variant: Variant, session: Session, mode: ReplayMode
) -> Replay | None:
    """Replays a bundle's golden cases through a session as ``mode`` asks.

    Returns:
        The replay, or None when ``mode`` is ``off``.

    Raises:
        SealaneError: PARITY_FAILED in ``strict`` mode; GOLDEN_INVALID, ENGINE_RUN_FAILED.
    """
    if mode == "off":
        return None
    result = replay_golden(
        session,
        bundle.golden,
        variant,
        same_engine=certified_version(bundle, variant, session.engine) == session.engine_version,
    )
    if not result.ok:
        error = parity_error(str(bundle.path), session, result)
        if mode == "strict":
            raise error
        warnings.warn(str(error), ParityWarning, stacklevel=4)
    return result


def certified_version(bundle: VerifiedBundle, variant: Variant, engine: str) -> str | None:
    """The engine version in the certificate's run of a variant, or None when it has no such run."""
    runs = bundle.certificate.get("runs")
    if not isinstance(runs, list):
        return None
    for run in cast("list[object]", runs):
        if not isinstance(run, dict):
            continue
        fields = cast("dict[str, object]", run)
        if fields.get("variant") == variant.id and fields.get("backend") == engine:
            return str(fields.get("backendVersion"))
    return None
