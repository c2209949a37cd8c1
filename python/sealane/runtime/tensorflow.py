"""TensorFlow in this process behind a session: SavedModels by ``serving_default``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import DType, ErrorCode, SealaneError, Signature
from sealane.core.frameworks import load_module

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sealane.runtime.values import AnyArray

SIGNATURE_KEY = "serving_default"


class TensorflowEngine:
    """One SavedModel, its variables restored and its lookup tables initialised.

    Args:
        directory: The directory that holds ``saved_model.pb``; needed only while loading.
        signature: The bundle's signature.
        inputs: Signature input name → argument key of ``serving_default``.
        outputs: Signature output name → result key.
        label: The model and variant, for messages.

    Raises:
        SealaneError: ENGINE_UNAVAILABLE without TensorFlow, ARTIFACT_UNSUPPORTED for an operator
            it does not have, ENGINE_LOAD_FAILED for any other failure.
    """

    name = "tensorflow"

    def __init__(
        self,
        directory: Path,
        signature: Signature,
        *,
        inputs: Mapping[str, str],
        outputs: Mapping[str, str],
        label: str,
    ) -> None:
        self._tf = load_module("tensorflow", "tensorflow")
        self._label = label
        self._inputs = dict(inputs)
        self._outputs = dict(outputs)
        self._dtypes = {spec.name: spec.dtype for spec in signature.outputs}
        self._tensor_types = {
            spec.name: self._tf.string if spec.dtype is DType.BYTES else spec.dtype.numpy
            for spec in signature.inputs
        }
        loaded, function = _load(self._tf, directory, label)
        self._loaded: Any = loaded
        self._function: Any = function

    @property
    def version(self) -> str:
        """TensorFlow's version."""
        return str(self._tf.__version__)

    @property
    def options(self) -> dict[str, object]:
        """The effective settings."""
        return {"signature": SIGNATURE_KEY, "device": "CPU"}

    def run(self, inputs: dict[str, AnyArray], outputs: tuple[str, ...]) -> dict[str, AnyArray]:
        """Runs parsed inputs; see :meth:`sealane.runtime.session.Engine.run`."""
        try:
            with self._tf.device("/CPU:0"):
                feeds = {
                    self._inputs[name]: self._tf.constant(array, dtype=self._tensor_types[name])
                    for name, array in inputs.items()
                }
                results = self._function(**feeds)
            return {name: self._array(name, results[self._outputs[name]]) for name in outputs}
        except Exception as error:
            raise SealaneError(
                ErrorCode.ENGINE_RUN_FAILED,
                f"TensorFlow {self.version} failed to run {self._label}: {error}",
                {"engine": self.name},
            ) from error

    def _array(self, name: str, tensor: Any) -> AnyArray:
        value = tensor.numpy()
        if self._dtypes[name] is not DType.BYTES:
            return np.asarray(value)
        raw = np.asarray(value, np.object_)
        text = np.empty(raw.size, np.object_)
        text[:] = [each.decode("utf-8") for each in raw.ravel().tolist()]
        return text.reshape(raw.shape)

    def close(self) -> None:
        """Drops the function and the variables."""
        self._function = None
        self._loaded = None


def _load(tf: Any, directory: Path, label: str) -> tuple[Any, Any]:
    try:
        loaded = tf.saved_model.load(str(directory))
        return loaded, loaded.signatures[SIGNATURE_KEY]
    except Exception as error:
        unsupported = "Op type not registered" in str(error)
        code = ErrorCode.ARTIFACT_UNSUPPORTED if unsupported else ErrorCode.ENGINE_LOAD_FAILED
        raise SealaneError(
            code,
            f"TensorFlow {tf.__version__} can not load {label}: {error}",
            {"engine": "tensorflow", "version": str(tf.__version__)},
        ) from error
