"""Counts of the backend tests by side and category, for people and for the supported matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import onnx
import onnxruntime
from python.nodes.cases import NEWEST_IR, NEWEST_OPSET

if TYPE_CHECKING:
    from python.nodes.outcomes import Outcome, Wrapped

CATEGORIES = {
    "foreign-types": "types no Sealane signature has (sequence, optional, FP8, FP4, INT4, INT2)",
    "load-fails": "plain ONNX Runtime can not load it",
    "run-fails": "plain ONNX Runtime can not run it",
    "off-specification": "plain ONNX Runtime runs it, outside the specification's values",
    "random": "random by design",
    "passes": "plain ONNX Runtime passes it",
}


@dataclass
class Summary:
    """What the backend tests came to.

    Attributes:
        wrapped: All cases with plain ONNX Runtime's result.
        outcomes: Side → case name → outcome, for each side that was run.
    """

    wrapped: list[Wrapped]
    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The summary with counts only."""
        stock = [each for each in self.wrapped if not each.case.restamped]
        return {
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            "newestOpset": NEWEST_OPSET,
            "newestIr": NEWEST_IR,
            "cases": dict(Counter(each.case.kind for each in stock)),
            "restamped": len(self.wrapped) - len(stock),
            "plain": _counts(self.wrapped),
            "foreignTypes": dict(Counter(t for each in stock for t in each.case.foreign_types())),
            "sides": {side: self._side(outcomes) for side, outcomes in self.outcomes.items()},
        }

    def lines(self) -> list[str]:
        """The summary as a table."""
        stock = sum(not each.case.restamped for each in self.wrapped)
        head = (
            f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}: {stock} cases, "
            f"and {len(self.wrapped) - stock} above opset {NEWEST_OPSET} once more, lowered to it"
        )
        rows = [f"{count:6} {CATEGORIES[name]}" for name, count in _counts(self.wrapped).items()]
        return [head, *rows, *(line for side in self.outcomes for line in self._side_lines(side))]

    def _side_lines(self, side: str) -> list[str]:
        counts = self._side(self.outcomes[side])["passes"]
        return [
            f"{count:6} of these through Sealane on {side}: {name}"
            for name, count in counts.items()
        ]

    def _side(self, outcomes: dict[str, Outcome]) -> dict[str, dict[str, int]]:
        counts: dict[str, Counter[str]] = {}
        for each in self.wrapped:
            if each.case.name in outcomes:
                status = outcomes[each.case.name].status
                counts.setdefault(each.raw.status, Counter())[str(status)] += 1
        return {name: dict(counter) for name, counter in counts.items()}


def _counts(wrapped: list[Wrapped]) -> dict[str, int]:
    counts = Counter(each.raw.status for each in wrapped)
    return {name: counts[name] for name in CATEGORIES if counts[name]}
