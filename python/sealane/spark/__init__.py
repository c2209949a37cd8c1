"""Bundles on Spark: DataFrames scored on JVMs or in Python workers, and models trained on them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sealane.spark.scoring import score as score
from sealane.spark.session_conf import jar_conf as jar_conf
from sealane.spark.session_conf import observed as observed

if TYPE_CHECKING:
    from sealane.spark.training import TorchTrainable as TorchTrainable
    from sealane.spark.training import TrainConfig as TrainConfig
    from sealane.spark.training import TrainedBundle as TrainedBundle
    from sealane.spark.training import train as train
    from sealane.spark.transformer import BundleTransformer as BundleTransformer

# Spark ML finds the Python class of a saved Java stage by the name of its Java class.
sys.modules.setdefault("io.sealane.spark", sys.modules[__name__])


_TRAINING = ("TorchTrainable", "TrainConfig", "TrainedBundle", "train")


def __getattr__(name: str) -> Any:
    if name == "BundleTransformer":
        from sealane.spark.transformer import BundleTransformer

        return BundleTransformer
    if name in _TRAINING:
        from sealane.spark import training

        return getattr(training, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "BundleTransformer",
    "TorchTrainable",
    "TrainConfig",
    "TrainedBundle",
    "jar_conf",
    "observed",
    "score",
    "train",
]
