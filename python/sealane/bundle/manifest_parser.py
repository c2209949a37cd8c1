"""From the bytes of ``sealane.json`` to a Manifest, in the order of checks of format §2."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, cast

from sealane.bundle.json_members import (
    Members,
    an_object,
    integer,
    invalid,
    items,
    mapping,
    matching,
    non_empty,
    not_negative,
    one_of,
    text,
)
from sealane.bundle.limits import DEFAULT_LIMITS, ReaderLimits
from sealane.bundle.manifest import (
    FORMAT,
    MANIFEST_NAME,
    PRECISIONS,
    ROLES,
    Bindings,
    FileEntry,
    Free,
    GoldenRef,
    Manifest,
    ManifestLimits,
    Preprocess,
    Requires,
    Tolerance,
    Unavailable,
    Variant,
)
from sealane.bundle.manifest_rules import check_manifest_rules
from sealane.bundle.paths import check_paths
from sealane.bundle.signature_parser import parse_signature
from sealane.bundle.strict_json import parse_strict_json
from sealane.bundle.verdict import Verdict
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Callable

SUPPORTED_MAJOR = 1
KNOWN_MINOR = 0
MAX_ENVIRONMENT_DEPTH = 8

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
MODEL_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}")
_FORMAT_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")
_CREATED_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

_id = matching(re.compile(r"[a-z0-9][a-z0-9-]{0,63}"), "an id ([a-z0-9][a-z0-9-]{0,63})")
_content_id = matching(re.compile(r"sha256:[0-9a-f]{64}"), "sha256: and 64 hex digits")
_sha256 = matching(re.compile(r"[0-9a-f]{64}"), "64 lower-case hex digits")
_name = matching(MODEL_NAME, f"a name ({MODEL_NAME.pattern})")
_version = matching(MODEL_VERSION, f"a version ({MODEL_VERSION.pattern})")
_reverse_dns = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_texts = items(text)
_verdict = one_of([each.value for each in Verdict])
_size = integer(0)
_positive = integer(1)


def parse_manifest(data: bytes, limits: ReaderLimits = DEFAULT_LIMITS) -> Manifest:
    """Parse and check a manifest, its paths included.

    Args:
        data: The bytes of ``sealane.json``.
        limits: The reader's bounds.

    Raises:
        SealaneError: LIMIT_EXCEEDED, MANIFEST_INVALID, FORMAT_UNSUPPORTED, or PATH_UNSAFE for a
            path that breaks §1.1 in a manifest that is right otherwise.
    """
    manifest = parse_members(data, limits)
    check_manifest_paths(manifest)
    return manifest


def parse_members(data: bytes, limits: ReaderLimits) -> Manifest:
    """Like ``parse_manifest``, without the rules on paths.

    Raises:
        SealaneError: LIMIT_EXCEEDED, MANIFEST_INVALID, FORMAT_UNSUPPORTED.
    """
    if len(data) > limits.manifest_bytes:
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED,
            f"{MANIFEST_NAME}: {len(data)} bytes, limit {limits.manifest_bytes}",
        )
    root = an_object(parse_strict_json(data, limits, where=MANIFEST_NAME), "manifest")
    format_version, critical, lenient = _format(root)
    members = Members(root, "manifest", lenient=lenient)
    members.take("format", text)
    members.take("formatVersion", text)
    members.take_or("critical", _texts, ())
    manifest = _manifest(members, format_version, critical, lenient=lenient)
    members.finish()
    check_manifest_rules(manifest, limits)
    return manifest


def check_manifest_paths(manifest: Manifest) -> None:
    """The rules of §1.1 for every path of a manifest.

    Raises:
        SealaneError: PATH_UNSAFE.
    """
    check_paths(entry.path for entry in manifest.files)
    check_paths(variant.path for variant in manifest.variants)


def _format(root: dict[str, object]) -> tuple[str, tuple[str, ...], bool]:
    """The format version, the critical extensions, and whether unknown members are ignored."""
    head = Members(root, "manifest", lenient=True)
    if head.take("format", text) != FORMAT:
        raise invalid("format", f"expected {FORMAT!r}")
    version = head.take("formatVersion", matching(_FORMAT_VERSION, "MAJOR.MINOR"))
    major, minor = map(int, version.split("."))
    if major < SUPPORTED_MAJOR:
        raise invalid("formatVersion", f"{version} was never published")
    if major > SUPPORTED_MAJOR:
        raise SealaneError(
            ErrorCode.FORMAT_UNSUPPORTED,
            f"{MANIFEST_NAME}: format version {version}, this reader knows {SUPPORTED_MAJOR}.x; "
            "upgrade sealane",
        )
    critical = head.take_or("critical", _texts, ())
    if critical:
        raise SealaneError(
            ErrorCode.FORMAT_UNSUPPORTED,
            f"{MANIFEST_NAME}: critical extension {critical[0][:80]!r} is not known to this reader",
        )
    return version, critical, minor > KNOWN_MINOR


def _manifest(
    members: Members, format_version: str, critical: tuple[str, ...], *, lenient: bool
) -> Manifest:
    return Manifest(
        format_version=format_version,
        critical=critical,
        name=members.take("name", _name),
        version=members.take("version", _version),
        created_at=members.take("createdAt", _created_at),
        licenses=members.take_or("licenses", items(non_empty), ()),
        content_id=members.take("contentId", _content_id),
        signature=members.take("signature", parse_signature(lenient=lenient)),
        variants=members.take("variants", items(_variant(lenient=lenient))),
        unavailable=members.take_or("unavailable", items(_unavailable(lenient=lenient)), ()),
        golden=members.take("golden", items(_golden(lenient=lenient))),
        preprocess=members.take_or("preprocess", items(_preprocess(lenient=lenient)), ()),
        environment=members.take_or("environment", _environment, {}),
        lineage=members.take_or("lineage", an_object, {}),
        limits=members.take_or("limits", _limits(lenient=lenient), ManifestLimits()),
        extensions=members.take_or("extensions", _extensions, {}),
        files=members.take("files", items(_file(lenient=lenient))),
    )


def _created_at(value: object, where: str) -> str:
    parsed = matching(_CREATED_AT, "YYYY-MM-DDThh:mm:ssZ")(value, where)
    try:
        datetime.fromisoformat(parsed)
    except ValueError:
        raise invalid(where, f"{parsed} is not a time") from None
    return parsed


def _environment(value: object, where: str) -> Free:
    parsed = an_object(value, where)
    if _depth(parsed) > MAX_ENVIRONMENT_DEPTH:
        raise invalid(where, f"nested deeper than {MAX_ENVIRONMENT_DEPTH}")
    return parsed


def _depth(value: object) -> int:
    if isinstance(value, dict):
        inner = cast("dict[str, object]", value).values()
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    else:
        return 0
    return 1 + max(map(_depth, inner), default=0)


def _extensions(value: object, where: str) -> Free:
    parsed = an_object(value, where)
    for name in parsed:
        if not _reverse_dns.fullmatch(name):
            raise invalid(where, f"{name[:80]!r} is not a reverse-DNS name")
    return parsed


def _variant(*, lenient: bool) -> Callable[[object, str], Variant]:
    def parse(value: object, where: str) -> Variant:
        members = Members(value, where, lenient=lenient)
        variant = Variant(
            id=members.take("id", _id),
            kind=members.take("kind", _id),
            role=members.take("role", one_of(ROLES)),
            path=members.take("path", text),
            bindings=members.take("bindings", _bindings(lenient=lenient)),
            requires=members.take_or("requires", _requires(lenient=lenient), Requires()),
            precision=members.take("precision", one_of(PRECISIONS)),
            verdict=Verdict(members.take("verdict", _verdict)),
            tolerance=members.take_or("tolerance", _tolerance(lenient=lenient), None),
        )
        members.finish()
        return variant

    return parse


def _bindings(*, lenient: bool) -> Callable[[object, str], Bindings]:
    def parse(value: object, where: str) -> Bindings:
        members = Members(value, where, lenient=lenient)
        names = mapping(non_empty)
        bindings = Bindings(members.take("inputs", names), members.take("outputs", names))
        members.finish()
        return bindings

    return parse


def _requires(*, lenient: bool) -> Callable[[object, str], Requires]:
    def parse(value: object, where: str) -> Requires:
        members = Members(value, where, lenient=lenient)
        requires = Requires(
            ir_version=members.take_or("irVersion", _size, None),
            opsets=members.take_or("opsets", mapping(_size), {}),
            ops=members.take_or("ops", _texts, ()),
        )
        members.finish()
        return requires

    return parse


def _tolerance(*, lenient: bool) -> Callable[[object, str], Tolerance]:
    def parse(value: object, where: str) -> Tolerance:
        members = Members(value, where, lenient=lenient)
        tolerance = Tolerance(
            rtol=members.take("rtol", not_negative),
            atol=members.take("atol", not_negative),
            reason=members.take("reason", non_empty),
        )
        members.finish()
        return tolerance

    return parse


def _unavailable(*, lenient: bool) -> Callable[[object, str], Unavailable]:
    def parse(value: object, where: str) -> Unavailable:
        members = Members(value, where, lenient=lenient)
        absent = Unavailable(members.take("kind", text), members.take("reason", text))
        members.finish()
        return absent

    return parse


def _golden(*, lenient: bool) -> Callable[[object, str], GoldenRef]:
    def parse(value: object, where: str) -> GoldenRef:
        members = Members(value, where, lenient=lenient)
        ref = GoldenRef(
            id=members.take("id", _id),
            path=members.take("path", text),
            strings=members.take_or("strings", text, None),
            purpose=members.take("purpose", text),
            batch=members.take("batch", _size),
        )
        members.finish()
        return ref

    return parse


def _preprocess(*, lenient: bool) -> Callable[[object, str], Preprocess]:
    def parse(value: object, where: str) -> Preprocess:
        members = Members(value, where, lenient=lenient)
        step = Preprocess(members.take("kind", text), members.take("path", text))
        members.finish()
        return step

    return parse


def _limits(*, lenient: bool) -> Callable[[object, str], ManifestLimits]:
    def parse(value: object, where: str) -> ManifestLimits:
        members = Members(value, where, lenient=lenient)
        limits = ManifestLimits(
            max_file_bytes=members.take_or("maxFileBytes", _positive, None),
            max_tensor_bytes=members.take_or("maxTensorBytes", _positive, None),
            max_nodes=members.take_or("maxNodes", _positive, None),
            max_constant_bytes=members.take_or("maxConstantBytes", _positive, None),
        )
        members.finish()
        return limits

    return parse


def _file(*, lenient: bool) -> Callable[[object, str], FileEntry]:
    def parse(value: object, where: str) -> FileEntry:
        members = Members(value, where, lenient=lenient)
        entry = FileEntry(
            path=members.take("path", text),
            size=members.take("size", _size),
            sha256=members.take("sha256", _sha256),
        )
        members.finish()
        return entry

    return parse
