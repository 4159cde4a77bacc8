"""Times, ages and dates as people read them.

Pure: never reads a clock or a setting. China has one time zone without daylight saving, so local time is UTC
plus a fixed offset.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

Lang = Literal["zh", "en"]

LOCAL_OFFSET_MS = 8 * 3_600_000  # Asia/Shanghai
MINUTE_MS = 60_000
DUSK_FROM_MIN = 18 * 60  # the dark variant follows the school's clock, not the browser
DUSK_TO_MIN = 6 * 60 + 45

_WEEKDAYS_ZH = "一二三四五六日"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def local(ms: int) -> datetime:
    """UTC milliseconds as wall-clock time at the school."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms + LOCAL_OFFSET_MS)


def clock(ms: int | None) -> str:
    """17:42, or an en dash where there is no time."""
    return "–" if ms is None else local(ms).strftime("%H:%M")


def clock_s(ms: int | None) -> str:
    """17:42:05, where the second matters."""
    return "–" if ms is None else local(ms).strftime("%H:%M:%S")


def clock_on(ms: int | None, date: str) -> str:
    """17:42 on that date (YYYY-MM-DD), 11-22 17:42 on another."""
    return clock(ms) if ms is None or local(ms).date().isoformat() == date else local(ms).strftime("%m-%d %H:%M")


def iso_date(ms: int) -> str:
    """2026-11-23, for addresses."""
    return local(ms).date().isoformat()


def day(ms: int, lang: Lang) -> str:
    """11月23日 星期一 / Mon 23 Nov."""
    at = local(ms)
    if lang == "en":
        return f"{_WEEKDAYS_EN[at.weekday()]} {at.day} {at.strftime('%b')}"
    return f"{at.month}月{at.day}日 星期{_WEEKDAYS_ZH[at.weekday()]}"


def minutes(duration_ms: int) -> int:
    """Whole minutes, never negative."""
    return max(0, duration_ms) // MINUTE_MS


def theme(ms: int) -> str:
    """light or dusk, by the school's clock."""
    at = local(ms)
    minute = at.hour * 60 + at.minute
    return "dusk" if minute >= DUSK_FROM_MIN or minute < DUSK_TO_MIN else "light"
