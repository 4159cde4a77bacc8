"""The morning rush of the sample school: arrivals per minute, in three waves or in one.

The five-minute totals are the design figures of the sample school: 1,588 of 1,620 pupils, 2 % are absent.
Inside each five minutes the taps follow a wave that rises for twelve minutes of twenty and falls for eight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

FIRST_MIN: Final = 7 * 60
BIN_MIN: Final = 5

# Totals of five minutes each, from 07:00 on.
STAGGERED: Final = (0, 0, 2, 5, 10, 7, 57, 152, 217, 92, 57, 152, 217, 92, 54, 141, 218, 105, 7, 3)
CONCENTRATED: Final = (2, 5, 9, 8, 45, 115, 190, 261, 335, 329, 200, 75, 9, 5, 0, 0, 0, 0, 0, 0)

_WAVES: Final = ((7 * 60 + 30, 20), (7 * 60 + 50, 20), (8 * 60 + 10, 20))
_ONE_WAVE: Final = ((7 * 60 + 20, 40),)
_RISING: Final = 0.6  # of a wave's length


def arrival_curve() -> list[tuple[int, int, int]]:
    """(minute since midnight, taps staggered, taps concentrated), every minute from 07:00 to 08:39."""
    staggered = _per_minute(STAGGERED, _WAVES)
    concentrated = _per_minute(CONCENTRATED, _ONE_WAVE)
    return [(FIRST_MIN + i, a, b) for i, (a, b) in enumerate(zip(staggered, concentrated, strict=True))]


def _per_minute(totals: Sequence[int], waves: Sequence[tuple[int, int]]) -> list[int]:
    result: list[int] = []
    for index, total in enumerate(totals):
        first = FIRST_MIN + index * BIN_MIN
        result += _shared(total, [_height(first + i + 0.5, waves) for i in range(BIN_MIN)])
    return result


def _height(minute: float, waves: Sequence[tuple[int, int]]) -> float:
    """How high the wave stands at a minute; outside every wave the few early and late ones come evenly."""
    for start, length in waves:
        done = (minute - start) / length
        if 0 <= done < 1:
            return done / _RISING if done < _RISING else (1 - done) / (1 - _RISING)
    return 1.0


def _shared(total: int, weights: Sequence[float]) -> list[int]:
    """`total` in whole parts by weight; the largest remainders get what rounding left over."""
    exact = [total * weight / sum(weights) for weight in weights]
    parts = [int(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
