"""From the columns of a DataFrame to what a model is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import ErrorCode, SealaneError
from sealane.spark.arrow import pa

if TYPE_CHECKING:
    from sealane.features import FittedFeatures
    from sealane.training.run import Loss

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Preparation:
    """How features and target are made of Arrow columns. Picklable.

    Attributes:
        features: Fitted transforms of raw columns, or None.
        inputs: Without transforms: the columns, numbers or arrays of numbers of one length.
        target: The column of the target.
        loss: What the target has to be for it.
    """

    features: FittedFeatures | None
    inputs: tuple[str, ...]
    target: str
    loss: Loss

    @property
    def columns(self) -> list[str]:
        """All that are read."""
        raw = [spec.name for spec in self.features.input_signature] if self.features else []
        return [*dict.fromkeys([*raw, *self.inputs, self.target])]

    def arrays(self, batch: Any) -> tuple[dict[str, Array], Array]:
        """Features by name ``[rows, …]`` and the target ``[rows]`` of an Arrow batch or table.

        Raises:
            SealaneError: INPUT_NULL, INPUT_DTYPE, INPUT_RAGGED, INPUT_DOMAIN for what can not be
                trained on.
        """
        return self.model_inputs(batch), self._target(batch.column(self.target))

    def model_inputs(self, batch: Any) -> dict[str, Array]:
        """Features by name ``[rows, …]``.

        Raises:
            SealaneError: As `arrays`.
        """
        if self.features is not None:
            return self.features.transform(self.raw(batch))
        return {name: _numbers(name, batch.column(name)) for name in self.inputs}

    def raw(self, batch: Any) -> Any:
        """The raw columns of fitted transforms, as a pandas DataFrame."""
        assert self.features is not None
        names = [spec.name for spec in self.features.input_signature]
        return batch.select(names).to_pandas(date_as_object=False)

    def _target(self, column: Any) -> Array:
        if column.null_count:
            raise SealaneError(
                ErrorCode.INPUT_NULL,
                f"the target '{self.target}' is null in {column.null_count} of {len(column)} rows "
                "of a batch: filter them out before training",
                {"column": self.target},
            )
        values = _numbers(self.target, column)
        good = {
            "binary": lambda: (values >= 0) & (values <= 1),
            "categories": lambda: (values >= 0) & (values == np.floor(values)),
            "squared": lambda: np.isfinite(values),
        }[self.loss]()
        if not np.all(good):
            raise SealaneError(
                ErrorCode.INPUT_DOMAIN,
                f"the target '{self.target}' has {values[~good][0]}, which the loss "
                f"'{self.loss}' does not take",
                {"column": self.target},
            )
        return values


def _numbers(name: str, column: Any) -> Array:
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind, dims = column.type, ()
    if column.null_count:
        raise _refused(ErrorCode.INPUT_NULL, name, "has nulls: fill them, or declare Impute()")
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = column.value_lengths().unique().to_pylist()
        if len(lengths) > 1:
            raise _refused(ErrorCode.INPUT_RAGGED, name, f"has arrays of {sorted(lengths)[:3]}")
        dims = (lengths or [0])[:1]
        column = column.flatten()
        kind = column.type
        if column.null_count:
            raise _refused(ErrorCode.INPUT_NULL, name, "has nulls in its arrays")
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype.kind not in "biuf":
        raise _refused(ErrorCode.INPUT_DTYPE, name, f"is of {kind}: declare features for it")
    values = values.astype(np.float32 if values.dtype.kind == "f" else np.int64)
    return values.reshape(-1, *dims)


def _refused(code: ErrorCode, name: str, problem: str) -> SealaneError:
    return SealaneError(code, f"column '{name}' {problem}", {"column": name})
