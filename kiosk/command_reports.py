"""The command `kiosk report`: the day report, the list of the catalogue, and any report of it as a file.

How far it is goes to stderr, the answer to stdout. The command leaves no record of who took what: a running gate holds the
journal and its log, and the command says so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kiosk.command_line import FINE, NOT_FINE, Stop, say_answer, settings_of, shared

Run = Callable[[argparse.Namespace], int]
Add = Callable[[str, Run, str], argparse.ArgumentParser]
STEPS: Final = 4  # words about how far it is, where stderr is no terminal


def add_commands(add: Add) -> None:
    report = shared(add("report", _report, "a report from the records, as text or as a file"), "config", "state", "json")
    report.add_argument("what", metavar="REPORT", help="day (the day report), list (which there are), or a report of that list")
    report.add_argument("--day", metavar="YYYY-MM-DD", help="of one day")
    report.add_argument("--month", metavar="YYYY-MM", help="of one month")
    report.add_argument("--term", metavar="TERM", help="of a term, by its id in calendar.toml, such as 2026_autumn")
    report.add_argument("--period", metavar="PERIOD", help="2026-W48, 2026-H2, 2026, 2026-2027, or any of the others")
    report.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="of the days from this one …")
    report.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="… to this one, both included")
    report.add_argument("--format", choices=("xlsx", "csv", "pdf", "json"), default="xlsx")
    report.add_argument("--out", type=Path, metavar="FILE", help="default: named after the report and its days, in this folder")
    report.add_argument("--lang", choices=("zh", "en"), default="zh", help="of titles, headings and notes")
    report.add_argument("--child", metavar="SCHOOL_NUMBER", help="of one pupil")
    report.add_argument("--class", dest="class_id", default="", metavar="CLASS", help="of one class, by its id")
    report.add_argument("--session", default="", metavar="SESSION", help="of one session, by its id")
    report.add_argument("--partner", default="", metavar="NAME", help="of one outside body")
    report.add_argument("--text", default="", metavar="WORDS", help="rows with these words only")
    report.add_argument("--reduced", type=Path, metavar="FILE", help="school numbers of reduced fees (减免), one a line")
    report.add_argument("--masked", action="store_true", help="names of pupils masked, as an inspector sees them")


def _report(options: argparse.Namespace) -> int:
    if options.what == "day":
        return _day(options)
    return _list(options) if options.what == "list" else _made(options)


# --- the day report ------------------------------------------------------------------------------------------


def _day(options: argparse.Namespace) -> int:
    from kiosk.directory import DirectoryError, load
    from kiosk.recorded import RecordsError, day_from
    from kiosk.replaying import ReplayError
    from kiosk.reports.day import day_report
    from kiosk.reports.day_text import as_text
    from kiosk.statement import NotCleared, signed_statement

    if options.day is None:
        raise Stop("say which day with --day, such as --day 2026-11-23")
    settings = settings_of(options.config)
    try:
        directory, day = load(options.state / "directory.db"), day_from(options.day)
        try:
            statement = signed_statement(options.state, day, settings.plan.utc_offset_ms)
        except NotCleared:
            statement = None
        report = day_report(settings, options.state, directory, day, statement=statement)
    except (DirectoryError, RecordsError, ReplayError) as error:
        raise Stop(str(error)) from error
    say_answer(options, report.document, as_text(report))
    return FINE if report.ok else NOT_FINE


# --- the catalogue -------------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    from kiosk.recorded import RecordsError
    from kiosk.reports.catalogue import CATALOGUE
    from kiosk.reports.wanted import dues, locks

    school = _school(options)
    try:
        locked, due = locks(school), dues(school)
    except RecordsError as error:
        raise Stop(str(error)) from error
    found = [
        {"id": one.id, "title": one.title.zh, "rows": one.rows, "periods": [kind.value for kind in one.periods],
         "needs": one.needs, "public": one.public, "locked": locked.get(one.id, "")}
        for one in CATALOGUE.values()
    ]  # fmt: skip
    lines = [f"{one['id']:16} {one['title']}" + (f"  [{one['locked']}]" if one["locked"] else "") for one in found]
    lines += [f"{day.isoformat()}  {clause}（{document}）" for day, clause, document in due]
    say_answer(options, {"reports": found, "due": [[day.isoformat(), *words] for day, *words in due]}, "\n".join(lines))
    return FINE


def _made(options: argparse.Namespace) -> int:
    from kiosk.reports.forms import Form
    from kiosk.reports.table import ReportLocked
    from kiosk.reports.wanted import REFUSALS, Wanted, compute, write

    school, listener = _school(options), _Listener()
    wanted = Wanted(
        report=options.what, period=_period(options), masked=options.masked, child=_child(options), class_id=options.class_id,
        session=options.session, partner=options.partner, text=options.text, reduced=_reduced(options),
    )  # fmt: skip
    try:
        with tempfile.TemporaryDirectory(prefix="campus-report-") as folder:
            compute(school, wanted, Path(folder), listener)
            draft = Path(folder) / "form"
            name = write(Path(folder), Form(options.format), options.lang, school.offset_ms, draft, listener)
            path = options.out or Path(name)
            path.write_bytes(draft.read_bytes())
    except ReportLocked as error:
        raise Stop(str(error), NOT_FINE) from error
    except REFUSALS as error:
        listener.end()
        raise Stop(_sentence(error, options.out)) from error
    listener.end()
    print("this export is not on record: the page 报表 of a running gate records who took which report", file=sys.stderr)
    told = {"file": str(path), "report": wanted.report, "period": wanted.period, "format": options.format}
    say_answer(options, told, str(path))
    return FINE


def _sentence(error: Exception, out: Path | None) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{out or '.'} cannot be written ({error.strerror}); name another file with --out"
    return str(error)


def _period(options: argparse.Namespace) -> str:
    """The one way in which the time was said. Raises Stop."""
    said = [text for text in (options.day, options.month, options.term, options.period) if text]
    if (options.first is None) != (options.last is None):
        raise Stop("--from and --to go together")
    if options.first:
        said.append(f"{options.first}..{options.last}")
    if len(said) != 1:
        raise Stop("say of which time, once: --month 2026-10, --term 2026_autumn, --day, --period, or --from and --to")
    return str(said[0])


def _child(options: argparse.Namespace) -> int:
    from kiosk.reports.wanted import people

    if not options.child:
        return 0
    for pupil in people(options.state).pupils.values():
        if pupil.school_number == options.child:
            return pupil.number
    raise Stop(f"no pupil has the school number {options.child}")


def _reduced(options: argparse.Namespace) -> tuple[str, ...]:
    if options.reduced is None:
        return ()
    try:
        return tuple(line.strip() for line in options.reduced.read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{options.reduced} cannot be read ({error}); write one school number a line, in UTF-8") from error


def _school(options: argparse.Namespace) -> Any:
    from kiosk.clock import SystemClock
    from kiosk.reports.wanted import School

    return School(settings=settings_of(options.config), state=options.state, now_ms=SystemClock().now_ms())


class _Listener:
    """How far it is, on stderr: on a terminal a line that changes, otherwise a few lines."""

    def __init__(self) -> None:
        self._terminal, self._said = sys.stderr.isatty(), ("", -1)

    def __call__(self, step: str, done: int, of: int) -> None:
        part = done * STEPS // of if of else 0
        if self._terminal:
            print(f"\r{step} {done:,}" + (f" / {of:,}" if of else "") + "   ", end="", file=sys.stderr, flush=True)
        elif (step, part) != self._said:
            self._said = step, part
            print(f"{step} {done} / {of}" if of else step, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._terminal:
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)
