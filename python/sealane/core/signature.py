"""What a model takes and gives: named tensors with dtypes, named dims and domains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealane.core.dtype import DType

Dim = int | str
"""A dimension: a fixed size, or the name of a symbol such as ``batch``."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Which values an input accepts.

    Attributes:
        nullable: Whether a missing value is accepted: NaN for floats, None for BYTES
            (None and the empty string are the same missing value). False refuses NaN and None.
        minimum: Smallest value accepted, inclusive; None for no bound.
        maximum: Largest value accepted, inclusive; None for no bound.
        vocabulary: For BYTES, the values the model knows. Values outside it are accepted
            (they are out-of-vocabulary) unless ``closed``.
        closed: Whether values outside ``vocabulary`` are refused.
    """

    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    vocabulary: tuple[str, ...] | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: Its name in the signature.
        dtype: Its element type.
        shape: Its dims in order; an int is fixed, a string names a symbol.
        semantic: What it means (``categorical``, ``probability``, ``logits``…), or None.
        domain: Which values are accepted, or None for all that the dtype can hold.
    """

    name: str
    dtype: DType
    shape: tuple[Dim, ...]
    semantic: str | None = None
    domain: Domain | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype.value}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class SymbolRange:
    """The sizes a symbolic dim may take: ``minimum``, ``maximum``, in steps of ``multiple_of``."""

    minimum: int = 0
    maximum: int | None = None
    multiple_of: int = 1


@dataclass(frozen=True, slots=True)
class Method:
    """A named entry point: which inputs it takes and which outputs it gives, by name."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """The typed contract of a model, the same for each of its variants.

    Attributes:
        inputs: In the order of the model's own arguments.
        outputs: In the order of the model's own results.
        symbols: Ranges of the symbolic dims; a symbol without a range is unbounded.
        methods: Named entry points; ``predict`` is the default.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    symbols: dict[str, SymbolRange] = field(default_factory=dict[str, SymbolRange])
    methods: dict[str, Method] = field(default_factory=dict[str, Method])

    def input(self, name: str) -> TensorSpec | None:
        """The input of that name, or None."""
        return next((spec for spec in self.inputs if spec.name == name), None)

    def output(self, name: str) -> TensorSpec | None:
        """The output of that name, or None."""
        return next((spec for spec in self.outputs if spec.name == name), None)

    def __str__(self) -> str:
        ins = ", ".join(map(str, self.inputs))
        outs = ", ".join(map(str, self.outputs))
        return f"({ins}) -> ({outs})"
