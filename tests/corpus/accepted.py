"""Recipes whose result must be accepted: what looks odd and is allowed."""

from __future__ import annotations

import onnx
from corpus import bases
from corpus.recipes import (
    RELIST,
    Recipe,
    large_files,
    manifest,
    replace,
    write_hex,
    write_model,
    write_text,
)
from onnx import TensorProto, helper

UNKNOWN_KIND = {
    "id": "other",
    "kind": "other",
    "role": "experimental",
    "path": "variants/other",
    "precision": "fp32",
    "verdict": "failed",
    "bindings": {"inputs": {"features": "x"}, "outputs": {"scores": "y"}},
}


def recipes() -> list[Recipe]:
    """Every recipe of this kind."""
    zip_head = "50 4b 03 04 14 00 00 00"
    return [
        Recipe("unchanged", "a good bundle as it is", "mlp", []),
        Recipe("kept-onnx", "an ONNX variant kept", "mlp", [], options={"keep": ["onnx"]}),
        Recipe("kept-external", "external data kept", "external", [], options={"keep": ["onnx"]}),
        Recipe("kept-saved-model", "a SavedModel kept", "both", [], options={"keep": ["savedmodel"]}),
        Recipe("moved-lines", "the manifest in other white space and order", "mlp",
               [manifest("add", "/environment/note", "reprinted")]),
        Recipe("newer-minor", "a newer minor version with members unknown to 1.0", "mlp",
               [manifest("replace", "/formatVersion", "1.7"),
                manifest("add", "/novel", {"a": [1, 2]}),
                manifest("add", "/variants/0/novel", 1)]),
        Recipe("free-members", "anything in environment, lineage and extensions", "mlp",
               [manifest("add", "/lineage/metrics", {"auc": 0.71, "none": None, "list": [1e-7]}),
                manifest("add", "/extensions", {"org.example.note": {"x": [True]}})]),
        Recipe("unknown-kind", "a variant of a kind the reader does not know", "mlp",
               [write_hex("variants/other/model.zip", zip_head), RELIST,
                manifest("add", "/variants/-", UNKNOWN_KIND)]),
        Recipe("raw-weights", "external data that begins like a Windows library", "external",
               [write_hex("1/model.onnx.data", "4d 5a" + "00" * 330), RELIST]),
        Recipe("escaped", "escapes and surrogate pairs in JSON", "mlp",
               [replace('"environment": {', '"environment": {"x": "\\u00e9\\ud83d\\ude00\\n", ')]),
        Recipe("deep-enough", "JSON nested exactly 32 deep", "mlp",
               [replace('"lineage": {', '"lineage": {"x": @a@@b@, '), replace("@a@", "[", 30),
                replace("@b@", "]", 30)]),
        Recipe("long-enough", "a string of exactly 65,536 characters", "mlp",
               [replace('"lineage": {', '"lineage": {"x": "@", '), replace("@", "a", 65_536)]),
        Recipe("registry-note", "what MLflow's registry adds to a copy", "mlp",
               [write_text("registered_model_meta", "model_name: mlp\nmodel_version: '1'\n")]),
        Recipe("registry-note-largest", "the same of 65,536 bytes", "mlp",
               [{"do": "sparse", "path": "registered_model_meta", "size": 65_536}]),
        Recipe("registry-note-signed", "the same, which a signature does not cover", "signed",
               [write_text("registered_model_meta", "model_name: signed\n")],
               options={"policy": {"keys": ["keys/signer.pub.pem"]}}),
        Recipe("constants", "honest constants: a shape, a range, a fill", "mlp",
               [write_model(_constants()), RELIST]),
        Recipe("functions", "a function called twice, another calling it", "mlp",
               [write_model(_functions()), RELIST]),
        Recipe("large-files", "files so large that readers may use several threads", "mlp",
               large_files(bases.mlp_bytes()), options={"keep": ["onnx"]}),
        Recipe("preprocess", "a vocabulary", "mlp",
               [write_text("preprocess/vocab.txt", "a\nb\n"), RELIST,
                manifest("add", "/preprocess", [{"kind": "vocabulary", "path": "preprocess/vocab.txt"}])]),
    ]  # fmt: skip


def _constants() -> onnx.ModelProto:
    model = bases.mlp_model()
    node = helper.make_node
    model.graph.node.extend([
        node("Shape", ["x"], ["s"]),
        node("Constant", [], ["n"], value=helper.make_tensor("n", TensorProto.INT64, [2], [256, 256])),
        node("ConstantOfShape", ["n"], ["zeros"]),
        node("ConstantOfShape", ["s"], ["like"]),
        node("Range", ["a", "b", "c"], ["range"]),
        node("Expand", ["a", "n"], ["expanded"]),
    ])  # fmt: skip
    for name, number in (("a", 0), ("b", 1000), ("c", 3)):
        model.graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [], [number]))
    return model


def _functions() -> onnx.ModelProto:
    model = bases.mlp_model()
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]
    twice = [
        helper.make_node("Small", ["x"], ["t"], domain="local"),
        helper.make_node("Small", ["t"], ["y"], domain="local"),
    ]
    model.functions.extend([
        helper.make_function("local", "Small", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], opsets),
        helper.make_function("local", "Twice", ["x"], ["y"], twice, opsets),
    ])  # fmt: skip
    model.opset_import.append(helper.make_opsetid("local", 1))
    model.graph.node.append(helper.make_node("Twice", ["h"], ["z"], domain="local"))
    return model
