"""``torch.nn.LSTM`` and ``torch.nn.GRU`` → recurrent layers, one for each layer and direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.network.values import Refused, Value, Values, plain

if TYPE_CHECKING:
    from sealane.export.network.builder import Array, NetworkBuilder

MERGED_BIAS = "PyTorch trains two biases whose sum is the layer's; the JVM trains the sum"


def is_recurrent(module: Any) -> bool:
    """Whether it is an LSTM or GRU."""
    nn = load_module("torch.nn", "torch")
    return type(module) in (nn.LSTM, nn.GRU)


def recurrent(
    builder: NetworkBuilder,
    path: str,
    module: Any,
    arguments: list[Any],
    named: dict[str, Any],
    used: set[Any],
) -> Any:
    """What the module returns: the steps of its last layer, and its states."""
    kind = f"{path} (torch.nn.{type(module).__name__})"
    if len(arguments) != 1 or named:
        raise _refused(path, kind, "it is called with a first state")
    if not module.batch_first:
        raise _refused(path, kind, "batch_first=False; a network has the batch at axis 0")
    if not module.bias or getattr(module, "proj_size", 0):
        raise _refused(path, kind, "bias=False or proj_size")
    if module.dropout and module.num_layers > 1 and module.dropout >= 1:
        raise _refused(path, kind, f"dropout={module.dropout}")
    steps_used, states_used = not used or 0 in used, not used or 1 in used
    value = plain(arguments[0], kind)
    last: tuple[Value, ...] = ()
    for index in range(module.num_layers):
        top = index == module.num_layers - 1
        sequence = not top or steps_used
        parts = _layer(builder, path, module, index, value, sequence=sequence)
        if not sequence:
            last = tuple(Value(part) for part in parts)
            break
        value = parts[0]
        if len(parts) > 1:
            value = builder.add(f"{path}.both_l{index}", "concat", parts, {"axis": 2})
        if not top and module.dropout:
            name = f"{path}.dropout_l{index}"
            value = builder.add(name, "dropout", [value], {"rate": float(module.dropout)})
    if states_used and steps_used and not module.bidirectional:
        last = (Value(builder.add(f"{path}.last", "last_step", [value])),)
    return (Value(value), _states(module, last))


def _states(module: Any, last: tuple[Value, ...]) -> Any:
    """h_n, and for an LSTM (h_n, c_n); only the last layer's h is there."""
    lower = Refused("the state of a lower layer, or a state beside the steps, is not in a network")
    if not last:
        hidden: Any = lower
    elif module.num_layers == 1:
        hidden = Values(last)
    else:
        count = (module.num_layers - 1) * len(last)
        hidden = Values((*(Value("") for _ in range(count)), *last))
    if type(module).__name__ == "GRU":
        return hidden
    return (hidden, Refused("the cell state of an LSTM is not in a network"))


def _layer(
    builder: NetworkBuilder, path: str, module: Any, index: int, value: str, *, sequence: bool
) -> list[str]:
    from sealane.export.network.torch_modules import array

    op = "lstm" if type(module).__name__ == "LSTM" else "gru"
    parts: list[str] = []
    for reverse in (False, True) if module.bidirectional else (False,):
        suffix = f"l{index}{'_reverse' if reverse else ''}"
        input_bias = array(getattr(module, f"bias_ih_{suffix}"))
        recurrent_bias = array(getattr(module, f"bias_hh_{suffix}"))
        weights: dict[str, Array] = {
            "input_weight": array(getattr(module, f"weight_ih_{suffix}")),
            "recurrent_weight": array(getattr(module, f"weight_hh_{suffix}")),
        }
        if op == "lstm":
            weights["bias"] = input_bias + recurrent_bias
            builder.notes.append(f"{path}.{suffix}: {MERGED_BIAS}")
        else:
            weights |= {"input_bias": input_bias, "recurrent_bias": recurrent_bias}
        attributes = {"sequence": sequence, "reverse": reverse}
        parts.append(builder.add(f"{path}.{suffix}", op, [value], attributes, weights))
    return parts


def _refused(path: str, kind: str, why: str) -> Exception:
    return unsupported(f"a network can not hold {kind}: {why}", layer=path)
