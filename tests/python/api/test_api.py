"""The façade: bundles inspected, verified and compared."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from python.runtime import bundles, models

import sealane
from sealane import ErrorCode, SealaneError
from sealane.bundle import GoldenCase, Verdict

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def mlp(tmp_path_factory) -> Path:
    return bundles.mlp_bundle(tmp_path_factory.mktemp("api") / "mlp", 8, 16, 16, 3)


def other_weights(path: Path, layer: str = "w1", by: float = 0.001) -> Path:
    """The bundle of :func:`mlp` with one weight changed, claiming nothing."""
    made, signature = models.mlp(8, 16, 16, 3)
    for each in made.graph.initializer:
        if each.name == layer:
            array = numpy_helper.to_array(each).copy()
            array.flat[0] += by
            each.CopyFrom(numpy_helper.from_array(array, layer))
    return bundles.write_onnx(path, made, signature)


def test_the_public_names_are_few_and_the_export_function_is_not_its_package():
    assert len(sealane.__all__) <= 15
    assert callable(sealane.export)
    importlib.import_module("sealane.export.exporting")
    assert callable(sealane.export)
    for name in sealane.__all__:
        assert hasattr(sealane, name)


def test_importing_sealane_loads_no_framework():
    code = (
        "import sys, sealane; "
        "heavy = ('torch', 'tensorflow', 'jpype', 'keras', 'pandas'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_inspect_reads_and_prints(mlp):
    bundle = sealane.inspect(mlp)
    assert bundle.manifest.name == "mlp"
    assert bundle.signature.inputs[0].name == "x"
    text = repr(bundle)
    assert "Bundle mlp 1" in text
    assert "x: FP32[batch, 8]" in text
    assert "onnx: onnx, fp32, bit-exact" in text
    assert "3 cases" in text
    assert "<table>" in bundle._repr_html_()
    assert json.loads(json.dumps(bundle.to_dict()))["variants"][0]["id"] == "onnx"
    assert bundle.certificate["contentId"] == bundle.manifest.content_id


def test_inspect_refuses_what_is_no_bundle(tmp_path):
    with pytest.raises(SealaneError) as caught:
        sealane.inspect(tmp_path)
    assert caught.value.code is ErrorCode.BUNDLE_NOT_FOUND


def test_open_runs(mlp):
    x = np.ones((2, 8), np.float32)
    with sealane.open(mlp) as one, sealane.inspect(mlp).open() as two:
        assert isinstance(one, sealane.Session)
        assert one.run({"x": x})["y"].tobytes() == two.run({"x": x})["y"].tobytes()


def test_an_unknown_runtime_is_named(mlp):
    for call in (lambda: sealane.open(mlp, "caffe"), lambda: sealane.verify(mlp, ["caffe"])):
        with pytest.raises(SealaneError, match="'caffe' is unknown") as caught:
            call()
        assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE


def test_verify_gives_a_table(mlp):
    result = sealane.inspect(mlp).verify(runtimes=["onnx"])
    assert result.ok
    (row,) = result.rows
    assert (row.variant, row.runtime, row.version) == ("onnx", "onnx", "1.28.0")
    assert row.verdict is Verdict.BIT_EXACT
    assert row.max_abs == 0
    assert result.cases == 3
    result.raise_if_failed()
    assert "bit-exact" in repr(result)
    assert "bit-exact" in result._repr_html_()
    assert json.loads(json.dumps(result.to_dict()))["rows"][0]["verdict"] == "bit-exact"


def test_verify_reports_a_failure_and_raises_only_when_asked(tmp_path):
    made, signature = models.mlp(4, 3)
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    case = bundles.spoiled(bundles.golden_from(made, signature, "case", {"x": x}), "y", 1e-3)
    path = bundles.write_onnx(
        tmp_path / "bad", made, signature, (case,), verdict=Verdict.WITHIN_ORACLE
    )
    result = sealane.verify(path, ["onnx"])
    assert not result.ok
    assert result.rows[0].verdict is Verdict.FAILED
    assert result.rows[0].max_abs == pytest.approx(1e-3, rel=0.1)
    assert "golden case 'case'" in result.rows[0].problem
    assert "NOT verified" in repr(result)
    with pytest.raises(SealaneError, match="onnx on onnx") as caught:
        result.raise_if_failed()
    assert caught.value.code is ErrorCode.PARITY_FAILED


def test_a_runtime_without_a_variant_is_not_run(mlp):
    result = sealane.verify(mlp, ["onnx", "tensorflow"])
    assert result.ok
    assert [row.ok for row in result.rows] == [True, None]
    assert "no savedmodel variant" in result.rows[1].problem
    assert not sealane.verify(mlp, ["tensorflow"]).ok


def test_a_bundle_is_the_same_as_itself(mlp):
    result = sealane.diff(mlp, mlp)
    assert result.same
    assert "are the same" in repr(result)


def test_diff_names_the_changed_weight_and_the_first_node(mlp, tmp_path):
    result = sealane.diff(mlp, other_weights(tmp_path / "other"))
    assert not result.same
    found = {(each.what, each.where) for each in result.changes}
    assert ("weight", "w1") in found
    assert ("file", "1/model.onnx") in found
    assert ("manifest", "contentId") in found
    assert any(what == "output" for what, _ in found)
    assert result.first_node is not None
    assert (result.first_node.op, result.first_node.output) == ("Gemm", "h1")
    assert "first to diverge" in repr(result)
    assert json.loads(json.dumps(result.to_dict()))["firstNode"]["output"] == "h1"


def test_diff_of_other_signatures_compares_no_outputs(mlp, tmp_path):
    result = sealane.diff(mlp, bundles.text_bundle(tmp_path / "text"))
    assert not result.same
    assert result.first_node is None
    assert "signatures differ" in result.note
    assert any(each.what == "signature" for each in result.changes)


def test_diff_of_other_graphs_says_where_they_are_built_differently(tmp_path):
    made, signature = models.mlp(4, 8, 3)
    case = bundles.golden_from(made, signature, "case", {"x": np.ones((1, 4), np.float32)})
    a = bundles.write_onnx(tmp_path / "a", made, signature, (case,), verdict=Verdict.BIT_EXACT)
    other = onnx.ModelProto.FromString(made.SerializeToString())
    other.graph.node[1].op_type = "Sigmoid"
    b = bundles.write_onnx(tmp_path / "b", other, signature)
    result = sealane.diff(a, b)
    assert "node 1 is Relu" in result.note


def test_diff_needs_two_sides(mlp):
    with pytest.raises(SealaneError, match="two sides"):
        sealane.diff(mlp)


def test_a_keras_free_export_facade_passes_options_through(tmp_path):
    with pytest.raises(SealaneError) as caught:
        sealane.export(object(), (np.ones((1, 2), np.float32),), "x", path=tmp_path / "x")
    assert caught.value.code is ErrorCode.EXPORT_UNSUPPORTED


def test_golden_case_type_is_importable():
    assert GoldenCase("a", "b", 1, {}, {}).oracle == {}
