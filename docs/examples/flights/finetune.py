"""Train on ten months in Python, go on with the last two in Java, and take the result back."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from data import Flights, declare, load
from demo import write_csv
from rich.table import Table
from sklearn.metrics import roc_auc_score
from story import console, step
from torch_model import TorchLateness

import sealane
from sealane.jvm import find_jar
from sealane.jvm.engines import engine_jars
from sealane.training import torch as torch_training

if TYPE_CHECKING:
    import pandas as pd

    from sealane.features import FittedFeatures

LAST_MONTHS = (11, 12)
BATCH = 4096


@dataclass(frozen=True)
class Months:
    """The table cut in two by time: what Python trains on, and what comes in afterwards.

    Attributes:
        before: Rows of January to October to train on.
        before_late: Their labels.
        after: Rows of November and December to go on with.
        after_late: Their labels.
        judged: Rows of the held-out days of November and December.
        judged_late: Their labels.
    """

    before: pd.DataFrame
    before_late: np.ndarray
    after: pd.DataFrame
    after_late: np.ndarray
    judged: pd.DataFrame
    judged_late: np.ndarray


def main() -> None:
    """Run the round trip; ``--sample`` shortens it."""
    arguments = parse_arguments()
    console.rule("[bold]1/4  January to October, in Python")
    months = cut(load(arguments.sample))
    features = declare().fit(months.before)
    parent = train(months, features, arguments)
    console.rule("[bold]2/4  November and December, in Java")
    child = go_on(parent, months, features, arguments)
    console.rule("[bold]3/4  Verified on every engine")
    console.print(child.verify(runtimes=("onnx", "jvm", "jvm:dl4j")))
    console.rule("[bold]4/4  Held-out days of November and December")
    console.print(report(parent, child, features.raw_inputs(months.judged), months.judged_late))
    console.print(f"The child's parent: {child.manifest.lineage['parent']}", soft_wrap=True)


def parse_arguments() -> argparse.Namespace:
    """Command line: how much, how long, where to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="use only this many rows")
    parser.add_argument("--epochs", type=int, default=6, help="in Python")
    parser.add_argument("--more-epochs", type=int, default=4, help="in Java")
    parser.add_argument("--out", type=Path, default=Path("out/finetune"), help="folder of results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    return arguments


def cut(flights: Flights) -> Months:
    """The table by time."""
    late = flights.train["month"].isin(LAST_MONTHS).to_numpy()
    judged = flights.held_out["month"].isin(LAST_MONTHS).to_numpy()
    return Months(
        before=flights.train[~late].reset_index(drop=True),
        before_late=flights.train_late[~late],
        after=flights.train[late].reset_index(drop=True),
        after_late=flights.train_late[late],
        judged=flights.held_out[judged].reset_index(drop=True),
        judged_late=flights.held_out_late[judged],
    )


def train(
    months: Months, features: FittedFeatures, arguments: argparse.Namespace
) -> sealane.Bundle:
    """The parent: a PyTorch model as ONNX, and as a network that Java can train."""
    inputs = features.transform(months.before)
    torch.manual_seed(0)
    model = TorchLateness(inputs["numeric"].shape[1], features.cardinalities)
    torch_training.fit(
        model,
        inputs,
        months.before_late,
        logits=model.logit,
        epochs=arguments.epochs,
        batch_size=1024,
        lr=2e-3,
        seed=0,
    )
    with step("Exporting it"):
        return sealane.export(
            model,
            months.before.head(256),
            name="flights",
            path=arguments.out / "parent",
            features=features,
            output_names=["late"],
            formats=("onnx", "dl4j"),
            overwrite=True,
        )


def go_on(
    parent: sealane.Bundle,
    months: Months,
    features: FittedFeatures,
    arguments: argparse.Namespace,
) -> sealane.Bundle:
    """The child: trained by Java's command line, in a process without Python."""
    rows = arguments.out / "after.csv"
    write_csv({**features.raw_inputs(months.after), "is_late": months.after_late}, rows)
    path = arguments.out / "child"
    jars = os.pathsep.join(map(str, (find_jar(), *engine_jars("dl4j"))))
    command = [
        *("java", "-cp", jars, "io.sealane.training.Main", "finetune"),
        *("--bundle", str(parent.path), "--data", str(rows), "--label", "is_late"),
        *("--epochs", str(arguments.more_epochs), "--batch-size", "1024"),
        *("--learning-rate", "0.0005", "--validation", "0.1"),
        *("--out", str(path), "--version", "1.1.0", "--json"),
    ]
    remove(path)
    with step("Fine-tuning in Java"):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    for line in map(json.loads, done.stdout.splitlines()):
        console.print(line)
    return sealane.inspect(path)


def remove(bundle: Path) -> None:
    """Takes the child of an earlier run away."""
    for each in sorted(bundle.rglob("*"), reverse=True):
        each.rmdir() if each.is_dir() else each.unlink()
    if bundle.exists():
        bundle.rmdir()


def score(bundle: sealane.Bundle, engine: str, raw: dict[str, np.ndarray]) -> np.ndarray:
    """Probabilities of all rows."""
    rows = len(next(iter(raw.values())))
    with bundle.open(engine) as session:
        parts = [
            session.run({name: column[start : start + BATCH] for name, column in raw.items()})
            for start in range(0, rows, BATCH)
        ]
    return np.concatenate([part["late"] for part in parts])


def report(
    parent: sealane.Bundle, child: sealane.Bundle, raw: dict[str, np.ndarray], truth: np.ndarray
) -> Table:
    """AUC of parent and child on each engine."""
    table = Table(title=f"{len(truth):,} flights of the held-out days, {truth.mean():.1%} late")
    for heading in ("bundle", "engine", "max |difference|", "AUC"):
        table.add_column(heading, justify="left" if heading in ("bundle", "engine") else "right")
    for name, bundle in (("parent", parent), ("child", child)):
        first = score(bundle, "onnx", raw)
        for engine in ("onnx", "jvm:onnx", "jvm:dl4j"):
            late = score(bundle, engine, raw)
            difference = np.abs(late.astype(np.float64) - first).max()
            auc = roc_auc_score(truth, late)
            table.add_row(name, engine, f"{difference:.1e}", f"{auc:.4f}")
    return table


if __name__ == "__main__":
    main()
