"""A bundle's network trained on new rows, in the JVM."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sealane.api.bundle import Bundle
from sealane.bundle import read_bundle
from sealane.bundle.training_trace import LOSSES, Optimizer
from sealane.core import DType, ErrorCode, SealaneError
from sealane.runtime.inputs import InputParser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sealane.core import Signature
    from sealane.runtime import ReplayMode
    from sealane.runtime.values import AnyArray

_OPTIMIZERS = {
    "sgd": Optimizer("sgd", 0.01),
    "nesterov": Optimizer("nesterov", 0.01, 0.9),
    "adam": Optimizer("adam", 1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, epsilon_form="corrected"),
}


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What training made.

    Attributes:
        bundle: The child bundle.
        report: ``{history, bestEpoch, parent, child, rows, validationRows, steps}``: the metrics
            of the parent and of the kept weights on the validation rows, and of each epoch.
    """

    bundle: Bundle
    report: dict[str, Any]


def finetune(
    bundle: str | Path | Bundle,
    data: object,
    labels: object,
    *,
    path: str | Path,
    version: str,
    validation: float | tuple[object, object] | None = None,
    optimizer: str | Optimizer = "adam",
    learning_rate: float | None = None,
    loss: str | None = None,
    output: str | None = None,
    epochs: int = 1,
    batch_size: int = 256,
    seed: int = 0,
    shuffle: bool = True,
    threads: int = 1,
    freeze: Sequence[str] = (),
    early_stopping: int | None = None,
    checkpoints: tuple[str | Path, int] | None = None,
    replay: ReplayMode = "strict",
    listener: Callable[[dict[str, Any]], None] | None = None,
) -> FineTuned:
    """Trains a bundle's ``dl4j`` variant on new rows in the JVM, and writes a child bundle.

    The child has the network with its new weights, a fresh ONNX model that was compared with it,
    and a lineage that names the parent. The options are those of the Java builder ``FineTune``.

    Args:
        bundle: The parent.
        data: Columns of the signature by name, or a DataFrame; raw columns where the bundle has
            features.
        labels: ``[rows, …]``: as many numbers as the trained output has, or one class index for
            each row.
        path: The child's directory, which must not exist.
        version: The child's version.
        validation: Rows that judge each epoch, ``(data, labels)``, or a share in (0, 1) of the
            rows; the best epoch's weights are kept then.
        optimizer: ``sgd``, ``nesterov`` or ``adam``, or one with all its settings.
        learning_rate: The step size; None for the optimizer's own.
        loss: A kind of loss of the network format; None for what the output's meaning asks for.
        output: The output that the loss is of; None for the first.
        epochs: Passes over the rows.
        batch_size: Rows of one step.
        seed: Of the split, the order of rows and dropout.
        shuffle: Whether rows change their order each epoch.
        threads: Of the engine.
        freeze: Layers of the network whose weights stay.
        early_stopping: Epochs without a better loss after which training ends; None for never.
        checkpoints: A folder of this run alone, and steps between checkpoints (0 for each epoch
            only); a run that finds one there goes on from it.
        replay: What a golden training trace that comes out otherwise does.
        listener: Is told of the parent, then of each epoch:
            ``{epoch, epochs, step, loss, validation, best}``.

    Raises:
        SealaneError: A code of the bundle family when the parent is refused; VARIANT_NOT_FOUND when
            it has no network; PARITY_FAILED when the engine trains otherwise than the source
            framework did; of the input family for bad rows or options; BUNDLE_EXISTS;
            ENGINE_UNAVAILABLE; ENGINE_RUN_FAILED. No bundle is left behind then.

    Example:
        >>> child = sealane.finetune(  # doctest: +SKIP
        ...     "churn", rows, late, path="churn-may", version="1.1.0", validation=0.2
        ... )
        >>> child.bundle.verify()  # doctest: +SKIP
    """
    from sealane.jvm.training import fine_tune

    parent = bundle.path if isinstance(bundle, Bundle) else Path(bundle)
    target = Path(path)
    counts = {"epochs": epochs, "batchSize": batch_size, "threads": threads}
    if early_stopping is not None:
        counts["earlyStopping"] = early_stopping
    for name, value in counts.items():
        if value < 1:
            raise _refused(f"{name} must be 1 or more, received {value}")
    if loss is not None and loss not in LOSSES:
        raise _refused(f"loss '{loss}' is none of {', '.join(LOSSES)}")
    if target.exists():
        raise SealaneError(
            ErrorCode.BUNDLE_EXISTS, f"{target} is there already; choose another path"
        )
    with read_bundle(parent) as verified:
        verified.variant("dl4j")
        signature = verified.signature
    report = fine_tune(
        parent,
        _rows(signature, data, labels),
        path=target,
        version=version,
        validation=_validation(signature, validation),
        optimizer=_optimizer(optimizer, learning_rate),
        loss=loss,
        output=output,
        settings={**counts, "seed": seed, "shuffle": shuffle},
        freeze=tuple(freeze),
        checkpoints=None if checkpoints is None else (Path(checkpoints[0]), checkpoints[1]),
        replay=replay,
        listener=listener,
    )
    return FineTuned(Bundle(target), report)


def _rows(
    signature: Signature, data: object, labels: object
) -> tuple[dict[str, AnyArray], AnyArray]:
    any_size = replace(signature, symbols={})
    if hasattr(data, "columns") and hasattr(data, "to_numpy"):
        frame = cast("Any", data)
        data = {spec.name: frame[spec.name] for spec in signature.inputs if spec.name in frame}
    columns = InputParser(any_size).parse(cast("Mapping[str, object]", data))
    values = np.ascontiguousarray(np.asarray(labels))
    if DType.from_numpy(values.dtype) in (None, DType.BYTES):
        raise SealaneError(ErrorCode.INPUT_DTYPE, f"labels are {values.dtype}, expected numbers")
    return columns, values


def _validation(
    signature: Signature, given: float | tuple[object, object] | None
) -> tuple[dict[str, AnyArray], AnyArray] | float | None:
    if isinstance(given, tuple):
        return _rows(signature, given[0], given[1])
    if given is not None and not 0 < given < 1:
        raise _refused(f"a share of validation rows lies in (0, 1), received {given}")
    return None if given is None else float(given)


def _optimizer(given: str | Optimizer, rate: float | None) -> Optimizer:
    if isinstance(given, str):
        if given not in _OPTIMIZERS:
            raise _refused(f"optimizer '{given}' is none of {', '.join(_OPTIMIZERS)}")
        given = _OPTIMIZERS[given]
    if rate is not None:
        given = replace(given, learning_rate=rate)
    if not given.learning_rate > 0:
        raise _refused(f"a learning rate is above 0, received {given.learning_rate}")
    return given


def _refused(problem: str) -> SealaneError:
    return SealaneError(ErrorCode.INPUT_DOMAIN, problem)
