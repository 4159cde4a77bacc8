"""A term of each of the five cities, through the real loop, and its books reckoned a second time by SQL over the raw entries.

Two classes and the four weeks with the holidays, a make-up day, the change of season and the end of a month are part of every
test run; `KIOSK_TERMS=full` plays the whole term of all 1,620 pupils, city by city (`make terms`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiosk.reports.table import ReportLocked
from kiosk.simulation.term import Size
from kiosk.simulation.term import cities as all_cities
from tests.support import term_books
from tests.support.term_books import TermBooks, cells, corrected, difference, lines, of_last_week, played_term

WANTED = os.environ.get("KIOSK_TERMS", "")  # full, or a number of classes
WHOLE = Size(classes=int(WANTED) if WANTED.isdigit() else 0)
SMALL = Size(classes=2, pupils=10, first=date(2026, 9, 21), last=date(2026, 10, 17))
MAKE_UP_SATURDAY, HOLIDAY = "2026-10-10", "2026-10-07"
LAST_OF_SUMMER, FIRST_OF_WINTER = "2026-09-29", "2026-10-08"
HOUR_MS = 3_600_000


def cities(row: str, *shown: str) -> list[object]:
    """Every city is played; the row is claimed for those whose paper has it."""
    return [pytest.param(city, marks=[pytest.mark.row(row, city)] if city in shown else []) for city in all_cities()]


def of(*shown: str, row: str) -> list[object]:
    return [pytest.param(city, marks=pytest.mark.row(row, city)) for city in shown]


@pytest.fixture(scope="module")
def terms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, TermBooks]]:
    """Played when first asked for, each once."""
    found: dict[str, TermBooks] = {}
    yield found
    for one in found.values():
        one.sql.close()


@pytest.fixture
def term(city: str, terms: dict[str, TermBooks], tmp_path_factory: pytest.TempPathFactory) -> TermBooks:
    if city not in terms:
        terms[city] = played_term(tmp_path_factory.mktemp(city) / "state", city, SMALL)
    return terms[city]


@pytest.mark.parametrize("city", cities("D2", "changzhi", "xiji", "tianjin", "yueyang"))
def test_d2_every_day_of_the_term_has_a_custodian_for_everybody_and_ends_at_zero(term: TermBooks) -> None:
    term_books.went_as_scripted(term)
    assert term.sql.one("SELECT count(*) FROM fact WHERE kind = 'campus_cleared'") == term.played.days


@pytest.mark.parametrize("city", cities("D1", "changzhi", "xiji", "tianjin", "yueyang"))
def test_d1_every_enrolled_child_ends_every_session_in_the_state_that_the_script_gave_it(term: TermBooks) -> None:
    term_books.archived_as_scripted(term)
    states = {state for sitting in term.ledger.sittings.values() for state in sitting.states.values()}
    assert {"present", "late", "leave_sick", "leave_personal"} <= states


@pytest.mark.parametrize("city", cities("D1", "changzhi", "xiji", "tianjin", "yueyang"))
def test_d1_attendance_by_pupil_session_and_month_is_what_sql_counts(term: TermBooks) -> None:
    assert term_books.attendance_agrees(term) > 1_000


@pytest.mark.parametrize("city", cities("E1", "xiji"))
def test_e1_class_hours_of_every_teacher_are_what_sql_counts(term: TermBooks) -> None:
    assert term_books.class_hours_agree(term) > 100
    assert lines(term.report("class_hours", term.term), "substitutions"), "somebody stood in for somebody"


@pytest.mark.parametrize("city", cities("E2", "xiji"))
def test_e2_funding_is_groups_by_class_hours_by_thirty_yuan_where_the_paper_pays_so(term: TermBooks) -> None:
    term_books.funding_agrees(term, paid=term.city == "xiji")


@pytest.mark.parametrize("city", of("tianjin", row="E5"))
def test_e5_fee_basis_by_month_and_pupil_is_what_sql_counts(term: TermBooks) -> None:
    assert term_books.monthly_fees_agree(term) > 30


@pytest.mark.parametrize("city", of("yueyang", row="E5"))
def test_e5_fee_basis_once_a_term_with_an_agreement_is_what_sql_counts(term: TermBooks) -> None:
    assert term_books.term_fees_agree(term) > 15


@pytest.mark.parametrize("city", of("xiji", "changzhi", row="E5"))
def test_e5_no_fee_basis_where_families_must_not_be_charged_and_the_clause_is_quoted(term: TermBooks) -> None:
    clause = {"xiji": "不得向学生家长收取", "changzhi": "不得向学生收取课后服务费"}[term.city]
    with pytest.raises(ReportLocked, match=clause):
        term.report("fee_basis", term.term)


@pytest.mark.parametrize("city", ["luoyang"])
def test_e5_a_silent_paper_has_days_and_no_yuan(term: TermBooks) -> None:
    rows = lines(term.report("fee_basis", term.term), "service")
    assert rows
    assert {(one["cap"], one["rate"]) for one in rows} == {(None, None)}


@pytest.mark.parametrize("city", cities("A1", "changzhi", "xiji", "tianjin", "yueyang"))
def test_a1_the_make_up_saturday_is_a_service_day_or_not_and_a_holiday_never(term: TermBooks) -> None:
    served = {day for day, _ in term.ledger.sittings}
    assert (MAKE_UP_SATURDAY in served) is (term.city in ("changzhi", "xiji"))
    archived = term.sql.one("SELECT count(*) FROM archived WHERE day = ?", MAKE_UP_SATURDAY)
    assert bool(archived) is (MAKE_UP_SATURDAY in served)
    reasons = term.sql.rows(
        "SELECT json_extract(j, '$.body.reason') FROM fact WHERE kind = 'arrived' AND json_extract(j, '$.body.day') = ?", HOLIDAY
    )
    assert reasons == [("non_service_day",)]
    assert not term.sql.one("SELECT count(*) FROM archived WHERE day = ?", HOLIDAY)
    assert not term.sql.one("SELECT count(*) FROM said WHERE day = ?", HOLIDAY)


@pytest.mark.parametrize("city", of("changzhi", row="A2"))
def test_a2_one_weekend_day_a_week_has_its_own_sessions_and_enrolments(term: TermBooks) -> None:
    days = {day for day, session in term.ledger.sittings if session.startswith("ZM")}
    assert {date.fromisoformat(day).isoweekday() for day in days} == {6}
    assert {kind for (kind,) in term.sql.rows("SELECT DISTINCT kind FROM archived WHERE session LIKE 'ZM%'")} == {"weekend"}
    assert MAKE_UP_SATURDAY not in days


@pytest.mark.parametrize("city", of("xiji", "yueyang", row="A5"))
def test_a5_the_hours_of_the_archive_change_with_the_season_and_the_past_keeps_its_own(term: TermBooks) -> None:
    hours = {
        day: term.sql.rows("SELECT DISTINCT slot, (from_ms / 60000 + 480) % 1440 FROM archived WHERE day = ? AND slot > 0", day)
        for day in (LAST_OF_SUMMER, FIRST_OF_WINTER)
    }
    summer, winter = (dict(hours[day]) for day in (LAST_OF_SUMMER, FIRST_OF_WINTER))
    assert (summer[1], winter[1]) == (16 * 60 + 20, 16 * 60)
    bells = term.books.settings.plan.schedules
    for season, found in (("summer", summer), ("winter", winter)):
        assert found == {slot.number: slot.start_min for slot in bells[season].slots}


@pytest.mark.parametrize("city", of("luoyang", row="A10"))
def test_a10_each_slot_has_children_of_its_own_and_who_waits_between_has_a_supervisor(term: TermBooks) -> None:
    slots = term.sql.rows(
        "SELECT day, child, group_concat(DISTINCT slot) FROM state JOIN archived USING (day, session) WHERE slot > 0"
        " GROUP BY day, child"
    )
    assert {"1", "2"} <= {chosen for _, _, chosen in slots}
    second_only = {(day, child) for day, child, chosen in slots if chosen == "2"}
    waited = {
        (day, child)
        for day, child in term.sql.rows(
            "SELECT json_extract(j, '$.body.day'), e.value FROM fact, json_each(j, '$.body.children') e"
            " WHERE kind = 'handover_accepted' AND json_extract(j, '$.body.reason') = 'between_slots'"
        )
    }
    assert waited
    assert waited <= second_only


@pytest.mark.parametrize("city", of("luoyang", row="F2"))
def test_f2_every_session_of_every_day_was_looked_at(term: TermBooks) -> None:
    unseen = term.sql.rows(
        "SELECT day, session FROM archived EXCEPT SELECT json_extract(j, '$.body.day'), json_extract(j, '$.body.session')"
        " FROM fact WHERE kind = 'patrolled'"
    )
    assert unseen == []
    counts = term.sql.rows(
        "SELECT count(*) FROM fact WHERE kind = 'patrolled' AND json_extract(j, '$.body.expected') IS NOT NULL"
    )
    assert counts == [(term.ledger.patrols,)]


@pytest.mark.parametrize("city", of("tianjin", "yueyang", row="F1"))
def test_f1_every_archive_row_says_how_many_what_when_and_in_which_form(term: TermBooks) -> None:
    rows = term.sql.rows(
        "SELECT enrolled, kind, from_ms, to_ms, form, room, name, json_extract(j, '$.body.teachers') FROM archived"
    )
    for enrolled, kind, from_ms, to_ms, form, room, name, teachers in rows:
        assert enrolled >= 0
        assert kind and form in ("class", "mixed", "large") and room and name and teachers != "[]"
        assert 0 < to_ms - from_ms <= 2 * HOUR_MS
    assert len(rows) == len(term.ledger.sittings)


@pytest.mark.parametrize("city", of("changzhi", row="C3"))
def test_c3_joining_and_leaving_on_any_day_counts_from_that_day_on(term: TermBooks) -> None:
    """A child stands in the rows of exactly the days of its enrolment: none before, none after, no absence left behind."""
    dates = term.sql.rows(
        "SELECT e.child, e.session, coalesce(e.valid_from, ''), coalesce(e.valid_to, '9999') FROM people.enrolments e"
        " WHERE e.valid_from > ? OR e.valid_to < ?", term.played.first, term.played.last,
    )  # fmt: skip
    assert dates
    for child, session, first, last in dates:
        outside = "SELECT count(*) FROM said WHERE child = ? AND session = ? AND (day < ? OR day > ?)"
        assert term.sql.one(outside, child, session, first, last) == 0
        runs = "SELECT count(*) FROM archived WHERE session = ? AND day BETWEEN ? AND ?"
        inside = "SELECT count(*) FROM state WHERE child = ? AND session = ? AND day BETWEEN ? AND ?"
        assert term.sql.one(inside, child, session, first, last) == term.sql.one(runs, session, first, last)


@pytest.mark.parametrize("city", all_cities())
def test_a_correction_of_last_week_is_a_new_row_with_its_reason(term: TermBooks) -> None:
    made = term.ledger.corrections
    assert len(made) >= 3
    rows = term.sql.rows("SELECT made_on, day, session, coalesce(locked, 0) FROM corrected ORDER BY place")
    assert rows == [(one.day, one.for_day, one.session, int(one.locked)) for one in made]
    for one in made:
        first = term.sql.one("SELECT j FROM archived WHERE day = ? AND session = ?", one.for_day, one.session)
        for child, state in one.before.items():
            assert f'"{child}":"{state}"' in first, "the row of that day is as it was written"
    told = lines(term.report("class_hours", term.term), "corrections")
    assert len(told) == len(made)
    assert all(line["why"] for line in told)
    assert sum(line["locked"] or 0 for line in told) == sum(one.locked for one in made)


@pytest.mark.parametrize("city", all_cities())
def test_a_locked_month_is_locked_once_and_says_by_whom(term: TermBooks) -> None:
    assert term.ledger.locked == ["2026-09"]
    locks = {line["month"]: line for line in lines(term.report("class_hours", term.term), "locks")}
    assert locks["2026-09"]["locked"] == 1
    assert not locks["2026-10"]["locked"]


@pytest.mark.parametrize("city", of("xiji", "luoyang", "yueyang", row="F4"))
def test_f4_the_figures_that_go_upward_are_what_sql_counts(term: TermBooks) -> None:
    term_books.statistics_agree(term)


@pytest.mark.parametrize("city", of("luoyang", row="E4"))
def test_e4_the_month_of_each_teacher_is_what_sql_counts(term: TermBooks) -> None:
    term_books.teachers_agree(term)
    months = [line for month in term.months for line in lines(term.report("teacher_month", month), "teachers")]
    assert any(line["on_time"] < line["sessions"] for line in months)
    assert any(line["findings"] for line in months)


@pytest.mark.parametrize("city", of("xiji", row="A7"))
def test_a7_the_weeks_counted_are_those_in_which_a_child_was_there(term: TermBooks) -> None:
    (line,) = lines(term.report("weeks", term.term), "stages")
    assert line["held"] == term.sql.weeks_held()
    assert (line["asked"], line["counter"]) == (40, f"已开展 {line['held']}/40 周")


@pytest.mark.parametrize("city", of("luoyang", row="A14"))
def test_a14_children_who_come_before_the_gate_opens_are_taken_in_and_counted(term: TermBooks) -> None:
    for month in term.months:
        came, early = term.sql.early(month)
        rows = lines(term.report("early_arrivals", month), "classes")
        assert (sum(line["came"] for line in rows), sum(line["early"] for line in rows)) == (came, early)
    custodians = term.sql.rows(
        "SELECT DISTINCT json_extract(j, '$.body.custodian') FROM fact WHERE kind = 'arrived'"
        " AND json_extract(j, '$.body.reason') = 'early_arrival'"
    )
    on_duty = term.books.settings.rules_for(term.books.directory).early_duty_teacher
    assert custodians == [(on_duty,)]


@pytest.mark.parametrize("city", cities("D3", "changzhi", "xiji", "tianjin", "yueyang"))
def test_d3_every_change_of_hands_was_offered_by_one_accepted_by_another_and_counted(term: TermBooks) -> None:
    rows = term.sql.rows(
        "SELECT json_extract(a.j, '$.body.giver'), json_extract(a.j, '$.body.taker'), json_extract(a.j, '$.body.expected'),"
        " json_extract(a.j, '$.body.counted'), json_array_length(a.j, '$.body.children'),"
        " json_array_length(a.j, '$.body.exceptions'), json_extract(o.j, '$.body.giver'), json_extract(o.j, '$.body.taker'),"
        " o.place < a.place FROM fact a LEFT JOIN fact o ON o.kind = 'handover_offered'"
        " AND json_extract(a.j, '$.body.handover') = json_extract(o.j, '$.node') || '/' ||"
        " json_extract(o.j, '$.incarnation') || '/' || json_extract(o.j, '$.seq') WHERE a.kind = 'handover_accepted'"
    )
    assert len(rows) > 100
    for giver, taker, expected, counted, children, exceptions, offered_by, offered_to, before in rows:
        assert (giver, taker, before) == (offered_by, offered_to, 1)
        assert giver != taker
        assert counted == children == expected - exceptions


@pytest.mark.parametrize("city", of("tianjin", row="D4"))
def test_d4_every_group_that_set_out_for_a_gate_was_counted_there_too(term: TermBooks) -> None:
    out, there = (
        term.sql.rows(
            "SELECT json_extract(j, '$.body.gate'), json_extract(j, '$.body.by'), json_extract(j, '$.body.counted')"
            " FROM fact WHERE kind = ? ORDER BY 1, 2, 3", kind,
        )
        for kind in ("escort_departed", "escort_arrived")
    )  # fmt: skip
    assert out
    assert out == there


@pytest.mark.parametrize("city", cities("B3", "xiji"))
def test_b3_no_session_was_archived_without_a_teacher_who_was_there_and_who_stood_in_said_why(term: TermBooks) -> None:
    assert term.sql.rows("SELECT day, session FROM archived EXCEPT SELECT day, session FROM came") == []
    reasons = term.sql.rows(
        "SELECT json_extract(j, '$.body.reason') FROM fact WHERE kind = 'staff_checked_in'"
        " AND json_extract(j, '$.body.standing_in_for') IS NOT NULL"
    )
    assert reasons
    assert {reason for (reason,) in reasons} == {"sick"}


# --- a correction of last week, and every cell of the reports before and after ------------------------------------


@pytest.mark.parametrize("city", cities("D1", "changzhi", "xiji", "tianjin", "yueyang"))
def test_d1_one_child_put_right_changes_the_sums_it_stands_in_and_no_other(term: TermBooks, tmp_path: Path) -> None:
    row, child = of_last_week(term)
    after = corrected(term, tmp_path, row, {child: "leave_sick"})
    changed = difference(term.report("attendance", "2026-10"), after.report("attendance", "2026-10"))
    directory = term.books.directory
    pupil, session = directory.pupils[child], directory.sessions[row.session].name
    class_name = directory.classes[pupil.class_id].name
    own = {
        "pupils": f"{class_name}/{pupil.school_number}", "grid": f"{class_name}/{pupil.school_number}",
        "sessions": f"{row.day}/{session}", "days": row.day, "classes": class_name,
    }  # fmt: skip
    assert {(sheet, line) for sheet, line, _ in changed if line != "total"} == set(own.items())
    for sheet in ("pupils", "sessions", "days", "classes"):
        steps = {(line, column): values for (on, line, column), values in changed.items() if on == sheet}
        assert _moved(steps, "attended") == -1
        assert _moved(steps, "leave_sick") == 1
        assert {column for _, column in steps} <= {"attended", "leave_sick", "rate", "days", "children", "corrected"}
    assert _moved({(line, column): v for (on, line, column), v in changed.items() if on == "pupils"}, "days") == -1
    after.sql.close()


def _moved(steps: Mapping[tuple[str, str], tuple[Any, Any]], column: str) -> int:
    """By how much a column changed, in its row and in the sum below it alike."""
    moved = {after - before for (_, key), (before, after) in steps.items() if key == column}
    assert len(moved) == 1
    return int(moved.pop())


@pytest.mark.parametrize("city", of("xiji", row="E2"))
def test_e2_a_group_in_which_nobody_was_after_all_is_thirty_yuan_less(term: TermBooks, tmp_path: Path) -> None:
    row, child = of_last_week(term, most=1)
    after = corrected(term, tmp_path, row, {child: "leave_personal"})
    changed = difference(term.report("funding", "2026-10"), after.report("funding", "2026-10"))
    month = {column: values for (sheet, line, column), values in changed.items() if (sheet, line) == ("months", "2026-10")}
    moved = {column: then - was for column, (was, then) in month.items()}
    assert moved == {"sessions": -1, "empty": 1, "there": -1, "class_hours": -1.0, "yuan": -30}
    term_books.funding_agrees(after, paid=True)
    after.sql.close()


@pytest.mark.parametrize("city", of("xiji", row="E1"))
def test_e1_the_teacher_who_was_there_has_the_class_hour_and_the_first_row_stays(term: TermBooks, tmp_path: Path) -> None:
    row, _ = of_last_week(term)
    staff = term.books.directory.staff
    wrong = row.teachers[0]
    right = next(n for n, one in sorted(staff.items()) if one.staff_number == "T085")
    after = corrected(term, tmp_path, row, {}, teachers=(right, *row.teachers[1:]))
    before, now = term.sql.class_hours("2026-10"), after.sql.class_hours("2026-10")
    moved = {who for who in before.keys() | now.keys() if before.get(who) != now.get(who)}
    assert moved == {staff[wrong].staff_number, staff[right].staff_number}
    reports = term.report("class_hours", "2026-10"), after.report("class_hours", "2026-10")
    changed = difference(*reports)
    hours = {line: values for (sheet, line, column), values in changed.items() if (sheet, column) == ("teachers", "class_hours")}
    steps = {line: (then or 0) - (was or 0) for line, (was, then) in hours.items() if line != "total"}
    assert steps == {staff[wrong].staff_number: -1.0, staff[right].staff_number: 1.0}
    first, second = ({line for sheet, line, _ in cells(one) if sheet == "ledger"} for one in reports)
    assert first < second
    term_books.class_hours_agree(after)
    after.sql.close()


@pytest.mark.parametrize("city", of("tianjin", row="E5"))
def test_e5_a_day_less_in_the_month_of_one_pupil_and_no_other_line_of_the_fee_basis(term: TermBooks, tmp_path: Path) -> None:
    row, child = of_last_week(term)
    after = corrected(term, tmp_path, row, {child: "leave_sick"})
    changed = difference(term.report("fee_basis", "2026-10"), after.report("fee_basis", "2026-10"))
    number = term.books.directory.pupils[child].school_number
    assert {line.rpartition("/")[2] for _, line, _ in changed if line != "total"} == {number}
    assert {then - was for (_, _, column), (was, then) in changed.items() if column == "attended"} == {-1}
    assert {column for _, _, column in changed} <= {"attended", "billable", "cap", "rate"}
    term_books.monthly_fees_agree(after)
    after.sql.close()


@pytest.mark.parametrize("city", of("xiji", row="E1"))
def test_e1_a_correction_of_a_locked_month_says_that_it_was_locked(term: TermBooks, tmp_path: Path) -> None:
    touched = {(one.for_day, one.session) for one in term.ledger.corrections}
    row = next(
        row for key, row in sorted(term.ledger.sittings.items())
        if row.day < "2026-10" and key not in touched and "present" in row.states.values()
    )  # fmt: skip
    child = next(n for n, state in row.states.items() if state == "present")
    after = corrected(term, tmp_path, row, {child: "leave_sick"})
    told = [line for line in lines(after.report("class_hours", "2026-09"), "corrections") if line["locked"]]
    assert [line["day"].isoformat() for line in told] == [row.day]
    after.sql.close()


@pytest.mark.timeout(3_600)
@pytest.mark.skipif(not WANTED, reason="the whole term of the whole school: KIOSK_TERMS=full, or `make terms`")
@pytest.mark.parametrize("city", all_cities())
def test_the_whole_term_of_the_whole_school(city: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    term = played_term(tmp_path_factory.mktemp(city) / "state", city, WHOLE)
    term_books.went_as_scripted(term)
    term_books.archived_as_scripted(term)
    figures = term_books.attendance_agrees(term) + term_books.class_hours_agree(term)
    term_books.funding_agrees(term, paid=city == "xiji")
    term_books.statistics_agree(term)
    term_books.teachers_agree(term)
    if city == "tianjin":
        figures += term_books.monthly_fees_agree(term)
    if city == "yueyang":
        figures += term_books.term_fees_agree(term)
    played = term.played
    print(
        f"\n{city}: {played.pupils} pupils, {played.days} days, {len(played.ledger.sittings)} sessions, {played.entries} entries"
        f" in {played.seconds:.0f} s ({played.entries / played.seconds:.0f} a second), {figures} figures agree"
    )
