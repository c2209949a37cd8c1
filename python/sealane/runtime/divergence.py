"""The first node of an ONNX graph whose result differs between two runs.

Every intermediate tensor becomes an output, both sides run on the same inputs, and the nodes are
walked in topological order: the first one that differs although its inputs agree is the culprit.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.bundle import Bindings, compare_output
from sealane.core import DType, Signature, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sealane.bundle import OutputMetrics
    from sealane.runtime.values import AnyArray

    Runner = Callable[[Mapping[str, AnyArray], Sequence[str]], Mapping[str, AnyArray]]
    """Runs one side: inputs by signature name, wanted tensors by name → their values."""

SLICE = 64
"""Intermediate tensors fetched in one run, so that a deep model does not keep them all at once."""

_FROM_ORT = {
    "tensor(bool)": DType.BOOL,
    "tensor(uint8)": DType.UINT8,
    "tensor(uint16)": DType.UINT16,
    "tensor(uint32)": DType.UINT32,
    "tensor(uint64)": DType.UINT64,
    "tensor(int8)": DType.INT8,
    "tensor(int16)": DType.INT16,
    "tensor(int32)": DType.INT32,
    "tensor(int64)": DType.INT64,
    "tensor(float16)": DType.FP16,
    "tensor(bfloat16)": DType.BF16,
    "tensor(float)": DType.FP32,
    "tensor(double)": DType.FP64,
    "tensor(string)": DType.BYTES,
}
_CODES = (9, 2, 4, 12, 13, 3, 5, 6, 7, 10, 16, 1, 11, 8)
_ONNX_CODES = dict(zip(_FROM_ORT.values(), _CODES, strict=True))


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the main graph, in topological order.

    Attributes:
        name: Its name, or ``op#index`` when it has none.
        op: Its operator, with the domain when it is not the default one.
        inputs: Tensors it reads, without omitted ones.
        outputs: Tensors it gives, without omitted ones.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instrumented:
    """A model that gives every intermediate tensor.

    Attributes:
        data: The serialised model; its graph outputs are typed.
        signature: The bundle's inputs, and every tensor as an output under its own name.
        bindings: Signature names to graph names.
        nodes: The nodes in topological order.
    """

    data: bytes
    signature: Signature
    bindings: Bindings
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two runs part.

    Attributes:
        node: The node's name.
        op: Its operator.
        output: The tensor that differs.
        case: The golden case it was seen on.
        max_abs: Largest absolute difference.
        scaled_ulp: Difference in rounding steps of the largest element; None for tensors that are
            not floating point.
        index: Where in the tensor the difference is largest.
    """

    node: str
    op: str
    output: str
    case: str
    max_abs: float
    scaled_ulp: float | None
    index: tuple[int, ...]

    def __str__(self) -> str:
        size = f"max abs {self.max_abs:.3g}"
        if self.scaled_ulp is not None:
            size += f", {self.scaled_ulp:.3g} rounding steps"
        return (
            f"node '{self.node}' ({self.op}): its output '{self.output}' differs at "
            f"{list(self.index)} of golden case '{self.case}' ({size}) while its inputs agree"
        )


def instrument(
    data: bytes, signature: Signature, bindings: Bindings, sample: Mapping[str, AnyArray]
) -> Instrumented:
    """Turns every tensor of the main graph into an output.

    Args:
        data: A serialised ONNX model with its weights inside.
        signature: The bundle's signature.
        bindings: Its variant's bindings.
        sample: Inputs by signature name; a run on them tells each tensor's rank.

    Returns:
        The instrumented model. Values that are not tensors (sequences, optionals) are left out.
    """
    onnx: Any = importlib.import_module("onnx")
    model: Any = onnx.load_model_from_string(data)
    graph = model.graph
    nodes = tuple(_node(each, index) for index, each in enumerate(graph.node))
    present = {output.name for output in graph.output}
    for node in nodes:
        for name in node.outputs:
            if name not in present:
                graph.output.append(onnx.ValueInfoProto(name=name))
    feeds = {bindings.inputs[name]: array for name, array in sample.items()}
    specs = _typed_outputs(model.SerializeToString(), feeds)
    del graph.output[:]
    graph.output.extend(
        onnx.helper.make_tensor_value_info(each.name, _ONNX_CODES[each.dtype], list(each.shape))
        for each in specs
    )
    every = Signature(signature.inputs, specs, signature.symbols)
    names = Bindings(dict(bindings.inputs), {each.name: each.name for each in specs})
    return Instrumented(model.SerializeToString(), every, names, nodes)


def first_divergence(
    model: Instrumented,
    inputs: Mapping[str, Mapping[str, AnyArray]],
    run_a: Runner,
    run_b: Runner,
    *,
    names_b: Mapping[str, str] | None = None,
    threshold: float = 0.0,
) -> Divergence | None:
    """The first node in topological order that differs although what it reads agrees.

    Args:
        model: Side A's instrumented model, whose nodes are walked.
        inputs: Golden case id → inputs by signature name.
        run_a: Runs side A.
        run_b: Runs side B.
        names_b: Tensor name in A → its name in B; None when they are the same.
        threshold: Rounding steps of difference that count as agreement; 0 asks for equal bits.

    Returns:
        The divergence on the first case that has one, or None when all tensors agree.
    """
    known = {spec.name: spec.dtype for spec in model.signature.outputs}
    for case, feeds in inputs.items():
        differing: set[str] = set()
        for node, name, values in _walk(model, feeds, run_a, run_b, names_b or {}):
            metrics = compare_output(values[0], values[1], None, known[name], name)
            if agrees(metrics, threshold):
                continue
            if not differing.intersection(node.inputs):
                index = metrics.worst_index or ()
                steps = metrics.scaled_ulp if metrics.dtype.is_float else None
                return Divergence(node.name, node.op, name, case, metrics.max_abs, steps, index)
            differing.add(name)
    return None


def agrees(metrics: OutputMetrics, threshold: float) -> bool:
    """Whether two tensors have equal bits, or are floats within so many rounding steps."""
    close = metrics.dtype.is_float and metrics.non_finite_equal and metrics.scaled_ulp <= threshold
    return metrics.bit_equal or (threshold > 0 and close)


def _walk(
    model: Instrumented,
    feeds: Mapping[str, AnyArray],
    run_a: Runner,
    run_b: Runner,
    names_b: Mapping[str, str],
) -> Any:
    known = {spec.name for spec in model.signature.outputs}
    wanted = [(node, name) for node in model.nodes for name in node.outputs if name in known]
    for start in range(0, len(wanted), SLICE):
        part = wanted[start : start + SLICE]
        a = run_a(feeds, [name for _, name in part])
        b = run_b(feeds, [names_b.get(name, name) for _, name in part])
        for node, name in part:
            yield node, name, (a[name], b[names_b.get(name, name)])


def align(a: Instrumented, b: Instrumented) -> dict[str, str] | str:
    """Pairs the tensors of two models whose nodes correspond one to one.

    Returns:
        Tensor name in ``a`` → name in ``b``; or, when the graphs are built differently, a sentence
        that says where they first are.
    """
    pairs: dict[str, str] = {}
    for index, (left, right) in enumerate(zip(a.nodes, b.nodes, strict=False)):
        if left.op != right.op or len(left.outputs) != len(right.outputs):
            there = f"{right.op} '{right.name}'"
            return f"node {index} is {left.op} '{left.name}' in A and {there} in B"
        pairs.update(zip(left.outputs, right.outputs, strict=True))
    if len(a.nodes) != len(b.nodes):
        return f"A has {len(a.nodes)} nodes, B has {len(b.nodes)}"
    return pairs


def _node(proto: Any, index: int) -> Node:
    op = f"{proto.domain}:{proto.op_type}" if proto.domain else str(proto.op_type)
    return Node(
        str(proto.name) or f"{op}#{index}",
        op,
        tuple(name for name in proto.input if name),
        tuple(name for name in proto.output if name),
    )


def _typed_outputs(data: bytes, feeds: Mapping[str, AnyArray]) -> tuple[TensorSpec, ...]:
    """The outputs that are tensors, with the types ONNX Runtime infers and the ranks it gives."""
    ort: Any = importlib.import_module("onnxruntime")
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    run, known = _door(ort, session, feeds)
    tensors = [each for each in session.get_outputs() if each.type in known]
    specs: list[TensorSpec] = []
    for start in range(0, len(tensors), SLICE):
        part = tensors[start : start + SLICE]
        names = [each.name for each in part]
        for each, rank in zip(part, run(names), strict=True):
            # Nothing ties a dim to another tensor's, so each is its own symbol.
            dims = tuple(f"t{len(specs)}_{axis}" for axis in range(rank))
            specs.append(TensorSpec(str(each.name), _FROM_ORT[each.type], dims))
    return tuple(specs)


def _door(
    ort: Any, session: Any, feeds: Mapping[str, AnyArray]
) -> tuple[Callable[[list[str]], list[int]], frozenset[str]]:
    """How to run for ranks, and the types that come out.

    In Python ONNX Runtime takes text only as NumPy arrays, and gives bfloat16 only as OrtValue.
    """
    types = frozenset(_FROM_ORT)
    if any(array.dtype == np.object_ for array in feeds.values()):
        return lambda names: [np.ndim(each) for each in session.run(names, feeds)], types - {
            "tensor(bfloat16)"
        }
    values = _ort_values(ort, feeds)
    return lambda names: [
        len(each.shape()) for each in session.run_with_ort_values(names, values)
    ], types


def _ort_values(ort: Any, feeds: Mapping[str, AnyArray]) -> dict[str, Any]:
    bf16 = DType.BF16.numpy
    return {
        name: ort.OrtValue.ortvalue_from_numpy_with_onnx_type(
            np.ascontiguousarray(array).view(np.uint16), _ONNX_CODES[DType.BF16]
        )
        if array.dtype == bf16
        else ort.OrtValue.ortvalue_from_numpy(array)
        for name, array in feeds.items()
    }
