"""The operators of a network: their attributes and weights (network format §4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from sealane.bundle.json_members import boolean, invalid, items, kind_of, number, one_of

if TYPE_CHECKING:
    from sealane.bundle.network import Attribute

MAX_INTEGER = 1 << 20

Parse = Callable[[object, str], "Attribute"]


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """An attribute of an operator.

    Attributes:
        name: As in ``network.json``.
        parse: JSON value and place → value.
        default: The value when it is absent; None when it must be there.
    """

    name: str
    parse: Parse
    default: Attribute | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """What a layer of this operator holds.

    Attributes:
        attributes: In the order they are printed.
        roles: Roles of weights that must be there.
        optional: Roles that may be there.
        least: Fewest inputs.
        most: Most inputs; None for no bound.
    """

    attributes: tuple[AttributeRule, ...] = ()
    roles: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    least: int = 1
    most: int | None = 1


def _whole(minimum: int) -> Parse:
    def parse(value: object, where: str) -> int:
        if type(value) is not int:
            raise invalid(where, f"expected an integer, received {kind_of(value)}")
        if not minimum <= value <= MAX_INTEGER:
            raise invalid(where, f"{value} is outside {minimum}..{MAX_INTEGER}")
        return value

    return parse


def _sizes(minimum: int) -> Parse:
    parse_one = cast("Callable[[object, str], int]", _whole(minimum))
    return cast("Parse", items(parse_one))


def _single(value: object, where: str) -> float:
    """A number that is finite as float32."""
    parsed = number(value, where)
    with np.errstate(over="ignore"):
        if not np.isfinite(np.float32(parsed)):
            raise invalid(where, f"{parsed} is not finite as float32")
    return parsed


def _within(low: float, high: float, *, closed: str) -> Parse:
    """A number between two bounds, ``closed`` naming those that belong to it."""

    def parse(value: object, where: str) -> float:
        parsed = number(value, where)
        above = parsed >= low if "low" in closed else parsed > low
        below = parsed <= high if "high" in closed else parsed < high
        if not (above and below):
            raise invalid(where, f"{parsed} is outside its range {low:g}..{high:g}")
        return parsed

    return parse


_RATE = _within(0, 1, closed="low")
_EPSILON = AttributeRule("epsilon", _within(0, 1, closed=""))
_WINDOW = (
    AttributeRule("kernel", _sizes(1)),
    AttributeRule("strides", _sizes(1)),
    AttributeRule("pads", _sizes(0)),
)
_RECURRENT = (AttributeRule("sequence", boolean), AttributeRule("reverse", boolean, default=False))
_STATISTICS = ("scale", "offset", "mean", "variance")

FUNCTIONS = (
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "sigmoid",
    "tanh",
    "softmax",
    "log_softmax",
    "softplus",
    "softsign",
    "gelu",
    "gelu_tanh",
    "swish",
    "mish",
    "hard_sigmoid",
    "hard_swish",
)
"""What ``activation`` may compute."""
SLOPED = ("leaky_relu", "elu")
"""The functions with the attribute ``alpha``."""
ALPHA = AttributeRule("alpha", _single)

OPERATORS: dict[str, Operator] = {
    "dense": Operator(roles=("weight",), optional=("bias",)),
    "conv": Operator(
        (
            AttributeRule("strides", _sizes(1)),
            AttributeRule("dilations", _sizes(1)),
            AttributeRule("pads", _sizes(0)),
            AttributeRule("groups", _whole(1)),
        ),
        ("weight",),
        ("bias",),
    ),
    "batch_norm": Operator(
        (
            _EPSILON,
            AttributeRule("momentum", _within(0, 1, closed="high")),
            AttributeRule("unbiased", boolean),
        ),
        _STATISTICS,
    ),
    "layer_norm": Operator((_EPSILON,), ("scale", "offset")),
    "max_pool": Operator(_WINDOW),
    "average_pool": Operator((*_WINDOW, AttributeRule("count_padding", boolean))),
    "global_average_pool": Operator(),
    "global_max_pool": Operator(),
    "lstm": Operator(_RECURRENT, ("input_weight", "recurrent_weight", "bias")),
    "gru": Operator(
        _RECURRENT, ("input_weight", "recurrent_weight", "input_bias", "recurrent_bias")
    ),
    "embedding": Operator(roles=("weight",)),
    "attention": Operator(
        (AttributeRule("heads", _whole(1)),),
        tuple(f"{part}_weight" for part in ("query", "key", "value", "output")),
        tuple(f"{part}_bias" for part in ("query", "key", "value", "output")),
        least=3,
        most=3,
    ),
    "activation": Operator((AttributeRule("function", one_of(FUNCTIONS)),)),
    "dropout": Operator((AttributeRule("rate", _RATE),)),
    "add": Operator(least=2, most=None),
    "multiply": Operator(least=2, most=None),
    "concat": Operator((AttributeRule("axis", _whole(1)),), least=2, most=None),
    "reshape": Operator((AttributeRule("shape", _sizes(1)),)),
    "transpose": Operator((AttributeRule("permutation", _sizes(0)),)),
    "pad": Operator(
        (AttributeRule("pads", _sizes(0)), AttributeRule("value", _single, default=0.0))
    ),
    "last_step": Operator(),
    "rescale": Operator((AttributeRule("scale", _single), AttributeRule("offset", _single))),
}
"""Every operator of format 1.0, by name."""


def attribute_rules(op: str, function: str | None = None) -> tuple[AttributeRule, ...]:
    """The attributes of an operator, with ``alpha`` where an activation's function has it."""
    rules = OPERATORS[op].attributes
    return (*rules, ALPHA) if op == "activation" and function in SLOPED else rules
