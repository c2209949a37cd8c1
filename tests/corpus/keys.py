"""The keys and certificates of ``tests/conformance/keys``: made for tests, worth nothing.

Certificates can not be made twice with the same bytes, so they are kept as they are;
``regenerate.py --keys`` makes all of them anew, and with them every signature.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)
PAST, FUTURE = datetime(2021, 1, 1, tzinfo=UTC), datetime(2119, 1, 1, tzinfo=UTC)
EMAIL, URI, DNS = "models@example.org", "https://example.org/ci/release", "ci.example.org"
CURVES = {"signer": ec.SECP256R1(), "other": ec.SECP256R1(), "p384": ec.SECP384R1(),
          "p521": ec.SECP521R1()}  # fmt: skip

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True)
class Plan:
    """What a certificate says besides its name, key and issuer."""

    ca: bool = True
    path_length: int | None = None
    start: datetime = START
    end: datetime = END
    digital_signature: bool = False
    cert_sign: bool = True
    usages: tuple[x509.ObjectIdentifier, ...] = ()
    names: tuple[x509.GeneralName, ...] = ()
    more: tuple[tuple[x509.ExtensionType, bool], ...] = ()


LEAF = Plan(
    ca=False,
    digital_signature=True,
    cert_sign=False,
    usages=(Usage.CODE_SIGNING,),
    names=(x509.RFC822Name(EMAIL), x509.UniformResourceIdentifier(URI), x509.DNSName(DNS)),
)
CA = Plan()


@dataclass(frozen=True)
class Issuer:
    """A certificate authority while the keys are made."""

    certificate: x509.Certificate
    key: PrivateKey


class Keyring:
    """Makes keys and certificates and writes them as PEM."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = {name: ec.generate_private_key(curve) for name, curve in CURVES.items()}

    def write_keys(self) -> None:
        for name, key in self.keys.items():
            pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            (self.folder / f"{name}.key.pem").write_bytes(pem)
            self.write_public(name, key.public_key())
        self.write_public("ed25519", ed25519.Ed25519PrivateKey.generate().public_key())
        self.write_public("k256", ec.generate_private_key(ec.SECP256K1()).public_key())
        self.write_public("rsa", rsa.generate_private_key(65537, 2048).public_key())
        (self.folder / "broken.pub.pem").write_text(
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
        )

    def write_public(self, name: str, key: PublicKey | ed25519.Ed25519PublicKey) -> None:
        pem = key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (self.folder / f"{name}.pub.pem").write_bytes(pem)

    def issue(
        self,
        file: str,
        name: str,
        key: PublicKey,
        issuer: Issuer | None,
        plan: Plan,
        own: PrivateKey,
    ) -> x509.Certificate:
        subject = _name(name)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if issuer is None else issuer.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(plan.start)
            .not_valid_after(plan.end)
            .add_extension(_key_usage(plan), critical=True)
        )
        if plan.ca:
            builder = builder.add_extension(x509.BasicConstraints(True, plan.path_length), True)
        if plan.usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(plan.usages), critical=False)
        if plan.names:
            builder = builder.add_extension(x509.SubjectAlternativeName(plan.names), critical=False)
        for extension, critical in plan.more:
            builder = builder.add_extension(extension, critical)
        certificate = builder.sign(own if issuer is None else issuer.key, hashes.SHA256())
        (self.folder / f"{file}.crt.pem").write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
        )
        return certificate

    def authority(
        self, file: str, name: str, issuer: Issuer | None = None, plan: Plan = CA,
        key: PrivateKey | None = None,
    ) -> Issuer:  # fmt: skip
        own = key or ec.generate_private_key(ec.SECP256R1())
        return Issuer(self.issue(file, name, own.public_key(), issuer, plan, own), own)

    def leaf(
        self, file: str, issuer: Issuer, plan: Plan = LEAF, key: PrivateKey | None = None
    ) -> None:
        own = key or self.keys["signer"]
        self.issue(file, "Sealane test signer", own.public_key(), issuer, plan, own)


def write_keys(folder: Path) -> None:
    """Make every key and certificate anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ring = Keyring(folder)
    ring.write_keys()
    root = ring.authority("root", "Sealane test root")
    intermediate = ring.authority("intermediate", "Sealane test intermediate", root)
    ring.leaf("leaf", intermediate)
    ring.leaf("leaf-root", root)
    ring.leaf("leaf-other-key", intermediate, key=ring.keys["other"])
    _write_leaves(ring, intermediate)
    _write_authorities(ring, root)
    _write_roots(ring)


def _write_leaves(ring: Keyring, intermediate: Issuer) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    plans = {
        "expired": replace(LEAF, end=PAST),
        "not-yet": replace(LEAF, start=FUTURE),
        "tls": replace(LEAF, usages=(Usage.CLIENT_AUTH, Usage.SERVER_AUTH)),
        "any-usage": replace(LEAF, usages=(Usage.ANY_EXTENDED_KEY_USAGE,)),
        "no-extended-usage": replace(LEAF, usages=()),
        "no-digital-signature": replace(LEAF, digital_signature=False, cert_sign=True, ca=True),
        "critical": replace(LEAF, more=((unknown, True),)),
        "uncritical": replace(LEAF, more=((unknown, False),)),
        "nameless": replace(LEAF, names=()),
        "uri-as-dns": replace(LEAF, names=(x509.DNSName(URI), x509.RFC822Name(DNS))),
    }
    for name, plan in plans.items():
        ring.leaf(f"leaf-{name}", intermediate, plan)
    ring.leaf("leaf-k256", intermediate, key=ec.generate_private_key(ec.SECP256K1()))
    ring.leaf("leaf-rsa", intermediate, key=rsa.generate_private_key(65537, 2048))
    ring.leaf("leaf-p384", intermediate, key=ring.keys["p384"])


def _write_authorities(ring: Keyring, root: Issuer) -> None:
    """Intermediates under the root, each with a leaf of its own."""
    constraints = x509.NameConstraints([x509.DNSName("example.org")], None)
    plans = {
        "expired": replace(CA, end=PAST),
        "not-ca": replace(CA, ca=False, cert_sign=False, digital_signature=True),
        "no-cert-sign": replace(CA, cert_sign=False, digital_signature=True),
        "tls": replace(CA, usages=(Usage.SERVER_AUTH,)),
        "code-signing": replace(CA, usages=(Usage.CODE_SIGNING,)),
        "constrained": replace(CA, more=((constraints, True),)),
    }
    for name, plan in plans.items():
        authority = ring.authority(f"ca-{name}", f"Sealane test CA {name}", root, plan)
        ring.leaf(f"ca-{name}-leaf", authority)
    with_rsa = ring.authority(
        "ca-rsa", "Sealane test CA rsa", root, key=rsa.generate_private_key(65537, 2048)
    )
    ring.leaf("ca-rsa-leaf", with_rsa)


def _write_roots(ring: Keyring) -> None:
    """Further roots: the first one's name on another key, expired, too short, weak."""
    ring.authority("root-same-name", "Sealane test root")
    ring.authority("root-other", "Sealane other root")
    expired = ring.authority("root-expired", "Sealane expired root", plan=replace(CA, end=PAST))
    ring.leaf("root-expired-leaf", expired)
    short = ring.authority("root-short", "Sealane short root", plan=replace(CA, path_length=0))
    ring.leaf("root-short-leaf", short)
    below = ring.authority("root-short-ca", "Sealane short intermediate", short)
    ring.leaf("root-short-ca-leaf", below)
    weak_key = rsa.generate_private_key(65537, 1024)
    weak = ring.authority("root-weak", "Sealane weak root", key=weak_key)
    ring.leaf("root-weak-leaf", weak)
    own = ring.keys["signer"]
    plan = replace(LEAF, ca=True, cert_sign=True)
    ring.issue("self-signed", "Sealane test signer", own.public_key(), None, plan, own)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(plan: Plan) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=plan.digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=plan.cert_sign,
        crl_sign=plan.cert_sign,
        encipher_only=False,
        decipher_only=False,
    )
