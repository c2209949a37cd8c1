"""The fitted program of a chain: straight-line steps, run on any backend, printed to JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sealane.core import ErrorCode, SealaneError
from sealane.features import steps

if TYPE_CHECKING:
    from sealane.features.declare import Kind
    from sealane.features.ops import Ops, V


@dataclass(frozen=True, slots=True)
class FittedChain:
    """The steps that turn one raw column into features.

    Attributes:
        name: The feature's name, the first value of the program.
        column: The raw column.
        read: What the column is read as: ``text``, ``integer`` or ``number``.
        steps: The instructions in order.
    """

    name: str
    column: str
    read: Kind
    steps: tuple[steps.Step, ...]

    def run(self, ops: Ops[V], value: V) -> dict[str, V]:
        """All values of the program by name, from the column's value as read."""
        values = {self.name: value}
        for step in self.steps:
            made = step.apply(ops, values[step.source])
            values.update(zip(step.targets, made, strict=True))
        if any(isinstance(step, steps.DatePart) for step in self.steps):
            values.pop(self.name)
        return values


def step_to_json(step: steps.Step) -> dict[str, object]:
    """A step as a JSON object: ``kind`` and its fields."""
    return {"kind": step.kind, **dataclasses.asdict(step)}


def invalid(problem: str) -> SealaneError:
    """The error of a state that can not be read."""
    return SealaneError(
        ErrorCode.ARTIFACT_INVALID,
        f"The state of fitted features is invalid: {problem}. Write it again with to_json().",
    )


_KINDS = {step.kind: step for step in steps.STEPS}


def step_from_json(state: object) -> steps.Step:
    """The step that `step_to_json` printed.

    Raises:
        SealaneError: ARTIFACT_INVALID when it is none.
    """
    if not isinstance(state, Mapping):
        raise invalid("a step is not an object")
    fields = dict(cast("Mapping[str, object]", state))
    step = _KINDS.get(str(fields.pop("kind", None)))
    if step is None:
        raise invalid("a step is of no known kind")
    known = {field.name: str(field.type) for field in dataclasses.fields(step)}
    if set(fields) != set(known):
        raise invalid(f"a {step.kind} step has the fields {sorted(fields)}")
    made = step(**{name: _value(fields[name], known[name]) for name in known})  # pyright: ignore[reportArgumentType]
    _check_ranges(made)
    return made


def _value(value: object, declared: str) -> object:
    """A JSON value as the declared type of a field."""
    if declared.startswith("tuple[") and isinstance(value, list):
        inner = declared.removeprefix("tuple[").split(",")[0]
        return tuple(_value(item, inner) for item in cast("list[object]", value))
    if declared == "float | None" and value is None:
        return None
    if declared == "bool" and isinstance(value, bool):
        return value
    if declared in ("str", "Part", "Encoding") and isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if declared == "int" and isinstance(value, int):
            return value
        if declared.startswith("float") and math.isfinite(value):
            return float(value)
    raise invalid(f"{value!r} is no {declared}")


def _check_ranges(step: steps.Step) -> None:
    match step:
        case steps.DatePart(part=part, encoding=encoding, offset=offset):
            if abs(offset) > steps.OFFSET_LIMIT:
                raise invalid(f"an offset of {offset} seconds")
            if part not in ("year", *steps.PART_RANGE):
                raise invalid(f"no date part {part!r}")
            if encoding not in ("category", "number", "sine", "cosine"):
                raise invalid(f"no encoding {encoding!r}")
            if part == "year" and encoding != "number":
                raise invalid("a year is a number")
        case steps.IndexText(keys=keys):
            if not keys or "" in keys or len(set(keys)) != len(keys):
                raise invalid("a vocabulary is empty or repeats")
        case steps.IndexInteger(keys=keys):
            if (
                not keys
                or len(set(keys)) != len(keys)
                or any(not -(2**63) <= k < 2**63 for k in keys)
            ):
                raise invalid("a vocabulary is empty, repeats or is beyond INT64")
        case steps.Bucket(boundaries=bounds):
            if not bounds or list(bounds) != sorted(set(bounds)):
                raise invalid("boundaries are not ascending")
        case steps.OneHot(depth=depth):
            if not 1 <= depth <= 2**20:
                raise invalid("a one-hot depth is out of range")
        case _:
            pass
