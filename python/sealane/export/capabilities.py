"""What the pinned ONNX Runtime can load, as data that a probe of the runtime wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from onnx import TensorProto, defs


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The loading limits of one ONNX Runtime version on its CPU provider.

    Attributes:
        version: The runtime's version, the same in Python and in Java.
        max_ir: Highest IR version that it loads.
        max_opset: Highest opset of the default domain that it loads.
        export_ir: IR version that exports are written with; low enough for older runtimes too.
        export_opset: Highest default-domain opset that exports are written with.
        kernels: domain → operator → rows of first opset, last opset (None: open) and allowed
            element types by type constraint.
    """

    version: str
    max_ir: int
    max_opset: int
    export_ir: int
    export_opset: int
    kernels: dict[str, dict[str, list[tuple[int, int | None, dict[str, list[str]]]]]]

    def domain_known(self, domain: str) -> bool:
        """Whether operators of this domain may be used at all."""
        return domain in self.kernels

    def supports(self, domain: str, operator: str, opset: int, dtypes: dict[str, str]) -> bool:
        """Whether a kernel exists, or the operator expands into others that are checked at load.

        Args:
            domain: Operator domain; empty for the default one.
            operator: Operator name.
            opset: The model's opset for that domain.
            dtypes: Known element types by type constraint of the operator's schema, such as
                ``{"T": "float"}``.
        """
        if self._has_kernel(domain, operator, opset, dtypes):
            return True
        if "float16" in dtypes.values():
            # The runtime itself puts casts around operators without a half-precision kernel.
            wider = {c: "float" if t == "float16" else t for c, t in dtypes.items()}
            return self._has_kernel(domain, operator, opset, wider)
        return _expands(domain, operator, opset)

    def _has_kernel(self, domain: str, operator: str, opset: int, dtypes: dict[str, str]) -> bool:
        rows = self.kernels.get(domain, {}).get(operator, [])
        for first, last, allowed in rows:
            in_range = first <= opset and (last is None or _since(domain, operator, opset) <= last)
            if in_range and all(t in allowed[c] for c, t in dtypes.items() if c in allowed):
                return True
        return False


@cache
def onnxruntime_capabilities() -> Capabilities:
    """The table for the pinned version."""
    text = resources.files("sealane.export").joinpath("capabilities.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return Capabilities(
        version=table["version"],
        max_ir=table["maxIr"],
        max_opset=table["maxOpset"],
        export_ir=table["exportIr"],
        export_opset=table["exportOpset"],
        kernels=table["kernels"],
    )


def element_name(elem_type: int) -> str:
    """An ONNX element type as the kernel table writes it, such as ``float``."""
    return TensorProto.DataType.Name(elem_type).lower()


def _since(domain: str, operator: str, opset: int) -> int:
    if not defs.has(operator, opset, domain):
        return opset
    return defs.get_schema(operator, opset, domain).since_version


def _expands(domain: str, operator: str, opset: int) -> bool:
    if not defs.has(operator, opset, domain):
        return False
    schema: Any = defs.get_schema(operator, opset, domain)
    return bool(schema.has_function or schema.has_context_dependent_function)
