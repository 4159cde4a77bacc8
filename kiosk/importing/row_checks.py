"""Checks of one record that several lists share: whom it refers to, and its period."""

from __future__ import annotations

from kiosk.importing.given import Given
from kiosk.importing.problems import Words
from kiosk.importing.rows import KIND_NAMES, Kind
from kiosk.importing.sheets import Record


def check_known(record: Record, field: str, kind: Kind, given: Given) -> bool:
    """Whether what the row refers to is in its list; an empty or unreadable cell was judged elsewhere."""
    written = record.get(field)
    if not written:
        return field not in record.unreadable
    if kind in given.failed or written in given.known(kind):
        return True
    zh, en = KIND_NAMES[kind], kind.value
    given.report.problem(
        record.at(field),
        Words(f"{zh}表里没有“{written}”。", f"The {en} list has no {written}."),
        Words(f"请改正，或在“{zh}”表中补上。", f"Correct it, or add it to the {en} list."),
    )
    return False


def staff_number_of(record: Record, field: str, given: Given) -> str | None:
    """The 工号 that the cell gives, or the one of the only member of staff with the name that it gives.
    "" for an empty cell, None after a problem."""
    written = record.get(field, "")
    if not written or written in given.known(Kind.STAFF) or Kind.STAFF in given.failed:
        return None if field in record.unreadable else str(written)
    staff = given.rows[Kind.STAFF] if Kind.STAFF in given.kinds else given.current.staff
    called = [number for number, row in staff.items() if row.name == written]
    if len(called) == 1:
        return str(called[0])
    if called:
        given.report.problem(
            record.at(field),
            Words(f"有几位教职工叫“{written}”。", f"Several members of staff are called {written}."),
            Words(f"请填工号：{'、'.join(called)}。", f"Write the staff number: {', '.join(called)}."),
        )
    else:
        check_known(record, field, Kind.STAFF, given)
    return None


def check_pupil_name(record: Record, given: Given) -> bool:
    """学生姓名 beside 学号 must be that pupil's: a slip of one digit would give a child to a stranger."""
    name, number = record.get("pupil_name"), record.get("pupil")
    pupils = given.rows[Kind.PUPILS] if Kind.PUPILS in given.kinds else given.current.pupils
    if not name or number not in pupils or pupils[number].name == name:
        return "pupil_name" not in record.unreadable
    given.report.problem(
        record.at("pupil_name"),
        Words(f"学号 {number} 的学生不叫“{name}”。", f"The pupil {number} is not called {name}."),
        Words("请核对学号和姓名。", "Check the number and the name."),
    )
    return False


def period_fits(record: Record, given: Given) -> bool:
    first, last = record.get("valid_from"), record.get("valid_to")
    if first and last and last < first:
        given.report.problem(
            record.at("valid_to"),
            Words("有效期止早于有效期起。", "The period ends before it begins."),
            Words("请改正日期。", "Correct the dates."),
        )
        return False
    return not {"valid_from", "valid_to"} & record.unreadable
