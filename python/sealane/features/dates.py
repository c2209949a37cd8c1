"""The transform that takes moments apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sealane.core import ErrorCode, SealaneError
from sealane.features import steps
from sealane.features.declare import Flow, Transform, bad_option, present, refuse


@dataclass(frozen=True, init=False)
class DateParts(Transform):
    """Parts of a moment: year, month, day, weekday, hour, minute, dayofyear.

    The column is ``datetime64`` (given to the model as FP64 seconds since 1970-01-01T00:00:00Z, NaN
    missing) or such seconds as numbers. Each part is a feature ``<name>_<part>``.

    Attributes:
        parts: Which parts.
        encode: ``category``: an index, 0 missing and 1 the part's smallest value (Monday for
            weekday); ``cyclic``: two numbers ``…_sin`` and ``…_cos``, both 0 where missing;
            ``number``: the value, NaN where missing. A year is always a number.
        offset: Seconds to add before taking parts, for a fixed distance to UTC.
    """

    parts: tuple[steps.Part, ...]
    encode: Literal["category", "cyclic", "number"]
    offset: int

    def __init__(
        self,
        *parts: steps.Part,
        encode: Literal["category", "cyclic", "number"] = "category",
        offset: int = 0,
    ) -> None:
        known = ("year", *steps.PART_RANGE)
        if not parts or len(set(parts)) != len(parts) or any(part not in known for part in parts):
            raise bad_option(f"DateParts{parts}", f"List some of {', '.join(known)}, each once.")
        if encode not in ("category", "cyclic", "number"):
            raise bad_option(f"DateParts(encode={encode!r})", "Use category, cyclic or number.")
        if abs(offset) > steps.OFFSET_LIMIT:
            raise bad_option(f"DateParts(offset={offset})", "Give at most a day, in seconds.")
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "encode", encode)
        object.__setattr__(self, "offset", offset)

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Checks the range of the training values."""
        if flow.kind == "text":
            raise SealaneError(
                ErrorCode.INPUT_DTYPE,
                f"Feature {flow.name!r}: DateParts needs datetime64 or seconds since 1970, "
                "received strings. Convert the column with pandas.to_datetime.",
                {"feature": flow.name},
            )
        values = present(flow, "DateParts")
        if values.min() < steps.DATE_MINIMUM or values.max() > steps.DATE_MAXIMUM:
            raise refuse(
                flow, "moments outside the years 1 to 9999", "Give seconds since 1970, not more."
            )
        return tuple(
            steps.DatePart(flow.name, part, encoding, self.offset)
            for part in self.parts
            for encoding in self._encodings(part)
        )

    def _encodings(self, part: steps.Part) -> tuple[steps.Encoding, ...]:
        if part == "year" or self.encode == "number":
            return ("number",)
        return ("category",) if self.encode == "category" else ("sine", "cosine")
