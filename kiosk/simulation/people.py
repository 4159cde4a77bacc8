"""What the people of a simulated day do, each as one or two presses: teachers, guards, the duty leader, families."""

from __future__ import annotations

from kiosk.core import commands as c
from kiosk.core.handover import expected, takeable
from kiosk.core.people import CardState, Directory, Pupil, Role, within
from kiosk.core.rules import AccessKind
from kiosk.core.timetable import DayBook
from kiosk.simulation.hand_gate import HandGate

CHECKS = ("photo", "child_recognises", "call_back", "id_seen")


class People:
    def __init__(self, gate: HandGate, directory: Directory, book: DayBook) -> None:
        self.gate, self.directory, self.book = gate, directory, book
        cards = sorted(((uid, card) for uid, found in directory.cards.items() for card in found), key=lambda row: row[0])
        own = ((uid, card) for uid, card in cards if card.state is CardState.ACTIVE and len(directory.cards[uid]) == 1)
        self._card = {card.holder: uid for uid, card in own}
        staff = sorted(directory.staff.values(), key=lambda s: s.number)
        self._guards = [s.number for s in staff if Role.GUARD in s.roles]
        self._leader = next(s.number for s in staff if Role.DUTY_LEADER in s.roles)

    def _home(self, pupil: Pupil) -> str:
        """The gate of a child's class, where the child comes in and is released."""
        return self.directory.classes[pupil.class_id].release_gate

    def _point(self, gate: str, *kinds: AccessKind) -> str:
        points = self.gate.world.rules.access_points.values()
        return next(p.id for kind in kinds for p in points if p.gate == gate and p.kind is kind)

    # --- the watch --------------------------------------------------------------------------------------

    def begin_watch(self, gate: str) -> None:
        guard = self._guards[list(self.gate.world.rules.gates).index(gate)]
        self.gate.must(c.OfferShift(gate=gate, taker=guard, by=guard))

    def change_watch(self, gate: str) -> None:
        """The afternoon's guard takes over: the list on campus, the open cases, whoever is held at the gatehouse."""
        gates = list(self.gate.world.rules.gates)
        now, taker = self._guard(gate), self._guards[len(gates) + gates.index(gate)]
        offered = self.gate.must(c.OfferShift(gate=gate, taker=taker, by=now))
        found = next(s for s in self.gate.world.campus.open_shifts() if s.gate == gate)
        offer = self.gate.world.campus.offers.get(found.handover)
        held = self.gate.world.campus.open_children(offer) if offer else ()
        assert offered.entry is not None
        self.gate.must(c.AcceptShift(shift=found.id, counted=len(held), by=taker))

    def _guard(self, gate: str) -> int:
        shift = self.gate.world.campus.shift(gate)
        assert shift is not None, f"nobody has the watch at {gate}"
        return shift.guard

    # --- morning ----------------------------------------------------------------------------------------

    def arrive(self, pupil: Pupil) -> None:
        self._pass(pupil, AccessKind.ENTRANCE)

    def _pass(self, pupil: Pupil, kind: AccessKind) -> None:
        """By card, or by class and seat with the guard's look where the card is lost or shared."""
        point = self._point(self._home(pupil), kind)
        if pupil.number in self._card:
            self._tap(pupil.number, point)
            return
        claim = self.gate.must(c.ClaimSeat(access_point=point, class_id=pupil.class_id, seat=pupil.seat))
        self.gate.must(c.ConfirmIdentity(claim=str(claim.entry), by=self._guard(self._home(pupil))))

    def _tap(self, person: int, point: str) -> None:
        self.gate.must(c.Read(access_point=point, scheme="uid", value=self._card[person]))

    def call_class(self, class_id: str, absent: set[int]) -> None:
        teacher = self.directory.classes[class_id].teacher
        assert teacher is not None
        for child in sorted(absent & set(self.directory.pupils_of_class[class_id])):
            self.gate.must(c.ExcuseAbsence(child=child, kind="leave_sick", by=teacher))
        marks = {n: "leave_sick" if n in absent else "present" for n in self.directory.pupils_of_class[class_id]}
        self.gate.must(c.CallRoll(roster=f"class:{class_id}", marks=marks, by=teacher))

    # --- sessions ---------------------------------------------------------------------------------------

    def open_session(self, session: str, wanderers: set[int]) -> None:
        """Roll call, then the teacher takes everybody over who is there. A wanderer is marked absent: a search begins."""
        roster, teacher = f"session:{session}", self.book.session_times[session].teacher
        here = [n for n in expected(self.gate.world, roster) if self.gate.world.campus.child(n).hold.live]
        if not here:
            return
        first = self.directory.sessions[session].slot == 1
        marks = {n: "absent_unexplained" if first and n in wanderers else "present" for n in sorted(here)}
        self.gate.must(c.CallRoll(roster=roster, marks=marks, by=teacher))
        ready = takeable(self.gate.world, roster, teacher)
        if ready:
            self.gate.must(c.TakeGroup(roster=roster, counted=len(ready), by=teacher))

    def found(self, child: int, session: str) -> None:
        """The duty leader finds the child and brings it to the room; the teacher takes it over."""
        self.gate.must(c.Located(child=child, place="操场", by=self._leader))
        roster, teacher = f"session:{session}", self.book.session_times[session].teacher
        self.gate.must(c.CallRoll(roster=roster, marks={child: "late"}, by=teacher))
        ready = takeable(self.gate.world, roster, teacher)
        if ready:  # nobody to take over from where the class teacher runs the session
            self.gate.must(c.TakeGroup(roster=roster, counted=len(ready), by=teacher))

    def leave_for_gates(self, session: str) -> None:
        """Whoever is done today is led to the gate, a group for each gate, counted at the door."""
        teacher, end_ms = self.book.session_times[session].teacher, self.book.session_times[session].end_ms
        for gate in self.gate.world.rules.gates:
            going = []
            for child, state in self.gate.world.campus.on_campus():
                windows, pupil = self.book.pupils[child], self.directory.pupils[child]
                done = bool(windows.sessions) and windows.sessions[-1].session == session and windows.release_opens_ms <= end_ms
                free = state.hold.custodian == teacher and not state.hold.handover
                if done and free and self._home(pupil) == gate and windows.extended_care is None:
                    going.append(child)
            if going:
                self.gate.must(c.StartEscort(children=tuple(going), gate=gate, counted=len(going), by=teacher))

    def count_at_gates(self, session: str) -> None:
        teacher, campus = self.book.session_times[session].teacher, self.gate.world.campus
        for escort in campus.escorts():
            if escort.teacher == teacher:
                there = [n for n in escort.children if campus.child(n).escort == escort.id]
                self.gate.must(c.EndEscort(escort=escort.id, counted=len(there), by=teacher))

    # --- going home -------------------------------------------------------------------------------------

    def leave_alone(self, pupil: Pupil) -> None:
        self._pass(pupil, AccessKind.EXIT)

    def collect(self, pupil: Pupil) -> None:
        """A listed adult taps where there is a card, and the guard of the child's gate releases."""
        gate, today = self._home(pupil), self.book.day.date
        barred = {r.collector for r in self.directory.restrictions_of.get(pupil.number, ())}
        adult = next(
            a.collector
            for a in sorted(self.directory.collectors_of[pupil.number], key=lambda a: (not a.guardian, a.order))
            if a.collector not in barred
            and within(a.valid_from, a.valid_to, today)
            and not self.directory.collectors[a.collector].minor
        )
        if adult in self._card:
            self._tap(adult, self._point(gate, AccessKind.DESK, AccessKind.EXIT))
        self.gate.must(
            c.Release(
                children=(pupil.number,), collector=adult, access_point=self._point(gate, AccessKind.DESK, AccessKind.EXIT),
                by=self._guard(gate), verified=CHECKS, second=self._leader,
            )
        )  # fmt: skip

    def stand_by(self, pupil: Pupil) -> None:
        """Nobody has come yet: the rung is acknowledged, guardians are called in order, the gatehouse takes the child over."""
        child, state = pupil.number, self.gate.world.campus.child(pupil.number)
        case = state.case
        if case is None:
            return
        rung = self.gate.world.rules.ladder[case.rung]
        if not case.acknowledged_by:
            second = self._guard(self._home(pupil)) if rung.adults > 1 else None
            self.gate.must(c.Acknowledge(case=case.case, by=self._leader, second=second))
        if rung.state == "calling" and not case.calls:
            for listed in sorted(self.directory.collectors_of[child], key=lambda a: a.order):
                if listed.guardian:
                    call = c.LogCall(case=case.case, guardian=listed.collector, result="no_answer", by=self._leader)
                    self.gate.must(call)
        if rung.state == "gatehouse":
            self._to_gatehouse(pupil)

    def _to_gatehouse(self, pupil: Pupil) -> None:
        hold, guard = self.gate.world.campus.child(pupil.number).hold, self._guard(self._home(pupil))
        if hold.custodian == guard or hold.handover:
            return
        offered = self.gate.must(
            c.Offer(
                kind="to_gatehouse", children=(pupil.number,), taker=guard, place="门卫室", by=hold.custodian, counted=1
            )
        )
        self.gate.must(c.Accept(handover=str(offered.entry), counted=1, by=guard))

    def close_the_day(self) -> None:
        """Alarms and conflicts have been looked at; then 静校, which is refused while one child is left."""
        campus = self.gate.world.campus
        for case in [a.case for a in campus.open_alarms()] + [x.case for x in campus.conflicts()]:
            self.gate.must(c.CloseCase(case=case, by=self._leader, note="已核实"))
        self.gate.must(c.ClearCampus(by=self._leader))
