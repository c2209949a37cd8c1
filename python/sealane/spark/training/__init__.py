"""Training on Spark: every framework by the same call, with the same settings, into a bundle."""

from sealane.spark.training.dl4j_trainable import Dl4jTrainable as Dl4jTrainable
from sealane.spark.training.jax_trainable import JaxTrainable as JaxTrainable
from sealane.spark.training.keras_trainable import KerasTrainable as KerasTrainable
from sealane.spark.training.space import Between as Between
from sealane.spark.training.sweep import Sweep as Sweep
from sealane.spark.training.sweep import Trial as Trial
from sealane.spark.training.sweep import sweep as sweep
from sealane.spark.training.torch_trainable import TorchTrainable as TorchTrainable
from sealane.spark.training.trained_bundle import TrainedBundle as TrainedBundle
from sealane.spark.training.training import train as train
from sealane.training.distributed.config import TrainConfig as TrainConfig

__all__ = [
    "Between",
    "Dl4jTrainable",
    "JaxTrainable",
    "KerasTrainable",
    "Sweep",
    "TorchTrainable",
    "TrainConfig",
    "TrainedBundle",
    "Trial",
    "sweep",
    "train",
]
