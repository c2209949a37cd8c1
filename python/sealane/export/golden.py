"""Golden cases: which calls are worth keeping as evidence, with source and oracle outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sealane.bundle import GoldenCase
from sealane.bundle.verdict import MAX_ORACLE_RATIO, MAX_SCALED_ULP, epsilon
from sealane.core import DType, SealaneError
from sealane.export.errors import failed
from sealane.export.values import COVERAGE_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sealane.export.contract import Contract
    from sealane.export.examples import Array, Arrays
    from sealane.export.source import Oracle

SAMPLE_ROWS = 256
"""Most rows of one sample of the caller's that are kept."""
CASE_BYTES = 4 << 20
"""Most bytes of one case's tensors; the largest batch is cut to it."""
_BATCHES = (1, 2, 7)
_LARGEST = 64
_DRAWS = 12
_HEADROOM = 2.0
_FLAT = 1e-6


@dataclass(frozen=True, slots=True)
class Golden:
    """The cases kept, and what was left out and why.

    Attributes:
        cases: At least one.
        oracle: Kind and version of the oracle, or None.
        notes: One line per case or output that proves nothing.
    """

    cases: tuple[GoldenCase, ...]
    oracle: Oracle | None
    notes: tuple[str, ...]


@dataclass(slots=True)
class GoldenMaker:
    """Draws cases, evaluates source and oracle, and keeps those that measure the conversion.

    A case is evidence only when an honest conversion is expected to pass it and a faulty one is
    not. Two things spoil that: an output so small that rounding of larger intermediate values
    shows (a sum that cancels), and a source result that is exact by luck, which makes the ratio R
    of errors meaningless. So a float output counts when the error allowed on this case is at
    least twice the source's own usual error, measured on the largest case.

    Attributes:
        contract: Signature and samplers.
        run: The reference, inputs → outputs.
        oracle: The float64 evaluation, or None.
        seed: Of the drawn inputs.
        denormals: Whether the reference computes with denormal inputs; else none are drawn.
    """

    contract: Contract
    run: Callable[[Arrays], Arrays]
    oracle: Oracle | None
    seed: int
    denormals: bool = True
    notes: list[str] = field(default_factory=list[str])
    _usual: dict[str, float] = field(default_factory=dict[str, float])
    _scale: dict[str, float] = field(default_factory=dict[str, float])

    def make(self, samples: Sequence[Arrays]) -> Golden:
        """All cases: the caller's samples, seeded batches, boundary values and coverage.

        Raises:
            SealaneError: ``EXPORT_FAILED`` when every output is constant, so that no case could
                tell a right model from a wrong one.
        """
        largest = self._calibrate()
        cases = [largest]
        for index, sample in enumerate(samples):
            self._keep(
                cases, f"sample-{index}", "sample", lambda _, s=sample: _head(self.contract, s)
            )
        for sizes in self._sizes():
            label = "-".join(f"{name.lower().replace('_', '-')}-{n}" for name, n in sizes.items())
            self._keep(
                cases,
                label or "seeded",
                "seeded",
                lambda i, z=sizes: self.contract.draw(z, self.seed + i),
            )
        if self.contract.batch is not None and not self.contract.rows_only:
            if not self.denormals:
                self.notes.append("no denormal inputs: the source framework takes them for zero")
            self._keep(cases, "boundary", "boundary", self._boundary)
            self._keep(cases, "coverage", "coverage", self._coverage)
        return Golden(tuple(cases), self.oracle, tuple(self.notes))

    def evaluate(self, inputs: Arrays, case_id: str, purpose: str) -> GoldenCase:
        """One case: inputs with source and oracle outputs."""
        outputs = self.run(inputs)
        wide = self.oracle.run(inputs) if self.oracle is not None else {}
        narrow = {s.name for s in self.contract.signature.outputs if _judged_by_oracle(s.dtype)}
        oracle = {name: wide[name].astype(np.float64) for name in narrow if name in wide}
        batch = self.contract.batch
        rows = next(
            (
                inputs[spec.name].shape[0]
                for spec in self.contract.signature.inputs
                if spec.shape and spec.shape[0] == batch
            ),
            1,
        )
        return GoldenCase(case_id, purpose, rows, inputs, outputs, oracle)

    def _calibrate(self) -> GoldenCase:
        """The largest case; it fixes each output's scale and the source's usual error."""
        batch = self.contract.batch
        rows = self._largest_batch()
        inputs = self.contract.draw({batch: rows} if batch else {}, self.seed + 1000)
        case = self.evaluate(inputs, f"{batch.lower()}-{rows}" if batch else "seeded-0", "seeded")
        if self.oracle is not None and not self._trusted(case):
            self.notes.append(
                f"oracle {self.oracle.kind} left out: it is further than {MAX_SCALED_ULP:g} "
                "rounding steps from the source model"
            )
            self.oracle = None
            case = GoldenCase(case.id, case.purpose, case.batch, case.inputs, case.outputs)
        if not case.oracle:
            self.oracle = None
        for spec in self.contract.signature.outputs:
            if spec.dtype.is_float:
                self._scale[spec.name] = _magnitude(case.outputs[spec.name])
                self._usual[spec.name] = _source_error(case, spec.name)
        self._check_informative(case)
        return case

    def _trusted(self, case: GoldenCase) -> bool:
        for spec in self.contract.signature.outputs:
            if spec.name in case.oracle:
                step = epsilon(spec.dtype) * _magnitude(case.oracle[spec.name])
                if _source_error(case, spec.name) > MAX_SCALED_ULP * step:
                    return False
        return True

    def _check_informative(self, case: GoldenCase) -> None:
        dead = [
            s.name
            for s in self.contract.signature.outputs
            if _constant(case.outputs[s.name], s.dtype)
        ]
        self.notes += [f"output {name!r} is the same for all drawn inputs" for name in dead]
        if len(dead) == len(self.contract.signature.outputs):
            raise failed(
                f"the golden cases prove nothing: {', '.join(map(repr, dead))} "
                f"{'is' if len(dead) == 1 else 'are'} constant or below 1e-6 for all drawn inputs; "
                "give real rows as example_inputs or golden_samples, or declare domains=…",
                outputs=dead,
            )

    def _keep(
        self,
        cases: list[GoldenCase],
        case_id: str,
        purpose: str,
        draw: Callable[[int], Arrays | None],
    ) -> None:
        reason, second = "", None
        if any(case.id == case_id for case in cases):
            return
        for attempt in range(1 if purpose == "sample" else _DRAWS):
            inputs = draw(attempt)
            if inputs is None:
                return
            try:
                case = self.evaluate(inputs, case_id, purpose)
            except SealaneError as error:
                reason = f"the model refuses it: {error.message}"
                continue
            reason = self._objection(case)
            if not reason and not self._is_lucky(case):
                cases.append(case)
                return
            second = case if second is None and not reason else second
        if second is not None:
            cases.append(second)
            return
        self.notes.append(f"case {case_id!r} left out: {reason}"[:400])

    def _is_lucky(self, case: GoldenCase) -> bool:
        """Whether the source rounds better than usual, so that R measures others by its luck."""
        for spec in self.contract.signature.outputs:
            if spec.name in case.oracle and self._scale.get(spec.name):
                step = epsilon(spec.dtype) * _magnitude(case.oracle[spec.name])
                if _source_error(case, spec.name) < step <= self._usual[spec.name]:
                    return True
        return False

    def _objection(self, case: GoldenCase) -> str:
        """Why a case does not measure the conversion, or "" when it does."""
        for spec in self.contract.signature.outputs:
            if not spec.dtype.is_float or self._scale[spec.name] == 0.0:
                continue
            magnitude = _magnitude(case.oracle.get(spec.name, case.outputs[spec.name]))
            step = epsilon(spec.dtype) * magnitude
            allowed = MAX_SCALED_ULP * step
            if spec.name in case.oracle:
                own = _source_error(case, spec.name)
                allowed = min(allowed, MAX_ORACLE_RATIO * max(own, step / 2))
            if magnitude < _FLAT * min(1.0, self._scale[spec.name]):
                return f"output {spec.name!r} is nearly zero"
            if allowed < _HEADROOM * self._usual[spec.name]:
                return f"output {spec.name!r} is too small beside its own rounding error"
        return ""

    def _sizes(self) -> list[dict[str, int]]:
        """Sizes of the symbols: batches 1, 2 and odd; other symbols shorter and longer."""
        batch, given = self.contract.batch, self.contract.example_sizes()
        if not given:
            return [{}]
        others = [name for name in given if name != batch]
        found: list[dict[str, int]] = []
        for index, rows in enumerate(_BATCHES if batch else (0, 1, 2)):
            sizes = {batch: self.contract.size(batch, rows)} if batch else {}
            for name in others:
                wanted = (given[name], given[name] - 1, given[name] * 2 + 1)[index]
                sizes[name] = self.contract.size(name, max(wanted, 1))
            if sizes not in found:
                found.append(sizes)
        return found

    def _largest_batch(self) -> int:
        batch = self.contract.batch
        if batch is None:
            return 1
        one = self.run(self.contract.draw({batch: self.contract.size(batch, 2)}, self.seed))
        arrays = [
            *one.values(),
            *self.contract.draw({batch: self.contract.size(batch, 2)}, 0).values(),
        ]
        row = sum(2 * a.size * 8 // 2 for a in arrays) or 1
        return self.contract.size(batch, max(2, min(_LARGEST, CASE_BYTES // row)))

    def _boundary(self, attempt: int) -> Arrays:
        rng = np.random.default_rng(self.seed + 2000 + attempt)
        sizes = self.contract.example_sizes()
        batch = self.contract.batch
        sizes |= {batch: self.contract.size(batch, 16)} if batch else {}
        drawn = {n: s.boundary(sizes, rng) for n, s in self.contract.samplers.items()}
        return drawn if self.denormals else {n: _flushed(array) for n, array in drawn.items()}

    def _coverage(self, attempt: int) -> Arrays | None:
        """Rows that walk through every category and every small integer range."""
        listed = {n: s.coverage() for n, s in self.contract.samplers.items()}
        rows = max(len(values) for values in listed.values())
        batch = self.contract.batch
        if rows < 2 or batch is None:
            return None
        rows = self.contract.size(batch, min(rows, COVERAGE_ROWS))
        inputs = self.contract.draw({batch: rows}, self.seed + 3000 + attempt)
        for name, values in listed.items():
            if values and inputs[name].ndim:
                table = np.empty(len(values), inputs[name].dtype)
                table[:] = values
                inputs[name] = np.resize(table, inputs[name].shape)
        return inputs


def _head(contract: Contract, sample: Arrays) -> Arrays:
    """The first rows of a sample."""
    batch = contract.batch
    return {
        spec.name: sample[spec.name][:SAMPLE_ROWS]
        if spec.shape and spec.shape[0] == batch and batch is not None
        else sample[spec.name]
        for spec in contract.signature.inputs
    }


def _judged_by_oracle(dtype: DType) -> bool:
    """Whether a float64 oracle knows more of an output than the model itself."""
    return dtype.is_float and dtype is not DType.FP64


def _flushed(values: Array) -> Array:
    """The values with zeros for what is below float32's smallest normal number."""
    if values.dtype.kind != "f":
        return values
    tiny = np.abs(values) < np.finfo(np.float32).tiny
    return np.where(tiny, np.zeros((), values.dtype), values)


def _magnitude(values: Array) -> float:
    wide = values.astype(np.float64)
    return float(np.abs(wide[np.isfinite(wide)]).max(initial=0.0))


def _source_error(case: GoldenCase, name: str) -> float:
    """Max |s - o| over finite elements; 0 without an oracle."""
    if name not in case.oracle:
        return 0.0
    s, o = case.outputs[name].astype(np.float64), case.oracle[name]
    both = np.isfinite(s) & np.isfinite(o)
    return float(np.abs(s[both] - o[both]).max(initial=0.0))


def _constant(values: Array, dtype: DType) -> bool:
    if values.shape[:1] in ((), (1,)) and values.size == 1:
        return False
    if dtype is DType.BYTES or not dtype.is_float:
        return len(set(values.reshape(-1).tolist())) <= 1
    wide = np.where(np.isfinite(values), values, 0).astype(np.float64)
    scale = float(np.abs(wide).max(initial=0.0))
    across = wide.std(axis=0) if len(wide) > 1 else wide.std()
    return scale < _FLAT or float(np.max(across, initial=0.0)) <= _FLAT * scale
