"""Models that are named, not given: made by the user's own code, then exported."""

from __future__ import annotations

import inspect
import math
import traceback
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

from sealane.api.examples import find_attribute, read_example
from sealane.api.exporting import export
from sealane.api.opening import runtime_name
from sealane.core import ErrorCode, SealaneError
from sealane.export import export as write_export
from sealane.export.exporting import check_request
from sealane.training import Trained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sealane.api.bundle import Bundle

_GIVEN = {"model", "example_inputs", "name", "path", "version", "formats", "overwrite", "witnesses"}
_OPTIONS = inspect.signature(write_export).parameters.keys() - _GIVEN


@dataclass(frozen=True, slots=True)
class Target:
    """The bundle that is asked for; checked before anything is trained.

    Attributes:
        name: The model's name.
        path: The bundle's directory.
        version: The model's version.
        formats: ``onnx``, and ``savedmodel`` where it comes out right.
        overwrite: Whether a bundle at ``path`` is replaced.
        runtimes: Further runtimes that testify in the certificate: ``jvm``.

    Raises:
        SealaneError: BUNDLE_EXISTS, EXPORT_UNSUPPORTED for a name, version or format that can not
            be, or ENGINE_UNAVAILABLE for an unknown runtime.
    """

    name: str
    path: Path
    version: str
    formats: tuple[str, ...]
    overwrite: bool
    runtimes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_request(self.name, self.version, self.path, self.formats, overwrite=self.overwrite)
        for runtime in self.runtimes:
            runtime_name(runtime)


def load_model(name: str, example: Path | None = None) -> Trained:
    """The model that ``module:attribute`` names, looked up also in the current directory.

    Args:
        name: A model, or a function or class that is called without arguments and gives a model, a
            pair of model and example inputs, or a :class:`sealane.training.Trained`.
        example: A file of example inputs; None when the function gives them.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED when it can not be imported, EXPORT_FAILED with what its
            code raised, INPUT_DTYPE when the file can not be read, INPUT_MISSING without examples.
    """
    inputs = None if example is None else read_example(example)
    found: Any = _user_code(name, lambda: find_attribute(name))
    is_function = callable(found) and (isinstance(found, type) or hasattr(found, "__code__"))
    return _trained(name, _user_code(name, found) if is_function else found, inputs)


def train_model(name: str, parameters: Mapping[str, Any]) -> Trained:
    """Calls the training function that ``module:function`` names.

    Args:
        name: A function that gives a :class:`sealane.training.Trained`, or a pair of model and
            example inputs.
        parameters: Its arguments by name.

    Raises:
        SealaneError: As :func:`load_model`.
    """
    function: Any = _user_code(name, lambda: find_attribute(name))
    if not callable(function):
        raise SealaneError(ErrorCode.EXPORT_UNSUPPORTED, f"'{name}' is no function")
    return _trained(name, _user_code(name, lambda: function(**parameters)), None)


def export_trained(trained: Trained, target: Target) -> Bundle:
    """Exports what a training function gave; see :func:`sealane.export`.

    Raises:
        SealaneError: As :func:`sealane.export`; EXPORT_UNSUPPORTED for an option it does not have.
    """
    options = dict(trained.options)
    unknown = sorted(options.keys() - _OPTIONS)
    if unknown:
        raise SealaneError(
            ErrorCode.EXPORT_UNSUPPORTED,
            f"sealane.export has no argument {', '.join(unknown)} that a training function can "
            f"give: expected some of {', '.join(sorted(_OPTIONS))}",
        )
    if trained.metrics:
        lineage: Mapping[str, object] = options.get("lineage") or {}
        options["lineage"] = {**lineage, "metrics": metric_values(trained)}
    return export(
        trained.model,
        trained.example_inputs,
        target.name,
        path=target.path,
        version=target.version,
        formats=target.formats,
        overwrite=target.overwrite,
        runtimes=target.runtimes,
        **options,
    )


def metric_values(trained: Trained) -> dict[str, float | str]:
    """The metrics for JSON, which has no number for NaN and the infinities: they are text.

    Raises:
        SealaneError: EXPORT_UNSUPPORTED for a metric that is no number.
    """
    values: dict[str, float | str] = {}
    for name, value in trained.metrics.items():
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise SealaneError(
                ErrorCode.EXPORT_UNSUPPORTED, f"metric '{name}' is no number: {value!r:.80}"
            ) from error
        infinite = "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
        values[name] = number if math.isfinite(number) else infinite
    return values


def _trained(name: str, made: object, example: object) -> Trained:
    if isinstance(made, tuple) and len(cast("tuple[object, ...]", made)) == 2:
        model, inputs = cast("tuple[object, object]", made)
        made = Trained(model, inputs)
    known = made if isinstance(made, Trained) else Trained(cast("object", made), None)
    inputs = known.example_inputs if example is None else example
    if inputs is None:
        raise SealaneError(
            ErrorCode.INPUT_MISSING,
            f"'{name}' gives no example inputs: give a file of them, or let the function return "
            "sealane.training.Trained(model, example_inputs)",
        )
    return Trained(known.model, inputs, known.metrics, known.options)


def _user_code(name: str, call: Callable[[], object]) -> object:
    """Runs code that may raise anything, sys.exit included."""
    try:
        return call()
    except (SealaneError, KeyboardInterrupt):
        raise
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise SealaneError(
            ErrorCode.EXPORT_FAILED,
            f"'{name}' raised {type(error).__name__}: {error} "
            f"({PurePath(place.filename).name}, line {place.lineno})",
        ) from error
