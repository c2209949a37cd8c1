"""A bundle as its user sees it."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from sealane.api.opening import open_bundle
from sealane.api.tables import visible
from sealane.api.verification import Verification, verify_bundle
from sealane.bundle import read_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.bundle import Manifest, Policy
    from sealane.core import Signature, TensorSpec
    from sealane.runtime import ReplayMode, Session


class Bundle:
    """A verified bundle on disk: what it is, what it holds, and what can be done with it.

    Made by :func:`sealane.export` and :func:`sealane.inspect`. Holds no files open; every method
    that runs the model verifies the files again.

    Args:
        path: The bundle's directory.
        policy: What it must prove; kept for later calls.

    Raises:
        SealaneError: A code of the bundle family when it can not be trusted.
    """

    def __init__(self, path: str | Path, *, policy: Policy | None = None) -> None:
        self._path = Path(path)
        self._policy = policy
        with read_bundle(self._path, policy=policy) as verified:
            self._manifest = verified.manifest
            self._certificate = verified.certificate

    @property
    def path(self) -> Path:
        """The bundle's directory."""
        return self._path

    @property
    def manifest(self) -> Manifest:
        """What ``sealane.json`` says."""
        return self._manifest

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self._manifest.signature

    @property
    def certificate(self) -> dict[str, object]:
        """The parity certificate, ``evidence/parity.json``; empty when there is none."""
        return dict(self._certificate)

    def open(
        self, engine: str = "onnx", *, variant: str | None = None, replay: ReplayMode = "strict"
    ) -> Session:
        """Opens the bundle; see :func:`sealane.open`."""
        return open_bundle(self._path, engine, variant=variant, replay=replay, policy=self._policy)

    def verify(self, runtimes: Sequence[str] | None = None) -> Verification:
        """Replays the golden cases, for each artifact, on each runtime.

        Args:
            runtimes: ``onnx``, ``tensorflow``, ``jvm`` (= ``jvm:onnx``), ``jvm:tensorflow``,
                ``jvm:dl4j``; None for all that have a variant to run.

        Returns:
            A table; ``.ok`` tells whether it all holds. Nothing is raised for a row that fails.

        Raises:
            SealaneError: When the bundle itself is refused, or a runtime's name is unknown.
        """
        return verify_bundle(self._path, runtimes, self._policy)

    def to_dict(self) -> dict[str, object]:
        """JSON-serialisable: ``{path, name, version, contentId, inputs, outputs, variants, …}``."""
        manifest = self._manifest
        return {
            "path": str(self._path),
            "name": manifest.name,
            "version": manifest.version,
            "createdAt": manifest.created_at,
            "contentId": manifest.content_id,
            "inputs": [_spec(each) for each in manifest.signature.inputs],
            "outputs": [_spec(each) for each in manifest.signature.outputs],
            "variants": [
                {
                    "id": each.id,
                    "kind": each.kind,
                    "role": each.role,
                    "path": each.path,
                    "precision": each.precision,
                    "verdict": each.verdict.value,
                }
                for each in manifest.variants
            ],
            "unavailable": [
                {"kind": each.kind, "reason": each.reason} for each in manifest.unavailable
            ],
            "golden": [
                {"id": each.id, "purpose": each.purpose, "batch": each.batch}
                for each in manifest.golden
            ],
            "files": len(manifest.files),
            "bytes": sum(each.size for each in manifest.files),
            "environment": dict(manifest.environment),
            "lineage": dict(manifest.lineage),
        }

    def _lines(self) -> list[tuple[str, str]]:
        manifest = self._manifest
        size = sum(each.size for each in manifest.files)
        lines = [("path", str(self._path)), ("content", manifest.content_id)]
        lines += [("input", str(each)) for each in manifest.signature.inputs]
        lines += [("output", str(each)) for each in manifest.signature.outputs]
        lines += [
            ("variant", f"{each.id}: {each.kind}, {each.precision}, {each.verdict.value}")
            for each in manifest.variants
        ]
        lines += [("absent", f"{each.kind}: {each.reason}") for each in manifest.unavailable]
        lines.append(("golden", f"{len(manifest.golden)} cases"))
        lines.append(("size", f"{size:,} bytes in {len(manifest.files)} files"))
        return lines

    def __repr__(self) -> str:
        head = f"Bundle {self._manifest.name} {self._manifest.version}"
        shown = ""
        lines = [head]
        for key, value in self._lines():
            value = " ".join(value.splitlines())
            lines.append(f"  {key if key != shown else '':<8} {value}")
            shown = key
        return visible("\n".join(lines))

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(key)}</th>"
            f"<td style='text-align:left'><code>{html.escape(value)}</code></td></tr>"
            for key, value in self._lines()
        )
        title = html.escape(f"Bundle {self._manifest.name} {self._manifest.version}")
        return f"<table><caption>{title}</caption>{rows}</table>"


def inspect(path: str | Path, *, policy: Policy | None = None) -> Bundle:
    """Reads and verifies a bundle without loading its model.

    Args:
        path: The bundle's directory.
        policy: What it must prove; None for nothing.

    Returns:
        The bundle: print it, or read ``.manifest``, ``.signature`` and ``.certificate``.

    Raises:
        SealaneError: A code of the bundle family when it can not be trusted.
    """
    return Bundle(path, policy=policy)


def verify(
    path: str | Path, runtimes: Sequence[str] | None = None, *, policy: Policy | None = None
) -> Verification:
    """Reads a bundle and replays its golden cases on each runtime; see :meth:`Bundle.verify`."""
    return verify_bundle(Path(path), runtimes, policy)


def _spec(spec: TensorSpec) -> dict[str, object]:
    return {
        "name": spec.name,
        "dtype": spec.dtype.value,
        "shape": list(spec.shape),
        "semantic": spec.semantic,
    }
