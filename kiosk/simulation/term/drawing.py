"""What one child does on one day of a played term, drawn from the seed before the day begins. Pure: nothing is pressed here."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from kiosk.core.people import Directory, Pupil
from kiosk.core.timetable import DayBook, PupilDay, SessionTime

MINUTE_MS = 60_000
SICK, PERSONAL, UNEXPLAINED = 0.010, 0.005, 0.003  # not at school at all; shares of all children
LATE, EARLY = 0.012, 0.010  # in the morning
SKIPS, FETCHED_AT_NOON, LEAVES_EARLY = 0.006, 0.006, 0.008  # of those who stay
LATE_FOR_SESSION, MOVED, WANDERS, WRONG_ROOM = 0.012, 0.004, 0.001, 0.01  # of each session that a child takes part in
GUEST = 0.05  # of those who are in nothing and may go home alone
COLLECTED_LATE = ((0.001, 61, 75), (0.008, 31, 59), (0.04, 11, 29))  # share of collections, minutes after T0
AWAY = frozenset({"leave_sick", "leave_personal", "absent_unexplained"})


@dataclass(slots=True, kw_only=True)
class Child:
    """absent: why the child is not at school. slip: leaves with a leave slip at `slip_ms`. marks: what the roll of each
    session says first; `states`: how the session ends for the child."""

    pupil: Pupil
    windows: PupilDay
    absent: str = ""
    arrives_ms: int = 0
    late: bool = False
    slip: str = ""
    slip_ms: int = 0
    marks: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    guest_of: str = ""
    wrong_room: bool = False
    leaves_ms: int = 0
    alone: bool = False
    late_ms: int = 0  # minutes after T0 at which somebody comes at last, in ms

    @property
    def care(self) -> SessionTime | None:
        """Extended care, where a session of today is that."""
        care = self.windows.extended_care
        return care if care is not None and care.session else None

    @property
    def sessions(self) -> tuple[SessionTime, ...]:
        return (*self.windows.sessions, self.care) if self.care is not None else self.windows.sessions


class Drawn:
    """All children of a day. The same seed, day and people give the same day."""

    def __init__(self, directory: Directory, book: DayBook, seed: str, low_grades: int) -> None:
        self._directory, self._book, self._low = directory, book, low_grades
        self.chance = random.Random(f"{seed}:{book.iso}")
        pupils = sorted(directory.pupils.values(), key=lambda p: p.number)
        self.children = {p.number: self._child(p, book.pupils[p.number]) for p in pupils if self._comes(p)}

    def _comes(self, pupil: Pupil) -> bool:
        """On a teaching day everybody ought to; on another one who has a session."""
        windows = self._book.pupils[pupil.number]
        return windows.teaching or bool(windows.sessions)

    def _child(self, pupil: Pupil, windows: PupilDay) -> Child:
        child, draw = Child(pupil=pupil, windows=windows), self.chance.random()
        child.alone = pupil.leaves_alone and pupil.grade > self._low
        if draw < SICK + PERSONAL + UNEXPLAINED:
            child.absent = "leave_sick" if draw < SICK else "leave_personal" if draw < SICK + PERSONAL else "absent_unexplained"
            child.marks = {s.session: child.absent for s in child.sessions}
            child.states = dict(child.marks)
            return child
        self._arrival(child)
        if child.sessions:
            self._in_sessions(child)
        elif windows.service and child.alone and self._book.session_times and self.chance.random() < GUEST:
            slot_one = sorted(k for k, t in self._book.session_times.items() if t.slot == 1)
            child.guest_of = self.chance.choice(slot_one) if slot_one else ""
        if not child.slip_ms:
            self._going_home(child)
        return child

    def _arrival(self, child: Child) -> None:
        windows, draw = child.windows, self.chance.random()
        if not windows.teaching:
            child.arrives_ms = windows.sessions[0].start_ms - self.chance.randint(5, 18) * MINUTE_MS
        elif draw < LATE:
            child.late, child.arrives_ms = True, windows.late_after_ms + self.chance.randint(1, 5) * MINUTE_MS
        elif draw < LATE + EARLY:
            child.arrives_ms = windows.arrive_opens_ms - self.chance.randint(2, 15) * MINUTE_MS
        else:
            child.arrives_ms = windows.late_after_ms - self.chance.randint(2, 20) * MINUTE_MS

    def _in_sessions(self, child: Child) -> None:
        windows, draw, chance = child.windows, self.chance.random(), self.chance
        child.marks = {s.session: "late" if chance.random() < LATE_FOR_SESSION else "present" for s in child.sessions}
        child.states = dict(child.marks)
        child.wrong_room = chance.random() < WRONG_ROOM
        if not windows.teaching:
            return
        if draw < SKIPS + FETCHED_AT_NOON:
            noon = draw < FETCHED_AT_NOON
            child.slip = "leave_sick" if noon else "leave_personal"
            at_ms = self._book.start_ms + 660 * MINUTE_MS if noon else windows.dismissal_ms + 2 * MINUTE_MS
            child.slip_ms = at_ms + chance.randint(1, 6) * MINUTE_MS
            child.marks = dict.fromkeys(child.marks, child.slip)
            child.states = dict(child.marks)
        elif draw < SKIPS + FETCHED_AT_NOON + LEAVES_EARLY and child.care is None:
            last = windows.sessions[-1]
            child.slip, child.slip_ms = "leave_personal", last.start_ms + chance.randint(10, 20) * MINUTE_MS
            child.states[last.session] = "left_early"
        else:
            self._out_of_the_ordinary(child)

    def _out_of_the_ordinary(self, child: Child) -> None:
        """In another session than the child's own, or for some minutes nowhere."""
        for time in child.windows.sessions:
            draw = self.chance.random()
            if not time.slot or draw >= MOVED + WANDERS:
                continue
            moved = draw < MOVED
            child.marks[time.session] = "moved" if moved else "absent_unexplained"
            child.states[time.session] = "moved" if moved else "late"
            return

    def _going_home(self, child: Child) -> None:
        windows, chance = child.windows, self.chance
        opens_ms, due_ms = windows.release_opens_ms, windows.release_due_ms
        if not windows.teaching:
            opens_ms, due_ms = windows.sessions[-1].end_ms, windows.sessions[-1].end_ms + 15 * MINUTE_MS
        if child.guest_of:
            child.leaves_ms = self._book.session_times[child.guest_of].end_ms + chance.randint(8, 14) * MINUTE_MS
        elif child.care is not None:
            child.leaves_ms = child.care.end_ms - chance.randint(1, 4) * MINUTE_MS
        elif child.alone:
            child.leaves_ms = opens_ms + chance.randint(8, 14) * MINUTE_MS
        else:
            child.leaves_ms = due_ms - chance.randint(1, 6) * MINUTE_MS
            draw = chance.random()
            late = next(((low, high) for share, low, high in COLLECTED_LATE if draw < share), None)
            if late is not None and windows.teaching:
                child.late_ms = chance.randint(*late) * MINUTE_MS
                child.leaves_ms = due_ms + child.late_ms

    def comes_by_mistake(self) -> None:
        """On a day without school one child stands at the gate in the morning and is fetched again."""
        pupil = next(p for n, p in sorted(self._directory.pupils.items()) if n not in self.children)
        child = Child(pupil=pupil, windows=self._book.pupils[pupil.number])
        child.arrives_ms = self._book.start_ms + 480 * MINUTE_MS
        child.leaves_ms = child.arrives_ms + 20 * MINUTE_MS
        self.children[pupil.number] = child
