"""Keys and certificates of signers. Imports ``cryptography``: load it by ``signing_check`` only."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

from sealane.bundle.signing_envelope import invalid, pre_authentication_encoding
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Sequence

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_CURVES = "P-256, P-384 or P-521"
_NOT_X509 = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, UnsupportedAlgorithm)


def load_private_key(pem: bytes, password: bytes | None, where: str) -> ec.EllipticCurvePrivateKey:
    """A private key on one of the three curves.

    Raises:
        SealaneError: SIGNING_KEY_INVALID.
    """
    try:
        key = serialization.load_pem_private_key(pem, password)
    except TypeError:
        problem = "is not encrypted, yet a password is given" if password else "needs a password"
        raise key_invalid(where, problem) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise key_invalid(
            where, f"is no PEM private key, or has another password: {error}"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in _HASHES:
        raise key_invalid(where, f"is no elliptic-curve key on {_CURVES}")
    return key


def load_public_key(pem: bytes, where: str) -> ec.EllipticCurvePublicKey:
    """A public key on one of the three curves.

    Raises:
        SealaneError: SIGNING_KEY_INVALID.
    """
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise key_invalid(where, f"is no PEM public key: {error}") from None
    if not is_supported(key):
        raise key_invalid(where, f"is no elliptic-curve key on {_CURVES}")
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def load_certificates(pem: bytes, where: str) -> list[x509.Certificate]:
    """One or more PEM certificates.

    Raises:
        SealaneError: SIGNING_KEY_INVALID.
    """
    try:
        return [_checked(each) for each in x509.load_pem_x509_certificates(pem)]
    except _NOT_X509 as error:
        raise key_invalid(where, f"holds no PEM certificates to use: {error}") from None


def parse_certificates(chain: Sequence[bytes]) -> list[x509.Certificate]:
    """The certificates of ``bundle.sig``.

    Raises:
        SealaneError: SIGNING_INVALID.
    """
    try:
        return [_checked(x509.load_der_x509_certificate(each)) for each in chain]
    except _NOT_X509 as error:
        raise invalid("x509CertificateChain", f"no X.509 to use: {error}") from None


def _checked(certificate: x509.Certificate) -> x509.Certificate:
    """The certificate, its parts parsed now, so that they can not fail later."""
    _ = (certificate.version, certificate.extensions, certificate.subject, certificate.issuer)
    _ = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    key = certificate.public_key()
    if not is_supported(key) and not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(f"its key is neither RSA nor on {_CURVES}")
    return certificate


def is_supported(key: object) -> bool:
    """Whether a public key is on one of the three curves."""
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _HASHES


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """SHA-256 of the key's SubjectPublicKeyInfo in PEM, lower-case hex."""
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(pem).hexdigest()


def sign_payload(key: ec.EllipticCurvePrivateKey, payload: bytes) -> bytes:
    """ECDSA signature (DER) over a payload's pre-authentication encoding."""
    return key.sign(pre_authentication_encoding(payload), ec.ECDSA(_HASHES[key.curve.name]))


def verify_payload(key: ec.EllipticCurvePublicKey, payload: bytes, signature: bytes) -> None:
    """Check a signature over a payload.

    Raises:
        SealaneError: SIGNING_INVALID.
    """
    where = "dsseEnvelope.signatures"
    try:
        r, s = utils.decode_dss_signature(signature)
    except ValueError:
        raise invalid(where, "not the DER of an ECDSA signature") from None
    if utils.encode_dss_signature(r, s) != signature:
        raise invalid(where, "not the DER of an ECDSA signature")
    try:
        encoded = pre_authentication_encoding(payload)
        key.verify(signature, encoded, ec.ECDSA(_HASHES[key.curve.name]))
    except InvalidSignature:
        raise invalid(where, "the signature is not by this key over this payload") from None


def key_invalid(where: str, problem: str) -> SealaneError:
    """The SIGNING_KEY_INVALID error for one key or certificate."""
    return SealaneError(ErrorCode.SIGNING_KEY_INVALID, f"{where} {problem}", {"where": where})
