"""Signing, and agreement with the stock tool for OpenSSF Model Signing."""

from __future__ import annotations

import base64
import json
import random
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from corpus.keys import DNS, EMAIL, URI
from corpus.run import relist
from corpus.signatures import Keys, Maker
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sealane.bundle import (
    Policy,
    Signer,
    TrustedSigners,
    read_bundle,
    sign_bundle,
    verify_signature,
)
from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.signing_check import check_signature
from sealane.core import ErrorCode, SealaneError

with warnings.catch_warnings():  # its dependencies use what their own makers call deprecated
    warnings.simplefilter("ignore")
    import model_signing

CONFORMANCE = Path(__file__).parents[2] / "conformance"
KEYS = CONFORMANCE / "keys"
GOOD = CONFORMANCE / "bundles" / "good"
CURVES = {"signer": "P-256", "p384": "P-384", "p521": "P-521"}
CHAIN = (KEYS / "leaf.crt.pem", KEYS / "intermediate.crt.pem")
stock = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def bundle(tmp_path) -> Path:
    return Path(shutil.copytree(GOOD / "both", tmp_path / "flights"))


def private(name: str) -> Path:
    return KEYS / f"{name}.key.pem"


def public(name: str) -> Path:
    return KEYS / f"{name}.pub.pem"


def by_key(name: str) -> TrustedSigners:
    return TrustedSigners.from_files(keys=[public(name)])


def by_root(*identities: str) -> TrustedSigners:
    return TrustedSigners.from_files(roots=[KEYS / "root.crt.pem"], identities=identities)


def encrypted(key, password: bytes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )


def code_of(action) -> ErrorCode:
    with pytest.raises(SealaneError) as caught:
        action()
    return caught.value.code


@pytest.mark.parametrize("name", CURVES)
@stock
def test_model_signing_accepts_our_signature_by_key(bundle, name):
    signature = sign_bundle(bundle, key=private(name))
    assert signature == bundle / "bundle.sig"
    verifier = model_signing.verifying.Config()
    verifier.use_elliptic_key_verifier(public_key=public(name)).verify(bundle, signature)


@pytest.mark.parametrize("name", CURVES)
@stock
def test_we_accept_the_signature_of_model_signing_by_key(bundle, name):
    signer = model_signing.signing.Config()
    signer.use_elliptic_key_signer(private_key=private(name)).sign(bundle, bundle / "bundle.sig")
    assert verify_signature(bundle, by_key(name)).kind == "key"


@stock
def test_model_signing_accepts_our_signature_by_certificate(bundle):
    signature = sign_bundle(bundle, key=private("signer"), certificates=CHAIN)
    verifier = model_signing.verifying.Config()
    verifier.use_certificate_verifier(certificate_chain=[KEYS / "root.crt.pem"])
    verifier.verify(bundle, signature)


@stock
def test_we_accept_the_signature_of_model_signing_by_certificate(bundle):
    signer = model_signing.signing.Config()
    signer.use_certificate_signer(
        private_key=private("signer"), signing_certificate=CHAIN[0], certificate_chain=CHAIN[1:]
    )
    signer.sign(bundle, bundle / "bundle.sig")
    found = verify_signature(bundle, by_root(EMAIL))
    assert (found.kind, found.identities) == ("certificate", (EMAIL, URI, DNS))


@pytest.mark.parametrize("change", ["add", "alter", "remove"])
@stock
def test_model_signing_refuses_what_we_refuse(bundle, change):
    signature = sign_bundle(bundle, key=private("signer"))
    readme = bundle / "README.md"
    if change == "add":
        (bundle / "more.txt").write_text("x")
    elif change == "alter":
        readme.write_bytes(readme.read_bytes() + b"x")
    else:
        readme.unlink()
    verifier = model_signing.verifying.Config()
    verifier.use_elliptic_key_verifier(public_key=public("signer"))
    with pytest.raises(ValueError, match="Signature mismatch"):
        verifier.verify(bundle, signature)
    assert code_of(lambda: verify_signature(bundle, by_key("signer"))) is ErrorCode.FILES_DIFFER


@stock
def test_our_signature_says_what_that_of_model_signing_says(bundle):
    def payload() -> dict:
        envelope = json.loads((bundle / "bundle.sig").read_bytes())["dsseEnvelope"]
        return json.loads(base64.b64decode(envelope["payload"]))

    sign_bundle(bundle, key=private("signer"))
    ours = payload()
    (bundle / "bundle.sig").unlink()
    signer = model_signing.signing.Config().use_elliptic_key_signer(private_key=private("signer"))
    signer.sign(bundle, bundle / "bundle.sig")
    theirs = payload()
    for statement in (ours, theirs):
        del statement["predicate"]["serialization"]["ignore_paths"]
    assert ours == theirs


def test_the_signer_is_named(bundle):
    sign_bundle(bundle, key=private("signer"))
    with read_bundle(bundle, policy=Policy(signed_by=by_key("signer"))) as read:
        by_the_key = read.signer
    assert by_the_key == Signer("key", by_the_key.fingerprint)
    sign_bundle(bundle, key=private("signer"), certificates=CHAIN)
    by_certificate = verify_signature(bundle, by_root(URI))
    assert by_certificate == Signer(
        "certificate", by_the_key.fingerprint, "CN=Sealane test signer", (EMAIL, URI, DNS)
    )


def test_without_a_policy_nobody_is_named(bundle):
    sign_bundle(bundle, key=private("signer"))
    with read_bundle(bundle) as read:
        assert read.signer is None


def test_signing_again_replaces_the_signature(bundle):
    sign_bundle(bundle, key=private("other"))
    sign_bundle(bundle, key=private("signer"))
    assert code_of(lambda: verify_signature(bundle, by_key("other"))) is ErrorCode.SIGNER_UNTRUSTED
    assert verify_signature(bundle, by_key("signer")).kind == "key"


def test_a_signature_by_a_relative_path_names_the_folder(bundle, monkeypatch):
    monkeypatch.chdir(bundle)
    sign_bundle(".", key=private("signer"))
    assert verify_signature(".", by_key("signer")).kind == "key"
    assert sorted(path.name for path in bundle.parent.iterdir()) == ["flights"]


def test_a_bundle_that_does_not_verify_is_not_signed(bundle):
    (bundle / "README.md").write_text("changed")
    assert code_of(lambda: sign_bundle(bundle, key=private("signer"))) is ErrorCode.FILES_DIFFER
    assert not (bundle / "bundle.sig").exists()
    assert [path.name for path in bundle.parent.iterdir()] == ["flights"]


def test_a_failed_write_leaves_the_old_signature(bundle, monkeypatch):
    sign_bundle(bundle, key=private("signer"))
    before = (bundle / "bundle.sig").read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", fail)
        with pytest.raises(OSError, match="disk full"):
            sign_bundle(bundle, key=private("other"))
    assert (bundle / "bundle.sig").read_bytes() == before
    assert [path.name for path in bundle.parent.iterdir()] == ["flights"]


def test_an_encrypted_key_needs_its_password(bundle, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    secret = tmp_path / "secret.pem"
    secret.write_bytes(encrypted(key, b"right"))
    sign_bundle(bundle, key=secret, password="right")
    for password in (None, "wrong", ""):
        with pytest.raises(SealaneError, match=r"secret\.pem") as caught:
            sign_bundle(bundle, key=secret, password=password)
        assert caught.value.code is ErrorCode.SIGNING_KEY_INVALID


def test_a_password_for_a_plain_key_is_refused(bundle):
    with pytest.raises(SealaneError, match="not encrypted"):
        sign_bundle(bundle, key=private("signer"), password="x")


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "k256", "rsa"],
)
def test_keys_of_other_kinds_do_not_sign(bundle, tmp_path, key):
    secret = tmp_path / "secret.pem"
    secret.write_bytes(encrypted(key, b"x"))
    with pytest.raises(SealaneError, match="P-256") as caught:
        sign_bundle(bundle, key=secret, password="x")
    assert caught.value.code is ErrorCode.SIGNING_KEY_INVALID
    assert not (bundle / "bundle.sig").exists()


@pytest.mark.parametrize(
    ("key", "certificates", "message"),
    [
        ("missing.pem", (), "can not be read"),
        ("signer.pub.pem", (), "no PEM private key"),
        ("other.key.pem", CHAIN, "not the certificate of the private key"),
        ("signer.key.pem", CHAIN[:1] + CHAIN[:1], "not the issuer"),
        ("signer.key.pem", (KEYS / "signer.pub.pem",), "no PEM certificates to use"),
        ("signer.key.pem", CHAIN + CHAIN[1:] * 7, "at most 8"),
    ],
)
def test_keys_and_certificates_that_do_not_fit_are_refused(bundle, key, certificates, message):
    with pytest.raises(SealaneError, match=message) as caught:
        sign_bundle(bundle, key=KEYS / key, certificates=certificates)
    assert caught.value.code is ErrorCode.SIGNING_KEY_INVALID
    assert not (bundle / "bundle.sig").exists()


def test_one_file_may_hold_the_whole_chain(bundle, tmp_path):
    chain = tmp_path / "chain.pem"
    chain.write_bytes(b"".join(file.read_bytes() for file in CHAIN))
    sign_bundle(bundle, key=private("signer"), certificates=[chain])
    assert verify_signature(bundle, by_root(DNS)).kind == "certificate"


def test_a_trusted_key_that_is_missing_is_named():
    with pytest.raises(SealaneError, match=r"nobody\.pub\.pem") as caught:
        by_key("nobody")
    assert caught.value.code is ErrorCode.SIGNING_KEY_INVALID


def test_an_unsigned_bundle_is_told_from_a_bad_signature(bundle):
    assert code_of(lambda: verify_signature(bundle, by_key("signer"))) is ErrorCode.SIGNING_MISSING


def test_a_large_bundle_can_be_signed(bundle):
    extra = bundle / "preprocess"
    extra.mkdir()
    for index in range(700):
        (extra / f"{'x' * 100}-{index}.txt").write_text(str(index))
    relist(bundle)
    signature = sign_bundle(bundle, key=private("signer"))
    assert signature.stat().st_size > 1 << 17
    assert verify_signature(bundle, by_key("signer")).kind == "key"


def test_no_byte_of_a_signature_can_change():
    with read_bundle(GOOD / "signed") as bundle:
        digests = bundle.digests
    data = bytearray((GOOD / "signed" / "bundle.sig").read_bytes())
    check_signature(bytes(data), digests, by_key("signer"), DEFAULT_LIMITS)
    for position in range(len(data)):
        data[position] ^= 1
        with pytest.raises(SealaneError) as caught:
            check_signature(bytes(data), digests, by_key("signer"), DEFAULT_LIMITS)
        assert caught.value.code in (ErrorCode.SIGNING_INVALID, ErrorCode.SIGNER_UNTRUSTED)
        data[position] ^= 1


@pytest.mark.filterwarnings("ignore::UserWarning")  # cryptography warns of what it lets pass
def test_a_damaged_certificate_is_refused_and_nothing_else_happens():
    keys = Keys(KEYS)
    maker = Maker(keys, GOOD / "mlp")
    chain = [keys.certificate(name) for name in ("leaf", "intermediate", "root")]
    envelope = json.loads(maker.envelope(chain=("leaf",)).to_json())
    digests, trusted = maker.digests(), by_root()
    choose = random.Random(7)
    for _ in range(2000):
        damaged = [bytearray(each) for each in chain]
        certificate = choose.choice(damaged)
        for _ in range(choose.choice((1, 1, 3))):
            position = choose.randrange(len(certificate))
            if certificate[position : position + 2] == b"\0\x30":
                continue  # how many bits of the signature's last byte count is not judged
            certificate[position] ^= choose.choice((1, 2, 0x20, 0x80, 0xFF))
        envelope["verificationMaterial"]["x509CertificateChain"]["certificates"] = [
            {"rawBytes": base64.b64encode(each).decode()} for each in damaged
        ]
        data = json.dumps(envelope).encode()
        if damaged == chain:
            continue
        with pytest.raises(SealaneError) as caught:
            check_signature(data, digests, trusted, DEFAULT_LIMITS)
        assert caught.value.code in (ErrorCode.SIGNING_INVALID, ErrorCode.SIGNER_UNTRUSTED)


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "cryptography":
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
from sealane.bundle import TrustedSigners, read_bundle, sign_bundle, verify_signature
from sealane.core import SealaneError
read_bundle(sys.argv[1]).close()
for action in (
    lambda: sign_bundle(sys.argv[1], key="key.pem"),
    lambda: verify_signature(sys.argv[1], TrustedSigners()),
):
    try:
        action()
    except SealaneError as error:
        print(error)
"""


def test_without_cryptography_only_signatures_are_unavailable():
    import sealane

    source = str(Path(sealane.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(GOOD / "signed")],
        env={"PYTHONPATH": source}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("ENGINE_UNAVAILABLE: ")
        assert "pip install 'sealane[signing]'" in line
