"""A trained model as a verified bundle, with the lineage of its training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealane.core import ErrorCode, SealaneError
from sealane.export.exporting import check_request, export
from sealane.spark.training.trained_bundle import TrainedBundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sealane.spark.training.laying import Laid
    from sealane.spark.training.trainable import Trainable
    from sealane.training.distributed.config import TrainConfig

FIXED = ("name", "path", "version", "overwrite", "seed", "features")
"""Arguments of `export` that a run says itself."""


def check_export(trainable: Trainable, config: TrainConfig) -> None:
    """Refuses what could not be exported in the end; makes the folder above the bundle.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED, BUNDLE_EXISTS; INPUT_DOMAIN for options that a run says
            itself.
    """
    said = sorted(set(trainable.options) & set(FIXED))
    if said:
        raise SealaneError(
            ErrorCode.INPUT_DOMAIN,
            f"the trainable's options have {', '.join(said)}, which the run says (TrainConfig)",
            {"setting": said[0]},
        )
    formats = trainable.options.get("formats", ("onnx", "savedmodel"))
    path = Path(config.path)
    check_request(config.name, config.version, path, formats, overwrite=config.overwrite)
    path.absolute().parent.mkdir(parents=True, exist_ok=True)


def into_bundle(
    trainable: Trainable,
    model: object,
    laid: Laid,
    config: TrainConfig,
    report: Mapping[str, Any],
    seconds: float,
    lineage: Mapping[str, object] | None = None,
) -> TrainedBundle:
    """Exports a model.

    Args:
        trainable: What it is of.
        model: With its trained weights.
        laid: Rows it was trained on, and examples.
        config: The run.
        report: Of rank 0.
        seconds: That training took.
        lineage: More of it.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED, EXPORT_FAILED, BUNDLE_EXISTS.
    """
    given = dict(trainable.options)
    told = _lineage(config, report) | dict(lineage or {}) | dict(given.pop("lineage", {}))
    export(
        model,
        laid.examples,
        name=config.name,
        path=config.path,
        version=config.version,
        overwrite=config.overwrite,
        seed=config.seed,
        features=laid.preparation.features,
        lineage=told,
        **given,
    )
    return TrainedBundle.of(config, report, seconds)


def _lineage(config: TrainConfig, report: Mapping[str, Any]) -> dict[str, object]:
    return {
        "rows": report["train"],
        "heldOutRows": report["validation"],
        "dataFingerprint": report["fingerprint"],
        "ranks": config.ranks,
        "lanes": config.all_lanes,
        "rowsPerStep": config.rows_per_step,
        "optimizer": config.optimizer,
        "lr": config.lr,
        "loss": config.loss,
        "epochs": report["epochs"],
        "bestEpoch": report["best"] + 1,
    }
