"""The corpus is what its generator makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from corpus.run import CONFORMANCE

from sealane.bundle import reader
from sealane.bundle.dtype_codes import ONNX, SAFETENSORS, TENSORFLOW
from sealane.core import DType

GENERATED = ("bundles", "golden", "manifests", "networks", "parity_vectors.json")


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for name in GENERATED
        for path in ([root / name] if (root / name).is_file() else (root / name).rglob("*"))
        if path.is_file()
    }


def test_regenerating_gives_no_difference(tmp_path):
    """The one SavedModel is taken as it is: its bytes depend on TensorFlow's version."""
    script = CONFORMANCE / "regenerate.py"
    subprocess.run([sys.executable, script, "--target", tmp_path], check=True, timeout=120)
    made, there = contents(tmp_path), contents(CONFORMANCE)
    assert made.keys() == there.keys()
    assert not [path for path, data in there.items() if made[path] != data]


def test_the_package_carries_the_operator_table():
    table = (CONFORMANCE / "savedmodel_ops.json").read_bytes()
    assert (Path(reader.__file__).parent / "savedmodel_ops.json").read_bytes() == table
    operators = set(json.loads(table)["compute"])
    assert {"MatMul", "HashTableV2", "LookupTableFindV2", "VarHandleOp", "While"} <= operators
    assert not operators & {"ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "PyFuncStateless"}
    assert not operators & {"Abort", "ImmutableConst", "DecodeProtoV2", "PrintV2"}
    assert "InitializeTableFromTextFileV2" not in operators


def test_dtype_codes_are_those_of_the_shared_table():
    for row in json.loads((CONFORMANCE / "dtypes.json").read_bytes())["dtypes"]:
        dtype = DType(row["name"])
        assert SAFETENSORS.get(dtype) == row["safetensors"]
        assert (ONNX[dtype], TENSORFLOW[dtype]) == (row["onnx"], row["tensorflow"])
        assert (dtype.width, dtype.numpy.name) == (row["bytes"], row["numpy"])
