"""Trained PyTorch and Keras models as networks, which the JVM can train."""

from sealane.export.network.trace import TrainingTrace as TrainingTrace

__all__ = ["TrainingTrace"]
