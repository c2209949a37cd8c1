"""The ONNX project's own node cases, for every operator that the table claims."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import warnings
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import inliner, numpy_helper

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from onnx.backend.test.loader import load_model_tests

    CASES = {case.name: case for case in load_model_tests(kind="node")}

from sealane.core import ErrorCode, SealaneError
from sealane.export.onnx_to_tensorflow import check, to_function
from sealane.export.tensorflow_ops import TABLE

OPSET = 20
"""Cases of newer opsets are relabelled to it where the checker accepts their nodes under it."""

CONSTANT = {
    **dict.fromkeys(
        ("ReduceSum", "ReduceSumSquare", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2",
         "ReduceMean", "ReduceProd", "ReduceLogSum", "ReduceLogSumExp", "Split", "Unsqueeze",
         "Squeeze", "CumSum", "Trilu", "Expand", "Tile"),
        (1,),
    ),
    "Pad": (1, 3),
    "Slice": (1, 2, 3, 4),
    "Dropout": (1, 2),
    "If": (0,),
}  # fmt: skip
"""Inputs that have to be constants; the cases give them as inputs of the model."""

REFUSED = {
    "AveragePool": ("dilations",),
    "BatchNormalization": ("training_mode = 1",),
    "Cast": ("to = FLOAT8", "to = STRING", "to = UINT4", "to = INT4", "to = UINT2", "to = INT2"),
    "ConvTranspose": ("output_shape", "group = 2", "dilations", "auto_pad", "a kernel"),
    "Dropout": ("training_mode",),
    "Einsum": ("equation '...ii->...i'",),
    "If": ("a condition that depends",),
    "Mod": ("fmod = 0 on floats",),
    "GRU": ("layout = 1",),
    "LSTM": ("layout = 1", "sequence_lens", "peepholes"),
    "MaxPool": (
        "dilations", "storage_order = 1", "indices as an output", "dtype <dtype: 'uint8'>",
    ),
    "Pad": ("mode = 'wrap'", "mode = 'edge'", "pads that depends"),
    "ReduceMax": ("booleans",),
    "ReduceMin": ("booleans",),
    "RNN": ("layout = 1",),
    "ScatterElements": ("reduction = 'mul'",),
    "ScatterND": ("reduction = 'mul'",),
}  # fmt: skip
"""What of a claimed operator is refused by name."""

HALF_STEPS = 8
"""A case's relative tolerance, 1e-3, is one rounding step of FP16 and less than one of BF16. What
is computed in them by several operators may be off by this many steps of the largest output."""


def model_of(case):
    model = onnx.load(str(Path(case.model_dir) / "model.onnx")) if case.model_dir else case.model
    return inliner.inline_local_functions(model)


def is_claimed(model):
    nodes = model.graph.node
    return all(not node.domain and node.op_type in (*TABLE, "If") for node in nodes)


def data_of(case, model):
    if not case.model_dir:
        return [tuple([array(v) for v in side] for side in pair) for pair in case.data_sets]
    folders = sorted(Path(case.model_dir).glob("test_data_set_*"))
    return [
        tuple(
            [array(onnx.load_tensor(str(folder / f"{kind}_{i}.pb"))) for i in range(len(part))]
            for kind, part in (("input", model.graph.input), ("output", model.graph.output))
        )
        for folder in folders
    ]


def array(value):
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def relabelled(model):
    """The model under the opset that exports have, or as it is."""
    if model.opset_import[0].version <= OPSET:
        return model
    older = onnx.ModelProto()
    older.CopyFrom(model)
    older.opset_import[0].version = OPSET
    try:
        onnx.checker.check_model(older, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError):
        return model
    return older


def with_constants(model, inputs):
    """The model with the inputs that have to be constants made initializers."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    wanted = {
        node.input[place]
        for node in model.graph.node
        for place in CONSTANT.get(node.op_type, ())
        if place < len(node.input)
    }
    kept = []
    for value, given in zip(model.graph.input, inputs, strict=True):
        if value.name in wanted:
            made.graph.input.remove(value)
            made.graph.initializer.append(numpy_helper.from_array(given, value.name))
        else:
            kept.append(given)
    return made, kept


CLAIMED = sorted(name for name, case in CASES.items() if is_claimed(model_of(case)))


def run(model, inputs, *, traced):
    import tensorflow as tf

    function = to_function(model)
    tensors = {
        value.name: tf.constant(a) for value, a in zip(model.graph.input, inputs, strict=True)
    }
    made = (tf.function(function, autograph=False) if traced else function)(tensors)
    return [made[value.name].numpy() for value in model.graph.output]


def refusal(error):
    """Whether a refusal is listed: an operator's form or dtype not claimed, or a named value."""
    if "ONNX operators without TensorFlow form" in error.message:
        return True
    op = error.message.removeprefix("ONNX operator ").split()[0]
    return any(f"TensorFlow form with {what}" in error.message for what in REFUSED.get(op, ()))


@pytest.mark.parametrize("name", CLAIMED)
def test_node_case(name):
    case = CASES[name]
    model = relabelled(model_of(case))
    for inputs, outputs in data_of(case, model):
        if not all(isinstance(value, np.ndarray | np.generic) for value in (*inputs, *outputs)):
            with pytest.raises(SealaneError, match="which is no tensor"):
                check(model)
            return
        baked, kept = with_constants(model, inputs)
        try:
            made = run(baked, kept, traced=not name.endswith("_expanded"))
        except SealaneError as error:
            if error.code is ErrorCode.EXPORT_UNSUPPORTED and refusal(error):
                return
            raise
        assert all(map(is_close(case), made, outputs))


def is_close(case):
    def compare(left, right):
        right = np.asarray(right)
        if (left.dtype, left.shape) != (right.dtype, right.shape):
            return False
        if right.dtype.kind not in "fV":
            return bool(np.array_equal(left, right))
        a, b = left.astype(np.float64), right.astype(np.float64)
        if right.dtype.itemsize == 2 and np.isfinite(b).all() and b.size:
            step = float(ml_dtypes.finfo(right.dtype).eps) * np.max(np.abs(b))
            return bool(np.max(np.abs(a - b)) <= HALF_STEPS * step)
        return bool(np.allclose(a, b, rtol=case.rtol, atol=case.atol, equal_nan=True))

    return compare


def test_every_operator_of_the_table_has_a_case():
    ran = {node.op_type for name in CLAIMED for node in model_of(CASES[name]).graph.node}
    assert set(TABLE) - ran == set()
