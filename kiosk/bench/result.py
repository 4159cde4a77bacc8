"""One figure of the bench, and how the table shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


class UnknownMeasurement(ValueError):
    """The bench has no such measurement."""


@dataclass(frozen=True, slots=True)
class Result:
    """`value` and `limit` are medians over `runs`; `ratio` is value / limit. spread: (max - min) / median of the value."""

    name: str
    value: float
    unit: str
    limit: float | None
    ratio: float | None
    runs: int
    spread: float


def result(name: str, unit: str, values: Sequence[float], limits: Sequence[float] = ()) -> Result:
    """Medians of paired runs. The ratio is the median of the pairs' ratios, so that drift cancels."""
    value = median(values)
    ratios = [ours / bare for ours, bare in zip(values, limits, strict=False) if bare]
    spread = (max(values) - min(values)) / value if value else 0.0
    return Result(
        name=name,
        value=round(value, 3),
        unit=unit,
        limit=round(median(limits), 3) if limits else None,
        ratio=round(median(ratios), 3) if ratios else None,
        runs=len(values),
        spread=round(spread, 2),
    )


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def table(results: Sequence[Result]) -> str:
    lines = [f"{'measurement':48} {'value':>12} {'unit':8} {'limit':>12} {'ratio':>7} {'runs':>4} {'spread':>6}"]
    for r in results:
        limit = f"{r.limit:12,.3g}" if r.limit is not None else " " * 12
        ratio = f"{r.ratio:7.3f}" if r.ratio is not None else " " * 7
        lines.append(f"{r.name:48} {r.value:12,.4g} {r.unit:8} {limit} {ratio} {r.runs:4} {r.spread:6.0%}")
    return "\n".join(lines)
