"""The after-school sessions of a played day: who checks in, who is called, taken over, found, patrolled, led to the gate; and
what the ledger expects of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kiosk.core import commands as c
from kiosk.core.handover import takeable
from kiosk.core.people import Directory
from kiosk.core.service_records import THERE
from kiosk.core.timetable import DayBook, SessionTime
from kiosk.simulation.term.drawing import AWAY, MINUTE_MS, Child, Drawn
from kiosk.simulation.term.gate import TermGate
from kiosk.simulation.term.hands import Hands
from kiosk.simulation.term.ledger import Ledger, Sitting
from kiosk.simulation.term.records import Records

SUBSTITUTED, TWO_TEACHERS, COMES_LATE = 0.03, 0.01, 0.03  # shares of sessions
UNHELD = frozenset({"early_care"})  # a duty of the morning, not a session with a roll
WAITING_PLACE = "图书馆"


class Rooms:
    def __init__(
        self, gate: TermGate, hands: Hands, directory: Directory, book: DayBook, ledger: Ledger, drawn: Drawn,
        at: Callable[..., None],
    ) -> None:  # fmt: skip
        self._gate, self._hands, self._directory, self._book, self._at = gate, hands, directory, book, at
        self._children, self._chance = drawn.children, drawn.chance
        self._ledger = ledger
        times = book.session_times.items()
        self.times = {key: t for key, t in sorted(times) if directory.sessions[key].kind not in UNHELD}
        self._enrolled: dict[str, list[Child]] = {key: [] for key in self.times}
        for child in self._children.values():
            for time in child.sessions:
                self._enrolled[time.session].append(child)
        self._teachers = self._who_teaches()
        self._guests: dict[str, list[Child]] = {key: [] for key in self.times}
        self._records = Records(hands, book, self._teachers, drawn.chance)

    def _who_teaches(self) -> dict[str, list[int]]:
        """The planned teacher, somebody in their place, or two."""
        chance, found = self._chance, dict[str, list[int]]()
        busy = {t.teacher for t in self.times.values()} | {c.teacher for c in self._directory.classes.values()}
        free = [t for t in self._hands.teachers if t not in busy]
        chance.shuffle(free)
        for key, time in self.times.items():
            draw = chance.random()
            if free and draw < SUBSTITUTED:
                found[key] = [free.pop()]
            elif free and draw < SUBSTITUTED + TWO_TEACHERS:
                found[key] = [time.teacher, free.pop()]
            else:
                found[key] = [time.teacher]
        return found

    # --- the plan of the afternoon ------------------------------------------------------------------------

    def plan(self) -> None:
        self._settle_guests()
        self._write_down()
        for start_ms, keys in self._by(lambda t: t.start_ms):
            late = [key for key in keys if self._chance.random() < COMES_LATE]
            in_time = [key for key in keys if key not in late]
            self._at(start_ms - 4 * MINUTE_MS, lambda in_time=in_time: self._records.check_in(in_time))
            self._at(start_ms + MINUTE_MS, lambda late=late: self._records.check_in(late))
            for key in keys:
                if self.times[key].slot == 2:
                    self._tap_in(key)
            self._at(start_ms + MINUTE_MS, lambda keys=keys: self._guests_tap(keys))
            self._at(start_ms + 3 * MINUTE_MS, lambda keys=keys: self._call(keys))
            self._at(start_ms + 4 * MINUTE_MS, lambda keys=keys: self._take(keys))
            self._at(start_ms + 5 * MINUTE_MS, lambda keys=keys: self._bring_guests(keys))
            self._at(start_ms + 8 * MINUTE_MS, lambda keys=keys: self._find(keys))
            self._at(start_ms + 9 * MINUTE_MS, lambda keys=keys: self._take(self._with_wanderers(keys)))
            self._at(start_ms + 21 * MINUTE_MS, lambda keys=keys: self._patrol(keys))
        for end_ms, keys in self._by(lambda t: t.end_ms):
            if "escort" in self._hands.practices:
                self._at(end_ms + MINUTE_MS, lambda keys=keys: self._lead_out(keys))
                self._at(end_ms + 5 * MINUTE_MS, self._arrive_at_gates)
            self._at(end_ms + 2 * MINUTE_MS, lambda keys=keys: self._records.check_out(keys))
            self._at(end_ms + 6 * MINUTE_MS, lambda keys=keys: self._records.close(keys, self._open_rows))
        self._between_slots()

    def _by(self, when: Callable[[SessionTime], int]) -> list[tuple[int, list[str]]]:
        found: dict[int, list[str]] = {}
        for key, time in self.times.items():
            found.setdefault(when(time), []).append(key)
        return sorted(found.items())

    def _settle_guests(self) -> None:
        """Where whoever moved goes instead; a school with one session at that time has nowhere to move to."""
        for child in self._children.values():
            for time in child.windows.sessions:
                if child.marks.get(time.session) == "moved":
                    self._move(child, time)
            if child.guest_of:
                self._guests[child.guest_of].append(child)

    def _move(self, child: Child, time: SessionTime) -> None:
        others = [
            k for k, t in self.times.items()
            if t.start_ms == time.start_ms and k != time.session and t.slot == time.slot and self._enrolled[k]
        ]  # fmt: skip
        if others:
            self._guests[self._chance.choice(others)].append(child)
        else:
            child.marks[time.session] = child.states[time.session] = "present"

    def _write_down(self) -> None:
        for key in self.times:
            self._ledger.sittings[self._book.iso, key] = Sitting(
                day=self._book.iso, session=key, teachers=list(self._teachers[key]),
                states={child.pupil.number: child.states[key] for child in self._enrolled[key]},
                guests={child.pupil.number for child in self._guests[key]},
                class_hours=1.0 if self._anybody(key) else 0.0,
            )  # fmt: skip

    def _anybody(self, key: str) -> bool:
        """A group to which nobody comes is no class-hour."""
        return bool(self._guests[key]) or any(child.states[key] in THERE for child in self._enrolled[key])

    # --- into the room ------------------------------------------------------------------------------------

    def _tap_in(self, key: str) -> None:
        """At the start, at the reader of the room; some look for the wrong room first."""
        time, hands = self.times[key], self._hands
        here = [child for child in self._enrolled[key] if child.marks[key] == "present"]
        rooms = sorted({t.room for t in self.times.values() if t.slot == time.slot and t.room != time.room})
        if rooms:
            wrong = self._chance.choice(rooms)
            lost = [one.pupil.number for one in here if one.wrong_room and all(s.room != wrong for s in one.sessions)]
            self._at(time.start_ms, lambda: self._try(lost, wrong))
        numbers = [child.pupil.number for child in here]
        self._at(time.start_ms, lambda: [tap for child in numbers for tap in hands.enter(child, time.room)])

    def _try(self, lost: list[int], wrong: str) -> Iterable[Any]:
        """A tap at the wrong room is refused and says which room is right: no press against the script."""
        for child in lost:
            for tap in self._hands.enter(child, wrong):
                self._gate.press(tap)
        return ()

    def _guests_tap(self, keys: list[str]) -> Iterable[Any]:
        for key in keys:
            for child in self._guests[key]:
                if child.guest_of:
                    yield from self._hands.enter(child.pupil.number, self.times[key].room)

    def _call(self, keys: list[str]) -> Iterable[Any]:
        for key in keys:
            marks = {child.pupil.number: child.marks[key] for child in self._enrolled[key]}
            marks |= dict.fromkeys((child.pupil.number for child in self._guests[key]), "present")
            if marks:
                yield c.CallRoll(roster=f"session:{key}", marks=marks, by=self._teachers[key][0])

    def _take(self, keys: Iterable[str]) -> Iterable[Any]:
        for key in keys:
            yield from self.takes(f"session:{key}", self._teachers[key][0])

    def takes(self, roster: str, teacher: int) -> Iterable[Any]:
        world = self._gate.world
        ready = [n for n in takeable(world, roster, teacher) if not world.campus.child(n).hold.handover]
        if ready:
            yield c.TakeGroup(roster=roster, counted=len(ready), by=teacher)

    def _bring_guests(self, keys: list[str]) -> Iterable[Any]:
        """Whoever moved is handed over by name: no list implies it."""
        offers = []
        for key in keys:
            taker, room = self._teachers[key][0], self.times[key].room
            for child in self._guests[key]:
                hold = self._gate.world.campus.child(child.pupil.number).hold
                if hold.live and hold.custodian != taker and not hold.handover:
                    children = (child.pupil.number,)
                    offers.append(c.Offer(kind="to_session", children=children, taker=taker, place=room, by=hold.custodian))
        return self._hands.hand_over(offers)

    def _wanderers(self, key: str) -> list[Child]:
        return [one for one in self._enrolled[key] if one.marks[key] == "absent_unexplained" and not one.absent]

    def _with_wanderers(self, keys: list[str]) -> list[str]:
        return [key for key in keys if self._wanderers(key)]

    def _find(self, keys: list[str]) -> Iterable[Any]:
        for key in keys:
            for child in self._wanderers(key):
                number = child.pupil.number
                yield c.Located(child=number, place="操场", by=self._hands.leader)
                yield c.CallRoll(roster=f"session:{key}", marks={number: "late"}, by=self._teachers[key][0])

    def _between_slots(self) -> None:
        """Children of the second slot only wait for it with a named supervisor."""
        by_class: dict[tuple[int, str], list[int]] = {}
        for child in self._children.values():
            first = child.windows.sessions[:1]
            if first and first[0].slot == 2 and child.windows.teaching and child.marks[first[0].session] not in AWAY:
                by_class.setdefault((child.windows.dismissal_ms, child.pupil.class_id), []).append(child.pupil.number)
        for (dismissal_ms, _), children in sorted(by_class.items()):
            self._at(dismissal_ms + 2 * MINUTE_MS, lambda children=children: self._wait_together(children))

    def _wait_together(self, children: list[int]) -> Iterable[Any]:
        held: dict[int, list[int]] = {}
        for child in children:
            hold = self._gate.world.campus.child(child).hold
            if hold.live and not hold.handover and hold.custodian != self._hands.deputy:
                held.setdefault(hold.custodian, []).append(child)
        return self._hands.hand_over(
            c.Offer(kind="between_slots", children=tuple(group), taker=self._hands.deputy, place=WAITING_PLACE, by=giver)
            for giver, group in held.items()
        )

    def _patrol(self, keys: list[str]) -> Iterable[Any]:
        presses = self._records.patrol(keys, self._in_room)
        self._ledger.patrols += len(presses)
        return presses

    def _in_room(self, key: str) -> int:
        row = self._ledger.sittings[self._book.iso, key]
        return sum(1 for state in row.states.values() if state in THERE) + len(row.guests)

    def _open_rows(self, key: str) -> list[int]:
        """Children of whom nobody knows why they are not here: the teacher says what was done about it."""
        return [one.pupil.number for one in self._enrolled[key] if one.states[key] == "absent_unexplained"]

    # --- out of the room ----------------------------------------------------------------------------------

    def _lead_out(self, keys: list[str]) -> Iterable[Any]:
        """Whoever is done today is led to the gate, a group for each gate, counted at the door."""
        campus = self._gate.world.campus
        for key in keys:
            teacher = self._teachers[key][0]
            going: dict[str, list[int]] = {}
            for child in (*self._enrolled[key], *self._guests[key]):
                last = child.windows.sessions[-1:]
                done = child.guest_of == key or (bool(last) and last[0].end_ms <= self.times[key].end_ms)
                state = campus.child(child.pupil.number)
                free = state.hold.live and state.hold.custodian == teacher and not (state.hold.handover or state.escort)
                if done and free and child.care is None:
                    going.setdefault(self._hands.home(child.pupil), []).append(child.pupil.number)
            for gate, group in going.items():
                yield c.StartEscort(children=tuple(dict.fromkeys(group)), gate=gate, counted=len(set(group)), by=teacher)

    def _arrive_at_gates(self) -> Iterable[Any]:
        campus = self._gate.world.campus
        for escort in campus.escorts():
            there = [n for n in escort.children if campus.child(n).escort == escort.id]
            yield c.EndEscort(escort=escort.id, counted=len(there), by=escort.teacher)
