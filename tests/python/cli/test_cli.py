"""The command line as scripts and people see it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from python.runtime import bundles, models
from typer.testing import CliRunner

import sealane
from sealane.bundle import GoldenCase, Verdict
from sealane.cli import app
from sealane.core import Domain, DType, Signature, TensorSpec

ROOT = Path(__file__).parents[3]


def call(*arguments: object, stdin: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def call_json(*arguments: object, stdin: str | None = None) -> tuple[int, dict]:
    code, out, _ = call(*arguments, "--json", stdin=stdin)
    return code, json.loads(out)


@pytest.fixture(scope="module")
def mlp(tmp_path_factory) -> Path:
    return bundles.mlp_bundle(tmp_path_factory.mktemp("cli") / "mlp", 2, 4, 3)


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """Takes a nullable text, a bounded float, an int and two numbers; gives them back."""
    path = tmp_path_factory.mktemp("cli") / "table"
    signature = Signature(
        (
            TensorSpec("carrier", DType.BYTES, ("batch",), domain=Domain(nullable=True)),
            TensorSpec("distance", DType.FP32, ("batch",), domain=Domain(nullable=True, minimum=0)),
            TensorSpec("hour", DType.INT64, ("batch",)),
            TensorSpec("late", DType.BOOL, ("batch",)),
            TensorSpec("pair", DType.FP64, ("batch", 2)),
        ),
        (
            TensorSpec("carrier_out", DType.BYTES, ("batch",)),
            TensorSpec("distance_out", DType.FP32, ("batch",)),
            TensorSpec("hour_out", DType.INT64, ("batch",)),
            TensorSpec("late_out", DType.BOOL, ("batch",)),
            TensorSpec("pair_out", DType.FP64, ("batch", 2)),
        ),
    )
    nodes = [
        helper.make_node("Identity", [spec.name], [f"{spec.name}_out"]) for spec in signature.inputs
    ]
    inputs = {
        "carrier": np.array(["UA"], object),
        "distance": np.array([1], np.float32),
        "hour": np.array([5]),
        "late": np.array([True]),
        "pair": np.array([[1.0, 2.0]]),
    }
    case = GoldenCase("case", "sample", 1, inputs, {f"{k}_out": v for k, v in inputs.items()})
    made = models.model(nodes, signature)
    return bundles.write_onnx(path, made, signature, (case,), verdict=Verdict.WITHIN_ORACLE)


def test_help_teaches_every_command():
    code, out, _ = call("--help")
    assert code == 0
    assert "Exit codes" in out
    for name in ("export", "inspect", "verify", "run", "diff", "sign", "verify-signature"):
        assert name in out
        code, text, _ = call(name, "--help")
        assert code == 0
        assert "Example" in text
        assert "--json" in text


def test_inspect_prints_and_gives_json(mlp):
    code, out, _ = call("inspect", mlp)
    assert code == 0
    assert "x: FP32[batch, 2]" in out
    code, fields = call_json("inspect", mlp)
    assert code == 0
    assert fields["name"] == "mlp"
    assert fields["inputs"] == [
        {"name": "x", "dtype": "FP32", "shape": ["batch", 2], "semantic": None}
    ]


def test_errors_have_their_family_as_exit_code(mlp, tmp_path):
    code, fields = call_json("inspect", tmp_path)
    assert (code, fields["error"]["code"]) == (3, "BUNDLE_NOT_FOUND")
    code, fields = call_json("run", mlp, stdin='{"x": [[1, 2, 3]]}')
    assert (code, fields["error"]["code"]) == (4, "INPUT_SHAPE")
    assert fields["error"]["details"]["input"] == "x"
    code, fields = call_json("verify", mlp, "--runtime", "caffe")
    assert (code, fields["error"]["code"]) == (5, "ENGINE_UNAVAILABLE")
    code, out, err = call("inspect", tmp_path)
    assert (code, out) == (3, "")
    assert "BUNDLE_NOT_FOUND" in err
    assert call("inspect")[0] == 2
    assert call("inspect", mlp, "--nonsense")[0] == 2
    assert call("run", mlp, "rows.txt")[0] == 2


def test_verify_exits_by_the_result(mlp, tmp_path):
    code, fields = call_json("verify", mlp, "--runtime", "onnx", "--runtime", "jvm")
    assert code == 0
    assert fields["ok"] is True
    assert [row["runtime"] for row in fields["rows"]] == ["onnx", "jvm:onnx"]
    code, out, _ = call("verify", mlp, "--runtime", "onnx")
    assert code == 0
    assert "verified" in out
    made, signature = models.mlp(2, 3)
    case = bundles.golden_from(made, signature, "case", {"x": np.ones((1, 2), np.float32)})
    bad = bundles.write_onnx(
        tmp_path / "bad",
        made,
        signature,
        (bundles.spoiled(case, "y", 0.01),),
        verdict=Verdict.WITHIN_ORACLE,
    )
    code, fields = call_json("verify", bad, "--runtime", "onnx")
    assert code == 1
    assert fields["ok"] is False


def test_a_required_verdict_is_a_policy(table):
    code, fields = call_json("inspect", table, "--require", "bit-exact")
    assert (code, fields["error"]["code"]) == (3, "POLICY_REFUSED")
    assert call("inspect", table, "--require", "within-oracle")[0] == 0


def test_diff_exits_1_on_a_difference(mlp, tmp_path):
    assert call("diff", mlp, mlp)[0] == 0
    made, signature = models.mlp(2, 4, 3, seed=9)
    other = bundles.write_onnx(tmp_path / "other", made, signature)
    code, fields = call_json("diff", mlp, other)
    assert code == 1
    assert fields["firstNode"]["output"] == "h0"
    assert call("diff", mlp, "--runtime", "onnx", "--runtime", "jvm")[0] == 0


@pytest.mark.parametrize("runtime", ["onnx", "jvm"])
def test_run_takes_columns_and_rows_of_json(mlp, runtime):
    with sealane.open(mlp) as session:
        expected = session.run({"x": [[1, 2], [3, 4]]})["y"]
    for text in ('{"x": [[1, 2], [3, 4]]}', '[{"x": [1, 2]}, {"x": [3, 4]}]'):
        code, fields = call_json("run", mlp, "--runtime", runtime, stdin=text)
        assert code == 0
        assert np.array(fields["y"], np.float32).tobytes() == expected.tobytes()
    code, out, _ = call("run", mlp, "-", "--input-format", "jsonl", stdin='{"x": [1, 2]}\n')
    assert code == 0
    assert np.array(json.loads(out)["y"], np.float32).tobytes() == expected[:1].tobytes()


CSV = """carrier,distance,hour,late,pair[0],pair[1]
UA,0.1,5,true,1.5,2
"a, ""b""\n日本",1e10,-3,0,nan,-inf
,,7.0,FALSE,0,0.30000000000000004
"""


def test_csv_goes_in_and_out(table, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(CSV, "utf-8")
    code, out, err = call("run", table, path, "--output-format", "csv")
    assert code == 0, err
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["carrier_out"] for row in rows] == ["UA", 'a, "b"\n日本', ""]
    assert [row["distance_out"] for row in rows] == ["0.1", "10000000000.0", "NaN"]
    assert [row["hour_out"] for row in rows] == ["5", "-3", "7"]
    assert [row["late_out"] for row in rows] == ["true", "false", "false"]
    assert [row["pair_out[0]"] for row in rows] == ["1.5", "NaN", "0.0"]
    assert [row["pair_out[1]"] for row in rows] == ["2.0", "-Infinity", "0.30000000000000004"]
    code, fields = call_json("run", table, path)
    assert code == 0
    assert fields["distance_out"] == [0.1, 1e10, "NaN"]


def test_run_writes_a_file_and_only_what_is_asked(table, tmp_path):
    path = tmp_path / "out.json"
    text = CSV.splitlines()[0] + "\nUA,1,5,true,1,2\n"
    code, out, _ = call(
        "run", table, "-", "--input-format", "csv", "--output", path, "--only", "hour_out",
        stdin=text,
    )  # fmt: skip
    assert (code, out) == (0, "")
    assert json.loads(path.read_text()) == {"hour_out": [5]}


def test_parquet_goes_in(table, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "rows.parquet"
    columns = {
        "carrier": ["UA", None],
        "distance": [1.5, None],
        "hour": [5, 6],
        "late": [True, False],
        "pair": [[1.0, 2.0], [3.0, 4.0]],
    }
    parquet.write_table(pa.table(columns), path)
    code, fields = call_json("run", table, path)
    assert code == 0
    assert fields["carrier_out"] == ["UA", ""]
    assert fields["distance_out"] == [1.5, "NaN"]
    assert fields["pair_out"] == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("text", "kind", "code", "part"),
    [
        ("carrier,distance\nUA", "csv", "INPUT_RAGGED", "row 0"),
        ("carrier,nope\nUA,1", "csv", "INPUT_UNKNOWN", "nope"),
        (CSV.replace("0.1", "abc"), "csv", "INPUT_DTYPE", "row 0"),
        (CSV.replace("7.0", "7.5"), "csv", "INPUT_DTYPE", "row 2"),
        (CSV.replace("7.0", ""), "csv", "INPUT_NULL", "row 2"),
        (CSV.replace("0.1", "-1"), "csv", "INPUT_DOMAIN", "row 0"),
        ("", "csv", "INPUT_DTYPE", "column names"),
        ("carrier\nUA", "csv", "INPUT_MISSING", "distance"),
        ("{", "json", "INPUT_DTYPE", "JSON"),
        ("3", "json", "INPUT_DTYPE", "JSON"),
        ("[1]", "json", "INPUT_DTYPE", "row 0"),
        ('[{"carrier": "a"}, {"hour": 1}]', "json", "INPUT_RAGGED", "row 1"),
        ("[" * 100_000, "json", "INPUT_DTYPE", "JSON"),
        ('"a\n', "jsonl", "INPUT_DTYPE", "JSON"),
    ],
)
def test_bad_rows_are_named(table, text, kind, code, part):
    status, fields = call_json("run", table, "--input-format", kind, stdin=text)
    assert status == 4
    assert fields["error"]["code"] == code
    assert part in fields["error"]["message"]


def test_bundles_are_signed_and_checked(tmp_path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    path = bundles.mlp_bundle(tmp_path / "signed", 2, 3)
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    public = tmp_path / "public.pem"
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    code, fields = call_json("verify-signature", path, "--signed-by", public)
    assert (code, fields["error"]["code"]) == (3, "SIGNING_MISSING")
    assert call_json("sign", path, "--key", tmp_path / "key.pem") == (
        0,
        {"signature": str(path / "bundle.sig")},
    )
    code, fields = call_json("verify-signature", path, "--signed-by", public)
    assert code == 0
    assert fields["kind"] == "key"
    assert call("inspect", path, "--signed-by", public)[0] == 0
    assert call("verify-signature", path)[0] == 2


def run_process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    return subprocess.run(
        [sys.executable, "-m", "sealane.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        check=False,
    )


def test_a_model_is_exported_from_a_module(tmp_path):
    (tmp_path / "train.py").write_text(
        "import torch\n"
        "print('noise on stdout')\n"
        "def model():\n"
        "    torch.manual_seed(0)\n"
        "    return torch.nn.Linear(2, 1)\n"
    )
    (tmp_path / "rows.json").write_text("[[[0.5, 1.0], [2.0, -1.0], [0.1, 0.2]]]")
    done = run_process(
        "export", "train:model", "--example", "rows.json", "--name", "line", "--formats", "onnx",
        "--runtime", "jvm", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "line"
    assert sealane.verify(tmp_path / "line", ["onnx", "jvm"]).ok
    again = run_process(
        "export", "train:model", "--example", "rows.json", "--name", "line", "--json", cwd=tmp_path
    )
    assert again.returncode == 3
    assert json.loads(again.stdout)["error"]["code"] == "BUNDLE_EXISTS"


def test_what_can_not_be_exported_is_named(tmp_path):
    (tmp_path / "rows.json").write_text('{"x": [[0.5]]}')
    for model in ("nope:model", "json:nothing", "json"):
        done = run_process(
            "export", model, "--example", "rows.json", "--name", "m", "--json", cwd=tmp_path
        )
        assert done.returncode == 3
        assert json.loads(done.stdout)["error"]["code"] == "EXPORT_UNSUPPORTED"
