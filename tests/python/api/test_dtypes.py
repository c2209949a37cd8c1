"""Every dtype of the format, in and out, on every engine."""

from __future__ import annotations

import numpy as np
import pytest
from corpus.run import GOOD

import sealane
from sealane.bundle import read_bundle
from sealane.core import DType
from sealane.runtime.session import EngineSession
from sealane.runtime.tensorflow import TensorflowEngine


@pytest.fixture(scope="module")
def case():
    """Extremes of each dtype, and the signature of the bundle that passes them through."""
    with read_bundle(GOOD / "dtypes") as bundle:
        assert {spec.dtype for spec in bundle.signature.inputs} == set(DType)
        return bundle.signature, bundle.golden[0]


@pytest.mark.parametrize("engine", ["onnx", "jvm", "tensorflow"])
def test_extremes_of_each_dtype_come_back(engine, case, supported, tmp_path):
    signature, golden = case
    opened = tensorflow(signature, tmp_path) if engine == "tensorflow" else sealane.open(
        GOOD / "dtypes", engine=engine
    )  # fmt: skip
    with opened as session:
        result = session.run(golden.inputs)
        name, version = session.engine, ".".join(session.engine_version.split(".")[:2])
    held = [
        dtype.value
        for dtype in DType
        if same(result[f"out_{dtype.value}"], golden.inputs[f"in_{dtype.value}"])
    ]
    assert held == [dtype.value for dtype in DType]
    supported.check("dtypes", name, {"version": version, "dtypes": held})


def same(found, given):
    if found.dtype != given.dtype or found.shape != given.shape:
        return False
    if found.dtype == object:
        return found.tolist() == given.tolist()
    return np.ascontiguousarray(found).tobytes() == given.tobytes()


def tensorflow(signature, folder):
    """A SavedModel that passes its inputs through."""
    import tensorflow as tf

    specs = {
        spec.name: tf.TensorSpec(
            [None], "string" if spec.dtype is DType.BYTES else spec.dtype.numpy, name=spec.name
        )
        for spec in signature.inputs
    }

    @tf.function
    def serve(**tensors):
        return {f"out_{name[3:]}": tf.identity(value) for name, value in tensors.items()}

    module = tf.Module()
    concrete = serve.get_concrete_function(**specs)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": concrete})
    engine = TensorflowEngine(
        folder,
        signature,
        inputs={spec.name: spec.name for spec in signature.inputs},
        outputs={spec.name: spec.name for spec in signature.outputs},
        label="pass-through",
    )
    return EngineSession(signature, engine, model="pass-through")
