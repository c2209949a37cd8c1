"""Training by Deeplearning4j on the executors' JVMs, asked for through the driver's."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealane.bundle import read_bundle
from sealane.core import ErrorCode, SealaneError
from sealane.core.keras import keras_of, set_random_seed
from sealane.export.exporting import check_request, export
from sealane.spark.arrow import pa
from sealane.spark.gateway import java_class, java_errors
from sealane.spark.job_failures import rank_failures
from sealane.spark.sparks import is_connect
from sealane.spark.training.laying import EXAMPLE_ROWS, check_columns, fit, raw_columns
from sealane.spark.training.preparation import Preparation
from sealane.spark.training.run_folder import MANIFEST
from sealane.spark.training.trained_bundle import TrainedBundle

if TYPE_CHECKING:
    from collections.abc import Generator

    from pyspark.sql import DataFrame

    from sealane.features import FittedFeatures
    from sealane.spark.training.dl4j_trainable import Dl4jTrainable
    from sealane.training.distributed.config import TrainConfig

FORMATS = ("onnx", "dl4j")
_GATEWAY = "io.sealane.spark.training.Gateway"
_ENGINE = "io.sealane.runtime.dl4j.Dl4jTrainingEngine"


def train_dl4j(df: DataFrame, trainable: Dl4jTrainable, config: TrainConfig) -> TrainedBundle:
    """Trains a network on the rows of a DataFrame; see :func:`sealane.spark.training.train`.

    No Python worker is started. The rows never come to the driver, but for those that unfitted
    features are fitted on and a few examples. A lost executor costs the step in progress alone.
    """
    path = Path(config.path).absolute()
    check_request(config.name, config.version, path, FORMATS, overwrite=config.overwrite)
    optimizer = _optimizer(config)
    gateway = _java(df.sparkSession, _GATEWAY)
    _java(df.sparkSession, _ENGINE)
    check_columns(df, [*_columns(trainable), config.target])
    path.parent.mkdir(parents=True, exist_ok=True)
    jdf: Any = df
    with _initial(df, trainable, config) as bundle, _replacing(path) as place:
        settings = _settings(df, trainable, config) | {"bundle": bundle, "optimizer": optimizer}
        lineage = dict(trainable.options.get("lineage", {}))
        started = time.perf_counter()
        with rank_failures(), java_errors():
            told = gateway.train(
                jdf._jdf, json.dumps(settings), str(place), config.name, config.version, lineage
            )
        seconds = time.perf_counter() - started
    return TrainedBundle.of(config, json.loads(str(told)), seconds)


def _optimizer(config: TrainConfig) -> str:
    """Java's name of the optimizer; refuses what the engine does not do."""
    refused = {
        "precision": config.precision != "single",
        "weight_decay": config.weight_decay > 0,
    }
    for name, wanted in refused.items():
        if wanted:
            raise SealaneError(
                ErrorCode.INPUT_DOMAIN,
                f"Deeplearning4j does not train with {name} = {getattr(config, name)}",
                {"setting": name},
            )
    # Without decay of weights the two are one.
    return "adam" if config.optimizer == "adamw" else config.optimizer


def _java(spark: Any, name: str) -> Any:
    """A class of the driver's JVM."""
    if is_connect(spark):
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "Spark Connect has no JVM on this side: train in a classic session "
            "(SparkSession.builder.master(…))",
        )
    found = java_class(spark, name)
    if found is None:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"Spark's JVM does not have {name}: start the session with "
            'SparkSession.builder.config(map=sealane.spark.jar_conf("dl4j")), or give spark-submit '
            "these jars (--jars)",
            {"engine": "dl4j"},
        )
    return found


def _columns(trainable: Dl4jTrainable) -> list[str]:
    given = trainable.features
    return [*trainable.inputs] if given is None else [*raw_columns(given)]


def _settings(
    df: DataFrame, trainable: Dl4jTrainable, config: TrainConfig
) -> dict[str, str | int | float | bool]:
    cpus = int(str(df.sparkSession.conf.get("spark.task.cpus", "1")))
    return {
        "target": config.target,
        "output": trainable.output or "",
        "loss": config.loss,
        "lr": config.lr,
        "ranks": config.ranks,
        "lanes": config.all_lanes,
        "batchSize": config.batch_size,
        "epochs": config.epochs,
        "seed": config.seed,
        "validation": config.validation,
        "patience": config.patience or 0,
        "shared": "" if config.shared is None else str(Path(config.shared).absolute()),
        "checkpointSteps": config.checkpoint_steps,
        "resume": config.resume,
        "localSteps": trainable.local_steps,
        "threads": config.threads or cpus,
        "progress": config.progress,
    }


@contextmanager
def _replacing(path: Path) -> Generator[Path]:
    """A place beside ``path`` for a bundle that is then verified and put there."""
    place = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        yield place
        read_bundle(place).close()
        if path.exists():
            old = place.with_name(f"{place.name}.old")
            path.rename(old)
            place.rename(path)
            shutil.rmtree(old)
        else:
            place.rename(path)
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _initial(df: DataFrame, trainable: Dl4jTrainable, config: TrainConfig) -> Generator[str]:
    """The path of the bundle that training begins with; a run that goes on has its own."""
    if trainable.bundle is not None:
        yield str(Path(trainable.bundle).absolute())
        return
    shared = None if config.shared is None else Path(config.shared).absolute()
    scratch = tempfile.TemporaryDirectory(prefix="sealane-initial-") if shared is None else None
    with scratch or nullcontext(str(shared)) as folder:
        initial = Path(folder) / "initial"
        begun = shared is not None and (shared / MANIFEST).exists()
        if begun and not config.resume:
            raise SealaneError(
                ErrorCode.BUNDLE_EXISTS,
                f"{folder} holds a run: go on with it (resume=True), or use another folder",
            )
        if not begun:
            Path(folder).mkdir(parents=True, exist_ok=True)
            shutil.rmtree(initial, ignore_errors=True)
            _make(df, trainable, config, initial)
        yield str(initial)


def _make(df: DataFrame, trainable: Dl4jTrainable, config: TrainConfig, initial: Path) -> None:
    if trainable.configuration is not None:
        _wrap(df.sparkSession, Path(trainable.configuration).absolute(), config, initial)
        return
    fitted = fit(df, trainable.features, config, _collected)
    preparation = Preparation(fitted, tuple(trainable.inputs), config.target, config.loss)
    example = _collected(df.select(*preparation.columns).limit(EXAMPLE_ROWS))
    if not example.num_rows:
        raise SealaneError(ErrorCode.INPUT_SHAPE, "there are no rows to train on")
    given = preparation.raw(example) if fitted is not None else preparation.model_inputs(example)
    fixed: dict[str, Any] = {
        "seed": config.seed,
        "features": fitted,
        "formats": FORMATS,
        "lineage": {},
    }
    export(
        _module(trainable.module, fitted, config.seed),
        given,
        name=config.name,
        path=initial,
        **{**trainable.options, **fixed},
    )


def _collected(df: DataFrame) -> Any:
    """A small DataFrame as an Arrow table, made by the JVM."""
    frame: Any = df
    batches: Any = frame._collect_as_arrow()
    if not batches:
        return pa.table({name: [] for name in df.columns})
    return pa.Table.from_batches(batches)


def _module(given: Any, fitted: FittedFeatures | None, seed: int) -> Any:
    """The model, or what the function makes with the seed set."""
    kinds = {(each.__module__.partition(".")[0], each.__name__) for each in type(given).__mro__}
    if ("torch", "Module") in kinds or keras_of(given) is not None:
        return given
    set_random_seed(seed)
    torch = sys.modules.get("torch")
    if torch is None:
        return given(fitted)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return given(fitted)


def _wrap(spark: Any, file: Path, config: TrainConfig, initial: Path) -> None:
    """A bundle of a file of Deeplearning4j's."""
    gateway = _java(spark, _GATEWAY)
    with tempfile.TemporaryDirectory(prefix="sealane-dl4j-") as scratch, java_errors():
        zipped = file
        if file.suffix == ".json":
            zipped = Path(scratch) / "model.zip"
            _drawn(spark, file.read_text(), zipped)
        gateway.wrap(str(zipped), str(initial), config.name, config.version)


def _drawn(spark: Any, text: str, zipped: Path) -> None:
    """A model's zip of a configuration alone: Deeplearning4j draws the weights."""
    deep = spark._jvm.org.deeplearning4j
    if "networkInputs" in json.loads(text):
        network = deep.nn.graph.ComputationGraph(
            deep.nn.conf.ComputationGraphConfiguration.fromJson(text)
        )
    else:
        network = deep.nn.multilayer.MultiLayerNetwork(
            deep.nn.conf.MultiLayerConfiguration.fromJson(text)
        )
    network.init()
    deep.util.ModelSerializer.writeModel(network, spark._jvm.java.io.File(str(zipped)), False)
