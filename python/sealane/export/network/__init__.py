"""Trained PyTorch and Keras models as networks, which the JVM can train."""

from sealane.export.network.variant import DL4J as DL4J
from sealane.export.network.variant import NetworkMade as NetworkMade
from sealane.export.network.variant import make_network as make_network

__all__ = ["DL4J", "NetworkMade", "make_network"]
