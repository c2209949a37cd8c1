"""Losses and optimizers in JAX, by the names that every framework has for them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sealane.training.run import one_per_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from sealane.training.distributed.config import TrainConfig

jnp: Any = importlib.import_module("jax.numpy")
optax: Any = importlib.import_module("optax")


def judge(loss: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    """The mean loss of a batch and what was judged, of outputs and targets ``[rows, …]``.

    Args:
        loss: A name, or a function of outputs and targets that gives the mean loss.
    """
    function = loss if callable(loss) else _NAMED[loss]

    def judged(outputs: Any, targets: Any) -> tuple[Any, Any]:
        outputs = one_per_target(outputs, targets)
        return function(outputs, targets), outputs

    return judged


def optimizer(config: TrainConfig) -> Any:
    """The update rule. The weight decay of SGD and Adam is added to the gradient."""
    if config.optimizer == "adamw":
        return optax.adamw(config.lr, weight_decay=config.weight_decay)
    rule = optax.sgd(config.lr) if config.optimizer == "sgd" else optax.adam(config.lr)
    return optax.chain(optax.add_decayed_weights(config.weight_decay), rule)


def _binary(outputs: Any, targets: Any) -> Any:
    return optax.sigmoid_binary_cross_entropy(outputs, targets.astype(outputs.dtype)).mean()


def _squared(outputs: Any, targets: Any) -> Any:
    return jnp.square(outputs - targets.astype(outputs.dtype)).mean()


def _categories(outputs: Any, targets: Any) -> Any:
    labels = targets.astype(jnp.int32)
    return optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()


_NAMED = {"binary": _binary, "squared": _squared, "categories": _categories}
