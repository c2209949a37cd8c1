"""Train on flights twice, bundle, verify everywhere, score from plain Java, print one table."""

from __future__ import annotations

import argparse
import gc
import subprocess
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import torch
from data import CATEGORICAL, Flights, declare, load
from keras_model import keras_lateness
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from story import console, step
from torch_model import TorchLateness

import sealane
from sealane.training import keras as keras_training
from sealane.training import torch as torch_training

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sealane.features import FittedFeatures

    Predict = Callable[[Mapping[str, np.ndarray]], np.ndarray]

BATCH = 4096


@dataclass(frozen=True)
class Scored:
    """The held-out rows scored once: by what, with which probabilities, at which rate."""

    source: str
    artifact: str
    runtime: str
    late: np.ndarray
    rows_per_second: float


def main() -> None:
    """Run the whole story; ``--sample`` shortens it."""
    arguments = parse_arguments()
    started = time.perf_counter()
    console.rule("[bold]1/5  The flights table")
    with step("Reading and joining flights, planes and weather"):
        flights = load(arguments.sample)
        features = declare().fit(flights.train)
        train, held_out = features.transform(flights.train), features.transform(flights.held_out)
    console.print(
        f"{flights.total:,} flights of 2013; {len(flights.train):,} rows to train on, "
        f"{len(flights.held_out):,} held out (every fifth day); "
        f"{flights.held_out_late.mean():.1%} of them late"
    )
    with step("Baseline: logistic regression on the same features"):
        baseline = fit_baseline(train, flights, held_out)

    console.rule("[bold]2/5  Training, in PyTorch and in Keras")
    models = fit_models(train, flights, features, arguments)

    console.rule("[bold]3/5  A bundle of each: ONNX and SavedModel, the features compiled in")
    bundles: dict[str, sealane.Bundle] = {}
    for name, (model, _) in models.items():
        with step(f"Exporting the {name} model and proving both artifacts"):
            bundles[name] = export(name, model, features, flights, arguments.out)

    console.rule("[bold]4/5  Every artifact verified, in Python and in a JVM")
    for bundle in bundles.values():
        console.print(bundle.verify(runtimes=("onnx", "tensorflow", "jvm")))

    console.rule("[bold]5/5  The held-out rows, scored by everyone")
    rows = arguments.out / "held_out.csv"
    raw = features.raw_inputs(flights.held_out)
    write_csv(raw, rows)
    scored: list[Scored] = []
    gc.freeze()  # JPype runs Python's collector with Java's; spare it both frameworks' objects.
    for name, (_, predict) in models.items():
        with step(f"Scoring the {name} bundle with every runtime"):
            scored.append(score_source(name, predict, held_out))
            for engine in ("onnx", "tensorflow", "jvm"):
                scored.append(score_session(name, bundles[name], engine, raw))
            scored.append(score_java(name, bundles[name].path, rows))
    console.print(report(scored, flights.held_out_late, baseline))
    closing_words(bundles, time.perf_counter() - started)


def parse_arguments() -> argparse.Namespace:
    """Command line: how much, how long, where to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="use only this many rows")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path("out/flights"), help="folder of results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    arguments.training = {"epochs": arguments.epochs, "batch_size": 1024, "lr": 2e-3, "seed": 0}
    return arguments


def fit_baseline(
    train: Mapping[str, np.ndarray], flights: Flights, held_out: Mapping[str, np.ndarray]
) -> float:
    """AUC of logistic regression on the same features, categories one-hot."""
    cardinality = {name: int(train[name].max()) + 1 for name in CATEGORICAL}

    def design(features: Mapping[str, np.ndarray]) -> np.ndarray:
        hot = [
            np.eye(n, dtype=np.float32)[np.minimum(features[name], n - 1)]
            for name, n in cardinality.items()
        ]
        return np.hstack([features["numeric"], *hot])

    model = LogisticRegression(max_iter=200).fit(design(train), flights.train_late)
    return float(roc_auc_score(flights.held_out_late, model.predict_proba(design(held_out))[:, 1]))


def fit_models(
    train: Mapping[str, np.ndarray],
    flights: Flights,
    features: FittedFeatures,
    arguments: argparse.Namespace,
) -> dict[str, tuple[object, Predict]]:
    """By framework the trained model, and what it predicts from features."""
    numbers = train["numeric"].shape[1]
    console.print("PyTorch")
    torch.manual_seed(arguments.training["seed"])
    torch_model = TorchLateness(numbers, features.cardinalities)
    torch_training.fit(
        torch_model, train, flights.train_late, logits=torch_model.logit, **arguments.training
    )
    console.print("Keras")
    keras.utils.set_random_seed(arguments.training["seed"])
    keras_model = keras_lateness(numbers, features.cardinalities)
    keras_training.fit(keras_model, train, flights.train_late, **arguments.training)
    return {
        "torch": (torch_model, torch_predict(torch_model)),
        "keras": (keras_model, keras_model.predict_on_batch),
    }


def torch_predict(model: TorchLateness) -> Predict:
    """The trained PyTorch model as a function of NumPy features."""

    def predict(features: Mapping[str, np.ndarray]) -> np.ndarray:
        model.eval()
        with torch.inference_mode():
            return model(**{name: torch.from_numpy(x) for name, x in features.items()}).numpy()

    return predict


def export(
    name: str, model: object, features: FittedFeatures, flights: Flights, out: Path
) -> sealane.Bundle:
    """One bundle of a trained model, its features in front."""
    return sealane.export(
        model,
        flights.train.head(256),
        name=f"flights-{name}",
        path=out / f"flights-{name}",
        features=features,
        output_names=["late"],
        overwrite=True,
    )


def batches(columns: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """The rows in batches of `BATCH`."""
    rows = len(next(iter(columns.values())))
    return [
        {name: column[start : start + BATCH] for name, column in columns.items()}
        for start in range(0, rows, BATCH)
    ]


def timed(
    run: Callable[[dict[str, np.ndarray]], np.ndarray], parts: list[dict[str, np.ndarray]]
) -> tuple[np.ndarray, float]:
    """All results side by side, and rows per second of a second pass, when all is warm."""
    late = np.concatenate([np.asarray(run(part)).reshape(-1) for part in parts])
    start = time.perf_counter()
    for part in parts:
        run(part)
    return late, len(late) / (time.perf_counter() - start)


def score_source(
    name: str,
    predict: Predict,
    features: Mapping[str, np.ndarray],
) -> Scored:
    """The trained model itself, on transformed features."""
    late, rate = timed(predict, batches(features))
    return Scored(name, "(the model)", name, late, rate)


def score_session(
    name: str, bundle: sealane.Bundle, engine: str, raw: Mapping[str, np.ndarray]
) -> Scored:
    """One engine of this process, on raw columns."""
    artifact = "savedmodel" if engine == "tensorflow" else "onnx"
    with bundle.open(engine) as session:
        late, rate = timed(lambda part: session.run(part)["late"], batches(raw))
        return Scored(name, artifact, session.engine, late, rate)


def score_java(name: str, bundle: Path, rows: Path) -> Scored:
    """A plain Java program, no Python in its process, on the raw columns as CSV."""
    jar = str(files("sealane.jvm") / "sealane.jar")
    program = Path(__file__).with_name("ScoreCsv.java")
    scores = rows.with_name(f"{name}-java.txt")
    command = ["java", "-cp", jar, str(program), str(bundle), str(rows), str(scores)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    late = np.array(scores.read_text().split(), dtype=np.float32)
    return Scored(name, "onnx", "plain Java: onnx", late, float(done.stdout))


def write_csv(raw: Mapping[str, np.ndarray], path: Path) -> None:
    """Raw columns as text that reads back to the same bits; a missing value is an empty cell."""
    columns = [["" if x != x else str(x) for x in column.tolist()] for column in raw.values()]
    lines = [",".join(raw), *map(",".join, zip(*columns, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def report(scored: list[Scored], truth: np.ndarray, baseline: float) -> Table:
    """The one table: each artifact on each runtime against the framework it came from."""
    table = Table(title="Late arrivals, held-out rows")
    for heading in ("trained in", "artifact", "runtime"):
        table.add_column(heading)
    for heading in ("max |error|", "AUC", "rows/s"):
        table.add_column(heading, justify="right")
    table.add_row("scikit-learn", "logistic regression", "", "", f"{baseline:.4f}", "")
    sources = {each.source: each.late for each in scored if each.artifact == "(the model)"}
    for each in scored:
        if each.artifact == "(the model)":
            table.add_section()
        error = np.abs(each.late.astype(np.float64) - sources[each.source]).max()
        auc = roc_auc_score(truth, each.late)
        table.add_row(
            each.source,
            each.artifact,
            each.runtime,
            f"{error:.1e}",
            f"{auc:.4f}",
            f"{each.rows_per_second:,.0f}",
        )
    return table


def closing_words(bundles: Mapping[str, sealane.Bundle], seconds: float) -> None:
    """Where the result lies and what to try next."""
    path = bundles["torch"].path
    for line in (
        f"\nDone in {seconds / 60:.1f} minutes. The bundles lie in {path.parent}.",
        "Try next:",
        f"  .venv/bin/sealane inspect {path}",
        f"  .venv/bin/sealane verify --runtime jvm {path}",
        f"  .venv/bin/sealane diff {path} {bundles['keras'].path}",
    ):
        console.print(line, soft_wrap=True)


if __name__ == "__main__":
    main()
