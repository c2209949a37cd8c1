"""What runs in Spark's Python workers: Arrow batches come in, and leave with their scores."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from pyspark import TaskContext

from sealane.spark.arrow import pa
from sealane.spark.scorer import BatchScorer
from sealane.spark.source import BundleSource, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealane.spark.plan import ScorePlan


@dataclass(frozen=True, slots=True)
class ScoreTask:
    """The function that Spark maps over Arrow batches. Picklable.

    Attributes:
        source: Where the bundle is.
        plan: How rows become scores.
    """

    source: BundleSource
    plan: ScorePlan

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches with the columns that scoring adds; the others are passed on untouched."""
        for batch, columns in _scored(self.source, self.plan, batches):
            names = [*batch.schema.names, *_added(self.plan)]
            yield pa.RecordBatch.from_arrays([*batch.columns, *columns], names=names)


@dataclass(frozen=True, slots=True)
class ScoreColumns:
    """The function of the columns that inputs are read from, as Arrow arrays. Picklable.

    Attributes:
        source: Where the bundle is.
        plan: How rows become scores; a batch has those columns only.
    """

    source: BundleSource
    plan: ScorePlan

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Per batch a struct of the columns that scoring adds."""
        names = [str(index) for index in range(len(self.plan.columns))]

        def whole(arrays: Any) -> Any:
            columns = [arrays] if len(names) == 1 else list(arrays)
            return pa.RecordBatch.from_arrays(columns, names=names)

        for _, columns in _scored(self.source, self.plan, map(whole, batches)):
            yield pa.StructArray.from_arrays(columns, names=_added(self.plan))


def _scored(
    source: BundleSource, plan: ScorePlan, batches: Iterator[Any]
) -> Iterator[tuple[Any, list[Any]]]:
    """Each batch and the columns that scoring adds; a task without rows opens nothing."""
    first = next(batches, None)
    if first is None:
        return
    with opened(source, _threads()) as session:
        scorer = BatchScorer(session, plan)
        for batch in chain((first,), batches):
            yield batch, scorer.score(batch)


def _added(plan: ScorePlan) -> list[str]:
    return [name for name in (plan.into, plan.error_column) if name is not None]


def _threads() -> int:
    """Cores of a task, ``spark.task.cpus``."""
    context = TaskContext.get()
    return 1 if context is None else context.cpus()
