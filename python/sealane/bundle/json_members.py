"""Taking typed values out of parsed JSON, each failure naming its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence

_T = TypeVar("_T")

MAX_INTEGER = (1 << 53) - 1


def invalid(where: str, problem: str) -> SealaneError:
    """The MANIFEST_INVALID error for one place of the manifest."""
    return SealaneError(
        ErrorCode.MANIFEST_INVALID, f"sealane.json: {where}: {problem}", {"where": where}
    )


class Members:
    """The members of one JSON object, taken one by one; what is left over is unknown."""

    def __init__(self, value: object, where: str, *, lenient: bool) -> None:
        self._left = dict(an_object(value, where))
        self._where = where
        self._lenient = lenient

    def take(self, name: str, parse: Callable[[object, str], _T]) -> _T:
        """A member that must be there."""
        if name not in self._left:
            raise invalid(self._where, f"member {name!r} is missing")
        return parse(self._left.pop(name), self._path(name))

    def take_or(self, name: str, parse: Callable[[object, str], _T], default: _T) -> _T:
        """A member that may be absent."""
        if name not in self._left:
            return default
        return parse(self._left.pop(name), self._path(name))

    def finish(self) -> None:
        """Refuse members that nobody took, unless the format's minor version allows them."""
        if self._left and not self._lenient:
            raise invalid(self._where, f"unknown member {min(self._left)!r}")

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where != "manifest" else name


def an_object(value: object, where: str) -> dict[str, object]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise invalid(where, f"expected an object, received {kind_of(value)}")
    return cast("dict[str, object]", value)


def text(value: object, where: str) -> str:
    """Any string."""
    if not isinstance(value, str):
        raise invalid(where, f"expected a string, received {kind_of(value)}")
    return value


def non_empty(value: object, where: str) -> str:
    """A string with at least one character."""
    if not text(value, where):
        raise invalid(where, "expected a non-empty string")
    return cast("str", value)


def boolean(value: object, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise invalid(where, f"expected true or false, received {kind_of(value)}")
    return value


def integer(minimum: int) -> Callable[[object, str], int]:
    """A parser of integers from ``minimum`` to 2^53 - 1."""

    def parse(value: object, where: str) -> int:
        if type(value) is not int:
            raise invalid(where, f"expected an integer, received {kind_of(value)}")
        if not minimum <= value <= MAX_INTEGER:
            raise invalid(where, f"{value} is outside {minimum}..2^53-1")
        return value

    return parse


def number(value: object, where: str) -> float:
    """A JSON number, as a finite double."""
    if type(value) is not int and type(value) is not float:
        raise invalid(where, f"expected a number, received {kind_of(value)}")
    return float(value)


def not_negative(value: object, where: str) -> float:
    """A number ≥ 0."""
    parsed = number(value, where)
    if parsed < 0:
        raise invalid(where, f"{parsed} is negative")
    return parsed


def matching(pattern: re.Pattern[str], form: str) -> Callable[[object, str], str]:
    """A parser of strings that match ``pattern`` as a whole."""

    def parse(value: object, where: str) -> str:
        parsed = text(value, where)
        if not pattern.fullmatch(parsed):
            raise invalid(where, f"{parsed[:80]!r} is not {form}")
        return parsed

    return parse


def one_of(choices: Sequence[str]) -> Callable[[object, str], str]:
    """A parser of a closed set of strings."""

    def parse(value: object, where: str) -> str:
        parsed = text(value, where)
        if parsed not in choices:
            raise invalid(where, f"{parsed[:80]!r} is none of {', '.join(choices)}")
        return parsed

    return parse


def items(parse: Callable[[object, str], _T]) -> Callable[[object, str], tuple[_T, ...]]:
    """A parser of arrays whose items ``parse`` takes."""

    def parse_all(value: object, where: str) -> tuple[_T, ...]:
        if not isinstance(value, list):
            raise invalid(where, f"expected an array, received {kind_of(value)}")
        values = cast("list[object]", value)
        return tuple(parse(item, f"{where}[{index}]") for index, item in enumerate(values))

    return parse_all


def mapping(parse: Callable[[object, str], _T]) -> Callable[[object, str], dict[str, _T]]:
    """A parser of objects with free keys whose values ``parse`` takes."""

    def parse_all(value: object, where: str) -> dict[str, _T]:
        return {
            name: parse(item, f"{where}.{name}") for name, item in an_object(value, where).items()
        }

    return parse_all


def kind_of(value: object) -> str:
    """A JSON value's kind, for messages."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return f"the number {value}"[:40]
    for kind, name in ((dict, "an object"), (list, "an array"), (str, "a string")):
        if isinstance(value, kind):
            return name
    return "null"
