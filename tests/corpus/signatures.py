"""Signed bundles and the recipes about signatures and policies that must be accepted."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus import bases
from corpus.keys import DNS, EMAIL, URI
from corpus.recipes import Recipe, Step, manifest, replace, write_text
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sealane.bundle import read_bundle, write_bundle
from sealane.bundle.signing_envelope import Envelope, pre_authentication_encoding
from sealane.bundle.signing_keys import fingerprint
from sealane.bundle.signing_statement import root_digest, write_statement

if TYPE_CHECKING:
    from collections.abc import Callable

SIG = "bundle.sig"
HASHES = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
BY_KEY = {"keys": ["keys/signer.pub.pem"]}
BY_ROOT = {"roots": ["keys/root.crt.pem"]}

Json = dict[str, Any]


@dataclass(frozen=True)
class Keys:
    """The committed keys and certificates, by file name without suffix."""

    folder: Path

    def private(self, name: str) -> ec.EllipticCurvePrivateKey:
        pem = (self.folder / f"{name}.key.pem").read_bytes()
        key = serialization.load_pem_private_key(pem, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def hint(self, name: str) -> str:
        return fingerprint(self.private(name).public_key())

    def certificate(self, name: str) -> bytes:
        pem = (self.folder / f"{name}.crt.pem").read_bytes()
        return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)

    def sign(self, data: bytes, name: str = "signer", hash_bits: int | None = None) -> bytes:
        """ECDSA as RFC 6979 has it, so that the corpus can be made again."""
        key = self.private(name)
        algorithm = HASHES[hash_bits or key.curve.key_size]
        return key.sign(data, ec.ECDSA(algorithm, deterministic_signing=True))


@dataclass(frozen=True)
class Maker:
    """Makes the ``bundle.sig`` of one bundle, right or wrong in one spot."""

    keys: Keys
    bundle: Path

    def digests(self) -> dict[str, str]:
        with read_bundle(self.bundle) as bundle:
            return bundle.digests

    def statement(self) -> Json:
        return json.loads(write_statement(self.bundle.name, self.digests()))

    def envelope(
        self, payload: bytes | None = None, *, key: str = "signer", chain: tuple[str, ...] = (),
        hint: str | None = None, signature: bytes | None = None,
    ) -> Envelope:  # fmt: skip
        if payload is None:
            payload = write_statement(self.bundle.name, self.digests())
        if signature is None:
            signature = self.keys.sign(pre_authentication_encoding(payload), key)
        certificates = tuple(self.keys.certificate(each) for each in chain)
        hint = None if chain else hint or self.keys.hint(key)
        return Envelope(hint, certificates, payload, signature)

    def write(self, *chain: str, **members: Any) -> Step:
        """The step that writes this signature."""
        text = self.envelope(chain=chain, **members).to_json().decode("ascii")
        return write_text(SIG, text)

    def write_changed(self, change: Callable[[Json], object], *, rooted: bool = False) -> Step:
        """A signature over a changed statement; ``rooted`` makes its root digest right again."""
        statement = self.statement()
        change(statement)
        if rooted:
            resources = statement["predicate"]["resources"]
            digest = root_digest(each["digest"] for each in resources)
            statement["subject"][0]["digest"]["sha256"] = digest
        return self.write(payload=json.dumps(statement).encode())


def write_signed(good: Path, keys: Keys) -> None:
    """The good bundles ``signed`` (by a key) and ``signed-chain`` (by a certificate)."""
    chains = {"signed": (), "signed-chain": ("leaf", "intermediate")}
    for name, chain in chains.items():
        with tempfile.TemporaryDirectory() as folder:
            write_bundle(good / name, bases.mlp_draft(Path(folder), name))
        envelope = Maker(keys, good / name).envelope(chain=chain)
        (good / name / SIG).write_bytes(envelope.to_json())


def by_keys(*names: str, **more: Any) -> Json:
    return {"policy": {"keys": [f"keys/{name}.pub.pem" for name in names], **more}}


def by_roots(*names: str, **more: Any) -> Json:
    return {"policy": {"roots": [f"keys/{name}.crt.pem" for name in names], **more}}


def policy(**members: Any) -> Json:
    return {"policy": members}


def accepted_recipes(good: Path, keys: Keys) -> list[Recipe]:
    """Signatures and policies that must be accepted."""
    maker = Maker(keys, good / "mlp")
    return [*_keys(maker), *_chains(maker), *_forms(maker), *_statements(maker), *_policies()]


def _keys(maker: Maker) -> list[Recipe]:
    return [
        Recipe("signed-key", "signed by the trusted key", "signed", [], options=by_keys("signer")),
        Recipe("signed-one-of-keys", "signed by one of three keys", "signed", [],
               options=by_keys("other", "p521", "signer")),
        Recipe("signed-key-p384", "a P-384 key", "mlp", [maker.write(key="p384")],
               options=by_keys("p384")),
        Recipe("signed-key-p521", "a P-521 key", "mlp", [maker.write(key="p521")],
               options=by_keys("p521")),
        Recipe("signed-key-and-roots", "keys and roots: either is enough", "signed", [],
               options=by_keys("signer", roots=["keys/root-other.crt.pem"], identities=["nobody"])),
        Recipe("signed-unread", "no signer asked for: bundle.sig is not read", "mlp",
               [write_text(SIG, "not even JSON")]),
        Recipe("signed-unread-verdict", "a policy without signers: bundle.sig is not read", "mlp",
               [write_text(SIG, "not even JSON")], options=policy(requiredVerdict="bit-exact")),
    ]  # fmt: skip


def _chains(maker: Maker) -> list[Recipe]:
    def case(name: str, why: str, *chain: str, root: str = "root", key: str = "signer") -> Recipe:
        return Recipe(f"signed-{name}", why, "mlp", [maker.write(*chain, key=key)],
                      options=by_roots(root))  # fmt: skip

    def named(kind: str, name: str) -> Recipe:
        return Recipe(f"signed-identity-{kind}", f"an identity by its {kind} name", "signed-chain",
                      [], options=by_roots("root", identities=["nobody@example.org",
                                                               name]))  # fmt: skip

    return [
        Recipe("signed-chain", "a certificate under the trusted root", "signed-chain", [],
               options=by_roots("root-other", "root-same-name", "root")),
        named("e-mail", EMAIL),
        named("uri", URI),
        named("dns", DNS),
        case("chain-direct", "a leaf issued by the root itself", "leaf-root"),
        case("chain-with-root", "the root in the chain", "leaf", "intermediate", "root"),
        case("chain-pinned-intermediate", "an intermediate trusted as root", "leaf", "intermediate",
             "root", root="intermediate"),
        case("chain-pinned-issuer", "an intermediate trusted as root, left out", "leaf",
             root="intermediate"),
        case("chain-p384", "a P-384 leaf", "leaf-p384", "intermediate", key="p384"),
        case("chain-rsa", "an intermediate with an RSA key", "ca-rsa-leaf", "ca-rsa"),
        case("chain-code-signing", "an intermediate for code signing only", "ca-code-signing-leaf",
             "ca-code-signing"),
        case("chain-uncritical", "an unknown extension that is not critical", "leaf-uncritical",
             "intermediate"),
        case("chain-nameless", "a leaf without names, none asked for", "leaf-nameless",
             "intermediate"),
        case("chain-short", "a root that allows no intermediate, and none", "root-short-leaf",
             root="root-short"),
    ]  # fmt: skip


def _forms(maker: Maker) -> list[Recipe]:
    def case(name: str, why: str, find: str, text: str) -> Recipe:
        return Recipe(f"signed-form-{name}", why, "signed", [replace(find, text, path=SIG)],
                      options=by_keys("signer"))  # fmt: skip

    return [
        case("no-keyid", "no keyid", ',"keyid":""', ""),
        case("null-keyid", "keyid null", '"keyid":""', '"keyid":null'),
        case("keyid", "a keyid that says something", '"keyid":""', '"keyid":"main"'),
        case("no-log", "no tlogEntries", ',"tlogEntries":[]', ""),
        case("log", "log entries are ignored", '"tlogEntries":[]',
             '"tlogEntries":[{"logIndex":"1"}]'),
        case("timestamps", "timestamps are ignored", '"tlogEntries":[]',
             '"timestampVerificationData":{"rfc3161Timestamps":[]}'),
        case("key-details", "keyDetails does not choose the algorithm", '"publicKey":{',
             '"publicKey":{"keyDetails":"PKIX_ED25519",'),
        Recipe("signed-form-printed", "other white space and order of members", "mlp",
               [write_text(SIG, _reprinted(maker))], options=by_keys("signer")),
    ]  # fmt: skip


def _reprinted(maker: Maker) -> str:
    return json.dumps(json.loads(maker.envelope().to_json()), indent=3, sort_keys=True) + "\n"


def _statements(maker: Maker) -> list[Recipe]:
    def case(name: str, why: str, change: Callable[[Json], object]) -> Recipe:
        return Recipe(f"signed-statement-{name}", why, "mlp",
                      [maker.write_changed(change, rooted=True)],
                      options=by_keys("signer"))  # fmt: skip

    def reverse(statement: Json) -> None:
        statement["predicate"]["resources"].reverse()

    def ignore(statement: Json) -> None:
        paths = ["mlp/bundle.sig", ".git", ".github", "1"]
        statement["predicate"]["serialization"]["ignore_paths"] = paths

    def ignore_nothing(statement: Json) -> None:
        del statement["predicate"]["serialization"]["ignore_paths"]

    def annotate(statement: Json) -> None:
        statement["predicate"]["resources"][0]["annotations"] = {"x": 1}
        statement["subject"][0]["digest"]["sha512"] = "00"
        statement["subject"][0]["uri"] = "file:mlp"

    def rename(statement: Json) -> None:
        statement["subject"][0]["name"] = "model"

    return [
        case("order", "resources in another order", reverse),
        case("ignored-paths", "ignore_paths has no effect", ignore),
        case("no-ignored-paths", "no ignore_paths", ignore_nothing),
        case("annotated", "members of resources and subject that nobody knows", annotate),
        case("renamed", "another subject name", rename),
    ]


def _policies() -> list[Recipe]:
    def version(name: str, own: str, minimum: str) -> Recipe:
        return Recipe(f"policy-version-{name}", f"{own} is {minimum} or later", "mlp",
                      [manifest("replace", "/version", own)],
                      options=policy(minimumVersion=minimum))  # fmt: skip

    weaker = {"rtol": 0.1, "atol": 0.1, "reason": "half precision"}
    return [
        version("equal", "1.0.0", "1.0.0"),
        version("zeros", "1", "1.0.0"),
        version("numbers", "1.10.0", "1.9"),
        version("build", "1.0.0+a", "1.0.0+b"),
        version("release", "1.0.0", "1.0.0-rc.9"),
        version("pre-release", "1.0.0-rc.10", "1.0.0-rc.9"),
        version("longer-pre-release", "1.0.0-rc.1", "1.0.0-rc"),
        version("date", "2026-11-23", "2026-02-28"),
        version("words", "1.beta", "1.2"),
        version("long", "123456789012345678901234567890.1", "123456789012345678901234567890.0.9"),
        Recipe("policy-verdict", "the verdict that is required", "mlp", [],
               options=policy(requiredVerdict="bit-exact")),
        Recipe("policy-verdict-weaker", "less than the verdict is required", "mlp",
               [manifest("replace", "/variants/0/verdict", "within-declared"),
                manifest("add", "/variants/0/tolerance", weaker)],
               options=policy(requiredVerdict="within-declared")),
        Recipe("policy-verdict-not-kept", "a worse variant that is neither primary nor kept",
               "both",
               [manifest("replace", "/variants/1/verdict", "failed")],
               options=policy(requiredVerdict="within-oracle") | {"keep": ["onnx"]}),
    ]  # fmt: skip


def copy_keys(source: Path, target: Path) -> None:
    """Keep the committed keys when the corpus is written elsewhere."""
    if source.resolve() != target.resolve():
        shutil.copytree(source, target, dirs_exist_ok=True)
