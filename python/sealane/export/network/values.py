"""What stands for a tensor while a traced model is walked."""

from __future__ import annotations

from dataclasses import dataclass

from sealane.export.errors import unsupported


class Value:
    """A tensor: an input or a layer of the network.

    No dataclass, for those in a model's result are containers of tensors.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


@dataclass(frozen=True, slots=True)
class Values:
    """Several tensors that PyTorch has stacked along a leading axis: the states of an RNN."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class BatchSize:
    """The size of the batch, which no network computes with."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A result that a network can not give; using it is the fault."""

    reason: str


def plain(value: object, what: str) -> str:
    """The name of a tensor's layer.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED for anything else.
    """
    if isinstance(value, Value):
        return value.name
    if isinstance(value, Refused):
        raise unsupported(f"{what}: {value.reason}")
    if isinstance(value, Values):
        raise unsupported(
            f"{what} takes the stacked states of a recurrent layer; a network has them one by one"
        )
    raise unsupported(f"{what} needs a tensor of the network, not {value!r:.80}")
