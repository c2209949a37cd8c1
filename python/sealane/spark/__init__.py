"""Bundles on Spark: DataFrames scored by the JVM's executors or by Python workers, the same way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sealane.spark.scoring import score as score
from sealane.spark.session_conf import jar_conf as jar_conf
from sealane.spark.session_conf import observed as observed

if TYPE_CHECKING:
    from sealane.spark.transformer import BundleTransformer as BundleTransformer

# Spark ML finds the Python class of a saved Java stage by the name of its Java class.
sys.modules.setdefault("io.sealane.spark", sys.modules[__name__])


def __getattr__(name: str) -> Any:
    if name == "BundleTransformer":
        from sealane.spark.transformer import BundleTransformer

        return BundleTransformer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["BundleTransformer", "jar_conf", "observed", "score"]
