"""The basis of fees (收费依据): who took part, on how many days, and what the city's paper allows at most. Takes no money.

What is made follows the city's rule: a line for each pupil and month, one for each pupil and term with an agreement, nothing
where families must not be charged (ReportLocked, with the clause), and figures without yuan where the paper is silent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from kiosk.core.due_dates import fee_lock
from kiosk.core.people import Directory
from kiosk.core.policy import Rule
from kiosk.reports.asking import Asked, NoReport
from kiosk.reports.books import Books
from kiosk.reports.columns import CHILD, COUNTED, column, frame
from kiosk.reports.naming import Names, quoted
from kiosk.reports.period import Period, PeriodKind
from kiosk.reports.scope import EVENING, Scope
from kiosk.reports.service_rows import ATTENDED, Archive, Held
from kiosk.reports.table import Cell, Report, ReportLocked, Sheet, Value, Words

TITLE: Final = Words("课后服务收费依据", "Basis of the service's fees")
FORBIDDEN: Final = frozenset({"county_funded", "none_until_standard_set"})
DAYS: Final = Words(
    "参加天数：当天至少一场为出勤、迟到或早退（含临时参加）；一天多场只计一天。参加天数为零的月份不收费。",
    "Days: those with at least one session attended (present, late, left early, or as a guest), each once."
    " A month without a day is charged nothing.",
)
NO_MONEY: Final = Words("本系统不收费，只列收费依据。", "This system takes no money; it lists what a fee is based on.")
CAPPED: Final = Words("收费标准高于上限的按上限列出。", "A rate above the cap is listed as the cap.")
REDUCED: Final = Words(
    "减免学生名单由学校另存，出表时指定；本系统不保存。",
    "Whose fees are reduced the school says when it makes the list; nothing is kept here.",
)


@dataclass(slots=True)
class _Days:
    """A child's days in a month: on which it was expected, on which it was there."""

    expected: set[date] = field(default_factory=set)
    attended: set[date] = field(default_factory=set)


def fee_basis(books: Books, period: Period, asked: Asked) -> Report:
    """Raises ReportLocked, NoReport."""
    rules = books.rules("fees")
    for rule in rules:
        if rule.text("mode") in FORBIDDEN:
            raise locked(rule, "不能出收费依据", "no basis of fees is made here")
    archive = books.archive(period.first, period.last)
    names, scope = Names(books.directory, masked=asked.masked), Scope(books)
    if any(rule.text("basis") == "pupil_term_once" for rule in rules):
        _filed(books, period.first)
        if period.kind is not PeriodKind.TERM:
            raise NoReport("本市每学期只收取一次，请按学期出 / charged once a term here: make it for a term")
        sheets = _term_sheets(archive, scope, names, asked, agreement=any(rule.flag("agreement_required") for rule in rules))
    else:
        sheets = _month_sheets(books, archive, period, scope, names, rules, asked)
    sheets.append(scope.excluded_sheet(archive.held))
    clauses = dict.fromkeys(quoted(rule) for rule in rules) or [books.silent("收费", "fees")]
    clauses = dict.fromkeys((*clauses, *books.clauses("E5")))
    return frame(books, period, id="fee_basis", title=TITLE, sheets=sheets, archive=archive, quoted=clauses, signed=True)


def locked(rule: Rule, zh: str, en: str) -> ReportLocked:
    """The clause in its own words, with the paper and its number."""
    return ReportLocked(f"{zh}：“{rule.clause}”（{rule.document}） / {en}: “{rule.clause}” ({rule.document})")


def _filed(books: Books, first: date) -> None:
    """Where fees may be taken only once the plan of that term was approved. Raises ReportLocked."""
    settings, approved = books.settings, books.settings.service.approved_on
    if approved is not None and approved > books.today:
        approved = None
    rule = fee_lock(books.policy, settings.calendar, first, approved_on=approved, variant=settings.school.variant)
    if rule is not None:
        zh, en = (
            "这一学期的方案未登记为审核同意（school.toml 的 approved_on），不能出收费依据",
            "the plan of this term is not marked approved (approved_on)",
        )
        raise locked(rule, zh, en)


# --- by month -------------------------------------------------------------------------------------------------


def _month_sheets(
    books: Books, archive: Archive, period: Period, scope: Scope, names: Names, rules: Iterable[Rule], asked: Asked
) -> list[Sheet]:
    """The service, and evening study as lines of their own."""
    fees = books.settings.fees
    cap = next((rule.number("cap_cny") for rule in rules if "cap_cny" in rule.values), None)
    evening_cap = next((rule.number("evening_cap_cny") for rule in rules if "evening_cap_cny" in rule.values), None)
    counted = scope.within(archive.held)
    service = [one for one in counted if one.row.kind != EVENING]
    evening = [one for one in counted if one.row.kind == EVENING]
    sheets = [_months("service", Words("课后服务", "the service"), service, period, names, cap, fees.cny, asked)]
    if evening or (evening_cap and EVENING not in scope.why):
        words = Words("晚自习", "evening study")
        sheets.append(_months("evening", words, evening, period, names, evening_cap, fees.evening_cny, asked))
    return sheets


def _days(held: Iterable[Held]) -> Mapping[tuple[str, int], _Days]:
    """(month, child) -> its days."""
    found: defaultdict[tuple[str, int], _Days] = defaultdict(_Days)
    for one in held:
        month = f"{one.day:%Y-%m}"
        for child, state in one.enrolled():
            days = found[month, child]
            days.expected.add(one.day)
            if state in ATTENDED:
                days.attended.add(one.day)
        for child in one.guests():
            found[month, child].attended.add(one.day)
    return found


def _months(
    id: str, words: Words, held: Iterable[Held], period: Period, names: Names, cap: int | None, rate: int, asked: Asked
) -> Sheet:
    asks = min(rate, cap) if rate and cap else rate or None
    rows: list[tuple[Value, ...]] = []
    found = _days(held)
    for month, number in sorted(found, key=lambda key: (key[0], names.order(key[1]))):
        days, child = found[month, number], names.child(number)
        billable, pupil = bool(days.attended), names.directory.pupils.get(number)
        rows.append((
            month, child.class_name, child.seat or None, child.school_number, child.name, len(days.expected), len(days.attended),
            int(billable), cap if billable else None, asks if billable else None,
            int(pupil is not None and pupil.school_number in asked.reduced),
        ))  # fmt: skip
    columns = (
        column("month", "月份", "month", Cell.TEXT, 10), *CHILD, column("expected", "应到天数", "days expected", Cell.WHOLE, 9),
        column("attended", "参加天数", "days attended", Cell.WHOLE, 9), column("billable", "计费", "billable", Cell.FLAG, 7),
        column("cap", "上限（元）", "cap", Cell.YUAN, 9), column("rate", "标准（元）", "rate", Cell.YUAN, 9),
        column("reduced", "减免", "reduced", Cell.FLAG, 7),
    )  # fmt: skip
    sums = [sum(int(str(row[at])) for row in rows if row[at] is not None) for at in (5, 6, 7)]
    lines = sums[2]
    total = ("合计", None, None, None, f"{len(rows)} 行", *sums, cap and cap * lines, asks and asks * lines,
             sum(int(str(row[-1])) for row in rows))  # fmt: skip
    return Sheet(id=id, name=words, columns=columns, rows=rows, total=total, notes=(DAYS, NO_MONEY, CAPPED, REDUCED, COUNTED))


# --- once a term ----------------------------------------------------------------------------------------------


def agreements(directory: Directory, child: int, first: date, last: date) -> tuple[str, ...]:
    """Numbers of the agreements of a child that hold in a period."""
    return tuple(dict.fromkeys(
        one.agreement
        for one in directory.enrolments_of.get(child, ())
        if one.agreement and (one.valid_from or first) <= last and (one.valid_to or last) >= first
    ))  # fmt: skip


def _term_sheets(archive: Archive, scope: Scope, names: Names, asked: Asked, *, agreement: bool) -> list[Sheet]:
    """A line for each pupil who took part: those who can be charged once, and those who cannot, with the reason."""
    days: defaultdict[int, set[date]] = defaultdict(set)
    signed = set[int]()  # had an agreement on a day on which they were there: all that is left to say of who was erased
    for one in scope.within(archive.held):
        for child in one.attended():
            days[child].add(one.day)
        signed.update(set(one.attended()) - set(one.first.unsigned))
    may: list[tuple[Value, ...]] = []
    may_not: list[tuple[Value, ...]] = []
    for number in sorted(days, key=names.order):
        named, pupil = names.child(number), names.directory.pupils.get(number)
        papers = agreements(names.directory, number, archive.first, archive.last)
        row: tuple[Value, ...] = (named.class_name, named.seat or None, named.school_number, named.name)
        if agreement and not (papers if pupil is not None else number in signed):
            may_not.append((*row, min(days[number]), len(days[number]), "未签协议"))
            continue
        told = "、".join(papers) if pupil is not None else "（数据已删除）"
        reduced = int(pupil is not None and pupil.school_number in asked.reduced)
        may.append((*row, told, min(days[number]), len(days[number]), 1, reduced))
    first = column("first", "首次参加", "first day", Cell.DATE, 12)
    attended = column("attended", "参加天数", "days attended", Cell.WHOLE, 9)
    columns = (
        *CHILD, column("agreement", "协议编号", "agreement", Cell.ID, 20), first, attended,
        column("once", "收取次数", "times", Cell.WHOLE, 9), column("reduced", "减免", "reduced", Cell.FLAG, 7),
    )  # fmt: skip
    once = Words("每生每学期一行，只收取一次。", "One line for each pupil and term: charged once.")
    charged = ("合计", None, None, f"{len(may)} 人", None, None, _sum(may, 6), len(may), _sum(may, 8))
    left = ("合计", None, None, f"{len(may_not)} 人", None, _sum(may_not, 5), None)
    return [
        Sheet(id="term", name=Words("可收费学生", "may be charged"), columns=columns, rows=may, total=charged,
              notes=(once, DAYS, NO_MONEY, REDUCED, COUNTED)),
        Sheet(id="without", name=Words("不可收费学生", "may not be charged"), rows=may_not, total=left,
              columns=(*CHILD, first, attended, column("why", "原因", "why", Cell.TEXT, 28))),
    ]  # fmt: skip


def _sum(rows: Iterable[tuple[Value, ...]], at: int) -> int:
    return sum(int(str(row[at])) for row in rows)
