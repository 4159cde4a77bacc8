"""The script of a simulated day: 1,350 children stay after lessons, 38, 8 and 1 of them are still here 10, 30 and 60 minutes
after their window, and the day closes at zero. The figures are those of the sample school (README of `config/sample_school`).
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path

from kiosk.core.people import Directory, Pupil
from kiosk.core.timetable import DayBook, day_book
from kiosk.directory import load, publish, read_content
from kiosk.people_import import DIRECTORY_FILE, import_people
from kiosk.settings import Settings, shared_data_dir
from kiosk.settings import load as load_settings
from kiosk.simulation.hand_gate import MINUTE_MS, HandGate
from kiosk.simulation.people import People

LATE = ((10, 30, 30), (30, 60, 7), (60, 75, 1))  # minutes after T0: later than, not later than, how many children
ABSENT = 32  # 2 % of 1,620, none of them a stayer


class SimulationError(Exception):
    """The state folder cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What a simulated day was. `violations` is empty when every press went as the script meant and nobody was unheld."""

    seed: int
    day: str
    steps: int
    stayers: int
    late: tuple[tuple[int, int], ...]  # (minutes after T0, children still here)
    cleared: bool
    violations: tuple[str, ...]


def simulate(state: Path, *, day: str = "2026-11-23", seed: int = 2026) -> Simulated:
    """Plays the day into `state`, which must be new. Raises SimulationError."""
    if state.exists() and any(state.iterdir()):
        raise SimulationError(f"{state} is not empty; name a new folder with --state")
    state.mkdir(parents=True, exist_ok=True)
    settings = load_settings(shared_data_dir("sample_school"))
    on = date.fromisoformat(day)
    directory = _people(state, settings, on)
    book = day_book(on, settings.calendar, settings.plan, directory, release_window_min=settings.release_window_min)
    gate = HandGate(settings=settings, directory=directory, state=state, start_ms=book.start_ms + 7 * 60 * MINUTE_MS)
    try:
        script = Day(gate, directory, book, seed)
        script.play()
        cleared = gate.world.campus.cleared is not None
        return Simulated(
            seed=seed, day=day, steps=gate.steps, stayers=len(script.stayers), late=script.late_counts(), cleared=cleared,
            violations=tuple(gate.violations),
        )  # fmt: skip
    finally:
        gate.close()


def _people(state: Path, settings: Settings, on: date) -> Directory:
    """The sample school on one day, with the 16 who left the service in October still in it: 1,350 stay."""
    people, path = settings.find("people"), state / DIRECTORY_FILE
    assert people is not None, "the sample school has people"
    made_at_ms = int((on.toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000)
    result = import_people([people], state, settings=settings, dry_run=False, now_ms=made_at_ms)
    if not result.ok:
        raise SimulationError(f"the sample school cannot be imported: {result.text()}")
    content, info = read_content(path)
    in_force = {e.child for e in content.enrolments if e.valid_to is None or e.valid_to >= on}
    stay = tuple(
        replace(e, valid_to=None) if e.child not in in_force and e.valid_to is not None else e for e in content.enrolments
    )
    publish(path, replace(content, enrolments=stay), info.number + 1, made_at_ms)
    return load(path)


class Day:
    """Moments in order, each a call. A moment may add later ones."""

    def __init__(self, gate: HandGate, directory: Directory, book: DayBook, seed: int) -> None:
        self.gate, self.directory, self.book = gate, directory, book
        self.chance = random.Random(seed)
        self.people = People(gate, directory, book)
        self.stayers = [p for p in self._pupils() if book.pupils[p.number].sessions]
        others = [p for p in self._pupils() if not book.pupils[p.number].sessions]
        self.absent = {p.number for p in self.chance.sample(others, ABSENT)}
        self.collected_ms: dict[int, int] = {}
        self._moments: list[tuple[int, int, Callable[[], object]]] = []
        self._order = count()

    def _pupils(self) -> list[Pupil]:
        return sorted(self.directory.pupils.values(), key=lambda p: p.number)

    def at(self, at_ms: float, what: Callable[[], object]) -> None:
        heapq.heappush(self._moments, (int(at_ms), next(self._order), what))

    def play(self) -> None:
        self._morning()
        self._afternoon()
        self._going_home()
        self.at(self.book.gate_closes_ms + 60 * MINUTE_MS, self.people.close_the_day)
        while self._moments:
            at_ms, _, what = heapq.heappop(self._moments)
            self.gate.until(at_ms)
            what()

    def late_counts(self) -> tuple[tuple[int, int], ...]:
        """How many of those who are fetched were still here so many minutes after the end of their own window."""
        waits = [(at_ms - self.book.pupils[n].release_due_ms) / MINUTE_MS for n, at_ms in self.collected_ms.items()]
        return tuple((minutes, sum(1 for wait in waits if wait > minutes)) for minutes, _, _ in LATE)

    # --- morning ----------------------------------------------------------------------------------------

    def _morning(self) -> None:
        people, start = self.people, self.book.start_ms
        for gate in self.gate.world.rules.gates:
            self.at(start + 430 * MINUTE_MS, partial(people.begin_watch, gate))
        for pupil in self._pupils():
            if pupil.number not in self.absent:
                late_ms = self.book.pupils[pupil.number].late_after_ms
                minutes = self.chance.uniform(2, 25)
                self.at(late_ms - minutes * MINUTE_MS, partial(people.arrive, pupil))
        for class_id in self.directory.classes:
            self.at(start + 520 * MINUTE_MS, partial(people.call_class, class_id, self.absent))
        for gate in self.gate.world.rules.gates:
            self.at(start + 900 * MINUTE_MS, partial(people.change_watch, gate))

    # --- after lessons ----------------------------------------------------------------------------------

    def _afternoon(self) -> None:
        people = self.people
        wanderer = next(p.number for p in self.stayers if len(self.book.pupils[p.number].sessions) == 2)
        for key, times in self.book.session_times.items():
            if times.slot or self.directory.sessions[key].kind == "extended_care":
                self.at(times.start_ms + 3 * MINUTE_MS, partial(people.open_session, key, {wanderer}))
            if times.slot:
                self.at(times.end_ms + MINUTE_MS, partial(people.leave_for_gates, key))
                self.at(times.end_ms + 5 * MINUTE_MS, partial(people.count_at_gates, key))
        first = self.book.pupils[wanderer].sessions[0]
        self.at(first.start_ms + 9 * MINUTE_MS, partial(people.found, wanderer, first.session))

    # --- going home -------------------------------------------------------------------------------------

    def _going_home(self) -> None:
        fetched = [p for p in self.stayers if not self._alone(p) and self.book.pupils[p.number].extended_care is None]
        late = self._late(fetched)
        for pupil in self._pupils():
            if pupil.number in self.absent:
                continue
            windows = self.book.pupils[pupil.number]
            if windows.extended_care is not None:
                self._fetch(pupil, windows.extended_care.end_ms - self.chance.uniform(5, 40) * MINUTE_MS)
            elif self._alone(pupil):
                opens = windows.release_opens_ms + self.chance.uniform(6, 14) * MINUTE_MS
                self.at(opens, partial(self.people.leave_alone, pupil))
            else:
                due = windows.release_due_ms
                wait = late.get(pupil.number)
                self._fetch(pupil, due + wait * MINUTE_MS if wait else due - self.chance.uniform(0.5, 8) * MINUTE_MS)
                for minutes in range(1, int(wait or 0), 2):
                    self.at(due + minutes * MINUTE_MS, partial(self.people.stand_by, pupil))

    def _late(self, fetched: Sequence[Pupil]) -> dict[int, float]:
        """Child -> minutes after T0 at which somebody comes. Their window is their last session's: nobody leaves early."""
        days = self.book.pupils
        usual = [p for p in fetched if days[p.number].release_opens_ms == days[p.number].sessions[-1].end_ms]
        drawn, late = iter(self.chance.sample(usual, sum(n for _, _, n in LATE))), dict[int, float]()
        for after, before, how_many in LATE:
            for _ in range(how_many):
                late[next(drawn).number] = self.chance.uniform(after + 1, before - 1)
        return late

    def _alone(self, pupil: Pupil) -> bool:
        return pupil.leaves_alone and not self.gate.world.low_grade(pupil)

    def _fetch(self, pupil: Pupil, at_ms: float) -> None:
        def come() -> None:
            self.people.collect(pupil)
            if self.book.pupils[pupil.number].extended_care is None:
                self.collected_ms[pupil.number] = self.gate.clock.now_ms()

        self.at(at_ms, come)
