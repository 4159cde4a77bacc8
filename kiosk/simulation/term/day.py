"""One day of a played term, from the first watch to 静校: moments in order, all presses of one moment in one turn of the loop."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from typing import Any

from kiosk.core import commands as c
from kiosk.core.people import Directory
from kiosk.core.timetable import DayBook
from kiosk.simulation.term.drawing import MINUTE_MS, Child, Drawn
from kiosk.simulation.term.gate import TermGate
from kiosk.simulation.term.hands import Hands
from kiosk.simulation.term.ledger import Ledger
from kiosk.simulation.term.rooms import Rooms

Presses = Callable[[], Iterable[Any]]
EARLIEST_MIN = 7 * 60  # the first watch begins
CLOSES_AFTER_MIN = 60  # after the gate is closed


class TermDay:
    def __init__(self, gate: TermGate, hands: Hands, directory: Directory, book: DayBook, ledger: Ledger, drawn: Drawn) -> None:
        self.gate, self.hands, self.directory, self.book = gate, hands, directory, book
        self.children = drawn.children
        self._moments: list[tuple[int, int, bool, Presses]] = []
        self._order = count()
        self.rooms = Rooms(gate, hands, directory, book, ledger, drawn, self.at)

    def at(self, at_ms: int, what: Presses, *, tick: bool = False) -> None:
        """What is pressed at that moment is asked for then. tick: whatever is due has happened by then."""
        heapq.heappush(self._moments, (at_ms, next(self._order), tick, what))

    def play(self) -> None:
        hands, start_ms = self.hands, self.book.start_ms
        self.at(start_ms + EARLIEST_MIN * MINUTE_MS, hands.begin_watch)
        self._morning()
        self.rooms.plan()
        self._going_home()
        self.at(start_ms + 15 * 60 * MINUTE_MS, hands.change_watch)
        closes_ms = self.book.gate_closes_ms + CLOSES_AFTER_MIN * MINUTE_MS
        self.at(closes_ms, hands.close_the_day, tick=True)
        while self._moments:
            self._moment()

    def _moment(self) -> None:
        """Everything of the earliest moment; presses that need no answer share a turn."""
        at_ms, waiting = self._moments[0][0], list[Any]()
        due = list[Presses]()
        tick = False
        while self._moments and self._moments[0][0] == at_ms:
            _, _, ticks, what = heapq.heappop(self._moments)
            due.append(what)
            tick = tick or ticks
        self.gate.until(at_ms, tick=tick)
        for what in due:
            waiting += what()
        self.gate.all_of(waiting)

    # --- morning ----------------------------------------------------------------------------------------

    def _morning(self) -> None:
        if not any(child.windows.teaching for child in self.children.values()):
            self._arrivals(self.children.values())
            return
        roll_ms = max(child.windows.late_after_ms for child in self.children.values()) + 9 * MINUTE_MS
        self._arrivals(self.children.values())
        self.at(roll_ms, self._excuses)
        self.at(roll_ms, self._class_rolls)
        self.at(roll_ms + MINUTE_MS, self._class_takes)

    def _arrivals(self, children: Iterable[Child]) -> None:
        for child in children:
            if child.arrives_ms:
                self.at(child.arrives_ms, partial(self.hands.arrive, child.pupil))

    def _teacher(self, class_id: str) -> int:
        return self.directory.classes[class_id].teacher or self.hands.leader

    def _excuses(self) -> Iterable[Any]:
        for number, child in self.children.items():
            if child.absent in ("leave_sick", "leave_personal"):
                yield c.ExcuseAbsence(child=number, kind=child.absent, by=self._teacher(child.pupil.class_id))

    def _class_rolls(self) -> Iterable[Any]:
        for class_id, members in self.directory.pupils_of_class.items():
            marks = {n: self.children[n].absent or ("late" if self.children[n].late else "present") for n in members}
            yield c.CallRoll(roster=f"class:{class_id}", marks=marks, by=self._teacher(class_id))

    def _class_takes(self) -> Iterable[Any]:
        """Who came before the gate opened goes over from the early duty to the class."""
        for class_id in sorted({one.pupil.class_id for one in self.children.values() if self._early(one)}):
            yield from self.rooms.takes(f"class:{class_id}", self._teacher(class_id))

    @staticmethod
    def _early(child: Child) -> bool:
        return 0 < child.arrives_ms < child.windows.arrive_opens_ms

    # --- going home -------------------------------------------------------------------------------------

    def _going_home(self) -> None:
        for child in self.children.values():
            if child.slip_ms:
                self.at(child.slip_ms - 5 * MINUTE_MS, partial(self._slip, child))
                self.at(child.slip_ms, partial(self._goes, child))
            elif child.leaves_ms:
                self.at(child.leaves_ms, partial(self._goes, child))
                self._waited_for(child)

    def _slip(self, child: Child) -> Iterable[Any]:
        adult = None if child.alone else self.hands.adult_of(child.pupil.number)
        yield c.GrantLeaveSlip(
            child=child.pupil.number, from_ms=child.slip_ms - 5 * MINUTE_MS, to_ms=child.slip_ms + 30 * MINUTE_MS,
            by=self._teacher(child.pupil.class_id), with_collector=adult, alone=child.alone, kind=child.slip,
        )  # fmt: skip

    def _goes(self, child: Child) -> Iterable[Any]:
        return self.hands.leave_alone(child.pupil) if child.alone else self.hands.collect(child.pupil)

    def _waited_for(self, child: Child) -> None:
        """After each rung somebody takes the case up; after half an hour the gatehouse takes the child over."""
        due_ms = child.windows.release_due_ms
        for minutes in (1, 11, 16, 31, 61):
            if minutes * MINUTE_MS < child.late_ms:
                self.at(due_ms + minutes * MINUTE_MS, partial(self.hands.stand_by, child.pupil), tick=True)
        if child.late_ms > 32 * MINUTE_MS:
            self.at(due_ms + 32 * MINUTE_MS, partial(self._to_gatehouse, child))

    def _to_gatehouse(self, child: Child) -> Iterable[Any]:
        return self.hands.hand_over(self.hands.to_gatehouse(child.pupil))
