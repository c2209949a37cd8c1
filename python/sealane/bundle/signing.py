"""Signing bundles as OpenSSF Model Signing v1.0, and verifying who signed (bundle format §7)."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from sealane.bundle.limits import DEFAULT_LIMITS, ReaderLimits
from sealane.bundle.manifest import SIGNATURE_NAME
from sealane.bundle.policy import Policy, Signer, TrustedSigners, read_pem_file
from sealane.bundle.reader import read_bundle
from sealane.bundle.signing_check import require_cryptography
from sealane.bundle.signing_envelope import MAX_CERTIFICATES, Envelope
from sealane.bundle.signing_statement import write_statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric import ec


def sign_bundle(
    path: Path | str,
    *,
    key: Path | str,
    certificates: Sequence[Path | str] = (),
    password: str | None = None,
) -> Path:
    """Sign a bundle: write its ``bundle.sig``, replacing one that is there.

    The bundle is read and verified first; the file appears whole or not at all.

    Args:
        path: The bundle's directory. Its parent is written to for a moment.
        key: Private key (PEM) on P-256, P-384 or P-521.
        certificates: Certificates (PEM): that of the key, then each issuer of the one before;
            the root may be left out. None given signs by the key alone.
        password: Of the private key, when it is encrypted.

    Returns:
        The path of ``bundle.sig``.

    Raises:
        SealaneError: SIGNING_KEY_INVALID; ENGINE_UNAVAILABLE without ``cryptography``; what
            ``read_bundle`` says of the bundle.
    """
    require_cryptography()
    from sealane.bundle.signing_keys import load_private_key

    root = Path(path)
    secret = None if password is None else password.encode("utf-8")
    private_key = load_private_key(read_pem_file(key), secret, str(key))
    chain = _load_chain(private_key, certificates)
    with read_bundle(root) as bundle:
        digests = bundle.digests
    data = make_signature(root.resolve().name, digests, private_key, chain)
    return _place(root, data)


def verify_signature(
    path: Path | str, signers: TrustedSigners, *, limits: ReaderLimits = DEFAULT_LIMITS
) -> Signer:
    """Read and verify a bundle, and say which of the trusted signers signed it.

    Args:
        path: The bundle's directory.
        signers: Who is trusted.
        limits: The reader's bounds.

    Raises:
        SealaneError: SIGNING_MISSING, SIGNING_INVALID, SIGNER_UNTRUSTED, SIGNING_KEY_INVALID;
            ENGINE_UNAVAILABLE without ``cryptography``; what ``read_bundle`` says of the bundle.
    """
    with read_bundle(path, limits=limits, policy=Policy(signed_by=signers)) as bundle:
        signer = bundle.signer
        assert signer is not None
        return signer


def make_signature(
    name: str,
    digests: Mapping[str, str],
    private_key: ec.EllipticCurvePrivateKey,
    chain: Sequence[bytes] = (),
) -> bytes:
    """The bytes of a ``bundle.sig``.

    Args:
        name: The bundle's folder name; informative.
        digests: SHA-256 as lower-case hex of every file but ``bundle.sig``, by path.
        private_key: On one of the three curves.
        chain: Certificates in DER, that of the key first; empty signs by the key alone.
    """
    from sealane.bundle.signing_keys import fingerprint, sign_payload

    payload = write_statement(name, digests)
    hint = None if chain else fingerprint(private_key.public_key())
    signature = sign_payload(private_key, payload)
    return Envelope(hint, tuple(chain), payload, signature).to_json()


def _load_chain(
    private_key: ec.EllipticCurvePrivateKey, files: Sequence[Path | str]
) -> list[bytes]:
    from cryptography.hazmat.primitives.serialization import Encoding

    from sealane.bundle.signing_keys import key_invalid, load_certificates

    chain = [
        certificate
        for file in files
        for certificate in load_certificates(read_pem_file(file), str(file))
    ]
    if not chain:
        return []
    if chain[0].public_key() != private_key.public_key():
        raise key_invalid(str(files[0]), "is not the certificate of the private key")
    if len(chain) > MAX_CERTIFICATES:
        raise key_invalid("the chain", f"has {len(chain)} certificates, at most {MAX_CERTIFICATES}")
    for certificate, issuer in pairwise(chain):
        if certificate.issuer != issuer.subject:
            raise key_invalid(
                issuer.subject.rfc4514_string(),
                f"is not the issuer of {certificate.subject.rfc4514_string()!r} before it",
            )
    return [each.public_bytes(Encoding.DER) for each in chain]


def _place(root: Path, data: bytes) -> Path:
    """Write ``bundle.sig`` beside the bundle, flush it, and give it its name."""
    target = root / SIGNATURE_NAME
    parent = root.resolve().parent
    descriptor, name = tempfile.mkstemp(prefix=f".{root.resolve().name}.sig.", dir=parent)
    building = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        building.chmod(0o644)
        building.replace(target)
    except BaseException:
        building.unlink(missing_ok=True)
        raise
    directory = os.open(root, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return target
