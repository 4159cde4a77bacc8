"""What a school owes its education office and when: reports, the filing of its plan; and whether fees must still wait.

The dates come from the rules of the city's policy (`report_dates`, `plan_filing`, `fees_after_filing`) and from the school's
calendar, make-up days included. Pure: the day of asking is an argument. Never decides what a report says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from kiosk.core.calendar import Calendar, DayType, Term, resolve_day
from kiosk.core.policy import Policy, Rule

REMIND_DAYS: Final = (14, 3)  # before a due date
FILING_LEAD_DAYS: Final = 60  # a plan filed in the holidays before a term is that term's
OVERDUE_SHOWN_DAYS: Final = 30  # a report that nobody marked as sent is shown so long; then the next one counts
_LOOK_AHEAD_DAYS: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One thing that is due. `kind`: report or filing. `done`: the school has said that it was done."""

    kind: str
    on: date
    rule: Rule
    term: str = ""  # name of the term that a plan is filed for
    done: bool = False

    def days_left(self, today: date) -> int:
        return (self.on - today).days

    def state(self, today: date) -> str:
        """done | overdue | today | soon (the reminder of 3 days) | coming (of 14 days) | later."""
        left = self.days_left(today)
        if self.done:
            return "done"
        if left <= 0:
            return "overdue" if left < 0 else "today"
        return "soon" if left <= REMIND_DAYS[1] else "coming" if left <= REMIND_DAYS[0] else "later"

    def reminded_on(self) -> tuple[date, ...]:
        return tuple(self.on - timedelta(days=days) for days in REMIND_DAYS)


def dues(
    policy: Policy | None, calendar: Calendar, today: date, *, variant: str = "", filed_on: date | None = None
) -> tuple[Due, ...]:
    """Everything that a school owes around a day, soonest first."""
    if policy is None:
        return ()
    found = [*_reports(policy, today, variant), *_filings(policy, calendar, today, variant, filed_on)]
    return tuple(sorted(found, key=lambda due: (due.on, due.rule.id)))


def reminders(found: tuple[Due, ...], today: date) -> tuple[Due, ...]:
    """What staff are reminded of on this day: T-14, T-3, and the day itself."""
    return tuple(due for due in found if not due.done and (today == due.on or today in due.reminded_on()))


def fee_lock(
    policy: Policy | None, calendar: Calendar, today: date, *, approved_on: date | None, variant: str = ""
) -> Rule | None:
    """The clause that forbids charging until this term's plan is approved; None where nothing locks it."""
    term = term_around(calendar, today)
    if policy is None or term is None or today < term.first or dated_for(term, approved_on):
        return None
    return next(_rules(policy, "fees_after_filing", variant), None)


def _rules(policy: Policy, kind: str, variant: str) -> Iterator[Rule]:
    return (rule for rule in policy.of_type(kind) if rule.variant in ("", variant))


def _reports(policy: Policy, today: date, variant: str) -> Iterator[Due]:
    for rule in _rules(policy, "report_dates", variant):
        for year in (today.year - 1, today.year, today.year + 1):
            for text in rule.words("dates"):
                on = date(year, int(text[:2]), int(text[3:]))
                if -OVERDUE_SHOWN_DAYS <= (on - today).days < 365:
                    yield Due(kind="report", on=on, rule=rule)


def _filings(policy: Policy, calendar: Calendar, today: date, variant: str, filed_on: date | None) -> Iterator[Due]:
    """Of the terms that are running or come within the year."""
    for rule in _rules(policy, "plan_filing", variant):
        for term in calendar.terms:
            if half(term) in rule.words("terms") and term.last >= today and (term.first - today).days < 365:
                on, done = filing_due(rule, term, calendar), dated_for(term, filed_on)
                yield Due(kind="filing", on=on, rule=rule, term=term.name, done=done)


def filing_due(rule: Rule, term: Term, calendar: Calendar) -> date:
    """The last day on which a term's plan may be filed: its first day, or so many days of lessons from it on."""
    if "within_workdays" not in rule.values:
        return term.first
    last, count = term.first, rule.number("within_workdays")
    for n in range(_LOOK_AHEAD_DAYS):
        day = term.first + timedelta(days=n)
        if day > term.last:
            break
        if resolve_day(day, calendar).type is DayType.TEACHING:
            last, count = day, count - 1
        if count == 0:
            break
    return last


def half(term: Term) -> str:
    return "autumn" if term.first.month >= 7 else "spring"


def dated_for(term: Term, on: date | None) -> bool:
    """Whether something dated `on` was done for this term."""
    return on is not None and on >= term.first - timedelta(days=FILING_LEAD_DAYS)


def term_around(calendar: Calendar, today: date) -> Term | None:
    """The term of a day, or the one that comes next; after the last one None."""
    ahead = sorted((t for t in calendar.terms if t.last >= today), key=lambda t: t.first)
    return ahead[0] if ahead else None
