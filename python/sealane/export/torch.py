"""PyTorch modules → ONNX, by torch.export and the dynamo exporter."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any, cast

import ml_dtypes
import numpy as np

from sealane.core import DType, SealaneError, Signature
from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.examples import Arrays, Examples, Style
from sealane.export.outputs import flatten, named
from sealane.export.quiet import quiet
from sealane.export.source import Oracle
from sealane.export.torch_faults import check_program, explain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import onnx

    from sealane.export.network.builder import Built
    from sealane.export.network.trace import TraceSettings, Trainer

_LOGGERS = ("torch.onnx", "torch.export", "torch.fx", "torch._dynamo", "torch.utils", "onnxscript")


class TorchSource:
    """A deep copy of a ``torch.nn.Module`` in eval mode on the CPU.

    The caller's module keeps its mode, weights and device. The copy is in inference mode, so that
    batch normalisation and dropout can not leak their training behaviour into the reference.
    """

    framework = "torch"
    flushes_denormals = False

    def __init__(self, model: object) -> None:
        self._torch = load_module("torch", "torch")
        load_module("onnxscript", "torch")
        if isinstance(model, self._torch.jit.ScriptModule):
            raise unsupported(
                "a TorchScript module can not be exported; give the torch.nn.Module it was made of"
            )
        self.version: str = self._torch.__version__
        try:
            self._model: Any = copy.deepcopy(model)
        except Exception as error:
            raise unsupported(
                f"the {type(model).__name__} can not be deep-copied ({error}); exporting must not "
                "touch the caller's model, so it needs to be copyable"
            ) from error
        self._model.cpu().eval()
        self._style = Style.POSITIONAL
        self._inputs: tuple[str, ...] = ()
        self._outputs: tuple[str, ...] = ()
        self._examples: Arrays = {}
        self.description: dict[str, object] = {
            "exporter": "torch.onnx (dynamo)",
            "model": type(model).__name__,
            "parameters": sum(int(p.numel()) for p in self._model.parameters()),
        }

    def input_names(self) -> tuple[str, ...]:
        """The parameter names of ``forward`` that can be given by position."""
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = inspect.signature(self._model.forward).parameters.values()
        return tuple(p.name for p in parameters if p.kind in kinds)

    def bind(self, examples: Examples, output_names: tuple[str, ...] | None) -> Arrays:
        """Run once, refuse a model whose state or result changes, and name the outputs."""
        self._style = examples.style
        self._inputs = tuple(examples.arrays)
        arrays = {name: self._native(array) for name, array in examples.arrays.items()}
        self._examples = arrays
        before = self._state()
        first = self._flat(self._model, arrays)
        self._check_unchanged(before)
        second = self._flat(self._model, arrays)
        self._outputs = named([name for name, _ in first], output_names)
        for name, (_, a), (_, b) in zip(self._outputs, first, second, strict=True):
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                raise unsupported(
                    f"output {name!r} differs between two calls with the same inputs in eval mode; "
                    "a model that draws random numbers or keeps state can not be verified"
                )
        return arrays

    def run(self, inputs: Arrays) -> Arrays:
        """The module's outputs."""
        values = self._flat(self._model, inputs)
        return {name: value for name, (_, value) in zip(self._outputs, values, strict=True)}

    def oracle(self) -> Oracle | None:
        """The module in double precision, or None when it can not run so (``x.float()`` in it)."""
        double = copy.deepcopy(self._model).double()

        def run(inputs: Arrays) -> Arrays:
            wide = {n: a.astype(np.float64) if _is_float(a) else a for n, a in inputs.items()}
            values = self._flat(double, wide)
            return {name: value for name, (_, value) in zip(self._outputs, values, strict=True)}

        try:
            run(self._examples)
        except SealaneError:
            return None
        return Oracle("torch-f64", self.version, run)

    def to_onnx(self, signature: Signature, probe: Arrays, opset: int) -> onnx.ModelProto:
        """Trace with torch.export, check the program, then convert it.

        Raises:
            SealaneError: ``EXPORT_UNSUPPORTED`` naming the layer that can not be traced or
                converted, ``EXPORT_FAILED`` for any other failure of the exporter.
        """
        torch = self._torch
        flat = _flat_module(torch, self._model, self._inputs, self._style)
        tensors = tuple(self._tensor(probe[spec.name]) for spec in signature.inputs)
        symbols = {d for spec in signature.inputs for d in spec.shape if isinstance(d, str)}
        dims = {name: torch.export.Dim(name) for name in sorted(symbols)}
        shapes = tuple(
            {axis: dims[dim] for axis, dim in enumerate(spec.shape) if isinstance(dim, str)}
            for spec in signature.inputs
        )
        with quiet(_LOGGERS), torch.no_grad():
            try:
                program = torch.export.export(flat, tensors, dynamic_shapes=(shapes,), strict=False)
            except Exception as error:
                raise explain(error, self._model, "torch.export") from error
            check_program(program)
            try:
                exported = torch.onnx.export(
                    program,
                    dynamo=True,
                    opset_version=opset,
                    input_names=[spec.name for spec in signature.inputs],
                    output_names=[spec.name for spec in signature.outputs],
                    verbose=False,
                )
            except Exception as error:
                raise explain(error, self._model, "torch.onnx", program) from error
        return exported.model_proto

    def to_network(self, signature: Signature, prefix: str = "") -> Built:
        """The module as layers, traced by torch.fx.

        Raises:
            SealaneError: ``EXPORT_UNSUPPORTED`` naming the module that a network can not hold.
        """
        from sealane.export.network.torch import torch_network

        return torch_network(self._model, signature, self._inputs, self._style, prefix)

    def trainer(self, signature: Signature, settings: TraceSettings) -> Trainer:
        """A copy of the module that is trained step by step."""
        from sealane.export.network.trace_torch import TorchTrainer

        return TorchTrainer(self._model, signature, self._inputs, self._style, settings)

    def _state(self) -> dict[str, Any]:
        state = cast("Mapping[str, Any]", self._model.state_dict())
        return {name: value.clone() for name, value in state.items() if hasattr(value, "clone")}

    def _check_unchanged(self, before: Mapping[str, Any]) -> None:
        after = self._state()
        changed = sorted(
            name
            for name in after
            if name not in before or not self._torch.equal(after[name], before[name])
        )
        if changed:
            raise unsupported(
                f"the model changes its own state when called in eval mode: {', '.join(changed)}; "
                "an exported model has no state to change",
                state=changed,
            )

    def _flat(self, model: Any, inputs: Arrays) -> list[tuple[str, Any]]:
        torch = self._torch
        tensors = {name: self._tensor(inputs[name]) for name in self._inputs}
        try:
            with quiet(_LOGGERS), torch.no_grad():
                result = _call(model, tensors, self._style)
        except SealaneError:
            raise
        except Exception as error:
            raise explain(error, model, "calling the model") from error
        return [(name, self._array(name, value)) for name, value in flatten(result)]

    def _array(self, name: str, value: Any) -> Any:
        if not isinstance(value, self._torch.Tensor):
            raise unsupported(
                f"output {name!r} is a {type(value).__name__}; every output must be a tensor"
            )
        value = value.detach()
        if value.dtype == self._torch.bfloat16:
            return value.float().numpy().astype(ml_dtypes.bfloat16)
        array = value.resolve_conj().resolve_neg().numpy()
        if DType.from_numpy(array.dtype) is None:
            raise unsupported(
                f"output {name!r} has dtype {array.dtype}, which no runtime returns", output=name
            )
        return np.array(array)

    def _tensor(self, array: Any) -> Any:
        if array.dtype == object:
            raise unsupported(
                "a torch model takes no strings; encode them with features=…, which travels with it"
            )
        if array.dtype == ml_dtypes.bfloat16:
            return self._torch.from_numpy(array.astype(np.float32)).to(self._torch.bfloat16)
        return self._torch.from_numpy(np.array(array))

    def _native(self, array: Any) -> Any:
        """A float64 example (what NumPy and pandas make) in the precision of the weights."""
        if array.dtype != np.float64:
            return array
        dtypes = {p.dtype for p in self._model.parameters() if p.is_floating_point()}
        return array.astype(np.float32) if dtypes == {self._torch.float32} else array


def _is_float(array: Any) -> bool:
    return array.dtype.kind == "f" or array.dtype == ml_dtypes.bfloat16


def _call(model: Any, tensors: Mapping[str, Any], style: Style) -> object:
    if style is Style.KEYWORD:
        return model(**tensors)
    return model(*tensors.values())


def _flat_module(torch: Any, model: Any, names: Sequence[str], style: Style) -> Any:
    """The model behind a forward of positional tensors to a tuple of tensors."""

    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType]
            self.model = model

        def forward(self, *tensors: object) -> tuple[object, ...]:
            result = _call(self.model, dict(zip(names, tensors, strict=True)), style)
            return tuple(value for _, value in flatten(result))

    return Flat().eval()
