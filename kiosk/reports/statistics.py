"""The figures that go upward (上报): one set for every city, by month and by grade, and the summary with its due dates.

The same things that the ministry publishes: days, children enrolled and there, the rate, who takes part on all days of the week,
teachers, outside staff. To whom and when they go, the city's paper says, or says nothing. No names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from kiosk.core.policy import report_dues
from kiosk.reports.asking import Asked
from kiosk.reports.books import Books
from kiosk.reports.columns import COUNTED, RATE, Tally, column, frame, kind_words, tally_columns
from kiosk.reports.naming import Names, quoted
from kiosk.reports.patrols import covered
from kiosk.reports.period import Period
from kiosk.reports.scope import Scope
from kiosk.reports.service_rows import Archive, Held
from kiosk.reports.table import Cell, Chart, Report, Sheet, Value, Words

STATISTICS: Final = Words("课后服务统计", "Statistics of the service")
SUMMARY: Final = Words("课后服务工作总结", "Summary of the service")
FULL: Final = Words(
    "每周全程参加：某周凡开展课后服务的日子都在名单上（或临时参加）的学生，占该周参加学生的比例；各周人次相加后计算。",
    "All days: of the children of a week, those who were on the list (or guests) on every day of it on which the service ran;"
    " summed over the weeks.",
)
NOW: Final = Words("在校学生按现在的名单。", "Pupils of the school: by the list of now.")
_Figure = tuple[str, Words, Value, str]  # key, words, value, unit


def statistics(books: Books, period: Period, _asked: Asked) -> Report:
    archive = books.archive(period.first, period.last)
    scope, names = Scope(books), Names(books.directory)
    held = scope.within(archive.held)
    sheets = [
        _figures_sheet(figures(books, held)),
        _grades_sheet(held, names),
        _kinds_sheet(held),
        scope.excluded_sheet(archive.held),
    ]
    clauses = books.clauses("F4") or (books.silent("统计上报", "reporting statistics"),)
    return frame(books, period, id="statistics", title=STATISTICS, sheets=sheets, archive=archive, quoted=clauses, signed=True)


def summary(books: Books, period: Period, _asked: Asked) -> Report:
    """The same figures, month by month, with what was patrolled and corrected, and when the city wants it."""
    archive = books.archive(period.first, period.last)
    scope = Scope(books)
    held = scope.within(archive.held)
    sheets = [
        _figures_sheet([*figures(books, held), *_care(archive)]), _months_sheet(books, held, period), _kinds_sheet(held),
        _dues_sheet(books), scope.excluded_sheet(archive.held),
    ]  # fmt: skip
    clauses = books.clauses("F4") or (books.silent("工作总结上报", "reporting a summary"),)
    return frame(books, period, id="summary", title=SUMMARY, sheets=sheets, archive=archive, quoted=clauses, signed=True)


# --- figures --------------------------------------------------------------------------------------------------


def figures(books: Books, held: Sequence[Held]) -> list[_Figure]:
    """What is counted of sessions that count."""
    tally, hours = Tally(), 0.0
    enrolled, there, teachers, outside = set[int](), set[int](), set[int](), set[int]()
    for one in held:
        tally.add(one)
        hours += one.row.class_hours
        enrolled.update(child for child, _ in one.enrolled())
        there.update(one.attended())
        (outside if one.row.partner else teachers).update(one.row.teachers)
    full, weeks = full_weeks(held)
    pupils = len(books.directory.pupils)
    return [
        ("pupils", Words("在校学生", "pupils of the school"), pupils, "人"),
        ("days", Words("开展天数", "days held"), len({one.day for one in held}), "天"),
        ("sessions", Words("开展场次", "sessions"), len(held), "场"),
        ("class_hours", Words("课时", "class-hours"), round(hours, 1), "课时"),
        ("enrolled", Words("报名学生", "children enrolled"), len(enrolled), "人"),
        ("there", Words("参加学生", "children who took part"), len(there), "人"),
        ("expected_times", Words("应到人次", "expected"), tally.expected, "人次"),
        ("attended_times", Words("实到人次", "attended"), tally.attended, "人次"),
        ("guest_times", Words("临时参加人次", "guests"), tally.guests, "人次"),
        ("rate", Words("出勤率", "attendance rate"), tally.rate, "%"),
        ("full_weeks", Words("每周全程参加人周", "child-weeks on all days"), full, "人周"),
        ("child_weeks", Words("参加人周", "child-weeks"), weeks, "人周"),
        ("full_share", Words("每周全程参加比例", "share on all days"), full / weeks if weeks else None, "%"),
        ("teachers", Words("参与教师", "teachers"), len(teachers), "人"),
        ("outside_staff", Words("合作机构人员", "staff of providers"), len(outside), "人"),
    ]


def full_weeks(held: Iterable[Held]) -> tuple[int, int]:
    """Child-weeks in which the child belonged to the service on every day on which it ran, and all child-weeks."""
    days: defaultdict[tuple[int, int], set[date]] = defaultdict(set)
    of_child: defaultdict[tuple[int, int], defaultdict[int, set[date]]] = defaultdict(lambda: defaultdict(set))
    for one in held:
        week = one.day.isocalendar()[:2]
        days[week].add(one.day)
        for child in (*(child for child, _ in one.enrolled()), *one.guests()):
            of_child[week][child].add(one.day)
    full = sum(1 for week, children in of_child.items() for mine in children.values() if len(mine) == len(days[week]))
    return full, sum(len(children) for children in of_child.values())


def _care(archive: Archive) -> list[_Figure]:
    """What the records say of how it was looked after; of all sessions, whether they count or not."""
    times = covered(archive)
    seen = sum(1 for one in archive.held if times.get((one.row.session, one.day)))
    share = seen / len(archive.held) if archive.held else None
    stood_in = sum(1 for one in archive.held if one.row.planned_teacher and one.row.planned_teacher not in one.row.teachers)
    corrections = sum(len(one.corrections) for one in archive.held)
    return [
        ("patrols", Words("巡查次数", "patrols"), len(archive.patrols), "次"),
        ("patrolled", Words("巡查覆盖率", "share patrolled"), share, "%"),
        ("findings", Words("巡查问题", "findings"), sum(p.body.finding != "in_order" for p in archive.patrols), "个"),
        ("substitutions", Words("代班", "substitutions"), stood_in, "场"),
        ("corrections", Words("更正", "corrections"), corrections, "条"),
        ("growth_notes", Words("成长记录", "growth notes"), len(archive.growth), "条"),
    ]


def _figures_sheet(found: Iterable[_Figure]) -> Sheet:
    """Counts, class-hours and shares have a column each, because each reads otherwise."""
    rows = [
        (key, words.zh, *(value if kind == sort else None for kind in ("", "课时", "%")), unit)
        for key, words, value, unit in found
        for sort in (unit if unit in ("课时", "%") else "",)
    ]
    columns = (
        column("key", "代码", "key", Cell.ID, 16), column("what", "项目", "figure", Cell.TEXT, 18),
        column("count", "数量", "count", Cell.WHOLE, 10), column("class_hours", "课时", "class-hours", Cell.HOURS, 10),
        column("share", "比例", "share", Cell.PERCENT, 10), column("unit", "单位", "unit", Cell.TEXT, 8),
    )  # fmt: skip
    return Sheet(id="figures", name=Words("统计", "figures"), columns=columns, rows=rows, notes=(NOW, FULL, RATE, COUNTED))


# --- by grade, content and month ------------------------------------------------------------------------------


class _Group:
    __slots__ = ("enrolled", "tally", "there")

    def __init__(self) -> None:
        self.tally, self.enrolled, self.there = Tally(), set[int](), set[int]()

    def values(self) -> tuple[Value, ...]:
        return (len(self.enrolled), len(self.there), *self.tally.values())


def _grades_sheet(held: Iterable[Held], names: Names) -> Sheet:
    """By stage and grade of now; erased children in a row of their own."""
    groups: defaultdict[tuple[str, int], _Group] = defaultdict(_Group)
    total = _Group()
    pupils = names.directory.pupils
    of_school: defaultdict[tuple[str, int], int] = defaultdict(int)
    for pupil in pupils.values():
        of_school[pupil.stage.value, pupil.grade] += 1
    for one in held:
        attended = set(one.attended())
        for child, state in (*one.enrolled(), *((guest, "") for guest in one.guests())):
            known = pupils.get(child)
            for group in (groups[(known.stage.value, known.grade) if known else ("", 0)], total):
                if state:
                    group.tally.states[state] += 1
                    group.enrolled.add(child)
                else:
                    group.tally.guests += 1
                if child in attended:
                    group.there.add(child)
    order = {stage: at for at, stage in enumerate(("kindergarten", "primary", "junior", "senior", ""))}
    rows = [
        (_STAGES.get(stage, stage), grade or None, of_school[stage, grade] if stage else None, *groups[stage, grade].values())
        for stage, grade in sorted({*groups, *of_school}, key=lambda key: (order.get(key[0], 9), key[1]))
    ]
    columns = (
        column("stage", "学段", "stage", Cell.TEXT, 10), column("grade", "年级", "grade", Cell.WHOLE, 8),
        column("pupils", "在校学生", "pupils", Cell.WHOLE, 9), column("enrolled", "报名学生", "enrolled", Cell.WHOLE, 9),
        column("there", "参加学生", "took part", Cell.WHOLE, 9), *tally_columns(),
    )  # fmt: skip
    return Sheet(
        id="grades", name=Words("按年级", "by grade"), columns=columns, rows=rows, notes=(NOW, RATE),
        total=("合计", None, None, *total.values()),
        charts=(Chart(shape="bar", title=Words("各年级参加学生", "by grade"), categories="grade", values=("enrolled", "there")),),
    )  # fmt: skip


_STAGES: Final[Mapping[str, str]] = {
    "kindergarten": "幼儿园", "primary": "小学", "junior": "初中", "senior": "高中", "": "（已删除）",
}  # fmt: skip


def _kinds_sheet(held: Iterable[Held]) -> Sheet:
    sessions: defaultdict[str, int] = defaultdict(int)
    hours: defaultdict[str, float] = defaultdict(float)
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for one in held:
        sessions[one.row.kind] += 1
        hours[one.row.kind] += one.row.class_hours
        tallies[one.row.kind].add(one)
    rows = [(kind_words(kind).zh, sessions[kind], round(hours[kind], 1), *tallies[kind].values()) for kind in sorted(sessions)]
    total = Tally()
    for tally in tallies.values():
        total.states.update(tally.states)
        total.guests += tally.guests
    columns = (
        column("kind", "内容", "content", Cell.TEXT, 14), column("sessions", "场次", "sessions", Cell.WHOLE, 8),
        column("class_hours", "课时", "class-hours", Cell.HOURS, 8), *tally_columns(),
    )  # fmt: skip
    return Sheet(
        id="kinds", name=Words("按内容", "by content"), columns=columns, rows=rows, notes=(RATE,),
        total=("合计", sum(sessions.values()), round(sum(hours.values()), 1), *total.values()),
        charts=(Chart(shape="pie", title=Words("课时构成", "class-hours"), categories="kind", values=("class_hours",)),),
    )  # fmt: skip


_OF_MONTH: Final = (
    "days", "sessions", "class_hours", "enrolled", "there", "expected_times", "attended_times", "rate", "full_share", "teachers",
    "outside_staff",
)  # fmt: skip


def _months_sheet(books: Books, held: Iterable[Held], period: Period) -> Sheet:
    months: dict[str, list[Held]] = {month: [] for month in period.months()}
    for one in held:
        months[f"{one.day:%Y-%m}"].append(one)
    rows: list[tuple[Value, ...]] = []
    words: dict[str, Words] = {}
    for month, mine in months.items():
        found = {key: (what, value) for key, what, value, _ in figures(books, mine)}
        words = {key: what for key, (what, _) in found.items()}
        rows.append((month, *(found[key][1] for key in _OF_MONTH)))
    cells = {"class_hours": Cell.HOURS, "rate": Cell.PERCENT, "full_share": Cell.PERCENT}
    columns = (
        column("month", "月份", "month", Cell.TEXT, 10),
        *(column(key, *words[key], cells.get(key, Cell.WHOLE), 11) for key in _OF_MONTH),
    )  # fmt: skip
    return Sheet(
        id="months", name=Words("按月", "by month"), columns=columns, rows=rows, notes=(FULL, RATE),
        charts=(Chart(shape="line", title=Words("每月参加学生", "by month"), categories="month", values=("there",)),),
    )  # fmt: skip


def _dues_sheet(books: Books) -> Sheet:
    """When the city wants its report next, with its clause; no row where the paper gives no date."""
    dues = report_dues(books.policy, books.today) if books.policy else ()
    mine = {rule.id for rule in books.rules("report_dates")}
    rows = [(due, (due - books.today).days, rule.text("to"), quoted(rule).zh) for due, rule in dues if rule.id in mine]
    columns = (
        column("due", "上报日期", "due", Cell.DATE, 12), column("in_days", "还有天数", "in days", Cell.WHOLE, 9),
        column("to", "报送", "to", Cell.TEXT, 24), column("clause", "依据", "by which words", Cell.TEXT, 60),
    )  # fmt: skip
    notes = () if rows else (books.silent("上报日期", "dates of reports"),)
    return Sheet(id="dues", name=Words("上报日期", "due dates"), columns=columns, rows=rows, notes=notes)
