"""TensorFlow functions → SavedModel, and SavedModel → ONNX."""

from __future__ import annotations

import logging
import re
import shutil
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.export import canonical
from sealane.export.errors import failed, unsupported
from sealane.export.saved_model_names import settle_names

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

    import onnx

    from sealane.core import Signature, TensorSpec
from sealane.core.frameworks import load_module

SIGNATURE = "serving_default"
_TF2ONNX_MAX_OPSET = 18
_MERGING = "merge_duplication"


def engine_names(specs: Sequence[TensorSpec]) -> dict[str, str]:
    """Signature name → SavedModel key: the name itself where Python allows it as an argument."""
    names: dict[str, str] = {}
    for spec in specs:
        key = re.sub(r"\W", "_", spec.name, flags=re.ASCII)
        key = key if key[:1].isalpha() else f"t_{key}"
        while key in names.values():
            key += "_"
        names[spec.name] = key
    return names


def save(
    tf: Any,
    call: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    tracked: Sequence[Any],
    signature: Signature,
    directory: Path,
    *,
    autograph: bool = False,
) -> None:
    """Write a SavedModel with the one signature def ``serving_default``.

    Args:
        tf: The ``tensorflow`` module.
        call: Tensors by signature name → tensors by signature name.
        tracked: Models, tables and other resources the function uses.
        signature: Names, dtypes and dims; a symbol becomes an unknown dim.
        directory: Where to; must not exist. ``fingerprint.pb``, a random identifier that no loader
            needs, is removed, so that equal models give equal bytes.
        autograph: Whether Python's control flow in layers is made TensorFlow's.
    """
    inputs, outputs = engine_names(signature.inputs), engine_names(signature.outputs)
    back = {key: name for name, key in inputs.items()}
    arguments = {
        inputs[spec.name]: tf.TensorSpec(
            [None if isinstance(dim, str) else dim for dim in spec.shape],
            tf.as_dtype("string" if spec.dtype.value == "BYTES" else spec.dtype.numpy),
            name=inputs[spec.name],
        )
        for spec in signature.inputs
    }

    def serve(**tensors: Any) -> dict[str, Any]:
        result = call({back[key]: tensor for key, tensor in tensors.items()})
        return {outputs[name]: tf.identity(result[name]) for name in outputs}

    module = tf.Module()
    module.tracked = list(tracked)
    with quiet():
        concrete = tf.function(serve, autograph=autograph).get_concrete_function(**arguments)
        tf.saved_model.save(module, str(directory), signatures={SIGNATURE: concrete})
    (directory / "fingerprint.pb").unlink(missing_ok=True)
    settle_names(directory)
    for name in ("assets", "variables"):
        if (directory / name).is_dir() and not any((directory / name).iterdir()):
            shutil.rmtree(directory / name)


def to_onnx(tf: Any, directory: Path, signature: Signature, opset: int) -> onnx.ModelProto:
    """Convert a SavedModel's ``serving_default`` by tf2onnx.

    Raises:
        SealaneError: ``EXPORT_UNSUPPORTED`` naming the operators that have no ONNX form.
    """
    loader = load_module("tf2onnx.tf_loader", "tensorflow")
    convert = load_module("tf2onnx.convert", "tensorflow")
    del tf
    inputs, outputs = engine_names(signature.inputs), engine_names(signature.outputs)
    with quiet(), _without_merging(), _collected("tf2onnx") as messages:
        try:
            frozen, names_in, names_out, tables, renames = loader.from_saved_model(
                str(directory), None, None, tag="serve", signatures=[SIGNATURE],
                return_initialized_tables=True, return_tensors_to_rename=True,
            )  # fmt: skip
            wanted = {key: name for name, key in (*inputs.items(), *outputs.items())}
            model, _ = convert._convert_common(
                frozen,
                name="model",
                opset=min(opset, _TF2ONNX_MAX_OPSET),
                initialized_tables=tables,
                custom_op_handlers={"Erfc": (_erfc, [])},
                input_names=[n for n in names_in if renames.get(n) in inputs.values()],
                output_names=names_out,
                tensors_to_rename={t: wanted.get(k, k) for t, k in renames.items()},
            )
        except Exception as error:
            raise _explain(error, messages) from error
    refused = [text for text in messages if "not supported" in text]
    if refused:
        raise unsupported(f"TensorFlow operators without ONNX form: {'; '.join(refused)[:500]}")
    _order_outputs(model, signature)
    canonical.settle(model)
    return model


def _order_outputs(model: onnx.ModelProto, signature: Signature) -> None:
    by_name = {value.name: value for value in model.graph.output}
    missing = [spec.name for spec in signature.outputs if spec.name not in by_name]
    if missing:
        raise failed(f"the converted graph has no outputs {missing}, only {sorted(by_name)}")
    ordered = [by_name[spec.name] for spec in signature.outputs]
    del model.graph.output[:]
    model.graph.output.extend(ordered)


def _explain(error: BaseException, messages: Sequence[str]) -> Exception:
    text = "; ".join(messages) or str(error)
    if "not supported" in text:
        return unsupported(f"TensorFlow operators without ONNX form: {text[:500]}")
    return failed(f"tf2onnx failed: {type(error).__name__}: {str(error)[:500]}")


def _erfc(context: Any, node: Any, name: str, _arguments: Any) -> None:
    """Erfc is 1 - Erf; ONNX has no Erfc, and tf2onnx would write it as if it had."""
    source, target = node.input[0], node.output[0]
    dtype = context.get_dtype(source)
    shape, out_dtype = context.get_shape(target), context.get_dtype(target)
    numpy_dtype = np.float64 if dtype == 11 else np.float16 if dtype == 10 else np.float32
    context.remove_node(node.name)
    one = context.make_const(f"{name}_one", np.array(1, numpy_dtype))
    erf = context.make_node("Erf", [source], name=f"{name}_erf")
    context.make_node(
        "Sub", [one.output[0], erf.output[0]], outputs=[target], name=name,
        shapes=[shape], dtypes=[out_dtype],
    )  # fmt: skip


@contextmanager
def _without_merging() -> Generator[None]:
    """Hold back tf2onnx's merging of equal nodes, which keeps another one's name each time."""
    optimizers = load_module("tf2onnx.optimizer", "tensorflow")._get_optimizers()
    every = dict(optimizers)
    optimizers.pop(_MERGING)
    try:
        yield
    finally:
        optimizers.clear()
        optimizers.update(every)


@contextmanager
def _collected(name: str) -> Generator[list[str]]:
    """The errors that a library only logs."""
    messages: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    logger, handler = logging.getLogger(name), Collector(logging.ERROR)
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


@contextmanager
def quiet() -> Generator[None]:
    """Hold back TensorFlow's notices; failures are raised, not logged."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
