"""The form of ``bundle.sig``: a Sigstore bundle with one DSSE envelope (bundle format §7.1)."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from sealane.bundle.json_members import kind_of
from sealane.bundle.manifest import SIGNATURE_NAME
from sealane.bundle.strict_json import parse_strict_json
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sealane.bundle.limits import ReaderLimits

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_CERTIFICATES = 8

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed ``bundle.sig``, nothing of it verified.

    Attributes:
        hint: The fingerprint of the signer's key; None with certificates.
        certificates: The signer's chain in DER, leaf first; empty with a key.
        payload: The bytes that are signed.
        signature: ECDSA signature, DER.
    """

    hint: str | None
    certificates: tuple[bytes, ...]
    payload: bytes
    signature: bytes

    def to_json(self) -> bytes:
        """The bytes of ``bundle.sig``."""
        material: dict[str, object] = {"publicKey": {"hint": self.hint}}
        if self.certificates:
            chain = [{"rawBytes": _encode(each)} for each in self.certificates]
            material = {"x509CertificateChain": {"certificates": chain}}
        entries: list[object] = []
        value: dict[str, object] = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {**material, "tlogEntries": entries},
            "dsseEnvelope": {
                "payload": _encode(self.payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": _encode(self.signature), "keyid": ""}],
            },
        }
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def pre_authentication_encoding(payload: bytes) -> bytes:
    """What is signed for a payload: PAE of DSSE protocol v1."""
    header = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} "
    return header.encode("ascii") + payload


def parse_envelope(data: bytes, limits: ReaderLimits) -> Envelope:
    """Parse ``bundle.sig``.

    Raises:
        SealaneError: SIGNING_INVALID, or LIMIT_EXCEEDED for JSON nested too deep.
    """
    unbounded = replace(limits, json_string_length=max(len(data), 1))
    value = parse_strict_json(data, unbounded, where=SIGNATURE_NAME, code=ErrorCode.SIGNING_INVALID)
    top = members(value, "the top", ("mediaType", "verificationMaterial", "dsseEnvelope"))
    constant(top["mediaType"], "mediaType", MEDIA_TYPE)
    hint, certificates = _verification_material(top["verificationMaterial"])
    payload, signature = _dsse(top["dsseEnvelope"])
    return Envelope(hint, certificates, payload, signature)


def _verification_material(value: object) -> tuple[str | None, tuple[bytes, ...]]:
    where = "verificationMaterial"
    optional = ("publicKey", "x509CertificateChain", "tlogEntries", "timestampVerificationData")
    material = members(value, where, (), optional)
    an_array(material.get("tlogEntries", []), f"{where}.tlogEntries")
    members(material.get("timestampVerificationData", {}), where, (), None)
    if ("publicKey" in material) == ("x509CertificateChain" in material):
        raise invalid(where, "expected either publicKey or x509CertificateChain")
    if "publicKey" in material:
        key = members(material["publicKey"], f"{where}.publicKey", ("hint",), None)
        return sha256(key["hint"], f"{where}.publicKey.hint"), ()
    where = f"{where}.x509CertificateChain"
    chain = members(material["x509CertificateChain"], where, ("certificates",))
    where = f"{where}.certificates"
    certificates = an_array(chain["certificates"], where)
    if not 1 <= len(certificates) <= MAX_CERTIFICATES:
        raise invalid(where, f"expected 1 to {MAX_CERTIFICATES}, received {len(certificates)}")
    parsed = [members(each, where, ("rawBytes",)) for each in certificates]
    return None, tuple(_decode(each["rawBytes"], f"{where}.rawBytes") for each in parsed)


def _dsse(value: object) -> tuple[bytes, bytes]:
    where = "dsseEnvelope"
    envelope = members(value, where, ("payload", "payloadType", "signatures"))
    constant(envelope["payloadType"], f"{where}.payloadType", PAYLOAD_TYPE)
    payload = _decode(envelope["payload"], f"{where}.payload")
    where = f"{where}.signatures"
    signatures = an_array(envelope["signatures"], where)
    if len(signatures) != 1:
        raise invalid(where, f"expected exactly one, received {len(signatures)}")
    signature = members(signatures[0], where, ("sig",), ("keyid",))
    if not isinstance(signature.get("keyid"), str | None):
        raise invalid(f"{where}.keyid", "expected a string or null")
    return payload, _decode(signature["sig"], f"{where}.sig")


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(value: object, where: str) -> bytes:
    text = a_string(value, where)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise invalid(where, "not Base64") from None
    if not data or _encode(data) != text:
        raise invalid(where, "empty or not canonical Base64")
    return data


def invalid(where: str, problem: str, details: dict[str, object] | None = None) -> SealaneError:
    """The SIGNING_INVALID error for one place of ``bundle.sig``."""
    return SealaneError(
        ErrorCode.SIGNING_INVALID,
        f"{SIGNATURE_NAME}: {where}: {problem}",
        {"where": where, **(details or {})},
    )


def members(
    value: object, where: str, required: Sequence[str], optional: Sequence[str] | None = ()
) -> Mapping[str, object]:
    """An object with all of ``required`` and nothing but ``optional`` besides; None allows all."""
    if not isinstance(value, dict):
        raise invalid(where, f"expected an object, received {kind_of(value)}")
    parsed = cast("dict[str, object]", value)
    missing = [name for name in required if name not in parsed]
    if missing:
        raise invalid(where, f"member {missing[0]!r} is missing")
    unknown = () if optional is None else parsed.keys() - {*required, *optional}
    if unknown:
        raise invalid(where, f"unknown member {min(unknown)!r}")
    return parsed


def an_array(value: object, where: str) -> list[object]:
    """A JSON array."""
    if not isinstance(value, list):
        raise invalid(where, f"expected an array, received {kind_of(value)}")
    return cast("list[object]", value)


def a_string(value: object, where: str) -> str:
    """A JSON string that is not empty."""
    if not isinstance(value, str) or not value:
        raise invalid(where, "expected a non-empty string")
    return value


def constant(value: object, where: str, expected: object) -> None:
    """One allowed value."""
    if type(value) is not type(expected) or value != expected:
        raise invalid(where, f"expected {expected!r}, received {str(value)[:80]!r}")


def sha256(value: object, where: str) -> str:
    """64 lower-case hex digits."""
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise invalid(where, "expected 64 lower-case hex digits")
    return value
