"""Transforms and chains: the words a declaration is made of, and the values they learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sealane.features import steps
    from sealane.features.ops import Array

Kind = Literal["text", "integer", "number", "category"]
"""What a value is inside a chain; ``integer`` is a raw INT64 or BOOL column not yet a number."""


@dataclass(frozen=True)
class Flow:
    """A named value on its way through a chain, with the training data in it.

    Attributes:
        name: The column, or the feature that a transform made of it.
        kind: What the values are.
        values: ``[rows]``: object strings, int64 or float64.
        cardinality: How many indices a category has; None otherwise.
        width: Columns of a one-hot value ``[rows, width]``; None for a vector.
        done: Whether the rest of the chain passes it by.
        moment: Whether the numbers are seconds since 1970.
    """

    name: str
    kind: Kind
    values: Array
    cardinality: int | None = None
    width: int | None = None
    done: bool = False
    moment: bool = False


def refuse(flow: Flow, problem: str, advice: str) -> SealaneError:
    """The error of a transform that does not fit its column."""
    return SealaneError(
        ErrorCode.EXPORT_UNSUPPORTED,
        f"Feature {flow.name!r}: {problem}. {advice}",
        {"feature": flow.name},
    )


def present(flow: Flow, transform: str) -> Array:
    """The training values that are not missing, at least one."""
    if flow.kind != "number":
        raise SealaneError(
            ErrorCode.INPUT_DTYPE,
            f"Feature {flow.name!r}: {transform} needs numbers, received {SAID[flow.kind]}. "
            "Use Lookup() for categories, or convert the column to numbers.",
            {"feature": flow.name},
        )
    values = flow.values[~np.isnan(flow.values)]
    if not values.size:
        raise SealaneError(
            ErrorCode.INPUT_DOMAIN,
            f"Feature {flow.name!r}: {transform} has nothing to learn from, all of the "
            f"{len(flow.values)} values are missing. Drop the column.",
            {"feature": flow.name},
        )
    infinite = np.flatnonzero(np.isinf(flow.values))
    if infinite.size:
        raise SealaneError(
            ErrorCode.INPUT_DOMAIN,
            f"Feature {flow.name!r}: {infinite.size} infinite values, the first at row "
            f"{infinite[0]}. Clip() the column or clean it.",
            {"feature": flow.name},
        )
    return values


SAID = {
    "text": "strings",
    "integer": "integers",
    "number": "numbers",
    "category": "category indices",
}


class Transform:
    """One declared transform of a column. Immutable; ``a | b`` chains two."""

    def __or__(self, following: Transform | Chain) -> Chain:
        """This transform, then the following."""
        return Chain((self,)) | following

    def fit(self, flow: Flow) -> tuple[steps.Step, ...]:
        """Learns from the training values of one flow.

        Raises:
            SealaneError: INPUT_DTYPE, INPUT_DOMAIN or EXPORT_UNSUPPORTED when it does not fit.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Chain:
    """Transforms applied one after the other.

    Attributes:
        transforms: In order.
        column: The raw column they start from; None for the one of the feature's name.
    """

    transforms: tuple[Transform, ...]
    column: str | None = None

    def __or__(self, following: Transform | Chain) -> Chain:
        """This chain, then the following."""
        more = following.transforms if isinstance(following, Chain) else (following,)
        return Chain(self.transforms + more, self.column)

    @classmethod
    def of(cls, declared: Transform | Chain | Iterable[Transform | Chain]) -> Chain:
        """A transform, a chain, or a sequence of either as one chain."""
        if isinstance(declared, Chain):
            return declared
        if isinstance(declared, Transform):
            return cls((declared,))
        first, *more = tuple(declared) or (cls(()),)
        chain = cls.of(first)
        for transform in more:
            chain = chain | transform
        return chain


def Column(name: str) -> Chain:
    """The start of a chain on another raw column than the feature's name.

    Example:
        ``{"hour": Normalize(), "hour_bucket": Column("hour") | Bucketize([6, 12, 18])}``
    """
    return Chain((), name)


def bad_option(what: str, advice: str) -> SealaneError:
    """The error of a transform whose options make no sense."""
    return SealaneError(ErrorCode.EXPORT_UNSUPPORTED, f"{what} is not a usable transform. {advice}")
