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
        added = [name for name in (self.plan.into, self.plan.error_column) if name is not None]
        first = next(batches, None)
        if first is None:
            return
        with opened(self.source, _threads()) as session:
            scorer = BatchScorer(session, self.plan)
            for batch in chain((first,), batches):
                columns = scorer.score(batch)
                names = [*batch.schema.names, *added]
                yield pa.RecordBatch.from_arrays([*batch.columns, *columns], names=names)


def _threads() -> int:
    """Cores of a task, ``spark.task.cpus``."""
    context = TaskContext.get()
    return 1 if context is None else context.cpus()
