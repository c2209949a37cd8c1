"""The engines of the JVM: which variants they run, and where their jars are.

ONNX Runtime is in ``sealane.jar``. Every other engine has a folder of jars: in ``engines`` beside
that jar, or in the folder that `ENGINES_VARIABLE` names.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sealane.core import ErrorCode, SealaneError

ENGINES_VARIABLE = "SEALANE_ENGINES"
"""Environment variable that names another folder of engine folders."""

BUILT_IN = "onnx"
"""The engine inside ``sealane.jar``."""


@dataclass(frozen=True, slots=True)
class JvmEngineKind:
    """An engine of the JVM.

    Attributes:
        variant: The kind of variant it runs.
        dependencies: Maven coordinates, for whoever lacks it.
        own_process: Whether its native code must not meet what Python may have loaded, so that it
            runs in a JVM in a process of its own.
    """

    variant: str
    dependencies: tuple[str, ...] = ()
    own_process: bool = False


JVM_ENGINES = {
    BUILT_IN: JvmEngineKind("onnx"),
    # TensorFlow for Python and for Java share the names of their libraries and a registry of
    # protobuf files: the second one to be loaded fails or aborts the process.
    "tensorflow": JvmEngineKind(
        "savedmodel",
        (
            "io.sealane:sealane-runtime-tensorflow",
            "org.tensorflow:tensorflow-core-native:1.1.0:linux-x86_64",
        ),
        own_process=True,
    ),
    "dl4j": JvmEngineKind(
        "dl4j",
        (
            "io.sealane:sealane-runtime-dl4j",
            "org.nd4j:nd4j-native:1.0.0-M2.1:linux-x86_64-onednn-avx2",
        ),
    ),
}
"""Engines by their name in Java; in Python ``jvm:`` stands before it."""


def engine_jars(engine: str) -> list[Path]:
    """The jars of an engine beside ``sealane.jar``; none for the one that is inside.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE, naming the folder and the Maven coordinates.
    """
    if engine == BUILT_IN:
        return []
    folder = _folder() / engine
    jars = sorted(folder.glob("*.jar"))
    if not jars:
        needed = " and ".join(JVM_ENGINES[engine].dependencies)
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"the JVM has no engine '{engine}': {folder} holds no jars. 'make setup' fills it; or "
            f"copy {needed} with their dependencies there (mvn dependency:copy-dependencies), or "
            f"name a folder that has a folder '{engine}' in {ENGINES_VARIABLE}",
            {"engine": f"jvm:{engine}", "dependencies": list(JVM_ENGINES[engine].dependencies)},
        )
    return jars


def shared_jars() -> list[Path]:
    """The jars of every engine that is there and can live in Python's own process."""
    found: dict[str, Path] = {}
    for engine, kind in JVM_ENGINES.items():
        if not kind.own_process:
            found.update((jar.name, jar) for jar in (_folder() / engine).glob("*.jar"))
    return [found[name] for name in sorted(found)]


def _folder() -> Path:
    named = os.environ.get(ENGINES_VARIABLE)
    return Path(named) if named else Path(__file__).with_name("engines")
