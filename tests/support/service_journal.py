"""Service records of a small school in a real journal: bodies by the core, sealed and appended as a gate does it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kiosk.core.entries import Entry, Fact, Kind, Stream
from kiosk.core.service_records import (
    CheckedIn,
    CheckedOut,
    GrowthNoted,
    MonthLocked,
    Patrolled,
    SessionClosed,
    SessionCorrected,
    fact,
)
from kiosk.journal import Journal, Note, new_incarnation
from kiosk.reports.books import Books, open_books
from kiosk.settings import load
from tests.support.people import SESSIONS, small_school
from tests.support.school import CONFIG

ZONE = timezone(timedelta(hours=8))
LEADER, OFFICE = 140, 150
TIMES = {"S1": ("16:30", "17:30"), "S2": ("17:30", "18:30"), "E1": ("18:30", "19:30")}


def ms(day: str, time: str) -> int:
    return int(datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZONE).timestamp() * 1000)


class ServiceJournal:
    """One gate's records. Days and times are the school's; whatever is written later is later in the journal."""

    def __init__(self, state: Path, node: str = "east") -> None:
        self.state = state
        incarnation = new_incarnation()
        self.journal = Journal(state, node=node, incarnation=incarnation)
        self.stream = Stream(node=node, incarnation=incarnation)
        self.write(Fact(Kind.INCARNATION_OPENED, {"sealed": None}), at=ms("2026-08-31", "08:00"))

    def write(self, what: Fact, *, at: int) -> Entry:
        notes, body = [], what.body
        if what.note:
            salt = b"0123456789abcdef"
            digest = hashlib.sha256(salt + what.note.encode()).hexdigest()
            notes, body = [Note(digest, salt, what.note)], {**what.body, "note": digest}
        sealed = self.stream.seal(Fact(what.kind, body), at_ms=at, trusted=True)
        self.journal.append([sealed], notes)
        return sealed.entry

    def close(self) -> None:
        self.journal.close()

    # --- what happened ---------------------------------------------------------------------------------

    def session(self, day: str, session: str, states: dict[int, str], *, at: str = "", **more: Any) -> Entry:
        """An archive row of one of the small school's sessions; every field can be said."""
        known = next(one for one in SESSIONS if one.id == session.partition("-")[0])
        begins, ends = TIMES[known.id]
        fields: dict[str, Any] = {
            "session": session, "day": day, "name": known.name, "kind": known.kind, "form": "class", "slot": known.slot,
            "room": known.room, "from_ms": ms(day, begins), "to_ms": ms(day, ends), "planned_teacher": known.teacher,
            "teachers": (known.teacher,), "class_hours": 1.0, "enrolled": len(states), "states": states, "by": known.teacher,
            **more,
        }  # fmt: skip
        return self.write(fact(SessionClosed(**fields)), at=ms(day, at or ends))

    def correct(self, for_day: str, session: str, *, on: str, why: str, at: str = "09:00", **more: Any) -> Entry:
        row = SessionCorrected(session=session, for_day=for_day, day=on, closed="", by=more.pop("by", OFFICE), **more)
        return self.write(fact(row, why), at=ms(on, at))

    def check_in(self, day: str, session: str, staff: int, at: str, **more: Any) -> Entry:
        return self.write(fact(CheckedIn(staff=staff, session=session, day=day, by=staff, **more)), at=ms(day, at))

    def check_out(self, day: str, session: str, staff: int, at: str) -> Entry:
        return self.write(fact(CheckedOut(staff=staff, session=session, day=day, by=staff)), at=ms(day, at))

    def patrol(self, day: str, session: str, at: str, note: str = "", **more: Any) -> Entry:
        fields: dict[str, Any] = {
            "room": "201",
            "expected": 3,
            "counted": 3,
            "teacher_present": True,
            "finding": "in_order",
            **more,
        }
        return self.write(fact(Patrolled(session=session, day=day, by=fields.pop("by", LEADER), **fields), note), at=ms(day, at))

    def lock(self, month: str, on: str) -> Entry:
        return self.write(fact(MonthLocked(month=month, day=on, by=OFFICE)), at=ms(on, "10:00"))

    def growth(self, day: str, child: int, text: str, by: int = 112) -> Entry:
        return self.write(fact(GrowthNoted(child=child, term="2026_autumn", day=day, by=by), text), at=ms(day, "18:20"))

    def tap(self, day: str, child: int, at: str, **body: Any) -> Entry:
        return self.write(Fact(Kind.ARRIVED, {"child": child, "day": day, **body}), at=ms(day, at))

    # --- what is made of it ----------------------------------------------------------------------------

    def books(self, *, today: str = "2026-12-31", city: str = "", overlay: bool = False, **more: Any) -> Books:
        """Over what is on disk by now. `city` and `overlay` are those of the school; `more` as `fields` of the school."""
        settings = load(CONFIG)
        school = replace(settings.school, city=city, national_overlay=overlay, **more.pop("school", {}))
        directory = more.pop("directory", None) or small_school()
        settings = replace(settings, school=school, **more)
        return open_books(settings, self.state, directory, today=date.fromisoformat(today))
