"""View values of the reports: the list of them, and one of them while it is made, when it is there, and when it is not to be.

Filled by `kiosk.report_pages`. Everything is text already; nothing here computes a figure.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.roster import Bar
from kiosk.web.faces_picture import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodChoice:
    id: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """One report of the catalogue. `locked`: the sentence that quotes the clause; "" where nothing forbids it.
    `periods`: (kind in words, the newest first). `needs`: what must be said beside the period."""

    id: str
    title: str
    rows: tuple[str, ...] = ()
    locked: str = ""
    public: bool = False
    named: bool = True
    periods: tuple[tuple[str, tuple[PeriodChoice, ...]], ...] = ()
    any_day: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLine:
    """When the city's paper wants its report, and by which words."""

    day: str
    in_days: int
    clause: str
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportsView:
    bar: Bar
    reports: tuple[ReportLine, ...] = ()
    dues: tuple[DueLine, ...] = ()
    policy: str = ""
    trouble: str = ""  # why nothing can be listed


@dataclass(frozen=True, slots=True, kw_only=True)
class CellText:
    words: str
    number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetView:
    """`rows`: the first of `count`. Whoever wants them all takes a file."""

    id: str
    name: str
    heads: tuple[CellText, ...]
    rows: tuple[tuple[CellText, ...], ...]
    count: int
    total: tuple[CellText, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """state: choose (nothing asked), waiting, running, ready, locked, failed, stopped. `why`: for locked and failed.

    `query`: what was asked, as hidden fields of the forms. `forms`: what may be downloaded; none for an inspector, unless the
    report has no personal data.
    """

    bar: Bar
    report: ReportLine
    state: str = "choose"
    period: str = ""
    period_words: str = ""
    query: tuple[tuple[str, str], ...] = ()
    at: int = 0
    of: int = 0
    step: str = ""
    why: str = ""
    made: str = ""
    masked: bool = False
    title: str = ""
    quoted: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    sheets: tuple[SheetView, ...] = ()
    forms: tuple[str, ...] = ()

    @property
    def busy(self) -> bool:
        return self.state in ("waiting", "running")
