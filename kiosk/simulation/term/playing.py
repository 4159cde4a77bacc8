"""A term, day after day: who of the calendar's days is played, what the office does between them, and how fast it went."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from kiosk.clock import steady_s
from kiosk.core import commands as c
from kiosk.core.people import Enrolment
from kiosk.core.timetable import DayBook, DayType, day_book
from kiosk.directory import load, publish, read_content
from kiosk.people_import import DIRECTORY_FILE
from kiosk.simulation.term.day import TermDay
from kiosk.simulation.term.drawing import MINUTE_MS, Drawn
from kiosk.simulation.term.gate import TermGate
from kiosk.simulation.term.hands import Hands
from kiosk.simulation.term.ledger import Ledger
from kiosk.simulation.term.office import Office
from kiosk.simulation.term.school import Size, TermError, TermSchool, school_of

MORNING_MIN = 6 * 60 + 55
NEW_LIST_AFTER_DAYS = 12  # played days, until the office publishes a newer list of people


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a played term was. `violations` is empty when every press went as the script meant and nobody was unheld."""

    city: str
    seed: int
    classes: int
    pupils: int
    first: str
    last: str
    days: int
    service_days: int
    closed: int  # days that ended with 静校
    presses: int
    entries: int
    seconds: float
    violations: tuple[str, ...]
    ledger: Ledger

    @property
    def fine(self) -> bool:
        return not self.violations and self.closed == self.days


def play_term(state: Path, *, city: str, seed: int = 2026, size: Size | None = None) -> Played:
    """Plays the autumn term into `state`, which must be new. Raises TermError."""
    if state.exists() and any(state.iterdir()):
        raise TermError(f"{state} is not empty; name a new folder with --state")
    state.mkdir(parents=True, exist_ok=True)
    size = size or Size()
    school = school_of(city, state, seed=seed, size=size)
    began_s = steady_s()
    term = _Term(state, school, f"{seed}:{city}", size)
    try:
        term.play()
        return Played(
            city=city, seed=seed, classes=len(school.directory.classes), pupils=len(school.directory.pupils),
            first=term.ledger.days[0], last=term.ledger.days[-1], days=len(term.ledger.days),
            service_days=len(term.ledger.service_days), closed=term.closed, presses=term.gate.steps,
            entries=term.gate.world.stream.seq, seconds=steady_s() - began_s, violations=tuple(term.gate.violations),
            ledger=term.ledger,
        )  # fmt: skip
    finally:
        term.gate.close()


class _Term:
    def __init__(self, state: Path, school: TermSchool, seed: str, size: Size) -> None:
        self.state, self.school, self.seed, self.size = state, school, seed, size
        self.ledger, self.closed = Ledger(), 0
        self.chance = random.Random(f"{seed}:office")
        first = next(school.days(size))
        start_ms = self._book(first).start_ms + MORNING_MIN * MINUTE_MS
        self.gate = TermGate(settings=school.settings, directory=school.directory, state=state, start_ms=start_ms)
        self.hands = Hands(self.gate, school.directory, school.settings.service.practices)
        self.office = Office(self.gate, self.ledger, self.chance)

    def _book(self, on: date) -> DayBook:
        settings = self.school.settings
        return day_book(
            on, settings.calendar, settings.plan, self.school.directory, release_window_min=settings.release_window_min
        )

    def play(self) -> None:
        for on in self.school.days(self.size):
            self._day(on)

    def _day(self, on: date) -> None:
        """A day without anybody is not played; a holiday in the week has one child who did not know."""
        if len(self.ledger.days) == NEW_LIST_AFTER_DAYS:
            self._new_list(on)
        book = self._book(on)
        lost_way = book.day.type is DayType.HOLIDAY and on.isoweekday() == 3
        drawn = Drawn(self.school.directory, book, self.seed, self.gate.world.rules.handover_max_grade)
        if not drawn.children and not lost_way:
            return
        self.gate.night_until(book.start_ms + MORNING_MIN * MINUTE_MS)
        if lost_way:
            drawn.comes_by_mistake()
        played = TermDay(self.gate, self.hands, self.school.directory, book, self.ledger, drawn)
        self.ledger.days.append(book.iso)
        if played.rooms.times:
            self.ledger.service_days.append(book.iso)
        self.office.morning(book, self.hands, played.at)
        played.play()
        self.office.evening(book.iso, (on - timedelta(days=10)).isoformat())
        self.closed += self.gate.world.campus.cleared is not None
        if sys.stderr.isatty():
            print(f"\r{book.iso} {self.gate.world.stream.seq} entries", end="", file=sys.stderr)

    def _new_list(self, on: date) -> None:
        """A newer list of people in the middle of the term: somebody joins from today on, somebody has left yesterday."""
        path = self.state / DIRECTORY_FILE
        content, info = read_content(path)
        enrolled = {e.child for e in content.enrolments}
        joins = [p.number for p in content.pupils if p.number not in enrolled and not p.extended_care][:2]
        homework = [s.id for s in content.sessions if s.slot == 1]
        new = [Enrolment(child=n, session=homework[0], valid_from=on, agreement=f"XY-{n}") for n in joins]
        in_force = (e.child for e in content.enrolments if (e.valid_from or on) < on < (e.valid_to or on))
        leaver, yesterday = next(in_force), on - timedelta(days=1)
        old = [
            replace(e, valid_to=yesterday) if e.child == leaver and (e.valid_from or on) < on else e for e in content.enrolments
        ]
        made_at_ms = self.gate.clock.now_ms()
        published = publish(path, replace(content, enrolments=(*old, *new)), info.number + 1, made_at_ms)
        directory = load(path)
        self.gate.all_of([c.AdoptDirectory(directory=directory, digest=published.sha256)])
        self.school = replace(self.school, directory=directory)
        self.hands = Hands(self.gate, directory, self.school.settings.service.practices)
