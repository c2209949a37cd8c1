"""The manifest: shared good and bad files, the schema, round trips, and mutated bytes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from corpus.run import CONFORMANCE
from hypothesis import given, settings
from hypothesis import strategies as st

from sealane.bundle import (
    Bindings,
    FileEntry,
    GoldenRef,
    Manifest,
    ManifestLimits,
    Preprocess,
    Requires,
    Tolerance,
    Unavailable,
    Variant,
    Verdict,
    parse_manifest,
)
from sealane.bundle.manifest import PRECISIONS
from sealane.core import (
    Domain,
    DType,
    ErrorCode,
    Method,
    SealaneError,
    Signature,
    SymbolRange,
    TensorSpec,
)

FOLDER = CONFORMANCE / "manifests"
GOOD = sorted((FOLDER / "good").iterdir())
EXPECTED = json.loads((FOLDER / "expected.json").read_bytes())
SCHEMA = json.loads((CONFORMANCE.parents[1] / "docs" / "manifest.schema.json").read_bytes())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# What the schema can not say: rules between members, on the JSON text, and on sizes.
BEYOND_SCHEMA = frozenset(
    [
        "created-february-30",
        "depth-33",
        "depth-strings",
        "duplicate-key",
        "duplicate-key-escaped",
        "duplicate-root-key",
        "environment-deep",
        "file-size-fraction",
        "files-twice",
        "files-unsorted",
        "files-utf-16-order",
        "golden-empty",
        "golden-path",
        "golden-strings-missing",
        "golden-strings-path",
        "golden-twice",
        "infinity",
        "integer-exponent",
        "integer-point-zero",
        "lone-low-surrogate",
        "lone-surrogate",
        "minus-infinity",
        "name-newline",
        "nan",
        "overflow",
        "overflow-digits",
        "path-513-bytes",
        "path-case",
        "path-case-non-ascii",
        "path-not-nfc",
        "preprocess-unlisted",
        "signature-2-62-elements",
        "signature-domain-reversed",
        "signature-input-twice",
        "signature-method-unknown-input",
        "signature-method-unknown-output",
        "signature-strings-too-large",
        "signature-symbol-reversed",
        "signature-symbol-unused",
        "signature-too-large",
        "surrogate-key",
        "surrogates-reversed",
        "variant-binding-missing",
        "variant-binding-twice",
        "variant-binding-unknown",
        "variant-id-twice",
        "variant-path-directory",
        "variant-path-unlisted",
        "variant-saved-model-without-graph",
    ]
)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_manifest_survives_a_round_trip(path):
    manifest = parse_manifest(path.read_bytes())
    assert parse_manifest(manifest.to_json()) == manifest


@pytest.mark.parametrize("name", EXPECTED)
def test_bad_manifest_is_refused(name):
    with pytest.raises(SealaneError) as caught:
        parse_manifest((FOLDER / "bad" / name).read_bytes())
    assert caught.value.code is ErrorCode[EXPECTED[name]["code"]], str(caught.value)
    assert "sealane.json" in caught.value.message


def test_every_bad_manifest_has_its_code():
    assert {path.name for path in (FOLDER / "bad").iterdir()} == EXPECTED.keys()


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_the_schema_accepts_good_manifests(path):
    document = json.loads(path.read_bytes())
    if document["formatVersion"] == "1.0":
        VALIDATOR.validate(document)


@pytest.mark.parametrize("path", sorted(CONFORMANCE.glob("bundles/good/*/sealane.json")),
                         ids=lambda path: path.parent.name)  # fmt: skip
def test_the_schema_accepts_the_manifests_of_good_bundles(path):
    VALIDATOR.validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize("name", EXPECTED)
def test_the_schema_and_the_parser_agree_on_bad_manifests(name):
    try:
        document = json.loads((FOLDER / "bad" / name).read_bytes().decode("utf-8"))
    except ValueError:
        return  # no JSON at all: nothing for a schema to judge
    accepted = VALIDATOR.is_valid(document)
    assert accepted == (name.removesuffix(".json") in BEYOND_SCHEMA)


names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
free = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | numbers | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    ).filter(lambda value: json.dumps(value).count("[") + json.dumps(value).count("{") < 6),
    max_size=3,
)


@st.composite
def signatures(draw) -> Signature:
    def spec(name: str) -> TensorSpec:
        dtype = draw(st.sampled_from(DType))
        shape = tuple(draw(st.lists(st.integers(0, 9) | st.sampled_from(["n", "m"]), max_size=3)))
        domain = None
        if draw(st.booleans()):
            low, high = sorted([draw(numbers), draw(numbers)])
            bounded = dtype not in (DType.BYTES, DType.BOOL)
            domain = Domain(
                draw(st.booleans()),
                low if bounded else None,
                high if bounded else None,
                tuple(draw(st.lists(texts, max_size=3))) if dtype is DType.BYTES else None,
                draw(st.booleans()),
            )
        return TensorSpec(name, dtype, shape, draw(st.none() | texts), domain)

    inputs = tuple(spec(name) for name in draw(st.lists(names, unique=True, max_size=3)))
    outputs = tuple(
        spec(name) for name in draw(st.lists(names, unique=True, min_size=1, max_size=3))
    )
    used = {dim for each in (*inputs, *outputs) for dim in each.shape if isinstance(dim, str)}
    symbols = {
        name: SymbolRange(
            draw(st.integers(0, 5)), draw(st.none() | st.integers(5, 9)), draw(st.integers(1, 4))
        )
        for name in sorted(used)
    }
    every = Method(tuple(each.name for each in inputs), tuple(each.name for each in outputs))
    return Signature(inputs, outputs, symbols, {"predict": every, "again": every})


@st.composite
def manifests(draw) -> Manifest:
    signature = draw(signatures())
    ids = draw(st.lists(names, unique=True, min_size=1, max_size=3))
    text = any(each.dtype is DType.BYTES for each in (*signature.inputs, *signature.outputs))
    golden = tuple(
        GoldenRef(each, f"golden/{each}.safetensors", draw(texts), draw(st.integers(0, 9)),
                  f"golden/{each}.json" if text else None)
        for each in draw(st.lists(names, unique=True, min_size=1, max_size=2))
    )  # fmt: skip
    variants = []
    for index, each in enumerate(ids):
        verdict = draw(st.sampled_from(Verdict))
        declared = verdict is Verdict.WITHIN_DECLARED
        bound = Bindings(
            {spec.name: f"in {spec.name}" for spec in signature.inputs},
            {spec.name: f"out {spec.name}" for spec in signature.outputs},
        )
        tolerance = Tolerance(0.5, 0.0, draw(texts.filter(bool))) if declared else None
        requires = Requires(draw(st.none() | st.integers(0, 20)), {"ai.onnx": 20}, ("Add",))
        role = "optional" if index else "primary"
        variants.append(
            Variant(each, "onnx", role, f"variants/{each}/model.onnx", bound,
                    draw(st.sampled_from(PRECISIONS)), verdict, requires, tolerance)
        )  # fmt: skip
    paths = {each.path for each in variants} | {each.path for each in golden}
    paths |= {each.strings for each in golden if each.strings} | {"preprocess/vocab.txt"}
    files = tuple(
        FileEntry(path, draw(st.integers(0, 2**53 - 1)), "ab" * 32) for path in sorted(paths)
    )
    return Manifest(
        name=draw(names),
        version="1.0+x_y",
        created_at="2026-01-01T00:00:00Z",
        content_id="sha256:" + "cd" * 32,
        signature=signature,
        variants=tuple(variants),
        files=files,
        licenses=tuple(draw(st.lists(texts.filter(bool), max_size=2))),
        unavailable=tuple(
            Unavailable(draw(texts), draw(texts)) for _ in range(draw(st.integers(0, 2)))
        ),
        golden=golden,
        preprocess=(Preprocess(draw(texts), "preprocess/vocab.txt"),),
        environment=draw(free),
        lineage=draw(free),
        limits=ManifestLimits(draw(st.none() | st.integers(1, 2**53 - 1)), 1 << 40),
        extensions={"org.example.note": draw(free)},
    )


@settings(max_examples=150, deadline=None)
@given(manifests())
def test_printing_and_parsing_are_inverse(manifest):
    text = manifest.to_json()
    assert parse_manifest(text) == manifest
    assert parse_manifest(text).to_json() == text
    VALIDATOR.validate(json.loads(text))


SEEDS = [path.read_bytes() for path in (*GOOD, *sorted((FOLDER / "bad").iterdir())[::6])]
CODES = {
    ErrorCode.MANIFEST_INVALID,
    ErrorCode.LIMIT_EXCEEDED,
    ErrorCode.FORMAT_UNSUPPORTED,
    ErrorCode.PATH_UNSAFE,
}


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_mutated_bytes_give_a_manifest_or_a_coded_error(seed, data):
    text = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        tokens = st.sampled_from(
            [b"", b"null", b"-1", b"1e999", b'"', b"[", b"}", b"\\ud800", b"9" * 30]
        )
        text[at : at + cut] = data.draw(tokens | st.binary(max_size=6))
    try:
        manifest = parse_manifest(bytes(text))
    except SealaneError as error:
        assert error.code in CODES  # noqa: PT017 - either outcome is right
    else:
        assert parse_manifest(manifest.to_json()) == manifest


def test_messages_name_the_place_and_what_was_received():
    document = json.loads(Path(FOLDER / "good" / "minimal.json").read_bytes())
    document["signature"]["inputs"][0]["dims"] = ["n", -4]
    with pytest.raises(SealaneError, match=r"signature\.inputs\[0\]\.dims\[1\]: -4 is outside 0"):
        parse_manifest(json.dumps(document).encode())
