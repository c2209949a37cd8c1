"""Loading the optional frameworks, PyTorch and TensorFlow side by side in one process included."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import Any

from sealane.core.errors import ErrorCode, SealaneError

_TRITON = "triton._C.libtriton"


def load_module(name: str, extra: str) -> Any:
    """The module of an optional extra.

    TensorFlow and Triton (which PyTorch imports on the way to ``torch.optim`` and ``torch.onnx``)
    each carry an LLVM. Triton loaded after TensorFlow ends the process with ``LLVM ERROR:
    inconsistency in registered CommandLine options``; the other order is fine. So Triton comes
    before TensorFlow, and when TensorFlow is here first, PyTorch is told that there is no Triton.

    Args:
        name: Dotted module name.
        extra: The extra of the ``sealane`` distribution that brings it.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE when it can not be imported.
    """
    try:
        _keep_triton_first(name.partition(".")[0])
        return importlib.import_module(name)
    except ImportError as error:
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"{name} can not be imported ({error}). "
            f"Install it with: pip install 'sealane[{extra}]'",
            {"module": name, "extra": extra},
        ) from error


def _keep_triton_first(framework: str) -> None:
    if _TRITON in sys.modules:
        return
    if "tensorflow" in sys.modules:
        sys.modules.setdefault("triton", None)  # pyright: ignore[reportArgumentType]
    elif framework in ("tensorflow", "keras", "tf_keras"):
        # Where Triton is missing or can not be loaded, PyTorch can not load it later either.
        with contextlib.suppress(ImportError):
            importlib.import_module(_TRITON)
