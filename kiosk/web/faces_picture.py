"""A chart of a report as numbers: bars, lines with dots, slices of a pie. The template draws them as SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Final

WIDTH, HEIGHT, LEFT, TOP, FOOT = 960, 320, 64, 16, 36
LABELS: Final = 10  # along the foot at most
LABEL_CHARS: Final = 8
SERIES: Final = 6  # colours that can be told apart
RADIUS: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    series: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    x: float
    y: float
    series: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    path: str
    series: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A word at a place: a number up the side, a name along the foot."""

    at: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`names`: of the series, or of the slices, in the order of their colours."""

    title: str
    names: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()  # (series, points)
    dots: tuple[Dot, ...] = ()
    slices: tuple[Slice, ...] = ()
    side: tuple[Mark, ...] = ()
    foot: tuple[Mark, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


Series = tuple[str, Sequence[float]]


def picture(shape: str, title: str, labels: Sequence[str], series: Sequence[Series], *, share: bool = False) -> Picture | None:
    """None where there is nothing to draw. share: the values are shares of 1, shown as percents."""
    series = series[:SERIES]
    if not labels or not any(value > 0 for _, values in series for value in values):
        return None
    if shape == "pie":
        return _pie(title, labels, series[0][1])
    most = max(value for _, values in series for value in values)
    top = 1.0 if share and most <= 1 else float(round_up(most))
    side = tuple(Mark(at=_y(top * part / 4, top), words=_number(top * part / 4, share)) for part in range(5))
    step = (WIDTH - LEFT) / len(labels)
    every = max(1, -(-len(labels) // LABELS))
    foot = tuple(
        Mark(at=round(LEFT + (n + 0.5) * step, 1), words=_short(label)) for n, label in enumerate(labels) if n % every == 0
    )
    names = tuple(name for name, _ in series)
    if shape == "line":
        dots = [[_dot(n, at, step, top, labels, names, value, share) for at, value in enumerate(values)]
                for n, (_, values) in enumerate(series)]  # fmt: skip
        lines = tuple((n, " ".join(f"{dot.x},{dot.y}" for dot in of)) for n, of in enumerate(dots))
        return Picture(title=title, names=names, lines=lines, dots=tuple(d for of in dots for d in of), side=side, foot=foot)
    width = step * 0.8 / len(series)
    bars = tuple(
        Bar(
            x=round(LEFT + at * step + step * 0.1 + n * width, 1), y=_y(value, top), width=round(max(0.5, width * 0.94), 1),
            height=round(HEIGHT - FOOT - _y(value, top), 1), series=n, words=_words(labels[at], names[n], value, share),
        )
        for n, (_, values) in enumerate(series)
        for at, value in enumerate(values)
    )  # fmt: skip
    return Picture(title=title, names=names, bars=bars, side=side, foot=foot)


def _pie(title: str, labels: Sequence[str], values: Sequence[float]) -> Picture:
    """The largest slices, and one for the rest."""
    pairs = sorted(((value, label) for label, value in zip(labels, values, strict=True) if value > 0), reverse=True)
    if len(pairs) > SERIES:
        rest = sum(value for value, _ in pairs[SERIES - 1 :])
        pairs = [*pairs[: SERIES - 1], (rest, "…")]
    whole = sum(value for value, _ in pairs)
    slices, angle = [], -pi / 2
    for n, (value, label) in enumerate(pairs):
        turn = min(value / whole, 0.9999) * 2 * pi
        slices.append(Slice(path=_arc(angle, angle + turn), series=n, words=f"{label} · {value:g}（{value / whole:.0%}）"))
        angle += turn
    return Picture(title=title, names=tuple(one.words for one in slices), slices=tuple(slices))


def _arc(start: float, end: float) -> str:
    cx, cy = WIDTH / 2, HEIGHT / 2
    x1, y1 = cx + RADIUS * cos(start), cy + RADIUS * sin(start)
    x2, y2 = cx + RADIUS * cos(end), cy + RADIUS * sin(end)
    large = int(end - start > pi)
    return f"M{cx:.1f} {cy:.1f}L{x1:.1f} {y1:.1f}A{RADIUS:g} {RADIUS:g} 0 {large} 1 {x2:.1f} {y2:.1f}Z"


def _dot(
    n: int, at: int, step: float, top: float, labels: Sequence[str], names: Sequence[str], value: float, share: bool
) -> Dot:
    words = _words(labels[at], names[n], value, share)
    return Dot(x=round(LEFT + (at + 0.5) * step, 1), y=_y(value, top), series=n, words=words)


def _y(value: float, top: float) -> float:
    return round(TOP + (HEIGHT - TOP - FOOT) * (1 - max(0.0, value) / top), 1)


def _words(label: str, name: str, value: float, share: bool) -> str:
    return f"{label} · {name} {_number(value, share)}"


def _number(value: float, share: bool) -> str:
    return f"{value:.0%}" if share else f"{value:g}"


def _short(label: str) -> str:
    return label if len(label) <= LABEL_CHARS or label[:1].isdigit() else label[: LABEL_CHARS - 1] + "…"


def round_up(number: float) -> int:
    """The next number of which a quarter is round: 217 -> 240, 48 -> 48, 7 -> 8, 3 -> 4."""
    size = 1
    while number > 40 * size:
        size *= 10
    return int(-(-number // (4 * size)) * 4 * size)
