"""The lists of this import laid over the directory in force -> the whole school as it would be.

A list that is imported replaces the old one of its kind; the others stay, less what referred to people who left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kiosk.core.enrolment import Period, overlap
from kiosk.directory import PersonKind
from kiosk.importing.applications import new_ones
from kiosk.importing.cards import read_cards
from kiosk.importing.collectors import Adults, Links
from kiosk.importing.given import IN_FORCE, Given
from kiosk.importing.homes import regraded
from kiosk.importing.problems import Words
from kiosk.importing.rows import CardKey, CardRow, ClassRow, EnrolmentRow, Kind, LinkKey, LinkRow, Rows
from kiosk.importing.sheets import Record


def merge(records: tuple[Record, ...], given: Given) -> Rows:
    """Reads adults and cards, which need the rest, and joins everything."""
    adults = Adults(given)
    adults.read(records)
    staff, pupils, sessions = (_whole(given, kind) for kind in (Kind.STAFF, Kind.PUPILS, Kind.SESSIONS))
    classes = _classes(given, staff)
    links = Links(_guardians(given, pupils), _links(given, Kind.DELEGATES, pupils), _links(given, Kind.RESTRICTIONS, pupils))
    collectors = adults.merged(links)
    read_cards(records, given, {*collectors, *given.seen[Kind.COLLECTORS]})
    rows = Rows(
        classes=classes,
        staff=staff,
        pupils=pupils,
        collectors=collectors,
        guardians=links.guardians,
        delegates=links.delegates,
        restrictions=links.restrictions,
        sessions=sessions,
        enrolments=_enrolments(given, pupils, sessions),
        applications=new_ones(given),
    )
    return replace(rows, cards=_cards(given, rows))


def _whole(given: Given, kind: Kind) -> Mapping[Any, Any]:
    return dict(given.rows[kind]) if kind in given.kinds else given.current.of(kind)


def _classes(given: Given, staff: Iterable[str]) -> Mapping[str, ClassRow]:
    if Kind.CLASSES in given.kinds:
        return dict(given.rows[Kind.CLASSES])
    known, found = frozenset(staff), regraded(given.current.classes, given)
    for key, row in found.items():
        if row.teacher and row.teacher not in known:
            given.report.warn(
                IN_FORCE,
                Words(
                    f"{row.name}的班主任 {row.teacher} 已不在教职工表中。", f"{row.name} loses its class teacher {row.teacher}."
                ),
                Words("请导入新的班级表。", "Import the class list with the new teacher."),
            )
            found[key] = replace(row, teacher="")
    return found


def _links(given: Given, kind: Kind, pupils: Mapping[str, Any]) -> Mapping[LinkKey, LinkRow]:
    if kind in given.kinds:
        return dict(given.rows[kind])
    return {key: row for key, row in given.current.of(kind).items() if row.pupil in pupils}


def _guardians(given: Given, pupils: Mapping[str, Any]) -> Mapping[LinkKey, LinkRow]:
    """Guardians in the pupil list replace those of the pupils for whom they are given, and of no other."""
    found = _links(given, Kind.GUARDIANS, pupils)
    if Kind.GUARDIANS in given.kinds:
        return found
    kept = {key: row for key, row in found.items() if row.pupil not in given.guardians_listed_for}
    return kept | given.rows[Kind.GUARDIANS]


def _cards(given: Given, rows: Rows) -> Mapping[CardKey, CardRow]:
    if Kind.CARDS in given.kinds:
        return dict(given.rows[Kind.CARDS])
    replaced = given.cards_of_pupils

    def stays(card: CardRow) -> bool:
        if card.holder_kind is PersonKind.PUPIL and card.holder in replaced:
            return False
        return card.holder in rows.holders(card.holder_kind)

    return {key: row for key, row in given.current.cards.items() if stays(row)} | given.rows[Kind.CARDS]


def _enrolments(given: Given, pupils: Mapping[str, Any], sessions: Mapping[str, Any]) -> Mapping[Any, Any]:
    """A place that came from an application stands whatever a list says of that pupil and session on the same days: the
    office's procedure outranks a spreadsheet that nobody has corrected."""
    kept = {key: row for key, row in given.current.enrolments.items() if row.pupil in pupils and row.session in sessions}
    if Kind.ENROLMENTS not in given.kinds:
        return kept
    owned: dict[tuple[str, str], list[EnrolmentRow]] = {}
    for row in kept.values():
        if row.application:
            owned.setdefault((row.pupil, row.session), []).append(row)
    found = {row.key: row for rows in owned.values() for row in rows}
    ended = {row.application for row in given.applications.values() if not row.placed}
    for key, row in given.rows[Kind.ENROLMENTS].items():
        if row.application in ended:
            given.report.warn(
                given.place(Kind.ENROLMENTS, key),
                Words(
                    f"申请 {row.application} 没有名额（待办、候补或已退出），名单不改变它。",
                    f"The application {row.application} has no place (open, waiting or withdrawn); the list leaves it.",
                ),
                Words("如需更改，请在“报名”页办理。", "Change it on the enrolment page."),
            )
            continue
        standing = next((one for one in owned.get((row.pupil, row.session), ()) if _days_meet(one, row)), None)
        if standing is None:
            found[key] = row
        elif (standing.valid_from, standing.valid_to, standing.leave_at_min) != (row.valid_from, row.valid_to, row.leave_at_min):
            given.report.warn(
                given.place(Kind.ENROLMENTS, key),
                Words(
                    f"学号 {row.pupil} 的这门课按申请 {standing.application} 办理，名单不改变它。",
                    f"{row.pupil}'s place in {row.session} came from the application {standing.application}; it stays.",
                ),
                Words("如需更改，请在“报名”页办理。", "Change it on the enrolment page."),
            )
    return found


def _days_meet(one: EnrolmentRow, other: EnrolmentRow) -> bool:
    return overlap(Period(one.valid_from, one.valid_to), Period(other.valid_from, other.valid_to))
