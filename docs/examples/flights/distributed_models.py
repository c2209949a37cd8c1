"""The network for training by several processes, without what differs by their number.

No batch normalisation and no dropout: two processes then train what one trains with all their rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sizes import HIDDEN, embedding_width

if TYPE_CHECKING:
    import jax
    import keras
    import torch

    from sealane.features import FittedFeatures

NAMES = ("carrier", "origin", "dest", "manufacturer")


def numbers(fitted: FittedFeatures) -> int:
    """Columns of the numeric input."""
    [numeric] = [spec for spec in fitted.output_signature if spec.name == "numeric"]
    return int(numeric.shape[1])


def torch_lateness(fitted: FittedFeatures) -> torch.nn.Module:
    """Probability ``[batch]`` of a late arrival; ``logit`` gives its log-odds."""
    from torch_model import TorchLateness

    return TorchLateness(numbers(fitted), fitted.cardinalities, plain=True)


def keras_lateness(fitted: FittedFeatures) -> keras.Model:
    """Probability ``[batch]`` of a late arrival."""
    import keras_model

    return keras_model.keras_lateness(numbers(fitted), fitted.cardinalities, plain=True)


def jax_lateness(fitted: FittedFeatures) -> object:
    """Probability ``[batch]`` of a late arrival, a Flax NNX module; ``logit`` its log-odds."""
    import jax.numpy as jnp
    from flax import nnx

    sizes = fitted.cardinalities

    class Lateness(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            widths = {name: embedding_width(sizes[name]) for name in NAMES}
            for name, width in widths.items():
                setattr(self, f"embed_{name}", nnx.Embed(sizes[name], width, rngs=rngs))
            width = numbers(fitted) + sum(widths.values())
            self.first = nnx.Linear(width, HIDDEN[0], rngs=rngs)
            self.second = nnx.Linear(HIDDEN[0], HIDDEN[1], rngs=rngs)
            self.last = nnx.Linear(HIDDEN[1], 1, rngs=rngs)

        def logit(
            self,
            numeric: jax.Array,
            carrier: jax.Array,
            origin: jax.Array,
            dest: jax.Array,
            manufacturer: jax.Array,
        ) -> jax.Array:
            indices = (carrier, origin, dest, manufacturer)
            columns = [
                getattr(self, f"embed_{name}")(each)
                for name, each in zip(NAMES, indices, strict=True)
            ]
            x = nnx.relu(self.first(jnp.concatenate([numeric, *columns], axis=1)))
            return self.last(nnx.gelu(self.second(x), approximate=False))[:, 0]

        def __call__(
            self,
            numeric: jax.Array,
            carrier: jax.Array,
            origin: jax.Array,
            dest: jax.Array,
            manufacturer: jax.Array,
        ) -> jax.Array:
            return nnx.sigmoid(self.logit(numeric, carrier, origin, dest, manufacturer))

    return Lateness(nnx.Rngs(0))
