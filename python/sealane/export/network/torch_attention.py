"""``torch.nn.MultiheadAttention`` and the encoder layers built on it → layers of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.network.values import Refused, Value, plain

if TYPE_CHECKING:
    from sealane.export.network.builder import Array, NetworkBuilder

_MASKS = ("key_padding_mask", "attn_mask", "mask", "src_mask", "src_key_padding_mask")
_IGNORED = ("need_weights", "average_attn_weights")


def is_attention(module: Any) -> bool:
    """Whether it is an attention, an encoder layer or an encoder."""
    nn = load_module("torch.nn", "torch")
    return type(module) in (
        nn.MultiheadAttention,
        nn.TransformerEncoderLayer,
        nn.TransformerEncoder,
    )


def attention(
    builder: NetworkBuilder, path: str, module: Any, arguments: list[Any], named: dict[str, Any]
) -> Any:
    """What the module returns, without masks."""
    kind = f"{path} (torch.nn.{type(module).__name__})"
    given = dict(named)
    for name in _MASKS:
        if given.pop(name, None) is not None:
            raise _refused(path, kind, f"it is called with {name}")
    if given.pop("is_causal", None):
        raise _refused(path, kind, "is_causal=True")
    for name in _IGNORED:
        given.pop(name, None)
    if type(module).__name__ == "MultiheadAttention":
        ordered = [*arguments, *(given.pop(n) for n in ("query", "key", "value") if n in given)]
        if given or len(ordered) != 3:
            raise _refused(path, kind, "it is called with more than query, key and value")
        values = [plain(each, kind) for each in ordered]
        weights = Refused("the attention weights are not in a network; pass need_weights=False")
        return (Value(_attention(builder, path, module, values)), weights)
    ordered = [*arguments, *(given.pop("src") for _ in range("src" in given))]
    if given or len(ordered) != 1:
        raise _refused(path, kind, "it is called with masks")
    value = plain(ordered[0], kind)
    if type(module).__name__ == "TransformerEncoder":
        return Value(_encoder(builder, path, module, value))
    return Value(_encoder_layer(builder, path, module, value))


def _attention(builder: NetworkBuilder, path: str, module: Any, values: list[str]) -> str:
    from sealane.export.network.torch_modules import array

    kind = f"{path} (torch.nn.MultiheadAttention)"
    if not module.batch_first:
        raise _refused(path, kind, "batch_first=False; a network has the batch at axis 0")
    if module.bias_k is not None or module.add_zero_attn:
        raise _refused(path, kind, "add_bias_kv or add_zero_attn")
    inner: int = module.embed_dim
    weights: dict[str, Array] = {}
    for index, part in enumerate(("query", "key", "value")):
        rows = slice(index * inner, (index + 1) * inner)
        if module.in_proj_weight is not None:
            weights[f"{part}_weight"] = array(module.in_proj_weight)[rows]
        else:
            weights[f"{part}_weight"] = array(getattr(module, f"{part[0]}_proj_weight"))
        if module.in_proj_bias is not None:
            weights[f"{part}_bias"] = array(module.in_proj_bias)[rows]
    weights["output_weight"] = array(module.out_proj.weight)
    if module.out_proj.bias is not None:
        weights["output_bias"] = array(module.out_proj.bias)
    if module.dropout:
        builder.notes.append(
            f"{path}: dropout={module.dropout} of attention weights is not trained"
        )
    return builder.add(path, "attention", values, {"heads": int(module.num_heads)}, weights)


def _encoder(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    from sealane.export.network.torch_modules import layer_norm

    for index, layer in enumerate(module.layers):
        value = _encoder_layer(builder, f"{path}.layers.{index}", layer, value)
    if module.norm is not None:
        if type(module.norm).__name__ != "LayerNorm":
            raise _refused(path, f"{path}.norm", f"a {type(module.norm).__name__}")
        value = layer_norm(builder, f"{path}.norm", module.norm, value)
    return value


def _encoder_layer(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    if module.norm_first:
        attended = _self_attention(builder, path, module, _norm(builder, path, module, 1, value))
        value = builder.add(f"{path}.sum1", "add", [value, attended])
        fed = _feed_forward(builder, path, module, _norm(builder, path, module, 2, value))
        return builder.add(f"{path}.sum2", "add", [value, fed])
    attended = _self_attention(builder, path, module, value)
    value = builder.add(f"{path}.sum1", "add", [value, attended])
    value = _norm(builder, path, module, 1, value)
    fed = _feed_forward(builder, path, module, value)
    value = builder.add(f"{path}.sum2", "add", [value, fed])
    return _norm(builder, path, module, 2, value)


def _norm(builder: NetworkBuilder, path: str, module: Any, index: int, value: str) -> str:
    from sealane.export.network.torch_modules import layer_norm

    name = f"norm{index}"
    return layer_norm(builder, f"{path}.{name}", getattr(module, name), value)


def _self_attention(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    made = _attention(builder, f"{path}.self_attn", module.self_attn, [value] * 3)
    return _dropout(builder, f"{path}.dropout1", module.dropout1, made)


def _feed_forward(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    from sealane.export.network.torch_modules import weights_of

    for name in ("linear1", "linear2"):
        linear = getattr(module, name)
        weights = weights_of(linear, weight="weight", bias="bias")
        value = builder.add(f"{path}.{name}", "dense", [value], {}, weights)
        if name == "linear1":
            function = _function(path, module)
            value = builder.activation(f"{path}.activation", value, function)
            value = _dropout(builder, f"{path}.dropout", module.dropout, value)
    return _dropout(builder, f"{path}.dropout2", module.dropout2, value)


def _function(path: str, module: Any) -> str:
    functional = load_module("torch.nn.functional", "torch")
    nn = load_module("torch.nn", "torch")
    given = module.activation
    if given is functional.relu or type(given) is nn.ReLU:
        return "relu"
    if given is functional.gelu or (type(given) is nn.GELU and given.approximate == "none"):
        return "gelu"
    raise _refused(path, f"{path} (torch.nn.TransformerEncoderLayer)", f"activation {given!r:.80}")


def _dropout(builder: NetworkBuilder, path: str, module: Any, value: str) -> str:
    return builder.add(path, "dropout", [value], {"rate": float(module.p)}) if module.p else value


def _refused(path: str, kind: str, why: str) -> Exception:
    return unsupported(f"a network can not hold {kind}: {why}", layer=path)
