"""Manifests that must parse and manifests that must not, one fault each."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Json = Any
INVALID, LIMIT, UNSUPPORTED, UNSAFE = (
    "MANIFEST_INVALID",
    "LIMIT_EXCEEDED",
    "FORMAT_UNSUPPORTED",
    "PATH_UNSAFE",
)
DIGEST = "ab" * 32


def minimal() -> Json:
    """A small manifest with a member of nearly every kind."""
    return {
        "format": "sealane-bundle",
        "formatVersion": "1.0",
        "name": "tiny",
        "version": "1.0.0",
        "createdAt": "2026-01-01T00:00:00Z",
        "contentId": f"sha256:{DIGEST}",
        "signature": {
            "inputs": [
                {"name": "x", "dtype": "FP32", "dims": ["n", 4], "domain": {"min": -1, "max": 1.5}},
                {"name": "c", "dtype": "BYTES", "dims": ["n"], "domain": {"nullable": True}},
            ],
            "outputs": [{"name": "y", "dtype": "FP32", "dims": ["n"]}],
            "symbols": {"n": {"min": 1, "max": 64, "multipleOf": 1}},
            "methods": {"predict": {"inputs": ["x", "c"], "outputs": ["y"]}},
        },
        "variants": [
            {
                "id": "onnx",
                "kind": "onnx",
                "role": "primary",
                "path": "1/model.onnx",
                "bindings": {"inputs": {"x": "x", "c": "c"}, "outputs": {"y": "y"}},
                "requires": {"irVersion": 10, "opsets": {"ai.onnx": 20}, "ops": ["Add"]},
                "precision": "fp32",
                "verdict": "within-oracle",
            }
        ],
        "unavailable": [{"kind": "savedmodel", "reason": "none was wanted"}],
        "golden": [
            {
                "id": "one",
                "path": "golden/one.safetensors",
                "strings": "golden/one.json",
                "purpose": "sample",
                "batch": 1,
            }
        ],
        "preprocess": [{"kind": "vocabulary", "path": "preprocess/vocab.txt"}],
        "environment": {"python": "3.11.7"},
        "lineage": {"seed": 1},
        "limits": {"maxFileBytes": 1000000, "maxNodes": 100},
        "files": [
            {"path": path, "size": 10, "sha256": DIGEST}
            for path in (
                "1/model.onnx",
                "golden/one.json",
                "golden/one.safetensors",
                "preprocess/vocab.txt",
            )
        ],
    }


def at(document: Json, pointer: str) -> tuple[Json, Any]:
    """The owner and the key of a place, ``a/0/b``."""
    *parents, last = [int(each) if each.isdigit() else each for each in pointer.split("/")]
    for part in parents:
        document = document[part]
    return document, last


def changed(**places: Json) -> Json:
    """The minimal manifest with places (``a__0__b``) set; ``DROP`` removes a member."""
    document = copy.deepcopy(minimal())
    for place, value in places.items():
        owner, key = at(document, place.replace("__", "/"))
        if value is DROP:
            del owner[key]
        else:
            owner[key] = value
    return document


DROP = object()


def variant(**members: Json) -> Json:
    return minimal()["variants"][0] | members


def good() -> dict[str, Json]:
    """Name → manifest, as JSON or as text."""
    two = [variant(), variant(id="second", role="optional")]
    declared = {"rtol": 0, "atol": 1e-3, "reason": "fp16"}
    saved = {"path": "1/saved_model.pb", "size": 1, "sha256": DIGEST}
    files = minimal()["files"]
    return {
        "minimal": minimal(),
        "defaults": changed(
            unavailable=DROP, preprocess=DROP, environment=DROP, lineage=DROP, limits=DROP,
            signature__symbols=DROP, signature__methods=DROP, variants__0__requires=DROP,
        ),
        "two-variants": changed(variants=two),
        "declared": changed(variants__0__verdict="within-declared", variants__0__tolerance=declared),
        "failed-without-golden": changed(variants__0__verdict="failed", golden=[]),
        "saved-model": changed(
            variants=[variant(), variant(id="tf", kind="savedmodel", role="optional", path="1")],
            files=[files[0], saved, *files[1:]],
        ),
        "unknown-kind": changed(
            variants=[variant(), variant(id="dl4j", kind="other", role="optional", path="preprocess")]
        ),
        "newer-minor": changed(formatVersion="1.3", novel={"x": 1}),
        "scalar": changed(signature__outputs__0__dims=[]),
        "empty-dim": changed(signature__outputs__0__dims=[0, "n"]),
        "no-inputs": changed(
            signature__inputs=[], signature__methods=DROP, signature__outputs__0__dims=["n"],
            signature__outputs__0__dtype="BYTES", variants__0__bindings__inputs={},
        ),
        "odd-names": changed(
            signature__outputs__0__name="e\u0301 \U0001f6eb.\u00df", signature__methods=DROP,
            variants__0__bindings__outputs={"e\u0301 \U0001f6eb.\u00df": "y"},
        ),
        "closed-vocabulary": changed(
            signature__inputs__1__domain={"vocabulary": ["", "a", "\u65e5\u672c"], "closed": True}
        ),
        "critical-empty": changed(critical=[], extensions={"org.example.note": [None, {"a": 1e300}]}),
        "free-depth": changed(environment={"a": [[[[[[[1]]]]]]]}),
        "leap-day": changed(createdAt="2028-02-29T23:59:59Z"),
        "non-ascii-path": changed(
            files=[*files, {"path": "variants/\u65e5\u672c.txt", "size": 0, "sha256": DIGEST}]
        ),
        "astral-path-order": changed(
            files=[
                *files,
                {"path": "variants/\uffee.txt", "size": 0, "sha256": DIGEST},
                {"path": "variants/\U0001f6eb.txt", "size": 0, "sha256": DIGEST},
            ]
        ),
        "large-integer": changed(files__3__size=(1 << 53) - 1, limits=DROP),
        "whitespace": "\n\t " + json.dumps(minimal(), indent="\t") + " \r\n",
        "escapes": json.dumps(minimal()).replace('"tiny"', '"\\u0074iny"'),
    }  # fmt: skip


def bad() -> dict[str, tuple[str, str, Json]]:
    """Name → code, reason, and manifest as JSON, text or bytes."""
    cases: dict[str, tuple[str, str, Json]] = {}
    for part in (_text(), _head(), _single(), _signature(), _variants(), _across(), _paths()):
        cases |= part
    return cases


def _text() -> dict[str, tuple[str, str, Json]]:
    whole = json.dumps(minimal())

    def free(value: str) -> str:
        return whole.replace('"seed": 1', f'"seed": {value}')

    return {
        "not-json": (INVALID, "not JSON", "format: sealane-bundle"),
        "array": (INVALID, "an array at the top", "[]"),
        "null": (INVALID, "null at the top", "null"),
        "bom": (INVALID, "a byte-order mark", b"\xef\xbb\xbf" + whole.encode()),
        "utf-16": (INVALID, "UTF-16", whole.encode("utf-16")),
        "bad-utf-8": (INVALID, "a byte that is not UTF-8", whole.encode().replace(b"tiny", b"t\xffny")),
        "overlong-utf-8": (INVALID, "an overlong encoding", whole.encode().replace(b"tiny", b"t\xc0\xaf")),
        "trailing-bytes": (INVALID, "bytes after the object", whole + "x"),
        "trailing-object": (INVALID, "a second object", whole + "{}"),
        "trailing-nul": (INVALID, "a zero byte at the end", whole + "\0"),
        "trailing-comma": (INVALID, "a comma too many", whole.replace('"seed": 1', '"seed": 1,')),
        "comment": (INVALID, "a comment", whole.replace('"seed"', '/* x */ "seed"')),
        "single-quotes": (INVALID, "single quotes", whole.replace('"tiny"', "'tiny'")),
        "unquoted-key": (INVALID, "a key without quotes", whole.replace('"seed"', "seed")),
        "form-feed": (INVALID, "white space that JSON does not know", whole.replace(": 1", ":\f1")),
        "no-break-space": (INVALID, "a no-break space", whole.replace('"seed": 1', '"seed":\u00a01')),
        "duplicate-key": (INVALID, "a key twice", whole.replace('"seed": 1', '"seed": 1, "seed": 1')),
        "duplicate-key-escaped": (
            INVALID, "a key twice, once escaped",
            whole.replace('"seed": 1', '"seed": 1, "s\\u0065ed": 2'),
        ),
        "duplicate-root-key": (
            INVALID, "a member twice", whole.replace('"name": "tiny"', '"name": "a", "name": "tiny"', 1),
        ),
        "nan": (INVALID, "NaN", free("NaN")),
        "infinity": (INVALID, "Infinity", free("Infinity")),
        "minus-infinity": (INVALID, "-Infinity", free("-Infinity")),
        "overflow": (INVALID, "a number that is infinite as a double", free("1e400")),
        "overflow-digits": (INVALID, "400 digits", free("9" * 400)),
        "leading-zero": (INVALID, "a leading zero", free("01")),
        "leading-plus": (INVALID, "a leading plus", free("+1")),
        "bare-point": (INVALID, "a number that ends in its point", free("1.")),
        "bare-fraction": (INVALID, "a number that starts with its point", free(".5")),
        "hex-number": (INVALID, "a hexadecimal number", free("0x10")),
        "raw-control": (INVALID, "a raw control character in a string", free('"a\tb"')),
        "bad-escape": (INVALID, "an escape JSON does not know", free('"\\x41"')),
        "short-escape": (INVALID, "an escape cut short", free('"\\u00e"')),
        "lone-surrogate": (INVALID, "a lone high surrogate", free('"\\ud83d"')),
        "lone-low-surrogate": (INVALID, "a lone low surrogate", free('"\\ude00x"')),
        "surrogates-reversed": (INVALID, "a surrogate pair reversed", free('"\\ude00\\ud83d"')),
        "surrogate-key": (INVALID, "a lone surrogate in a key", whole.replace('"seed"', '"\\ud83d"')),
        "depth-33": (LIMIT, "33 levels", free("[" * 31 + "]" * 31)),
        "depth-strings": (LIMIT, "depth beside brackets in strings", free('["]]]]", ' + "[" * 40 + "]" * 41)),
    }  # fmt: skip


def _head() -> dict[str, tuple[str, str, Json]]:
    return {
        "format-other": (INVALID, "another format", changed(format="sealane")),
        "format-missing": (INVALID, "no format", changed(format=DROP)),
        "version-one-part": (INVALID, "a format version of one part", changed(formatVersion="1")),
        "version-zero": (INVALID, "a format version before the first", changed(formatVersion="0.9")),
        "version-leading-zero": (INVALID, "a leading zero", changed(formatVersion="01.0")),
        "version-number": (INVALID, "a format version that is a number", changed(formatVersion=1.0)),
        "version-2": (UNSUPPORTED, "a newer major version", changed(formatVersion="2.0")),
        "version-2-novel": (
            UNSUPPORTED, "a newer major version with members of its own",
            changed(formatVersion="2.0", novel=1, signature=DROP),
        ),
        "critical-unknown": (
            UNSUPPORTED, "a critical extension nobody knows",
            changed(critical=["org.example.x"], extensions={"org.example.x": {}}),
        ),
        "critical-no-array": (INVALID, "critical is no array", changed(critical="org.example.x")),
        "critical-before-members": (
            UNSUPPORTED, "a critical extension counts before the other members",
            changed(critical=["org.example.x"], name=7),
        ),
    }  # fmt: skip


def _single() -> dict[str, tuple[str, str, Json]]:
    cases: dict[str, tuple[str, str, Json]] = {
        f"{name}-missing": (INVALID, f"no {name}", changed(**{name: DROP}))
        for name in ("name", "version", "createdAt", "contentId", "signature", "variants", "golden", "files")
    }  # fmt: skip
    values: dict[str, dict[str, Json]] = {
        "unknown-member": {"novel": 1},
        "unknown-null-member": {"novel": None},
        "name-null": {"name": None},
        "name-slash": {"name": "a/b"},
        "name-empty": {"name": ""},
        "name-long": {"name": "a" * 129},
        "name-newline": {"name": "tiny\n"},
        "version-space": {"version": "1 0"},
        "created-local": {"createdAt": "2026-01-01T00:00:00+01:00"},
        "created-fraction": {"createdAt": "2026-01-01T00:00:00.5Z"},
        "created-february-30": {"createdAt": "2026-02-30T00:00:00Z"},
        "created-hour-24": {"createdAt": "2026-01-01T24:00:00Z"},
        "content-id-upper": {"contentId": "sha256:" + "AB" * 32},
        "content-id-short": {"contentId": "sha256:ab"},
        "content-id-md5": {"contentId": "md5:" + DIGEST},
        "licenses-string": {"licenses": "MIT"},
        "unavailable-novel": {"unavailable": [{"kind": "x", "reason": "y", "z": 1}]},
        "environment-array": {"environment": []},
        "environment-null": {"environment": None},
        "environment-deep": {"environment": {"a": [[[[[[[[1]]]]]]]]}},
        "extension-name": {"extensions": {"novel": 1}},
        "limits-zero": {"limits__maxNodes": 0},
        "limits-novel": {"limits__maxColour": 1},
        "files-empty": {"files": []},
        "file-size-negative": {"files__0__size": -1},
        "file-size-fraction": {"files__0__size": 10.0},
        "file-size-too-large": {"files__0__size": 1 << 53},
        "file-size-string": {"files__0__size": "10"},
        "file-size-bool": {"files__0__size": True},
        "file-digest-upper": {"files__0__sha256": "AB" * 32},
        "file-digest-short": {"files__0__sha256": "ab"},
        "file-novel": {"files__0__mediaType": "x"},
        "golden-id": {"golden__0__id": "One"},
        "golden-batch": {"golden__0__batch": -1},
        "golden-null-strings": {"golden__0__strings": None},
        "preprocess-string": {"preprocess": ["preprocess/vocab.txt"]},
    }
    for name, places in values.items():
        cases[name] = (INVALID, name.replace("-", " "), changed(**places))
    text = json.dumps(minimal())
    for name, token in {"exponent": "1e1", "fraction": "10.5", "point-zero": "10.0"}.items():
        cases[f"integer-{name}"] = (
            INVALID, f"a size written as {token}", text.replace('"size": 10', f'"size": {token}', 1),
        )  # fmt: skip
    return cases


def _signature() -> dict[str, tuple[str, str, Json]]:
    base = "signature__inputs__0__"
    values: dict[str, dict[str, Json]] = {
        "outputs-empty": {"signature__outputs": []},
        "inputs-missing": {"signature__inputs": DROP},
        "tensor-name-empty": {base + "name": ""},
        "tensor-name-control": {base + "name": "a\nb"},
        "tensor-name-long": {base + "name": "a" * 257},
        "tensor-novel": {base + "optional": True},
        "dtype-unknown": {base + "dtype": "FLOAT"},
        "dtype-lower": {base + "dtype": "fp32"},
        "dims-missing": {base + "dims": DROP},
        "dims-negative": {base + "dims": [-1, 4]},
        "dims-fraction": {base + "dims": [1.5]},
        "dims-symbol": {base + "dims": ["n-1"]},
        "dims-null": {base + "dims": [None]},
        "dims-rank": {base + "dims": [1] * 17},
        "semantic-number": {base + "semantic": 1},
        "domain-reversed": {base + "domain": {"min": 2, "max": 1}},
        "domain-null-bound": {base + "domain": {"min": None}},
        "domain-vocabulary-number": {base + "domain": {"vocabulary": ["a"]}},
        "domain-min-of-text": {"signature__inputs__1__domain": {"min": 0}},
        "domain-novel": {base + "domain": {"step": 1}},
        "domain-nullable-number": {base + "domain": {"nullable": 1}},
        "symbol-reversed": {"signature__symbols__n": {"min": 5, "max": 4}},
        "symbol-multiple-zero": {"signature__symbols__n": {"multipleOf": 0}},
        "symbol-negative": {"signature__symbols__n": {"min": -1}},
        "symbol-unused": {"signature__symbols": {"n": {}, "m": {}}},
        "method-name": {"signature__methods": {"a b": {"inputs": [], "outputs": []}}},
        "method-unknown-input": {"signature__methods__predict__inputs": ["z"]},
        "method-unknown-output": {"signature__methods__predict__outputs": ["x"]},
        "method-missing-outputs": {"signature__methods__predict": {"inputs": ["x"]}},
    }
    cases: dict[str, tuple[str, str, Json]] = {
        f"signature-{name}": (INVALID, name.replace("-", " "), changed(**places))
        for name, places in values.items()
    }
    twice = minimal()["signature"]["inputs"][0]
    cases["signature-input-twice"] = (
        INVALID,
        "an input twice",
        changed(signature__inputs=[twice, twice]),
    )
    huge = [1 << 31, 1 << 31]
    cases["signature-2-62-elements"] = (LIMIT, "2^62 elements", changed(**{base + "dims": huge}))
    cases["signature-too-large"] = (
        LIMIT, "4 GiB of doubles and one more",
        changed(**{base + "dims": [(1 << 30) + 1], base + "dtype": "FP64", "signature__inputs__1__dims": [1],
                   "signature__outputs__0__dims": ["n"]}),
    )  # fmt: skip
    cases["signature-strings-too-large"] = (
        LIMIT, "2^29 strings and one more", changed(signature__inputs__1__dims=[(1 << 29) + 1]),
    )  # fmt: skip
    return cases


def _variants() -> dict[str, tuple[str, str, Json]]:
    declared = {"rtol": 0, "atol": 1e-3, "reason": "fp16"}
    values: dict[str, dict[str, Json]] = {
        "empty": {"variants": []},
        "id": {"variants__0__id": "ONNX"},
        "role": {"variants__0__role": "main"},
        "no-primary": {"variants__0__role": "optional"},
        "two-primaries": {"variants": [variant(), variant(id="second")]},
        "id-twice": {"variants": [variant(), variant(role="optional")]},
        "novel": {"variants__0__files": []},
        "precision": {"variants__0__precision": "fp8"},
        "verdict": {"variants__0__verdict": "ok"},
        "path-unlisted": {"variants__0__path": "1/other.onnx"},
        "path-directory": {"variants__0__path": "1"},
        "saved-model-without-graph": {"variants__0__kind": "savedmodel", "variants__0__path": "1"},
        "binding-missing": {"variants__0__bindings__inputs": {"x": "x"}},
        "binding-unknown": {"variants__0__bindings__outputs": {"y": "y", "z": "z"}},
        "binding-twice": {"variants__0__bindings__inputs": {"x": "x", "c": "x"}},
        "binding-empty": {"variants__0__bindings__outputs": {"y": ""}},
        "requires-novel": {"variants__0__requires": {"gpu": True}},
        "requires-opset-text": {"variants__0__requires": {"opsets": {"ai.onnx": "20"}}},
        "tolerance-missing": {"variants__0__verdict": "within-declared"},
        "tolerance-unasked": {"variants__0__tolerance": declared},
        "tolerance-negative": {
            "variants__0__verdict": "within-declared", "variants__0__tolerance": declared | {"rtol": -1},
        },
        "tolerance-without-reason": {
            "variants__0__verdict": "within-declared", "variants__0__tolerance": declared | {"reason": ""},
        },
    }  # fmt: skip
    return {
        f"variant-{name}": (INVALID, name.replace("-", " "), changed(**places))
        for name, places in values.items()
    }


def _across() -> dict[str, tuple[str, str, Json]]:
    files = minimal()["files"]
    values: dict[str, dict[str, Json]] = {
        "golden-empty": {"golden": []},
        "golden-path": {"golden__0__path": "golden/two.safetensors"},
        "golden-strings-missing": {"golden__0__strings": DROP},
        "golden-strings-path": {"golden__0__strings": "golden/two.json"},
        "golden-twice": {"golden": minimal()["golden"] * 2},
        "preprocess-unlisted": {"preprocess__0__path": "preprocess/other.txt"},
        "files-unsorted": {"files": files[::-1]},
        "files-twice": {"files": [files[0], files[0], *files[1:]]},
        "files-manifest": {"files": [*files, files[0] | {"path": "sealane.json"}]},
        "files-signature": {"files": [files[0], files[0] | {"path": "bundle.sig"}, *files[1:]]},
        "files-utf-16-order": {
            "files": [
                *files,
                files[0] | {"path": "variants/\U0001f6eb.txt"},
                files[0] | {"path": "variants/\uffee.txt"},
            ]
        },
    }
    return {
        name: (INVALID, name.replace("-", " "), changed(**places))
        for name, places in values.items()
    }


def _paths() -> dict[str, tuple[str, str, Json]]:
    def with_file(path: str) -> Json:
        files = [*minimal()["files"], {"path": path, "size": 0, "sha256": DIGEST}]
        return changed(files=sorted(files, key=lambda each: each["path"]))

    paths = {
        "absolute": "/etc/passwd",
        "parent": "../x",
        "parent-inside": "a/../x",
        "parent-at-end": "a/..",
        "dot": "./x",
        "double-slash": "a//x",
        "slash-at-end": "a/",
        "empty": "",
        "backslash": "a\\x",
        "colon": "c:x",
        "newline": "a\nb",
        "delete": "a\u007f",
        "zero": "a\0b",
        "not-nfc": "cafe\u0301",
        "513-bytes": "\u00e9" * 256 + "x",
        "17-components": "/".join("a" * 17),
        "case": "1/MODEL.onnx",
    }
    cases: dict[str, tuple[str, str, Json]] = {
        f"path-{name}": (UNSAFE, name.replace("-", " "), with_file(path))
        for name, path in paths.items()
    }
    files = [*minimal()["files"]]
    files += [
        {"path": f"z/{letter}", "size": 0, "sha256": DIGEST} for letter in ("\u00c9", "\u00e9")
    ]
    cases["path-case-non-ascii"] = (
        UNSAFE,
        "two paths that differ in case only",
        changed(files=files),
    )
    return cases


def write_manifests(target: Path) -> None:
    """Write ``good``, ``bad`` and ``expected.json`` into ``target``."""
    for folder in ("good", "bad"):
        (target / folder).mkdir(parents=True, exist_ok=True)
    for name, content in good().items():
        (target / "good" / f"{name}.json").write_bytes(_bytes(content))
    expected = {}
    for name, (code, why, content) in sorted(bad().items()):
        (target / "bad" / f"{name}.json").write_bytes(_bytes(content))
        expected[f"{name}.json"] = {"code": code, "why": why}
    text = json.dumps(expected, indent=1)
    (target / "expected.json").write_text(text + "\n", encoding="utf-8")


def _bytes(content: Json) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass")
    return json.dumps(content, indent=1).encode("ascii") + b"\n"
