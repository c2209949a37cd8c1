"""Tables for people, and the promises that they are held against."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from field import Field, Turns
    from process import Sample
    from workloads import Workload

PROMISED: dict[tuple[str, str], dict[str, float]] = {
    ("sealane-jvm", "limit"): {"narrow": 0.80, "wide": 0.80},
    ("sealane-jvm", "predict-batch-udf"): {"narrow": 6, "wide": 3.5},
    ("sealane-jvm", "pandas-udf"): {"narrow": 4, "wide": 2.5},
    ("sealane-jvm", "synapseml"): {"narrow": 3, "wide": 2.5},
    ("sealane-jvm", "djl"): {"narrow": 1, "wide": 1},
    ("sealane-python", "predict-batch-udf"): {"narrow": 2.5, "wide": 1.3},
    ("sealane-python", "pandas-udf"): {},
    ("sealane-jvm", "sealane-python"): {},
}
"""Over, under → model → the least ratio of rows per CPU-second."""


@dataclass(frozen=True)
class Spread:
    """The median and the middle 80 %."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        low, median, high = np.percentile(values, [10, 50, 90])
        return cls(float(median), float(low), float(high))


@dataclass(frozen=True)
class Ratio:
    """One contestant over another, each pair taken within one round."""

    over: str
    under: str
    cpu: Spread
    wall: Spread
    promised: float | None

    @property
    def missed(self) -> bool:
        """Whether the median is below what was promised."""
        return self.promised is not None and self.cpu.median < self.promised


def ratios(workload: Workload, turns: Turns) -> list[Ratio]:
    """Every ratio whose contestants both took part."""
    found = []
    for (over, under), least in PROMISED.items():
        if over in turns.samples and under in turns.samples:
            pairs = list(zip(turns.samples[over], turns.samples[under], strict=True))
            cpu = [per_cpu(a.values()) / per_cpu(b.values()) for a, b in pairs]
            wall = [per_second(a.values()) / per_second(b.values()) for a, b in pairs]
            promised = least.get(workload.model)
            found.append(Ratio(over, under, Spread.of(cpu), Spread.of(wall), promised))
    return found


def print_race(field: Field, workload: Workload, rows: int, turns: Turns, sink: str) -> None:
    """Print one workload's rates and ratios."""
    rounds, loads = len(turns.loads), turns.loads or [0.0]
    print(f"\n{workload.name}: {workload.says}; {rows:,} rows, Spark {field.version}, local[2]")
    print(f"into {sink}, {rounds} rounds, load average {min(loads):.1f} to {max(loads):.1f}")
    print(f"{'':30}{'rows per CPU-second':>36}{'rows per second':>36}")
    print(f"{'':30}" + f"{'median':>12}{'10 %':>12}{'90 %':>12}" * 2)
    for name, samples in turns.samples.items():
        _print_rates(name, [list(each.values()) for each in samples])
        if len(samples[0]) > 1:
            for stage in samples[0]:
                _print_rates(f"  {stage} alone", [[each[stage]] for each in samples])
    for ratio in ratios(workload, turns):
        _print_ratio(ratio)
    for name, found in turns.differences.items():
        print(f"  {name}: largest difference from ONNX Runtime in Python {found:.1e}")


def misses(field: Field, workload: Workload, turns: Turns) -> list[str]:
    """The promises that were not kept."""
    return [
        f"{each.over} over {each.under}, {workload.name}, Spark {field.line}: "
        f"{each.cpu.median:.2f}, promised {each.promised:g}"
        for each in ratios(workload, turns)
        if each.missed
    ]


def race_json(field: Field, workload: Workload, rows: int, turns: Turns) -> dict[str, Any]:
    """All of it, every sample too."""
    samples = {
        name: [{stage: asdict(sample) for stage, sample in each.items()} for each in rounds]
        for name, rounds in turns.samples.items()
    }
    return {
        "workload": asdict(workload),
        "spark": field.version,
        "rows": rows,
        "load": turns.loads,
        "samples": samples,
        "ratios": [asdict(each) | {"missed": each.missed} for each in ratios(workload, turns)],
        "differences": turns.differences,
    }


def per_cpu(stages: Sequence[Sample] | Any) -> float:
    """Rows per CPU-second of a turn; its stages each see every row."""
    stages = list(stages)
    return stages[0].rows / sum(each.cpu for each in stages)


def per_second(stages: Sequence[Sample] | Any) -> float:
    """Rows per second of wall time."""
    stages = list(stages)
    return stages[0].rows / sum(each.wall for each in stages)


def _print_rates(name: str, turns: list[list[Sample]]) -> None:
    spreads = [Spread.of([rate(turn) for turn in turns]) for rate in (per_cpu, per_second)]
    cells = (f"{s.median:12,.0f}{s.low:12,.0f}{s.high:12,.0f}" for s in spreads)
    print(f"{name:30}" + "".join(cells))


def _print_ratio(ratio: Ratio) -> None:
    cpu, wall = ratio.cpu, ratio.wall
    text = f"  {ratio.over} over {ratio.under}: {cpu.median:.2f} ({cpu.low:.2f} to {cpu.high:.2f})"
    if ratio.promised is not None:
        sign = ">" if ratio.promised == 1 else ">="
        text += f", promised {sign} {ratio.promised:g}: {'MISSED' if ratio.missed else 'kept'}"
    print(f"{text}; by wall {wall.median:.2f} ({wall.low:.2f} to {wall.high:.2f})")
