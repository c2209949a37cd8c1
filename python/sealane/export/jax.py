"""JAX functions and Flax modules → ONNX, by jax2onnx."""

from __future__ import annotations

import inspect
import re
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.core import DType, SealaneError, Signature
from sealane.core.frameworks import load_module
from sealane.export.errors import unsupported
from sealane.export.examples import Arrays, Examples, Style
from sealane.export.jax_conversion import convert, taken_for
from sealane.export.jax_faults import CALLING, CONVERTING, explain
from sealane.export.jax_parts import take_apart
from sealane.export.outputs import flatten, named
from sealane.export.quiet import quiet
from sealane.export.source import Oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    import onnx

    from sealane.export.jax_parts import Parts
    from sealane.export.network.builder import Built
    from sealane.export.network.trace import TraceSettings, Trainer

_LOGGERS = ("jax", "jax2onnx", "onnx_ir", "absl")


class JaxSource:
    """A private copy of a Flax NNX module in inference mode, or of a `JaxModel`, on the CPU.

    JAX computes in 32 bits unless a parameter has float64, whatever ``jax_enable_x64`` says; that
    setting is left as it was. An int64 input stays int64 in the signature: its values must fit the
    int32 that JAX takes it for.
    """

    framework = "jax"
    flushes_denormals = True

    def __init__(self, model: object) -> None:
        with quiet(_LOGGERS):
            self._jax = load_module("jax", "jax")
            load_module("jax2onnx", "jax")
            self._cpu = self._jax.devices("cpu")[0]
            self._model = model
            self._parts = take_apart(model)
        leaves = self._jax.tree.leaves(self._parts.state)
        self._wide = any(self._is_double(leaf) for leaf in leaves)
        with self._computing():
            self._state = self._jax.tree.map(self._copied, self._parts.state)
        self._function = self._flat(self._parts)
        self._compiled = self._jax.jit(self._function)
        self._style = Style.POSITIONAL
        self._inputs: tuple[str, ...] = ()
        self._outputs: tuple[str, ...] = ()
        self._examples: Arrays = {}
        self.version: str = self._jax.__version__
        self.description: dict[str, object] = {
            "exporter": f"jax2onnx {metadata.version('jax2onnx')}",
            "model": self._parts.name,
            "parameters": sum(int(np.size(each)) for each in leaves if self._is_float(each)),
        }

    def input_names(self) -> tuple[str, ...]:
        """The names of the arguments that can be given by position, the parameters left out."""
        parameters = inspect.signature(self._parts.described).parameters.values()
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = tuple(p.name for p in parameters if p.kind in kinds)
        return names[self._parts.skipped :] or ("input",)

    def bind(self, examples: Examples, output_names: tuple[str, ...] | None) -> Arrays:
        """Run once, refuse a model whose state or result changes, and name the outputs."""
        self._style = examples.style
        self._inputs = tuple(examples.arrays)
        arrays = {name: self._native(name, array) for name, array in examples.arrays.items()}
        self._examples = arrays
        first, second = self._eager(arrays), self._eager(arrays)
        self._outputs = named([name for name, _ in first], output_names)
        for name, (_, a), (_, b) in zip(self._outputs, first, second, strict=True):
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                raise unsupported(
                    f"output {name!r} differs between two calls with the same inputs; a model that "
                    "draws random numbers or keeps state can not be verified"
                )
        return arrays

    def run(self, inputs: Arrays) -> Arrays:
        """The model's outputs, compiled by XLA."""
        return self._named(self._compiled, self._state, inputs)

    def oracle(self) -> Oracle | None:
        """The model with float64 parameters, or None when a part of it insists on less."""
        if self._wide:
            return None
        jax, jnp = self._jax, self._jax.numpy

        def widened(value: Any) -> Any:
            return jnp.asarray(value, jnp.float64) if self._is_float(value) else value

        with self._computing(wide=True):
            state = jax.tree.map(widened, self._state)
        function = self._flat(take_apart(self._model, wide=True))
        compiled = jax.jit(function)

        def run(inputs: Arrays) -> Arrays:
            wide = {n: a.astype(np.float64) if self._is_float(a) else a for n, a in inputs.items()}
            return self._named(compiled, state, wide, wide=True)

        try:
            found = run(self._examples)
            with self._computing(wide=True):
                inputs = {n: widened(each) for n, each in self._tensors(self._examples).items()}
                text = str(jax.make_jaxpr(function)(state, inputs))
        except SealaneError:
            return None
        narrowed = re.search(r"new_dtype=(float32|float16|bfloat16)\b", text) is not None
        narrow = any(self._is_float(each) and each.dtype != np.float64 for each in found.values())
        return None if narrowed or narrow else Oracle("jax-f64", self.version, run)

    def to_onnx(self, signature: Signature, probe: Arrays, opset: int) -> onnx.ModelProto:
        """Trace with symbolic dims and convert by jax2onnx.

        Raises:
            SealaneError: ``EXPORT_UNSUPPORTED`` naming the primitive that has no ONNX form or what
                can not be traced, ``EXPORT_FAILED`` for any other failure of the converter.
        """
        del probe
        names = [spec.name for spec in signature.inputs]

        def function(*tensors: Any) -> tuple[Any, ...]:
            return tuple(self._function(self._state, dict(zip(names, tensors, strict=True))))

        try:
            with self._computing(), quiet(_LOGGERS):
                return convert(self._jax, function, signature, opset, wide=self._wide)
        except Exception as error:
            raise explain(error, self._jax, CONVERTING) from error

    def to_network(self, signature: Signature, prefix: str = "") -> Built:
        """There is no network of a JAX model.

        Raises:
            SealaneError: ``EXPORT_UNSUPPORTED``, always.
        """
        raise unsupported("a network can not be made of a JAX model; leave out the format 'dl4j'")

    def trainer(self, signature: Signature, settings: TraceSettings) -> Trainer:
        """There is no training trace of a JAX model.

        Raises:
            SealaneError: ``EXPORT_UNSUPPORTED``, always.
        """
        raise unsupported("no training trace can be recorded of a JAX model")

    def _flat(self, parts: Parts) -> Callable[[Any, Mapping[str, Any]], list[Any]]:
        """A function of the state and the inputs by name that gives a list of arrays."""

        def function(state: Any, inputs: Mapping[str, Any]) -> list[Any]:
            return [value for _, value in flatten(self._called(parts, state, inputs)[0])]

        return function

    def _called(self, parts: Parts, state: Any, inputs: Mapping[str, Any]) -> tuple[Any, Any]:
        if self._style is Style.KEYWORD:
            return parts.call(state, **inputs)
        return parts.call(state, *(inputs[name] for name in self._inputs))

    def _eager(self, arrays: Arrays) -> list[tuple[str, Any]]:
        """Outputs by the model's own names, each call of Python code done anew."""
        try:
            with self._computing(), quiet(_LOGGERS):
                result, after = self._called(self._parts, self._state, self._tensors(arrays))
                self._check_unchanged(after)
                return [(name, self._array(name, value)) for name, value in flatten(result)]
        except SealaneError:
            raise
        except Exception as error:
            raise explain(error, self._jax, CALLING) from error

    def _named(self, compiled: Any, state: Any, inputs: Arrays, *, wide: bool = False) -> Arrays:
        try:
            with self._computing(wide=wide), quiet(_LOGGERS):
                values = compiled(state, self._tensors(inputs))
                pairs = zip(self._outputs, values, strict=True)
                return {name: self._array(name, value) for name, value in pairs}
        except SealaneError:
            raise
        except Exception as error:
            raise explain(error, self._jax, CALLING) from error

    def _check_unchanged(self, after: Any) -> None:
        if after is None:
            return
        paths = self._jax.tree_util.tree_leaves_with_path
        found = {self._path(path): leaf for path, leaf in paths(after)}
        changed = [
            self._path(path)
            for path, leaf in paths(self._state)
            if not _same(self._data(leaf), self._data(found.get(self._path(path), leaf)))
        ]
        if changed:
            raise unsupported(
                f"the model changes its own state when called in eval mode: {', '.join(changed)}; "
                "an exported model neither draws random numbers nor has state to change",
                state=changed,
            )

    def _path(self, path: Any) -> str:
        return self._jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value")

    def _data(self, leaf: Any) -> Any:
        dtypes = self._jax.dtypes
        if dtypes.issubdtype(leaf.dtype, dtypes.prng_key):
            return np.asarray(self._jax.random.key_data(leaf))
        return np.asarray(leaf)

    def _array(self, name: str, value: Any) -> Any:
        array = np.array(value)
        if DType.from_numpy(array.dtype) is None:
            raise unsupported(
                f"output {name!r} has dtype {array.dtype}, which no runtime returns", output=name
            )
        return array

    def _tensors(self, arrays: Arrays) -> dict[str, Any]:
        jnp = self._jax.numpy
        return {name: jnp.asarray(a.astype(self._taken(a.dtype))) for name, a in arrays.items()}

    def _native(self, name: str, array: Any) -> Any:
        """A float64 example (what NumPy and pandas make) in the precision of the parameters."""
        if array.dtype == object:
            raise unsupported(
                "a JAX model takes no strings; encode them with features=…, which travels with it"
            )
        taken = self._taken(array.dtype)
        if taken != array.dtype and array.size:
            limits = np.iinfo(taken)
            if array.min() < limits.min or array.max() > limits.max:
                raise unsupported(
                    f"input {name!r} has values that do not fit {taken}, which JAX takes "
                    f"{array.dtype} for",
                    input=name,
                )
        if array.dtype == np.float64 and not self._wide:
            return array.astype(np.float32)
        return array

    def _taken(self, dtype: Any) -> Any:
        """The dtype in which JAX computes with an input."""
        return taken_for(dtype, wide=self._wide)

    def _copied(self, leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray | np.generic):
            return self._jax.device_put(np.array(cast("Any", leaf)), self._cpu)
        if isinstance(leaf, self._jax.Array):
            return self._jax.device_put(leaf, self._cpu)
        return leaf

    def _is_float(self, leaf: Any) -> bool:
        dtype = getattr(leaf, "dtype", None)
        return dtype is not None and self._jax.dtypes.issubdtype(dtype, np.floating)

    def _is_double(self, leaf: Any) -> bool:
        if isinstance(leaf, np.ndarray | np.generic):
            dtype: Any = cast("Any", leaf).dtype
            return self._jax.dtypes.canonicalize_dtype(dtype) == np.float64
        return getattr(leaf, "dtype", None) == np.float64

    @contextmanager
    def _computing(self, *, wide: bool = False) -> Generator[None]:
        with self._jax.enable_x64(wide or self._wide), self._jax.default_device(self._cpu):
            yield


def _same(a: Any, b: Any) -> bool:
    return a.shape == b.shape and a.tobytes() == b.tobytes()
