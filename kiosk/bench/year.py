"""A school year of a whole school in a real journal: 1.3 million chained entries of the kinds that a day has, for the bench.

Written straight through `Stream` and the journal's own schema, in big transactions, because playing a year would take a year.
Nothing in it is random: the same days give the same figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from kiosk.bench.school import content
from kiosk.core.entries import Fact, Kind, Sealed, Stream
from kiosk.core.service_records import CheckedIn, CheckedOut, Patrolled, SessionClosed, SessionCorrected, fact
from kiosk.directory import publish
from kiosk.journal import Journal
from kiosk.recorded import day_bounds

PUPILS, DAYS, FIRST = 1_620, 200, date(2026, 9, 1)
LEADER, TEACHER = 900_000, 900_001
OFFSET_MS: Final = 8 * 3_600_000
MINUTE_MS: Final = 60_000
AT_ONCE: Final = 20_000  # entries of one transaction
STAYS, SECOND = 1_350, 1_012  # children of the first and of the second slot (domain of the sample school)
GROUPS, CLUBS = 39, 40  # of each slot
ABSENT_OF: Final = 47  # every so many-th child stays away


@dataclass(frozen=True, slots=True)
class Moment:
    """A minute of a day."""

    day: date
    start_ms: int

    def at(self, hour: int, minute: int = 0) -> int:
        return self.start_ms + (hour * 60 + minute) * MINUTE_MS


def school_days(count: int, first: date = FIRST) -> list[date]:
    """Mondays to Fridays. Holidays would only make the same year longer."""
    found, day = list[date](), first
    while len(found) < count:
        if day.weekday() < 5:
            found.append(day)
        day += timedelta(days=1)
    return found


def write_year(state: Path, days: int = DAYS) -> int:
    """The journal and the people of a year in an empty state folder. -> how many entries."""
    stream = Stream(node="east", incarnation="00000000000000aa")
    journal = Journal(state, node=stream.node, incarnation=stream.incarnation)
    try:
        waiting: list[Sealed] = []
        for at_ms, what in _year(days):
            waiting.append(stream.seal(what, at_ms=at_ms, trusted=True))
            if len(waiting) >= AT_ONCE:
                journal.append(waiting)
                waiting.clear()
        journal.append(waiting)
    finally:
        journal.close()
    publish(state / "directory.db", content(PUPILS), 1, 0)
    return stream.seq


def _year(days: int) -> Iterator[tuple[int, Fact]]:
    first = school_days(1)[0]
    yield day_bounds(first, OFFSET_MS)[0], Fact(Kind.INCARNATION_OPENED, {"sealed": None})
    for n, day in enumerate(school_days(days)):
        yield from _day(n, Moment(day, day_bounds(day, OFFSET_MS)[0]))


def _day(n: int, moment: Moment) -> Iterator[tuple[int, Fact]]:
    """About 6,700 entries, in the order of their times."""
    text, here = moment.day.isoformat(), [child for child in range(1, PUPILS + 1) if (child + n) % ABSENT_OF]
    for child in here:
        body = {"access_point": "east-in-1", "assurance": "uid", "child": child, "custodian": TEACHER + (child - 1) // 45,
                "day": text, "place": "校园", "reason": "on_time", "scheme": "uid"}  # fmt: skip
        yield moment.at(7, 30) + child * 2_000, Fact(Kind.ARRIVED, body)
    for slot, count, groups, hour in ((1, STAYS, GROUPS, 16), (2, SECOND, CLUBS, 17)):
        yield from _slot(n, moment, slot, [child for child in here if child <= count], groups, moment.at(hour, 30))
    for child in here:
        body = {"access_point": "east-out-1", "child": child, "collector": 0, "day": text, "how": "alone", "verified": ["card"]}
        if child <= 1_126:
            asked = {"access_point": "east-desk", "children": [child], "collector": 500_000 + child, "day": text, "scheme": "uid"}
            yield moment.at(18, 31), Fact(Kind.PICKUP_REQUESTED, asked)
        yield moment.at(18, 31), Fact(Kind.RELEASED, body)
    cleared = {"arrived": len(here), "by": LEADER, "day": text, "in_custody": 0, "released": len(here)}
    yield moment.at(19, 30), Fact(Kind.CAMPUS_CLEARED, cleared)


def _slot(n: int, moment: Moment, slot: int, here: list[int], groups: int, begins: int) -> Iterator[tuple[int, Fact]]:
    """Children come, teachers check in, the roll is called, somebody looks, and every session is closed with its row."""
    text, enrolled = moment.day.isoformat(), STAYS if slot == 1 else SECOND
    for child in here:
        session = f"S{slot}-{child % groups:02}"
        body = {"access_point": f"room-{child % groups}", "child": child, "day": text, "session": session, "scheme": "uid"}
        yield begins - 5 * MINUTE_MS, Fact(Kind.SESSION_ENTERED, body)
    present = frozenset(here)
    for group in range(groups):
        session, staff = f"S{slot}-{group:02}", TEACHER + group % 36
        yield begins, fact(CheckedIn(staff=staff, session=session, day=text, by=staff))
        children = list(range(group if group else groups, enrolled + 1, groups))
        marks = {str(child): "present" if child in present else "absent" for child in children}
        called = {"by": staff, "day": text, "marks": marks, "roster": f"session:{session}"}
        yield begins + MINUTE_MS, Fact(Kind.ROLL_CALLED, called)
        if group % 4 == n % 4:
            looked = Patrolled(session=session, room=f"{group:03}", expected=len(children), counted=len(children) - 1,
                               teacher_present=True, finding="in_order", day=text, by=LEADER)  # fmt: skip
            yield begins + 20 * MINUTE_MS, fact(looked)
        yield begins + 59 * MINUTE_MS, fact(_row(n, moment, slot, group, children, present, begins))
        yield begins + 60 * MINUTE_MS, fact(CheckedOut(staff=staff, session=session, day=text, by=staff))
    if n % 10 == 9:  # now and then somebody puts a row right
        put = SessionCorrected(session=f"S{slot}-01", for_day=text, day=text, closed="", by=LEADER, states={1: "late"})
        yield begins + 60 * MINUTE_MS, fact(put)


def _row(
    n: int, moment: Moment, slot: int, group: int, children: list[int], present: frozenset[int], begins: int
) -> SessionClosed:
    staff = TEACHER + group % 36
    states = {child: _state(child, n, present) for child in children}
    return SessionClosed(
        session=f"S{slot}-{group:02}", day=moment.day.isoformat(), name=f"{'课业辅导' if slot == 1 else '社团'}{group + 1}组",
        kind="homework" if slot == 1 else ("sports", "arts", "science", "club")[group % 4],
        form="class" if slot == 1 else "mixed",
        slot=slot, room=f"{group:03}", from_ms=begins, to_ms=begins + 60 * MINUTE_MS, planned_teacher=staff, teachers=(staff,),
        class_hours=1.0, enrolled=len(children), states=states, by=staff,
        partner="少年宫" if slot == 2 and group % 4 == 0 else "",
    )  # fmt: skip


def _state(child: int, n: int, present: frozenset[int]) -> str:
    if child not in present:
        return ("leave_sick", "leave_personal", "absent_unexplained")[child % 3]
    return "late" if (child * 7 + n) % 97 == 0 else "left_early" if (child * 5 + n) % 211 == 0 else "present"
