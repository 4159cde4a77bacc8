"""Rows by the school's keys -> the content of the next snapshot: every person gets a number, for ever.

A person who comes back under the same 学号, 工号 or 接送人编号 gets the same number as before; a number that was
given once is never given to somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kiosk.core.enrolment import Application, Taken
from kiosk.core.people import (
    Authorisation,
    Card,
    Collector,
    Enrolment,
    Outside,
    Pupil,
    Restriction,
    SchoolClass,
    Session,
    Staff,
)
from kiosk.directory import Content, Person, PersonKind
from kiosk.importing.applications import made_of
from kiosk.importing.pinyin import spell
from kiosk.importing.rows import OUTSIDE_FIELDS, LinkRow, PupilRow, Rows


class _Numbers(NamedTuple):
    pupils: Mapping[str, int]
    staff: Mapping[str, int]
    collectors: Mapping[str, int]
    persons: tuple[Person, ...]
    next_number: int


def content_of(
    rows: Rows,
    before: Content | None,
    *,
    pins: Mapping[str, str],
    duress_pins: Mapping[str, str | None] | None = None,
    school_year_start: int,
    first_number: int = 1,
    at_ms: int = 0,
) -> Content:
    """The snapshot that says what `rows` says.

    `pins` and `duress_pins` map staff numbers to new hashes; members of staff not named there keep theirs; None takes a
    duress PIN away. `first_number` is above every number that a journal has seen, for a directory that starts anew beside
    an old journal.
    """
    numbers = _number(rows, before or Content(next_number=first_number), first_number)
    kept_pins = before.pins if before else {}
    new_pins = {numbers.staff[key]: pin for key, pin in pins.items() if key in rows.staff}
    kept_duress: Mapping[int, str | None] = before.duress_pins if before else {}
    new_duress = {numbers.staff[key]: pin for key, pin in (duress_pins or {}).items() if key in rows.staff}
    here = {numbers.staff[key] for key in rows.staff}
    applications = _applications(before, numbers)
    new, taken, following = made_of(
        rows, numbers.pupils, applications, next_number=before.next_application if before else 1, at_ms=at_ms
    )
    return Content(
        classes=_classes(rows, numbers),
        pupils=tuple(_pupil(row, rows, numbers) for row in rows.pupils.values()),
        staff=_staff(rows, numbers),
        outside=_outside(rows, numbers),
        collectors=_collectors(rows, numbers),
        authorisations=(
            *(_authorisation(row, numbers, guardian=True) for row in rows.guardians.values()),
            *(_authorisation(row, numbers, guardian=False) for row in rows.delegates.values()),
        ),
        restrictions=tuple(_restriction(row, numbers) for row in rows.restrictions.values()),
        cards=_cards(rows, numbers),
        sessions=_sessions(rows, numbers),
        enrolments=_enrolments(rows, numbers),
        applications=(*applications, *new),
        application_steps=(*_steps(before, applications), *taken),
        persons=numbers.persons,
        pins={number: pin for number, pin in {**kept_pins, **new_pins}.items() if number in here},
        duress_pins={number: pin for number, pin in {**kept_duress, **new_duress}.items() if pin and number in here},
        next_number=numbers.next_number,
        school_year_start=school_year_start,
        next_application=following,
    )


def _number(rows: Rows, before: Content, first_number: int) -> _Numbers:
    """Staff, pupils, collectors; whoever is new gets the next number, in the order of the lists."""
    given = {(p.kind, p.key): p.number for p in before.persons}
    following = max(before.next_number, first_number)
    wanted: tuple[tuple[PersonKind, Iterable[str]], ...] = (
        (PersonKind.STAFF, rows.staff),
        (PersonKind.PUPIL, rows.pupils),
        (PersonKind.COLLECTOR, rows.collectors),
    )
    for kind, keys in wanted:
        for key in keys:
            if (kind, key) not in given:
                given[kind, key] = following
                following += 1
    by_kind = {kind: {key: given[kind, key] for key in keys} for kind, keys in wanted}
    persons = sorted(Person(number, kind, key) for (kind, key), number in given.items())
    return _Numbers(
        by_kind[PersonKind.PUPIL], by_kind[PersonKind.STAFF], by_kind[PersonKind.COLLECTOR], tuple(persons), following
    )


def _classes(rows: Rows, numbers: _Numbers) -> tuple[SchoolClass, ...]:
    return tuple(
        SchoolClass(
            id=row.id,
            name=row.name,
            stage=row.stage,
            grade=row.grade,
            class_no=row.class_no,
            entry_year=row.entry_year,
            teacher=numbers.staff.get(row.teacher),
            room=row.room,
            release_gate=row.release_gate,
        )
        for row in rows.classes.values()
    )


def _pupil(row: PupilRow, rows: Rows, numbers: _Numbers) -> Pupil:
    home, spelled = rows.classes[row.class_id], spell(row.name)
    return Pupil(
        number=numbers.pupils[row.key],
        school_number=row.school_number,
        name=row.name,
        pinyin=spelled.pinyin,
        initials=spelled.initials,
        class_id=row.class_id,
        seat=row.seat,
        grade=home.grade,
        stage=home.stage,
        boarder=row.boarder,
        leaves_alone=row.leaves_alone,
        extended_care=row.extended_care,
        minor_collector_consent=row.minor_collector_consent,
        consents=row.consents,
        way_home=row.way_home,
    )


def _outside(rows: Rows, numbers: _Numbers) -> tuple[Outside, ...]:
    foreign = (row for row in rows.staff.values() if row.organisation)
    return tuple(
        Outside(staff=numbers.staff[row.key], **{name: getattr(row, name) for name in OUTSIDE_FIELDS}) for row in foreign
    )


def _staff(rows: Rows, numbers: _Numbers) -> tuple[Staff, ...]:
    return tuple(
        Staff(
            number=numbers.staff[row.key],
            staff_number=row.staff_number,
            name=row.name,
            pinyin=spell(row.name).pinyin,
            initials=spell(row.name).initials,
            roles=row.roles,
            phone=row.phone,
        )
        for row in rows.staff.values()
    )


def _collectors(rows: Rows, numbers: _Numbers) -> tuple[Collector, ...]:
    return tuple(
        Collector(
            number=numbers.collectors[row.key],
            key=row.id,
            name=row.name,
            pinyin=spell(row.name).pinyin,
            initials=spell(row.name).initials,
            phone=row.phone,
            id_last4=row.id_last4,
            minor=row.minor,
            organisation=row.organisation,
            daily_limit=row.daily_limit,
        )
        for row in rows.collectors.values()
    )


def _authorisation(row: LinkRow, numbers: _Numbers, *, guardian: bool) -> Authorisation:
    return Authorisation(
        child=numbers.pupils[row.pupil],
        collector=numbers.collectors[row.collector],
        relation=row.relation,
        guardian=guardian,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        order=row.order,
    )


def _restriction(row: LinkRow, numbers: _Numbers) -> Restriction:
    child, collector = numbers.pupils[row.pupil], numbers.collectors[row.collector]
    return Restriction(child=child, collector=collector, valid_from=row.valid_from, valid_to=row.valid_to)


def _cards(rows: Rows, numbers: _Numbers) -> tuple[Card, ...]:
    holders = {
        PersonKind.PUPIL: numbers.pupils,
        PersonKind.STAFF: numbers.staff,
        PersonKind.COLLECTOR: numbers.collectors,
    }
    return tuple(
        Card(uid=row.uid, holder=holders[row.holder_kind][row.holder], state=row.state, kind=row.kind)
        for row in rows.cards.values()
    )


def _sessions(rows: Rows, numbers: _Numbers) -> tuple[Session, ...]:
    return tuple(
        Session(
            id=row.id,
            name=row.name,
            kind=row.kind,
            slot=row.slot,
            weekdays=row.weekdays,
            room=row.room,
            teacher=numbers.staff[row.teacher],
            capacity=row.capacity,
            includes_pe=row.includes_pe,
            start_min=row.start_min,
            end_min=row.end_min,
            partner=row.partner,
            audience=row.audience,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for first in rows.sessions.values()
        for row in first.periods
    )


def _enrolments(rows: Rows, numbers: _Numbers) -> tuple[Enrolment, ...]:
    return tuple(
        Enrolment(
            child=numbers.pupils[row.pupil],
            session=row.session,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            leave_at_min=row.leave_at_min,
            agreement=row.agreement,
            application=row.application,
        )
        for row in rows.enrolments.values()
    )


def _applications(before: Content | None, numbers: _Numbers) -> tuple[Application, ...]:
    """A list takes no application away; they go with the pupil."""
    here = frozenset(numbers.pupils.values())
    return tuple(one for one in before.applications if one.child in here) if before else ()


def _steps(before: Content | None, applications: tuple[Application, ...]) -> tuple[Taken, ...]:
    known = {one.id for one in applications}
    return tuple(taken for taken in before.application_steps if taken.application in known) if before else ()
