"""The ``signature`` member of a manifest (bundle format §2.1), single values only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sealane.bundle.json_members import (
    Members,
    boolean,
    integer,
    invalid,
    items,
    mapping,
    number,
    one_of,
    text,
)
from sealane.bundle.manifest import default_methods
from sealane.core import Dim, Domain, DType, Method, Signature, SymbolRange, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_RANK = 16
MAX_TENSOR_NAME = 256

_SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_METHOD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_size = integer(0)
_dtype = one_of([dtype.value for dtype in DType])


def parse_signature(*, lenient: bool) -> Callable[[object, str], Signature]:
    """A parser of signatures; ``lenient`` ignores unknown members."""

    def parse(value: object, where: str) -> Signature:
        members = Members(value, where, lenient=lenient)
        tensors = items(_tensor(lenient=lenient))
        inputs = members.take("inputs", tensors)
        outputs = members.take("outputs", tensors)
        if not outputs:
            raise invalid(f"{where}.outputs", "expected at least one output")
        symbols = members.take_or("symbols", mapping(_symbol(lenient=lenient)), {})
        methods = members.take_or("methods", mapping(_method(lenient=lenient)), {})
        members.finish()
        for name in methods:
            if not _METHOD_NAME.fullmatch(name):
                raise invalid(f"{where}.methods", f"{name[:80]!r} is not a method name")
        return Signature(inputs, outputs, symbols, methods or default_methods(inputs, outputs))

    return parse


def _tensor(*, lenient: bool) -> Callable[[object, str], TensorSpec]:
    def parse(value: object, where: str) -> TensorSpec:
        members = Members(value, where, lenient=lenient)
        name = members.take("name", _tensor_name)
        dtype = DType(members.take("dtype", _dtype))
        dims = members.take("dims", items(_dim))
        if len(dims) > MAX_RANK:
            raise invalid(f"{where}.dims", f"{len(dims)} dims, at most {MAX_RANK}")
        semantic = members.take_or("semantic", text, None)
        domain = members.take_or("domain", _domain(dtype, lenient=lenient), None)
        members.finish()
        return TensorSpec(name, dtype, dims, semantic, domain)

    return parse


def _tensor_name(value: object, where: str) -> str:
    name = text(value, where)
    if not 1 <= len(name) <= MAX_TENSOR_NAME or min(name) < " ":
        raise invalid(where, f"a tensor name has 1-{MAX_TENSOR_NAME} characters, none below U+0020")
    return name


def _dim(value: object, where: str) -> Dim:
    if isinstance(value, str):
        if not _SYMBOL.fullmatch(value):
            raise invalid(where, f"{value[:80]!r} is not a symbol")
        return value
    return _size(value, where)


def _domain(dtype: DType, *, lenient: bool) -> Callable[[object, str], Domain]:
    def parse(value: object, where: str) -> Domain:
        members = Members(value, where, lenient=lenient)
        domain = Domain(
            nullable=members.take_or("nullable", boolean, False),
            minimum=members.take_or("min", number, None),
            maximum=members.take_or("max", number, None),
            vocabulary=members.take_or("vocabulary", items(text), None),
            closed=members.take_or("closed", boolean, False),
        )
        members.finish()
        bounded = domain.minimum is not None or domain.maximum is not None
        if bounded and dtype in (DType.BYTES, DType.BOOL):
            raise invalid(where, f"min and max need a numeric dtype, not {dtype.value}")
        if domain.minimum is not None and domain.maximum is not None:
            _ordered(domain.minimum, domain.maximum, where)
        if domain.vocabulary is not None and dtype is not DType.BYTES:
            raise invalid(where, f"vocabulary needs BYTES, not {dtype.value}")
        return domain

    return parse


def _symbol(*, lenient: bool) -> Callable[[object, str], SymbolRange]:
    def parse(value: object, where: str) -> SymbolRange:
        members = Members(value, where, lenient=lenient)
        bounds = SymbolRange(
            minimum=members.take_or("min", _size, 0),
            maximum=members.take_or("max", _size, None),
            multiple_of=members.take_or("multipleOf", integer(1), 1),
        )
        members.finish()
        if bounds.maximum is not None:
            _ordered(bounds.minimum, bounds.maximum, where)
        return bounds

    return parse


def _ordered(minimum: float, maximum: float, where: str) -> None:
    if minimum > maximum:
        raise invalid(where, f"min {minimum} is above max {maximum}")


def _method(*, lenient: bool) -> Callable[[object, str], Method]:
    def parse(value: object, where: str) -> Method:
        members = Members(value, where, lenient=lenient)
        method = Method(members.take("inputs", items(text)), members.take("outputs", items(text)))
        members.finish()
        return method

    return parse
