"""Checking ``bundle.sig`` against the digests that a reader computed (bundle format §7)."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING

from sealane.bundle.manifest import SIGNATURE_NAME
from sealane.bundle.policy import Signer, TrustedSigners
from sealane.bundle.signing_envelope import Envelope, parse_envelope
from sealane.bundle.signing_statement import check_statement
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric import ec

    from sealane.bundle.limits import ReaderLimits


def require_cryptography() -> None:
    """Make sure that ``cryptography`` is there.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE, naming the extra that brings it.
    """
    try:
        import_module("cryptography")
    except ImportError as error:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "signatures need the package cryptography: pip install 'sealane[signing]'",
            {"module": "cryptography", "extra": "signing"},
        ) from error


def check_signature(
    data: bytes, digests: Mapping[str, str], signers: TrustedSigners, limits: ReaderLimits
) -> Signer:
    """Check that a trusted signer signed exactly these files.

    Args:
        data: The bytes of ``bundle.sig``.
        digests: SHA-256 as lower-case hex of every file of the bundle but ``bundle.sig``.
        signers: Who is trusted.
        limits: The reader's bounds.

    Returns:
        Who signed.

    Raises:
        SealaneError: SIGNING_INVALID, SIGNER_UNTRUSTED, LIMIT_EXCEEDED; SIGNING_KEY_INVALID for
            what ``signers`` holds; ENGINE_UNAVAILABLE without ``cryptography``.
    """
    require_cryptography()
    from sealane.bundle.signing_keys import verify_payload

    envelope = parse_envelope(data, limits)
    signer, key = _trusted(envelope, signers)
    verify_payload(key, envelope.payload, envelope.signature)
    check_statement(envelope.payload, digests, limits)
    return signer


def _trusted(
    envelope: Envelope, signers: TrustedSigners
) -> tuple[Signer, ec.EllipticCurvePublicKey]:
    if envelope.hint is None:
        return _trusted_certificate(envelope, signers)
    from sealane.bundle.signing_keys import fingerprint, load_public_key

    for index, pem in enumerate(signers.keys):
        key = load_public_key(pem, f"trusted key {index}")
        if fingerprint(key) == envelope.hint:
            return Signer("key", envelope.hint), key
    raise SealaneError(
        ErrorCode.SIGNER_UNTRUSTED,
        f"{SIGNATURE_NAME} is signed by the key with fingerprint {envelope.hint}, "
        f"which is not among the {len(signers.keys)} trusted keys",
        {"fingerprint": envelope.hint},
    )


def _trusted_certificate(
    envelope: Envelope, signers: TrustedSigners
) -> tuple[Signer, ec.EllipticCurvePublicKey]:
    from cryptography.hazmat.primitives.asymmetric import ec

    from sealane.bundle.signing_chain import check_chain, san_names
    from sealane.bundle.signing_keys import fingerprint, load_certificates, parse_certificates

    chain = parse_certificates(envelope.certificates)
    roots = [
        certificate
        for index, pem in enumerate(signers.roots)
        for certificate in load_certificates(pem, f"trusted root {index}")
    ]
    check_chain(chain, roots, signers.identities, datetime.now(UTC))
    leaf = chain[0]
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    subject = leaf.subject.rfc4514_string()
    return Signer("certificate", fingerprint(key), subject, san_names(leaf)), key
