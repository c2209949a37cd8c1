"""A call's inputs, checked once against the signature.

What leaves :meth:`InputParser.parse` can not be wrong: every input of the signature is there, as a
native-endian, aligned, C-contiguous array of the declared dtype whose shape and values the
signature accepts.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.core import Dim, DType, ErrorCode, SealaneError, Signature, SymbolRange, TensorSpec
from sealane.runtime.domains import domain_check
from sealane.runtime.values import AnyArray, read_value, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TENSOR_BYTES = 2**33
"""Bytes one input may have: the reader's own limit on a tensor (docs/bundle-format.md §4)."""

_BYTES_WIDTH = 16
"""What one BYTES element counts for (docs/bundle-format.md §2.1)."""

_REMEMBERED_SHAPES = 256
"""Accepted combinations of shapes that are kept: enough for any loop, too few to be felt."""


@dataclass(frozen=True, slots=True)
class _Expected:
    """One input of the signature, taken apart so that the check of a call is cheap.

    Attributes:
        spec: The input's declaration.
        name: Its name.
        dtype: Its NumPy dtype.
        is_text: Whether it is BYTES, whose elements must be looked at.
        width: Bytes one element counts for.
        dims: Its declared dims.
        rank: Their number.
        check_domain: Refuses values outside the domain; None when every value is inside.
    """

    spec: TensorSpec
    name: str
    dtype: np.dtype[np.generic]
    is_text: bool
    width: int
    dims: tuple[Dim, ...]
    rank: int
    check_domain: Callable[[AnyArray], None] | None


class InputParser:
    """Checks inputs against one signature. Safe for use by several threads.

    Shapes that were accepted are remembered, so that a loop of equal calls checks them once.

    Args:
        signature: The model's signature.
        max_tensor_bytes: Bytes one input may have; BYTES elements count 16 each.
    """

    def __init__(self, signature: Signature, *, max_tensor_bytes: int = MAX_TENSOR_BYTES) -> None:
        self._signature = signature
        self._max_tensor_bytes = max_tensor_bytes
        self._expected = tuple(
            _Expected(
                spec=spec,
                name=spec.name,
                dtype=spec.dtype.numpy,
                is_text=spec.dtype is DType.BYTES,
                width=spec.dtype.width or _BYTES_WIDTH,
                dims=spec.shape,
                rank=len(spec.shape),
                check_domain=domain_check(spec),
            )
            for spec in signature.inputs
        )
        self._has_domains = any(each.check_domain is not None for each in self._expected)
        self._accepted: set[tuple[tuple[int, ...], ...]] = set()

    def parse(self, inputs: Mapping[str, object]) -> dict[str, AnyArray]:
        """The inputs as arrays, in the signature's order.

        Args:
            inputs: Input name → NumPy array, nested lists, pandas column or any object with
                ``__array__``. See :mod:`sealane.runtime.values` for which values are converted.

        Returns:
            Input name → native-endian, aligned, C-contiguous array of the declared dtype. An array
            that already is so is passed on without a copy; BYTES are object arrays of ``str``.

        Raises:
            SealaneError: INPUT_MISSING, INPUT_UNKNOWN, INPUT_DTYPE, INPUT_SHAPE, INPUT_RAGGED,
                INPUT_NULL, INPUT_DOMAIN or INPUT_TOO_LARGE, naming input, row, expected and
                received.
        """
        is_dict = type(cast("object", inputs)) is dict
        given: Mapping[str, object] = inputs if is_dict else _as_mapping(inputs)
        if len(given) != len(self._expected):
            self._refuse_names(given)
        parsed: dict[str, AnyArray] = {}
        shapes: list[tuple[int, ...]] = []
        tidy = not self._has_domains
        for expected in self._expected:
            name = expected.name
            if name not in given:
                self._refuse_names(given)
            array = cast("AnyArray", given[name])
            plain = type(array) is np.ndarray and array.dtype == expected.dtype
            if plain and not expected.is_text:
                flags = array.flags
                tidy = tidy and flags.c_contiguous and flags.aligned
            else:
                array = self._read(expected, given[name])
                tidy = False
            parsed[name] = array
            shapes.append(array.shape)
        accepted = tuple(shapes)
        if accepted not in self._accepted:
            self._check_shapes(accepted)
        return parsed if tidy else self._settle(parsed)

    def _read(self, expected: _Expected, value: Any) -> AnyArray:
        if isinstance(value, np.ndarray):
            # Reading text looks at every element, so a size that is refused must be so before.
            self._check_size(expected, cast("AnyArray", value).shape)
        return read_value(expected.spec, cast("object", value))

    def _settle(self, parsed: dict[str, AnyArray]) -> dict[str, AnyArray]:
        """Brings arrays of accepted shapes into native layout and checks their values."""
        for expected in self._expected:
            array = parsed[expected.name] = _native(parsed[expected.name])
            if expected.check_domain is not None:
                expected.check_domain(array)
        return parsed

    def _check_shapes(self, shapes: tuple[tuple[int, ...], ...]) -> None:
        symbols: dict[str, tuple[int, str]] = {}
        for expected, shape in zip(self._expected, shapes, strict=True):
            self._check_size(expected, shape)
            self._check_shape(expected, shape, symbols)
        if len(self._accepted) < _REMEMBERED_SHAPES:
            self._accepted.add(shapes)

    def _check_shape(
        self, expected: _Expected, shape: tuple[int, ...], symbols: dict[str, tuple[int, str]]
    ) -> None:
        spec = expected.spec
        if len(shape) != expected.rank:
            raise _misshaped(spec, shape, f"rank {expected.rank}, {spec}")
        for axis, (dim, size) in enumerate(zip(expected.dims, shape, strict=True)):
            if isinstance(dim, int):
                if size != dim:
                    raise _misshaped(spec, shape, f"{dim} at axis {axis}, {spec}")
                continue
            bound = symbols.get(dim)
            if bound is None:
                self._check_symbol(spec, dim, size, shape)
                symbols[dim] = (size, spec.name)
            elif bound[0] != size:
                raise _misshaped(
                    spec, shape, f"{dim} = {bound[0]} at axis {axis}, as in '{bound[1]}'"
                )

    def _check_symbol(
        self, spec: TensorSpec, symbol: str, size: int, shape: tuple[int, ...]
    ) -> None:
        allowed = self._signature.symbols.get(symbol)
        if allowed is None:
            return
        too_large = allowed.maximum is not None and size > allowed.maximum
        if size < allowed.minimum or too_large or size % allowed.multiple_of:
            raise _misshaped(spec, shape, f"{symbol} {_range_text(allowed)}")

    def _check_size(self, expected: _Expected, shape: tuple[int, ...]) -> None:
        elements = 1
        for size in shape:
            elements *= size or 1
        if elements * expected.width > self._max_tensor_bytes:
            raise refuse(
                ErrorCode.INPUT_TOO_LARGE,
                expected.spec,
                "too large",
                expected=f"at most {self._max_tensor_bytes} bytes",
                received=f"shape {list(shape)}, {elements * expected.width} bytes",
            )

    def _refuse_names(self, inputs: Mapping[str, object]) -> None:
        names = [expected.spec.name for expected in self._expected]
        for name in inputs:
            if name not in names:
                raise unknown_name("input", name, names)
        missing = [name for name in names if name not in inputs]
        raise SealaneError(
            ErrorCode.INPUT_MISSING,
            f"input '{missing[0]}' is missing: expected {', '.join(names) or 'no inputs'}, "
            f"received {', '.join(inputs) or 'none'}",
            {"input": missing[0], "missing": missing},
        )


def requested_outputs(signature: Signature, outputs: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the outputs to compute, in the order asked for; all when none are named.

    Raises:
        SealaneError: INPUT_UNKNOWN for a name that the signature does not have.
    """
    names = [spec.name for spec in signature.outputs]
    if outputs is None:
        return tuple(names)
    wanted = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    for name in wanted:
        if name not in names:
            raise unknown_name("output", name, names)
    return tuple(dict.fromkeys(wanted)) or tuple(names)


def unknown_name(kind: str, name: object, names: list[str]) -> SealaneError:
    """INPUT_UNKNOWN for a name that is not in the signature, with the nearest that is."""
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return SealaneError(
        ErrorCode.INPUT_UNKNOWN,
        f"'{str(name)[:80]}' is not an {kind} of this model: expected "
        f"{', '.join(names) or 'none'}{hint}",
        {kind: str(name)[:80], "expected": names},
    )


def _as_mapping(inputs: object) -> Mapping[str, object]:
    if isinstance(inputs, Mapping):
        return cast("Mapping[str, object]", inputs)
    if hasattr(inputs, "keys") and hasattr(inputs, "__getitem__"):
        table = cast("Any", inputs)
        return {name: table[name] for name in table.keys()}  # noqa: SIM118 (a DataFrame iterates its columns)
    raise SealaneError(
        ErrorCode.INPUT_DTYPE,
        f"inputs are not a mapping: expected {{name: array}}, received {type(inputs).__name__}",
    )


def _native(array: AnyArray) -> AnyArray:
    flags = array.flags
    if flags.c_contiguous and flags.aligned and array.dtype.isnative:
        return array
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def _range_text(allowed: SymbolRange) -> str:
    high = "" if allowed.maximum is None else f" and <= {allowed.maximum}"
    step = "" if allowed.multiple_of == 1 else f", a multiple of {allowed.multiple_of}"
    return f">= {allowed.minimum}{high}{step}"


def _misshaped(spec: TensorSpec, shape: tuple[int, ...], expected: str) -> SealaneError:
    return refuse(
        ErrorCode.INPUT_SHAPE,
        spec,
        "wrong shape",
        expected=expected,
        received=f"shape {list(shape)}",
    )
