"""What TensorFlow for Java can run of a SavedModel, as data that a probe of it wrote.

It is an older TensorFlow than Python's, and refuses a graph with an operator, or an attribute of
one, that came later; here that is told when the model is exported.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from sealane.bundle.protobuf_wire import fields, messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE = "tensorflow_java.json"
_META_GRAPH, _GRAPH, _NODE, _LIBRARY, _FUNCTION, _BODY = 2, 2, 1, 2, 1, 3
_OP, _ATTRIBUTE, _KEY = 2, 5, 1
_FUNCTION_SIGNATURE, _NAME = 1, 1


@dataclass(frozen=True, slots=True)
class TensorflowJava:
    """The operators of one version.

    Attributes:
        version: TensorFlow's.
        operators: Operator with a kernel for the CPU → its attributes.
    """

    version: str
    operators: dict[str, frozenset[str]]

    def lacking(self, directory: Path) -> list[str]:
        """What the graph and functions of a SavedModel use and this version has not.

        Args:
            directory: The one that holds ``saved_model.pb``.

        Returns:
            ``operator X``, ``attribute a of operator X``: sorted, each once; none when it runs.
        """
        model = memoryview((directory / "saved_model.pb").read_bytes())
        found: set[str] = set()
        for meta_graph in messages(model, _META_GRAPH):
            for graph in messages(meta_graph, _GRAPH):
                own, nodes = _functions_and_nodes(graph)
                for operator, attributes in nodes:
                    if operator not in own:
                        found.update(self._lacking_of(operator, attributes))
        return sorted(found)

    def _lacking_of(self, operator: str, attributes: set[str]) -> Iterator[str]:
        known = self.operators.get(operator)
        if known is None:
            yield f"operator {operator}"
            return
        for name in attributes - known:
            if not name.startswith("_"):
                yield f"attribute {name} of operator {operator}"


@cache
def tensorflow_java() -> TensorflowJava:
    """The table of the pinned version."""
    text = resources.files("sealane.export").joinpath(TABLE).read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    operators = {name: frozenset(each) for name, each in table["operators"].items()}
    return TensorflowJava(table["version"], operators)


def _functions_and_nodes(graph: memoryview) -> tuple[set[str], list[tuple[str, set[str]]]]:
    nodes = [_node(each) for each in messages(graph, _NODE)]
    own: set[str] = set()
    for library in messages(graph, _LIBRARY):
        for function in messages(library, _FUNCTION):
            for signature in messages(function, _FUNCTION_SIGNATURE):
                own.update(str(name, "utf-8") for name in messages(signature, _NAME))
            nodes += [_node(each) for each in messages(function, _BODY)]
    return own, nodes


def _node(node: memoryview) -> tuple[str, set[str]]:
    operator, attributes = "", set[str]()
    for number, value in fields(node):
        if isinstance(value, int):
            continue
        if number == _OP:
            operator = str(value, "utf-8")
        elif number == _ATTRIBUTE:
            attributes.update(str(key, "utf-8") for key in messages(value, _KEY))
    return operator, attributes
