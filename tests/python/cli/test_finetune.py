"""Fine-tuning in the JVM, from Python and from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import sealane
from sealane.api import Optimizer, TrainingTrace
from sealane.bundle import Verdict
from sealane.cli import app
from sealane.core import ErrorCode, SealaneError


@pytest.fixture(scope="module")
def rows():
    """Two classes that the parent has not seen: the sign of the second column."""
    random = np.random.default_rng(4)
    x = random.standard_normal((400, 3), np.float32)
    return {"x": x}, (x[:, 1] > 0).astype(np.float32)


@pytest.fixture(scope="module")
def parent(tmp_path_factory, rows):
    import torch
    from torch import nn

    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
    batches = [((rows[0]["x"][:16],), rows[1][:16, None]) for _ in range(3)]
    return sealane.export(
        model,
        (rows[0]["x"][:32],),
        "sign",
        path=tmp_path_factory.mktemp("parent") / "sign",
        input_names=["x"],
        output_names=["probability"],
        formats=("onnx", "dl4j"),
        training_trace=TrainingTrace(Optimizer("sgd", 0.1), "binary_cross_entropy", batches),
    )


def accuracy(bundle, rows):
    with bundle.open() as session:
        scores = session.run(rows[0])["probability"].reshape(-1)
    return float(np.mean((scores > 0.5) == (rows[1] > 0.5)))


def test_a_child_learns_and_runs_in_python(parent, rows, tmp_path):
    told = []
    child = sealane.finetune(
        parent,
        rows[0],
        rows[1],
        path=tmp_path / "child",
        version="1.1.0",
        validation=0.25,
        loss="binary_cross_entropy",
        optimizer="adam",
        learning_rate=0.02,
        epochs=12,
        batch_size=32,
        listener=told.append,
    )
    assert accuracy(child.bundle, rows) > max(0.9, accuracy(parent, rows))
    assert [each["epoch"] for each in told] == list(range(13))
    assert child.report["child"]["loss"] < child.report["parent"]["loss"]
    assert child.report["rows"] + child.report["validationRows"] == 400
    assert parent.manifest.content_id in json.dumps(dict(child.bundle.manifest.lineage))
    assert child.bundle.manifest.variant("dl4j").verdict is Verdict.WITHIN_ORACLE
    verified = child.bundle.verify(["onnx", "jvm:onnx", "jvm:dl4j"])
    assert verified.ok, repr(verified)


def test_frozen_layers_do_not_move(parent, rows, tmp_path):
    child = sealane.finetune(
        parent, rows[0], rows[1], path=tmp_path / "child", version="2", freeze=["0"],
        loss="binary_cross_entropy",
    )  # fmt: skip
    from sealane.bundle.limits import DEFAULT_LIMITS
    from sealane.bundle.network_weights import read_weights

    before, after = (
        read_weights(
            (b.path / "variants/dl4j/weights.safetensors").read_bytes(), DEFAULT_LIMITS, "w"
        )
        for b in (parent, child.bundle)
    )
    assert np.array_equal(before["0.weight"], after["0.weight"])
    assert not np.array_equal(before["2.weight"], after["2.weight"])


def test_the_command_line_trains_rows_of_a_file(parent, rows, tmp_path):
    table = tmp_path / "rows.json"
    table.write_text(json.dumps({"x": rows[0]["x"].tolist(), "late": rows[1].tolist()}))
    arguments = [
        "finetune", str(parent.path), str(table), "--label", "late", "--path",
        str(tmp_path / "child"), "--version", "1.1.0", "--validation", "0.2", "--epochs", "2",
        "--loss", "binary_cross_entropy", "--json",
    ]  # fmt: skip
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert len(document["report"]["history"]) == 3
    assert sealane.inspect(tmp_path / "child").manifest.version == "1.1.0"


REFUSED = {
    "epochs": ({"epochs": 0}, ErrorCode.INPUT_DOMAIN),
    "share": ({"validation": 1.5}, ErrorCode.INPUT_DOMAIN),
    "optimizer": ({"optimizer": "lion"}, ErrorCode.INPUT_DOMAIN),
    "rate": ({"learning_rate": 0.0}, ErrorCode.INPUT_DOMAIN),
    "loss": ({"loss": "hinge"}, ErrorCode.INPUT_DOMAIN),
    "stopping": ({"early_stopping": 2, "loss": "binary_cross_entropy"}, ErrorCode.INPUT_MISSING),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_options_are_refused(parent, rows, tmp_path, name):
    options, code = REFUSED[name]
    with pytest.raises(SealaneError) as caught:
        sealane.finetune(parent, *rows, path=tmp_path / "child", version="2", **options)
    assert caught.value.code is code
    assert not list(tmp_path.iterdir())


def test_wrong_rows_are_refused(parent, rows, tmp_path):
    def refuse(data, labels, code, target="child", bundle=parent):
        with pytest.raises(SealaneError) as caught:
            sealane.finetune(bundle, data, labels, path=tmp_path / target, version="2")
        assert caught.value.code is code, str(caught.value)

    refuse({}, rows[1], ErrorCode.INPUT_MISSING)
    refuse({"x": rows[0]["x"][:, :2]}, rows[1], ErrorCode.INPUT_SHAPE)
    refuse(rows[0], ["a"] * 400, ErrorCode.INPUT_DTYPE)
    (tmp_path / "there").mkdir()
    refuse(*rows, ErrorCode.BUNDLE_EXISTS, "there")
    refuse(*rows, ErrorCode.BUNDLE_NOT_FOUND, bundle=tmp_path / "nothing")
