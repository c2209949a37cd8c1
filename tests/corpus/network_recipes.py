"""Makes the two files that a case of ``networks/hostile.json`` describes."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.safetensors import read_safetensors, write_safetensors

if TYPE_CHECKING:
    from pathlib import Path

_DTYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64}


def make_network(case: dict[str, Any], good: Path) -> tuple[bytes, bytes]:
    """``network.json`` and ``weights.safetensors`` of a case.

    Args:
        case: One of ``hostile.json``.
        good: The folder of good networks.
    """
    base = good / case["base"]
    data = (base / "network.json").read_bytes()
    if "edits" in case:
        document = json.loads(data)
        for edit in case["edits"]:
            _edit(document, **edit)
        data = json.dumps(document).encode()
    if "repeat" in case:
        data = _repeated(json.loads(data), **case["repeat"])
    if "replace" in case:
        find, text = case["replace"]["find"].encode(), case["replace"]["text"].encode()
        if find not in data:
            raise ValueError(f"{find!r} is not in the network")
        data = data.replace(find, text, 1)
    data = case["text"].encode() if "text" in case else data
    data += case.get("append", "").encode()
    data = data.ljust(case.get("pad", 0))
    return data, _weights(case, (base / "weights.safetensors").read_bytes())


def _edit(document: Any, op: str, pointer: str, value: Any = None) -> None:
    *parents, last = pointer.split("/")[1:]
    owner = document
    for part in parents:
        owner = owner[int(part)] if isinstance(owner, list) else owner[part]
    if isinstance(owner, list):
        index = len(owner) if last == "-" else int(last)
        owner[index : index + (op == "remove")] = [] if op == "remove" else [value]
    elif op == "remove":
        del owner[last]
    else:
        owner[last] = value


def _repeated(document: dict[str, Any], name: str, count: int) -> bytes:
    """The network with ``count`` copies of a layer, each on the copy before."""
    layers = document["layers"]
    place = [layer["name"] for layer in layers].index(name) + 1
    copies = []
    for index in range(count):
        layer = copy.deepcopy(layers[place - 1])
        layer["inputs"] = [copies[-1]["name"] if copies else name]
        layer["name"] = f"{name}-{index}"
        copies.append(layer)
    for layer in layers[place:]:
        layer["inputs"] = [copies[-1]["name"] if each == name else each for each in layer["inputs"]]
    layers[place:place] = copies
    return json.dumps(document).encode()


def _weights(case: dict[str, Any], data: bytes) -> bytes:
    if "weights" in case:
        tensors = read_safetensors(data, DEFAULT_LIMITS, "weights")
        for name, change in case["weights"].items():
            if change is None:
                del tensors[name]
            else:
                value = float(change["value"])
                tensors[name] = np.full(change["shape"], value, _DTYPES[change["dtype"]])
        data = write_safetensors(tensors)
    change = case.get("weightsBytes", {})
    if "hex" in change:
        data = bytes.fromhex(change["hex"])
    data = data[: len(data) - change.get("drop", 0)]
    return data + bytes.fromhex(change.get("append", ""))
