"""View values of what a school publishes and owes: the notice to parents, the public timetable, the policy sheet, due dates, and
what an inspector sees first.

Pure values. `kiosk.publications` fills them from the settings, the policy and the menu; the templates and the Markdown only show
them. No pupil and no family is ever named in one: staff stand in them as the menu needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.core.roster import Bar
from kiosk.web.faces_office import FindingLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One section of a published paper. quotes: (clause, paper)."""

    head: str
    lines: tuple[str, ...] = ()
    grid: Grid | None = None
    quotes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """`id`: guardian_notice, timetable. `digest`: SHA-256 of its Markdown in the language it is in."""

    id: str
    lang: str
    title: str
    school: str
    day: str
    parts: tuple[Part, ...]
    foot: tuple[str, ...] = ()

    def markdown(self) -> str:
        return "\n".join(_markdown(self)).rstrip() + "\n"


def _markdown(paper: Publication) -> Iterator[str]:
    yield from (f"# {paper.title}", "")
    for part in paper.parts:
        yield from (f"## {part.head}", "")
        for line in part.lines:
            yield from (_plain(line), "")
        if part.grid is not None:
            yield f"| {' | '.join(map(_cell, part.grid.heads))} |"
            yield "|" + "---|" * len(part.grid.heads)
            yield from (f"| {' | '.join(map(_cell, row))} |" for row in part.grid.rows)
            yield ""
        for clause, source in part.quotes:
            yield from (f"> {clause}", ">", f"> —— {source}", "")
    for line in (*paper.foot, paper.school, paper.day):
        yield from (_plain(line), "")


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|") or " "


def _plain(text: str) -> str:
    """Names come from lists that anybody may have written: none of them is markup here."""
    return " ".join(text.split()).replace("<", "&lt;")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLine:
    """state: done, overdue, today, soon, coming, later."""

    kind: str  # report, filing
    on: str
    state: str
    days_left: int
    clause: str
    document: str
    to: str = ""
    term: str = ""
    reminders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One clause of a policy. letter: M, P or O."""

    id: str
    letter: str
    strength: str
    title: str
    scope: str
    figures: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    title: str
    rules: tuple[RuleLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """A document that rules are quoted from."""

    title: str
    number: str
    issuer: str
    first: str
    until: str
    lapsed: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLine:
    """One publication that is on record."""

    id: str
    day: str
    by: str
    name: str  # of the kept file


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """The office's page 政策. fee_locked: (clause, paper) that forbids charging today."""

    bar: Bar
    city: str = ""
    variant: str = ""
    overlay: bool = False
    papers: tuple[PaperLine, ...] = ()
    groups: tuple[RuleGroup, ...] = ()
    silent: tuple[str, ...] = ()  # rows on which the papers are silent
    findings: tuple[FindingLine, ...] = ()
    dues: tuple[DueLine, ...] = ()
    fee_locked: tuple[str, str] | None = None
    published: tuple[PublishedLine, ...] = ()
    done: str = ""  # what has just been put on record


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """A publication on a page to print."""

    bar: Bar
    paper: Publication
    published: str = ""  # the day on which this very text was put on record


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionView:
    """What an inspector may read (F6): times, content, staffing, safety measures; nobody is named."""

    bar: Bar
    parts: tuple[Part, ...] = ()
    findings: tuple[FindingLine, ...] = ()
    dues: tuple[DueLine, ...] = ()
