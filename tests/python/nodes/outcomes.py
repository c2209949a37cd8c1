"""Backend tests run through Sealane sessions and set against plain ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from python.nodes.cases import NodeCase, load_cases
from python.nodes.raw import RawRun, run_raw, unequal
from python.nodes.wrapping import signature_of, write_case

from sealane.core import SealaneError
from sealane.runtime import Session

Open = Callable[[Path], Session]


@dataclass(frozen=True)
class Wrapped:
    """A case, what plain ONNX Runtime makes of it, and its bundle.

    Attributes:
        case: The backend test.
        raw: Plain ONNX Runtime on it.
        bundle: The bundle; None when no signature can be written or the writer refused.
        refusal: The code of the writer's refusal.
        message: The writer's message.
    """

    case: NodeCase
    raw: RawRun
    bundle: Path | None
    refusal: str = ""
    message: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a Sealane session made of a case.

    Attributes:
        status: ``equal`` (every bit as plain ONNX Runtime), ``differs``, or the code of the error.
        stage: ``write``, ``open`` or ``run``: where it was refused.
        message: What differs, or the error's message.
    """

    status: str
    stage: str = ""
    message: str = ""


def wrap_all(folder: Path) -> list[Wrapped]:
    """All backend tests with their bundles.

    Tests above the runtime's IR or opset come a second time, lowered to it.
    """
    cases = load_cases()
    cases += [low for each in cases if not each.foreign_types() and (low := each.lowered())]
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda case: _wrap(folder, case), cases))


def _wrap(folder: Path, case: NodeCase) -> Wrapped:
    if case.foreign_types():
        return Wrapped(case, RawRun("foreign-types", {}), None)
    raw = run_raw(case)
    path = folder / case.name
    try:
        write_case(path, case, signature_of(case))
    except SealaneError as error:
        return Wrapped(case, raw, None, error.code, error.message)
    return Wrapped(case, raw, path)


def run_case(wrapped: Wrapped, open_: Open) -> Outcome:
    """Opens a case's bundle, runs it once and closes it."""
    if wrapped.bundle is None:
        return Outcome(wrapped.refusal, "write", wrapped.message)
    stage = "open"
    try:
        with open_(wrapped.bundle) as session:
            stage = "run"
            outputs = session.run(wrapped.case.inputs)
    except SealaneError as error:
        return Outcome(error.code, stage, error.message)
    difference = unequal(outputs, wrapped.raw.outputs)
    return Outcome("differs", "run", difference) if difference else Outcome("equal")
