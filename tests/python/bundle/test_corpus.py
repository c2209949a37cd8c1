"""The shared corpus: every good bundle is read, every hostile one refused with its code."""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from corpus.run import CONFORMANCE, GOOD, make_bundle

from sealane.bundle import Policy, ReaderLimits, TrustedSigners, Verdict, read_bundle
from sealane.core import ErrorCode, SealaneError

HOSTILE = [
    path
    for folder in ("bundles/hostile", "networks/bundles")
    for path in sorted((CONFORMANCE / folder).glob("*.json"))
]
ACCEPTED = sorted((CONFORMANCE / "bundles" / "accepted").glob("*.json"))
SECONDS = 1.0
DESCRIPTORS = Path("/proc/self/fd")


def options(recipe: dict[str, Any]) -> dict[str, Any]:
    """What a recipe asks of ``read_bundle``."""
    snake = {
        re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name): value
        for name, value in recipe.get("limits", {}).items()
    }
    return {
        "limits": ReaderLimits(**snake),
        "keep": recipe.get("keep", ()),
        "policy": policy(recipe.get("policy", {})),
    }


def policy(members: dict[str, Any]) -> Policy:
    signers = None
    if members.keys() & {"keys", "roots", "identities"}:
        signers = TrustedSigners.from_files(
            [CONFORMANCE / each for each in members.get("keys", ())],
            [CONFORMANCE / each for each in members.get("roots", ())],
            members.get("identities", ()),
        )
    verdict = members.get("requiredVerdict")
    return Policy(signers, verdict and Verdict(verdict), members.get("minimumVersion"))


def snapshot(root: Path) -> list[tuple[str, int, int]]:
    """Every entry below a directory with its kind, size and time of change."""
    return sorted(
        (str(path.relative_to(root)), path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in root.rglob("*")
    )


@pytest.fixture
def private(tmp_path, monkeypatch) -> Path:
    """Where this test's temporary files would lie."""
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("name", sorted(path.name for path in GOOD.iterdir()))
def test_good_bundle_is_read(name):
    with read_bundle(GOOD / name) as bundle:
        assert bundle.manifest.name == name
        assert bundle.golden
        assert bundle.certificate["contentId"] == bundle.manifest.content_id


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_accepted_recipe_is_read(path, tmp_path, private):
    recipe = json.loads(path.read_bytes())
    make_bundle(recipe, tmp_path / "bundle")
    before = snapshot(tmp_path / "bundle")
    with read_bundle(tmp_path / "bundle", **options(recipe)) as bundle:
        for kept in recipe.get("keep", ()):
            artifact = bundle.artifact(bundle.variant(kept).id)
            assert (artifact.data is None) != (artifact.path is None)
            assert artifact.path is None or artifact.path.exists()
    assert snapshot(tmp_path / "bundle") == before
    assert not list(private.iterdir())


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.stem)
def test_hostile_recipe_is_refused(path, tmp_path, private):
    recipe = json.loads(path.read_bytes())
    root = tmp_path / "bundle"
    make_bundle(recipe, root)
    before = snapshot(root)
    descriptors = len(list(DESCRIPTORS.iterdir()))
    started = time.perf_counter()
    with pytest.raises(SealaneError) as caught:
        read_bundle(root, **{"keep": ("onnx", "savedmodel", "dl4j")} | options(recipe))
    took = time.perf_counter() - started
    assert caught.value.code is ErrorCode[recipe["code"]], str(caught.value)
    for name, expected in recipe.get("details", {}).items():
        assert caught.value.details[name] == expected
    assert took < SECONDS
    assert len(str(caught.value)) < 8192
    assert snapshot(root) == before
    assert not list(private.iterdir())
    assert len(list(DESCRIPTORS.iterdir())) == descriptors
