"""Columns, tallies and the frame that reports share. What counts as expected, attended and a rate is said here, once.

Computes from values; reads nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from kiosk.reports.books import Books
from kiosk.reports.naming import KIND_WORDS, STATE_WORDS
from kiosk.reports.period import Period
from kiosk.reports.service_rows import ATTENDED, Archive, Held, State
from kiosk.reports.table import Cell, Column, Report, Sheet, Value, Words

__all__ = ["CHILD", "COUNTED", "RATE", "STATES", "Tally", "column", "frame", "kind_words", "tally_columns"]

RATE: Final = Words(
    "应到：名单上的学生，调到别处的不算。实到：出勤、迟到、早退。出勤率＝实到÷应到。临时参加的另列。",
    "Expected: children on the list, but for those who were moved. Attended: present, late, left early."
    " Rate: attended / expected. Guests are counted apart.",
)
COUNTED: Final = Words(
    "按归档记录和更正计算，不按刷卡计算；更正后的数以最后一次为准，原记录保留。",
    "Computed from archive rows and their corrections, not from taps; the last correction stands, and the row stays as it was.",
)
STATES: Final = tuple(State)


class Tally:
    """Counts of states. Adding up tallies never counts anything twice."""

    __slots__ = ("guests", "states")

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.guests = 0

    def add(self, held: Held) -> None:
        self.states.update(state for _, state in held.enrolled())
        self.guests += sum(1 for _ in held.guests())

    @property
    def enrolled(self) -> int:
        return self.states.total()

    @property
    def expected(self) -> int:
        return self.states.total() - self.states[State.MOVED]

    @property
    def attended(self) -> int:
        return sum(self.states[state] for state in ATTENDED)

    @property
    def rate(self) -> float | None:
        return self.attended / self.expected if self.expected else None

    def values(self) -> tuple[Value, ...]:
        """As `tally_columns` has them."""
        return (self.expected, self.attended, self.rate, *(self.states[state] for state in STATES[1:]), self.guests)


def column(key: str, zh: str, en: str, cell: Cell = Cell.TEXT, width: int = 10) -> Column:
    return Column(key=key, head=Words(zh, en), cell=cell, width=width)


CHILD: Final = (
    column("class", "班级", "class", Cell.TEXT, 12), column("seat", "座号", "seat", Cell.WHOLE, 6),
    column("school_number", "学号", "pupil no.", Cell.ID, 20), column("name", "姓名", "name", Cell.TEXT, 12),
)  # fmt: skip


def tally_columns() -> tuple[Column, ...]:
    """Expected, attended, rate, then every state but 出勤 itself, guests."""
    states = (column(state.value, *STATE_WORDS[state], Cell.WHOLE, 8) for state in STATES[1:])
    return (
        column("expected", "应到", "expected", Cell.WHOLE, 8), column("attended", "实到", "attended", Cell.WHOLE, 8),
        column("rate", "出勤率", "rate", Cell.PERCENT, 9), *states, column("guests", "临时参加", "guests", Cell.WHOLE, 10),
    )  # fmt: skip


def kind_words(kind: str) -> Words:
    return KIND_WORDS.get(kind) or Words(kind, kind)


def frame(
    books: Books, period: Period, *, id: str, title: Words, sheets: Sequence[Sheet], archive: Archive | None = None,
    quoted: Iterable[Words] = (), signed: bool = False, facts: dict[str, Value] | None = None,
) -> Report:  # fmt: skip
    """A report of this school and period, with the figures from which it was made."""
    made_from: dict[str, Value] = {}
    if archive is not None:
        made_from = {
            "archive_rows": len(archive.held), "corrections": sum(len(held.corrections) for held in archive.held),
            "closed_twice": sum(len(held.again) for held in archive.held), "unreadable": archive.unreadable,
            "through": "; ".join(f"{stream}/{seq}" for stream, seq in sorted(archive.through.items())),
        }  # fmt: skip
    return Report(
        id=id, title=Words(f"{period.words.zh}{title.zh}", f"{title.en}, {period.words.en}"), school=books.settings.school.name,
        first=period.first, last=period.last, sheets=tuple(sheets), quoted=tuple(quoted), facts={**made_from, **(facts or {})},
        signed=signed,
    )  # fmt: skip
