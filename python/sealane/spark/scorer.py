"""Rows of Arrow batches scored by a session; good rows are scored whatever the others are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sealane.core import ErrorCode, ErrorFamily, SealaneError
from sealane.spark.domain_rows import domain_faults
from sealane.spark.faults import Refusals
from sealane.spark.reading import read_input
from sealane.spark.results import OutputRows, error_column, score_column
from sealane.spark.sizes import differing_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealane.core import Dim
    from sealane.runtime import Session
    from sealane.runtime.values import AnyArray
    from sealane.spark.plan import ScorePlan
    from sealane.spark.rows import InputRows

_ROW = re.compile(r"(?<='), row \d+(?=:)")
"""What a session's message says about the place in its batch, which tells a user nothing."""

_DOMAIN = (ErrorCode.INPUT_DOMAIN, ErrorCode.INPUT_NULL)


class _OutsideDomainError(Exception):
    """The session refuses a value, so rows must be looked at one by one."""


class BatchScorer:
    """Scores the batches of one task. Used by one thread; the session stays the caller's.

    Args:
        session: The opened bundle.
        plan: How rows become scores.
    """

    def __init__(self, session: Session, plan: ScorePlan) -> None:
        self._session = session
        self._plan = plan
        self._looks_at_domains = False

    def score(self, batch: Any) -> list[Any]:
        """The columns that scoring adds to an Arrow record batch.

        Raises:
            SealaneError: The first row's refusal when the plan says that it fails; a code of the
                bundle or engine family when the model itself can not be used.
        """
        rows = batch.num_rows
        plans = self._plan.inputs if rows else ()
        inputs = [read_input(each, batch, self._plan.symbols) for each in plans]
        try:
            return self._score(inputs, rows)
        except _OutsideDomainError:
            # From here on rows are checked before they run: one that strays is seldom alone.
            self._looks_at_domains = True
            return self._score(inputs, rows)

    def _score(self, inputs: list[InputRows], rows: int) -> list[Any]:
        refusals, symbols = self._judge(inputs, rows)
        run = _Run(self._session, self._plan, inputs, refusals)
        run.checked = self._looks_at_domains or bool(refusals)
        for group in _groups(symbols, ~refusals.refused):
            run.rows(group, {name: int(sizes[group[0]]) for name, sizes in symbols.items()})
        if self._plan.on_error == "fail" and refusals:
            _, code, message = refusals.in_order()[0]
            raise SealaneError(code, message)
        names = [spec.name for spec in self._plan.outputs]
        columns = [score_column(run.outputs, names, ~refusals.refused)]
        if self._plan.error_column is not None:
            columns.append(error_column(refusals, rows))
        return columns

    def _judge(self, inputs: list[InputRows], rows: int) -> tuple[Refusals, dict[str, AnyArray]]:
        """The rows that rules turn away, and the size of each symbol in each row."""
        refusals = Refusals(rows)
        symbols: dict[str, AnyArray] = {}
        strange = [differing_symbols(each, symbols) for each in inputs]
        with_domains = self._looks_at_domains or any(strange) or any(e.faults for e in inputs)
        for each, differing in zip(inputs, strange, strict=True):
            for fault in (*each.faults, *differing):
                refusals.add(fault)
            if with_domains:
                for fault in domain_faults(each):
                    refusals.add(fault)
        return refusals, symbols


def _groups(symbols: dict[str, AnyArray], good: AnyArray) -> Iterator[AnyArray]:
    """The good rows, those of equal sizes together; increasing indices."""
    rows = np.flatnonzero(good)
    if len(rows) == 0:
        return
    if not symbols:
        yield rows
        return
    sizes = np.stack(list(symbols.values()), axis=1)[rows]
    if (sizes == sizes[0]).all():
        yield rows
        return
    _, group = np.unique(sizes, axis=0, return_inverse=True)
    order = np.argsort(group.reshape(-1), kind="stable")
    ends = np.flatnonzero(np.diff(group.reshape(-1)[order])) + 1
    for part in np.split(order, ends):
        yield rows[part]


class _Run:
    """The runs of one batch."""

    def __init__(
        self, session: Session, plan: ScorePlan, inputs: list[InputRows], refusals: Refusals
    ) -> None:
        self._session = session
        self._plan = plan
        self._inputs = inputs
        self._refusals = refusals
        self._names = [spec.name for spec in plan.outputs]
        self.outputs = [OutputRows(spec, len(refusals.refused)) for spec in plan.outputs]
        self.checked = False

    def rows(self, rows: AnyArray, symbols: dict[str, int]) -> None:
        """Runs rows of equal sizes, as many at once as the plan says."""
        dims = [_sizes_of(each.spec.shape[1:], symbols) for each in self._inputs]
        most = self._plan.batch.most(self._plan.batch_size)
        for start in range(0, len(rows), most):
            self._attempt(rows[start : start + most], dims)

    def _attempt(self, rows: AnyArray, dims: list[tuple[int, ...]]) -> None:
        """Runs rows, without those that turn out to be bad."""
        while len(rows):
            try:
                results = self._run(rows, dims)
            except SealaneError as error:
                rows = self._without_bad(rows, dims, error)
                continue
            for output, name in zip(self.outputs, self._names, strict=True):
                output.add(rows, results[name])
            return

    def _run(self, rows: AnyArray, dims: list[tuple[int, ...]]) -> dict[str, AnyArray]:
        count = len(rows)
        padded = self._plan.batch.padded(count)
        feeds: dict[str, AnyArray] = {}
        for each, sizes in zip(self._inputs, dims, strict=True):
            tensor = each.tensor(rows, sizes)
            if padded > count:
                tensor = np.concatenate((tensor, np.repeat(tensor[-1:], padded - count, axis=0)))
            feeds[each.spec.name] = tensor
        results = self._session.run(feeds, self._names)
        for spec in self._plan.outputs:
            shape = results[spec.name].shape
            if len(shape) != len(spec.shape) or shape[0] != padded:
                raise SealaneError(
                    ErrorCode.ENGINE_RUN_FAILED,
                    f"output '{spec.name}': expected {spec} for {padded} rows, received shape "
                    f"{list(shape)}",
                )
        return {name: values[:count] for name, values in results.items()}

    def _without_bad(
        self, rows: AnyArray, dims: list[tuple[int, ...]], error: SealaneError
    ) -> AnyArray:
        """Takes out what made a run fail; gives what is still to be run."""
        is_input = error.code.family is ErrorFamily.INPUT
        if not is_input and error.code is not ErrorCode.ENGINE_RUN_FAILED:
            raise error
        if error.code in _DOMAIN and not self.checked:
            raise _OutsideDomainError from error
        row = error.details.get("row")
        if len(rows) > 1 and not (is_input and isinstance(row, int) and row < len(rows)):
            middle = len(rows) // 2
            self._attempt(rows[:middle], dims)
            return rows[middle:]
        bad = row if isinstance(row, int) and row < len(rows) else 0
        self._refusals.refuse(int(rows[bad]), error.code, _ROW.sub("", error.message, count=1))
        return np.delete(rows, bad)


def _sizes_of(dims: tuple[Dim, ...], symbols: dict[str, int]) -> tuple[int, ...]:
    return tuple(dim if isinstance(dim, int) else symbols[dim] for dim in dims)
