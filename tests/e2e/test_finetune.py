"""Python → JVM fine-tune → ONNX → Python: the flights model goes on learning without Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import sealane
from sealane.jvm import find_jar
from sealane.training import torch as torch_training

EXAMPLE = Path(__file__).parents[2] / "docs/examples/flights"
SAMPLE = 16_000
LATE_MONTHS = 11
"""The model is trained on the months before; it learns these in the JVM."""
SECONDS = 240


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """The parent bundle, and the rows of the last two months as CSV files."""
    sys.path.insert(0, str(EXAMPLE))
    try:
        from data import load
        from demo import declare, write_csv
        from torch_model import TorchLateness
    finally:
        sys.path.remove(str(EXAMPLE))
    folder = tmp_path_factory.mktemp("flights")
    table = load(SAMPLE)
    months = table.train["month"].to_numpy()
    early, late = table.train[months < LATE_MONTHS], table.train[months >= LATE_MONTHS]
    features = declare().fit(early)
    given = features.transform(early)
    torch.manual_seed(0)
    model = TorchLateness(given["numeric"].shape[1], features.cardinalities)
    labels = table.train_late
    torch_training.fit(
        model,
        given,
        labels[months < LATE_MONTHS],
        logits=model.logit,
        epochs=2,
        batch_size=512,
        lr=2e-3,
        seed=0,
    )
    sealane.export(
        model,
        early.head(256),
        name="flights",
        path=folder / "parent",
        features=features,
        output_names=["late"],
        formats=["onnx", "dl4j"],
    )
    truth = labels[months >= LATE_MONTHS]
    held_out = np.random.default_rng(0).random(len(late)) < 0.3
    for name, rows in (("train", ~held_out), ("held_out", held_out)):
        raw = features.raw_inputs(late[rows])
        write_csv({**raw, "was_late": truth[rows]}, folder / f"{name}.csv")
    return folder, features.raw_inputs(late[held_out]), truth[held_out]


def class_path():
    jar = find_jar()
    engine = sorted((jar.parent / "engines" / "dl4j").glob("*.jar"))
    return os.pathsep.join(map(str, (jar, *engine)))


def command(*arguments):
    main = ["java", "-Xmx1g", "-cp", class_path(), "io.sealane.training.Main"]
    return [*main, *map(str, arguments)]


def finetune(folder, out, *more):
    return command(
        "finetune",
        *("--bundle", folder / "parent", "--data", folder / "train.csv", "--label", "was_late"),
        *("--validation", folder / "held_out.csv", "--epochs", 4, "--batch-size", 128),
        *("--learning-rate", 1e-3, "--out", out, "--version", "1.1.0", "--json", *more),
    )


def run(arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        arguments, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def auc(bundle, columns, truth):
    with sealane.open(bundle, engine="onnx") as session:
        return roc_auc_score(truth, session.run(columns)["late"])


@pytest.fixture(scope="module")
def child(flights):
    folder = flights[0]
    return folder / "child", run(finetune(folder, folder / "child"))


def test_the_child_knows_the_last_months_better(flights, child):
    folder, columns, truth = flights
    parent_auc = auc(folder / "parent", columns, truth)
    child_auc = auc(child[0], columns, truth)
    assert child_auc > parent_auc
    summary = child[1][-1]
    assert summary["parent"]["auc"] == pytest.approx(parent_auc, abs=1e-6)
    assert summary["child"]["auc"] == pytest.approx(child_auc, abs=1e-6)


def test_the_childs_fresh_onnx_is_proved_in_both_languages(flights, child):
    folder = flights[0]
    bundle = sealane.inspect(child[0])
    parent = sealane.inspect(folder / "parent")
    assert {each.kind: each.verdict.value for each in bundle.manifest.variants} == {
        "onnx": "within-oracle",
        "dl4j": "within-oracle",
    }
    assert bundle.manifest.lineage["parent"] == parent.manifest.content_id
    assert bundle.manifest.content_id != parent.manifest.content_id
    verification = bundle.verify(runtimes=("onnx", "jvm"))
    assert verification.ok, verification
    verified = run(command("verify", "--bundle", child[0], "--engine", "onnx", "--json"))
    assert verified[-1]["verdict"] == "within-oracle"


def test_a_killed_training_goes_on_to_the_same_weights(flights, child):
    folder = flights[0]
    again = finetune(folder, folder / "killed", "--checkpoints", folder / "checkpoints")
    with subprocess.Popen(
        again,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        for line in process.stdout:
            if line.startswith("{") and json.loads(line)["epoch"] == 2:
                process.kill()
                break
    assert not (folder / "killed").exists()
    assert run(again)[-1]["resumedAt"] > 0
    weights = "variants/dl4j/weights.safetensors"
    assert (folder / "killed" / weights).read_bytes() == (child[0] / weights).read_bytes()
