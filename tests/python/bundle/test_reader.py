"""What a verified bundle holds, and for how long."""

from __future__ import annotations

import gc
import json
import shutil
import stat
import tempfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from corpus.run import GOOD, make_bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealane.bundle import Policy, Verdict, read_bundle
from sealane.core import ErrorCode, ErrorFamily, SealaneError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def private(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def refused(path, **options) -> SealaneError:
    with pytest.raises(SealaneError) as caught:
        read_bundle(path, **options)
    return caught.value


def test_a_path_that_holds_no_bundle(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "absent", tmp_path / "file", tmp_path):
        assert refused(path).code is ErrorCode.BUNDLE_NOT_FOUND


def test_a_bundle_may_be_reached_through_a_link_to_it(tmp_path):
    (tmp_path / "link").symlink_to(GOOD / "mlp")
    assert read_bundle(tmp_path / "link").manifest.name == "mlp"


def test_an_onnx_file_is_kept_in_memory(private):
    with read_bundle(GOOD / "mlp", keep=("onnx",)) as bundle:
        artifact = bundle.artifact("onnx")
        assert artifact.path is None
        assert artifact.data == (GOOD / "mlp" / "1" / "model.onnx").read_bytes()
        assert not list(private.iterdir())


@pytest.mark.parametrize(("name", "keep", "files"), [
    ("external", "onnx", {"model.onnx", "model.onnx.data"}),
    ("both", "saved-model", {"saved_model.pb", "variables.index", "variables.data-00000-of-00001"}),
])  # fmt: skip
def test_what_an_engine_must_find_on_disk_is_copied_to_a_private_place(private, name, keep, files):
    bundle = read_bundle(GOOD / name, keep=(keep,))
    folder = next(private.iterdir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    copies = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in copies} == files
    for path in copies:
        assert path.stat().st_nlink == 1
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes() == (GOOD / name / path.relative_to(folder)).read_bytes()
    assert bundle.artifact(keep).data is None
    bundle.close()
    bundle.close()
    assert not list(private.iterdir())


def test_a_forgotten_bundle_is_cleaned_up(private):
    bundle = read_bundle(GOOD / "external", keep=("onnx",))
    assert list(private.iterdir())
    del bundle
    gc.collect()
    assert not list(private.iterdir())


def test_later_changes_on_disk_do_not_reach_what_was_verified(tmp_path):
    shutil.copytree(GOOD / "mlp", tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle", keep=("onnx",))
    expected = bundle.artifact("onnx").data
    shutil.rmtree(tmp_path / "bundle")
    assert bundle.artifact("onnx").data == expected
    assert bundle.golden[0].inputs["features"].shape == (1, 4)


def test_what_was_not_kept_or_is_not_there_is_an_error():
    bundle = read_bundle(GOOD / "mlp")
    for ask in (bundle.artifact, bundle.variant):
        with pytest.raises(SealaneError) as caught:
            ask("savedmodel")
        assert caught.value.code is ErrorCode.VARIANT_NOT_FOUND
        assert "written by hand" in caught.value.message
    with pytest.raises(SealaneError, match="keep"):
        bundle.artifact("onnx")


def test_golden_cases_hold_strings_and_missing_values():
    case = read_bundle(GOOD / "strings").golden[1]
    assert case.inputs["carrier"].tolist() == [None, "", "ZZ", "B6"]
    assert np.isnan(case.inputs["distance"][0])
    assert case.outputs["label"].dtype == object


def test_demands_of_a_policy():
    assert read_bundle(GOOD / "mlp", policy=Policy(required_verdict=Verdict.BIT_EXACT))
    error = refused(GOOD / "mlp", policy=Policy(minimum_version="1.0.1"))
    assert error.code is ErrorCode.POLICY_REFUSED


def test_a_difference_lists_everything_at_once(tmp_path):
    root = tmp_path / "bundle"
    shutil.copytree(GOOD / "mlp", root)
    (root / "README.md").write_text("changed")
    (root / "golden" / "batch-1.safetensors").unlink()
    (root / "1" / "new").write_text("x")
    error = refused(root)
    assert error.code is ErrorCode.FILES_DIFFER
    assert error.details["extra"] == ["1/new"]
    assert error.details["missing"] == ["golden/batch-1.safetensors"]
    changed = error.details["changed"]
    assert isinstance(changed, list)
    assert (changed[0]["path"], changed[0]["field"]) == ("README.md", "size")
    assert json.dumps(error.details)
    for line in ("extra   1/new", "missing golden/batch-1.safetensors", "changed README.md"):
        assert line in error.message


FILES = ("sealane.json", "1/model.onnx", "golden/known.safetensors", "golden/known.json", "MLmodel")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(FILES), st.booleans(), st.data())
def test_mutated_files_give_a_bundle_or_a_coded_error(tmp_path, private, name, relist, data):
    root = tmp_path / "bundle"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(GOOD / "strings", root)
    content = bytearray((root / name).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    (root / name).write_bytes(content)
    if relist and name != "sealane.json":
        recipe = {
            "base": "strings",
            "steps": [{"do": "write", "path": name, "hex": content.hex()}, {"do": "relist"}],
        }
        shutil.rmtree(root)
        make_bundle(recipe, root)
    try:
        read_bundle(root, keep=("onnx",)).close()
    except SealaneError as error:
        assert error.code.family is ErrorFamily.BUNDLE  # noqa: PT017 - either outcome is right
    assert not list(private.iterdir())
