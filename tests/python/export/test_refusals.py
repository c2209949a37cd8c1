"""Models that can not be exported: a coded error that names the layer, and nothing left behind."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest
import torch
from python.export.zoo import rows
from torch import nn

import sealane
from sealane.core import Domain, ErrorCode, SealaneError
from sealane.export import export


class DataDependent(nn.Module):
    def forward(self, x):
        return x * 2 if x.sum() > 0 else x - 1


class ComplexInside(nn.Module):
    def forward(self, x):
        return torch.fft.fft(x).abs()


class ComplexOut(nn.Module):
    def forward(self, x):
        return torch.complex(x, x)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x):
        self.calls += 1
        return x + 1


class Drifting(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x + self.calls


class Noisy(nn.Module):
    def forward(self, x):
        return x + torch.randn_like(x)


class Custom(nn.Module):
    def forward(self, x):
        return torch.ops.sealane_test.mystery(x)


@pytest.fixture(scope="module", autouse=True)
def custom_operator():
    library = torch.library.Library("sealane_test", "DEF")
    library.define("mystery(Tensor x) -> Tensor")
    library.impl("mystery", lambda x: x * 2, "CPU")
    library.impl("mystery", lambda x: x.clone(), "Meta")
    yield
    library._destroy()


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        (DataDependent, ["'1'", "control flow"]),
        (ComplexInside, ["'1'", "complex"]),
        (ComplexOut, ["complex"]),
        (Counting, ["1.calls", "state"]),
        (Drifting, ["differs between two calls"]),
        (Noisy, ["differs between two calls"]),
        (Custom, ["'1'", "sealane_test.mystery"]),
    ],
)
def test_torch_layer_is_named(layer, names, tmp_path):
    model = nn.Sequential(nn.Linear(4, 4), layer())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    error = refused(model, (rows(3, 4),), tmp_path)
    assert error.code is ErrorCode.EXPORT_UNSUPPORTED
    for name in names:
        assert name in error.message
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


class KerasDataDependent(keras.layers.Layer):
    def call(self, x):
        return x * 2 if keras.ops.sum(x) > 0 else x - 1


def test_keras_layer_is_named(tmp_path):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.branch = KerasDataDependent(name="branch")

        def call(self, x):
            return self.branch(x)

    model = Model()
    model(rows(2, 4))
    error = refused(model, (rows(3, 4),), tmp_path)
    assert error.code is ErrorCode.EXPORT_UNSUPPORTED
    assert "'branch'" in error.message
    assert "control flow" in error.message


def test_keras_model_without_weights_is_refused(tmp_path):
    error = refused(keras.Sequential([keras.layers.Dense(2)]), (rows(3, 4),), tmp_path)
    assert error.code is ErrorCode.EXPORT_UNSUPPORTED
    assert "call it once" in error.message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ("tflite",)}, "formats"),
        ({"input_names": ["a", "b"]}, "input names"),
        ({"output_names": ["a", "b"]}, "output_names"),
        ({"dynamic": {"nope": {0: "batch"}}}, "nope"),
        ({"dynamic": {"input": {5: "batch"}}}, "axis"),
        ({"domains": {"nope": Domain()}}, "nope"),
        ({"tolerance": {"rtol": 1e-3, "atol": 0.0, "reason": " "}}, "reason"),
    ],
)
def test_bad_request_is_refused(options, message, tmp_path):
    error = refused(nn.Linear(4, 2), (rows(3, 4),), tmp_path, **options)
    assert error.code is ErrorCode.EXPORT_UNSUPPORTED
    assert message in error.message


def test_constant_model_proves_nothing(tmp_path):
    model = nn.Linear(4, 2)
    with torch.no_grad():
        model.weight.zero_()
    error = refused(model, (rows(3, 4),), tmp_path)
    assert error.code is ErrorCode.EXPORT_FAILED
    assert "prove nothing" in error.message


def test_dim_fixed_by_the_model_is_refused(tmp_path):
    class Fixed(nn.Module):
        def forward(self, x):
            return x.reshape(3, -1).sum(1)

    error = refused(Fixed(), (rows(3, 4),), tmp_path)
    assert error.code in (ErrorCode.EXPORT_UNSUPPORTED, ErrorCode.EXPORT_FAILED)


def test_complex_input_is_refused(tmp_path):
    error = refused(nn.Linear(4, 2), (np.ones((2, 4), np.complex64),), tmp_path)
    assert error.code is ErrorCode.EXPORT_UNSUPPORTED
    assert "complex64" in error.message


def test_foreign_object_is_refused(tmp_path):
    error = refused(object(), (rows(3, 4),), tmp_path)
    assert error.code is ErrorCode.EXPORT_UNSUPPORTED


def test_layer_of_an_operator_without_onnx_form_is_named(tmp_path):
    model = nn.Sequential(nn.Conv1d(3, 8, 3), nn.AdaptiveMaxPool1d(2))
    error = refused(model, (rows(3, 3, 9),), tmp_path)
    assert error.code is ErrorCode.EXPORT_UNSUPPORTED
    assert "layer '1'" in error.message
    assert "adaptive_max_pool" in error.message


def test_torch_script_is_refused(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torch.jit.trace(nn.Linear(4, 2), torch.zeros(2, 4))
    error = refused(model, (rows(3, 4),), tmp_path)
    assert error.code is ErrorCode.EXPORT_UNSUPPORTED
    assert "TorchScript" in error.message


def test_unknown_runtime_is_refused_before_anything_is_converted(tmp_path):
    with pytest.raises(SealaneError, match="'tpu' is unknown") as caught:
        sealane.export(object(), (), "m", path=tmp_path / "m", runtimes=["onnx", "tpu"])
    assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE


def test_existing_path_is_refused(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(SealaneError) as caught:
        export(nn.Linear(4, 2), (rows(3, 4),), name="m", path=tmp_path / "there")
    assert caught.value.code is ErrorCode.BUNDLE_EXISTS


def refused(model, examples, tmp_path, **options):
    with pytest.raises(SealaneError) as caught:
        export(model, examples, name="m", path=tmp_path / "m", **options)
    assert list(tmp_path.iterdir()) == []
    return caught.value
