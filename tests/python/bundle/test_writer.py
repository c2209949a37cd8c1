"""The writer: whole or not at all, and the same bytes each time."""

from __future__ import annotations

import dataclasses
import stat
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest
from corpus import bases

from sealane.bundle import GoldenCase, Verdict, read_bundle, write_bundle
from sealane.bundle.stock_tools import model_card
from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from pathlib import Path


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


@pytest.fixture
def draft(tmp_path):
    (tmp_path / "source").mkdir()
    return bases.mlp_draft(tmp_path / "source")


@pytest.fixture
def target(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "bundle"


def refused(path: Path, draft, **options) -> SealaneError:
    with pytest.raises(SealaneError) as caught:
        write_bundle(path, draft, **options)
    return caught.value


def test_the_same_draft_gives_the_same_bytes(draft, target):
    write_bundle(target, draft)
    write_bundle(target.with_name("again"), draft)
    assert tree(target) == tree(target.with_name("again"))
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def test_an_existing_path_is_refused(draft, target):
    target.mkdir()
    assert refused(target, draft).code is ErrorCode.BUNDLE_EXISTS
    target.rmdir()
    target.symlink_to("nowhere")
    assert refused(target, draft).code is ErrorCode.BUNDLE_EXISTS


def test_overwriting_replaces_a_bundle_and_nothing_else(draft, target):
    write_bundle(target, draft)
    write_bundle(target, dataclasses.replace(draft, version="2.0.0"), overwrite=True)
    assert read_bundle(target).manifest.version == "2.0.0"
    assert [each.name for each in target.parent.iterdir()] == ["bundle"]
    other = target.with_name("thesis")
    other.mkdir()
    (other / "chapter").write_text("work of years")
    assert refused(other, draft, overwrite=True).code is ErrorCode.BUNDLE_EXISTS
    assert (other / "chapter").read_text() == "work of years"


def test_a_draft_that_does_not_hold_together_leaves_nothing(draft, target):
    short = GoldenCase("short", "bad", 1, {"features": np.zeros((1, 4), np.float32)}, {})
    broken = {
        ErrorCode.GOLDEN_INVALID: dataclasses.replace(draft, golden=(short,)),
        ErrorCode.MANIFEST_INVALID: dataclasses.replace(draft, golden=()),
        ErrorCode.ARTIFACT_INVALID: dataclasses.replace(
            draft, signature=_wider(draft.signature), golden=()
        ),
    }
    for code, each in broken.items():
        if code is ErrorCode.ARTIFACT_INVALID:
            artifact = dataclasses.replace(draft.artifacts[0], verdict=Verdict.FAILED)
            each = dataclasses.replace(each, artifacts=(artifact,))
        assert refused(target, each).code is code
        assert not list(target.parent.iterdir())


def _wider(signature):
    wide = dataclasses.replace(signature.inputs[0], shape=("batch", 5))
    return dataclasses.replace(signature, inputs=(wide,))


def test_a_failed_overwrite_keeps_the_old_bundle(draft, target):
    write_bundle(target, draft)
    before = tree(target)
    refused(target, dataclasses.replace(draft, golden=()), overwrite=True)
    assert tree(target) == before
    assert [each.name for each in target.parent.iterdir()] == ["bundle"]


def test_a_missing_parent_is_an_error(draft, target):
    assert refused(target / "below", draft).code is ErrorCode.BUNDLE_NOT_FOUND


@pytest.mark.parametrize("value", ["/home/ada/venv", "C:\\Users\\ada", "\\\\host\\share"])
def test_absolute_paths_are_kept_out_of_the_environment(draft, target, value):
    leaky = dataclasses.replace(draft, environment={"tools": {"paths": ["ok", value]}})
    error = refused(target, leaky)
    assert error.code is ErrorCode.MANIFEST_INVALID
    assert "environment.tools.paths[1]" in error.message


def test_external_data_under_another_name_is_renamed(tmp_path, target):
    source = tmp_path / "source"
    source.mkdir()
    draft = bases.external_draft(source)
    model = onnx.load(source / "model.onnx", load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "weights.onnx.data"
    (source / "weights.onnx").write_bytes(model.SerializeToString())
    (source / "model.onnx.data").rename(source / "weights.onnx.data")
    artifact = dataclasses.replace(draft.artifacts[0], source=source / "weights.onnx")
    write_bundle(target, dataclasses.replace(draft, artifacts=(artifact,)))
    with read_bundle(target, keep=("onnx",)) as bundle:
        path = bundle.artifact("onnx").path
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        case = bundle.golden[0]
        result = session.run(["y"], {"x": case.inputs["features"]})[0]
        np.testing.assert_array_equal(result, case.outputs["scores"])


def test_a_second_onnx_variant_has_its_own_folder(draft, target):
    second = dataclasses.replace(draft.artifacts[0], id="onnx-again", role="optional")
    write_bundle(target, dataclasses.replace(draft, artifacts=(second, draft.artifacts[0])))
    bundle = read_bundle(target)
    assert bundle.variant("onnx").path == "1/model.onnx"
    assert bundle.variant("onnx-again").path == "variants/onnx-again/model.onnx"


def test_the_certificate_names_the_content_it_speaks_of(draft, target):
    write_bundle(target, draft)
    bundle = read_bundle(target)
    assert bundle.certificate["contentId"] == bundle.manifest.content_id


def test_content_id_ignores_evidence_and_metadata(draft, target):
    write_bundle(target, draft)
    other = dataclasses.replace(
        draft, version="9", readme="# Another card", certificate={"note": 1}
    )
    write_bundle(target.with_name("other"), other)
    first, second = read_bundle(target), read_bundle(target.with_name("other"))
    assert first.manifest.content_id == second.manifest.content_id
    assert first.manifest.files != second.manifest.files


def test_a_short_model_card_is_written_when_there_is_none(draft, target):
    write_bundle(target, draft)
    text = (target / "README.md").read_bytes()
    assert text == model_card(read_bundle(target).manifest)
    assert b"`features: FP32[batch, 4]`" in text
    assert b"no `savedmodel`: the source is a graph written by hand" in text


def test_sources_are_not_changed(draft, target, tmp_path):
    before = tree(tmp_path / "source")
    write_bundle(target, draft)
    assert tree(tmp_path / "source") == before
