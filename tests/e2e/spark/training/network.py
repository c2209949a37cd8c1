"""A network for jobs of Deeplearning4j: made on the driver, trained in the executors' JVMs."""

from __future__ import annotations

from crossed import OPTIONS, Crossed

from sealane.spark.training import Dl4jTrainable

steady = Dl4jTrainable(
    module=lambda _: Crossed(), inputs=["x"], options={"output_names": OPTIONS["output_names"]}
)
