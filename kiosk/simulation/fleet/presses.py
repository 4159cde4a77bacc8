"""What people and readers do at one gate, told as commands: each event of the plan looks at what this gate knows and picks.

One function a kind, one table. Nothing here is refused beforehand: half of it is what a hurried person would try.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from kiosk.core import commands as c
from kiosk.core.campus import Campus
from kiosk.core.campus_parts import Escort, GroupOut
from kiosk.core.handover import takeable
from kiosk.core.tokens import why_not
from kiosk.core.world import World
from kiosk.simulation.fleet.gate import FleetGate
from kiosk.simulation.fleet.school import BARRED, CARER, LEADER, SECOND_LEADER, uid_of

CHECKS = ("photo", "child_recognises", "call_back", "id_seen")
_MARKS = ("present", "present", "late", "absent_unexplained", "leave_sick")
_WHY = ("missing", "sick_room", "stays")


class Hand:
    """One event's person: the gate, and the chance that decides among what is possible there."""

    def __init__(self, gate: FleetGate, turn: int) -> None:
        self.gate, self.school, self.chance = gate, gate.school, random.Random(turn)

    @property
    def campus(self) -> Campus:
        return self.gate.campus

    @property
    def world(self) -> World:
        assert self.gate.controller is not None
        return self.gate.controller.world

    @property
    def guard(self) -> int:
        return self.school.guard(self.gate.at)

    def child(self) -> int:
        return self.chance.choice(self.school.children)

    def here(self) -> list[int]:
        return sorted(n for n, _ in self.campus.on_campus())

    def free(self) -> list[tuple[int, list[int]]]:
        """Custodians, each with the children that this one holds and has offered to nobody."""
        held: dict[int, list[int]] = {}
        for child, state in self.campus.on_campus():
            if not (state.hold.handover or state.escort or state.group):
                held.setdefault(state.hold.custodian, []).append(child)
        return sorted((giver, sorted(children)) for giver, children in held.items())

    def point(self, kind: str) -> str:
        return f"{self.gate.name}-{kind}"


def _arrive(hand: Hand) -> list[Any]:
    """One child, or several through several readers in the same moment."""
    children = hand.chance.sample(hand.school.children, k=min(len(hand.school.children), hand.chance.choice((1, 1, 1, 3))))
    return [c.Read(access_point=hand.point("in"), scheme="uid", value=uid_of(n)) for n in children]


def _read_again(hand: Hand) -> list[Any]:
    """A network reader that got no answer sends the same read again, with the same nonce."""
    child, kind = hand.child(), hand.chance.choice(("in", "in", "out"))
    read = c.Read(
        access_point=hand.point(kind), scheme="uid", value=uid_of(child), nonce=f"{hand.gate.name}-{hand.chance.randrange(8)}"
    )
    return [read, read]


def _taps(hand: Hand) -> list[Any]:
    who = hand.chance.choice((*hand.school.children, 501, CARER, BARRED))
    point = hand.chance.choice((hand.point("in"), hand.point("out"), hand.point("desk"), "room-201"))
    return [c.Read(access_point=point, scheme="uid", value=uid_of(who))]


def _leave(hand: Hand) -> list[Any]:
    child = hand.chance.choice(hand.here() or hand.school.children)
    if hand.chance.random() < 0.3:
        second = LEADER if hand.chance.random() < 0.5 else None  # a gate without the right to release the child needs two
        return [c.LetGo(child=child, access_point=hand.point("out"), by=hand.guard, second=second)]
    return [c.Read(access_point=hand.point("out"), scheme="uid", value=uid_of(child))]


def release_of(hand: Hand, child: int) -> c.Release:
    """Everything done that could be asked for, by an adult who is listed, now and then by one who must not."""
    adult = hand.chance.choice((500 + child, 500 + child, 500 + child, CARER, BARRED))
    return c.Release(
        children=(child,), collector=adult, access_point=hand.point("out"), by=hand.guard, verified=CHECKS, second=LEADER
    )


def exceptional_of(hand: Hand, child: int) -> c.ReleaseExceptionally:
    return c.ReleaseExceptionally(
        child=child, access_point=hand.point("out"), by=hand.guard, second=LEADER, name="姑妈", relation="姑母",
        id_type="id_card", id_last4="123X", reason="父母都在外地", verified=CHECKS,
    )  # fmt: skip


def _collect(hand: Hand) -> list[Any]:
    return [release_of(hand, hand.chance.choice(hand.here() or hand.school.children))]


def _exceptional(hand: Hand) -> list[Any]:
    return [exceptional_of(hand, hand.chance.choice(hand.here() or hand.school.children))]


def asks_of(hand: Hand) -> list[Any]:
    """The right to release somebody who is here and belongs to another gate, as often as not."""
    world = hand.world
    elsewhere = [n for n in hand.here() if why_not(world, n, trusted=True) is not None]
    children = elsewhere or hand.here()
    if not children:
        return []
    return [c.AskReleaseRight(child=hand.chance.choice(children), access_point=hand.point("out"), by=hand.guard)]


def _undo(hand: Hand) -> list[Any]:
    released = [s.released_entry for _, s in sorted(hand.campus.children.items()) if s.released_entry is not None]
    if not released:
        return []
    entry = hand.chance.choice(released)
    return [c.UndoRelease(release=str(entry.id), by=entry.body.get("guard", hand.guard))]


def _correct(hand: Hand) -> list[Any]:
    what = hand.chance.choice(("left_unrecorded", "never_arrived", "not_released"))
    return [c.Correct(child=hand.child(), what=what, by=LEADER, second=SECOND_LEADER, note="看了监控")]


def _roll(hand: Hand) -> list[Any]:
    at = hand.chance.randrange(len(hand.school.gates))
    roster, by = hand.chance.choice(((f"class:c{at}", hand.school.teacher(at)), ("session:S1", 111), ("session:S2", 112)))
    members = list(hand.school.directory.pupils_of_class.get(f"c{at}", ()))
    marks = {n: hand.chance.choice(_MARKS) for n in members}
    return [c.CallRoll(roster=roster, marks=marks, by=by)] if marks else []


def _offer(hand: Hand) -> list[Any]:
    held = hand.free()
    if not held:
        return []
    giver, children = hand.chance.choice(held)
    taker = hand.chance.choice([n for n in hand.school.staff if n != giver])
    kind = "to_gatehouse" if 121 <= taker < 130 else "to_session"
    some = tuple(children[: hand.chance.randint(1, len(children))])
    return [c.Offer(kind=kind, children=some, taker=taker, place="201", by=giver)]


def _answer(hand: Hand) -> list[Any]:
    """Accepted whole, with one left out, or declined."""
    found = hand.campus.open_offers()
    if not found:
        return []
    offer = hand.chance.choice(sorted(found, key=lambda o: o.id))
    children, how = hand.campus.open_children(offer), hand.chance.random()
    if how < 0.2:
        return [c.Decline(handover=offer.id, by=offer.taker)]
    left = {children[0]: hand.chance.choice(_WHY)} if how < 0.4 else {}
    return [c.Accept(handover=offer.id, counted=len(children) - len(left), by=offer.taker, exceptions=left)]


def _take_group(hand: Hand) -> list[Any]:
    roster, by = hand.chance.choice((("session:S1", 111), ("session:S2", 112), ("class:c0", hand.school.teacher(0))))
    world = hand.world
    ready = [n for n in takeable(world, roster, by) if not world.campus.child(n).hold.handover]
    return [c.TakeGroup(roster=roster, counted=len(ready), by=by)] if ready else []


def _escort(hand: Hand) -> list[Any]:
    held = hand.free()
    if not held:
        return []
    teacher, children = hand.chance.choice(held)
    left = {children[0]: hand.chance.choice(_WHY)} if hand.chance.random() < 0.3 else {}
    counted, group = len(children) - len(left), tuple(children)
    if hand.chance.random() < 0.6:
        return [c.StartEscort(children=group, gate=hand.gate.name, counted=counted, by=teacher, exceptions=left)]
    return [c.TakeOut(children=group, venue="少年宫", counted=counted, by=teacher, exceptions=left)]


def _counted(hand: Hand) -> list[Any]:
    campus = hand.campus
    escorts, groups = campus.escorts(), campus.groups()
    under_way: list[Escort | GroupOut] = [*escorts, *groups]
    if not under_way:
        return []
    one = hand.chance.choice(under_way)
    there = [n for n in one.children if one.id in (campus.child(n).escort, campus.child(n).group)]
    left = {there[0]: hand.chance.choice(_WHY)} if there and hand.chance.random() < 0.2 else {}
    counted = len(there) - len(left)
    if one in escorts:
        return [c.EndEscort(escort=one.id, counted=counted, by=one.teacher, exceptions=left)]
    return [c.BringBack(group=one.id, counted=counted, by=one.teacher, exceptions=left)]


def _watch(hand: Hand) -> list[Any]:
    taker = hand.chance.choice((hand.guard, LEADER))
    shifts = hand.campus.open_shifts()
    if not shifts:
        return [c.OfferShift(gate=hand.gate.name, taker=taker, by=hand.chance.choice((hand.guard, LEADER)))]
    one = shifts[0]
    offer = hand.campus.offers.get(one.handover)
    held = hand.campus.open_children(offer) if offer else ()
    if hand.chance.random() < 0.3:
        return [c.DeclineShift(shift=one.id, by=one.taker)]
    return [c.AcceptShift(shift=one.id, counted=len(held), by=one.taker)]


def _search(hand: Hand) -> list[Any]:
    child = hand.child()
    presses = (
        c.OpenLocate(child=child, by=LEADER), c.Located(child=child, place="操场", by=LEADER),
        c.DeclareIncident(child=child, by=LEADER),
    )  # fmt: skip
    return [hand.chance.choice(presses)]


def _close_case(hand: Hand) -> list[Any]:
    cases = [a.case for a in hand.campus.open_alarms()] + [x.case for x in hand.campus.conflicts()]
    return [c.CloseCase(case=case, by=LEADER, note="已核实") for case in sorted(cases)[:3]]


def _clear(hand: Hand) -> list[Any]:
    return [c.ClearCampus(by=LEADER)]


PRESSES: Mapping[str, Callable[[Hand], list[Any]]] = {
    "arrive": _arrive, "read_again": _read_again, "taps": _taps, "leave": _leave, "collect": _collect,
    "exceptional": _exceptional, "undo": _undo, "correct": _correct, "roll": _roll, "offer": _offer, "answer": _answer,
    "take_group": _take_group, "escort": _escort, "counted": _counted, "watch": _watch, "search": _search,
    "close_case": _close_case, "clear": _clear,
}  # fmt: skip
