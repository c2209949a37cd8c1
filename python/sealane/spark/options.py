"""What a call of :func:`sealane.spark.score` asks for, checked once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast, get_args

from sealane.core import ErrorCode, SealaneError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OnError = Literal["quarantine", "fail", "null"]
Host = Literal["auto", "jvm", "python"]

JVM_ENGINES = ("onnx", "tensorflow", "dl4j")
PYTHON_ENGINES = {"onnx": "onnx", "tensorflow": "savedmodel"}
"""Engines of the Python worker, the preferred one first → the kind of variant each runs."""

ERROR_SUFFIX = "_error"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Where rows are scored, and by what.

    Attributes:
        host: ``jvm``, ``python``, or ``auto`` for the JVM where it can.
        engine: ``onnx``, ``tensorflow``, ``dl4j``, or empty for the first that runs the bundle.
    """

    host: Host = "auto"
    engine: str = ""

    @classmethod
    def parse(cls, name: str) -> EngineChoice:
        """The choice that ``auto``, ``jvm``, ``jvm:onnx``, ``python``… names.

        Raises:
            SealaneError: ENGINE_UNAVAILABLE for any other name.
        """
        host, colon, engine = name.partition(":")
        known = {"jvm": JVM_ENGINES, "python": tuple(PYTHON_ENGINES)}
        if name == "auto" or (name in known or (colon and engine in known.get(host, ()))):
            return cls(cast("Host", host), engine)
        names = ["auto", *known, *(f"{side}:{each}" for side in known for each in known[side])]
        raise SealaneError(
            ErrorCode.ENGINE_UNAVAILABLE,
            f"engine '{name}' is unknown: expected one of {', '.join(names)}",
            {"engine": name},
        )


@dataclass(frozen=True, slots=True)
class InputColumns:
    """Which columns hold which inputs.

    Attributes:
        struct: The struct column whose fields are the inputs, or None.
        named: Input name → its columns; inputs that are left out have a column of their own name.
    """

    struct: str | None = None
    named: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @classmethod
    def parse(cls, inputs: Mapping[str, str | Sequence[str]] | str | None) -> InputColumns:
        """The columns a user names.

        Raises:
            TypeError: For anything but names.
            ValueError: For an input with an empty list of columns.
        """
        if inputs is None:
            return cls()
        if isinstance(inputs, str):
            return cls(struct=inputs)
        return cls(named={str(name): _columns(name, given) for name, given in inputs.items()})

    def columns_of(self, name: str) -> tuple[str, ...]:
        """The columns of an input."""
        if self.struct is not None:
            return (f"{self.struct}.{name}",)
        return self.named.get(name, (name,))

    def to_json(self) -> object:
        """The member ``inputs`` of the options that both languages share."""
        if self.struct is not None:
            return self.struct
        return {name: list(columns) for name, columns in self.named.items()} or None


def _columns(name: object, given: str | Sequence[str]) -> tuple[str, ...]:
    columns = cast("tuple[object, ...]", (given,) if isinstance(given, str) else tuple(given))
    strange = [each for each in columns if not isinstance(each, str)]
    if strange:
        raise TypeError(f"inputs['{name}']: expected column names, received {strange[0]!r}")
    if not columns:
        raise ValueError(f"inputs['{name}']: expected at least one column")
    return cast("tuple[str, ...]", columns)


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """All arguments of :func:`sealane.spark.score` but the DataFrame.

    Attributes:
        bundle: Path or URI.
        inputs: Which columns hold which inputs.
        outputs: The outputs asked for; None for all.
        engine: Where rows are scored.
        on_error: What becomes of a row that can not be scored.
        into: Name of the score column.
        batch_size: Rows of one run, at most.
    """

    bundle: str
    inputs: InputColumns
    outputs: tuple[str, ...] | None
    engine: EngineChoice
    on_error: OnError
    into: str
    batch_size: int

    def __post_init__(self) -> None:
        if self.on_error not in get_args(OnError):
            names = ", ".join(get_args(OnError))
            raise ValueError(f"on_error: expected one of {names}, received {self.on_error!r}")
        if not self.into:
            raise ValueError("into: expected the name of the new column, received ''")
        if self.batch_size < 1:
            raise ValueError(f"batch_size: expected 1 or more, received {self.batch_size}")

    @property
    def error_column(self) -> str | None:
        """Name of the error column, None when there is none."""
        return self.into + ERROR_SUFFIX if self.on_error == "quarantine" else None

    def check_free(self, columns: Sequence[str]) -> None:
        """Refuses new columns whose names are taken.

        Raises:
            SealaneError: INPUT_LAYOUT.
        """
        taken = {name.casefold() for name in columns}
        for name in (self.into, self.error_column):
            if name is not None and name.casefold() in taken:
                raise SealaneError(
                    ErrorCode.INPUT_LAYOUT,
                    f"the DataFrame has a column '{name}' already: drop it, or name another "
                    "column in into=",
                    {"column": name},
                )

    def to_json(self) -> str:
        """The options as the JVM's gateway takes them."""
        return json.dumps(
            {
                "bundle": self.bundle,
                "inputs": self.inputs.to_json(),
                "outputs": None if self.outputs is None else list(self.outputs),
                "engine": self.engine.engine,
                "onError": self.on_error,
                "into": self.into,
                "batchSize": self.batch_size,
            },
            ensure_ascii=False,
        )
