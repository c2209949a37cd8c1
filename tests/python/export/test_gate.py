"""The gate and the capability table, on graphs made by hand."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from sealane.core import DType, ErrorCode, SealaneError, Signature, TensorSpec
from sealane.export import gate, probe_capabilities
from sealane.export.capabilities import onnxruntime_capabilities

SIGNATURE = Signature(
    (TensorSpec("x", DType.FP32, ("batch", 4)),), (TensorSpec("y", DType.FP32, ("batch", 4)),)
)


def model(nodes, *, inputs=("x",), outputs=("y",), opset=20, functions=(), initializers=()):
    def info(name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4])

    graph = helper.make_graph(
        nodes, "g", [info(n) for n in inputs], [info(n) for n in outputs], list(initializers)
    )
    imports = [
        helper.make_opsetid("", opset),
        *(helper.make_opsetid(f.domain, 1) for f in functions),
    ]
    made = helper.make_model(graph, opset_imports=imports, functions=list(functions))
    made.ir_version = 10
    return made


def passed(given, tmp_path, signature=SIGNATURE):
    made = gate.normalise(given, signature, "m")
    path = tmp_path / "model.onnx"
    onnx.save(made, path)
    gate.check(path, signature)
    return made


def test_table_is_the_installed_runtimes():
    table = probe_capabilities.TABLE.read_text("utf-8")
    assert json.loads(table) == json.loads(probe_capabilities.probe())
    assert onnxruntime_capabilities().version == onnxruntime.__version__


def test_names_dims_and_metadata_are_the_signatures(tmp_path):
    given = model([helper.make_node("Relu", ["x"], ["relu_1"], doc_string="File /root/x.py")],
                  outputs=("relu_1",))  # fmt: skip
    helper.set_model_props(given, {"pkg.torch.onnx.stack_trace": "/root/x.py"})
    made = passed(given, tmp_path)
    assert made.graph.output[0].name == "y"
    assert [d.dim_param or d.dim_value for d in made.graph.input[0].type.tensor_type.shape.dim] == [
        "batch",
        4,
    ]
    assert b"/root/" not in made.SerializeToString()


def test_newer_ir_is_brought_down_to_what_java_reads(tmp_path):
    given = model([helper.make_node("Relu", ["x"], ["y"])])
    given.ir_version = 13
    made = passed(given, tmp_path)
    assert made.ir_version == onnxruntime_capabilities().export_ir == 10
    onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])


def test_model_above_the_level_is_refused_when_it_is_read_again(tmp_path):
    given = gate.normalise(model([helper.make_node("Relu", ["x"], ["y"])]), SIGNATURE, "m")
    given.ir_version = 11
    onnx.save(given, tmp_path / "model.onnx")
    with pytest.raises(SealaneError, match="IR version 11, at most 10") as caught:
        gate.check(tmp_path / "model.onnx", SIGNATURE)
    assert caught.value.code is ErrorCode.EXPORT_FAILED


def test_opsets_are_those_in_use(tmp_path):
    given = model([helper.make_node("Relu", ["x"], ["y"])])
    given.opset_import.extend(
        [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("com.example.unused", 1)]
    )
    assert [entry.domain for entry in passed(given, tmp_path).opset_import] == [""]


def test_unused_constants_and_paths_are_scrubbed(tmp_path):
    unused = onnx.numpy_helper.from_array(np.ones(3, np.float32), "unused")
    unused.doc_string = "/home/someone/weights"
    given = model([helper.make_node("Relu", ["x"], ["y"])], initializers=[unused])
    given.graph.value_info.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, None))
    given.producer_name, given.doc_string, given.domain = "pytorch", "/home/someone", "home"
    given.graph.doc_string = given.graph.input[0].doc_string = "/home/someone"
    made = passed(given, tmp_path)
    assert not made.graph.initializer
    assert b"home" not in made.SerializeToString()


@pytest.mark.parametrize(
    ("operator", "opset", "dtypes", "expected"),
    [
        ("Gemm", 20, {"T": "float"}, True),
        ("Gemm", 20, {"T": "int8"}, False),
        ("Conv", 20, {"T": "double"}, False),
        ("Conv", 20, {"T": "float16"}, True),
        ("HardSwish", 20, {"T": "float"}, True),
        ("NoSuch", 20, {}, False),
    ],
)
def test_table_answers_for_an_operator(operator, opset, dtypes, expected):
    assert onnxruntime_capabilities().supports("", operator, opset, dtypes) is expected


def test_functions_are_inlined(tmp_path):
    body = helper.make_function(
        "local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 20)],
    )  # fmt: skip
    given = model([helper.make_node("Twice", ["x"], ["y"], domain="local")], functions=[body])
    made = passed(given, tmp_path)
    assert not made.functions
    assert [entry.domain for entry in made.opset_import] == [""]


def test_output_that_is_an_input_gets_its_own_name(tmp_path):
    given = model([helper.make_node("Relu", ["x"], ["z"])], outputs=("x",))
    assert [node.op_type for node in passed(given, tmp_path).graph.node][-1] == "Identity"


@pytest.mark.parametrize(
    ("nodes", "options", "code", "message"),
    [
        ([("Erfc", "")], {}, ErrorCode.EXPORT_FAILED, "Erfc"),
        ([("Mystery", "my.ops")], {}, ErrorCode.EXPORT_UNSUPPORTED, "my.ops"),
        ([("Relu", "")], {"inputs": ("x", "mean")}, ErrorCode.EXPORT_FAILED, "extra ['mean']"),
        ([("Relu", "")], {"inputs": ()}, ErrorCode.EXPORT_FAILED, "missing ['x']"),
        ([("Relu", "")], {"opset": 24}, ErrorCode.EXPORT_FAILED, "opset 24"),
        ([("Relu", "")], {"outputs": ("y", "y")}, ErrorCode.EXPORT_FAILED, "2 outputs"),
    ],
)
def test_fault_is_refused(nodes, options, code, message, tmp_path):
    made = [helper.make_node(op, ["x"], ["y"], name="n", domain=domain) for op, domain in nodes]
    given = model(made, **options)
    if nodes[0][1]:
        given.opset_import.append(helper.make_opsetid(nodes[0][1], 1))
    with pytest.raises(SealaneError) as caught:
        passed(given, tmp_path)
    assert caught.value.code is code
    assert message in caught.value.message


def test_operator_without_kernel_for_its_dtype_is_named(tmp_path):
    given = model([helper.make_node("Conv", ["x", "w"], ["y"], name="first")])
    for value in (*given.graph.input, *given.graph.output):
        value.CopyFrom(helper.make_tensor_value_info(value.name, TensorProto.DOUBLE, ["n", 3, 4]))
    given.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((3, 3, 1)), "w"))
    specs = (TensorSpec("x", DType.FP64, ("n", 3, 4)), TensorSpec("y", DType.FP64, ("n", 3, 4)))
    with pytest.raises(SealaneError) as caught:
        passed(given, tmp_path, Signature(specs[:1], specs[1:]))
    assert caught.value.code is ErrorCode.EXPORT_UNSUPPORTED
    assert "first" in caught.value.message
    assert "Conv" in caught.value.message


def test_fixed_dim_is_refused(tmp_path):
    reshape = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    shape = onnx.numpy_helper.from_array(np.array([3, 4]), "shape")
    with pytest.raises(SealaneError, match="fixed or reordered") as caught:
        passed(model(reshape, initializers=[shape]), tmp_path)
    assert caught.value.code is ErrorCode.EXPORT_FAILED
