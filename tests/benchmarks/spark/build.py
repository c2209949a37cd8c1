"""The Java side of the contestants: jars of other projects, and two classes of this benchmark."""

from __future__ import annotations

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SEALANE = ROOT / "python/sealane/jvm/sealane.jar"
CLASHING = ("slf4j-api", "commons-logging")
"""What Spark brings itself."""


class Unavailable(Exception):
    """A contestant that can not take part here; the message says why."""


def raw_onnx(out: Path) -> list[str]:
    """The jars of ``limit``: Sealane's own, for its ONNX Runtime, and the loop around it."""
    if not SEALANE.exists():
        raise Unavailable("sealane.jar is not built")
    return [str(SEALANE), _compiled("RawOnnx", out / "raw-onnx.jar", [SEALANE])]


def djl(out: Path, spark_jars: Path, line: str) -> list[str]:
    """DJL's jars and the class that runs it in ``mapPartitions``, for one line of Spark."""
    jars = _downloaded("djl", out)
    jar = out / f"djl-scorer-{line}.jar"
    return [*map(str, jars), _compiled("DjlScorer", jar, [*jars, spark_jars / "*"])]


def synapseml(out: Path) -> list[str]:
    """SynapseML's jars."""
    return [str(jar) for jar in _downloaded("synapseml", out)]


def session_agent(out: Path, spark_jars: Path, line: str) -> str:
    """A Java agent that counts sessions; it needs the ASM that Spark brings."""
    jar = out / f"count-sessions-{line}.jar"
    manifest = out / "count-sessions.txt"
    manifest.write_text("Premain-Class: CountSessions\n")
    return _compiled("CountSessions", jar, [spark_jars / "*"], manifest)


def _downloaded(name: str, out: Path) -> list[Path]:
    pom, folder = HERE / name / "pom.xml", out / name
    if not folder.exists() or folder.stat().st_mtime < pom.stat().st_mtime:
        command = ["mvn", "-q", "-B", "-ntp", "-f", str(pom), "dependency:copy-dependencies"]
        _succeed([*command, f"-DoutputDirectory={folder}", "-DincludeScope=runtime"])
        folder.touch()
    return [jar for jar in sorted(folder.glob("*.jar")) if not jar.name.startswith(CLASHING)]


def _compiled(name: str, jar: Path, class_path: list[Path], manifest: Path | None = None) -> str:
    source, classes = HERE / "java" / f"{name}.java", jar.with_suffix("")
    if not jar.exists() or jar.stat().st_mtime < source.stat().st_mtime:
        path = ":".join(map(str, class_path))
        compiler = ["javac", "--release", "17", "-Xlint:-path", "-d", str(classes)]
        _succeed([*compiler, "-cp", path, str(source)])
        named = ["cfm", str(jar), str(manifest)] if manifest else ["cf", str(jar)]
        _succeed(["jar", *named, "-C", str(classes), "."])
    return str(jar)


def _succeed(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Unavailable(f"{command[0]} is not there") from error
    except subprocess.CalledProcessError as error:
        said = (error.stdout + error.stderr).strip().splitlines()
        raise Unavailable(f"{command[0]} failed: {said[0] if said else ''}") from error
