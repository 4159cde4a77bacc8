"""What hands do at a gate and in a room during a played term, as presses that are not given yet: a day puts them into order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiosk.core import commands as c
from kiosk.core.people import CardState, Directory, Pupil, Role
from kiosk.core.rules import AccessKind
from kiosk.simulation.term.gate import TermGate

CHECKS = ("photo", "child_recognises", "call_back", "id_seen")


class Hands:
    """Everybody's cards and places, looked up once a directory. What presses at once returns nothing to press."""

    def __init__(self, gate: TermGate, directory: Directory, practices: frozenset[str]) -> None:
        """practices: what the school says it does (school.toml), such as escorts."""
        self.gate, self.directory, self.practices = gate, directory, practices
        cards = sorted(((uid, card) for uid, found in directory.cards.items() for card in found), key=lambda row: row[0])
        own = ((uid, card) for uid, card in cards if card.state is CardState.ACTIVE and len(directory.cards[uid]) == 1)
        self._card = {card.holder: uid for uid, card in own}
        staff = sorted(directory.staff.values(), key=lambda s: s.staff_number)
        self._guards = [s.number for s in staff if Role.GUARD in s.roles]
        leaders = [s.number for s in staff if Role.DUTY_LEADER in s.roles]
        self.leader, self.deputy = leaders[0], leaders[-1]
        self.office = next(s.number for s in staff if Role.OFFICE in s.roles)
        self.teachers = [s.number for s in staff if s.roles == {Role.TEACHER} and s.staff_number.startswith("T")]
        rules = gate.world.rules
        self.gates = tuple(rules.gates)
        self._points: dict[tuple[str, AccessKind], str] = {}
        for point in rules.access_points.values():
            self._points.setdefault((point.gate, point.kind), point.id)
        self._rooms = {p.room: p.id for p in rules.access_points.values() if p.kind is AccessKind.ROOM}
        self._adult: dict[int, int] = {}

    def home(self, pupil: Pupil) -> str:
        """The gate of a child's class, where the child comes in and is released."""
        return self.directory.classes[pupil.class_id].release_gate

    def guard(self, gate: str) -> int:
        shift = self.gate.world.campus.shift(gate)
        return shift.guard if shift is not None else self._guards[0]

    # --- the watch --------------------------------------------------------------------------------------

    def begin_watch(self) -> Iterable[Any]:
        for place, gate in enumerate(self.gates):
            self.gate.must(c.OfferShift(gate=gate, taker=self._guards[place], by=self._guards[place]))
        return ()

    def change_watch(self) -> Iterable[Any]:
        for place, gate in enumerate(self.gates):
            taker = self._guards[len(self.gates) + place]
            self.gate.must(c.OfferShift(gate=gate, taker=taker, by=self.guard(gate)))
            found = next(s for s in self.gate.world.campus.open_shifts() if s.gate == gate)
            offer = self.gate.world.campus.offers.get(found.handover)
            held = self.gate.world.campus.open_children(offer) if offer else ()
            self.gate.must(c.AcceptShift(shift=found.id, counted=len(held), by=taker))
        return ()

    # --- taps -------------------------------------------------------------------------------------------

    def arrive(self, pupil: Pupil) -> list[Any]:
        return self._pass(pupil, AccessKind.ENTRANCE)

    def leave_alone(self, pupil: Pupil) -> list[Any]:
        return self._pass(pupil, AccessKind.EXIT)

    def _pass(self, pupil: Pupil, kind: AccessKind) -> list[Any]:
        """By card, or by class and seat with the guard's look where the card is lost or shared."""
        point = self._points[self.home(pupil), kind]
        if pupil.number in self._card:
            return [c.Read(access_point=point, scheme="uid", value=self._card[pupil.number])]
        claim = self.gate.must(c.ClaimSeat(access_point=point, class_id=pupil.class_id, seat=pupil.seat))
        return [c.ConfirmIdentity(claim=str(claim.entry), by=self.guard(self.home(pupil)))]

    def enter(self, child: int, room: str) -> list[Any]:
        """A tap at a room's reader, of a child who has a card."""
        known = child in self._card and room in self._rooms
        return [c.Read(access_point=self._rooms[room], scheme="uid", value=self._card[child])] if known else []

    def collect(self, pupil: Pupil) -> list[Any]:
        """A guardian taps where there is a card, and the guard of the child's gate releases."""
        gate, adult = self.home(pupil), self.adult_of(pupil.number)
        desk = self._points[gate, AccessKind.DESK]
        taps = [c.Read(access_point=desk, scheme="uid", value=self._card[adult])] if adult in self._card else []
        given = c.Release(
            children=(pupil.number,), collector=adult, access_point=desk, by=self.guard(gate), verified=CHECKS, second=self.leader
        )
        return [*taps, given]

    def adult_of(self, child: int) -> int:
        """The first guardian who may come, every day the same."""
        found = self._adult.get(child)
        if found is None:
            barred = {r.collector for r in self.directory.restrictions_of.get(child, ())}
            listed = sorted(self.directory.collectors_of[child], key=lambda a: (not a.guardian, a.order))
            may = (a.collector for a in listed if a.collector not in barred and not self.directory.collectors[a.collector].minor)
            found = self._adult[child] = next(may)
        return found

    # --- custody ----------------------------------------------------------------------------------------

    def hand_over(self, offers: Iterable[c.Offer]) -> Iterable[Any]:
        """Offers and their acceptances: two presses of everybody."""
        given = list(offers)
        answers = self.gate.all_of(given)
        self.gate.all_of(
            c.Accept(handover=str(answer.entry), counted=len(offer.children), by=offer.taker)
            for offer, answer in zip(given, answers, strict=True)
        )
        return ()

    def stand_by(self, pupil: Pupil) -> list[Any]:
        """Nobody has come yet: the rung is acknowledged, guardians are called in order."""
        case = self.gate.world.campus.child(pupil.number).case
        if case is None:
            return []
        rung, found = self.gate.world.rules.ladder[case.rung], list[Any]()
        if not case.acknowledged_by:
            second = self.guard(self.home(pupil)) if rung.adults > 1 else None
            found.append(c.Acknowledge(case=case.case, by=self.leader, second=second))
        if rung.state == "calling" and not case.calls:
            for listed in sorted(self.directory.collectors_of[pupil.number], key=lambda a: a.order):
                if listed.guardian:
                    found.append(c.LogCall(case=case.case, guardian=listed.collector, result="no_answer", by=self.leader))
        return found

    def to_gatehouse(self, pupil: Pupil) -> list[c.Offer]:
        """Half an hour after the window the gatehouse takes over whoever is left."""
        hold, guard = self.gate.world.campus.child(pupil.number).hold, self.guard(self.home(pupil))
        if not hold.live or hold.custodian == guard or hold.handover:
            return []
        children = (pupil.number,)
        return [c.Offer(kind="to_gatehouse", children=children, taker=guard, place="门卫室", by=hold.custodian, counted=1)]

    def close_the_day(self) -> Iterable[Any]:
        """Alarms and conflicts have been looked at; then 静校, which is refused while one child is left."""
        campus = self.gate.world.campus
        for case in [a.case for a in campus.open_alarms()] + [x.case for x in campus.conflicts()]:
            self.gate.must(c.CloseCase(case=case, by=self.leader, note="已核实"))
        self.gate.must(c.ClearCampus(by=self.leader))
        return ()
