"""Two bundles, or one bundle on two runtimes, compared down to the node where they part."""

from __future__ import annotations

import importlib
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.api.opening import RUNTIMES, open_bundle, runtime_name
from sealane.api.tables import html_table, number, rich_table, text_table
from sealane.bundle import (
    ArtifactDraft,
    BundleDraft,
    OutputMetrics,
    Verdict,
    VerifiedBundle,
    compare_output,
    read_bundle,
    write_bundle,
)
from sealane.core import ErrorCode, SealaneError
from sealane.runtime.divergence import (
    Divergence,
    Instrumented,
    agrees,
    align,
    first_divergence,
    instrument,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Group

    from sealane.runtime import Session
    from sealane.runtime.divergence import Runner
    from sealane.runtime.values import AnyArray

_HEADER = ("what", "where", "A", "B")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same on both sides.

    Attributes:
        what: ``manifest``, ``signature``, ``file``, ``variant``, ``weight`` or ``output``.
        where: The field, path, tensor or node.
        a: Side A's value as text; "" when it has none.
        b: Side B's value, or the size of the difference.
    """

    what: str
    where: str
    a: str
    b: str


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """The outcome of :func:`sealane.diff`; prints as a table.

    Attributes:
        a: Name of side A.
        b: Name of side B.
        changes: What differs, from the manifest down to the graph's nodes.
        first_node: The first node of the ONNX graph whose output differs, or None.
        note: Why no node was looked for; "" when one was, or nothing differs.
    """

    a: str
    b: str
    changes: tuple[Change, ...]
    first_node: Divergence | None
    note: str = ""

    @property
    def same(self) -> bool:
        """Whether nothing differs: signature, files of the model, outputs as bits."""
        return not self.changes

    def to_dict(self) -> dict[str, object]:
        """JSON-serialisable: ``{a, b, same, changes, firstNode, note}``."""
        return {
            "a": self.a,
            "b": self.b,
            "same": self.same,
            "changes": [asdict(each) for each in self.changes],
            "firstNode": None if self.first_node is None else asdict(self.first_node),
            "note": self.note,
        }

    def _title(self) -> str:
        if self.same:
            return f"A {self.a} and B {self.b} are the same"
        tail = f"\nfirst to diverge: {self.first_node}" if self.first_node else ""
        return f"A {self.a}, B {self.b}{tail}" + (f"\n{self.note}" if self.note else "")

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [(each.what, each.where, each.a, each.b) for each in self.changes]

    def __rich__(self) -> Group:
        return rich_table(self._title(), _HEADER, self._rows())

    def __repr__(self) -> str:
        return text_table(self._title(), _HEADER, self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._title(), _HEADER, self._rows())


def diff(
    a: str | Path,
    b: str | Path | None = None,
    *,
    runtimes: Sequence[str] | None = None,
    threshold: float = 0.0,
) -> Difference:
    """Compares two bundles, or one bundle on two runtimes.

    Args:
        a: A bundle's directory.
        b: Another bundle's directory; None to compare two runtimes on ``a``.
        runtimes: One runtime for both sides (default ``onnx``), or one for each.
        threshold: Rounding steps of difference that count as agreement between outputs, and
            between nodes; 0 asks for equal bits.

    Returns:
        What differs. Outputs are compared on A's golden inputs; where they differ and both sides
        run ONNX, the first diverging node is named.

    Raises:
        SealaneError: When a bundle is refused, or a runtime is unknown or not installed.
    """
    names = [runtime_name(each) for each in runtimes or ("onnx",)]
    names = names * 2 if len(names) == 1 else names
    if len(names) != 2 or (b is None and names[0] == names[1]):
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "two sides are compared: give two bundles, or one bundle and two runtimes",
        )
    with ExitStack() as stack:
        kinds = {RUNTIMES[name] for name in names}
        left = stack.enter_context(read_bundle(a, keep=kinds))
        right = left if b is None else stack.enter_context(read_bundle(b, keep=kinds))
        return _Comparison(left, right, names, threshold).difference()


class _Comparison:
    def __init__(
        self, a: VerifiedBundle, b: VerifiedBundle, runtimes: Sequence[str], threshold: float
    ) -> None:
        self.a, self.b = a, b
        self.runtimes = runtimes
        self.threshold = threshold
        self.cases = {case.id: case.inputs for case in a.golden}

    def difference(self) -> Difference:
        changes = [*_manifest_changes(self.a, self.b)]
        comparable = self.a.signature == self.b.signature
        onnx = all(RUNTIMES[name] == "onnx" for name in self.runtimes)
        if onnx and self.a is not self.b:
            changes += _weight_changes(self.a, self.b)
        outputs = self._output_changes() if comparable else []
        first, note = None, ""
        if not comparable:
            note = "the signatures differ, so no outputs were compared"
        elif outputs and onnx:
            first, note = self._first_node()
        elif outputs:
            note = "nodes are compared only between ONNX runtimes"
        return Difference(self._name(0), self._name(1), (*changes, *outputs), first, note)

    def _name(self, side: int) -> str:
        manifest = (self.a, self.b)[side].manifest
        return f"{manifest.name} {manifest.version} on {self.runtimes[side]}"

    def _output_changes(self) -> list[Change]:
        worst: dict[str, tuple[str, OutputMetrics]] = {}
        with (
            open_bundle(self.a, self.runtimes[0], replay="off") as left,
            open_bundle(self.b, self.runtimes[1], replay="off") as right,
        ):
            for case, inputs in self.cases.items():
                for metrics in _compare_runs(left, right, inputs):
                    known = worst.get(metrics.name)
                    if agrees(metrics, self.threshold):
                        continue
                    if known is None or metrics.max_abs > known[1].max_abs:
                        worst[metrics.name] = (case, metrics)
        return [
            Change("output", f"{name}, golden case {case}", "", _size(metrics))
            for name, (case, metrics) in worst.items()
        ]

    def _first_node(self) -> tuple[Divergence | None, str]:
        sample = next(iter(self.cases.values()))
        models = [_instrumented(bundle, sample) for bundle in (self.a, self.b)]
        if models[0] is None or models[1] is None:
            return None, "the model has external data, so its nodes were not compared"
        pairs = align(models[0], models[1])
        if isinstance(pairs, str):
            return None, f"the graphs are built differently: {pairs}"
        with tempfile.TemporaryDirectory(prefix="sealane-diff-") as folder, ExitStack() as stack:
            runners = [
                _runner(stack, Path(folder) / f"side{side}", model, self.runtimes[side])
                for side, model in enumerate(models)
                if model is not None
            ]
            found = first_divergence(
                models[0],
                self.cases,
                runners[0],
                runners[1],
                names_b=pairs,
                threshold=self.threshold,
            )
        note = "" if found else "with every intermediate tensor as an output, no node differs"
        return found, note


def _manifest_changes(a: VerifiedBundle, b: VerifiedBundle) -> list[Change]:
    left, right = a.manifest, b.manifest
    changes = [
        Change("manifest", field, str(x), str(y))
        for field, x, y in (
            ("name", left.name, right.name),
            ("version", left.version, right.version),
            ("contentId", left.content_id, right.content_id),
        )
        if x != y
    ]
    changes += _pairwise(
        "signature",
        {each.name: str(each) for each in (*a.signature.inputs, *a.signature.outputs)},
        {each.name: str(each) for each in (*b.signature.inputs, *b.signature.outputs)},
    )
    if a.signature != b.signature and not any(each.what == "signature" for each in changes):
        changes.append(Change("signature", "domains or symbols", "", "differs"))
    changes += _pairwise(
        "variant",
        {each.id: f"{each.kind}, {each.precision}, {each.verdict.value}" for each in left.variants},
        {
            each.id: f"{each.kind}, {each.precision}, {each.verdict.value}"
            for each in right.variants
        },
    )
    changes += _pairwise(
        "file",
        {each.path: f"{each.size} bytes, {each.sha256[:12]}" for each in _model_files(left.files)},
        {each.path: f"{each.size} bytes, {each.sha256[:12]}" for each in _model_files(right.files)},
    )
    return changes


def _model_files(files: Sequence[Any]) -> list[Any]:
    """Files that the content id covers: the model, not the evidence about it."""
    covered = ("1/", "variants/", "preprocess/")
    return [each for each in files if each.path.startswith(covered) and each.path != "1/MLmodel"]


def _pairwise(what: str, a: Mapping[str, str], b: Mapping[str, str]) -> list[Change]:
    return [
        Change(what, key, a.get(key, ""), b.get(key, ""))
        for key in sorted({*a, *b})
        if a.get(key) != b.get(key)
    ]


def _weight_changes(a: VerifiedBundle, b: VerifiedBundle) -> list[Change]:
    left, right = _weights(a), _weights(b)
    changes: list[Change] = []
    for name in sorted({*left, *right}):
        x, y = left.get(name), right.get(name)
        if x is None or y is None or x.shape != y.shape or x.dtype != y.dtype:
            changes.append(Change("weight", name, _layout(x), _layout(y)))
        elif x.tobytes() != y.tobytes():
            changes.append(Change("weight", name, _layout(x), _weight_size(x, y)))
    return changes


def _weights(bundle: VerifiedBundle) -> dict[str, AnyArray]:
    onnx: Any = importlib.import_module("onnx")
    numpy_helper: Any = importlib.import_module("onnx.numpy_helper")
    artifact = bundle.artifact(bundle.variant("onnx").id)
    model: Any = (
        onnx.load_model_from_string(artifact.data)
        if artifact.path is None
        else onnx.load_model(str(artifact.path))
    )
    return {
        str(each.name): cast("AnyArray", numpy_helper.to_array(each))
        for each in model.graph.initializer
    }


def _layout(array: AnyArray | None) -> str:
    return "" if array is None else f"{array.dtype.name}{list(array.shape)}"


def _weight_size(a: AnyArray, b: AnyArray) -> str:
    if a.dtype.kind in "OSU":
        return f"{int((a != b).sum())} of {a.size} elements differ"
    wide = a.astype(np.float64) - b.astype(np.float64)
    changed = int(np.count_nonzero(wide))
    return f"max abs {float(np.abs(wide).max()):.3g}, {changed} of {a.size} elements"


def _compare_runs(
    left: Session, right: Session, inputs: Mapping[str, AnyArray]
) -> list[OutputMetrics]:
    a, b = left.run(inputs), right.run(inputs)
    return [
        compare_output(a[spec.name], b[spec.name], None, spec.dtype, spec.name)
        for spec in left.signature.outputs
    ]


def _size(metrics: OutputMetrics) -> str:
    tail = f", {number(metrics.scaled_ulp)} rounding steps" if metrics.dtype.is_float else ""
    return f"max abs {number(metrics.max_abs)}{tail}"


def _instrumented(bundle: VerifiedBundle, sample: Mapping[str, AnyArray]) -> Instrumented | None:
    variant = bundle.variant("onnx")
    data = bundle.artifact(variant.id).data
    return None if data is None else instrument(data, bundle.signature, variant.bindings, sample)


def _runner(stack: ExitStack, folder: Path, model: Instrumented, runtime: str) -> Runner:
    """Runs the instrumented model on any runtime, through a throw-away bundle."""
    source = folder.with_suffix(".onnx")
    source.write_bytes(model.data)
    artifact = ArtifactDraft(
        id="onnx",
        kind="onnx",
        role="primary",
        source=source,
        bindings=model.bindings,
        precision="mixed",
        verdict=Verdict.FAILED,
    )
    write_bundle(folder, BundleDraft("instrumented", "0", model.signature, (artifact,)))
    session = stack.enter_context(open_bundle(folder, runtime, replay="off"))

    def run(feeds: Mapping[str, AnyArray], names: Sequence[str]) -> Mapping[str, AnyArray]:
        return session.run(feeds, list(names))

    return run
