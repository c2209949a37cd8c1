"""One ONNX node on its way to TensorFlow, and the closed table of operators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import onnx
from onnx import helper

from sealane.export.errors import unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sealane.core import SealaneError

Value = Any
"""A NumPy array (a constant) or a TensorFlow tensor; None for an optional input left out."""

Array = np.ndarray[Any, np.dtype[Any]]

Handler = Any
"""A function of a `Node` and its input values that gives one value or a tuple of values."""


def is_array(value: Value) -> TypeGuard[Array]:
    """Whether a value is a constant."""
    return isinstance(value, np.ndarray)


@dataclass
class Node:
    """What a handler may ask of a node.

    Attributes:
        tf: The ``tensorflow`` module.
        op: The operator's name.
        name: The node's name, for messages.
        version: The opset version that defined this form of the operator.
        outputs: Names of the outputs; empty where not wanted.
        attributes: By name; a handler takes each that it honours.
        weights: Keeps a constant as a variable of the module, in the layout that is wanted.
    """

    tf: Any
    op: str
    name: str
    version: int
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    weights: Callable[[Array], Any]
    taken: set[str] = field(default_factory=set[str])

    def take(self, name: str, default: Any = None) -> Any:
        """An attribute's value, or the default when absent; text is decoded."""
        self.taken.add(name)
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def expect(self, name: str, *allowed: Any, default: Any = None) -> Any:
        """An attribute that only some values are handled for.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED for any other value.
        """
        value = self.take(name, allowed[0] if default is None else default)
        if value not in allowed:
            raise self.refuse(f"{name} = {value!r}")
        return value

    def refuse(self, what: str) -> SealaneError:
        """The error that names this node and what of it has no TensorFlow form."""
        where = f" (node {self.name!r})" if self.name else ""
        return unsupported(f"ONNX operator {self.op}{where} has no TensorFlow form with {what}")

    def constant(self, value: Value, what: str) -> Array:
        """A value that must be known when converting.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED when it depends on the model's inputs.
        """
        if is_array(value):
            return value
        found = self.tf.get_static_value(value)
        if found is None:
            raise self.refuse(f"{what} that depends on the model's inputs")
        return np.asarray(found)

    def integers(self, value: Value, what: str) -> list[int]:
        """A constant as a flat list of integers."""
        return [int(item) for item in self.constant(value, what).reshape(-1)]

    def rank(self, value: Value) -> int:
        """How many dims a value has.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED when unknown.
        """
        rank = value.ndim if is_array(value) else value.shape.rank
        if rank is None:
            raise self.refuse("an input of unknown rank")
        return int(rank)

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED when it is out of range.
        """
        if not -rank <= axis < rank:
            raise self.refuse(f"axis {axis} of a tensor of rank {rank}")
        return axis % rank

    def shape(self, value: Value) -> Value:
        """A value's dims as int64, static where known."""
        if is_array(value):
            return np.array(value.shape, np.int64)
        if value.shape.is_fully_defined():
            return np.array(value.shape.as_list(), np.int64)
        return self.tf.shape(value, out_type=self.tf.int64)

    def sizes(self, value: Value) -> list[int | None]:
        """A value's dims, None where unknown."""
        if is_array(value):
            return list(value.shape)
        self.rank(value)
        return list(value.shape.as_list())

    def finish(self) -> None:
        """Refuses attributes that no one took.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED naming them.
        """
        unknown = sorted(set(self.attributes) - self.taken)
        if unknown:
            raise self.refuse(f"the attribute {', '.join(unknown)}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table: the operator's forms that are handled, and by what."""

    versions: frozenset[int]
    handler: Handler


TABLE: dict[str, Entry] = {}
"""Every operator of the default ONNX domain that has a TensorFlow form."""


def op(name: str, *versions: int) -> Callable[[Handler], Handler]:
    """Puts a handler into the table.

    Args:
        name: The operator.
        versions: The opset versions that defined the forms it handles.
    """

    def register(handler: Handler) -> Handler:
        TABLE[name] = Entry(frozenset(versions), handler)
        return handler

    return register


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """A node's attributes as Python values."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def padded(values: Sequence[int] | None, length: int, default: int) -> list[int]:
    """A list attribute, or ``length`` times its default."""
    return list(values) if values else [default] * length
