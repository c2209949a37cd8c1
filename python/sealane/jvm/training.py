"""Training in the JVM of this process, by the Java builder ``io.sealane.training.FineTune``."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import DType, ErrorCode, SealaneError
from sealane.jvm.buffers import direct_buffer
from sealane.jvm.engines import engine_jars
from sealane.jvm.failures import java_errors
from sealane.jvm.process import start
from sealane.jvm.threads import detach_at_exit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sealane.bundle.training_trace import Optimizer
    from sealane.runtime.values import AnyArray

Rows = tuple[dict[str, "AnyArray"], "AnyArray"]
"""Columns of the signature by name, and labels."""

_PACKAGE = "io.sealane.training"
_NETWORK = "io.sealane.bundle.network"


def fine_tune(
    bundle: Path,
    rows: Rows,
    *,
    path: Path,
    version: str,
    validation: Rows | float | None,
    optimizer: Optimizer,
    loss: str | None,
    output: str | None,
    settings: Mapping[str, int | bool],
    freeze: tuple[str, ...],
    checkpoints: tuple[Path, int] | None,
    replay: str,
    listener: Callable[[dict[str, Any]], None] | None,
) -> dict[str, Any]:
    """Train a bundle's network and write the child bundle.

    Args:
        bundle: The parent's directory.
        rows: To train on; read during the call only.
        path: The child's directory.
        version: The child's version.
        validation: Rows, or the share of the rows, that judge each epoch; None for none.
        optimizer: How the weights move.
        loss: A kind of loss; None for what the output's meaning asks for.
        output: The output that it is of; None for the first.
        settings: Of the Java builder, by its method names.
        freeze: Layers whose weights stay.
        checkpoints: Folder and steps between checkpoints, or None.
        replay: ``strict``, ``warn`` or ``off``, for the golden training trace.
        listener: Is told of each epoch.

    Returns:
        The report: ``{history, bestEpoch, parent, child, rows, validationRows, steps}``.

    Raises:
        SealaneError: As the Java builder; ENGINE_UNAVAILABLE when the engine's jars are missing.
    """
    engine_jars("dl4j")
    bridge = start("dl4j")
    detach_at_exit()
    java = _Java()
    with java_errors(bridge):
        data = java.training_data(rows)
        held: Any = None
        try:
            builder: Any = java.kind(f"{_PACKAGE}.FineTune").of(java.path(bundle)).data(data)
            if isinstance(validation, float | int):
                builder.validation(float(validation))
            elif validation is not None:
                held = java.training_data(validation)
                builder.validation(held)
            builder.optimizer(java.optimizer(optimizer))
            if loss is not None:
                kind = java.kind(f"{_NETWORK}.Loss").Kind.valueOf(loss.upper())
                builder.loss(kind, output) if output is not None else builder.loss(kind)
            for name, value in settings.items():
                getattr(builder, name)(value)
            builder.freeze(*freeze)
            if checkpoints is not None:
                builder.checkpoints(java.path(checkpoints[0]), checkpoints[1])
            mode = java.kind("io.sealane.runtime.Replay").Mode.valueOf(replay.upper())
            builder.replay(mode)
            if listener is not None:
                builder.listener(java.listener(listener))
            trained: Any = builder.run()
            trained.save(java.path(path), version)
            return _report(trained.report())
        finally:
            java.free(data)
            if held is not None:
                java.free(held)


class _Java:
    """Java objects made of Python's."""

    def __init__(self) -> None:
        self._jpype: Any = importlib.import_module("jpype")

    def kind(self, name: str) -> Any:
        """A class of Sealane's.

        Raises:
            SealaneError: ENGINE_UNAVAILABLE when the running JVM has no training module.
        """
        try:
            return self._jpype.JClass(name)
        except Exception as error:
            raise SealaneError(
                ErrorCode.ENGINE_UNAVAILABLE,
                f"the running JVM has no {name}: its class path lacks the training module "
                "(io.sealane:sealane-training) and an engine (io.sealane:sealane-runtime-dl4j)",
                {"engine": "jvm:dl4j"},
            ) from error

    def path(self, path: Path) -> Any:
        """A ``java.nio.file.Path``."""
        return self._jpype.java.nio.file.Path.of(str(path.absolute()))

    def training_data(self, rows: Rows) -> Any:
        """The rows as ``TrainingData``, copied into Java's memory."""
        columns, labels = rows
        tensors: Any = self._jpype.java.util.LinkedHashMap()
        for name, array in columns.items():
            tensors.put(name, self._tensor(name, array))
        return self.kind(f"{_PACKAGE}.TrainingData").of(tensors, self._tensor("labels", labels))

    def free(self, data: Any) -> None:
        """Close the tensors of rows."""
        for tensor in (*data.columns().values(), data.labels()):
            tensor.close()

    def optimizer(self, given: Optimizer) -> Any:
        """Java's record of an optimizer."""
        kinds = self.kind(f"{_NETWORK}.Optimizer")
        if given.kind == "sgd":
            return kinds.Sgd(given.learning_rate)
        if given.kind == "nesterov":
            return kinds.Nesterov(given.learning_rate, given.momentum)
        forms = kinds.EpsilonForm
        form = forms.UNCORRECTED if given.epsilon_form == "uncorrected" else forms.CORRECTED
        return kinds.Adam(given.learning_rate, given.beta1, given.beta2, given.epsilon, form)

    def listener(self, tell: Callable[[dict[str, Any]], None]) -> Any:
        """A ``Consumer<Progress>``."""

        def accept(progress: Any) -> None:
            tell(_progress(progress))

        return self._jpype.JProxy("java.util.function.Consumer", dict={"accept": accept})

    def _tensor(self, name: str, array: AnyArray) -> Any:
        tensors: Any = self.kind("io.sealane.core.Tensor")
        shape = self.kind("io.sealane.core.Shape").of(*map(int, array.shape))
        if array.dtype == np.object_:
            return tensors.bytes(shape, *array.ravel().tolist())
        dtype = DType.from_numpy(array.dtype)
        if dtype is None:
            raise SealaneError(
                ErrorCode.INPUT_DTYPE, f"'{name}' is {array.dtype}, which no tensor holds"
            )
        made = tensors.allocate(self.kind("io.sealane.core.DataType").valueOf(dtype.value), shape)
        buffer = direct_buffer(name, np.ascontiguousarray(array))
        if buffer is not None:
            made.buffer().put(buffer)
        return made


def _report(report: Any) -> dict[str, Any]:
    return {
        "history": [_progress(each) for each in report.history()],
        "bestEpoch": int(report.bestEpoch()),
        "parent": _metrics(report.parent()),
        "child": _metrics(report.child()),
        "rows": int(report.rows()),
        "validationRows": int(report.validationRows()),
        "steps": int(report.steps()),
    }


def _progress(progress: Any) -> dict[str, Any]:
    loss = float(progress.loss())
    return {
        "epoch": int(progress.epoch()),
        "epochs": int(progress.epochs()),
        "step": int(progress.step()),
        "loss": None if math.isnan(loss) else loss,
        "validation": _metrics(progress.validation()),
        "best": bool(progress.best()),
    }


def _metrics(metrics: Any) -> dict[str, float] | None:
    if metrics is None:
        return None
    return {str(entry.getKey()): float(entry.getValue()) for entry in metrics.values().entrySet()}
