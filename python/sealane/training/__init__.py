"""Fit loops with progress, seeds and early stopping; one file per framework.

``sealane.training.torch.fit`` and ``sealane.training.keras.fit`` take the same arguments.
"""

from sealane.training.history import Epoch as Epoch
from sealane.training.history import History as History
from sealane.training.trained import Trained as Trained

__all__ = ["Epoch", "History", "Trained"]
