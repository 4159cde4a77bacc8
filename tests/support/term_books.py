"""A played term with its books, its raw entries and its script, and what must be equal among the three."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from kiosk.core.commands_service import CorrectSession
from kiosk.core.service_records import SessionClosed
from kiosk.directory import load
from kiosk.people_import import DIRECTORY_FILE
from kiosk.reports.books import Books, open_books
from kiosk.reports.catalogue import make
from kiosk.reports.table import Report
from kiosk.settings import load as load_settings
from kiosk.settings import shared_data_dir
from kiosk.simulation.term import Ledger, Played, Sitting, Size, play_term
from kiosk.simulation.term.gate import TermGate
from tests.support.reckoning import Reckoning

Line = dict[str, Any]
DAY_MS = 86_400_000
STATES = ("late", "left_early", "leave_sick", "leave_personal", "absent_unexplained", "moved")
THERE = ("present", "late", "left_early")


@dataclass(frozen=True, slots=True, kw_only=True)
class TermBooks:
    city: str
    state: Path
    played: Played
    books: Books
    sql: Reckoning

    @property
    def ledger(self) -> Ledger:
        return self.played.ledger

    @property
    def months(self) -> list[str]:
        return sorted({day[:7] for day, _ in self.ledger.sittings})

    @property
    def term(self) -> str:
        return self.books.settings.calendar.terms[0].id

    def report(self, name: str, period: str) -> Report:
        return make(name, self.books, self.books.period(period))


def played_term(state: Path, city: str, size: Size, seed: int = 2026) -> TermBooks:
    played = play_term(state, city=city, seed=seed, size=size)
    settings = load_settings(shared_data_dir("sample_school") / "variants" / city)
    directory, today = load(state / DIRECTORY_FILE), date.fromisoformat(played.last) + timedelta(days=1)
    return TermBooks(
        city=city, state=state, played=played, books=open_books(settings, state, directory, today=today), sql=Reckoning(state)
    )


def lines(report: Report, sheet: str) -> list[Line]:
    found = next(one for one in report.sheets if one.id == sheet)
    keys = [column.key for column in found.columns]
    return [dict(zip(keys, row, strict=True)) for row in found.rows]


# --- the script against the raw entries ------------------------------------------------------------------------


def went_as_scripted(term: TermBooks) -> None:
    """Nobody was without a custodian, no press was refused, and every day ended at zero."""
    assert term.played.violations == ()
    assert term.played.fine


def archived_as_scripted(term: TermBooks) -> None:
    """Every session that was held has its row, and the row says of every child what the script did with it."""
    script = {key: sitting.states for key, sitting in term.ledger.sittings.items()}
    found = term.sql.sittings()
    assert found.keys() == script.keys()
    differ = [(key, {n: s for n, s in states.items() if found[key].get(n) != s}) for key, states in script.items()]
    assert [one for one in differ if one[1]][:5] == []
    assert found == script
    assert term.sql.guests() == {key: sitting.guests for key, sitting in term.ledger.sittings.items() if sitting.guests}
    taught = {key: (frozenset(sitting.teachers), sitting.class_hours) for key, sitting in term.ledger.sittings.items()}
    assert term.sql.teaching() == taught
    assert term.sql.one("SELECT count(*) FROM fact WHERE kind = 'session_closed'") == len(script)


# --- the raw entries against the reports -----------------------------------------------------------------------


def attendance_agrees(term: TermBooks) -> int:
    """Pupil by pupil, session by session, month by month, and the whole term. Returns how many figures were compared."""
    compared = 0
    for period in (*term.months, term.term):
        report, month = term.report("attendance", period), "" if period == term.term else period
        expected = term.sql.attendance(month)
        pupils = lines(report, "pupils")
        assert {one["school_number"] for one in pupils} == set(expected)
        for one in pupils:
            found = expected[one["school_number"]]
            counts = {state: one[state] for state in STATES} | {"guests": one["guests"], "days": one["days"]}
            assert counts == {key: found.get(key, 0) for key in counts}
            assert one["attended"] == sum(found.get(state, 0) for state in THERE)
            assert one["expected"] == sum(found.get(state, 0) for state in (*THERE, *STATES[2:5]))
            compared += len(counts) + 2
        sessions = term.sql.by_session(month)
        told = {
            (one["day"].isoformat(), one["session"]): (one["expected"], one["attended"], one["guests"], one["class_hours"])
            for one in lines(report, "sessions")
        }
        assert told == sessions
        compared += 4 * len(sessions)
    return compared


def class_hours_agree(term: TermBooks) -> int:
    compared = 0
    for period in (*term.months, term.term):
        report = term.report("class_hours", period)
        expected = term.sql.class_hours("" if period == term.term else period)
        told = {
            one["staff_number"]: (round(one["class_hours"], 1), one["sessions"], one["days"])
            for one in lines(report, "teachers")
            if one["sessions"]
        }
        assert told == expected
        ledger = Counter[str]()
        for one in lines(report, "ledger"):
            ledger[one["staff_number"]] += one["class_hours"]
        assert {who: round(hours, 1) for who, hours in ledger.items() if round(hours, 1)} == {
            who: hours for who, (hours, _, _) in expected.items() if hours
        }
        compared += 4 * len(expected)
    return compared


def funding_agrees(term: TermBooks, *, paid: bool) -> None:
    """Groups x class-hours x 30 where the city's paper pays so; class-hours alone where it is silent."""
    report = term.report("funding", term.term)
    told = {one["month"]: one for one in lines(report, "months")}
    for month in term.months:
        groups, empty, hours, yuan = term.sql.funding(month)
        one = told[month]
        assert (one["sessions"], one["empty"], round(one["class_hours"], 1)) == (groups, empty, hours)
        assert one["yuan"] == (yuan if paid else None)


def monthly_fees_agree(term: TermBooks) -> int:
    """Tianjin: a line for every pupil and month, at most the cap, and nothing for a month without a day."""
    told = {
        (one["month"], one["school_number"]): (one["expected"], one["attended"], one["billable"], one["cap"])
        for one in lines(term.report("fee_basis", term.term), "service")
    }
    expected = {
        key: (days, there, int(there > 0), 180 if there else None) for key, (days, there) in term.sql.months_of_pupils().items()
    }
    assert told == expected
    return len(told)


def term_fees_agree(term: TermBooks) -> int:
    """Yueyang: once a pupil and term, and only with an agreement."""
    report = term.report("fee_basis", term.term)
    first, last = report.first.isoformat(), report.last.isoformat()
    may = {one["school_number"]: (one["attended"], one["once"]) for one in lines(report, "term")}
    assert may == {who: (days, 1) for who, days in term.sql.pupils_of_term(first, last, agreed=True).items()}
    may_not = {one["school_number"]: one["attended"] for one in lines(report, "without")}
    assert may_not == term.sql.pupils_of_term(first, last, agreed=False)
    return len(may) + len(may_not)


def statistics_agree(term: TermBooks) -> None:
    for period in (*term.months, term.term):
        told = {line["key"]: line["count"] for line in lines(term.report("statistics", period), "figures")}
        expected = term.sql.figures("" if period == term.term else period)
        assert {key: told[key] for key in expected} == expected


def teachers_agree(term: TermBooks) -> None:
    """The month of each teacher: sessions, in time or not, rolls, what a patrol saw."""
    due_min = term.books.settings.rules.roll_due_ms // 60_000
    keys = ("sessions", "on_time", "rolls", "patrols", "findings")
    for month in term.months:
        found = lines(term.report("teacher_month", month), "teachers")
        told = {line["staff_number"]: tuple(line[key] for key in keys) for line in found}
        assert told == term.sql.months_of_teachers(month, due_min)


# --- before and after a correction -------------------------------------------------------------------------------


def cells(report: Report) -> dict[tuple[str, str, str], Any]:
    """(sheet, row, column) -> value of every figure; rows are named by what identifies them, sums are rows of their own."""
    found: dict[tuple[str, str, str], Any] = {}
    for sheet in report.sheets:
        keys = [column.key for column in sheet.columns]
        for row in sheet.rows:
            line = dict(zip(keys, row, strict=True))
            name = "/".join(str(line[key]) for key in _NAMES if key in line)
            for key in keys:
                found[sheet.id, name, key] = line[key]
        for key, value in zip(keys, sheet.total or (), strict=False):
            found[sheet.id, "total", key] = value
    return found


_NAMES = ("month", "day", "session", "class", "school_number", "staff_number", "entry")


def difference(before: Report, after: Report) -> dict[tuple[str, str, str], tuple[Any, Any]]:
    """Every cell that is not what it was, with both values; a row that is new has None before."""
    old, new = cells(before), cells(after)
    return {key: (old.get(key), new.get(key)) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def corrected(term: TermBooks, folder: Path, row: Sitting, states: dict[int, str], **more: Any) -> TermBooks:
    """A copy of the term with one press more, at noon of the day after its last: the office puts a row right."""
    state = folder / "state"
    shutil.copytree(term.state, state)
    settings, directory = term.books.settings, load(state / DIRECTORY_FILE)
    entry, body = term.sql.rows(
        "SELECT json_extract(j, '$.node') || '/' || json_extract(j, '$.incarnation') || '/' || json_extract(j, '$.seq'),"
        " json_extract(j, '$.body') FROM archived WHERE day = ? AND session = ?", row.day, row.session,
    )[0]  # fmt: skip
    now_ms = term.sql.one("SELECT max(json_extract(j, '$.at_ms')) FROM fact") + DAY_MS // 2
    gate = TermGate(settings=settings, directory=directory, state=state, start_ms=now_ms)
    office = next(n for n, member in directory.staff.items() if member.staff_number == "O001")
    archived = SessionClosed.of(json.loads(body))
    answer = gate.must(CorrectSession(closed=entry, row=archived, by=office, note="家长补交假条", states=states, **more))
    assert answer.entry is not None, gate.violations
    gate.close()
    books = open_books(settings, state, directory, today=term.books.today)
    return replace(term, state=state, sql=Reckoning(state), books=books)


def of_last_week(term: TermBooks, *, most: int = 100) -> tuple[Sitting, int]:
    """A session of the last week, never corrected, with at most so many in it, and one of them who was nowhere else that day."""
    touched = {(one.for_day, one.session) for one in term.ledger.corrections}
    from_day = (date.fromisoformat(term.played.last) - timedelta(days=7)).isoformat()
    for key, row in sorted(term.ledger.sittings.items()):
        there = [child for child, state in row.states.items() if state in THERE]
        alone = [child for child in there if row.states[child] == "present" and not _elsewhere(term, row, child)]
        if row.day >= from_day and key not in touched and alone and len(there) + len(row.guests) <= most:
            return row, alone[0]
    raise AssertionError("no such session in the last week")


def _elsewhere(term: TermBooks, row: Sitting, child: int) -> bool:
    others = (other for (day, _), other in term.ledger.sittings.items() if day == row.day and other is not row)
    return any(other.states.get(child) in THERE or child in other.guests for other in others)
