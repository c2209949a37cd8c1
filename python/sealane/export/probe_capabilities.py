"""Regenerates ``capabilities.json`` by probing the ONNX Runtime that is installed.

Run ``python -m sealane.export.probe_capabilities`` after a change of the pinned version. The Java
artifact of the same version wraps the same native library, so one table serves both languages.
"""

from __future__ import annotations

import importlib
import json
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx import TensorProto, helper

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = Path(__file__).with_name("capabilities.json")
DOMAINS = ("", "ai.onnx.ml", "com.microsoft")
_OPEN_END = 2147483647


def main() -> None:
    """Write the table beside this file."""
    TABLE.write_text(probe(), encoding="utf-8")


def probe() -> str:
    """The table of the installed ONNX Runtime as JSON text."""
    table = {
        "description": "What the pinned ONNX Runtime can load on its CPU provider, the same native "
        "library in Python and in Java. kernels: domain -> operator -> [first opset, last opset or "
        "null, {type constraint: element types}]. Regenerate: python -m "
        "sealane.export.probe_capabilities",
        "version": metadata.version("onnxruntime"),
        "maxIr": _last_accepted(1, lambda ir: _loads(ir=ir, opset=17)),
        "maxOpset": _last_accepted(17, lambda opset: _loads(ir=8, opset=opset)),
        "exportIr": 10,
        "exportOpset": 20,
        "kernels": _kernels(),
    }
    return _dumps(table)


def _last_accepted(first: int, accepts: Callable[[int], bool]) -> int:
    value = first
    while not accepts(value):
        value += 1
    while accepts(value + 1):
        value += 1
    return value


def _loads(*, ir: int, opset: int) -> bool:
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "probe", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = ir
    ort: Any = importlib.import_module("onnxruntime")
    try:
        ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception:
        return False
    return True


def _kernels() -> dict[str, dict[str, list[list[Any]]]]:
    state: Any = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    found: dict[str, dict[str, list[list[Any]]]] = {domain: defaultdict(list) for domain in DOMAINS}
    for kernel in state.get_all_opkernel_def():
        if kernel.provider != "CPUExecutionProvider" or kernel.domain not in found:
            continue
        first, last = kernel.version_range
        types = {name: _elements(allowed) for name, allowed in kernel.type_constraints.items()}
        found[kernel.domain][kernel.op_name].append(
            [first, None if last >= _OPEN_END else last, dict(sorted(types.items()))]
        )
    for operators in found.values():
        for rows in operators.values():
            rows.sort(key=lambda row: (row[0], json.dumps(row)))
    return {domain: dict(sorted(found[domain].items())) for domain in DOMAINS}


def _elements(allowed: list[str]) -> list[str]:
    tensors = [t[len("tensor(") : -1] for t in allowed if t.startswith("tensor(")]
    others = [t for t in allowed if not t.startswith("tensor(")]
    return sorted(tensors + others)


def _dumps(table: dict[str, Any]) -> str:
    """One operator per line, so that a change of version reads well as a diff."""
    kernels = table["kernels"]
    head = json.dumps({k: v for k, v in table.items() if k != "kernels"}, indent=1)[:-2]
    domains: list[str] = []
    for domain, operators in kernels.items():
        rows = [f"   {json.dumps(op)}: {json.dumps(rows)}" for op, rows in operators.items()]
        domains.append(f"  {json.dumps(domain)}: {{\n" + ",\n".join(rows) + "\n  }")
    return head + ',\n "kernels": {\n' + ",\n".join(domains) + "\n }\n}\n"


if __name__ == "__main__":
    main()
