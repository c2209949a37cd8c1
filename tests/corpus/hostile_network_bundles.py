"""Recipes of bundles whose network does not fit the rest of the bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from corpus import network_bundle
from corpus.recipes import RELIST, Recipe, Step, manifest, replace, write_bytes, write_text
from onnx import TensorProto, helper

from sealane.bundle.safetensors import write_safetensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import onnx

INVALID, UNSAFE, UNSUPPORTED = "ARTIFACT_INVALID", "ARTIFACT_UNSAFE", "ARTIFACT_UNSUPPORTED"
FOLDER = "variants/dl4j"
VARIANT = "/variants/1"


def write_recipes(target: Path) -> None:
    """Write every recipe into ``target``."""
    target.mkdir()
    for recipe in (*_files(), *_bindings(), *_features(), *_traces()):
        recipe.write(target)


def _recipe(name: str, why: str, *steps: Step, code: str = INVALID) -> Recipe:
    return Recipe(name, why, network_bundle.NAME, [*steps, RELIST], code)


def _remove(*names: str) -> list[Step]:
    return [{"do": "remove", "path": f"{FOLDER}/{name}"} for name in names]


def _files() -> list[Recipe]:
    elsewhere = [
        {"do": "move", "path": f"{FOLDER}/network.json", "to": f"{FOLDER}/layers.json"},
        manifest("replace", f"{VARIANT}/path", f"{FOLDER}/layers.json"),
    ]
    return [
        _recipe("file-more", "a file that is no part of a network",
                write_text(f"{FOLDER}/notes.txt", "x")),
        _recipe("file-below", "a directory below", write_text(f"{FOLDER}/more/network.json", "{}")),
        _recipe("no-weights", "no weights", *_remove("weights.safetensors")),
        _recipe("no-batches", "a trace without batches", *_remove("training.safetensors")),
        _recipe("no-trace", "batches without a trace", *_remove("training.json")),
        _recipe("other-name", "the network under another name", *elsewhere, code="MANIFEST_INVALID"),
        _recipe("folder-path", "the folder as path", manifest("replace", f"{VARIANT}/path", FOLDER),
                code="MANIFEST_INVALID"),
        _recipe("shared-folder", "the network beside the ONNX model",
                {"do": "move", "path": f"{FOLDER}/network.json", "to": "1/network.json"},
                {"do": "move", "path": f"{FOLDER}/weights.safetensors", "to": "1/weights.safetensors"},
                {"do": "move", "path": f"{FOLDER}/features.onnx", "to": "1/features.onnx"},
                {"do": "remove", "path": "variants"}, manifest("replace", f"{VARIANT}/path", "1/network.json")),
        _recipe("not-json", "a network that is no JSON", write_text(f"{FOLDER}/network.json", "{")),
        _recipe("other-version", "a network of another version",
                replace('"1.0"', '"2.0"', path=f"{FOLDER}/network.json"), code=UNSUPPORTED),
    ]  # fmt: skip


def _bindings() -> list[Recipe]:
    bound = f"{VARIANT}/bindings"
    return [
        _recipe("output-name", "an output that the network does not have",
                manifest("replace", f"{bound}/outputs/scores", "z")),
        _recipe("input-name", "an input that the features do not have",
                manifest("replace", f"{bound}/inputs/features", "x")),
        _recipe("input-name-bare", "an input that the network does not have",
                *_remove("features.onnx")),
        _recipe("network-wide", "an output of another width than the signature's",
                write_bytes(f"{FOLDER}/weights.safetensors", _weights(3)),
                *_remove("training.json", "training.safetensors")),
    ]  # fmt: skip


def _weights(out: int) -> bytes:
    tensors = {"linear.weight": np.zeros((out, 4), np.float32)}
    return write_safetensors(tensors | {"linear.bias": np.zeros(out, np.float32)})


def _program(
    name: str, why: str, change: Callable[[onnx.ModelProto], object], code: str = INVALID
) -> Recipe:
    made = network_bundle.features()
    change(made)
    data = made.SerializeToString(deterministic=True)
    return _recipe(f"features-{name}", why, write_bytes(f"{FOLDER}/features.onnx", data), code=code)


def _features() -> list[Recipe]:
    def rename(made: onnx.ModelProto, name: str) -> None:
        made.graph.initializer[0].name = name
        made.graph.node[0].input[1] = name

    def external(made: onnx.ModelProto) -> None:
        stored = made.graph.initializer[0]
        stored.ClearField("raw_data")
        stored.data_location = TensorProto.EXTERNAL
        stored.external_data.add(key="location", value="features.onnx.data")

    def listed(made: onnx.ModelProto) -> None:
        made.graph.input.append(helper.make_tensor_value_info("half", TensorProto.FLOAT, []))

    def function(made: onnx.ModelProto) -> None:
        body = [helper.make_node("Relu", ["a"], ["b"])]
        opset = [helper.make_opsetid("", 20)]
        made.functions.append(helper.make_function("own", "F", ["a"], ["b"], body, opset))
        made.opset_import.append(helper.make_opsetid("own", 1))

    def widen(made: onnx.ModelProto) -> None:
        made.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 5

    def double(made: onnx.ModelProto) -> None:
        made.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE

    def output(made: onnx.ModelProto) -> None:
        made.graph.output[0].name = made.graph.node[0].output[0] = "z"

    def domain(made: onnx.ModelProto) -> None:
        made.graph.node[0].domain = "org.example"

    def opset(made: onnx.ModelProto) -> None:
        made.opset_import[0].version = 21

    return [
        _recipe("features-not-onnx", "features that are no ONNX",
                write_text(f"{FOLDER}/features.onnx", "features")),
        _program("opset", "another opset", opset),
        _program("layer-name", "a name that belongs to the network", lambda m: rename(m, "layer:x")),
        _program("weight-name", "a name like a weight's", lambda m: rename(m, "weight:linear.weight")),
        _program("constant-name", "a name like a constant's", lambda m: rename(m, "constant:a:b")),
        _program("stored-input", "an initializer among the inputs", listed),
        _program("function", "a function of its own", function),
        _program("external", "weights in another file", external, UNSAFE),
        _program("domain", "an operator of a domain that there is not", domain, UNSAFE),
        _program("dtype", "doubles where the network takes floats", double),
        _program("width", "another width than the network takes", widen),
        _program("output", "an output that the network does not take", output),
    ]  # fmt: skip


def _trace(name: str, why: str, *changes: tuple[str, Any], code: str = INVALID) -> Recipe:
    document = json.loads(network_bundle.trace().to_json())
    for pointer, value in changes:
        *parents, last = pointer.split("/")[1:]
        owner = document
        for part in parents:
            owner = owner[int(part)] if isinstance(owner, list) else owner[part]
        if value is None:
            del owner[last]
        else:
            owner[last] = value
    text = json.dumps(document, indent=1) + "\n"
    return _recipe(f"trace-{name}", why, write_text(f"{FOLDER}/training.json", text), code=code)


def _batches(name: str, why: str, **changes: Any) -> Recipe:
    tensors = dict(network_bundle.trace().batches)
    for key, value in changes.items():
        if value is None:
            del tensors[key.replace("__", ":")]
        else:
            tensors[key.replace("__", ":")] = value
    data = write_safetensors(tensors)
    path = f"{FOLDER}/training.safetensors"
    return _recipe(f"batches-{name}", why, write_bytes(path, data))


def _traces() -> list[Recipe]:
    adam = {"kind": "adam", "learningRate": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    classes = {"kind": "categorical_cross_entropy_logits", "output": "y"}
    four = np.zeros((4, 4), np.float32)
    return [
        _trace("format", "another format", ("/format", "sealane-network")),
        _trace("version", "another version", ("/formatVersion", "1.1"), code=UNSUPPORTED),
        _trace("member", "a member that there is not", ("/seed", 1)),
        _trace("no-tolerance", "no tolerance", ("/tolerance", None)),
        _trace("tolerance-negative", "a negative tolerance", ("/tolerance/loss", -1)),
        _trace("optimizer", "an optimizer that there is not", ("/optimizer/kind", "lion")),
        _trace("rate-zero", "a rate of 0", ("/optimizer/learningRate", 0)),
        _trace("momentum-of-sgd", "momentum where there is none", ("/optimizer/momentum", 0.9)),
        _trace("momentum-missing", "no momentum", ("/optimizer/kind", "nesterov")),
        _trace("momentum-one", "a momentum of 1",
               ("/optimizer", {"kind": "nesterov", "learningRate": 1, "momentum": 1})),
        _trace("adam-form", "Adam without the form of epsilon", ("/optimizer", adam)),
        _trace("loss", "a loss that there is not", ("/loss/kind", "hinge")),
        _trace("loss-output", "a loss of no output", ("/loss/output", "linear")),
        _trace("loss-classes", "numbers as classes", ("/loss", classes)),
        _trace("frozen", "a frozen layer that there is not", ("/frozen", ["head"])),
        _trace("frozen-all", "gradients of a frozen layer", ("/frozen", ["linear"])),
        _trace("no-steps", "no steps", ("/steps", [])),
        _trace("more-batches", "fewer steps than batches",
               ("/steps", json.loads(network_bundle.trace().to_json())["steps"][:1])),
        _trace("gradient-missing", "a weight without gradient", ("/steps/0/gradients/linear.bias", None)),
        _trace("update-unknown", "an update of no weight", ("/steps/0/updates/other", [1, 1])),
        _trace("digest-short", "a digest of one number", ("/steps/0/updates/linear.bias", [1])),
        _trace("digest-negative", "a negative norm", ("/steps/0/updates/linear.bias", [-1, 0])),
        _trace("loss-text", "a loss that is text", ("/steps/0/loss", "0.5")),
        _batches("missing", "no target", step0__target=None),
        _batches("more", "a tensor of no step", step3__target=four),
        _batches("rows", "other rows than targets", step0__target=four[:3]),
        _batches("empty", "no rows", step0__target=four[:0], step0__input__x=four[:0]),
        _batches("width", "inputs of another width", step0__input__x=four[:, :3]),
        _batches("double", "doubles", step0__input__x=four.astype(np.float64)),
        _batches("infinite", "an infinite input", step0__input__x=four + np.float32(np.inf)),
        _batches("indices", "targets of integers", step0__target=four.astype(np.int64)),
    ]  # fmt: skip
