"""Every report that the records give, by its id: what it is called, for which periods it is made, and who makes it.

`make` is the one door for pages and commands. A report that the city's paper forbids raises ReportLocked with the clause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from kiosk.reports.asking import NOTHING, Asked, NoReport
from kiosk.reports.attendance import TITLE as ATTENDANCE
from kiosk.reports.attendance import attendance
from kiosk.reports.books import Books
from kiosk.reports.class_hours import TITLE as CLASS_HOURS
from kiosk.reports.class_hours import class_hours
from kiosk.reports.early import TITLE as EARLY
from kiosk.reports.early import early_arrivals
from kiosk.reports.fees import TITLE as FEES
from kiosk.reports.fees import fee_basis
from kiosk.reports.funding import PUBLIC_TITLE, funding, publicity
from kiosk.reports.funding import TITLE as FUNDING
from kiosk.reports.growth import TITLE as GROWTH
from kiosk.reports.growth import growth_file
from kiosk.reports.lists import PARTICIPANTS, PROVIDERS, participants, providers
from kiosk.reports.patrols import TITLE as PATROLS
from kiosk.reports.patrols import patrol_report
from kiosk.reports.period import Period, PeriodKind
from kiosk.reports.session_archive import TITLE as ARCHIVE
from kiosk.reports.session_archive import session_archive
from kiosk.reports.statistics import STATISTICS, SUMMARY, statistics, summary
from kiosk.reports.table import Report, Words
from kiosk.reports.teachers import FLEXIBLE, MONTHLY, flexible_hours, teacher_month
from kiosk.reports.weeks import TITLE as WEEKS
from kiosk.reports.weeks import weeks_report

__all__ = ["CATALOGUE", "NoReport", "Listed", "make"]

Make = Callable[[Books, Period, Asked], Report]
_ANY: Final = tuple(PeriodKind)
_MONTH_UP: Final = (PeriodKind.MONTH, PeriodKind.TERM, PeriodKind.HALF, PeriodKind.YEAR, PeriodKind.SCHOOL_YEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One report. `rows`: of the requirement matrix. `needs`: what `Asked` must say."""

    id: str
    title: Words
    periods: tuple[PeriodKind, ...]
    make: Make
    rows: tuple[str, ...]
    needs: tuple[str, ...] = ()
    names: bool = True  # shows people by name; an inspector reads it masked
    public: bool = False  # without any personal data: may be put up for everybody


CATALOGUE: Final[Mapping[str, Listed]] = {
    one.id: one
    for one in (
        Listed(id="attendance", title=ATTENDANCE, periods=_ANY, make=attendance, rows=("D1", "F1")),
        Listed(id="archive", title=ARCHIVE, periods=_ANY, make=session_archive, rows=("F1",)),
        Listed(id="class_hours", title=CLASS_HOURS, periods=_ANY, make=class_hours, rows=("E1",)),
        Listed(id="funding", title=FUNDING, periods=_MONTH_UP, make=funding, rows=("E2",)),
        Listed(id="publicity", title=PUBLIC_TITLE, periods=_MONTH_UP, make=publicity, rows=("F7",), names=False, public=True),
        Listed(id="fee_basis", title=FEES, periods=(PeriodKind.MONTH, PeriodKind.TERM), make=fee_basis, rows=("E5",)),
        Listed(id="flexible_hours", title=FLEXIBLE, periods=_ANY, make=flexible_hours, rows=("E3",)),
        Listed(id="teacher_month", title=MONTHLY, periods=_MONTH_UP, make=teacher_month, rows=("E4",)),
        Listed(id="providers", title=PROVIDERS, periods=_ANY, make=providers, rows=("E6",)),
        Listed(id="patrols", title=PATROLS, periods=_ANY, make=patrol_report, rows=("F2",)),
        Listed(id="growth", title=GROWTH, periods=(PeriodKind.TERM, PeriodKind.SCHOOL_YEAR), make=growth_file, rows=("F3",)),
        Listed(id="participants", title=PARTICIPANTS, periods=_ANY, make=participants, rows=("C5",)),
        Listed(id="statistics", title=STATISTICS, periods=_ANY, make=statistics, rows=("F4",), names=False),
        Listed(id="summary", title=SUMMARY, periods=_MONTH_UP, make=summary, rows=("F4",), names=False),
        Listed(id="weeks", title=WEEKS, periods=_MONTH_UP, make=weeks_report, rows=("A7",), names=False),
        Listed(
            id="early_arrivals",
            title=EARLY,
            periods=(PeriodKind.WEEK, *_MONTH_UP),
            make=early_arrivals,
            rows=("A14",),
            names=False,
        ),
    )
}


def make(id: str, books: Books, period: Period, asked: Asked = NOTHING) -> Report:
    """Raises NoReport, ReportLocked, RecordsError."""
    listed = CATALOGUE.get(id)
    if listed is None:
        known = ", ".join(CATALOGUE)
        raise NoReport(f"没有报表“{id}”，可用：{known} / there is no report {id!r}; known: {known}")
    if period.kind not in listed.periods:
        kinds = ", ".join(kind.value for kind in listed.periods)
        raise NoReport(f"《{listed.title.zh}》不按{period.kind.value}出，可用：{kinds} / it is made for {kinds}")
    if missing := [name for name in listed.needs if not getattr(asked, name)]:
        raise NoReport(f"《{listed.title.zh}》须指定 {', '.join(missing)} / say {', '.join(missing)}")
    return listed.make(books, period, asked)
