"""What went wrong in JAX or its converter, as a coded error that says where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sealane.export.errors import failed, unsupported
from sealane.export.jax_parts import bases

if TYPE_CHECKING:
    from sealane.core import SealaneError

CALLING = "calling the model"
CONVERTING = "jax2onnx"


def explain(error: Exception, jax: Any, stage: str) -> SealaneError:
    """An error that names the primitive that can not be converted, or the module that failed.

    Args:
        error: What was raised.
        jax: The module.
        stage: `CALLING` or `CONVERTING`.
    """
    layer = _layer(error)
    where = f"in a {layer}: " if layer else ""
    text = _shorten(f"{type(error).__name__}: {error}")
    primitive = re.search(r"primitive '([^']+)'", str(error))
    if primitive is not None and isinstance(error, NotImplementedError):
        return unsupported(
            f"the primitive {primitive[1]!r} has no ONNX form ({stage}); express it with other "
            "operations",
            primitive=primitive[1],
            stage=stage,
        )
    errors = jax.errors
    if isinstance(error, errors.ConcretizationTypeError | errors.TracerArrayConversionError):
        return unsupported(
            f"{where}its Python control flow depends on the values of an array, which a graph "
            f"can not hold; write it with jnp.where or jax.lax.cond ({text})",
            layer=layer,
            stage=stage,
        )
    patched = re.search(r"patched_(\w+)\(\) takes \d+ positional", str(error))
    if patched is not None and stage == CONVERTING:
        return unsupported(
            f"{where}jax2onnx takes the settings of {patched[1]} by keyword only; name them there",
            layer=layer,
            stage=stage,
        )
    expected = (NotImplementedError, errors.InconclusiveDimensionOperation)
    refused = stage == CALLING or isinstance(error, expected)
    return (unsupported if refused else failed)(
        f"{where}{stage} failed: {text}", layer=layer, stage=stage
    )


def _layer(error: BaseException) -> str | None:
    """The class of the innermost Flax module whose code was running, and its name if it has one."""
    found: str | None = None
    traceback = error.__traceback__
    while traceback is not None:
        owner = traceback.tb_frame.f_locals.get("self")
        if owner is not None and re.search(r"flax\.(nnx|linen)", bases(owner)):
            name = getattr(owner, "name", None)
            found = type(owner).__name__ + (f" {name!r}" if isinstance(name, str) else "")
        traceback = traceback.tb_next
    return found


def _shorten(text: str) -> str:
    """The first lines, without source paths."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"(/[\w.@+-]+){2,}", "…", " ".join(lines[:4]))[:600]
