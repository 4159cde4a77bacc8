"""Applications in lists: 申请, what families ask for, and 申请编号 in the list of places.

A list of applications only adds: each row is one child and one session, begins as 已申请, and goes the way of every application.
A row that is known already changes nothing. No list approves anybody, and none enrols a class without applications.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from kiosk.core.enrolment import OPEN, Application, State, Step, Taken, fresh_number
from kiosk.core.enrolment_book import EVER
from kiosk.core.people import Directory
from kiosk.importing.given import Given
from kiosk.importing.problems import Words
from kiosk.importing.row_checks import check_known, check_pupil_name, period_fits
from kiosk.importing.rows import ApplicationKey, ApplicationRow, EnrolmentRow, Kind, Rows
from kiosk.importing.sheets import Record

WHOLE_CLASS_MIN: Final = 10  # pupils: in a smaller class all of them may well have chosen the same


def read_application(record: Record, given: Given) -> None:
    known = check_known(record, "pupil", Kind.PUPILS, given)
    known = check_known(record, "session", Kind.SESSIONS, given) and known
    if not (period_fits(record, given) and check_pupil_name(record, given) and known and record.complete):
        return
    row = ApplicationRow(
        pupil=record.get("pupil"),
        session=record.get("session"),
        applied_on=record.get("applied_on"),
        valid_from=record.get("valid_from"),
        valid_to=record.get("valid_to"),
        leave_at_min=record.get("leave_at_min"),
        agreement=record.get("agreement", ""),
        priority=record.get("priority", ""),
        application=record.get("application", ""),
    )
    given.add(Kind.APPLICATIONS, row, record.at("pupil"))


def standing(applications: Iterable[Application], directory: Directory | None) -> Mapping[ApplicationKey, ApplicationRow]:
    """The applications in force as a list would write them."""
    keys = {pupil.number: pupil.school_number for pupil in directory.pupils.values()} if directory else {}
    rows = (
        ApplicationRow(
            pupil=keys[one.child], session=one.session, applied_on=one.applied_on, valid_from=one.valid_from,
            valid_to=one.valid_to, leave_at_min=one.leave_at_min, agreement=one.agreement, priority=one.priority,
            application=one.id, open=one.state in OPEN, placed=one.placed,
        )
        for one in applications
        if one.child in keys
    )
    return {row.key: row for row in rows}


def new_ones(given: Given) -> Mapping[ApplicationKey, ApplicationRow]:
    """Of the list of applications, those that the office has not got yet."""
    numbers = {row.application: row for row in given.applications.values()}
    found: dict[ApplicationKey, ApplicationRow] = {}
    for key, row in given.rows[Kind.APPLICATIONS].items():
        other = numbers.get(row.application) if row.application else None
        if other is not None and (other.pupil, other.session) != (row.pupil, row.session):
            _number_taken(given, Kind.APPLICATIONS, key, row.application)
        elif key not in given.applications and other is None:
            found[key] = row
            if row.application:
                numbers[row.application] = row
    return found


def check_numbers(rows: Rows, given: Given) -> None:
    """A 申请编号 in the list of places belongs to one child and one session."""
    numbers = {row.application: (row.pupil, row.session) for row in given.applications.values()}
    for key, row in given.rows[Kind.ENROLMENTS].items():
        if row.application and numbers.setdefault(row.application, (row.pupil, row.session)) != (row.pupil, row.session):
            _number_taken(given, Kind.ENROLMENTS, key, row.application)


def _number_taken(given: Given, kind: Kind, key: object, number: str) -> None:
    given.report.problem(
        given.place(kind, key),
        Words(f"申请编号 {number} 已用于另一名学生或另一门课。", f"The application {number} is another child's or session's."),
        Words("每份申请只有一个编号，请核对。", "Every application has a number of its own; compare the papers."),
    )


def check_whole_classes(rows: Rows, given: Given) -> None:
    """自愿: a whole class enters a session only with an application of each pupil."""
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for number, pupil in rows.pupils.items():
        homes[pupil.class_id].add(number)
    entering: defaultdict[tuple[str, str, date | None], dict[str, EnrolmentRow]] = defaultdict(dict)
    for key, row in given.rows[Kind.ENROLMENTS].items():
        if not row.application and key not in given.current.enrolments and row.pupil in rows.pupils:
            entering[rows.pupils[row.pupil].class_id, row.session, row.valid_from][row.pupil] = row
    for (class_id, session, _), found in entering.items():
        if len(homes[class_id]) < WHOLE_CLASS_MIN or found.keys() != homes[class_id] or session not in rows.sessions:
            continue
        name = rows.classes[class_id].name if class_id in rows.classes else class_id
        first = next(iter(found.values()))
        given.report.problem(
            given.place(Kind.ENROLMENTS, first.key),
            Words(
                f"{name}全班 {len(found)} 人都报了“{rows.sessions[session].name}”，没有申请编号。",
                f"All {len(found)} pupils of {name} are enrolled in {rows.sessions[session].name} without an application number.",
            ),
            Words("参加须自愿，请填写每人的“申请编号”。", "Taking part is voluntary: fill 申请编号 for each pupil."),
        )


def check_audience(rows: Rows, given: Given) -> None:
    """A new row for a session that is for others (参加对象)."""
    for kind, listed in ((Kind.ENROLMENTS, given.rows[Kind.ENROLMENTS]), (Kind.APPLICATIONS, rows.applications)):
        for key, row in listed.items():
            session, pupil = rows.sessions.get(row.session), rows.pupils.get(row.pupil)
            home = rows.classes.get(pupil.class_id) if pupil else None
            if session is None or home is None or not session.audience or key in given.current.of(kind):
                continue
            if not session.audience & {f"{home.stage.value}-{home.grade}", home.id}:
                given.report.problem(
                    given.place(kind, key),
                    Words(
                        f"“{session.name}”的参加对象不包括{home.name}（学号 {row.pupil}）。",
                        f"{session.name} is not for {home.name} (the pupil {row.pupil}).",
                    ),
                    Words("请改选课程，或改“参加对象”。", "Choose another session, or change 参加对象."),
                )


# ---- rows -> applications ---------------------------------------------------------------------------------


def made_of(
    rows: Rows, pupils: Mapping[str, int], known: Iterable[Application], *, next_number: int, at_ms: int
) -> tuple[tuple[Application, ...], tuple[Taken, ...], int]:
    """New applications of a list, the step of each, and the next number of our own."""
    made: list[Application] = []
    taken = {one.id for one in known} | {row.application for row in rows.applications.values()}
    for place in rows.enrolments.values():
        if place.application and place.application not in taken:
            taken.add(place.application)
            made.append(_of_place(place, pupils[place.pupil]))
    for row in sorted(rows.applications.values(), key=lambda row: row.applied_on):
        number = row.application
        if not number:
            number, next_number = fresh_number(next_number, taken)
        taken.add(number)
        made.append(
            Application(
                id=number, child=pupils[row.pupil], session=row.session, state=State.APPLIED, applied_on=row.applied_on,
                valid_from=row.valid_from, valid_to=row.valid_to, leave_at_min=row.leave_at_min, agreement=row.agreement,
                priority=row.priority,
            )
        )
    steps = (
        Taken(application=one.id, step=Step.APPLY, state=one.state, on=one.applied_on, at_ms=at_ms, by=0) for one in made
    )
    return tuple(made), tuple(steps), next_number


def _of_place(place: EnrolmentRow, child: int) -> Application:
    first = place.valid_from or EVER
    return Application(
        id=place.application, child=child, session=place.session, state=State.ACTIVE, applied_on=first, valid_from=first,
        valid_to=place.valid_to, leave_at_min=place.leave_at_min, agreement=place.agreement,
    )  # fmt: skip
