"""Recipes whose signature or policy must refuse the bundle."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from corpus.keys import DNS, EMAIL, URI
from corpus.recipes import Recipe, manifest, replace, write_hex, write_text
from corpus.signatures import SIG, Json, Keys, Maker, by_keys, by_roots, policy
from cryptography.hazmat.primitives.asymmetric import utils

from sealane.bundle.signing_envelope import PAYLOAD_TYPE, pre_authentication_encoding

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INVALID, UNTRUSTED = "SIGNING_INVALID", "SIGNER_UNTRUSTED"


def recipes(good: Path, keys: Keys) -> list[Recipe]:
    """Every recipe of this kind."""
    maker = Maker(keys, good / "mlp")
    signed = (good / "signed" / SIG).read_text(encoding="ascii")
    return [
        *_forms(signed, maker),
        *_base64(signed),
        *_trust(maker),
        *_chains(maker),
        *_certificates(maker),
        *_signatures(maker),
        *_payloads(maker),
        *_statements(maker),
        *_resources(maker),
        *_files(),
        *_policies(),
    ]


def _forms(signed: str, maker: Maker) -> list[Recipe]:
    def case(name: str, why: str, find: str, text: str, times: int = 1) -> Recipe:
        step = replace(find, text, times, path=SIG)
        return Recipe(f"signature-{name}", why, "signed", [step], INVALID, by_keys("signer"))

    def whole(name: str, why: str, text: str, code: str = INVALID) -> Recipe:
        return Recipe(f"signature-{name}", why, "signed", [write_text(SIG, text)], code,
                      by_keys("signer"))  # fmt: skip

    envelope = json.loads(signed)
    one = json.dumps(envelope["dsseEnvelope"]["signatures"][0], separators=(",", ":"))
    raw = base64.b64encode(maker.keys.certificate("leaf")).decode("ascii")
    material = '"verificationMaterial":{'
    hint = f'"publicKey":{{"hint":"{maker.keys.hint("signer")}"}}'
    chain = f'"x509CertificateChain":{{"certificates":[{{"rawBytes":"{raw}"}}]}}'
    deep = signed.replace('"tlogEntries":[]', '"tlogEntries":' + "[" * 40 + "]" * 40)
    return [
        whole("empty-file", "bundle.sig without a byte", ""),
        whole("not-json", "not JSON", "-----BEGIN SIGNATURE-----"),
        whole("array", "an array at the top", f"[{signed}]"),
        whole("trailing", "text after the JSON", signed + "{}"),
        whole("bom", "a byte-order mark", "\ufeff" + signed),
        whole("deep", "JSON nested 42 deep", deep, "LIMIT_EXCEEDED"),
        case("twice", "one member twice", '"mediaType":', '"mediaType":"x","mediaType":'),
        case("media-type", "another media type", "bundle.v0.3+json", "bundle.v0.1+json"),
        case("no-media-type", "no media type", '"mediaType"', '"mediatype"'),
        case("unknown-member", "a member nobody knows", '{"mediaType"', '{"x":1,"mediaType"'),
        case("message", "a message signature beside the envelope", '"dsseEnvelope":',
             '"messageSignature":{},"dsseEnvelope":'),
        case("no-material", "neither key nor certificates", hint + ",", ""),
        case("both-materials", "key and certificates", material, f"{material}{chain},"),
        case("null-material", "certificates null beside a key", material,
             f'{material}"x509CertificateChain":null,'),
        case("keyless", "the certificate of keyless signing", '"publicKey":{"hint":',
             '"certificate":{"rawBytes":'),
        case("raw-key", "a key in the form before model-signing 1.1", '"hint":', '"rawBytes":'),
        case("upper-case-hint", "a hint that is not lower-case hex", '"hint":"', '"hint":"A'),
        case("payload-type", "another payload type", '"payloadType":"application/vnd.in-toto+json"',
             '"payloadType":"application/json"'),
        case("no-signatures", "no signature", one, ""),
        case("two-signatures", "two signatures, both right", one, f"{one},{one}"),
        case("signature-null", "a signature that is null", one, "null"),
        case("keyid-number", "a keyid that is a number", '"keyid":""', '"keyid":1'),
        case("unknown-in-signature", "a member of the signature nobody knows", '"keyid":""',
             '"cert":""'),
        case("log-null", "log entries that are null", '"tlogEntries":[]', '"tlogEntries":null'),
        Recipe("signature-too-long", "a signature above the limit", "signed", [], "LIMIT_EXCEEDED",
               by_keys("signer") | {"limits": {"signatureBytes": len(signed) - 1}}),
        Recipe("signature-missing", "no signature, and a signer asked for", "mlp", [],
               "SIGNING_MISSING", by_keys("signer")),
        Recipe("signature-missing-root", "no signature, and a root asked for", "mlp", [],
               "SIGNING_MISSING", by_roots("root")),
    ]  # fmt: skip


def _base64(signed: str) -> list[Recipe]:
    envelope = json.loads(signed)["dsseEnvelope"]
    payload, sig = envelope["payload"], envelope["signatures"][0]["sig"]

    def case(name: str, why: str, old: str, new: str, member: str = "sig") -> Recipe:
        step = replace(
            f'"{member}":"{old[:40]}', f'"{member}":"{new[: len(new) - len(old) + 40]}', path=SIG
        )
        if old[:40] == new[:40]:
            step = replace(f'{old[-40:]}"', f'{new[len(old) - 40 :]}"', path=SIG)
        return Recipe(f"signature-base64-{name}", why, "signed", [step], INVALID, by_keys("signer"))

    return [
        case("space", "white space in Base64", sig, " " + sig),
        case("line", "a line feed at the end", payload, payload + "\\n", "payload"),
        case("not-padded", "padding left out", sig, sig.rstrip("=")),
        case("padded-twice", "padding too long", sig, sig + "===="),
        case("trailing", "more data after the padding", sig, sig + "AAAA"),
        case("alphabet", "a character of the URL alphabet", sig, "_" + sig[1:]),
        case("percent", "a character of no alphabet", sig, "%" + sig[1:]),
        case("not-ascii", "a character beyond ASCII", sig, "\u00e9" + sig[1:]),
        case("spare-bits", "spare bits that are not zero", sig, _spare_bits(sig)),
        Recipe("signature-base64-empty", "an empty signature", "signed",
               [replace(f'"sig":"{sig}"', '"sig":""', path=SIG)], INVALID, by_keys("signer")),
        Recipe("signature-base64-empty-payload", "an empty payload", "signed",
               [replace(f'"payload":"{payload}"', '"payload":""', path=SIG)], INVALID,
               by_keys("signer")),
    ]  # fmt: skip


def _spare_bits(text: str) -> str:
    """The same bytes, the last character before the padding raised by one."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip("=")
    if body == text:
        raise ValueError("no spare bits without padding")
    return body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + "=" * (len(text) - len(body))


def _trust(maker: Maker) -> list[Recipe]:
    def case(name: str, why: str, base: str, options: Json, code: str = UNTRUSTED) -> Recipe:
        return Recipe(f"signer-{name}", why, base, [], code, options)

    p256 = maker.keys.hint("signer")
    return [
        case("other-key", "signed by a key that is not trusted", "signed", by_keys("other",
                                                                                   "p384")),
        case("key-for-root", "signed by a key, roots trusted only", "signed", by_roots("root")),
        case("chain-for-key", "a certificate of a trusted key, keys trusted only", "signed-chain",
             by_keys("signer")),
        case("identity-without-root", "identities, and no root", "signed-chain",
             policy(identities=[EMAIL])),
        case("other-root", "a certificate under another root", "signed-chain",
             by_roots("root-other")),
        case("same-name-root", "a root of the same name with another key", "signed-chain",
             by_roots("root-same-name")),
        case("other-identity", "a certificate with other names", "signed-chain",
             by_roots("root", identities=["models@example.com"])),
        case("identity-case", "an identity in other case", "signed-chain",
             by_roots("root", identities=[EMAIL.upper()])),
        case("identity-part", "part of an identity", "signed-chain",
             by_roots("root", identities=[DNS.removeprefix("ci."), "*.example.org"])),
        Recipe("signer-identity-kind", "a URI as DNS name, a DNS name as e-mail address", "mlp",
               [maker.write("leaf-uri-as-dns", "intermediate")], UNTRUSTED,
               by_roots("root", identities=[URI, DNS])),
        Recipe("signer-nameless", "a certificate without names, one asked for", "mlp",
               [maker.write("leaf-nameless", "intermediate")], UNTRUSTED,
               by_roots("root", identities=[EMAIL])),
        case("key-ed25519", "an Ed25519 key as trusted", "signed", by_keys("ed25519"),
             "SIGNING_KEY_INVALID"),
        case("key-k256", "a secp256k1 key as trusted", "signed", by_keys("k256"),
             "SIGNING_KEY_INVALID"),
        case("key-rsa", "an RSA key as trusted", "signed", by_keys("rsa"), "SIGNING_KEY_INVALID"),
        case("key-broken", "a trusted key that is no key", "signed", by_keys("broken"),
             "SIGNING_KEY_INVALID"),
        case("root-broken", "a trusted root that is a key", "signed-chain",
             policy(roots=["keys/signer.pub.pem"]), "SIGNING_KEY_INVALID"),
        Recipe("signer-hint-stolen", "another key's signature under a trusted key's hint", "mlp",
               [maker.write(key="other", hint=p256)], INVALID, by_keys("signer")),
        Recipe("signer-certificate-stolen", "another key's signature under a trusted certificate",
               "mlp", [maker.write("leaf", "intermediate", key="other")], INVALID,
               by_roots("root")),
    ]  # fmt: skip


def _chains(maker: Maker) -> list[Recipe]:
    def case(name: str, why: str, *chain: str, root: str = "root") -> Recipe:
        return Recipe(f"chain-{name}", why, "mlp", [maker.write(*chain)], UNTRUSTED,
                      by_roots(root))  # fmt: skip

    return [
        case("no-intermediate", "the intermediate left out", "leaf"),
        case("order", "root before intermediate", "leaf", "root-other", "intermediate"),
        case("unrelated", "an unrelated certificate at the end", "leaf", "intermediate",
             "root-other"),
        case("wrong-intermediate", "another intermediate", "leaf", "ca-code-signing"),
        case("leaf-is-root", "a self-signed certificate trusted as root", "self-signed",
             root="self-signed"),
        case("self-signed", "a self-signed certificate", "self-signed"),
        case("expired", "the leaf expired", "leaf-expired", "intermediate"),
        case("not-yet", "the leaf not yet valid", "leaf-not-yet", "intermediate"),
        case("expired-intermediate", "the intermediate expired", "ca-expired-leaf", "ca-expired"),
        case("expired-root", "the root expired", "root-expired-leaf", root="root-expired"),
        case("leaf-for-tls", "a leaf for TLS", "leaf-tls", "intermediate"),
        case("leaf-for-anything", "a leaf for any use", "leaf-any-usage", "intermediate"),
        case("leaf-no-extended-usage", "a leaf without extended key usage",
             "leaf-no-extended-usage",
             "intermediate"),
        case("leaf-no-digital-signature", "a leaf that may not sign data",
             "leaf-no-digital-signature", "intermediate"),
        case("leaf-critical", "an unknown critical extension", "leaf-critical", "intermediate"),
        case("leaf-rsa", "a leaf with an RSA key", "leaf-rsa", "intermediate"),
        case("issuer-not-ca", "an issuer that is no authority", "ca-not-ca-leaf", "ca-not-ca"),
        case("issuer-no-cert-sign", "an issuer that may not sign certificates",
             "ca-no-cert-sign-leaf", "ca-no-cert-sign"),
        case("issuer-for-tls", "an issuer for TLS", "ca-tls-leaf", "ca-tls"),
        case("issuer-constrained", "an issuer with name constraints", "ca-constrained-leaf",
             "ca-constrained"),
        case("too-long", "a root that allows no intermediate, and one", "root-short-ca-leaf",
             "root-short-ca", root="root-short"),
        case("weak-root", "a root with an RSA key of 1,024 bits", "root-weak-leaf",
             root="root-weak"),
        case("leaf-as-issuer", "a leaf that issues", "leaf", "leaf-root"),
    ]  # fmt: skip


def _certificates(maker: Maker) -> list[Recipe]:
    leaf = maker.keys.certificate("leaf-root")
    envelope = json.loads(maker.envelope(chain=("leaf-root",)).to_json())
    place = envelope["verificationMaterial"]["x509CertificateChain"]

    def case(name: str, why: str, *certificates: bytes) -> Recipe:
        raw = [base64.b64encode(each).decode("ascii") for each in certificates]
        place["certificates"] = [{"rawBytes": each} for each in raw]
        return Recipe(f"certificate-{name}", why, "mlp", [write_text(SIG, json.dumps(envelope))],
                      INVALID, by_roots("root"))  # fmt: skip

    pem = (maker.keys.folder / "leaf-root.crt.pem").read_bytes()
    return [
        case("none", "no certificate"),
        case("nine", "nine certificates", *([leaf] * 9)),
        case("garbage", "bytes that are no certificate", b"\x30\x03\x02\x01\x00"),
        case("cut", "a certificate cut short", leaf[:-1]),
        case("trailing", "a byte after the certificate", leaf + b"\0"),
        case("two-in-one", "two certificates in one", leaf + leaf),
        case("pem", "a certificate in PEM", pem),
        case("k256", "a key on another curve", maker.keys.certificate("leaf-k256")),
        case("bad-intermediate", "an intermediate that is no certificate", leaf, b"\x30\x00"),
    ]


def _signatures(maker: Maker) -> list[Recipe]:
    payload = maker.envelope().payload
    encoded = pre_authentication_encoding(payload)
    right = maker.keys.sign(encoded)
    r, s = utils.decode_dss_signature(right)
    length = f"{len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} "

    def case(name: str, why: str, signature: bytes, key: str = "signer") -> Recipe:
        step = maker.write(key=key, payload=payload, signature=signature)
        return Recipe(f"ecdsa-{name}", why, "mlp", [step], INVALID, by_keys(key))

    return [
        case("flipped", "one bit of s changed", right[:-1] + bytes([right[-1] ^ 1])),
        case("sha384", "a P-256 signature over SHA-384", maker.keys.sign(encoded, hash_bits=384)),
        case("p384-sha256", "a P-384 signature over SHA-256",
             maker.keys.sign(encoded, "p384", 256), "p384"),
        case("p521-sha256", "a P-521 signature over SHA-256",
             maker.keys.sign(encoded, "p521", 256), "p521"),
        case("fixed-length", "r and s without DER", r.to_bytes(32, "big") + s.to_bytes(32, "big")),
        case("trailing", "a byte after the DER", right + b"\0"),
        case("long-length", "a length in two bytes", b"\x30\x81" + right[1:]),
        case("padded-integer", "an integer with a zero byte too many", _padded(right)),
        case("zero", "r = s = 0", utils.encode_dss_signature(0, 0)),
        case("zero-r", "r = 0", utils.encode_dss_signature(0, s)),
        case("negative", "a negative r", bytes.fromhex("30060201ff020101")),
        case("one-byte", "one byte", b"\0"),
        case("bare-payload", "the payload signed without its type", maker.keys.sign(payload)),
        case("old-encoding", "the encoding of model-signing 0.2",
             maker.keys.sign(f"DSSEV1 {length}{payload}".encode())),
        case("old-prefix", "an encoding with another version",
             maker.keys.sign(b"DSSEv0" + encoded[6:])),
    ]  # fmt: skip


def _padded(signature: bytes) -> bytes:
    """DER of (r, s) with one leading zero byte more in r."""
    length = signature[3]
    return bytes([0x30, signature[1] + 1, 2, length + 1, 0]) + signature[4:]


def _payloads(maker: Maker) -> list[Recipe]:
    """Payloads whose signature is right."""
    right = maker.envelope().payload

    def case(name: str, why: str, payload: bytes, code: str = INVALID) -> Recipe:
        return Recipe(f"payload-{name}", why, "mlp", [maker.write(payload=payload)], code,
                      by_keys("signer"))  # fmt: skip

    return [
        case("not-json", "a payload that is not JSON", b"not JSON"),
        case("not-utf-8", "a payload that is not UTF-8", b'{"_type": "\xff"}'),
        case("bom", "a payload with a byte-order mark", b"\xef\xbb\xbf" + right),
        case("trailing", "bytes after the statement", right + b" 1"),
        case("twice", "a predicate twice", right.replace(b'"predicate":',
                                                         b'"predicate":{},"predicate":')),
        case("deep", "a payload nested 40 deep", b"[" * 40 + b"]" * 40, "LIMIT_EXCEEDED"),
        case("null", "a payload that is null", b"null"),
        Recipe("payload-changed", "a payload that was not signed", "mlp",
               [maker.write(payload=right + b"\n", signature=maker.envelope().signature)], INVALID,
               by_keys("signer")),
    ]  # fmt: skip


def _put(*path: str | int, value: Any) -> Callable[[Json], None]:
    def change(statement: Json) -> None:
        place: Any = statement
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def _drop(*path: str | int) -> Callable[[Json], None]:
    def change(statement: Json) -> None:
        place: Any = statement
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


def _statements(maker: Maker) -> list[Recipe]:
    def case(name: str, why: str, change: Callable[[Json], object]) -> Recipe:
        return Recipe(f"statement-{name}", why, "mlp", [maker.write_changed(change)], INVALID,
                      by_keys("signer"))  # fmt: skip

    serialization = ("predicate", "serialization")
    root = ("subject", 0, "digest", "sha256")
    subject = maker.statement()["subject"][0]
    provenance = "https://slsa.dev/provenance/v1"
    digests = "https://model_signing/Digests/v0.1"
    return [
        case("type", "another statement type", _put("_type",
                                                    value="https://in-toto.io/Statement/v0.1")),
        case("predicate-type", "a statement about something else", _put("predicateType",
                                                                        value=provenance)),
        case("old-predicate", "the predicate of model-signing 0.2", _put("predicateType",
                                                                         value=digests)),
        case("unknown-member", "a member nobody knows", _put("note", value="x")),
        case("unknown-in-predicate", "a member of the predicate nobody knows",
             _put("predicate", "note", value="x")),
        case("no-predicate", "no predicate", _drop("predicate")),
        case("no-subject", "no subject", _put("subject", value=[])),
        case("two-subjects", "two subjects", _put("subject", value=[subject, subject])),
        case("nameless-subject", "a subject without name", _put("subject", 0, "name", value="")),
        case("root-digest", "a root digest of other files", _put(*root, value="0" * 64)),
        case("root-digest-case", "a root digest in upper case",
             _put(*root, value=subject["digest"]["sha256"].upper())),
        case("no-root-digest", "no root digest by SHA-256", _put("subject", 0, "digest",
                                                                 value={"sha512": "00"})),
        case("shards", "digests of parts of files", _put(*serialization, "method", value="shards")),
        case("shard-size", "a shard size", _put(*serialization, "shard_size", value=1000)),
        case("hash-type", "another hash", _put(*serialization, "hash_type", value="blake3")),
        case("links", "links followed", _put(*serialization, "allow_symlinks", value=True)),
        case("links-number", "links followed: 0", _put(*serialization, "allow_symlinks", value=0)),
        case("no-links", "links not decided", _drop(*serialization, "allow_symlinks")),
        case("ignored-text", "ignored paths that are a text", _put(*serialization, "ignore_paths",
                                                                   value="1")),
        case("ignored-null", "an ignored path that is null", _put(*serialization, "ignore_paths",
                                                                  value=[None])),
        case("no-serialization", "no serialization", _drop("predicate", "serialization")),
    ]  # fmt: skip


def _resources(maker: Maker) -> list[Recipe]:
    resources = ("predicate", "resources")
    own = maker.statement()["predicate"]["resources"]
    names = [each["name"] for each in own]
    model, top = names.index("1/model.onnx"), names.index("sealane.json")
    other = {"name": "evil.txt", "algorithm": "sha256", "digest": "0" * 64}

    def case(
        name: str, why: str, change: Callable[[Json], object], details: Json | None = None
    ) -> Recipe:
        step = maker.write_changed(change, rooted=True)
        options = by_keys("signer") | ({"details": details} if details else {})
        return Recipe(f"resources-{name}", why, "mlp", [step], INVALID, options)

    def twice(digest: str) -> Callable[[Json], object]:
        return lambda statement: statement["predicate"]["resources"].insert(
            model, {**own[model], "digest": digest}
        )

    def differ(extra: list[str], missing: list[str], changed: list[Json]) -> Json:
        return {"extra": extra, "missing": missing, "changed": changed}

    zeros = {"path": "1/model.onnx", "expected": "0" * 64, "actual": own[model]["digest"]}
    return [
        case("none", "no resources", _put(*resources, value=[])),
        case("missing", "a file that is not signed", _drop(*resources, model),
             differ([], ["1/model.onnx"], [])),
        case("no-manifest", "the manifest not signed", _drop(*resources, top),
             differ([], ["sealane.json"], [])),
        case("extra", "a signed file that is not there",
             _put(*resources, value=[*own, other]), differ(["evil.txt"], [], [])),
        case("itself", "the signature among the files",
             _put(*resources, value=[{**other, "name": SIG}, *own]), differ([SIG], [], [])),
        case("changed", "another digest", _put(*resources, model, "digest", value="0" * 64),
             differ([], [], [zeros])),
        case("renamed", "a path written otherwise",
             _put(*resources, model, "name", value="./1/model.onnx"),
             differ(["./1/model.onnx"], ["1/model.onnx"], [])),
        case("twice", "a file twice", twice(own[model]["digest"])),
        case("twice-changed", "a file twice, with two digests", twice("0" * 64)),
        case("algorithm", "another hash of a file", _put(*resources, model, "algorithm",
                                                         value="sha512")),
        case("upper-case", "a digest in upper case",
             _put(*resources, model, "digest", value=own[model]["digest"].upper())),
        case("short", "a digest cut short", _put(*resources, model, "digest",
                                                 value=own[model]["digest"][:62])),
        case("nameless", "a resource without name", _put(*resources, model, "name", value="")),
    ]  # fmt: skip


def _files() -> list[Recipe]:
    """Bundles that changed after they were signed, and what is found first."""
    options = by_keys("signer")
    return [
        Recipe("signed-manifest-changed", "a manifest changed after signing", "signed",
               [manifest("replace", "/version", "1.0.1")], INVALID, options),
        Recipe("signed-file-added", "a file added and listed after signing", "signed",
               [write_text("NOTES.md", "x"), {"do": "relist"}], INVALID,
               options | {"details": {"extra": [], "missing": ["NOTES.md"]}}),
        Recipe("signed-file-changed", "a file changed after signing: the digests come first",
               "signed", [write_text("README.md", "x")], "FILES_DIFFER", options),
        Recipe("signed-pickle", "forbidden content comes before the signature", "signed",
               [write_hex("1/evil.txt", "80 04 95"), {"do": "relist"}], "CONTENT_FORBIDDEN",
               options),
        Recipe("signed-golden-broken", "the signature comes before the golden cases", "signed",
               [write_text("golden/batch-1.safetensors", "x"), {"do": "relist"}], INVALID, options),
        Recipe("signed-link", "a signature that is a link", "signed",
               [{"do": "remove", "path": SIG}, {"do": "symlink", "path": SIG,
                                                "target": "sealane.json"}],
               "PATH_UNSAFE", options),
    ]  # fmt: skip


def _policies() -> list[Recipe]:
    def version(name: str, own: str, minimum: str) -> Recipe:
        return Recipe(f"policy-version-{name}", f"{own} is earlier than {minimum}", "mlp",
                      [manifest("replace", "/version", own)], "POLICY_REFUSED",
                      policy(minimumVersion=minimum))  # fmt: skip

    failed = manifest("replace", "/variants/1/verdict", "failed")
    task = manifest("replace", "/variants/0/verdict", "task-only")
    oracle = policy(requiredVerdict="within-oracle")
    return [
        version("patch", "1.0.0", "1.0.1"),
        version("numbers", "1.9.0", "1.10"),
        version("pre-release", "1.0.0-rc.1", "1.0.0"),
        version("pre-release-number", "1.0.0-rc.9", "1.0.0-rc.10"),
        version("shorter-pre-release", "1.0.0-rc", "1.0.0-rc.1"),
        version("number-before-word", "1.9", "1.beta"),
        version("case", "1.B", "1.a"),
        version("date", "2025-12-31", "2026-01-01"),
        version("long", "123456789012345678901234567890.0.9", "123456789012345678901234567890.1"),
        Recipe("policy-verdict", "a primary variant below the required verdict", "mlp", [task],
               "POLICY_REFUSED", oracle),
        Recipe("policy-verdict-kept", "a kept variant below the required verdict", "both", [failed],
               "POLICY_REFUSED", oracle | {"keep": ["saved-model"]}),
        Recipe("policy-verdict-after-signature", "the signature comes before the verdict", "mlp",
               [task], "SIGNING_MISSING",
               policy(keys=["keys/signer.pub.pem"], requiredVerdict="bit-exact")),
        Recipe("policy-before-golden", "the policy comes before the golden cases", "mlp",
               [task, write_text("golden/batch-1.safetensors", "x"), {"do": "relist"}],
               "POLICY_REFUSED", oracle),
    ]  # fmt: skip
