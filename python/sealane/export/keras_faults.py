"""What a failed call of a Keras model is told as: a coded error that names the layer."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sealane.export.errors import failed, unsupported

if TYPE_CHECKING:
    from sealane.core import SealaneError


def explain(error: BaseException, model: Any, stage: str, branching: str) -> SealaneError:
    """A coded error that names the Keras layer in which a call failed.

    Args:
        error: Why.
        model: The model.
        stage: What was being done.
        branching: What control flow can be written with.
    """
    layers = {id(layer): layer.name for layer in model._flatten_layers()}
    name: str | None = None
    current: BaseException | None = error
    while current is not None and name is None:
        traceback = current.__traceback__
        while traceback is not None:
            owner = traceback.tb_frame.f_locals.get("self")
            name = layers.get(id(owner), name)
            traceback = traceback.tb_next
        current = current.__cause__ or current.__context__
    text = f"{type(error).__name__}: {' '.join(_without_frames(str(error)))[:500]}"
    where = f"layer {name!r}: " if name else ""
    symbolic = type(error).__name__ == "OperatorNotAllowedInGraphError" or "symbolic" in text
    if symbolic:
        return unsupported(
            f"{where}its Python control flow depends on the values of a tensor, which a graph can "
            f"not hold; write it with {branching} ({text})",
            layer=name,
            stage=stage,
        )
    return failed(f"{where}{stage} failed: {text}", layer=name, stage=stage)


def _without_frames(message: str) -> list[str]:
    """A message's lines, without the lines of code that AutoGraph puts into it."""
    lines = ["", *(line.strip() for line in message.splitlines() if line.strip())]
    return [
        line
        for before, line in pairwise(lines)
        if not before.startswith('File "') and not line.startswith('File "')
    ]
