"""Reports and the filing of the plan: when they are due, when staff are reminded, when fees must still wait."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kiosk.clock import FixedClock
from kiosk.core.due_dates import dues, fee_lock, reminders
from kiosk.policies import load_policy
from kiosk.publishing import DueWatch, Publishing
from kiosk.settings import load
from tests.policy.plans import autumn_2026
from tests.support.people import small_school

VARIANTS = Path(__file__).parents[2] / "config" / "sample_school" / "variants"
CALENDAR = autumn_2026()


def of(city: str, today: date, kind: str, **more: date) -> list[tuple[date, str]]:
    found = dues(load_policy(city), CALENDAR, today, variant="inner_six" if city == "tianjin" else "", **more)
    return [(due.on, due.state(today)) for due in found if due.kind == kind]


@pytest.mark.row("F4", "luoyang", "yueyang")
@pytest.mark.parametrize(("city", "last"), [("luoyang", date(2026, 12, 30)), ("yueyang", date(2026, 12, 31))])
def test_f4_reports_are_due_at_midyear_and_at_the_end_with_reminders_14_and_3_days_ahead(city: str, last: date) -> None:
    assert of(city, date(2026, 12, 1), "report")[0] == (last, "later")
    said = {}
    for day in (date(2026, 12, n) for n in range(1, 32)):
        found = dues(load_policy(city), CALENDAR, day)
        said |= {day: [due.days_left(day) for due in reminders(found, day) if due.kind == "report"]}
    assert {day: left for day, left in said.items() if left} == {
        date(2026, 12, last.day - 14): [14], date(2026, 12, last.day - 3): [3], last: [0],
    }  # fmt: skip
    assert of(city, date(2027, 1, 5), "report")[0] == (last, "overdue")
    assert of(city, date(2027, 3, 1), "report")[0] == (date(2027, 6, 30), "later")


def test_a_city_without_report_dates_has_none() -> None:
    assert of("tianjin", date(2026, 12, 1), "report") == []
    assert dues(None, CALENDAR, date(2026, 12, 1)) == ()


@pytest.mark.row("F5", "yueyang")
def test_f5_yueyangs_plan_is_due_ten_days_of_lessons_after_the_start_of_each_term() -> None:
    """1 to 14 September 2026 are ten of them; in spring 22 February to 5 March 2027."""
    september = date(2026, 9, 10)
    assert of("yueyang", september, "filing") == [(date(2026, 9, 14), "coming"), (date(2027, 3, 5), "later")]
    assert of("yueyang", date(2026, 9, 12), "filing")[0][1] == "soon"
    assert of("yueyang", date(2026, 9, 15), "filing")[0][1] == "overdue"
    assert of("yueyang", september, "filing", filed_on=date(2026, 9, 3))[0][1] == "done"


@pytest.mark.row("F5", "xiji", "tianjin")
def test_f5_where_no_number_of_days_is_given_the_plan_is_due_at_the_start_of_the_term() -> None:
    assert of("xiji", date(2026, 8, 25), "filing") == [(date(2026, 9, 1), "coming")]  # in autumn only
    assert [on for on, _ in of("tianjin", date(2026, 8, 25), "filing")] == [date(2026, 9, 1), date(2027, 2, 22)]


@pytest.mark.row("F5", "yueyang")
@pytest.mark.row("E5", "yueyang")
def test_f5_fees_are_locked_until_this_terms_plan_is_approved() -> None:
    policy, day = load_policy("yueyang"), date(2026, 9, 10)
    locked = fee_lock(policy, CALENDAR, day, approved_on=None)
    assert locked is not None and locked.clause == "学校校内课后服务工作方案须经审核同意后方可收费"
    assert fee_lock(policy, CALENDAR, day, approved_on=date(2026, 9, 8)) is None
    assert fee_lock(policy, CALENDAR, date(2027, 3, 1), approved_on=date(2026, 9, 8)) is not None  # that was last autumn
    assert fee_lock(load_policy("tianjin"), CALENDAR, day, approved_on=None) is None


def test_a_reminder_goes_out_once_a_day_and_not_again_after_a_restart(tmp_path: Path) -> None:
    settings, clock = load(VARIANTS / "luoyang"), FixedClock(1_781_740_800_000)  # 2026-06-18 08:00 here, 12 days ahead
    told: list[str] = []

    class Answer:
        class decision:
            reason = "done"

    def watch() -> DueWatch:
        made = Publishing(settings=settings, state=tmp_path, directory=small_school, clock=clock)

        def submit(command: object, on_answer: object) -> None:
            told.append(str(command))
            on_answer(Answer)

        return DueWatch(publishing=made, state=tmp_path, clock=clock, submit=submit)

    one = watch()
    one.look()
    assert told == []  # neither 14 nor 3 days
    for _ in range(3):
        clock.advance(3 * 86_400_000)
        one.look()
        one.look()
    assert len(told) == 1 and "2026-06-30" in told[0] and "days_left=3" in told[0]
    clock.advance(120_000)
    watch().look()
    assert len(told) == 1
