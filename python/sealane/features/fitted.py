"""Fitted features: an immutable program from raw columns to model inputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import Domain, DType, TensorSpec
from sealane.features import state
from sealane.features.columns import raw_column
from sealane.features.inputs import check_input, coerce
from sealane.features.ops import NumpyOps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import onnx

    from sealane.features.ops import Array, Ops, V
    from sealane.features.program import FittedChain


@dataclass(frozen=True, slots=True)
class Group:
    """One output: features side by side.

    Attributes:
        name: The output's name.
        features: The features in it, in order.
        widths: Per feature, None for one column or the number of one-hot columns.
        cardinalities: Per feature how many indices it has; empty for a group of numbers.
        single: Whether the output is one category ``[batch]`` instead of ``[batch, n]``.
    """

    name: str
    features: tuple[str, ...]
    widths: tuple[int | None, ...]
    cardinalities: tuple[int, ...]
    single: bool

    @property
    def numeric(self) -> bool:
        """Whether it holds FP32 numbers, not INT64 indices."""
        return not self.cardinalities

    @property
    def columns(self) -> int:
        """How many columns the output has."""
        return sum(1 if width is None else width for width in self.widths)


@dataclass(frozen=True, slots=True)
class FittedFeatures:
    """A fitted declaration: immutable, thread-safe, the same in NumPy, ONNX and TensorFlow.

    Attributes:
        input_signature: The raw columns, each ``[batch]``, in order of declaration.
        chains: The programs.
        groups: The outputs.
    """

    input_signature: tuple[TensorSpec, ...]
    chains: tuple[FittedChain, ...]
    groups: tuple[Group, ...]

    @property
    def output_signature(self) -> tuple[TensorSpec, ...]:
        """What a model receives: FP32 ``[batch, n]`` and INT64 ``[batch]`` or ``[batch, n]``."""
        return tuple(_output_spec(group) for group in self.groups)

    @property
    def cardinalities(self) -> dict[str, int]:
        """Per categorical feature how many indices it has, 0 to cardinality - 1."""
        return {
            feature: cardinality
            for group in self.groups
            for feature, cardinality in zip(group.features, group.cardinalities, strict=False)
        }

    @property
    def feature_names(self) -> dict[str, tuple[str, ...]]:
        """Per output the features in it, one name per column."""
        return {group.name: _column_names(group) for group in self.groups}

    def raw_inputs(self, data: object) -> dict[str, Array]:
        """The raw columns of a table as the input signature has them.

        Args:
            data: A DataFrame or a dict of columns ``[rows]``; further columns are ignored.

        Returns:
            Per input an array ``[rows]`` of its dtype, checked against its domain; missing strings
            are ``""``. The arrays may share memory with ``data``.

        Raises:
            SealaneError: INPUT_MISSING, INPUT_DTYPE, INPUT_NULL, INPUT_DOMAIN, or INPUT_RAGGED
                when the columns differ in length.
        """
        raw = {
            spec.name: coerce(raw_column(data, spec.name), spec) for spec in self.input_signature
        }
        for spec in self.input_signature:
            check_input(spec, raw[spec.name], rows=len(next(iter(raw.values()))))
        return raw

    def transform(
        self, data: object, *, dtype: type[np.float32] | type[np.float64] = np.float32
    ) -> dict[str, Array]:
        """The features of a table, computed by NumPy: the reference of the compiled graphs.

        Args:
            data: A DataFrame or a dict of columns ``[rows]``.
            dtype: Of the numbers. float64 skips the one rounding to float32, for an oracle.

        Returns:
            Per output of `output_signature` an array.

        Raises:
            SealaneError: As `raw_inputs`.
        """
        return self.run(NumpyOps(dtype), self.raw_inputs(data))

    def run(self, ops: Ops[V], raw: Mapping[str, V]) -> dict[str, V]:
        """The program on any backend, from raw columns by name to outputs by name."""
        dtypes = {spec.name: spec.dtype for spec in self.input_signature}
        values: dict[str, V] = {}
        for chain in self.chains:
            value = raw[chain.column]
            if chain.read == "number":
                value = ops.read(value, dtypes[chain.column])
            elif chain.read == "integer" and dtypes[chain.column] is DType.BOOL:
                value = ops.to_integer(value)
            values.update(chain.run(ops, value))
        return {group.name: _gather(ops, group, values) for group in self.groups}

    def to_json(self) -> str:
        """The whole state as JSON text; `from_json` reads it back to an equal object."""
        return json.dumps(state.to_state(self), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> FittedFeatures:
        """Reads what `to_json` wrote.

        Raises:
            SealaneError: ARTIFACT_INVALID when it is no valid state.
        """
        return state.from_state(state.parse(text))

    def to_onnx(self, *, opset: int = 20) -> onnx.ModelProto:
        """An ONNX model from raw columns to features.

        Args:
            opset: Of the default domain, 13 to 20.

        Returns:
            A checked model, IR 9, whose inputs are named as `input_signature` and whose outputs
            are ``features/<name>`` for each name of `output_signature` (an ONNX graph can not have
            an input and an output of one name).

        Raises:
            SealaneError: EXPORT_UNSUPPORTED for an opset out of range.
        """
        from sealane.features.onnx_graph import to_onnx

        return to_onnx(self, opset)

    def prepend_onnx(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """A model with this program in front: it takes raw columns where it took features.

        Args:
            model: A model some of whose inputs are named as `output_signature`; left unchanged.

        Returns:
            A new model. Its inputs are `input_signature`, then the model's other inputs; its
            outputs are the model's.

        Raises:
            SealaneError: EXPORT_UNSUPPORTED when a feature's output is no input of the model or has
                another dtype there, when another input or an output is named like a raw column, or
                for an opset out of range.
        """
        from sealane.features.onnx_graph import prepend_onnx

        return prepend_onnx(self, model)

    def to_tensorflow(self) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """A ``tf.Module`` that maps a dict of raw tensors to a dict of features.

        It traces into a ``tf.function`` and SavedModel; strings are looked up in hash tables that
        the module owns. Keep the module referenced by what is saved.

        Raises:
            SealaneError: ENGINE_UNAVAILABLE when TensorFlow is not installed.
        """
        from sealane.features.tensorflow_graph import to_tensorflow

        return to_tensorflow(self)

    def __repr__(self) -> str:
        ins = ", ".join(map(str, self.input_signature))
        outs = ", ".join(map(str, self.output_signature))
        return f"FittedFeatures(({ins}) -> ({outs}))"


def _output_spec(group: Group) -> TensorSpec:
    shape = ("batch",) if group.single else ("batch", group.columns)
    if group.numeric:
        return TensorSpec(group.name, DType.FP32, shape, "numeric")
    highest = float(max(group.cardinalities) - 1)
    domain = Domain(minimum=0.0, maximum=highest)
    return TensorSpec(group.name, DType.INT64, shape, "categorical", domain)


def _column_names(group: Group) -> tuple[str, ...]:
    names: list[str] = []
    for feature, width in zip(group.features, group.widths, strict=True):
        names += [feature] if width is None else [f"{feature}[{i}]" for i in range(width)]
    return tuple(names)


def _gather(ops: Ops[V], group: Group, values: dict[str, V]) -> V:
    if group.numeric:
        return ops.round(
            [
                (values[name], width)
                for name, width in zip(group.features, group.widths, strict=True)
            ]
        )
    if group.single:
        return values[group.features[0]]
    return ops.stack([values[name] for name in group.features])
