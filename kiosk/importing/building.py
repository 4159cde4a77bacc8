"""Records -> rows: every list read by its own rules. Problems that can be seen in one row are reported here;
what needs the whole school is in `kiosk.importing.checks`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kiosk.credentials import PinUnfit, fit_pin
from kiosk.importing.applications import read_application
from kiosk.importing.audiences import AudienceUnclear, audience_of
from kiosk.importing.given import Given
from kiosk.importing.homes import class_of_pupil, read_class
from kiosk.importing.problems import Words
from kiosk.importing.row_checks import check_known, check_pupil_name, period_fits, staff_number_of
from kiosk.importing.rows import OUTSIDE_FIELDS, EnrolmentRow, Kind, PupilRow, SessionRow, StaffRow
from kiosk.importing.school_numbers import fault_of
from kiosk.importing.session_periods import take_session
from kiosk.importing.sheets import Record

OWN = frozenset({"本校", "校内"})  # of whoever is the school's own
CONSENTS = ("snapshot", "face_match", "messaging")


def build(records: Iterable[Record], given: Given) -> None:
    """Fills `given`. Kinds are read in the order in which they refer to each other. Cards and collectors
    need the rest and follow in modules of their own."""
    by_kind: dict[Kind, list[Record]] = {}
    for record in records:
        by_kind.setdefault(record.kind, []).append(record)
    given.kinds.update(by_kind)
    for kind in _ORDER:
        for record in by_kind.get(kind, ()):
            _note_key(record, given)
        for record in by_kind.get(kind, ()):
            _READERS[kind](record, given)


def _note_key(record: Record, given: Given) -> None:
    field = {Kind.STAFF: "staff_number", Kind.PUPILS: "school_number", Kind.SESSIONS: "id"}.get(record.kind)
    if field and (key := record.get(field)):
        given.seen[record.kind].add(key)


# ---- people --------------------------------------------------------------------------------------------


def _staff(record: Record, given: Given) -> None:
    if record.get("staff_number"):
        _take_pin(record, "pin", given, given.pins)
        _take_pin(record, "duress_pin", given, given.duress_pins)
        _check_duress_pin(record, given)
    if record.complete:
        row = StaffRow(
            staff_number=record.get("staff_number"),
            name=record.get("name"),
            roles=record.get("roles"),
            phone=record.get("phone", ""),
            **_outside(record, given),
        )
        given.add(Kind.STAFF, row, record.at("staff_number"))


def _outside(record: Record, given: Given) -> dict[str, Any]:
    """Whose somebody is and what was checked. An empty cell leaves what is known, so that a list without these columns makes
    nobody the school's own; 本校 does."""
    known = given.current.staff.get(record.get("staff_number"))
    if record.get("organisation") in OWN:
        return {}
    found = {name: record.get(name) or (getattr(known, name) if known else None) for name in OUTSIDE_FIELDS}
    return {name: value for name, value in found.items() if value}



def _take_pin(record: Record, field: str, given: Given, pins: dict[str, str]) -> None:
    pin = record.get(field)
    if pin is None:
        return
    try:
        pins[record.get("staff_number")] = fit_pin(pin)
    except PinUnfit:
        given.report.problem(
            record.at(field),
            Words("密码应为 4 至 12 位数字。", "A PIN has 4 to 12 digits."),
            Words("请重新设定。", "Set another one."),
        )


def _check_duress_pin(record: Record, given: Given) -> None:
    """It must be another number than the PIN; so both stand in one row, where they can be compared."""
    number, duress = record.get("staff_number"), record.get("duress_pin")
    if duress is None:
        return
    if record.get("pin") is None:
        given.report.problem(
            record.at("duress_pin"),
            Words("填了胁迫密码，没有填密码。", "There is a duress PIN without a PIN."),
            Words("请在同一行也填写密码。", "Fill the PIN in the same row."),
        )
    elif given.pins.get(number) == given.duress_pins.get(number):
        given.report.problem(
            record.at("duress_pin"),
            Words("胁迫密码与密码相同。", "The duress PIN is the same as the PIN."),
            Words("请另设一个不同的胁迫密码。", "Set another duress PIN."),
        )


def _pupil(record: Record, given: Given) -> None:
    _check_national_number(record, given)
    class_id = class_of_pupil(record, given)
    number = record.get("school_number")
    if number and (card := record.get("card")):
        given.cards_of_pupils[number] = card
    if class_id is None or not record.complete:
        return
    boarder = record.get("boarder", record.get("study_mode", False))
    row = PupilRow(
        school_number=number,
        name=record.get("name"),
        class_id=class_id,
        seat=record.get("seat"),
        boarder=boarder,
        leaves_alone=record.get("leaves_alone", False),
        extended_care=record.get("extended_care", False),
        minor_collector_consent=record.get("minor_collector_consent", False),
        consents=frozenset(purpose for purpose in CONSENTS if record.get(f"consent_{purpose}")),
        way_home=record.get("way_home", ""),
    )
    given.add(Kind.PUPILS, row, record.at("school_number"))


def _check_national_number(record: Record, given: Given) -> None:
    """Checked and used to find doubles, never kept (it contains the citizen ID)."""
    number = str(record.get("national_number", "")).upper()
    if not number:
        return
    if fault := fault_of(number):
        what = {
            "form": Words("学籍号格式不对。", "The 学籍号 has the wrong form."),
            "date": Words("学籍号中的出生日期不存在。", "The date of birth in the 学籍号 does not exist."),
            "check": Words(
                "学籍号校验位不符，可能抄错了一位。", "The check character of the 学籍号 does not fit: a digit is wrong."
            ),
        }[fault]
        remedy = Words("应为 G/J/L 加 18 位，请按学籍系统核对。", "It is G, J or L and 18 characters; compare the original.")
        given.report.problem(record.at("national_number"), what, remedy)
    elif number in given.national_numbers:
        given.report.problem(
            record.at("national_number"),
            Words("学籍号与另一名学生相同。", "Another pupil in this import has the same 学籍号."),
            Words("请核对两名学生的学籍号。", "Compare the two pupils with the original."),
        )
    given.national_numbers.add(number)


# ---- sessions and enrolments ---------------------------------------------------------------------------


def _session(record: Record, given: Given) -> None:
    teacher = staff_number_of(record, "teacher", given)
    slot, implied = record.get("slot", (0, ""))
    start, end = record.get("start_min"), record.get("end_min")
    audience = _audience(record, given)
    fits = _times_fit(record, given, slot=slot)
    if not (period_fits(record, given) and fits) or teacher is None or audience is None or not record.complete:
        return
    row = SessionRow(
        id=record.get("id"),
        name=record.get("name"),
        kind=implied or record.get("kind"),
        slot=slot,
        weekdays=record.get("weekdays"),
        room=record.get("room", ""),
        teacher=teacher,
        capacity=record.get("capacity", 0),
        includes_pe=record.get("includes_pe", False),
        start_min=start,
        end_min=end,
        partner=record.get("partner", ""),
        audience=audience,
        valid_from=record.get("valid_from"),
        valid_to=record.get("valid_to"),
    )
    take_session(row, record.at("id"), given)


def _audience(record: Record, given: Given) -> frozenset[str] | None:
    options = given.options
    try:
        return audience_of(
            record.get("audience", ""), school_year_start=options.school_year_start, primary_years=options.primary_years
        )
    except AudienceUnclear as error:
        given.report.problem(
            record.at("audience"),
            Words(f"参加对象“{error.word[:12]}”看不懂。", f"{error.word[:12]!r} is neither a grade nor a class."),
            Words("请写成 全校、一至三年级、三、四年级 或 三(2)班。", "Write 全校, 一至三年级 or 三(2)班."),
        )
        return None


def _times_fit(record: Record, given: Given, *, slot: int) -> bool:
    start, end = record.get("start_min"), record.get("end_min")
    if slot and (start is not None or end is not None):
        given.report.warn(
            record.at("start_min" if start is not None else "end_min"),
            Words("第 1、2 时段的时间以作息表为准，这里的时间不用。", "Slots 1 and 2 take their times from the bell schedule."),
            Words("可清空开始、结束时间。", "The times may be left empty."),
        )
        return True
    if (start is None) != (end is None) or (start is not None and end is not None and start >= end):
        given.report.problem(
            record.at("end_min"),
            Words("开始和结束时间要么都填，要么都不填，且先开始后结束。", "Give both times or none, the start before the end."),
            Words("请改正时间，如 17:10 和 18:00。", "Correct them, as in 17:10 and 18:00."),
        )
        return False
    return True


def _enrolment(record: Record, given: Given) -> None:
    known = check_known(record, "pupil", Kind.PUPILS, given)
    known = check_known(record, "session", Kind.SESSIONS, given) and known
    if not (period_fits(record, given) and check_pupil_name(record, given) and known and record.complete):
        return
    row = EnrolmentRow(
        pupil=record.get("pupil"),
        session=record.get("session"),
        valid_from=record.get("valid_from"),
        valid_to=record.get("valid_to"),
        leave_at_min=record.get("leave_at_min"),
        agreement=record.get("agreement", ""),
        application=record.get("application", ""),
    )
    given.add(Kind.ENROLMENTS, row, record.at("pupil"))


_READERS: Mapping[Kind, Callable[[Record, Given], None]] = {
    Kind.STAFF: _staff,
    Kind.CLASSES: read_class,
    Kind.PUPILS: _pupil,
    Kind.SESSIONS: _session,
    Kind.ENROLMENTS: _enrolment,
    Kind.APPLICATIONS: read_application,
}
_ORDER = (Kind.STAFF, Kind.CLASSES, Kind.PUPILS, Kind.SESSIONS, Kind.ENROLMENTS, Kind.APPLICATIONS)
