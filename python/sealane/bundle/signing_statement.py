"""What a signature says: the digests of a bundle's files (bundle format §7.3)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from sealane.bundle.manifest import SIGNATURE_NAME
from sealane.bundle.signing_envelope import (
    a_string,
    an_array,
    constant,
    invalid,
    members,
    sha256,
)
from sealane.bundle.strict_json import parse_strict_json
from sealane.core import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sealane.bundle.limits import ReaderLimits

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"


def write_statement(name: str, digests: Mapping[str, str]) -> bytes:
    """The statement over some files.

    Args:
        name: The bundle's folder name; informative.
        digests: SHA-256 as lower-case hex, by path.

    Returns:
        in-toto Statement v1 as JSON.
    """
    ordered = sorted(digests.items())
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": root_digest(d for _, d in ordered)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [SIGNATURE_NAME],
            },
            "resources": [
                {"name": path, "algorithm": "sha256", "digest": digest} for path, digest in ordered
            ],
        },
    }
    return json.dumps(statement, indent=2).encode("ascii")


def root_digest(digests: Iterable[str]) -> str:
    """SHA-256 over some raw digests (OpenSSF Model Signing v1.0 §6.5.1)."""
    return hashlib.sha256(b"".join(bytes.fromhex(each) for each in digests)).hexdigest()


def check_statement(payload: bytes, digests: Mapping[str, str], limits: ReaderLimits) -> None:
    """Check that a statement covers exactly these files.

    Args:
        payload: The statement, its signature verified.
        digests: SHA-256 as lower-case hex of every file that must be covered, by path.
        limits: Bounds on the JSON.

    Raises:
        SealaneError: SIGNING_INVALID, or LIMIT_EXCEEDED for depth and string length.
    """
    value = parse_strict_json(
        payload,
        limits,
        where=f"{SIGNATURE_NAME}: the statement",
        code=ErrorCode.SIGNING_INVALID,
    )
    top = members(value, "the statement", ("_type", "subject", "predicateType", "predicate"))
    constant(top["_type"], "_type", STATEMENT_TYPE)
    constant(top["predicateType"], "predicateType", PREDICATE_TYPE)
    predicate = members(top["predicate"], "predicate", ("serialization", "resources"))
    _check_serialization(predicate["serialization"])
    signed = _resources(predicate["resources"])
    _check_subject(top["subject"], root_digest(signed.values()))
    if signed != digests:
        raise _differs(signed, digests)


def _check_serialization(value: object) -> None:
    where = "predicate.serialization"
    required = ("method", "hash_type", "allow_symlinks")
    serialization = members(value, where, required, ("ignore_paths",))
    constant(serialization["method"], f"{where}.method", "files")
    constant(serialization["hash_type"], f"{where}.hash_type", "sha256")
    constant(serialization["allow_symlinks"], f"{where}.allow_symlinks", expected=False)
    where = f"{where}.ignore_paths"
    for path in an_array(serialization.get("ignore_paths", []), where):
        if not isinstance(path, str):
            raise invalid(where, "expected an array of strings")


def _resources(value: object) -> dict[str, str]:
    signed: dict[str, str] = {}
    for index, each in enumerate(an_array(value, "predicate.resources")):
        where = f"predicate.resources[{index}]"
        resource = members(each, where, ("name", "digest", "algorithm"), None)
        constant(resource["algorithm"], f"{where}.algorithm", "sha256")
        name = a_string(resource["name"], f"{where}.name")
        if name in signed:
            raise invalid(where, f"{name!r} is there twice")
        signed[name] = sha256(resource["digest"], f"{where}.digest")
    return signed


def _check_subject(value: object, expected: str) -> None:
    subjects = an_array(value, "subject")
    if len(subjects) != 1:
        raise invalid("subject", f"expected exactly one, received {len(subjects)}")
    subject = members(subjects[0], "subject[0]", ("name", "digest"), None)
    a_string(subject["name"], "subject[0].name")
    digest = members(subject["digest"], "subject[0].digest", ("sha256",), None)
    constant(digest["sha256"], "subject[0].digest.sha256", expected)


def _differs(signed: Mapping[str, str], digests: Mapping[str, str]) -> Exception:
    extra = sorted(signed.keys() - digests.keys())
    missing = sorted(digests.keys() - signed.keys())
    changed = [
        {"path": path, "expected": signed[path], "actual": digests[path]}
        for path in sorted(signed.keys() & digests.keys())
        if signed[path] != digests[path]
    ]
    lines = [
        *(f"signed but not in the bundle: {path}" for path in extra),
        *(f"not signed: {path}" for path in missing),
        *(f"changed since: {each['path']}" for each in changed),
    ]
    shown = lines[:20] + ([f"… and {len(lines) - 20} more"] if len(lines) > 20 else [])
    return invalid(
        "predicate.resources",
        "the signature covers other files than the bundle's:\n  " + "\n  ".join(shown),
        {"extra": extra, "missing": missing, "changed": changed},
    )
