"""Bundles on Spark: DataFrames scored on JVMs or in Python workers, and models trained on them."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from sealane.spark.scoring import score as score
from sealane.spark.session_conf import jar_conf as jar_conf
from sealane.spark.session_conf import observed as observed

if TYPE_CHECKING:
    from sealane.spark.evaluation import Evaluation as Evaluation
    from sealane.spark.evaluation import evaluate as evaluate
    from sealane.spark.training import Between as Between
    from sealane.spark.training import Dl4jTrainable as Dl4jTrainable
    from sealane.spark.training import JaxTrainable as JaxTrainable
    from sealane.spark.training import KerasTrainable as KerasTrainable
    from sealane.spark.training import Sweep as Sweep
    from sealane.spark.training import TorchTrainable as TorchTrainable
    from sealane.spark.training import TrainConfig as TrainConfig
    from sealane.spark.training import TrainedBundle as TrainedBundle
    from sealane.spark.training import Trial as Trial
    from sealane.spark.training import sweep as sweep
    from sealane.spark.training import train as train
    from sealane.spark.transformer import BundleTransformer as BundleTransformer

# Spark ML finds the Python class of a saved Java stage by the name of its Java class.
sys.modules.setdefault("io.sealane.spark", sys.modules[__name__])


_LATER = {
    "BundleTransformer": "sealane.spark.transformer",
    "Evaluation": "sealane.spark.evaluation",
    "evaluate": "sealane.spark.evaluation",
}
"""Where names are that are not in `sealane.spark.training`: imported when they are asked for."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_LATER.get(name, "sealane.spark.training"))
    return getattr(module, name)


__all__ = [
    "Between",
    "BundleTransformer",
    "Dl4jTrainable",
    "Evaluation",
    "JaxTrainable",
    "KerasTrainable",
    "Sweep",
    "TorchTrainable",
    "TrainConfig",
    "TrainedBundle",
    "Trial",
    "evaluate",
    "jar_conf",
    "observed",
    "score",
    "sweep",
    "train",
]
