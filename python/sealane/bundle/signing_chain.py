"""Whether a certificate chains to a root that a policy trusts (bundle format §7.2).

Imports ``cryptography``: load it by ``signing_check`` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, SignatureAlgorithmOID

from sealane.bundle.signing_keys import is_supported
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

_ECDSA = (
    SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512,
)
_RSA = (
    SignatureAlgorithmOID.RSA_WITH_SHA256,
    SignatureAlgorithmOID.RSA_WITH_SHA384,
    SignatureAlgorithmOID.RSA_WITH_SHA512,
)
_MIN_RSA_BITS = 2048
_CRITICAL = (
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
)
_CONSTRAINTS = (ExtensionOID.NAME_CONSTRAINTS, ExtensionOID.POLICY_CONSTRAINTS)


class _UntrustedError(Exception):
    """Why one path does not lead to one root."""


def check_chain(
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    identities: Sequence[str],
    now: datetime,
) -> None:
    """Check that a chain leads to one of the roots and names one of the identities.

    Args:
        chain: Leaf first, each issued by the next.
        roots: What is trusted.
        identities: Subject alternative names of which the leaf must have one; empty asks none.
        now: The time at which every certificate must be valid.

    Raises:
        SealaneError: SIGNER_UNTRUSTED.
    """
    path, anchors = list(chain), list(roots)
    for index, certificate in enumerate(chain):
        if certificate in roots:
            path, anchors = list(chain[:index]), [certificate]
            break
    try:
        _check_leaf(chain[0])
        _check_identity(chain[0], identities)
        _check_path(path, now)
        _check_anchored(path, anchors, now)
    except _UntrustedError as error:
        subject = chain[0].subject.rfc4514_string()
        raise SealaneError(
            ErrorCode.SIGNER_UNTRUSTED,
            f"bundle.sig is signed by the certificate {subject!r}, which is not trusted: {error}",
            {"subject": subject, "reason": str(error)},
        ) from None


def san_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The e-mail, URI and DNS subject alternative names."""
    names = _extension(certificate, x509.SubjectAlternativeName)
    if names is None:
        return ()
    kinds = (x509.RFC822Name, x509.UniformResourceIdentifier, x509.DNSName)
    return tuple(name for kind in kinds for name in names.get_values_for_type(kind))


def _check_leaf(leaf: x509.Certificate) -> None:
    if not is_supported(leaf.public_key()):
        raise _UntrustedError("its key is not on P-256, P-384 or P-521")
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        raise _UntrustedError("it has no key usage digitalSignature")
    extended = _extension(leaf, x509.ExtendedKeyUsage)
    if extended is None or ExtendedKeyUsageOID.CODE_SIGNING not in extended:
        raise _UntrustedError("it has no extended key usage codeSigning")


def _check_identity(leaf: x509.Certificate, identities: Sequence[str]) -> None:
    if not identities:
        return
    names = _extension(leaf, x509.SubjectAlternativeName)
    if names is None or not any(_names(names, identity) for identity in identities):
        raise _UntrustedError(
            f"its names are {list(san_names(leaf))}, the trusted ones {list(identities)}"
        )


def _names(names: x509.SubjectAlternativeName, identity: str) -> bool:
    if ":" in identity:
        return identity in names.get_values_for_type(x509.UniformResourceIdentifier)
    if "@" in identity:
        return identity in names.get_values_for_type(x509.RFC822Name)
    return identity in names.get_values_for_type(x509.DNSName)


def _check_path(path: Sequence[x509.Certificate], now: datetime) -> None:
    if not path:
        raise _UntrustedError("it is itself a root")
    for below, certificate in enumerate(path):
        _check_valid(certificate, now)
        _check_extensions(certificate)
        if below:
            _check_issuer(certificate, below - 1)
            _check_issued(path[below - 1], certificate)


def _check_anchored(
    path: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], now: datetime
) -> None:
    last = path[-1]
    faults: list[str] = []
    for anchor in anchors:
        if anchor.subject != last.issuer:
            continue
        try:
            _check_valid(anchor, now)
            _check_constraints(anchor)
            _check_issuer(anchor, len(path) - 1)
            _check_issued(last, anchor)
        except _UntrustedError as error:
            faults.append(str(error))
        else:
            return
    raise _UntrustedError(
        "; ".join(faults) or f"no trusted root is {last.issuer.rfc4514_string()!r}"
    )


def _check_valid(certificate: x509.Certificate, now: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start <= now <= end:
        raise _UntrustedError(f"{_name(certificate)} is valid from {start} to {end} only")


def _check_extensions(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _CRITICAL:
            raise _UntrustedError(
                f"{_name(certificate)} has critical extension {extension.oid.dotted_string}"
            )
    _check_constraints(certificate)


def _check_constraints(certificate: x509.Certificate) -> None:
    if any(extension.oid in _CONSTRAINTS for extension in certificate.extensions):
        raise _UntrustedError(f"{_name(certificate)} has name or policy constraints")


def _check_issuer(issuer: x509.Certificate, below: int) -> None:
    basic = _extension(issuer, x509.BasicConstraints)
    if basic is None or not basic.ca:
        raise _UntrustedError(f"{_name(issuer)} is no certificate authority")
    if basic.path_length is not None and basic.path_length < below:
        raise _UntrustedError(
            f"{_name(issuer)} allows {basic.path_length} intermediates, there are {below}"
        )
    usage = _extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise _UntrustedError(f"{_name(issuer)} may not sign certificates")
    extended = _extension(issuer, x509.ExtendedKeyUsage)
    allowed = {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if extended is not None and not allowed & set(extended):
        raise _UntrustedError(f"{_name(issuer)} is not for code signing")


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    key = issuer.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        allowed = _ECDSA if is_supported(key) else ()
    elif isinstance(key, rsa.RSAPublicKey):
        allowed = _RSA if key.key_size >= _MIN_RSA_BITS else ()
    else:
        allowed = ()
    if certificate.signature_algorithm_oid not in allowed:
        raise _UntrustedError(f"{_name(certificate)} is signed by a weak or unknown algorithm")
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        raise _UntrustedError(f"{_name(certificate)} is not issued by {_name(issuer)}") from None


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    for extension in certificate.extensions:
        if isinstance(extension.value, kind):
            return extension.value
    return None


def _name(certificate: x509.Certificate) -> str:
    return repr(certificate.subject.rfc4514_string())
