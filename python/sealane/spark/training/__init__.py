"""Training on Spark: every framework by the same call, with the same settings, into a bundle."""

from sealane.spark.training.torch_trainable import TorchTrainable as TorchTrainable
from sealane.spark.training.training import TrainedBundle as TrainedBundle
from sealane.spark.training.training import train as train
from sealane.training.distributed.config import TrainConfig as TrainConfig

__all__ = ["TorchTrainable", "TrainConfig", "TrainedBundle", "train"]
