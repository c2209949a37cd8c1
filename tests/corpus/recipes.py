"""The recipe of a bundle that is made from a good one, and the steps it may take."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

Step = dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """One case of ``bundles/hostile`` or ``bundles/accepted``; the grammar is in the README."""

    name: str
    why: str
    base: str
    steps: list[Step]
    code: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        document: dict[str, Any] = {"why": self.why, "base": self.base, "steps": self.steps}
        if self.code is not None:
            document["code"] = self.code
        document |= self.options
        text = json.dumps(document, indent=1, ensure_ascii=True)
        (folder / f"{self.name}.json").write_text(text + "\n", encoding="ascii")


def write_text(path: str, text: str) -> Step:
    return {"do": "write", "path": path, "text": text}


def write_hex(path: str, text: str) -> Step:
    return {"do": "write", "path": path, "hex": text.replace(" ", "")}


def write_bytes(path: str, data: bytes) -> Step:
    return {"do": "write", "path": path, "base64": base64.b64encode(data).decode("ascii")}


def write_model(model: onnx.ModelProto, path: str = "1/model.onnx") -> Step:
    return write_bytes(path, model.SerializeToString(deterministic=True))


def replace(find: str, text: str, times: int = 1, path: str = "sealane.json") -> Step:
    step: Step = {"do": "replace", "path": path, "find": find, "text": text}
    return step | ({"times": times} if times != 1 else {})


def manifest(op: str, pointer: str, value: Any = None) -> Step:
    step: Step = {"do": "manifest", "op": op, "pointer": pointer}
    return step if op == "remove" else step | {"value": value}


def listed(path: str, **members: Any) -> Step:
    return {"do": "list", "path": path, **members}


RELIST: Step = {"do": "relist"}

_NOTE_BYTES = 3 << 20


def large_files(model_bytes: int) -> list[Step]:
    """Steps that make three files of a bundle large and leave it right.

    Args:
        model_bytes: Size of the model file, which gets a ``doc_string`` of 3 MiB of U+0000.
    """
    return [
        {"do": "append", "path": "1/model.onnx", "hex": "328080c001"},
        {"do": "truncate", "path": "1/model.onnx", "size": model_bytes + 5 + _NOTE_BYTES},
        {"do": "sparse", "path": "evidence/first.log", "size": (2 << 20) + 1},
        {"do": "sparse", "path": "evidence/second.log", "size": 1 << 20},
        RELIST,
    ]
