"""The one JVM of this process.

It is started on first use and lives until the process ends. A JVM that the host started with JPype
before is used as it is, provided Sealane's jar is on its class path.
"""

from __future__ import annotations

import importlib
import locale
import os
import threading
from pathlib import Path
from typing import Any

from sealane.core import ErrorCode, SealaneError
from sealane.jvm.engines import engine_jars, shared_jars

JAR_VARIABLE = "SEALANE_JAR"
"""Environment variable that names another jar than the one in the package."""

OPTIONS_VARIABLE = "SEALANE_JVM_OPTIONS"
"""Environment variable with further JVM options, separated by spaces, such as ``-Xmx2g``."""

_BRIDGE = "io.sealane.bridge.Bridge"
_LOCK = threading.Lock()
_started: dict[str, Any] = {}


def find_jar() -> Path:
    """The jar with Sealane's Java side.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE when there is none.
    """
    named = os.environ.get(JAR_VARIABLE)
    jar = Path(named) if named else Path(__file__).with_name("sealane.jar")
    if not jar.is_file():
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"{jar} is missing: run 'make setup', install the wheel, or name the jar in "
            f"{JAR_VARIABLE}",
            {"engine": "jvm:onnx"},
        )
    return jar


def start(engine: str | None = None) -> Any:
    """Starts the JVM unless it runs, and gives the bridge, the only Java class that Python calls.

    The JVM installs no handlers for signals that Python or the host use (``-Xrs``). It sets the
    process's locale when it starts, which moves numbers in ONNX Runtime's HardSwish; the locale is
    set back at once. Thread-safe.

    Returns:
        The Java class ``io.sealane.bridge.Bridge`` as JPype shows it.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE without JPype, a JDK or the jar; BRIDGE_FAILED when the JVM
            does not start.
    """
    with _LOCK:
        if "bridge" not in _started:
            _started["bridge"] = _start(engine)
        return _started["bridge"]


def _start(engine: str | None) -> Any:
    jpype = _import_jpype()
    if not jpype.isJVMStarted():
        jars = [find_jar(), *(shared_jars() if engine is None else engine_jars(engine))]
        library = _find_jvm(jpype)
        # setlocale without a locale only asks; the C library's numbers must stay as they are.
        before = locale.setlocale(locale.LC_ALL)
        try:
            jpype.startJVM(
                library,
                "-Xrs",
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.awt.headless=true",
                *os.environ.get(OPTIONS_VARIABLE, "").split(),
                classpath=list(map(str, jars)),
                interrupt=False,
            )
        except Exception as error:
            raise SealaneError(
                ErrorCode.BRIDGE_FAILED, f"the JVM {library} did not start: {error}"
            ) from error
        finally:
            locale.setlocale(locale.LC_ALL, before)
    try:
        return jpype.JClass(_BRIDGE)
    except Exception as error:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"the running JVM can not load {_BRIDGE}: start it on Java 17 or newer with "
            f"{find_jar()} on its class path ({error})",
        ) from error


def _import_jpype() -> Any:
    try:
        return importlib.import_module("jpype")
    except ImportError as error:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "JPype is not installed: pip install 'sealane[jvm]'",
            {"engine": "jvm:onnx", "extra": "jvm"},
        ) from error


def _find_jvm(jpype: Any) -> str:
    home = os.environ.get("JAVA_HOME")
    if home:
        for place in ("lib/server/libjvm.so", "lib/server/libjvm.dylib", "bin/server/jvm.dll"):
            if (Path(home) / place).is_file():
                return str(Path(home) / place)
    try:
        return str(jpype.getDefaultJVMPath())
    except Exception as error:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "no JVM was found: install a JDK of version 17 or newer, or set JAVA_HOME to it",
            {"engine": "jvm:onnx"},
        ) from error
