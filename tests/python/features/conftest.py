"""One fitted program, run by NumPy, ONNX Runtime and TensorFlow."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import onnxruntime as ort
import pytest


def _run_onnx(model, raw):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    made = session.run(names, raw)
    return {name.removeprefix("features/"): array for name, array in zip(names, made, strict=True)}


def _encode(array):
    if array.dtype != object:
        return array
    return np.array([text.encode() for text in array], object).reshape(array.shape)


def run_tensorflow(fitted, raw):
    import tensorflow as tf

    module = fitted.to_tensorflow()
    specs = {
        spec.name: tf.TensorSpec(
            [None], tf.string if spec.dtype == "BYTES" else spec.dtype.numpy, spec.name
        )
        for spec in fitted.input_signature
    }
    call = tf.function(lambda raw: module(raw), input_signature=[specs])
    made = call({name: tf.constant(_encode(array)) for name, array in raw.items()})
    return {name: tensor.numpy() for name, tensor in made.items()}


def assert_same_bits(left, right, where):
    assert left.keys() == right.keys(), where
    for name, a in left.items():
        b = right[name]
        assert (a.dtype, a.shape) == (b.dtype, b.shape), (where, name)
        if a.dtype.kind != "f":
            np.testing.assert_array_equal(a, b, err_msg=f"{where} {name}")
            continue
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b), err_msg=f"{where} {name}")
        bits = [np.where(np.isnan(x), np.float32(0), x).view(np.uint32) for x in (a, b)]
        np.testing.assert_array_equal(*bits, err_msg=f"{where} {name}")


@pytest.fixture
def everywhere():
    """Runs fitted features on a table in all three, asserts equal bits, returns NumPy's."""

    def run(fitted, data, *, opsets=(20,), tensorflow=True):
        raw = fitted.raw_inputs(data)
        reference = fitted.transform(data)
        for opset in opsets:
            assert_same_bits(
                reference, _run_onnx(fitted.to_onnx(opset=opset), raw), f"onnx {opset}"
            )
        if tensorflow:
            assert_same_bits(reference, run_tensorflow(fitted, raw), "tensorflow")
        for spec in fitted.output_signature:
            assert reference[spec.name].dtype == spec.dtype.numpy
        return reference

    return run


@pytest.fixture
def run_onnx():
    """Runs an ONNX model on raw columns."""
    return _run_onnx


@pytest.fixture
def encode():
    """Strings as the UTF-8 bytes that TensorFlow takes."""
    return _encode
