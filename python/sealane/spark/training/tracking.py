"""Metrics of a run told to MLflow while it runs, when it is asked for."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sealane.bundle import read_bundle
from sealane.core.frameworks import load_module

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from sealane.spark.training.trained_bundle import TrainedBundle
    from sealane.training.distributed.config import TrainConfig

METRICS = ("loss", "validationLoss", "validationAuc", "seconds", "samplesPerSecond")
"""What an epoch may have."""

_UNTOLD = ("path", "shared", "progress", "overwrite", "resume", "mlflow")


class Tracked:
    """A run of MLflow's, or none. Used by any thread.

    Args:
        mlflow: MLflow's client; None when nothing is to be told.
        run: The run's id.
    """

    def __init__(self, mlflow: Any = None, run: str = "") -> None:
        self._client = mlflow
        self._run = run
        self._lock = threading.Lock()
        self._told = 0

    @property
    def wants_epochs(self) -> bool:
        """Whether anyone asks."""
        return self._client is not None

    def hear(self, message: Mapping[str, Any]) -> None:
        """One message of one rank: rank 0 tells each epoch."""
        if message["rank"] == 0 and "epoch" in message:
            self._tell(int(message["epoch"]), message)

    def end(self, made: TrainedBundle) -> None:
        """What became of it, with the epochs that no message told of."""
        if self._client is None:
            return
        for number, each in enumerate(made.epochs, 1):
            self._tell(number, each)
        with read_bundle(made.path) as bundle:
            tags = {
                "sealane.contentId": bundle.manifest.content_id,
                "sealane.dataFingerprint": made.fingerprint,
                "sealane.bestEpoch": str(made.best + 1),
            }
        for name, value in tags.items():
            self._client.set_tag(self._run, name, value)

    def _tell(self, epoch: int, told: Mapping[str, Any]) -> None:
        with self._lock:
            if epoch <= self._told:
                return
            self._told = epoch
        for name in METRICS:
            if told.get(name) is not None:
                self._client.log_metric(self._run, name, float(told[name]), step=epoch)


@contextmanager
def tracking(config: TrainConfig) -> Generator[Tracked]:
    """A run in the experiment that ``config.mlflow`` names, ended with the block.

    It is on the server that MLflow's own settings name (``MLFLOW_TRACKING_URI``).

    Raises:
        SealaneError: ENGINE_UNAVAILABLE without MLflow.
    """
    if config.mlflow is None:
        yield Tracked()
        return
    client = load_module("mlflow", "mlflow").MlflowClient()
    found = client.get_experiment_by_name(config.mlflow)
    experiment = found.experiment_id if found else client.create_experiment(config.mlflow)
    run = client.create_run(experiment, run_name=f"{config.name} {config.version}").info.run_id
    for name, value in asdict(config).items():
        if name not in _UNTOLD:
            client.log_param(run, name, value)
    try:
        yield Tracked(client, run)
    except BaseException:
        client.set_terminated(run, "FAILED")
        raise
    client.set_terminated(run, "FINISHED")
