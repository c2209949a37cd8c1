"""A bundle that passed every check of the format."""

from __future__ import annotations

import shutil
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError, Signature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from sealane.bundle.golden import GoldenCase
    from sealane.bundle.manifest import Manifest, Variant
    from sealane.bundle.policy import Signer


@dataclass(frozen=True, slots=True)
class Artifact:
    """A variant's verified bytes: in memory, or in a private directory.

    Attributes:
        data: The model file, when it is one file without external data.
        path: The model file or SavedModel directory inside the private directory, which the
            VerifiedBundle owns: it goes when the bundle is closed.
    """

    data: bytes | None
    path: Path | None


class VerifiedBundle:
    """A bundle that passed every check of the format. Made by ``read_bundle`` only.

    The bytes that were digested are the bytes it holds; the directory on disk is not read
    again. Reading it from several threads is safe; ``close`` is idempotent and ends the
    life of every ``Artifact.path``.
    """

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        golden: tuple[GoldenCase, ...],
        artifacts: dict[str, Artifact],
        certificate: dict[str, Any],
        digests: dict[str, str],
        signer: Signer | None,
        private: Path | None,
    ) -> None:
        self._path = path
        self._manifest = manifest
        self._golden = golden
        self._artifacts = artifacts
        self._certificate = certificate
        self._digests = digests
        self._signer = signer
        self._release: Callable[[], object] = weakref.finalize(self, remove_private, private)

    @property
    def path(self) -> Path:
        """Where the bundle was read from."""
        return self._path

    @property
    def manifest(self) -> Manifest:
        """Its manifest."""
        return self._manifest

    @property
    def signature(self) -> Signature:
        """The model's inputs and outputs."""
        return self._manifest.signature

    @property
    def golden(self) -> tuple[GoldenCase, ...]:
        """Its golden cases, in the manifest's order."""
        return self._golden

    @property
    def certificate(self) -> dict[str, Any]:
        """``evidence/parity.json``; empty when the bundle has none."""
        return self._certificate

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 (lower-case hex) of every file but ``bundle.sig``, by path."""
        return dict(self._digests)

    @property
    def signer(self) -> Signer | None:
        """Who signed it; None when the policy asked for no signer."""
        return self._signer

    def variant(self, kind_or_id: str) -> Variant:
        """The variant of that id, else the foremost one of that kind.

        Raises:
            SealaneError: VARIANT_NOT_FOUND, with the bundle's reason if it gives one.
        """
        found = self._manifest.variant(kind_or_id)
        if found is not None:
            return found
        reasons = [each.reason for each in self._manifest.unavailable if each.kind == kind_or_id]
        why = f"; it says why: {reasons[0]}" if reasons else ""
        there = ", ".join(f"{each.id} ({each.kind})" for each in self._manifest.variants)
        raise SealaneError(
            ErrorCode.VARIANT_NOT_FOUND,
            f"bundle {self._manifest.name} has no variant {kind_or_id!r}, only {there}{why}",
            {"wanted": kind_or_id, "variants": [each.id for each in self._manifest.variants]},
        )

    def artifact(self, variant_id: str) -> Artifact:
        """The verified bytes of a variant that ``read_bundle`` was told to keep.

        Raises:
            SealaneError: VARIANT_NOT_FOUND when there is no such variant or it was not kept.
        """
        artifact = self._artifacts.get(variant_id)
        if artifact is None:
            self.variant(variant_id)
            raise SealaneError(
                ErrorCode.VARIANT_NOT_FOUND,
                f"the bytes of variant {variant_id!r} were not kept: name it in keep=…",
            )
        return artifact

    def close(self) -> None:
        """Remove the private directory, if there is one."""
        self._release()

    def __enter__(self) -> VerifiedBundle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        variants = ", ".join(f"{each.id}: {each.verdict.value}" for each in self._manifest.variants)
        return f"VerifiedBundle({self._manifest.name} {self._manifest.version}; {variants})"


def remove_private(directory: Path | None) -> None:
    """Remove a private directory and all in it; None for none."""
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)
