"""Train on flights with four frameworks on Spark, each by two ranks and by one; print one table."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from data import Flights, declare, load
from distributed_models import jax_lateness, keras_lateness, torch_lateness
from onnx import numpy_helper
from pyspark.sql import DataFrame, SparkSession
from rich.table import Table
from story import console, step

from sealane.spark import (
    Dl4jTrainable,
    JaxTrainable,
    KerasTrainable,
    TorchTrainable,
    TrainConfig,
    TrainedBundle,
    evaluate,
    jar_conf,
    train,
)

if TYPE_CHECKING:
    from sealane.features import FittedFeatures

HERE = Path(__file__).parent
ROWS_PER_STEP = 2048


@dataclass(frozen=True)
class Trained:
    """A framework's model, trained by some ranks.

    Attributes:
        made: The bundle.
        auc: On the held-out days.
    """

    made: TrainedBundle
    auc: float

    @property
    def samples_per_second(self) -> float:
        """Over all epochs but the first, in which frameworks compile."""
        later = self.made.epochs[1:] or self.made.epochs
        return self.made.samples * len(later) / sum(each["seconds"] for each in later)


def main() -> None:
    """Lay the flights down as tables, train four times twice, compare."""
    arguments = parse_arguments()
    console.rule("[bold]1/3  The tables")
    flights = load(arguments.sample)
    with step("Flights of four days in five to train on, of the fifth to judge by"):
        lay_down(flights, arguments.out)
    with step("Starting Spark: two executors with a core each"):
        spark = start()
    fitted = declare().fit(flights.train)
    rows, held = (spark.read.parquet(str(arguments.out / name)) for name in ("rows", "held"))

    console.rule("[bold]2/3  Trained by two ranks, and by one")
    found: dict[str, tuple[Trained, Trained]] = {}
    for framework in arguments.only:
        both = [trained(framework, fitted, rows, held, ranks, arguments) for ranks in (2, 1)]
        found[framework] = (both[0], both[1])
    spark.stop()

    console.rule("[bold]3/3  The same model?")
    console.print(report(found, len(flights.held_out)))
    apart = [name for name, (two, one) in found.items() if abs(two.auc - one.auc) > 0.005]
    if apart:
        raise SystemExit(f"more than 0.005 of AUC apart: {', '.join(apart)}")


def parse_arguments() -> argparse.Namespace:
    """Command line: how much, by what, where to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="use only this many rows")
    parser.add_argument("--epochs", type=int, default=4)
    names = ["torch", "tensorflow", "jax", "dl4j"]
    parser.add_argument("--only", nargs="+", default=names, choices=names, metavar="FRAMEWORK")
    parser.add_argument("--out", type=Path, default=Path("out/training"), help="of the results")
    arguments = parser.parse_args()
    arguments.out = arguments.out.absolute()
    arguments.out.mkdir(parents=True, exist_ok=True)
    return arguments


def lay_down(flights: Flights, out: Path) -> None:
    """Two Parquet files with a column ``late``."""
    for name, frame, late in (
        ("rows", flights.train, flights.train_late),
        ("held", flights.held_out, flights.held_out_late),
    ):
        frame.assign(late=late, date=frame["date"].dt.date).to_parquet(out / name, index=False)


def start() -> SparkSession:
    """Two executors in processes of their own, with Sealane's jar and Deeplearning4j."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    paths = (str(HERE), *filter(None, [os.environ.get("PYTHONPATH")]))
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)  # ranks import the models
    builder = SparkSession.builder.master("local-cluster[2,1,2048]").appName("sealane train demo")
    loopback = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    memory = {"spark.driver.memory": "2g", "spark.executor.memory": "2g"}
    spark = builder.config(map={**jar_conf("dl4j"), **loopback, **quiet, **memory}).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def trainable(
    framework: str, fitted: FittedFeatures
) -> TorchTrainable | KerasTrainable | JaxTrainable | Dl4jTrainable:
    """The same network in one of the frameworks."""
    onnx_only = {"formats": ("onnx",), "output_names": ["late"]}
    if framework == "torch":
        return TorchTrainable(
            module=torch_lateness, logits="logit", features=fitted, options=onnx_only
        )
    if framework == "tensorflow":
        return KerasTrainable(model=keras_lateness, features=fitted, options=onnx_only)
    if framework == "jax":
        return JaxTrainable(module=jax_lateness, logits="logit", features=fitted, options=onnx_only)
    named = {"output_names": ["late"]}
    return Dl4jTrainable(module=torch_lateness, features=fitted, options=named)


def trained(
    framework: str,
    fitted: FittedFeatures,
    rows: DataFrame,
    held: DataFrame,
    ranks: int,
    arguments: argparse.Namespace,
) -> Trained:
    """A bundle, and how well it does: the same rows in each step by however many ranks."""
    name = f"{framework}-{ranks}"
    shared = arguments.out / f"run-{name}"
    shutil.rmtree(shared, ignore_errors=True)
    config = TrainConfig(
        name="flights",
        path=str(arguments.out / name),
        target="late",
        overwrite=True,
        ranks=ranks,
        lanes=2,
        batch_size=ROWS_PER_STEP // ranks,
        epochs=arguments.epochs,
        optimizer="adam",
        lr=2e-3,
        patience=None,
        shared=str(shared),
        progress=False,
    )
    with step(f"{framework}, {ranks} rank{'s' if ranks > 1 else ''}"):
        made = train(rows, trainable(framework, fitted), config)
        auc = evaluate(held, made.path, "late").metrics["auc"]
    return Trained(made, auc)


def difference(one: TrainedBundle, other: TrainedBundle) -> float:
    """The largest between any two parameters."""
    first, second = (weights(each) for each in (one, other))
    assert first.keys() == second.keys()
    return max(float(np.abs(first[name] - second[name]).max()) for name in first)


def weights(made: TrainedBundle) -> dict[str, np.ndarray]:
    """The floats that a bundle's ONNX graph holds."""
    model = onnx.load(made.path / "1/model.onnx")
    arrays = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    return {
        name: array.astype(np.float64) for name, array in arrays.items() if array.dtype.kind == "f"
    }


def report(found: dict[str, tuple[Trained, Trained]], held: int) -> Table:
    """One line for each framework."""
    table = Table(title=f"AUC on {held:,} flights of held-out days")
    table.add_column("trained by")
    for heading in ("2 ranks", "1 rank", "samples/s, 2", "samples/s, 1", "max |difference|"):
        table.add_column(heading, justify="right")
    for framework, (two, one) in found.items():
        table.add_row(
            framework,
            f"{two.auc:.4f}",
            f"{one.auc:.4f}",
            f"{two.samples_per_second:,.0f}",
            f"{one.samples_per_second:,.0f}",
            f"{difference(two.made, one.made):.1e}",
        )
    table.caption = (
        "difference: of the parameters that two ranks and one arrived at. Adam moves a parameter "
        "whose gradient is only rounding as far as any other; AUC does not notice."
    )
    return table


if __name__ == "__main__":
    main()
