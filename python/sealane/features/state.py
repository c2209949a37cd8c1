"""The JSON form of fitted features."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, cast, get_args

from sealane.core import Domain, DType, TensorSpec
from sealane.features.declare import Kind
from sealane.features.program import FittedChain, invalid, step_from_json, step_to_json

if TYPE_CHECKING:
    from sealane.features.fitted import FittedFeatures, Group

FORMAT = "sealane-features"
VERSION = 1

Json = dict[str, object]


def to_state(fitted: FittedFeatures) -> Json:
    """Fitted features as JSON values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "inputs": [_input_to_json(spec) for spec in fitted.input_signature],
        "chains": [
            {
                "name": chain.name,
                "column": chain.column,
                "read": chain.read,
                "steps": [step_to_json(step) for step in chain.steps],
            }
            for chain in fitted.chains
        ],
        "groups": [
            {
                "name": group.name,
                "features": list(group.features),
                "widths": list(group.widths),
                "cardinalities": list(group.cardinalities),
                "single": group.single,
            }
            for group in fitted.groups
        ],
    }


def _input_to_json(spec: TensorSpec) -> Json:
    domain = spec.domain or Domain()
    vocabulary = None if domain.vocabulary is None else list(domain.vocabulary)
    return {
        "name": spec.name,
        "dtype": spec.dtype.value,
        "semantic": spec.semantic,
        "nullable": domain.nullable,
        "minimum": domain.minimum,
        "maximum": domain.maximum,
        "vocabulary": vocabulary,
    }


def parse(text: str | bytes) -> Json:
    """JSON text as an object of this format and version.

    Raises:
        SealaneError: ARTIFACT_INVALID when it is not.
    """
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid(f"no JSON ({error})") from None
    if not isinstance(parsed, dict):
        raise invalid("no JSON object")
    found = cast("Json", parsed)
    if found.get("format") != FORMAT or found.get("version") != VERSION:
        raise invalid(f"format {found.get('format')!r} version {found.get('version')!r}")
    return found


def from_state(parsed: Json) -> FittedFeatures:
    """Fitted features from `parse`'s result.

    Raises:
        SealaneError: ARTIFACT_INVALID when members are missing, of a wrong type or do not fit
            together.
    """
    from sealane.features.fitted import FittedFeatures

    try:
        inputs = tuple(_input_from_json(item) for item in _objects(parsed["inputs"]))
        chains = tuple(_chain_from_json(item) for item in _objects(parsed["chains"]))
        groups = tuple(_group_from_json(item) for item in _objects(parsed["groups"]))
        fitted = FittedFeatures(inputs, chains, groups)
        _check_runs(fitted)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise invalid(f"{type(error).__name__} {error}") from None
    return fitted


def _check_runs(fitted: FittedFeatures) -> None:
    """Runs the program on one row, so that names, kinds and widths fit together."""
    import numpy as np

    from sealane.features.ops import NumpyOps

    raw = {
        spec.name: np.array([""], object)
        if spec.dtype is DType.BYTES
        else np.ones(1, spec.dtype.numpy)
        for spec in fitted.input_signature
    }
    outputs = fitted.run(NumpyOps(), raw)
    for spec in fitted.output_signature:
        shape = tuple(1 if dim == "batch" else dim for dim in spec.shape)
        if outputs[spec.name].shape != shape or outputs[spec.name].dtype != spec.dtype.numpy:
            raise invalid(f"output {spec.name!r} is not as its steps make it")


def _objects(value: object) -> list[Json]:
    if not isinstance(value, list) or not all(
        isinstance(i, dict) for i in cast("list[object]", value)
    ):
        raise invalid("expected a list of objects")
    return cast("list[Json]", value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise invalid(f"expected a string, received {value!r}")
    return value


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise invalid(f"expected a number, received {value!r}")
    return float(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in cast("list[object]", value))


def _input_from_json(item: Json) -> TensorSpec:
    vocabulary = item["vocabulary"]
    domain = Domain(
        nullable=item["nullable"] is True,
        minimum=_number(item["minimum"]),
        maximum=_number(item["maximum"]),
        vocabulary=None if vocabulary is None else _texts(vocabulary),
    )
    name, dtype = _text(item["name"]), DType(_text(item["dtype"]))
    semantic = None if item["semantic"] is None else _text(item["semantic"])
    return TensorSpec(name, dtype, ("batch",), semantic, domain)


def _chain_from_json(item: Json) -> FittedChain:
    read = _text(item["read"])
    if read not in get_args(Kind):
        raise invalid(f"a column read as {read!r}")
    program = tuple(step_from_json(step) for step in _objects(item["steps"]))
    return FittedChain(_text(item["name"]), _text(item["column"]), cast("Kind", read), program)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise invalid(f"expected a count, received {value!r}")
    return value


def _group_from_json(item: Json) -> Group:
    from sealane.features.fitted import Group

    widths = tuple(None if w is None else _whole(w) for w in cast("list[object]", item["widths"]))
    cardinalities = tuple(_whole(c) for c in cast("list[object]", item["cardinalities"]))
    features = _texts(item["features"])
    if not features or len(widths) != len(features) or len(cardinalities) not in (0, len(features)):
        raise invalid("a group's lists differ in length")
    return Group(_text(item["name"]), features, widths, cardinalities, item["single"] is True)
