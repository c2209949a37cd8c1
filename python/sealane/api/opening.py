"""One door to every runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sealane.bundle import VerifiedBundle
from sealane.core import ErrorCode, SealaneError
from sealane.jvm.engines import JVM_ENGINES
from sealane.runtime import open_session
from sealane.runtime.opening import ENGINE_KINDS

if TYPE_CHECKING:
    from sealane.bundle import Policy
    from sealane.runtime import ReplayMode, Session

RUNTIMES = {
    **ENGINE_KINDS,
    **{f"jvm:{name}": engine.variant for name, engine in JVM_ENGINES.items()},
}
"""Runtimes by name → the kind of variant each runs."""

_ALIASES = {"jvm": "jvm:onnx"}


def runtime_name(name: str) -> str:
    """The runtime's full name; ``jvm`` means ``jvm:onnx``.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE for a name that no runtime has.
    """
    full = _ALIASES.get(name, name)
    if full not in RUNTIMES:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"runtime '{name}' is unknown: expected one of {', '.join((*RUNTIMES, *_ALIASES))}",
            {"engine": name},
        )
    return full


def open_bundle(
    path: str | Path | VerifiedBundle,
    engine: str = "onnx",
    *,
    variant: str | None = None,
    replay: ReplayMode = "strict",
    policy: Policy | None = None,
    intra_op_threads: int = 0,
    optimization: str = "all",
) -> Session:
    """Opens a bundle: verifies every byte, loads the model, replays its golden cases.

    Args:
        path: The bundle's directory.
        engine: ``onnx`` (ONNX Runtime in this process), ``tensorflow`` (TensorFlow in this
            process), ``jvm`` or ``jvm:onnx`` (ONNX Runtime inside a JVM in this process, the one
            Java services use), ``jvm:tensorflow`` (TensorFlow for Java, inside a JVM in a process
            of its own) or ``jvm:dl4j`` (Deeplearning4j inside the JVM).
        variant: A variant's id; None takes the best one that the engine runs.
        replay: What a golden case outside its verdict does: ``strict`` refuses to open, ``warn``
            warns, ``off`` skips the replay.
        policy: What the bundle must prove (signature, verdict, version); None for nothing.
        intra_op_threads: Threads of one operator, 0 for one per core. Does not change results.
        optimization: The engine's graph optimisation: ``all``, ``extended``, ``basic``, ``none``.

    Returns:
        A session. Close it, or use it in a ``with`` statement. Safe for use by several threads.

    Raises:
        SealaneError: A code of the bundle family when the bundle can not be trusted,
            ENGINE_UNAVAILABLE when the engine is not installed, ENGINE_LOAD_FAILED.

    Example:
        >>> with sealane.open("churn") as session:  # doctest: +SKIP
        ...     session.run({"age": [41.0], "plan": ["basic"]})
        {'probability': array([0.1234], dtype=float32)}
    """
    runtime = runtime_name(engine)
    if not runtime.startswith("jvm:"):
        return open_session(
            path,
            runtime,
            variant=variant,
            replay=replay,
            policy=policy,
            intra_op_threads=intra_op_threads,
            optimization=optimization,
        )
    from sealane import jvm

    return jvm.open_session(
        path.path if isinstance(path, VerifiedBundle) else Path(path),
        engine=runtime.removeprefix("jvm:"),
        variant=variant,
        replay=replay,
        policy=policy,
        intra_op_threads=intra_op_threads,
        optimization=optimization,
    )
