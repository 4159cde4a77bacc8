"""Who does what when: the events of one school day, drawn from a seed. Pure: nothing is tapped or pressed here.

Times are minutes since local midnight. The day has what a real one has: an arrival rush in three waves, roll calls,
sessions in other rooms, pickups by right and wrong adults, forgotten and lost cards, children whom nobody collects, a
network cut and a reader that is pulled out.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.core.people import CardState, Directory, Pupil, Stage
from kiosk.core.timetable import DayBook, PupilDay, SessionTime

MINUTE_MS = 60_000
ABSENT_SHARE, REPEAT_SHARE, NO_CARD_SHARE, WRONG_ROOM_SHARE = 0.02, 0.02, 0.004, 0.01
PATROLLED_SHARE = 0.4  # of the sessions: a duty leader looks in
LATE_COLLECTIONS = ((0.96, 12), (0.992, 28), (0.999, 55), (1.0, 80))  # share of collections done after so many minutes


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """`what` names a method of `Player`; `details` are its arguments."""

    minute: float
    what: str
    details: tuple[Any, ...] = ()


class Script:
    def __init__(self, directory: Directory, book: DayBook, arrivals: Path, seed: int) -> None:
        self.directory, self.book = directory, book
        self.chance = random.Random(seed)
        pupils = sorted(directory.pupils.values(), key=lambda p: p.number)
        self.absent = {p.number for p in pupils if self.chance.random() < ABSENT_SHARE}
        self.present = [p for p in pupils if p.number not in self.absent]
        self._arrivals = arrivals

    def events(self) -> list[Event]:
        found = [*self._arriving(), *self._roll_calls(), *self._sessions(), *self._going_home(), *self._incidents()]
        return sorted(found, key=lambda event: event.minute)

    def minute(self, at_ms: int) -> float:
        return (at_ms - self.book.start_ms) / MINUTE_MS

    def windows(self, pupil: Pupil) -> PupilDay:
        return self.book.pupils[pupil.number]

    # --- morning ---------------------------------------------------------------------------------------

    def _arriving(self) -> Iterator[Event]:
        """The arrival profile gives the minutes; older grades come in the earlier waves."""
        with self._arrivals.open(encoding="utf-8", newline="") as rows:
            curve = [(row["minute"], int(row["staggered"])) for row in csv.DictReader(rows)]
        minutes = [int(at[:2]) * 60 + int(at[3:]) for at, count in curve for _ in range(count)]
        waves = sorted(self.present, key=lambda p: (-((p.grade + 1) // 2), self.chance.random()))
        for position, pupil in enumerate(waves):
            minute = minutes[min(position * len(minutes) // len(waves), len(minutes) - 1)] + self.chance.random()
            if self.chance.random() < NO_CARD_SHARE:
                yield Event(minute, "arrive_without_card", (pupil.number,))
                continue
            yield Event(minute, "tap_in", (pupil.number,))
            if self.chance.random() < REPEAT_SHARE:
                yield Event(minute + 0.03, "tap_in", (pupil.number,))

    def _roll_calls(self) -> Iterator[Event]:
        for school_class in self.directory.classes.values():
            yield Event(515 + self.chance.random() * 8, "call_class_roll", (school_class.id,))

    # --- afternoon -------------------------------------------------------------------------------------

    def _sessions(self) -> Iterator[Event]:
        for time in self.book.session_times.values():
            start = self.minute(time.start_ms)
            yield Event(start + 1.5 + self.chance.random() * 2, "open_session", (time.session,))
            if self.chance.random() < PATROLLED_SHARE:
                yield Event(start + 12 + self.chance.random() * 20, "patrol", (time.session,))
            yield Event(self.minute(time.end_ms) + 0.5 + self.chance.random() * 3, "close_session", (time.session,))
        for pupil in self.present:
            windows = self.windows(pupil)
            mine = (*windows.sessions, *((windows.extended_care,) if windows.extended_care else ()))
            for time in mine:
                yield from self._entering(pupil, time)

    def _entering(self, pupil: Pupil, time: SessionTime) -> Iterator[Event]:
        """A minute or two before; some look for the wrong room first."""
        minute = self.minute(time.start_ms) - self.chance.random() * 4
        others = [t.room for t in self.book.session_times.values() if t.slot == time.slot and t.room != time.room]
        if others and self.chance.random() < WRONG_ROOM_SHARE:
            yield Event(minute - 0.5, "tap_room", (pupil.number, self.chance.choice(others)))
        yield Event(minute, "tap_room", (pupil.number, time.room))

    def _going_home(self) -> Iterator[Event]:
        for pupil in self.present:
            windows = self.windows(pupil)
            if windows.extended_care is not None:
                yield from self.collected(pupil, self.minute(windows.extended_care.end_ms) - self.chance.random() * 40)
                continue
            opens = self.minute(windows.release_opens_ms)
            if self.alone(pupil):
                yield Event(opens + 0.5 + self.chance.random() * 9, "tap_out", (pupil.number,))
            else:
                minute = opens + 1 + self._how_late()
                yield from self.collected(pupil, minute)
                yield from self._waited_for(pupil, minute)

    def alone(self, pupil: Pupil) -> bool:
        """Goes home alone: with consent, and not of the lowest grades."""
        return pupil.leaves_alone and not (pupil.stage is Stage.PRIMARY and pupil.grade <= 2)

    def _waited_for(self, pupil: Pupil, minute: float) -> Iterator[Event]:
        """While nobody comes: the case is taken up after each rung, and the guardians are called one by one."""
        t0 = self.minute(self.windows(pupil).release_due_ms)
        case = f"uncollected:{pupil.number}:{self.book.day.date.isoformat()}"
        for rung in (0, 10, 15, 30, 60):
            if t0 + rung + 2 < minute:
                yield Event(t0 + rung + 2, "acknowledge", (case, pupil.number))
        if t0 + 18 < minute:
            yield Event(t0 + 17, "call_guardian", (case, pupil.number, "no_answer", None))
        if minute - 12 > t0 + 18:
            yield Event(minute - 12, "call_guardian", (case, pupil.number, "on_the_way", 12))

    def _how_late(self) -> float:
        draw = self.chance.random()
        limit = next(minutes for share, minutes in LATE_COLLECTIONS if draw <= share)
        return self.chance.random() * 9 if limit == 12 else limit - self.chance.random() * 8

    def collected(self, pupil: Pupil, minute: float) -> Iterator[Event]:
        today = self.book.day.date
        barred = {r.collector for r in self.directory.restrictions_of.get(pupil.number, ())}
        may = [
            a
            for a in self.directory.collectors_of.get(pupil.number, ())
            if a.collector not in barred
            and not self.directory.collectors[a.collector].minor
            and (a.valid_from is None or a.valid_from <= today)
            and (a.valid_to is None or today <= a.valid_to)
        ]
        if may:
            chosen = self.chance.choice(may[:3])
            yield Event(minute, "collect", (pupil.number, chosen.collector))

    # --- what goes wrong ---------------------------------------------------------------------------------

    def _incidents(self) -> Iterator[Event]:
        yield Event(455, "unplug", ("east-nfc-1",))
        yield Event(459, "replug", ("east-nfc-1",))
        yield Event(470, "cut_link")
        yield Event(500, "mend_link")
        lost = next((c for cards in self.directory.cards.values() for c in cards if c.state is CardState.LOST), None)
        if lost is not None:
            yield Event(478, "tap_lost_card", (lost.uid,))
        yield Event(485, "tap_unknown_card", ("east-line-4",))
        for child, restrictions in list(self.directory.restrictions_of.items())[:2]:
            if child not in self.absent:
                opens = self.minute(self.book.pupils[child].release_opens_ms)
                yield Event(opens + 0.2, "wrong_adult", (child, restrictions[0].collector))
        for gate in dict.fromkeys(c.release_gate for c in self.directory.classes.values()):
            yield Event(426, "begin_watch", (gate,))
            yield Event(15 * 60, "change_watch", (gate,))
        for minute in range(8 * 60 + 50, 20 * 60, 4):
            yield Event(minute + 0.5, "duty_round")
        for minute in (1182, 1206):  # who is still here an hour after everybody should have gone
            yield Event(minute, "last_round")
        yield Event(20 * 60 + 20, "clear_campus")
