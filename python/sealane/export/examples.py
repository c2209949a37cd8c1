"""Example inputs, in whatever form they are given, as named arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import ml_dtypes
import numpy as np

from sealane.core import DType
from sealane.export.errors import unsupported

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]


class Style(Enum):
    """How a model takes its inputs."""

    POSITIONAL = "positional"
    KEYWORD = "keyword"


@dataclass(frozen=True, slots=True)
class Examples:
    """Named example inputs in the order of the model's arguments.

    Attributes:
        arrays: Name → array; BYTES as object arrays of ``str`` or None.
        style: Whether the model takes them by position or by name.
    """

    arrays: Arrays
    style: Style


def parse_examples(
    given: object, names: Sequence[str] | None, default_names: Sequence[str]
) -> Examples:
    """Turn example inputs into named arrays.

    Args:
        given: A tuple or list of arrays or tensors (by position), one array, a mapping name →
            array, or a pandas DataFrame (column → vector).
        names: The signature's input names for inputs given by position.
        default_names: What to call them otherwise, from the model itself.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` for a dtype that no signature can hold, or names that
            do not fit the inputs.
    """
    if hasattr(given, "columns") and hasattr(given, "iloc"):
        given = {str(column): cast("Any", given)[column] for column in cast("Any", given).columns}
    if isinstance(given, Mapping):
        pairs = cast("Mapping[object, object]", given)
        arrays = {str(key): to_array(value, str(key)) for key, value in pairs.items()}
        if names is not None and sorted(names) != sorted(arrays):
            raise unsupported(
                f"input_names {list(names)} are not the examples' names {list(arrays)}"
            )
        return Examples(arrays, Style.KEYWORD)
    values = list(cast("Sequence[object]", given)) if isinstance(given, tuple | list) else [given]
    chosen = list(names or default_names[: len(values)])
    if names is None and len(chosen) < len(values):
        chosen += [f"input_{index}" for index in range(len(chosen), len(values))]
    if len(chosen) != len(values) or len(set(chosen)) != len(chosen) or not values:
        raise unsupported(f"{len(values)} example inputs do not fit the input names {chosen}")
    arrays = {name: to_array(value, name) for name, value in zip(chosen, values, strict=True)}
    return Examples(arrays, Style.POSITIONAL)


def to_array(value: object, name: str) -> Array:
    """One array, tensor, column or nested list as a NumPy array of a signature's dtype.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` when its dtype is none of a signature's.
    """
    value = _detached(cast("Any", value))
    if hasattr(value, "to_numpy"):
        array = np.asarray(cast("Any", value).to_numpy())
    else:
        array = np.asarray(value)
    dtype = DType.from_numpy(array.dtype)
    if dtype is None:
        raise unsupported(
            f"input {name!r} has dtype {array.dtype}; a signature can hold {', '.join(DType)}",
            input=name,
            dtype=str(array.dtype),
        )
    return _strings(array, name) if dtype is DType.BYTES else array


def _detached(value: Any) -> object:
    """A framework's tensor as a NumPy array on the host; anything else as it is."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            return value.float().numpy().astype(ml_dtypes.bfloat16)
        return value.resolve_conj().resolve_neg().numpy()
    if hasattr(value, "numpy") and hasattr(value, "shape"):
        return value.numpy()
    return value


def _strings(array: Array, name: str) -> Array:
    flat: list[str | None] = []
    for value in cast("list[object]", array.reshape(-1).tolist()):
        if value is None or (isinstance(value, float) and np.isnan(value)):
            flat.append(None)
        elif isinstance(value, bytes):
            flat.append(value.decode("utf-8"))
        elif isinstance(value, str):
            flat.append(value)
        elif type(value).__name__ in ("NAType", "NaTType"):
            flat.append(None)
        else:
            raise unsupported(
                f"input {name!r} holds a {type(value).__name__} among its strings", input=name
            )
    result: Array = np.empty(array.size, object)
    result[:] = flat
    return result.reshape(array.shape)
