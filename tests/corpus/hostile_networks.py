"""Networks that break one rule of the format each, as changes to a good one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from corpus.networks import GOOD

if TYPE_CHECKING:
    from pathlib import Path

INVALID, LIMIT, UNSUPPORTED = "ARTIFACT_INVALID", "LIMIT_EXCEEDED", "ARTIFACT_UNSUPPORTED"
REMOVED = object()

Case = dict[str, Any]


def cases() -> list[Case]:
    """Every case, in a fixed order."""
    return [*_documents(), *_graphs(), *_attributes(), *_shapes(), *_weights(), *_trained()]


def write_hostile(target: Path) -> None:
    """Write ``hostile.json``."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases())
    (target / "hostile.json").write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="ascii")


def _case(name: str, why: str, base: str, code: str = INVALID, **members: Any) -> Case:
    return {"name": name, "why": why, "base": base, "code": code, **members}


def _at(base: str, layer: str, member: str = "") -> str:
    """The pointer of a layer, or of a member of it."""
    index = [each["name"] for each in GOOD[base].layers].index(layer)
    return f"/layers/{index}" + (f"/{member}" if member else "")


def _set(pointer: str, value: Any) -> Case:
    if value is REMOVED:
        return {"op": "remove", "pointer": pointer}
    return {"op": "add", "pointer": pointer, "value": value}


def _edit(name: str, why: str, base: str, *changes: tuple[str, Any], **members: Any) -> Case:
    edits = [_set(pointer, value) for pointer, value in changes]
    return _case(name, why, base, **members, edits=edits)


def _layer(
    name: str,
    why: str,
    base: str,
    layer: str,
    code: str = INVALID,
    kept: tuple[str, ...] = (),
    **changes: Any,
) -> Case:
    """A layer with other members; ``kept`` are the layers that only the change leaves unused."""
    edits = [_set(_at(base, layer, member), value) for member, value in changes.items()]
    edits += [_set("/outputs/-", {"name": f"kept-{each}", "layer": each}) for each in kept]
    return _case(name, why, base, code, layer=layer, edits=edits)


def _documents() -> list[Case]:
    deep = "[" * 40 + "]" * 40
    replaced = {"find": '"op"', "text": '"op": "dense", "op"'}
    return [
        _case("empty", "no bytes at all", "mlp", text=""),
        _case("not-json", "not JSON", "mlp", text="{'format': 1}"),
        _case("array", "no object", "mlp", text="[]"),
        _case("duplicate-key", "one key twice", "mlp", replace=replaced),
        _case("trailing", "bytes after the value", "mlp", append=" {}"),
        _case("nan", "NaN is no JSON", "shapes", replace={"find": "0.25", "text": "NaN"}),
        _case("deep", "nested too deep", "mlp", LIMIT, text=deep),
        _case("long", "above 4 MiB", "mlp", LIMIT, pad=(4 << 20) + 1),
        _edit("format", "another format", "mlp", ("/format", "onnx")),
        _edit("version", "another version", "mlp", ("/formatVersion", "1.1"), code=UNSUPPORTED),
        _edit("version-number", "a version that is a number", "mlp", ("/formatVersion", 1.0)),
        _edit("unknown-member", "a member that there is not", "mlp", ("/creator", "me")),
        _edit("no-inputs", "no inputs", "mlp", ("/inputs", [])),
        _edit("no-layers", "no layers", "mlp", ("/layers", [])),
        _edit("no-outputs", "no outputs", "mlp", ("/outputs", [])),
        _edit("null-layers", "null is no array", "mlp", ("/layers", None)),
        _edit("input-dtype", "an input of doubles", "mlp", ("/inputs/0/dtype", "FP64")),
        _edit("input-no-batch", "an input without batch", "mlp", ("/inputs/0/dims", [3, 4])),
        _edit("input-no-dims", "a scalar input", "mlp", ("/inputs/0/dims", [])),
        _edit("input-batch-twice", "the batch twice", "mlp", ("/inputs/0/dims", ["batch", "batch"])),
        _edit("input-dim-zero", "an empty dim", "mlp", ("/inputs/0/dims", ["batch", 0])),
        _edit("input-dim-fraction", "a dim of 4.0", "mlp", ("/inputs/0/dims", ["batch", 4.0])),
        _edit("input-member", "an unknown member of an input", "mlp", ("/inputs/0/domain", {})),
        _edit("output-member", "an unknown member of an output", "mlp", ("/outputs/0/dtype", "FP32")),
    ]  # fmt: skip


def _graphs() -> list[Case]:
    first = _at("mlp", "hidden")
    spare = {"name": "spare", "op": "activation", "inputs": ["x"], "function": "relu"}
    swapped = [
        {"op": "remove", "pointer": first},
        {"op": "add", "pointer": "/layers/-", "value": GOOD["mlp"].layers[0]},
    ]
    many = {"name": "relu", "count": 10_000}
    return [
        _case("later-input", "a layer before its input", "mlp", edits=swapped),
        _layer("own-input", "a layer that is its own input", "mlp", "relu", inputs=["relu"]),
        _layer("absent-input", "an input that there is not", "mlp", "relu", inputs=["nothing"]),
        _layer("no-input", "no input", "mlp", "relu", inputs=[]),
        _layer("two-inputs", "two inputs where one is meant", "mlp", "relu", inputs=["hidden", "x"]),
        _layer("one-operand", "a sum of one", "images", "sum", inputs=["act"]),
        _layer("two-of-three", "attention of two inputs", "transformer", "self",
               inputs=["norm", "norm"]),
        _edit("idle-layer", "a layer that leads nowhere", "mlp", ("/layers/-", spare), layer="spare"),
        _edit("idle-input", "an input that nobody uses", "mlp",
              ("/inputs/-", {"name": "z", "dtype": "FP32", "dims": ["batch"]})),
        _edit("same-names", "two layers of one name", "mlp", (f"{first}/name", "relu")),
        _edit("named-as-input", "a layer named as an input", "mlp", (f"{first}/name", "x")),
        _edit("output-twice", "two outputs of one name", "shapes", ("/outputs/1/name", "y")),
        _edit("output-named-as-input", "an output named as an input", "mlp", ("/outputs/0/name", "x")),
        _edit("output-of-nothing", "an output of no layer", "mlp", ("/outputs/0/layer", "nothing")),
        _edit("output-of-input", "an output that is an input", "mlp", ("/outputs/0/layer", "x")),
        _edit("name-slash", "a name that begins with a slash", "mlp", (f"{first}/name", "/etc")),
        _edit("name-colon", "a name with a colon", "mlp", (f"{first}/name", "layer:x")),
        _edit("name-long", "a name of 201 characters", "mlp", (f"{first}/name", "n" * 201)),
        _edit("name-letter", "a name with another letter", "mlp", (f"{first}/name", "schön")),
        _case("too-many-layers", "10,001 layers and more", "mlp", repeat=many),
    ]  # fmt: skip


def _attributes() -> list[Case]:
    return [
        _layer("unknown-op", "an operator that there is not", "mlp", "relu", op="einsum"),
        _layer("op-case", "an operator in capitals", "mlp", "hidden", op="Dense"),
        _layer("unknown-attribute", "an attribute that there is not", "mlp", "hidden", units=8),
        _layer("missing-attribute", "no strides", "images", "conv", strides=REMOVED),
        _layer("unknown-function", "a function that there is not", "mlp", "relu", function="cosine"),
        _layer("alpha-missing", "no slope", "activations", "elu", alpha=REMOVED),
        _layer("alpha-without-use", "a slope where there is none", "mlp", "relu", alpha=0.1),
        _layer("alpha-huge", "a slope that is infinite as float32", "activations", "elu", alpha=1e39),
        _layer("alpha-text", "a slope that is text", "activations", "elu", alpha="0.1"),
        _layer("rate-one", "a rate of 1", "mlp", "drop", rate=1),
        _layer("rate-negative", "a negative rate", "mlp", "drop", rate=-0.1),
        _layer("epsilon-zero", "epsilon 0", "images", "norm", epsilon=0),
        _layer("epsilon-one", "epsilon 1", "transformer", "norm", epsilon=1),
        _layer("momentum-zero", "momentum 0", "images", "norm", momentum=0),
        _layer("momentum-above", "momentum above 1", "images", "norm", momentum=1.5),
        _layer("unbiased-number", "a number for a boolean", "images", "norm", unbiased=1),
        _layer("stride-zero", "stride 0", "images", "conv", strides=[0, 1]),
        _layer("stride-huge", "a stride above 2^20", "images", "conv", strides=[(1 << 20) + 1, 1]),
        _layer("stride-fraction", "a stride of 1.0", "images", "conv", strides=[1.0, 1]),
        _layer("stride-boolean", "a stride of true", "images", "conv", strides=[True, 1]),
        _layer("dilation-zero", "dilation 0", "pools", "dilated", dilations=[0, 1]),
        _layer("pad-negative", "a negative pad", "images", "conv", pads=[-1, 1, 1, 1]),
        _layer("groups-zero", "no group", "images", "conv", groups=0),
        _layer("axis-batch", "rows joined along the batch", "images", "both", axis=0),
        _layer("shape-zero", "an empty shape", "shapes", "flat", shape=[0]),
        _layer("reverse-number", "a number for a boolean", "lstm", "first", reverse=0),
        _layer("sequence-missing", "whether the steps are wanted", "gru", "last", sequence=REMOVED),
        _layer("heads-zero", "no head", "transformer", "self", heads=0),
    ]  # fmt: skip


def _shapes() -> list[Case]:
    giant = [1 << 20, 1 << 20, 1 << 20, 1 << 20]
    return [
        _layer("dense-rank", "a dense layer of images", "shapes", "one", inputs=["turned"],
               kept=("product",)),
        _layer("strides-count", "one stride for two dims", "images", "conv", strides=[1]),
        _layer("pads-count", "two pads for two dims", "images", "conv", pads=[1, 1]),
        _layer("dilations-count", "three dilations for two dims", "images", "conv", dilations=[1, 1, 1]),
        _layer("groups-divide", "groups that do not divide", "images", "conv", groups=3),
        _layer("groups-weight", "a weight for another number of groups", "images", "depthwise", groups=2),
        _layer("kernel-count", "one size for two dims", "pools", "max", kernel=[3]),
        _layer("pads-kernel", "pads as large as the kernel", "pools", "max", pads=[3, 1, 2, 0]),
        _layer("window-large", "a window larger than the image", "pools", "max", kernel=[9, 9]),
        _layer("norm-channels", "statistics of other channels", "signals", "norm", inputs=["signal"]),
        _layer("add-shapes", "a sum of two shapes", "shapes", "product",
            inputs=["drop", "turned", "flat", "drop"]),
        _layer("add-strides", "symbols that shrank in other ways", "images", "beside", strides=[2, 1])
        | {"layer": "shorter"},
        _layer("concat-rank", "images beside rows", "images", "both", inputs=["all", "shorter"],
               kept=("most",)),
        _layer("concat-axis", "no such axis", "images", "both", axis=2),
        _layer("concat-symbol", "joined along a symbol", "lstm", "both", axis=1),
        _layer("concat-differ", "joined, but of other sizes beside", "pools", "joined", axis=2,
            inputs=["max", "dilated", "counted"]),
        _layer("reshape-count", "another number of elements", "shapes", "flat", shape=[23]),
        _layer("reshape-symbol", "a symbol reshaped", "steps", "turned", op="reshape",
            permutation=REMOVED, shape=[3, 5]),
        _layer("permutation-twice", "one axis twice", "shapes", "turned", permutation=[0, 1, 1, 2]),
        _layer("permutation-batch", "the batch moved", "shapes", "turned", permutation=[1, 0, 2, 3]),
        _layer("permutation-short", "too few axes", "shapes", "turned", permutation=[0, 1, 2]),
        _layer("permutation-empty", "no axes", "shapes", "turned", permutation=[]),
        _layer("softmax-rank", "softmax over the batch", "shapes", "kept", op="activation",
            rate=REMOVED, function="softmax"),
        _layer("pool-rank", "a pool of rows", "images", "most", inputs=["all"], kept=("shorter",)),
        _layer("last-step-rank", "the last step of a row", "lstm", "end", inputs=["last"]),
        _layer("heads-divide", "heads that do not divide", "transformer", "self", heads=3),
        _layer("embedding-float", "numbers as indices", "embeddings", "many", inputs=["column"]),
        _edit("dense-integer", "indices as numbers", "embeddings", ("/inputs/2/dtype", "INT64"),
              layer="column"),
        _layer("lstm-rank", "a recurrent layer of rows", "lstm", "first", inputs=["last"]),
        _edit("input-width", "an input of another width", "mlp", ("/inputs/0/dims", ["batch", 5]),
              layer="hidden"),
        _edit("input-symbol", "a symbol where a width is needed", "mlp",
              ("/inputs/0/dims", ["batch", "width"]), layer="hidden"),
        _layer("padded-giant", "a value of terabytes", "pools", "padded", LIMIT, pads=giant),
        _edit("input-giant", "an input of terabytes, given on", "activations",
              ("/inputs/0/dims", ["batch", (1 << 31) - 1, (1 << 31) - 1]), code=LIMIT),
    ]  # fmt: skip


def _weights() -> list[Case]:
    def one(
        name: str, why: str, tensor: str, change: Any, code: str = INVALID, **more: Any
    ) -> Case:
        return _case(name, why, "mlp", code, weights={tensor: change}, **more)

    def filled(*shape: int, dtype: str = "F32", value: float | str = 0.5) -> Case:
        return {"dtype": dtype, "shape": list(shape), "value": value}

    hidden = _at("mlp", "hidden", "weights")
    return [
        one("weight-missing", "a tensor that is not there", "hidden.weight", None, layer="hidden"),
        one("weight-spare", "a tensor that nobody uses", "spare", filled(1)),
        one("weight-double", "a tensor of doubles", "hidden.bias", filled(8, dtype="F64")),
        one("weight-half", "a tensor of halves", "hidden.bias", filled(8, dtype="F16")),
        one("weight-nan", "not a number", "hidden.bias", filled(8, value="NaN")),
        one("weight-infinite", "infinity", "hidden.bias", filled(8, value="Infinity")),
        one("weight-shape", "a transposed weight", "hidden.weight", filled(4, 8), layer="hidden"),
        one("weight-flat", "a weight of one dim", "hidden.weight", filled(32), layer="hidden"),
        one("weight-empty", "a weight without elements", "hidden.weight", filled(0, 4), layer="hidden"),
        one("bias-shape", "a bias of another length", "hidden.bias", filled(4), layer="hidden"),
        _edit("weight-twice", "one tensor for two roles", "mlp", (f"{hidden}/bias", "hidden.weight"),
              layer="hidden"),
        _edit("role-unknown", "a role that there is not", "mlp", (f"{hidden}/scale", "hidden.bias")),
        _edit("role-missing", "a role that must be there", "mlp", (f"{hidden}/weight", REMOVED)),
        _edit("roles-null", "no weights", "mlp", (hidden, REMOVED), layer="hidden"),
        _layer("weights-of-relu", "weights where there are none", "mlp", "relu", weights={}),
        _edit("tensor-name", "a tensor name with a colon", "mlp", (f"{hidden}/weight", "w:0")),
        _case("weights-cut", "a weights file cut short", "mlp", weightsBytes={"drop": 4}),
        _case("weights-longer", "a weights file with bytes at its end", "mlp",
              weightsBytes={"append": "00000000"}),
        _case("weights-empty", "an empty weights file", "mlp", weightsBytes={"hex": ""}),
        _case("weights-header", "a header of gigabytes", "mlp", LIMIT,
              weightsBytes={"hex": "000000ff000000007b7d"}),
    ]  # fmt: skip


def _trained() -> list[Case]:
    return [
        _layer("conv-rank", "a weight for signals over images", "images", "conv",
               strides=[1], dilations=[1], pads=[0, 0])
        | {"weights": {"conv.weight": {"dtype": "F32", "shape": [4, 2, 3], "value": 1}}},
        _case("recurrent-gates", "three gates for an LSTM", "lstm", layer="forward",
              weights={"forward.input_weight": {"dtype": "F32", "shape": [12, 3], "value": 1}}),
        _case("recurrent-bias", "a bias for another width", "gru", layer="last",
              weights={"last.recurrent_bias": {"dtype": "F32", "shape": [8], "value": 1}}),
        _case("attention-width", "a key of another width", "transformer", layer="cross",
              weights={"cross.key_weight": {"dtype": "F32", "shape": [6, 4], "value": 1}}),
        _layer("attention-steps", "keys and values of other times", "transformer", "self",
               inputs=["norm", "norm", "memory"])
        | {"weights": {"self.value_weight": {"dtype": "F32", "shape": [4, 3], "value": 1}}},
    ]  # fmt: skip
