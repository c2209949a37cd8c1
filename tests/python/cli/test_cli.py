"""The command line as scripts and people see it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper
from python.runtime import bundles, models
from typer.testing import CliRunner

import sealane
from sealane.bundle import GoldenCase, Verdict
from sealane.cli import app
from sealane.cli.process import run as run_commands
from sealane.core import Domain, DType, Signature, TensorSpec

ROOT = Path(__file__).parents[3]
GOOD = ROOT / "tests" / "conformance" / "bundles" / "good"


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
        assert "\nExample" in text.replace("  Example", "Example")
        assert f"sealane {name} " in text
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


def run_process(
    *arguments: str, cwd: Path, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sealane.cli", *arguments],
        capture_output=True,
        encoding="utf-8",
        cwd=cwd,
        input=stdin,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python"), **environment},
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nope"], "No such command 'nope'"),
        (["inspect"], "Missing argument 'bundle'"),
        (["inspect", "BUNDLE", "--nonsense"], "--nonsense"),
        (["inspect", "BUNDLE", "--require", "perfect"], "'within-oracle'"),
        (["inspect", "BUNDLE", "--identity", "a@b"], "--trust-root"),
        (["verify-signature", "BUNDLE"], "--signed-by"),
        (["verify-signature", "BUNDLE", "--signed-by", "x", "--identity", "a"], "--trust-root"),
        (["run", "BUNDLE", "rows.txt"], "parquet"),
        (["run", "BUNDLE", "-", "--input-format", "parquet"], "Parquet"),
        (["run", "BUNDLE", "rows.csv", "--output-format", "xml"], "expected json or csv"),
        (["run", "BUNDLE", "rows.csv", "--output-format", "csv"], "--output FILE"),
        (["diff", "BUNDLE"], "two bundles"),
        (["diff", "BUNDLE", "--runtime", "onnx", "--runtime", "onnx"], "two bundles"),
        (["diff", "BUNDLE", "BUNDLE", *["--runtime", "onnx"] * 3], "two bundles"),
        (["sign", "BUNDLE"], "--key"),
        (["export", "train:model"], "--name"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(mlp, capsys, arguments, problem):
    words = [str(mlp) if each == "BUNDLE" else each for each in arguments]
    assert run_commands([*words, "--json"]) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert error["code"] == "USAGE"
    assert problem in error["message"]
    assert err.count("\n") == 1
    assert err.startswith("usage: ")
    assert "--help)" in err


def test_what_no_one_foresaw_is_one_line_and_exit_70(mlp, capsys, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("sealane.api.inspect", broken)
    monkeypatch.delenv("SEALANE_TRACEBACK", raising=False)
    assert run_commands(["inspect", str(mlp), "--json"]) == 70
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == "FAULT"
    assert err == "fault of Sealane: RuntimeError: two lines (SEALANE_TRACEBACK=1 shows where)\n"


def test_a_bundle_can_not_steer_the_terminal(tmp_path):
    path = tmp_path / "evil"
    shutil.copytree(GOOD / "mlp", path)
    (path / "note\x1b]0;owned\x07\u202e").write_text("x")
    code, out, err = call("inspect", path)
    assert (code, out) == (3, "")
    assert "\\x1b]0;owned\\x07\\u202e" in err
    assert err.removesuffix("\n").isprintable()
    manifest = json.loads((path / "sealane.json").read_text())
    manifest["unavailable"] = [{"kind": "savedmodel", "reason": "no\x1b[2Jreason\nline\x9b2J"}]
    (path / "sealane.json").write_text(json.dumps(manifest))
    (path / "note\x1b]0;owned\x07\u202e").unlink()
    code, out, err = call("inspect", path)
    assert (code, err) == (0, "")
    assert "savedmodel: no\\x1b[2Jreason line\\x9b2J\n" in out
    code, out, _ = call("verify", path)
    assert code == 0
    assert "\\x1b" in out
    assert "\x1b" not in out


def test_a_version_is_printed():
    code, out, _ = call("--version")
    assert code == 0
    assert out.startswith("sealane ")


def test_a_file_of_outputs_leaves_one_document(table, tmp_path):
    text = CSV.splitlines()[0] + "\nUA,1,5,true,1,2\n"
    path = tmp_path / "out.csv"
    code, fields = call_json(
        "run", table, "-", "--input-format", "csv", "--output", path, "--output-format", "csv",
        "--only", "hour_out", stdin=text,
    )  # fmt: skip
    assert (code, fields) == (0, {"output": str(path)})
    assert path.read_text() == "hour_out\n5\n"
    absent = tmp_path / "absent" / "out.csv"
    assert call("run", table, "-", "--input-format", "csv", "--output", absent, stdin=text)[0] == 2


def test_a_threshold_counts_for_outputs(mlp, tmp_path):
    made, signature = models.mlp(2, 4, 3)
    for tensor in made.graph.initializer:
        if tensor.name == "b1":
            values = numpy_helper.to_array(tensor) * np.float32(1 + 2**-22)
            tensor.CopyFrom(numpy_helper.from_array(values, "b1"))
    case = bundles.golden_from(made, signature, "case", {"x": np.ones((2, 2), np.float32)})
    other = bundles.write_onnx(tmp_path / "other", made, signature, (case,))
    _, fields = call_json("diff", mlp, other)
    assert "output" in {each["what"] for each in fields["changes"]}
    _, fields = call_json("diff", mlp, other, "--threshold", 64)
    assert "output" not in {each["what"] for each in fields["changes"]}


def test_lines_of_json_end_at_line_feeds_only(table):
    row = {"carrier": "a\u2028b", "distance": 1, "hour": 5, "late": True, "pair": [1, 2]}
    text = json.dumps(row, ensure_ascii=False) + "\n"
    code, fields = call_json("run", table, "-", "--input-format", "jsonl", stdin=text)
    assert code == 0
    assert fields["carrier_out"] == ["a\u2028b"]


def test_text_is_utf8_in_every_locale(table, tmp_path):
    done = run_process(
        "run", str(table), "-", "--input-format", "csv", cwd=tmp_path,
        stdin="\ufeff" + CSV.splitlines()[0] + "\n日本,1,5,true,1,2\n",
        LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["carrier_out"] == ["日本"]


SHELL = """
set -o pipefail
sealane() { "$PYTHON" -m sealane.cli "$@"; }
sealane inspect "$BUNDLE" | true; echo "${PIPESTATUS[0]}"
sealane --help | true; echo "${PIPESTATUS[0]}"
sealane inspect "$BUNDLE" > /dev/full; echo "$?"
sealane inspect "$BUNDLE" >&-; echo "$?"
"""


def test_a_reader_that_leaves_is_no_error_of_anyone(mlp):
    environment = {"PYTHON": sys.executable, "BUNDLE": str(mlp), "PYTHONPATH": f"{ROOT}/python"}
    done = subprocess.run(
        ["bash", "-c", SHELL], capture_output=True, text=True, check=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.stdout.split() == ["141", "141", "74", "0"]
    assert done.stderr == "standard output can not be written: No space left on device\n"


def test_an_interrupt_ends_it_without_a_word(mlp):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(mlp)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")}, text=True,
        # What a shell starts in the background ignores interrupts, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        assert process.stderr is not None
        assert process.stderr.readline() == "reading\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == ""


INTERRUPTED = """
import sys
from sealane import cli
from sealane.cli import commands
read_rows = commands.read_rows

def told(*arguments):
    print("reading", file=sys.stderr, flush=True)
    return read_rows(*arguments)

commands.read_rows = told
sys.argv = ["sealane", "run", sys.argv[1]]
cli.main()
"""

TRAIN = """
import os, sys
import torch
from sealane.training import Trained

print("noise on stdout")
os.write(1, b"native noise\\n")

def model():
    torch.manual_seed(0)
    return torch.nn.Linear(2, 1)

def fit():
    rows = (torch.tensor([[0.5, 1.0], [2.0, -1.0], [0.1, 0.2]]),)
    return Trained(model(), rows, {"loss": 0.25}, {"output_names": ["price"]})
"""


def test_a_model_is_exported_from_a_module(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "rows.json").write_text("[[[0.5, 1.0], [2.0, -1.0], [0.1, 0.2]]]")
    arguments = ("--name", "line", "--formats", "onnx", "--runtime", "jvm", "--json")
    done = run_process("export", "train:fit", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    fields = json.loads(done.stdout)
    assert (fields["name"], fields["outputs"][0]["name"]) == ("line", "price")
    assert fields["lineage"]["metrics"] == {"loss": 0.25}
    assert "native noise" in done.stderr
    assert sealane.verify(tmp_path / "line", ["onnx", "jvm"]).ok
    for wrong, code in (("bad name", "EXPORT_UNSUPPORTED"), ("a\n", "EXPORT_UNSUPPORTED")):
        status, fields = call_json("export", "nope:model", "--name", wrong)
        assert (status, fields["error"]["code"]) == (3, code)
    status, fields = call_json("export", "nope:model", "--name", "n", "--runtime", "caffe")
    assert (status, fields["error"]["code"]) == (5, "ENGINE_UNAVAILABLE")
    # What is there already is refused before the module is so much as imported.
    again = run_process("export", "nope:model", *arguments, cwd=tmp_path)
    assert again.returncode == 3
    assert json.loads(again.stdout)["error"]["code"] == "BUNDLE_EXISTS"


@pytest.mark.parametrize(
    ("model", "example", "exit_code", "code", "part"),
    [
        ("nope:model", "rows.json", 3, "EXPORT_UNSUPPORTED", "nope"),
        ("json:nothing", "rows.json", 3, "EXPORT_UNSUPPORTED", "nothing"),
        ("json", "rows.json", 3, "EXPORT_UNSUPPORTED", "module:attribute"),
        ("json:dumps", "rows.json", 3, "EXPORT_FAILED", "TypeError"),
        ("math:pi", "rows.json", 3, "EXPORT_UNSUPPORTED", "float"),
        ("sys:exit", "rows.json", 3, "EXPORT_UNSUPPORTED", "builtin"),
        ("nope:model", "absent.json", 4, "INPUT_DTYPE", "absent.json"),
        ("math:pi", "rows.txt", 4, "INPUT_DTYPE", "expected .csv or .json"),
        ("math:pi", None, 4, "INPUT_MISSING", "Trained"),
    ],
)
def test_what_can_not_be_exported_is_named(
    tmp_path, monkeypatch, model, example, exit_code, code, part
):
    (tmp_path / "rows.json").write_text('{"x": [[0.5]]}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    words = ("--example", example) if example else ()
    status, fields = call_json("export", model, "--name", "m", *words)
    assert (status, fields["error"]["code"]) == (exit_code, code)
    assert part in fields["error"]["message"]
