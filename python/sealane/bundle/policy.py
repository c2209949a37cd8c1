"""What a reader asks of a bundle beyond its being well formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealane.bundle.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Policy:
    """Demands on signature, verdict and version.

    Attributes:
        require_signature: Whether an unsigned bundle is refused.
        signed_by: Public keys (PEM) that are trusted; one of them must have signed.
        trust_roots: CA certificates (PEM) to which a signer's chain must lead.
        required_verdict: The least verdict every variant that is kept must have.
        minimum_version: The least model version accepted.
    """

    require_signature: bool = False
    signed_by: tuple[bytes, ...] = ()
    trust_roots: tuple[bytes, ...] = ()
    required_verdict: Verdict | None = None
    minimum_version: str | None = None
