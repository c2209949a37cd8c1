"""The program as an ONNX graph: written with ops that every ONNX Runtime has for these dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sealane.core import DType, ErrorCode, SealaneError, TensorSpec
from sealane.features.ops import TINY, Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealane.features.fitted import FittedFeatures

ML_DOMAIN = "ai.onnx.ml"
ML_OPSET = 3
IR_VERSION = 9
PREFIX = "features/"
"""Every name that the program adds to a graph starts with it."""

_ELEMENT = {
    DType.BOOL: TensorProto.BOOL,
    DType.INT64: TensorProto.INT64,
    DType.FP32: TensorProto.FLOAT,
    DType.FP64: TensorProto.DOUBLE,
    DType.BYTES: TensorProto.STRING,
}


class OnnxOps:
    """Builds nodes; a value is the name of a tensor."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def emit(self, op: str, inputs: Sequence[str], domain: str = "", **attributes: Any) -> str:
        """Adds a node with one output and returns the output's name."""
        name = f"{PREFIX}{op}_{len(self.nodes)}"
        node = helper.make_node(op, list(inputs), [name], name=name, domain=domain, **attributes)
        self.nodes.append(node)
        return name

    def constant(self, value: Array) -> str:
        """The name of an initializer, shared between equal values."""
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._constants:
            name = f"{PREFIX}constant_{len(self._constants)}"
            self.initializers.append(numpy_helper.from_array(value, name))
            self._constants[key] = name
        return self._constants[key]

    def _cast(self, x: str, to: int) -> str:
        return self.emit("Cast", [x], to=to)

    def read(self, raw: str, dtype: DType) -> str:
        """A raw column as double, denormals as zero."""
        x = raw if dtype is DType.FP64 else self._cast(raw, TensorProto.DOUBLE)
        return self._without_denormals(x) if dtype.is_float else x

    def _without_denormals(self, x: str) -> str:
        small = self.less(self.emit("Abs", [x]), self.number(TINY))
        return self.where(small, self.number(0.0), x)

    def number(self, value: float) -> str:
        """A double scalar."""
        return self.constant(np.array(value, np.float64))

    def integer(self, value: int) -> str:
        """An int64 scalar."""
        return self.constant(np.array(value, np.int64))

    def to_number(self, x: str) -> str:
        """Cast to double."""
        return self._cast(x, TensorProto.DOUBLE)

    def to_integer(self, x: str) -> str:
        """Cast to int64."""
        return self._cast(x, TensorProto.INT64)

    def add(self, x: str, y: str) -> str:
        """Add."""
        return self.emit("Add", [x, y])

    def sub(self, x: str, y: str) -> str:
        """Sub."""
        return self.emit("Sub", [x, y])

    def mul(self, x: str, y: str) -> str:
        """Mul."""
        return self.emit("Mul", [x, y])

    def floordiv(self, x: str, divisor: int) -> str:
        """Div of an exact multiple: ONNX's integer Div rounds toward zero."""
        return self.emit("Div", [self.sub(x, self.mod(x, divisor)), self.integer(divisor)])

    def mod(self, x: str, divisor: int) -> str:
        """Mod, with the sign of the divisor."""
        return self.emit("Mod", [x, self.integer(divisor)], fmod=0)

    def floor(self, x: str) -> str:
        """Floor."""
        return self.emit("Floor", [x])

    def log(self, x: str) -> str:
        """Log."""
        return self.emit("Log", [x])

    def log1p(self, x: str) -> str:
        """``log(u) * x / (u - 1)`` with ``u = 1 + x``, which ONNX has no op for.

        Where ``u`` is 1 the result is ``x``, and where ``u - 1`` is ``x`` (infinity included) it is
        ``log(u)``. Source: HP-15C Advanced Functions Handbook; Goldberg 1991, theorem 4.
        """
        one = self.number(1.0)
        u = self.add(one, x)
        rest = self.sub(u, one)
        log = self.log(u)
        corrected = self.mul(log, self.emit("Div", [x, rest]))
        return self.where(self.equal(u, one), x, self.where(self.equal(rest, x), log, corrected))

    def less(self, x: str, y: str) -> str:
        """Less."""
        return self.emit("Less", [x, y])

    def equal(self, x: str, y: str) -> str:
        """Equal."""
        return self.emit("Equal", [x, y])

    def both(self, x: str, y: str) -> str:
        """And."""
        return self.emit("And", [x, y])

    def is_nan(self, x: str) -> str:
        """IsNaN."""
        return self.emit("IsNaN", [x])

    def where(self, condition: str, x: str, y: str) -> str:
        """Where."""
        return self.emit("Where", [condition, x, y])

    def index_text(self, x: str, keys: Sequence[str], values: Sequence[int], default: int) -> str:
        """LabelEncoder from strings."""
        return self.emit(
            "LabelEncoder",
            [x],
            ML_DOMAIN,
            keys_strings=list(keys),
            values_int64s=list(values),
            default_int64=default,
        )

    def index_integer(
        self, x: str, keys: Sequence[int], values: Sequence[int], default: int
    ) -> str:
        """LabelEncoder from integers."""
        return self.emit(
            "LabelEncoder",
            [x],
            ML_DOMAIN,
            keys_int64s=list(keys),
            values_int64s=list(values),
            default_int64=default,
        )

    def _columns(self, x: str) -> str:
        return self.emit("Unsqueeze", [x, self.constant(np.array([1], np.int64))])

    def count_reached(self, x: str, boundaries: Sequence[float]) -> str:
        """The sum over boundaries of ``x >= boundary``."""
        bounds = self.constant(np.array(boundaries, np.float64))
        reached = self.to_integer(self.emit("GreaterOrEqual", [self._columns(x), bounds]))
        axis = self.constant(np.array([1], np.int64))
        return self.emit("ReduceSum", [reached, axis], keepdims=0)

    def take(self, table: Sequence[float], x: str) -> str:
        """Gather."""
        return self.emit("Gather", [self.constant(np.array(table, np.float64)), x], axis=0)

    def one_hot(self, x: str, depth: int) -> str:
        """Equal to each position."""
        positions = self.constant(np.arange(depth, dtype=np.int64))
        return self.to_number(self.equal(self._columns(x), positions))

    def round(self, parts: Sequence[tuple[str, int | None]]) -> str:
        """Concat, denormals as zero, Cast to float."""
        columns = [self._columns(part) if width is None else part for part, width in parts]
        joined = columns[0] if len(columns) == 1 else self.emit("Concat", columns, axis=1)
        return self._cast(self._without_denormals(joined), TensorProto.FLOAT)

    def stack(self, parts: Sequence[str]) -> str:
        """Concat."""
        return self.emit("Concat", [self._columns(part) for part in parts], axis=1)


def value_info(spec: TensorSpec, name: str) -> onnx.ValueInfoProto:
    """A graph input or output as a spec has it."""
    return helper.make_tensor_value_info(name, _ELEMENT[spec.dtype], list(spec.shape))


def check_opset(opset: int) -> None:
    """Refuses opsets that the program is not written for.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED.
    """
    if not 13 <= opset <= 20:
        raise SealaneError(
            ErrorCode.EXPORT_UNSUPPORTED,
            f"Features can be written for ONNX opset 13 to 20, received {opset}.",
        )


def to_onnx(fitted: FittedFeatures, opset: int) -> onnx.ModelProto:
    """`FittedFeatures.to_onnx`."""
    check_opset(opset)
    ops = OnnxOps()
    made = fitted.run(ops, {spec.name: spec.name for spec in fitted.input_signature})
    outputs: list[onnx.ValueInfoProto] = []
    for spec in fitted.output_signature:
        name = f"{PREFIX}{spec.name}"
        ops.nodes.append(helper.make_node("Identity", [made[spec.name]], [name], name=name))
        outputs.append(value_info(spec, name))
    inputs = [value_info(spec, spec.name) for spec in fitted.input_signature]
    graph = helper.make_graph(ops.nodes, "features", inputs, outputs, ops.initializers)
    model = helper.make_model(graph, opset_imports=_opsets(opset), ir_version=IR_VERSION)
    model.producer_name = "sealane"
    onnx.checker.check_model(model, full_check=True)  # pyright: ignore[reportUnknownMemberType]
    return model


def _opsets(opset: int) -> list[onnx.OperatorSetIdProto]:
    return [helper.make_opsetid("", opset), helper.make_opsetid(ML_DOMAIN, ML_OPSET)]


def prepend_onnx(fitted: FittedFeatures, model: onnx.ModelProto) -> onnx.ModelProto:
    """`FittedFeatures.prepend_onnx`."""
    from sealane.features.onnx_merge import merge

    return merge(fitted, model)
