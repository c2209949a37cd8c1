"""Networks of every operator, with the ONNX model and the outputs that each must give."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from corpus.network_oracle import evaluate

from sealane.bundle.limits import DEFAULT_LIMITS
from sealane.bundle.network_onnx import network_to_onnx
from sealane.bundle.network_ops import FUNCTIONS, SLOPED
from sealane.bundle.network_parser import parse_network
from sealane.bundle.network_weights import check_network, write_weights
from sealane.bundle.safetensors import write_safetensors

if TYPE_CHECKING:
    from pathlib import Path

    from sealane.bundle.network import Layer, Network, Weights

SIZES = {"batch": 3, "time": 5, "length": 9, "height": 6, "width": 7}
"""The symbols' sizes in the cases."""
GRID = 2.0**-32
"""Oracles are kept to this, below a hundredth of a rounding step of float32, so that the last bits
of a processor's exponential do not show."""


class Draft:
    """A network being put together; weights are drawn as layers are added."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.inputs: list[dict[str, Any]] = []
        self.layers: list[dict[str, Any]] = []
        self.outputs: list[dict[str, str]] = []
        self.weights: Weights = {}

    def input(self, name: str, *dims: int | str, dtype: str = "FP32") -> str:
        self.inputs.append({"name": name, "dtype": dtype, "dims": ["batch", *dims]})
        return name

    def layer(
        self, name: str, op: str, *inputs: str, shapes: dict[str, tuple] | None = None, **members
    ) -> str:
        layer = {"name": name, "op": op, "inputs": list(inputs), **members}
        for role, shape in (shapes or {}).items():
            tensor = f"{name}.{role}"
            layer.setdefault("weights", {})[role] = tensor
            self.weights[tensor] = self._drawn(role, shape)
        self.layers.append(layer)
        return name

    def output(self, name: str, layer: str) -> None:
        self.outputs.append({"name": name, "layer": layer})

    def document(self) -> dict[str, Any]:
        return {
            "format": "sealane-network",
            "formatVersion": "1.0",
            "inputs": self.inputs,
            "layers": self.layers,
            "outputs": self.outputs,
        }

    def _drawn(self, role: str, shape: tuple) -> np.ndarray:
        """Multiples of 1/16 in [-1, 1]; variances from 1/2 to 5/2."""
        low, high = (8, 41) if role == "variance" else (-16, 17)
        return (self.random.integers(low, high, shape) / 16).astype(np.float32)


def _mlp() -> Draft:
    d = Draft(1)
    x = d.input("x", 4)
    d.layer("hidden", "dense", x, shapes={"weight": (8, 4), "bias": (8,)})
    d.layer("relu", "activation", "hidden", function="relu")
    d.layer("drop", "dropout", "relu", rate=0.5)
    d.layer("logits", "dense", "drop", shapes={"weight": (3, 8)})
    d.output("scores", "logits")
    return d


def _steps() -> Draft:
    d = Draft(2)
    x = d.input("x", "time", 4)
    d.layer("first", "dense", x, shapes={"weight": (5, 4), "bias": (5,)})
    d.layer("second", "dense", "first", shapes={"weight": (3, 5)})
    d.layer("turned", "transpose", "second", permutation=[0, 2, 1])
    d.layer("max", "global_max_pool", "turned")
    d.output("y", "second")
    d.output("peak", "max")
    return d


def _conv(name: str, d: Draft, x: str, shape: tuple, *, groups: int = 1, **members) -> str:
    spatial = len(shape) - 2
    given = {"strides": [1] * spatial, "dilations": [1] * spatial, "pads": [0] * 2 * spatial}
    shapes = {"weight": shape} | ({"bias": shape[:1]} if members.pop("bias", True) else {})
    return d.layer(name, "conv", x, shapes=shapes, **{**given, **members}, groups=groups)


def _norm(name: str, d: Draft, x: str, channels: int, *, unbiased: bool = True) -> str:
    roles = ("scale", "offset", "mean", "variance")
    members = {"epsilon": 1e-05, "momentum": 0.1, "unbiased": unbiased}
    return d.layer(name, "batch_norm", x, shapes=dict.fromkeys(roles, (channels,)), **members)


def _images() -> Draft:
    d = Draft(3)
    x = d.input("image", 2, "height", "width")
    _conv("conv", d, x, (4, 2, 3, 3), pads=[1, 1, 1, 1], bias=False)
    _norm("norm", d, "conv", 4)
    d.layer("act", "activation", "norm", function="relu")
    _conv("depthwise", d, "act", (4, 1, 3, 3), pads=[1, 1, 1, 1], groups=4)
    d.layer("sum", "add", "act", "depthwise")
    _conv("down", d, "sum", (6, 2, 3, 2), pads=[1, 0, 1, 1], strides=[2, 2], groups=2)
    _conv("short", d, "sum", (6, 4, 1, 1), strides=[2, 2])
    _conv("beside", d, "sum", (6, 4, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2])
    d.layer("shorter", "add", "short", "beside")
    d.layer("peaks", "max_pool", "down", kernel=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
    d.layer("all", "global_average_pool", "peaks")
    d.layer("most", "global_max_pool", "shorter")
    d.layer("both", "concat", "all", "most", axis=1)
    d.layer("scores", "dense", "both", shapes={"weight": (3, 12), "bias": (3,)})
    d.output("scores", "scores")
    return d


def _pools() -> Draft:
    d = Draft(4)
    x = d.input("image", 2, 6, 7)
    pool = {"kernel": [3, 2], "strides": [2, 1], "pads": [1, 1, 2, 0]}
    d.layer("max", "max_pool", x, **pool)
    d.layer("counted", "average_pool", x, **pool, count_padding=True)
    d.layer("uncounted", "average_pool", x, **pool, count_padding=False)
    d.layer("joined", "concat", "max", "counted", "uncounted", axis=1)
    _conv("dilated", d, x, (3, 2, 2, 3), dilations=[2, 3], pads=[1, 1, 0, 2])
    d.layer("padded", "pad", "dilated", pads=[1, 0, 0, 2], value=0.5)
    d.output("pooled", "joined")
    d.output("padded", "padded")
    return d


def _signals() -> Draft:
    d = Draft(5)
    x = d.input("signal", 3, "length")
    _conv("conv", d, x, (4, 3, 3), pads=[2, 0])
    _norm("norm", d, "conv", 4, unbiased=False)
    d.layer("sum", "multiply", "conv", "norm")
    d.layer("max", "max_pool", "sum", kernel=[2], strides=[2], pads=[0, 0])
    d.layer(
        "mean", "average_pool", "sum", kernel=[2], strides=[2], pads=[0, 0], count_padding=False
    )
    d.layer("pair", "add", "max", "mean", "max")
    _conv("wide", d, "pair", (5, 4, 1), dilations=[1])
    d.layer("padded", "pad", "wide", pads=[1, 1])
    d.layer("turned", "transpose", "padded", permutation=[0, 2, 1])
    d.output("y", "turned")
    return d


def _recurrent(op: str, seed: int) -> Draft:
    d = Draft(seed)
    gates = 4 if op == "lstm" else 3
    x = d.input("x", "time", 3)

    def add(name: str, given: str, width: int, hidden: int, **members) -> None:
        shapes = {"input_weight": (gates * hidden, width)}
        shapes["recurrent_weight"] = (gates * hidden, hidden)
        names = ("bias",) if op == "lstm" else ("input_bias", "recurrent_bias")
        shapes |= dict.fromkeys(names, (gates * hidden,))
        d.layer(name, op, given, **members, shapes=shapes)

    add("forward", x, 3, 4, sequence=True)
    add("backward", x, 3, 4, sequence=True, reverse=True)
    d.layer("both", "concat", "forward", "backward", axis=2)
    add("last", "both", 8, 2, sequence=False, reverse=False)
    add("first", "both", 8, 2, sequence=False, reverse=True)
    d.layer("end", "last_step", "both")
    for name in ("both", "last", "first", "end"):
        d.output(f"{name}_out", name)
    return d


def _embeddings() -> Draft:
    d = Draft(8)
    word, words = d.input("word", dtype="INT64"), d.input("words", "time", dtype="INT64")
    number = d.input("number")
    d.layer("one", "embedding", word, shapes={"weight": (5, 3)})
    d.layer("many", "embedding", words, shapes={"weight": (7, 2)})
    d.layer("column", "reshape", number, shape=[1])
    d.layer("scaled", "rescale", "column", scale=0.25, offset=-1)
    d.layer("row", "concat", "one", "scaled", axis=1)
    d.output("row", "row")
    d.output("steps", "many")
    return d


def _attention(name: str, d: Draft, inputs: list[str], widths: list[int], **members) -> str:
    inner, out, biased = members.pop("inner"), members.pop("out"), members.pop("biased")
    shapes: dict[str, tuple] = {}
    for part, width in zip(("query", "key", "value"), widths, strict=True):
        shapes[f"{part}_weight"] = (inner, width)
    shapes["output_weight"] = (out, inner)
    for part in biased:
        shapes[f"{part}_bias"] = shapes[f"{part}_weight"][:1]
    return d.layer(name, "attention", *inputs, **members, shapes=shapes)


def _transformer() -> Draft:
    d = Draft(9)
    x, memory = d.input("x", "time", 4), d.input("memory", 6, 3)
    every = ("query", "key", "value", "output")
    d.layer("norm", "layer_norm", x, epsilon=1e-05, shapes={"scale": (4,), "offset": (4,)})
    _attention("self", d, ["norm"] * 3, [4, 4, 4], heads=2, inner=4, out=4, biased=every)
    d.layer("sum", "add", x, "self")
    _attention(
        "cross", d, ["sum", "memory", "memory"], [4, 3, 3], heads=3, inner=6, out=4, biased=()
    )
    d.layer("sum2", "add", "sum", "cross")
    d.layer("wide", "dense", "sum2", shapes={"weight": (8, 4), "bias": (8,)})
    d.layer("gelu", "activation", "wide", function="gelu")
    d.layer("narrow", "dense", "gelu", shapes={"weight": (4, 8), "bias": (4,)})
    d.layer("result", "add", "sum2", "narrow")
    d.output("y", "result")
    del memory
    return d


def _activations() -> Draft:
    d = Draft(10)
    x = d.input("x", 6)
    d.layer("wide", "rescale", x, scale=4, offset=0.25)
    for function in FUNCTIONS:
        members = {"alpha": 0.3} if function in SLOPED else {}
        d.layer(function, "activation", "wide", function=function, **members)
    d.layer("all", "concat", *FUNCTIONS, axis=1)
    d.output("y", "all")
    return d


def _shapes() -> Draft:
    d = Draft(11)
    x = d.input("x", 2, 3, 4)
    d.layer("turned", "transpose", x, permutation=[0, 3, 1, 2])
    d.layer("flat", "reshape", "turned", shape=[24])
    d.layer("drop", "dropout", "flat", rate=0)
    d.layer("product", "multiply", "drop", "flat", "flat", "drop")
    d.layer("one", "dense", "product", shapes={"weight": (1, 24), "bias": (1,)})
    d.layer("alone", "reshape", "one", shape=[])
    d.layer("kept", "dropout", "alone", rate=0.25)
    d.output("y", "kept")
    d.output("again", "kept")
    d.output("flat/all", "drop")
    return d


GOOD: dict[str, Draft] = {
    "mlp": _mlp(),
    "steps": _steps(),
    "images": _images(),
    "pools": _pools(),
    "signals": _signals(),
    "lstm": _recurrent("lstm", 6),
    "gru": _recurrent("gru", 7),
    "embeddings": _embeddings(),
    "transformer": _transformer(),
    "activations": _activations(),
    "shapes": _shapes(),
}


def parsed(draft: Draft) -> Network:
    """The network of a draft, read as from a file."""
    return parse_network(json.dumps(draft.document()).encode(), DEFAULT_LIMITS, "network.json")


def case_inputs(network: Network, weights: Weights, seed: int) -> Weights:
    """Inputs in multiples of 1/16; indices within the table that takes them."""
    random = np.random.default_rng(seed)
    inputs: Weights = {}
    for each in network.inputs:
        shape = [SIZES[dim] if isinstance(dim, str) else dim for dim in each.dims]
        if each.dtype.value == "INT64":
            table = next(layer for layer in network.layers if each.name in layer.inputs)
            most = len(weights[table.weights["weight"]])
            inputs[each.name] = random.integers(0, most, shape)
        else:
            inputs[each.name] = (random.integers(-32, 33, shape) / 16).astype(np.float32)
    return inputs


def write_networks(target: Path) -> None:
    """Write ``good/<name>/`` for every draft."""
    for index, (name, draft) in enumerate(GOOD.items()):
        folder = target / "good" / name
        folder.mkdir(parents=True)
        network = parsed(draft)
        check_network(network, draft.weights, DEFAULT_LIMITS, name)
        document = json.dumps(draft.document(), indent=1)
        (folder / "network.json").write_text(document + "\n", encoding="utf-8")
        (folder / "weights.safetensors").write_bytes(write_weights(network, draft.weights))
        model = network_to_onnx(network, draft.weights, name)
        (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
        (folder / "case.safetensors").write_bytes(_case(network, draft.weights, 100 + index))


def _case(network: Network, weights: Weights, seed: int) -> bytes:
    inputs = case_inputs(network, weights, seed)
    tensors = {f"input:{name}": array for name, array in inputs.items()}
    oracles = {
        name: np.round(array / GRID) * GRID
        for name, array in evaluate(network, weights, inputs).items()
    }
    tensors |= {f"output:{name}": array.astype(np.float32) for name, array in oracles.items()}
    tensors |= {f"oracle:{name}": array for name, array in oracles.items()}
    return write_safetensors(tensors)


def layers_of(draft: Draft) -> dict[str, Layer]:
    """A draft's layers by name."""
    return {layer.name: layer for layer in parsed(draft).layers}
