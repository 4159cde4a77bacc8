"""A small bar chart as numbers: the template draws them as SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.web.faces_format import clock

WIDTH, HEIGHT, LEFT, TOP, FOOT = 960, 260, 44, 12, 28
LABELS = 8  # times along the foot at most


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartBar:
    x: float
    y: float
    width: float
    height: float
    count: int
    time: str
    label: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartLine:
    y: float
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    bars: tuple[ChartBar, ...]
    lines: tuple[ChartLine, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def bar_chart(counts: Sequence[tuple[int, int]]) -> Chart | None:
    """counts: (from_ms, number) in order. None when there is nothing to draw."""
    most = max((count for _, count in counts), default=0)
    if not most:
        return None
    top = _round_up(most)
    room = HEIGHT - TOP - FOOT
    step = (WIDTH - LEFT) / len(counts)
    every = max(1, -(-len(counts) // LABELS))
    bars = tuple(
        ChartBar(
            x=round(LEFT + i * step + step * 0.1, 1),
            y=round(TOP + room * (1 - count / top), 1),
            width=round(step * 0.8, 1),
            height=round(room * count / top, 1),
            count=count,
            time=clock(at),
            label=i % every == 0,
        )
        for i, (at, count) in enumerate(counts)
    )
    lines = tuple(ChartLine(y=round(TOP + room * (1 - part / 2), 1), value=top * part // 2) for part in (0, 1, 2))
    return Chart(bars=bars, lines=lines)


def _round_up(number: int) -> int:
    """The next even round number: 217 -> 300, 48 -> 50, 7 -> 8."""
    size = 1
    while number > 10 * size:
        size *= 10
    top = -(-number // size) * size
    return top if top % 2 == 0 or size > 1 else top + 1
