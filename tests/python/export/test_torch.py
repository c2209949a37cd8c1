"""PyTorch models from a module to a bundle that reads back."""

import numpy as np
import torch
from torch import nn

from sealane.bundle import Verdict, read_bundle
from sealane.export import export


def test_mlp_becomes_a_verified_bundle(tmp_path):
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 8), nn.Hardswish(), nn.BatchNorm1d(8), nn.Linear(8, 2))
    model.train()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    path = export(
        model, (np.random.default_rng(0).normal(size=(5, 4)),), name="mlp", path=tmp_path / "mlp"
    )
    with read_bundle(path) as bundle:
        assert str(bundle.signature) == "(input: FP32[batch, 4]) -> (output: FP32[batch, 2])"
        assert bundle.variant("onnx").verdict is Verdict.WITHIN_ORACLE
    assert model.training
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
