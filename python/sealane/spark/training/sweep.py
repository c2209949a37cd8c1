"""A search over settings: trials run side by side as Spark tasks, and the worse ones are pruned.

Successive halving (Jamieson and Talwalkar, 2016): all trials train for a few epochs, the best part
of them goes on for as many times more, and so on until the last train for all epochs.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pyspark import TaskContext
from pyspark.sql import functions as f

from sealane.core import ErrorCode, SealaneError
from sealane.spark.job_failures import rank_failures
from sealane.spark.training.gang import RESULT, GangTask, Place
from sealane.spark.training.laying import lay_down
from sealane.spark.training.run_folder import checkpoints_folder
from sealane.spark.training.space import Between, choices, epochs_of_rounds, unusable
from sealane.spark.training.trained_model import check_export, into_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pyspark.sql import DataFrame

    from sealane.spark.training.laying import Laid
    from sealane.spark.training.trainable import Prepared, Trainable
    from sealane.spark.training.trained_bundle import TrainedBundle
    from sealane.training.distributed.config import TrainConfig

Metric = Literal["validationLoss", "validationAuc"]

SETTINGS = ("lr", "weight_decay", "optimizer", "batch_size", "seed")
"""Names of a space that change the run; others are given to the function that makes the model."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One choice of settings, and how it did.

    Attributes:
        number: From 0.
        parameters: By name.
        epochs: Per epoch ``loss``, ``validationLoss``, ``validationAuc`` and ``seconds``.
        score: The metric after its best epoch, that of the least loss; None when it failed.
        pruned: Whether others went on and it did not.
        error: Why it failed, such as a loss that is not finite.
    """

    number: int
    parameters: Mapping[str, Any]
    epochs: tuple[Mapping[str, Any], ...] = ()
    score: float | None = None
    pruned: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a search found.

    Attributes:
        best: The best trial's model.
        trial: The best trial.
        trials: All of them, in their order.
    """

    best: TrainedBundle
    trial: Trial
    trials: tuple[Trial, ...]


def sweep(
    df: DataFrame,
    make: Callable[[Mapping[str, Any]], Trainable],
    config: TrainConfig,
    space: Mapping[str, Sequence[Any] | Between],
    *,
    trials: int = 16,
    keep: float = 1 / 3,
    first_epochs: int = 1,
    metric: Metric = "validationLoss",
) -> Sweep:
    """Tries settings on the same rows, each trial one rank in a Spark task, and keeps the best.

    A trial that Spark starts again goes on from its last checkpoint, and so does one that goes on
    into the next round.

    Args:
        df: The rows; a batch DataFrame of a classic session.
        make: Makes a trainable of a trial's parameters; its features and inputs are the same for
            all. Called on the driver.
        config: The run; ``ranks`` is 1, ``shared`` a folder that all executors reach, and
            ``epochs`` what the last trials train for.
        space: By name what to choose from: values, or numbers `Between` two. `SETTINGS` change the
            run. Where all are values and there are not more choices than trials, all are tried.
        trials: How many.
        keep: Which part of the trials goes on after each round.
        first_epochs: Epochs of the first round.
        metric: What the trials are judged by.

    Raises:
        SealaneError: As `train`; INPUT_DOMAIN for a search that can not be done; ENGINE_RUN_FAILED
            when every trial failed.
        JobFailed: Spark failed.
    """
    _check(config, trials, keep, first_epochs, metric)
    if "loss" in space:
        raise unusable("losses of two kinds can not be compared: the loss is the run's")
    chosen = choices(space, trials, config.seed)
    configs = [replace(config, patience=None, **_of_run(each)) for each in chosen]
    makers = [make(each) for each in chosen]
    for each in makers:
        check_export(each, config)
    started = time.perf_counter()
    laid = lay_down(df, makers[0], config)
    prepared = [
        each.prepare(laid.preparation.features, laid.names, its)
        for each, its in zip(makers, configs, strict=True)
    ]
    known = [Trial(number, each) for number, each in enumerate(chosen)]
    rounds = _Rounds(df, laid, makers, prepared, configs, known)
    reports: dict[int, dict[str, Any]] = {}
    going = list(range(len(chosen)))
    for epochs in epochs_of_rounds(config.epochs, first_epochs, keep):
        for number, told in rounds.run(going, epochs).items():
            known[number] = _judged(known[number], told, metric)
            reports[number] = told
        going = _kept(known, going, keep if epochs < config.epochs else 1.0, metric)
        for number in set(range(len(known))) - set(going):
            known[number] = replace(known[number], pruned=known[number].error is None)
    winner = known[going[0]]
    model = prepared[winner.number].finish(rounds.weights(winner.number).read_bytes())
    lineage = {"trial": dict(winner.parameters), "trials": len(known)}
    best = into_bundle(
        makers[winner.number],
        model,
        laid,
        configs[winner.number],
        reports[winner.number],
        time.perf_counter() - started,
        lineage,
    )
    return Sweep(best, winner, tuple(known))


def _check(config: TrainConfig, trials: int, keep: float, first: int, metric: str) -> None:
    for problem, wrong in {
        "a trial is one rank: ranks=1": config.ranks != 1,
        "trials keep rows and checkpoints in a shared folder: shared=…": config.shared is None,
        "trials are judged by held-out rows: validation=…": config.validation == 0,
        "a search needs trials": trials < 1,
        "keep is a part of the trials, above 0 and below 1": not 0 < keep < 1,
        "a round needs an epoch": not 1 <= first <= config.epochs,
        "there is an AUC of binary targets only": metric == "validationAuc"
        and config.loss != "binary",
    }.items():
        if wrong:
            raise unusable(problem)


def _of_run(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name in SETTINGS}


def _judged(trial: Trial, told: Mapping[str, Any], metric: Metric) -> Trial:
    if "code" in told:
        return replace(trial, error=f"{told['code']}: {told['message']}", score=None)
    score = told["epochs"][told["best"]][metric]
    error = None if score is not None else f"there is no {metric} of the held-out rows"
    return replace(trial, epochs=tuple(told["epochs"]), score=score, error=error)


def _kept(known: list[Trial], going: list[int], keep: float, metric: Metric) -> list[int]:
    """Those that go on, the best first."""
    sign = 1 if metric == "validationLoss" else -1
    good = [number for number in going if known[number].score is not None]
    if not good:
        raise SealaneError(
            ErrorCode.ENGINE_RUN_FAILED, f"every trial failed; the first: {known[going[0]].error}"
        )
    scores = {number: sign * (known[number].score or 0.0) for number in good}
    return sorted(good, key=lambda number: (scores[number], number))[: math.ceil(len(going) * keep)]


class _Rounds:
    """Trials as tasks of Spark jobs."""

    def __init__(
        self,
        df: DataFrame,
        laid: Laid,
        makers: list[Trainable],
        prepared: list[Prepared],
        configs: list[TrainConfig],
        trials: list[Trial],
    ) -> None:
        self._spark = df.sparkSession
        self._laid = laid
        self._trials = list(trials)
        self._frameworks = [each.framework for each in makers]
        self._prepared = prepared
        self._configs = configs

    def run(self, numbers: list[int], epochs: int) -> dict[int, dict[str, Any]]:
        """What each of these trials tells after so many epochs in all, or why it failed."""
        task: Any = _TrialTask({number: self._task(number, epochs) for number in numbers})
        source: Any = self._spark.range(0, len(numbers), 1, len(numbers))
        chosen = f.element_at(f.array(*map(f.lit, numbers)), f.col("id").cast("int") + 1)
        with rank_failures():
            rows = source.select(chosen.alias("trial")).mapInArrow(task, RESULT).collect()
        return {row["rank"]: json.loads(row.payload) for row in rows}

    def weights(self, number: int) -> Path:
        """Where a trial's weights are."""
        return self._folder(number) / "weights"

    def _folder(self, number: int) -> Path:
        shared = self._configs[number].shared
        assert shared is not None
        # Another search in this folder finds its own trials again, and not those of others.
        told = json.dumps(dict(self._trials[number].parameters), sort_keys=True, default=repr)
        name = f"{number}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
        folder = Path(shared) / "trials" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _task(self, number: int, epochs: int) -> GangTask:
        return GangTask(
            self._frameworks[number],
            self._prepared[number].payload,
            replace(self._configs[number], epochs=epochs),
            self._laid.preparation,
            self._laid.lanes,
            checkpoints_folder(self._folder(number)),
            weights=self.weights(number),
        )


@dataclass(frozen=True, slots=True)
class _TrialTask:
    """Runs the trials whose numbers it is given, one after the other. Picklable."""

    tasks: Mapping[int, GangTask]

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        context = TaskContext.get()
        assert context is not None
        place = Place(context, 0, "127.0.0.1", lambda mine: [mine])
        for batch in batches:
            for number in batch.column("trial").to_pylist():
                yield from self.tasks[number].trained(place, iter(()), number)
