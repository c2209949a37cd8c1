"""What the suites found, as ``docs/supported.json`` keeps it and the README shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python.export.zoo import NAMES

from sealane.core import DType

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "supported.json"
README = ROOT / "README.md"
START, END = "<!-- matrix:start -->", "<!-- matrix:end -->"
MIN_CASES = 5
"""Golden cases that every model of the zoo is verified on, at least."""

Table = dict[str, dict[str, Any]]


@dataclass
class Supported:
    """The recorded findings; a suite holds its own against them, or records them anew.

    Attributes:
        recorded: Section → name → finding.
        found: The same, of this run; None when nothing is to be recorded.
    """

    recorded: Table
    found: Table | None = field(default=None)

    def check(self, section: str, name: str, finding: object) -> None:
        """Compares a finding with the recorded one."""
        if self.found is not None:
            self.found.setdefault(section, {})[name] = finding
            return
        kept = self.recorded.get(section, {}).get(name)
        assert finding == kept, f"{section} {name}: found {finding}, recorded {kept}: make matrix"

    def write(self) -> None:
        """Writes what was found in this run, and the README's block with it."""
        merged = {
            section: self.recorded.get(section, {}) | (self.found or {}).get(section, {})
            for section in ("models", "nodes", "dtypes")
        }
        merged["models"] = {name: merged["models"][name] for name in NAMES}
        TABLE.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n", "utf-8")
        text = README.read_text("utf-8")
        before, _, after = text.partition(START)
        README.write_text(
            f"{before}{START}{rendered(merged)}{END}{after.partition(END)[2]}", "utf-8"
        )


def recorded() -> Table:
    """The committed findings."""
    return json.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {}


def block(text: str) -> str:
    """What stands between the marks in the README's text."""
    return text.partition(START)[2].partition(END)[0]


def rendered(table: Table) -> str:
    """The README's block for a table of findings."""
    return "\n" + "\n".join([*_models(table["models"]), "", *_engines(table)]) + "\n"


def _models(models: dict[str, Any]) -> list[str]:
    kinds: dict[tuple[str, ...], list[str]] = {}
    for each in models.values():
        key = (each["kind"], *(each["verdicts"][column] for column in COLUMNS))
        kinds.setdefault(key, []).append(each["what"])
    rows = [
        f"| {kind} | {len(whats)}: {'; '.join(whats)} | {' | '.join(verdicts)} |"
        for (kind, *verdicts), whats in kinds.items()
    ]
    return [
        f"| model | verified on {MIN_CASES} golden cases or more each | {' | '.join(COLUMNS)} |",
        f"| --- | --- |{' --- |' * len(COLUMNS)}",
        *rows,
    ]


COLUMNS = ("ONNX in Python", "ONNX in a JVM", "SavedModel in Python", "SavedModel in a JVM")


def _engines(table: Table) -> list[str]:
    nodes, dtypes = table["nodes"], table["dtypes"]
    counts = [f"{nodes[s]['equal']:,} of {nodes[s]['passes']:,}" for s in ("python", "jvm")]
    version = nodes["python"]["version"]
    every = [dtypes[engine] for engine in ("onnx", "jvm:onnx", "tensorflow", "jvm:tensorflow")]
    return [
        f"| | {' | '.join(COLUMNS)} |",
        f"| ---{' | ---' * len(COLUMNS)} |",
        f"| engine | ONNX Runtime {version} | ONNX Runtime {nodes['jvm']['version']} "
        f"| TensorFlow {dtypes['tensorflow']['version']} "
        f"| TensorFlow {dtypes['jvm:tensorflow']['version']} |",
        f"| ONNX backend tests that plain ONNX Runtime passes, with its bits | {counts[0]} "
        f"| {counts[1]} | | |",
        f"| dtypes in and out | {' | '.join(_listed(each['dtypes']) for each in every)} |",
    ]


def _listed(dtypes: list[str]) -> str:
    every = [dtype.value for dtype in DType]
    if dtypes == every:
        return f"all {len(every)} of the [format](tests/conformance/dtypes.json)"
    return ", ".join(dtypes)
