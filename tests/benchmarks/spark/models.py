"""The models: exported by Sealane from PyTorch, and an ONNX file that older runtimes read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import sealane
from sealane.core import SymbolRange

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKENS = 1000
LENGTHS = (5, 60)
MLPS = {"narrow": (16, 32, 3), "wide": (128, 512, 10)}
THREADS = '{"session_options": {"intra_op_num_threads": 1, "inter_op_num_threads": 1}}'


class Encoder(nn.Module):
    """Token ids ``[batch, length]`` → 4 scores."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(TOKENS, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, activation="gelu")
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(32, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.layers(self.embed(ids)).mean(1))


def build(name: str, folder: Path) -> dict[str, str]:
    """Write a model's files into ``folder`` unless they are there.

    Returns:
        ``bundle``, ``onnx`` and, for an MLP, ``onnx14`` → path.
    """
    bundle, older = folder / name, folder / f"{name}-opset14.onnx"
    torch.manual_seed(0)
    if name in MLPS:
        model = _mlp(MLPS[name])
        _keep(bundle, model, torch.randn(16, MLPS[name][0]))
        if not older.exists():
            onnx.save(_older(MLPS[name], model), str(older))
    elif name == "cnn":
        _keep(bundle, _cnn(), torch.rand(16, 1, 28, 28))
    else:
        ids = np.random.default_rng(0).integers(0, TOKENS, (16, 12))
        symbols = {"length": SymbolRange(*LENGTHS)}
        _keep(bundle, Encoder(), ids, dynamic={"x": {0: "batch", 1: "length"}}, symbols=symbols)
    files = {"bundle": str(bundle), "onnx": str(next(bundle.rglob("*.onnx")))}
    return files | ({"onnx14": str(older)} if name in MLPS else {})


def _keep(bundle: Path, model: nn.Module, example: Any, **options: Any) -> None:
    if not (bundle / "sealane.json").exists():
        bundle.parent.mkdir(parents=True, exist_ok=True)
        sealane.export(
            model.eval(),
            (example,),
            bundle.name,
            path=bundle,
            input_names=["x"],
            output_names=["y"],
            formats=["onnx"],
            **options,
        )


def _mlp(widths: Sequence[int]) -> nn.Sequential:
    given, hidden, made = widths
    return nn.Sequential(nn.Linear(given, hidden), nn.ReLU(), nn.Linear(hidden, made))


def _cnn() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(784, 10),
    )


def _older(widths: Sequence[int], model: nn.Sequential) -> onnx.ModelProto:
    """The same weights in opset 14 and IR 7, for ONNX Runtime 1.8.

    Its session options travel in the file: SynapseML sets no threads, and ONNX Runtime reads them
    there when ``ORT_LOAD_CONFIG_FROM_MODEL`` is 1.
    """
    weights = [
        numpy_helper.from_array(value.detach().numpy(), name)
        for name, value in model.state_dict().items()
    ]
    nodes = [
        helper.make_node("Gemm", ["x", "0.weight", "0.bias"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "2.weight", "2.bias"], ["y"], transB=1),
    ]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", widths[0]])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", widths[-1]])
    graph = helper.make_graph(nodes, "mlp", [given], [made], weights)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7)
    helper.set_model_props(proto, {"ort_config": THREADS})
    onnx.checker.check_model(proto)
    return proto


if __name__ == "__main__":
    build(sys.argv[1], Path(sys.argv[2]))
