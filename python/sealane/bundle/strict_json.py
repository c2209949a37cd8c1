"""JSON as the bundle format allows it: RFC 8259, nothing lenient, bounded (§2, §4)."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, cast

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from sealane.bundle.limits import ReaderLimits

# A string literal, or the rest of the text when it is never closed: linear on any input.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
_NOT_BRACKET = re.compile(rb"[^\[\]{}]++")
_EXACT_IN_DOUBLE = 15  # decimal digits every double holds


class _InvalidError(Exception):
    """Text that is JSON for a lenient parser only."""


def parse_strict_json(
    data: bytes,
    limits: ReaderLimits,
    *,
    where: str,
    code: ErrorCode = ErrorCode.MANIFEST_INVALID,
) -> object:
    """The value of one JSON text.

    Refused beyond RFC 8259's grammar: a byte-order mark, duplicate keys, NaN and Infinity,
    numbers that are infinite as doubles, lone surrogates, bytes after the value.

    Args:
        data: The text as UTF-8 bytes.
        limits: Bounds on depth and string length.
        where: Name of the file for messages.
        code: The code for text that is not strict JSON.

    Returns:
        dict, list, str, bool, None, int for a number written without fraction and exponent,
        float for the others.

    Raises:
        SealaneError: ``code``, or LIMIT_EXCEEDED for depth and string length.
    """
    if _depth_exceeds(data, limits.json_depth):
        raise SealaneError(
            ErrorCode.LIMIT_EXCEEDED, f"{where}: JSON nested deeper than {limits.json_depth}"
        )
    try:
        text = data.decode("utf-8")
        value: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except (_InvalidError, ValueError) as error:
        raise SealaneError(code, f"{where}: not strict JSON: {error}") from None
    if len(data) > limits.json_string_length or b"\\u" in data:
        _check_strings(value, limits.json_string_length, where, code)
    return value


def _depth_exceeds(data: bytes, limit: int) -> bool:
    if data.count(b"[") + data.count(b"{") <= limit:
        return False
    depth = 0
    for bracket in _NOT_BRACKET.sub(b"", _STRING.sub(b"", data)):
        if bracket in b"[{":
            depth += 1
            if depth > limit:
                return True
        else:
            depth -= 1
    return False


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise _InvalidError(f"key {twice!r} appears twice in one object")
    return result


def _constant(token: str) -> object:
    raise _InvalidError(f"{token} is not JSON")


def _integer(token: str) -> int:
    if len(token) > _EXACT_IN_DOUBLE:
        _float(token)
    return int(token)


def _float(token: str) -> float:
    value = float(token)
    if math.isinf(value):
        raise _InvalidError(f"number {token[:24]}… is out of range")
    return value


def _check_strings(value: object, limit: int, where: str, code: ErrorCode) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if len(item) > limit:
                raise SealaneError(
                    ErrorCode.LIMIT_EXCEEDED,
                    f"{where}: a string of {len(item)} characters, limit {limit}",
                )
            if not item.isascii() and any("\ud800" <= char <= "\udfff" for char in item):
                raise SealaneError(code, f"{where}: a string holds a lone surrogate")
        elif isinstance(item, list):
            stack.extend(cast("list[object]", item))
        elif isinstance(item, dict):
            members = cast("dict[str, object]", item)
            stack.extend(members.keys())
            stack.extend(members.values())
