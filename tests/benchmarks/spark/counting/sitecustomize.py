"""Python imports this at its start: every session of ONNX Runtime leaves one byte in a file."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from pathlib import Path
from typing import Any

MODULE = "onnxruntime.capi.onnxruntime_inference_collection"


class _Loader(importlib.abc.Loader):
    def __init__(self, real: Any) -> None:
        self._real = real

    def create_module(self, spec: Any) -> Any:
        return self._real.create_module(spec)

    def exec_module(self, module: Any) -> None:
        self._real.exec_module(module)
        opened = module.InferenceSession.__init__

        def counted(session: Any, *args: Any, **options: Any) -> None:
            opened(session, *args, **options)
            with Path(os.environ["SESSIONS_TALLY"]).open("ab") as tally:
                tally.write(b"p")

        module.InferenceSession.__init__ = counted


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name == MODULE else None
        if spec is not None:
            spec.loader = _Loader(spec.loader)
        return spec


if "SESSIONS_TALLY" in os.environ:
    sys.meta_path.insert(0, _Finder())
