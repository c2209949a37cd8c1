"""Recipes that attack through the model files: ONNX, SavedModel, golden cases."""

from __future__ import annotations

import itertools
import json
import struct
from typing import TYPE_CHECKING

import onnx
from corpus import bases, wire
from corpus.recipes import (
    RELIST,
    Recipe,
    Step,
    manifest,
    replace,
    write_bytes,
    write_model,
    write_text,
)
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from collections.abc import Callable

UNSAFE, INVALID, LIMIT = "ARTIFACT_UNSAFE", "ARTIFACT_INVALID", "LIMIT_EXCEEDED"
FLOATS = TensorProto.FLOAT
INTS = TensorProto.INT64


def recipes() -> list[Recipe]:
    """Every recipe of this kind; the SavedModel ones need its bytes."""
    return [*_external(), *_bombs(), *_functions(), *_invalid(), *_golden()]


def _mlp_with(
    nodes: list[onnx.NodeProto],
    initializers: list[onnx.TensorProto] | None = None,
    functions: list[onnx.FunctionProto] | None = None,
    opsets: dict[str, int] | None = None,
) -> onnx.ModelProto:
    """The MLP with more nodes, which nothing of it uses, so that only they can be at fault."""
    model = bases.mlp_model()
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(initializers or [])
    model.functions.extend(functions or [])
    for domain, version in (opsets or {}).items():
        model.opset_import.append(helper.make_opsetid(domain, version))
    return model


def _model(name: str, why: str, model: onnx.ModelProto, code: str = UNSAFE) -> Recipe:
    return Recipe(f"onnx-{name}", why, "mlp", [write_model(model), RELIST], code)


# External data


def _external_model(change: Callable[[onnx.TensorProto], None]) -> onnx.ModelProto:
    """The ``external`` base's model with its first external tensor changed."""
    model = bases.mlp_model()
    offset = 0
    for tensor in model.graph.initializer:
        offset += -offset % 64
        size = len(tensor.raw_data)
        _refer(tensor, location="model.onnx.data", offset=offset, length=size)
        offset += size
    change(model.graph.initializer[0])
    return model


def _refer(tensor: onnx.TensorProto, **members: object) -> None:
    tensor.ClearField("raw_data")
    del tensor.external_data[:]
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in members.items():
        tensor.external_data.add(key=key, value=str(value))


def _external_case(name: str, why: str, *steps: Step, **members: object) -> Recipe:
    given = {"location": "model.onnx.data", "offset": 0, "length": 128} | members
    model = _external_model(lambda tensor: _refer(tensor, **given))
    return Recipe(f"external-{name}", why, "external", [write_model(model), *steps, RELIST], UNSAFE)


def _external() -> list[Recipe]:
    two = _external_model(lambda tensor: tensor.external_data.add(key="offset", value="64"))
    constant = helper.make_tensor("c", FLOATS, [1], [0.0])
    _refer(constant, location="/etc/passwd", offset=0, length=4)
    hidden = _mlp_with([helper.make_node("Constant", [], ["c"], value=constant)])
    default = _function("F0", [helper.make_node("Relu", ["x"], ["y"])])
    default.attribute_proto.append(helper.make_attribute("value", constant))
    return [
        _external_case("climbs-out", "weights outside the bundle", location="../../../etc/passwd"),
        _external_case("absolute", "weights at an absolute path", location="/etc/passwd"),
        _external_case("other-name", "weights in another file of the bundle", location="MLmodel"),
        _external_case("dot-slash", "the right file under another spelling",
                       location="./model.onnx.data"),
        _external_case("subdirectory", "weights in a directory below",
                       write_bytes("1/x/model.onnx.data", bytes(128)), location="x/model.onnx.data"),
        _external_case("memory-marker", "ONNX Runtime's mark for an address in memory",
                       location="*/_ORT_MEM_ADDR_/*"),
        _external_case("empty-location", "no location", location=""),
        _external_case("unlisted", "external data that is not in the bundle",
                       {"do": "remove", "path": "1/model.onnx.data"}),
        _external_case("unknown-key", "a key that is not of the format", basepath="/etc"),
        _external_case("negative-offset", "a negative offset", offset=-64),
        _external_case("offset-past-end", "an offset past the file's end", offset=1 << 40),
        _external_case("offset-overflow", "an offset that overflows 64 bits", offset=(1 << 63) - 1),
        _external_case("offset-not-decimal", "an offset that is no decimal number", offset="0x10"),
        _external_case("length-short", "a length below what the shape needs", length=64),
        _external_case("length-long", "a length above what the shape needs", length=256),
        Recipe("external-two-offsets", "the same key twice", "external",
               [write_model(two), RELIST], UNSAFE),
        Recipe("external-in-constant", "external data in a node's attribute", "mlp",
               [write_model(hidden), RELIST], UNSAFE),
        Recipe("external-in-function-default", "external data in a function's default attribute", "mlp",
               [write_model(_mlp_with([], [], [default], {"local": 1})), RELIST], UNSAFE),
        Recipe("external-condition", "the condition of an If, which ONNX Runtime looks for in the "
               "working directory", "external", [write_model(_external_condition()), RELIST], UNSAFE),
        Recipe("external-scalar", "a tensor of one element", "external",
               [write_model(_external_more(FLOATS, [1], 4)), RELIST], UNSAFE),
        Recipe("external-booleans", "a tensor of booleans", "external",
               [write_model(_external_more(TensorProto.BOOL, [2], 2)), RELIST], UNSAFE),
        Recipe("external-absent-file", "external data without the file", "mlp",
               [write_model(_external_model(lambda _: None)), RELIST], UNSAFE),
    ]  # fmt: skip


def _external_condition() -> onnx.ModelProto:
    """The ``external`` base's model with an If whose condition is external data too."""
    model = _external_model(lambda _: None)
    _add_external(model, TensorProto.BOOL, [], 1)
    model.graph.node.append(_branching(""))
    return model


def _external_more(dtype: int, dims: list[int], length: int) -> onnx.ModelProto:
    """The ``external`` base's model with one more tensor in its data."""
    model = _external_model(lambda _: None)
    _add_external(model, dtype, dims, length)
    return model


def _add_external(model: onnx.ModelProto, dtype: int, dims: list[int], length: int) -> None:
    tensor = TensorProto(name="yes", data_type=dtype, dims=dims)
    _refer(tensor, location="model.onnx.data", offset=0, length=length)
    model.graph.initializer.append(tensor)


# Constants that claim gigabytes


def _ints(name: str, *values: int) -> onnx.TensorProto:
    return helper.make_tensor(name, INTS, [len(values)], list(values))


def _scalar(name: str, value: int) -> onnx.TensorProto:
    return helper.make_tensor(name, INTS, [], [value])


def _bombs() -> list[Recipe]:
    node = helper.make_node
    huge = 1 << 31
    constant = node("Constant", [], ["k"], value=_ints("k", huge))
    through = [
        node("Mul", ["half", "half"], ["b1"]),
        node("Unsqueeze", ["b1", "axis"], ["b2"]),
        node("Squeeze", ["b2", "axis"], ["b3"]),
        node("Cast", ["b3"], ["b4"], to=TensorProto.INT32),
        node("Cast", ["b4"], ["b5"], to=INTS),
        node("Concat", ["b5", "half"], ["b6"], axis=0),
        node("Gather", ["b6", "axis"], ["b7"], axis=0),
        node("Reshape", ["b7", "one"], ["b8"]),
        node("Add", ["b8", "one"], ["b9"]),
        node("Identity", ["b9"], ["b10"]),
        node("ConstantOfShape", ["b10"], ["bomb"]),
    ]
    branch = helper.make_graph(
        [node("ConstantOfShape", ["n"], ["inner"])], "then", [],
        [helper.make_tensor_value_info("inner", FLOATS, None)],
    )  # fmt: skip
    doubling = [node("Concat", [f"d{i}", f"d{i}"], [f"d{i + 1}"], axis=0) for i in range(32)]
    many = [node("ConstantOfShape", ["n"], [f"m{i}"]) for i in range(40)]
    shape_then = [
        node("ConstantOfShape", ["n"], ["s0"]),
        node("Shape", ["s0"], ["s1"]),
        node("Concat", ["s1", "s1"], ["s2"], axis=0),
        node("Expand", ["value", "s2"], ["s3"]),
    ]
    value = helper.make_tensor("value", FLOATS, [1], [1.0])
    sized = _ints("n", huge)
    claimed = TensorProto(name="claimed", data_type=FLOATS, dims=[1 << 31, 1 << 31])
    negative = TensorProto(name="negative", data_type=FLOATS, dims=[-1])
    ranked = TensorProto(name="ranked", data_type=FLOATS, dims=[1 << 62] * 2000)
    sparse = onnx.SparseTensorProto(dims=[1 << 40])
    sparse.values.CopyFrom(helper.make_tensor("sparse", FLOATS, [1], [1.0]))
    sparse.indices.CopyFrom(helper.make_tensor("at", INTS, [1], [0]))
    sparse_model = _mlp_with([])
    sparse_model.graph.sparse_initializer.append(sparse)
    return [
        _model("bomb-constant-of-shape", "ConstantOfShape of 2^31 floats",
               _mlp_with([node("ConstantOfShape", ["n"], ["bomb"])], [sized])),
        _model("bomb-constant-node", "ConstantOfShape whose shape a Constant node gives",
               _mlp_with([constant, node("ConstantOfShape", ["k"], ["bomb"])])),
        _model("bomb-value-ints", "ConstantOfShape whose shape is an attribute of ints",
               _mlp_with([node("Constant", [], ["k"], value_ints=[huge, huge]),
                          node("ConstantOfShape", ["k"], ["bomb"])])),
        _model("bomb-expand", "Expand to 2^62 elements",
               _mlp_with([node("Expand", ["value", "n"], ["bomb"])],
                         [value, _ints("n", huge, huge)])),
        _model("bomb-tile", "Tile 2^31 times",
               _mlp_with([node("Tile", ["value", "n"], ["bomb"])], [value, sized])),
        _model("bomb-range", "Range of 2^40",
               _mlp_with([node("Range", ["a", "b", "c"], ["bomb"])],
                         [_scalar("a", 0), _scalar("b", 1 << 40), _scalar("c", 1)])),
        _model("bomb-one-hot", "OneHot of depth 2^40",
               _mlp_with([node("OneHot", ["n", "depth", "pair"], ["bomb"])],
                         [_ints("n", 1, 2), _scalar("depth", 1 << 40), _ints("pair", 0, 1)])),
        _model("bomb-eye-like", "EyeLike of a tensor that is itself just below the limit",
               _mlp_with([node("ConstantOfShape", ["n"], ["e"], value=helper.make_tensor(
                              "zero", TensorProto.INT8, [1], [0])),
                          node("EyeLike", ["e"], ["bomb"], dtype=TensorProto.DOUBLE)],
                         [_ints("n", 1 << 13, 1 << 14)])),
        _model("bomb-through-chain", "the size found only through a chain of small operators",
               _mlp_with(through, [_ints("half", 1 << 15), _ints("axis", 0), _ints("one", 1)])),
        _model("bomb-through-shape", "a size taken from another constant's shape",
               _mlp_with(shape_then, [value, _ints("n", 1 << 20)])),
        _model("bomb-concat-doubling", "thirty-two doublings of four bytes",
               _mlp_with(doubling, [helper.make_tensor("d0", FLOATS, [1], [1.0])])),
        _model("bomb-broadcast", "an outer product by broadcasting",
               _mlp_with([node("ConstantOfShape", ["a"], ["x1"]), node("ConstantOfShape", ["b"], ["x2"]),
                          node("Add", ["x1", "x2"], ["bomb"])],
                         [_ints("a", 1 << 20, 1), _ints("b", 1, 1 << 20)])),
        _model("bomb-many", "forty tensors, each below the limit",
               _mlp_with(many, [_ints("n", 1 << 25)])),
        _model("bomb-in-branch", "ConstantOfShape inside a branch of If, its shape from outside",
               _mlp_with([node("If", ["yes"], ["bomb"], then_branch=branch, else_branch=branch)],
                         [sized, helper.make_tensor("yes", TensorProto.BOOL, [], [True])])),
        _model("bomb-in-function", "ConstantOfShape in a function, its shape an argument",
               _mlp_with([node("Fill", ["n"], ["bomb"], domain="local")], [sized],
                         [_function("Fill", [node("ConstantOfShape", ["n"], ["m"])], "n", "m")],
                         {"local": 1})),
        _model("bomb-initializer", "an initializer that claims 2^62 elements",
               _mlp_with([], [claimed])),
        _model("bomb-negative-dim", "an initializer of a negative dim", _mlp_with([], [negative])),
        _model("bomb-rank", "an initializer of 2,000 dims", _mlp_with([], [ranked])),
        _model("bomb-sparse", "a sparse initializer of 2^40 elements", sparse_model),
    ]  # fmt: skip


# Functions and operators


def _function(
    name: str, nodes: list[onnx.NodeProto], given: str = "x", result: str = "y"
) -> onnx.FunctionProto:
    return helper.make_function(
        "local", name, [given], [result], nodes,
        [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)],
    )  # fmt: skip


def _calls(callee: str, times: int) -> list[onnx.NodeProto]:
    names = ["x", *(f"t{i}" for i in range(1, times)), "y"]
    return [
        helper.make_node(callee, [a], [b], domain="local") for a, b in itertools.pairwise(names)
    ]


def _functions() -> list[Recipe]:
    node = helper.make_node
    leaf = _function("F0", [node("Relu", ["x"], ["y"])])
    empty = helper.make_function("local", "F0", ["x"], ["x"], [], [helper.make_opsetid("", 20)])
    tower = [_function(f"F{i}", _calls(f"F{i - 1}", 2)) for i in range(1, 61)]
    chain = [_function(f"F{i}", _calls(f"F{i - 1}", 1)) for i in range(1, 601)]
    start = [node("F60", ["h"], ["z"], domain="local")]
    local = {"local": 1}
    cycle = [_function("F0", _calls("F1", 1)), _function("F1", _calls("F0", 1))]
    return [
        _model("function-blow-up", "sixty functions, each calling the one below twice: 2^60 nodes",
               _mlp_with(start, [], [leaf, *tower], local), LIMIT),
        _model("function-blow-up-empty", "the same over a function that does nothing",
               _mlp_with(start, [], [empty, *tower], local), LIMIT),
        _model("function-chain", "six hundred functions, each calling the one below",
               _mlp_with([node("F600", ["h"], ["z"], domain="local")], [], [leaf, *chain], local),
               LIMIT),
        _model("function-cycle", "two functions that call each other",
               _mlp_with([node("F0", ["h"], ["z"], domain="local")], [], cycle, local)),
        _model("function-self", "a function that calls itself",
               _mlp_with([node("F0", ["h"], ["z"], domain="local")], [],
                         [_function("F0", _calls("F0", 1))], local)),
        _model("unknown-domain", "an operator of a domain nobody allowed",
               _mlp_with([node("Relu", ["h"], ["z"], domain="com.example")],
                         opsets={"com.example": 1})),
        _model("unknown-domain-in-branch", "the same inside a branch of If",
               _mlp_with([_branching("com.example")],
                         [helper.make_tensor("yes", TensorProto.BOOL, [], [True])],
                         opsets={"com.example": 1})),
        _model("function-default-graph", "a graph as a function's default attribute",
               _mlp_with([], [], [_with_graph_default()], local)),
        _model("training-domain", "an operator of the training domain",
               _mlp_with([node("Gradient", ["h"], ["z"], domain="ai.onnx.preview.training",
                               xs=["h"], y="r")], opsets={"ai.onnx.preview.training": 1})),
    ]  # fmt: skip


def _with_graph_default() -> onnx.FunctionProto:
    function = _function("F0", [helper.make_node("Relu", ["x"], ["y"])])
    branch = _branching("com.example").attribute[0].g
    function.attribute_proto.append(helper.make_attribute("branch", branch))
    return function


def _branching(domain: str) -> onnx.NodeProto:
    inner = helper.make_node("Relu", ["h"], ["inner"], domain=domain)
    graph = helper.make_graph(
        [inner], "then", [], [helper.make_tensor_value_info("inner", FLOATS, None)]
    )
    return helper.make_node("If", ["yes"], ["z"], then_branch=graph, else_branch=graph)


# Models that are not what the manifest says


def _invalid() -> list[Recipe]:
    def changed(change: Callable[[onnx.ModelProto], object]) -> onnx.ModelProto:
        model = bases.mlp_model()
        change(model)
        return model

    def dtype(model: onnx.ModelProto) -> None:
        model.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE

    def rank(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim.add().dim_value = 1

    def dim(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 5

    def name(model: onnx.ModelProto) -> None:
        model.graph.input[0].name = "other"

    def more(model: onnx.ModelProto) -> None:
        model.graph.input.append(helper.make_tensor_value_info("more", FLOATS, [1]))

    def raw(name: str, why: str, data: bytes) -> Recipe:
        step = write_bytes("1/model.onnx", data)
        return Recipe(f"onnx-{name}", why, "mlp", [step, RELIST], INVALID)

    whole = bases.mlp_model().SerializeToString(deterministic=True)
    nested = b""
    for _ in range(200):
        nested = wire.field(1, wire.field(5, wire.field(6, nested)))
    return [
        raw("empty", "an empty model file", b""),
        raw("text", "text in the place of a model", b"This is not a model.\n"),
        raw("cut-off", "a model cut short, signed off again", whole[:-7]),
        raw("nested", "graphs nested two hundred deep", wire.field(7, nested)),
        _model("no-graph", "a model without a graph", onnx.ModelProto(ir_version=10), INVALID),
        _model("other-name", "an input of another name", changed(name), INVALID),
        _model("other-dtype", "an output of another dtype", changed(dtype), INVALID),
        _model("other-rank", "an input of another rank", changed(rank), INVALID),
        _model("other-dim", "an input of another fixed dim", changed(dim), INVALID),
        _model("more-inputs", "an input the manifest does not bind", changed(more), INVALID),
    ]


# Golden cases


def _safetensors(header: object, data: bytes = b"", *, claimed: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text) if claimed is None else claimed) + text + data


def _golden() -> list[Recipe]:
    path = "golden/batch-1.safetensors"

    def case(name: str, why: str, data: bytes, code: str = "GOLDEN_INVALID") -> Recipe:
        return Recipe(f"golden-{name}", why, "mlp", [write_bytes(path, data), RELIST], code)

    features = {"dtype": "F32", "shape": [1, 4], "data_offsets": [0, 16]}
    scores = {"dtype": "F32", "shape": [1, 3], "data_offsets": [16, 28]}
    both = {"input:features": features, "output:scores": scores}
    conflict = {
        "input:features": {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 32]},
        "output:scores": {"dtype": "F32", "shape": [1, 3], "data_offsets": [32, 44]},
    }
    return [
        case("missing-output", "an output that is not there",
             _safetensors({"input:features": features}, bytes(16))),
        case("symbol-conflict", "a batch of 2 in, of 1 out", _safetensors(conflict, bytes(44))),
        case("empty", "an empty file", b""),
        case("huge-header", "a header that claims 2^62 bytes",
             _safetensors(both, bytes(28), claimed=1 << 62), LIMIT),
        case("deep-header", "a header nested a thousand deep",
             _safetensors(b"{\"a\":" + b"[" * 1000 + b"]" * 1000 + b"}", bytes(28)), LIMIT),
        Recipe("golden-strings-deep", "strings nested a thousand deep", "strings",
               [write_text("golden/known.json", "@"), replace("@", "[", 1000, "golden/known.json"),
                RELIST], LIMIT),
        Recipe("golden-strings-missing", "a string tensor that is not there", "strings",
               [write_text("golden/known.json", "{}"), RELIST], "GOLDEN_INVALID"),
        Recipe("golden-strings-count", "three strings for a shape of four", "strings",
               [replace('"shape": [\n   3\n  ]', '"shape": [4]', path="golden/known.json"), RELIST],
               "GOLDEN_INVALID"),
        Recipe("golden-symbol-range", "a batch outside the symbol's range", "mlp",
               [manifest("replace", "/signature/symbols/batch/max", 4)], "GOLDEN_INVALID"),
    ]  # fmt: skip


def saved_model_recipes(data: bytes) -> list[Recipe]:
    """Attacks on the SavedModel of the ``both`` base, whose ``saved_model.pb`` is ``data``."""
    path = "1/saved_model.pb"

    def case(name: str, why: str, changed: bytes, code: str = UNSAFE) -> Recipe:
        return Recipe(f"savedmodel-{name}", why, "both", [write_bytes(path, changed), RELIST], code)

    def with_node(op: str, **attributes: bytes) -> bytes:
        return wire.with_node(data, wire.node("extra", op, **attributes))

    huge = wire.field(
        8,
        wire.varint_field(1, 1)
        + wire.field(2, b"".join(wire.field(2, wire.varint_field(1, 1 << 31)) for _ in range(2))),
    )
    return [
        case("read-file", "a graph that reads files", with_node("ReadFile")),
        case("write-file", "a graph that writes files", with_node("WriteFile")),
        case("matching-files", "a graph that lists directories", with_node("MatchingFiles")),
        case("py-func", "a graph that calls Python", with_node("PyFunc")),
        case("py-func-stateless", "a graph that calls Python", with_node("PyFuncStateless")),
        case("eager-py-func", "a graph that calls Python", with_node("EagerPyFunc")),
        case("print", "a graph that prints", with_node("PrintV2")),
        case("abort", "a graph that ends the process", with_node("Abort")),
        case("dataset", "a graph that reads a file as a dataset", with_node("TextLineDataset")),
        case("table-file", "a table initialised from a file",
             with_node("InitializeTableFromTextFileV2")),
        case("immutable-const", "a constant mapped from a file", with_node("ImmutableConst")),
        case("decode-proto", "a proto descriptor read from a file", with_node("DecodeProtoV2")),
        case("debug", "a debug operator that sends tensors away", with_node("DebugIdentityV2")),
        case("unknown", "an operator nobody knows", with_node("FrobnicateV7")),
        case("in-function", "a function of the library that writes files",
             wire.with_function(data, "writer", wire.node("write", "WriteFile"))),
        case("save-from-signature", "the saver's own operator, reached from the signature",
             wire.with_serving_input(data, wire.node("extra", "SaveV2"))),
        case("restore-from-signature", "the restore operator, reached from the signature",
             wire.with_serving_input(data, wire.node("extra", "RestoreV2"))),
        case("huge-constant", "a constant that claims 2^62 elements",
             with_node("Const", value=huge)),
        case("empty", "an empty saved_model.pb", b"", INVALID),
        case("cut-off", "a saved_model.pb cut short", data[:-5], INVALID),
        case("text", "text in its place", b"not a model", INVALID),
        Recipe("savedmodel-other-key", "a binding to a key the signature def has not", "both",
               [manifest("replace", "/variants/1/bindings/inputs/features", "other")], INVALID),
        Recipe("savedmodel-other-dtype", "a signature def of another dtype", "both",
               [write_bytes(path, data.replace(_info(1), _info(2))), RELIST], INVALID),
    ]  # fmt: skip


def _info(dtype: int) -> bytes:
    """The dtype and first bytes of the shape of a TensorInfo."""
    return wire.varint_field(2, dtype) + wire.field(3, b"").rstrip(b"\0")
