"""The records that a session of the after-school service leaves: who held it, who was there, how it was closed, who looked.

Every fact of these kinds has its body here, typed, with the way to it and back. Reports are computed from these and not from
taps: `sittings` puts the archive rows and their corrections together. People by number only; words are notes. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import msgspec

from kiosk.core.entries import Entry, Fact, Kind

STATES: Final = ("present", "late", "left_early", "leave_sick", "leave_personal", "absent_unexplained", "moved")
THERE: Final = frozenset({"present", "late", "left_early"})  # states of a child who took part
LARGE_FROM: Final = 56  # 大班额 begins at 56 children
SUBSTITUTIONS: Final = ("sick", "leave", "duty", "training", "other")  # why somebody stands in for another
FINDINGS: Final = ("in_order", "teacher_absent", "count_differs", "noise", "safety", "other")  # of a patrol
REMARKS: Final = (
    "substitution",  # staff stood in for `other`, `why` one of SUBSTITUTIONS
    "teacher_missing",  # nobody was checked in two minutes after the start
    "no_teacher",  # nobody was checked in at all: no class-hours
    "roll_late",  # the roll was called after it was due
    "nobody_came",
    "closed_early",  # before the planned end
    "closed_late",  # by the duty leader, after the day's sessions
    "closed_for",  # before the end, by somebody who was not checked in
    "went_home",  # `child` was collected before it began
    "unexplained",  # `child` was not there and nobody knows why; `why` says what was done about it
    "moved",  # `child` was in another session, `why` its id
    "guest",  # `child` came without being enrolled
)


class _Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A body of a fact, typed. Words of a later version are let through."""

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Raises ValueError for a body that no fact of this kind has."""
        return msgspec.convert(body, cls, str_keys=True)

    def body(self) -> dict[str, Any]:
        """As it stands in the journal: only what a JSON text can say, so that a fact reads alike before and after."""
        return dict(msgspec.json.decode(msgspec.json.encode(self)))


class CheckedIn(_Body, frozen=True, kw_only=True, omit_defaults=True):
    """`staff` is there and takes `session`. standing_in_for: who should have; reason: one of SUBSTITUTIONS, more in the note."""

    staff: int
    session: str
    day: str
    by: int
    standing_in_for: int = 0
    reason: str = ""


class CheckedOut(_Body, frozen=True, kw_only=True, omit_defaults=True):
    staff: int
    session: str
    day: str
    by: int


class Remark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was out of the ordinary, in words of REMARKS."""

    what: str
    child: int = 0
    staff: int = 0
    other: int = 0
    why: str = ""


class SessionClosed(_Body, frozen=True, kw_only=True, omit_defaults=True):
    """The immutable archive row of one session on one day: 人数, 内容, 时间, 形式, teacher, room, what was out of the ordinary.

    from_ms and to_ms are the planned times; when it was closed is the entry's own time. `states` has every enrolled child
    once. `exceptions` stands as `remarks` in the journal, where `exceptions` is a word of handovers.
    """

    session: str
    day: str
    name: str
    kind: str  # of the session: homework, sports, extended_care, ...
    form: str  # class, mixed, large (班级, 混编, 大班)
    slot: int
    room: str
    from_ms: int
    to_ms: int
    planned_teacher: int
    teachers: tuple[int, ...]  # who was checked in, in the order of checking in
    class_hours: float
    enrolled: int
    states: dict[int, str]
    by: int
    partner: str = ""
    guests: tuple[int, ...] = ()
    exceptions: tuple[Remark, ...] = msgspec.field(default=(), name="remarks")
    unsigned: tuple[int, ...] = ()  # children of this row without an agreement on that day: the list may forget them, the row not

    @property
    def attended(self) -> int:
        """Children who took part, guests among them."""
        return sum(1 for state in self.states.values() if state in THERE) + len(self.guests)


class SessionCorrected(_Body, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody found wrong in a row, with the reason in the note. Only what is given changes. locked: its month was."""

    session: str
    for_day: str
    day: str
    closed: str  # entry id of the row
    by: int
    states: dict[int, str] = {}
    teachers: tuple[int, ...] | None = None
    class_hours: float | None = None
    locked: bool = False


class MonthLocked(_Body, frozen=True, kw_only=True, omit_defaults=True):
    month: str  # YYYY-MM
    day: str
    by: int


class Patrolled(_Body, frozen=True, kw_only=True, omit_defaults=True):
    """expected and counted: 应到 and 实到 as the patroller saw them; more in the note."""

    session: str
    room: str
    expected: int
    counted: int
    teacher_present: bool
    finding: str
    day: str
    by: int


class GrowthNoted(_Body, frozen=True, kw_only=True, omit_defaults=True):
    """The words are the note. A later note of the same adult on the same child and term takes the place of the one before."""

    child: int
    term: str
    day: str
    by: int
    session: str = ""  # where it was seen


Body = CheckedIn | CheckedOut | SessionClosed | SessionCorrected | MonthLocked | Patrolled | GrowthNoted
_KINDS: Final[dict[type[Body], Kind]] = {
    CheckedIn: Kind.STAFF_CHECKED_IN,
    CheckedOut: Kind.STAFF_CHECKED_OUT,
    SessionClosed: Kind.SESSION_CLOSED,
    SessionCorrected: Kind.SESSION_CORRECTED,
    MonthLocked: Kind.MONTH_LOCKED,
    Patrolled: Kind.PATROLLED,
    GrowthNoted: Kind.GROWTH_NOTED,
}
SERVICE_KINDS: Final = frozenset(_KINDS.values())


def fact(body: Body, note: str = "") -> Fact:
    return Fact(_KINDS[type(body)], body.body(), note)


def class_hours(minutes: int, class_hour_min: int = 0) -> float:
    """课时 of one session: one, or as many as its minutes hold where the school says how long a 课时 is; to a tenth."""
    return round(minutes / class_hour_min, 1) if class_hour_min else 1.0


class Corrected(NamedTuple):
    """A correction with the entry that has it."""

    entry: Entry
    row: SessionCorrected


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One session on one day as it stands now. `first` is what was archived, `row` that with its corrections."""

    entry: Entry
    first: SessionClosed
    row: SessionClosed
    corrections: tuple[Corrected, ...] = ()


def sittings(entries: Iterable[Entry]) -> dict[tuple[str, str], Sitting]:
    """(day, session) -> how it stands, from facts in any order; facts of other kinds are passed over.

    Two gates that could not hear each other may both have closed a session: the first row in the order of the fold counts.
    Corrections count in that order, the last one for each child, for the teachers and for the class-hours.
    """
    rows: dict[tuple[str, str], tuple[Entry, SessionClosed]] = {}
    changes: dict[tuple[str, str], list[Corrected]] = {}
    for entry in entries:
        if entry.kind == Kind.SESSION_CLOSED:
            row = SessionClosed.of(entry.body)
            known = rows.get((row.day, row.session))
            if known is None or entry.order < known[0].order:
                rows[row.day, row.session] = (entry, row)
        elif entry.kind == Kind.SESSION_CORRECTED:
            change = SessionCorrected.of(entry.body)
            changes.setdefault((change.for_day, change.session), []).append(Corrected(entry, change))
    return {key: standing(entry, row, changes.get(key, ())) for key, (entry, row) in rows.items()}


def standing(entry: Entry, first: SessionClosed, corrections: Iterable[Corrected]) -> Sitting:
    """A row with its corrections, the last one winning."""
    once = {one.entry.id: one for one in corrections}
    told = tuple(sorted(once.values(), key=lambda one: one.entry.order))
    row = first
    for _, change in told:
        row = msgspec.structs.replace(
            row,
            states={**row.states, **change.states},
            teachers=row.teachers if change.teachers is None else change.teachers,
            class_hours=row.class_hours if change.class_hours is None else change.class_hours,
        )
    return Sitting(entry=entry, first=first, row=row, corrections=told)
