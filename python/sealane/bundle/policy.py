"""What a reader asks of a bundle beyond its being well formed (bundle format §7)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sealane.bundle.manifest import Manifest, Variant
    from sealane.bundle.verdict import Verdict


@dataclass(frozen=True, slots=True)
class TrustedSigners:
    """Whose signature is accepted: one of the keys, or a certificate that chains to a root.

    Attributes:
        keys: Public keys (PEM SubjectPublicKeyInfo), on P-256, P-384 or P-521.
        roots: Certificate authorities (PEM, one or more in each).
        identities: Subject alternative names of which a certificate must have one; empty
            accepts every certificate under the roots. Keys have no identities.
    """

    keys: tuple[bytes, ...] = ()
    roots: tuple[bytes, ...] = ()
    identities: tuple[str, ...] = ()

    @classmethod
    def from_files(
        cls,
        keys: Iterable[Path | str] = (),
        roots: Iterable[Path | str] = (),
        identities: Iterable[str] = (),
    ) -> TrustedSigners:
        """The signers that some PEM files name.

        Raises:
            SealaneError: SIGNING_KEY_INVALID for a file that can not be read.
        """
        return cls(
            tuple(read_pem_file(each) for each in keys),
            tuple(read_pem_file(each) for each in roots),
            tuple(identities),
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """Demands on signer, verdict and version; the default asks for nothing.

    Attributes:
        signed_by: Who must have signed. None accepts unsigned bundles and leaves
            ``bundle.sig`` unread.
        required_verdict: The least verdict that the primary variant and every variant that is
            kept must have.
        minimum_version: The least model version accepted, ordered as format §7.4 says.
    """

    signed_by: TrustedSigners | None = None
    required_verdict: Verdict | None = None
    minimum_version: str | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed a bundle, as far as a policy trusted it.

    Attributes:
        kind: How the policy came to trust it.
        fingerprint: SHA-256 of the public key's SubjectPublicKeyInfo in PEM, lower-case hex.
        subject: The certificate's subject (RFC 4514); None for a key.
        identities: The certificate's e-mail, URI and DNS subject alternative names.
    """

    kind: Literal["key", "certificate"]
    fingerprint: str
    subject: str | None = None
    identities: tuple[str, ...] = ()


def read_pem_file(path: Path | str) -> bytes:
    """The bytes of a key or certificate file.

    Raises:
        SealaneError: SIGNING_KEY_INVALID when it can not be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SealaneError(
            ErrorCode.SIGNING_KEY_INVALID,
            f"{path} can not be read as a key or certificate: {error.strerror}",
        ) from None


def check_demands(policy: Policy, manifest: Manifest, kept: Sequence[Variant]) -> None:
    """Refuse a verdict or version below what a policy demands.

    Raises:
        SealaneError: POLICY_REFUSED.
    """
    least = policy.required_verdict
    for variant in manifest.variants:
        wanted = variant.role == "primary" or variant in kept
        if least is not None and wanted and variant.verdict < least:
            raise SealaneError(
                ErrorCode.POLICY_REFUSED,
                f"variant {variant.id!r} of {manifest.name} is {variant.verdict.value}, "
                f"the policy requires {least.value}",
                {"variant": variant.id, "verdict": variant.verdict.value, "required": least.value},
            )
    minimum = policy.minimum_version
    if minimum is not None and version_key(manifest.version) < version_key(minimum):
        raise SealaneError(
            ErrorCode.POLICY_REFUSED,
            f"{manifest.name} has version {manifest.version}, "
            f"the policy requires {minimum} or later",
            {"version": manifest.version, "minimum": minimum},
        )


VersionPart = tuple[bool, int, str]


def version_key(version: str) -> tuple[list[VersionPart], bool, list[VersionPart]]:
    """A value that orders versions as format §7.4 says."""
    release, hyphen, pre_release = version.partition("+")[0].partition("-")
    parts = [_version_part(part) for part in release.split(".")]
    while parts and parts[-1] == _ZERO:
        parts.pop()
    pre_parts = [_version_part(part) for part in pre_release.split(".")] if hyphen else []
    return parts, not hyphen, pre_parts


def _version_part(part: str) -> VersionPart:
    if part.isascii() and part.isdigit():
        return (False, int(part), "")
    return (True, 0, part)


_ZERO: VersionPart = (False, 0, "")
