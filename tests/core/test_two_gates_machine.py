"""The promise with everything against it: two gates that hear of each other late, restarts, tablets that were offline,
clocks that jump. `KIOSK_MACHINE=full` runs 2,000 days of 60 steps; the small run is part of every test run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from kiosk.core import child_steps, custody, token_book, token_moves, tokens
from kiosk.core import commands as c
from kiosk.core.child import ChildState
from kiosk.core.custody import Custody, Step
from kiosk.core.entries import Entry
from kiosk.core.tokens import OLD_COPY_MS, why_not
from kiosk.core.world import World
from kiosk.simulation.fleet.ledger import Ledger
from tests.support.people import COLLECTORS, PUPILS, STAFF, uid_of
from tests.support.turnstiles import WITHIN_S
from tests.support.two_gates import NODES, Copy, TwoGates, morning_ms

FULL = os.environ.get("KIOSK_MACHINE") == "full"
DAY_END_MS = morning_ms() + 15 * 3_600_000  # the story stays within one day
CHILDREN = [p.number for p in PUPILS]
TAKERS = [s.number for s in STAFF]
CHECKS = ("photo", "child_recognises", "call_back", "id_seen")

node = st.sampled_from(NODES)
child = st.sampled_from(CHILDREN)
staff = st.sampled_from(TAKERS)
index = st.integers(0, 30)
some = st.lists(child, min_size=1, max_size=5, unique=True).map(tuple)
why = st.sampled_from(["missing", "sick_room", "stays"])
later = st.sampled_from([False, False, False, True])
answers = st.sampled_from(["all", "all", "one left out", "decline"])
marks = st.sampled_from(["present", "absent_unexplained", "leave_sick"])


def pick(found: list[Any], at: int) -> Any:
    return found[at % len(found)] if found else None


class TwoGatesMachine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        # In memory where there is such a folder: the journal is the real one, the disk is not what is tested here.
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        self.gates = TwoGates(self.folder, start_ms=morning_ms(), server="http://server")
        self.tablet: list[tuple[str, Any]] = []
        self.copies: dict[str, Copy] = {}
        for at in NODES:
            self.gates.link_says(at, own=True)
        for n in CHILDREN[:6]:
            self.arrives(n, NODES[n % 2])

    # --- the world -----------------------------------------------------------------------------------

    @rule(at=node, minutes=st.sampled_from([1, 5, 11, 16, 40, 500]))
    def time_passes(self, at: str, minutes: int) -> None:
        for name in NODES:
            left_ms = DAY_END_MS - self.gates.clock[name].now_ms()
            self.gates.clock[name].advance(max(0, min(minutes * 60_000, left_ms)))
        self.gates.press(at, c.Tick())

    @rule(at=node, seconds=st.sampled_from([-400, -30, 3, 200]))
    def clock_steps(self, at: str, seconds: int) -> None:
        self.gates.clock[at].advance(seconds * 1000)
        self.gates.press(at, c.Tick())

    @rule(at=node, trusted=st.booleans())
    def clock_is_doubted(self, at: str, trusted: bool) -> None:
        self.gates.clock[at].distrust("" if trusted else "the battery is flat")
        self.gates.press(at, c.Tick())

    @rule(at=node)
    def restart(self, at: str) -> None:
        self.gates.press(at, c.Tick())
        before = self.campus(at).fingerprint()
        self.gates.restart(at)
        self.gates.link_says(at, own=None)
        assert self.campus(at).fingerprint() == before, "a restart must end in exactly the state before it"

    @rule(source=node, at_most=st.sampled_from([1, 3, 1000]))
    def link(self, source: str, at_most: int) -> None:
        self.gates.deliver(source, NODES[1 - NODES.index(source)], at_most)

    @rule(at=node)
    def a_copy_is_made(self, at: str) -> None:
        self.copies[at] = self.gates.copy(at)

    @rule(at=node)
    def the_copy_is_put_back(self, at: str) -> None:
        """Nobody takes a card out, and puts another in, within the time that the gate takes for a short power cut."""
        copy = self.copies.get(at)
        if copy is not None and self.gates.clock[at].now_ms() - copy.last_ms > OLD_COPY_MS:
            self.gates.put_back(at, copy)

    @rule(at=node)
    def server_answers(self, at: str) -> None:
        self.gates.hear_of_itself(at)

    @rule(turn=index)
    def tablet_is_back(self, turn: int) -> None:
        """What was pressed while the tablet was offline arrives, long after it was meant, in any order."""
        if self.tablet:
            at, command = self.tablet.pop(turn % len(self.tablet))
            self.gates.press(at, command)

    def do(self, at: str, command: Any, offline: bool = False) -> None:
        if offline:
            self.tablet.append((at, command))
            return
        held = self.holders(at)
        decision = self.gates.press(at, command)
        if decision.outcome == "refused" and not decision.facts:
            assert self.holders(at) == held, "a refused press changed who answers for a child"

    def campus(self, at: str) -> Any:
        return self.gates.gate[at].world.campus

    def holders(self, at: str) -> dict[int, int]:
        return {n: s.hold.custodian for n, s in self.campus(at).on_campus()}

    def held_by_one(self, at: str, turn: int) -> tuple[int, tuple[int, ...]]:
        """A custodian and the children that this one holds and has offered to nobody."""
        held: dict[int, list[int]] = {}
        for n, s in self.campus(at).on_campus():
            if not s.hold.handover:
                held.setdefault(s.hold.custodian, []).append(n)
        found = pick(sorted(held.items()), turn)
        return (found[0], tuple(found[1])) if found else (0, ())

    # --- children and gates ----------------------------------------------------------------------------

    @rule(n=child, at=node)
    def arrives(self, n: int, at: str) -> None:
        self.do(at, c.Read(access_point=f"{at}-in", scheme="uid", value=uid_of(n)))

    @rule(n=st.sampled_from([*CHILDREN, *[x.number for x in COLLECTORS]]), at=node, kind=st.sampled_from(["in", "out"]))
    def taps(self, n: int, at: str, kind: str) -> None:
        self.do(at, c.Read(access_point=f"{at}-{kind}", scheme="uid", value=uid_of(n)))

    @rule(n=child, at=node, kind=st.sampled_from(["in", "out"]), goes=st.booleans(), seen=st.booleans())
    def dawdles(self, n: int, at: str, kind: str, goes: bool, seen: bool) -> None:
        """A tap opens the turnstile: the child goes through, or stays and it is taken back, or somebody saw it since."""
        self.taps(n, at, kind)
        if seen:
            self.do(at, c.CallRoll(roster="class:primary-2022-1", marks={n: "present"}, by=105))
        if goes:
            self.gates.press(at, c.Passed(access_point=f"{at}-{kind}"))
        for name in NODES:
            self.gates.clock[name].advance(1000 * WITHIN_S)
        self.gates.press(at, c.Tick())

    @rule(n=child, room=st.sampled_from(["room-201", "room-art", "room-201-exit"]))
    def at_a_room(self, n: int, room: str) -> None:
        self.do("east", c.Read(access_point=room, scheme="uid", value=uid_of(n)))

    @rule(at=node, children=some, turn=index, by=st.sampled_from([130, 140]), offline=later)
    def release(self, at: str, children: tuple[int, ...], turn: int, by: int, offline: bool) -> None:
        adult = pick([x.number for x in COLLECTORS], turn)
        self.do(at, self.release_of(at, children[:2], adult, by), offline)

    @rule(at=node, pair=st.sampled_from([(1, 201), (2, 201), (5, 206), (6, 209)]), both=st.booleans(), undo=st.booleans())
    def collected(self, at: str, pair: tuple[int, int], both: bool, undo: bool) -> None:
        """By the right adult; sometimes at both gates, before one hears of the other; sometimes taken back."""
        for where in NODES if both else (at,):
            self.do(where, self.release_of(where, (pair[0],), pair[1], 130))
            released = self.campus(where).child(pair[0]).released_entry
            if undo and released is not None:
                self.do(where, c.UndoRelease(release=str(released.id), by=130))

    def release_of(self, at: str, children: tuple[int, ...], adult: int, by: int) -> c.Release:
        second = 140 if by == 130 else 130
        return c.Release(children=children, collector=adult, access_point=f"{at}-out", by=by, verified=CHECKS, second=second)

    @rule(at=node, n=child, by=st.sampled_from([130, 140]))
    def exceptional(self, at: str, n: int, by: int) -> None:
        self.do(at, c.ReleaseExceptionally(
            child=n, access_point=f"{at}-out", by=by, second=140 if by == 130 else 130, name="姑妈", relation="姑母",
            id_type="id_card", id_last4="123X", reason="父母都在外地", verified=CHECKS,
        ))  # fmt: skip

    @rule(turn=index)
    def let_out_twice(self, turn: int) -> None:
        """Both gates know the child, the link goes down, each lets it go with somebody else."""
        self.gates.deliver("east", "south")
        self.gates.deliver("south", "east")
        n = pick(sorted(set(self.holders("east")) & set(self.holders("south"))), turn)
        for at in NODES if n else ():
            self.exceptional(at, n, 130)

    @rule(at=node, n=child, second=st.sampled_from([None, 130, 140]))
    def let_go(self, at: str, n: int, second: int | None) -> None:
        self.do(at, c.LetGo(child=n, access_point=f"{at}-out", by=130, second=second))

    @rule(at=node, turn=index, steps=st.integers(0, 4))
    def wants_the_right(self, at: str, turn: int, steps: int) -> None:
        """The guard asks for the right of somebody who is here; the link holds for some of the way, or all of it."""
        n, other = pick(sorted(self.holders(at)), turn), NODES[1 - NODES.index(at)]
        if n is None:
            return
        self.do(at, c.AskReleaseRight(child=n, access_point=f"{at}-out", by=130))
        way = (
            lambda: self.gates.deliver(at, other), lambda: self.gates.press(other, c.Tick()),
            lambda: self.gates.deliver(other, at), lambda: self.gates.press(at, c.Tick()),
        )  # fmt: skip
        for step in way[:steps]:
            step()

    @rule(at=node, turn=index, by=st.sampled_from([130, 140]), offline=later)
    def undo(self, at: str, turn: int, by: int, offline: bool) -> None:
        released = [s.released_entry for s in self.campus(at).children.values() if s.released_entry is not None]
        entry = pick(released, turn)
        if entry is not None:
            self.do(at, c.UndoRelease(release=str(entry.id), by=entry.body.get("guard", by)), offline)

    @rule(at=node, n=child, what=st.sampled_from(["left_unrecorded", "never_arrived", "not_released"]), second=staff)
    def correct(self, at: str, n: int, what: str, second: int) -> None:
        self.do(at, c.Correct(child=n, what=what, by=140, second=second, note="看了监控"))

    # --- handover ---------------------------------------------------------------------------------------

    @rule(at=node, turn=index, taker=staff, offline=later)
    def offer(self, at: str, turn: int, taker: int, offline: bool) -> None:
        giver, children = self.held_by_one(at, turn)
        kind = "to_gatehouse" if taker in (130, 131) else "to_session"
        if children:
            self.do(at, c.Offer(kind=kind, children=children, taker=taker, place="201", by=giver), offline)

    @rule(at=node, turn=index, answer=answers, reason=why, offline=later)
    def answer(self, at: str, turn: int, answer: str, reason: str, offline: bool) -> None:
        found = pick(self.campus(at).open_offers(), turn)
        if found is None:
            return
        children = self.campus(at).open_children(found)
        if answer == "decline":
            self.do(at, c.Decline(handover=found.id, by=found.taker), offline)
            return
        left = {children[0]: reason} if answer == "one left out" else {}
        self.do(at, c.Accept(handover=found.id, counted=len(children) - len(left), by=found.taker, exceptions=left), offline)

    @rule(at=node, roster=st.sampled_from(["session:S1", "session:S2", "class:primary-2022-1"]), by=staff)
    def take_group(self, at: str, roster: str, by: int) -> None:
        told = self.gates.press(at, c.TakeGroup(roster=roster, counted=-1, by=by))
        if told.reason == "count_differs":
            self.do(at, c.TakeGroup(roster=roster, counted=told.detail["expected"], by=by))

    @rule(at=node, n=child, mark=marks, by=staff, offline=later)
    def roll(self, at: str, n: int, mark: str, by: int, offline: bool) -> None:
        self.do(at, c.CallRoll(roster="class:primary-2022-1", marks={n: mark}, by=by), offline)

    @rule(at=node, turn=index, escort=st.booleans(), reason=why, leave_one=st.booleans())
    def sets_out(self, at: str, turn: int, escort: bool, reason: str, leave_one: bool) -> None:
        teacher, children = self.held_by_one(at, turn)
        if not children:
            return
        left = {children[0]: reason} if leave_one else {}
        counted = len(children) - len(left)
        if escort:
            self.do(at, c.StartEscort(children=children, gate=at, counted=counted, by=teacher, exceptions=left))
        else:
            self.do(at, c.TakeOut(children=children, venue="少年宫", counted=counted, by=teacher, exceptions=left))

    @rule(at=node, turn=index, leave_one=st.booleans(), reason=why, offline=later)
    def gets_there(self, at: str, turn: int, leave_one: bool, reason: str, offline: bool) -> None:
        campus = self.campus(at)
        under_way = pick([*campus.escorts(), *campus.groups()], turn)
        if under_way is None:
            return
        here = [n for n in under_way.children if under_way.id in (campus.child(n).escort, campus.child(n).group)]
        left = {here[0]: reason} if leave_one and here else {}
        counted = len(here) - len(left)
        if under_way in campus.escorts():
            self.do(at, c.EndEscort(escort=under_way.id, counted=counted, by=under_way.teacher, exceptions=left), offline)
        else:
            self.do(at, c.BringBack(group=under_way.id, counted=counted, by=under_way.teacher, exceptions=left), offline)

    @rule(at=node, taker=st.sampled_from([130, 131, 140]), by=st.sampled_from([130, 131, 140]), answer=st.sampled_from("adn"))
    def watch(self, at: str, taker: int, by: int, answer: str) -> None:
        self.do(at, c.OfferShift(gate=at, taker=taker, by=by))
        found = pick(self.campus(at).open_shifts(), 0)
        if found is not None and answer == "a":
            offer = self.campus(at).offers.get(found.handover)
            held = self.campus(at).open_children(offer) if offer else ()
            self.do(at, c.AcceptShift(shift=found.id, counted=len(held), by=found.taker))
        elif found is not None and answer == "d":
            self.do(at, c.DeclineShift(shift=found.id, by=found.taker))

    # --- searches and the end ------------------------------------------------------------------------------

    @rule(at=node, n=child, press=st.sampled_from([c.OpenLocate, c.Located, c.DeclareIncident]))
    def search(self, at: str, n: int, press: Any) -> None:
        self.do(at, press(child=n, by=140, place="操场") if press is c.Located else press(child=n, by=140))

    @rule(at=node)
    def clear(self, at: str) -> None:
        held = [n for n, s in self.campus(at).on_campus() if not s.dormitory]
        decision = self.gates.press(at, c.ClearCampus(by=140))
        assert not (held and decision.outcome == "granted"), "the day was closed over a child in custody"

    # --- what must hold at every moment ------------------------------------------------------------------------

    @invariant()
    def every_child_has_exactly_one_named_custodian_and_the_ledger_agrees(self) -> None:
        if not hasattr(self, "gates"):
            return
        for at in NODES:
            ledger, campus = Ledger(self.gates.known(at)), self.campus(at)
            assert self.holders(at) == ledger.held, f"{at}: the fold and the ledger name different custodians"
            for n, state in campus.children.items():
                _one_custodian(n, state)
                assert len(state.conflicts) == ledger.misfits[n], (at, n, state.conflicts)

    @invariant()
    def never_do_two_gates_have_the_right_to_release_one_child(self) -> None:
        if not hasattr(self, "gates"):
            return
        for n in CHILDREN:
            have = [at for at in NODES if why_not(self.gates.gate[at].world, n, self.gates.clock[at].trusted()) is None]
            assert len(have) < 2, f"child {n} could be released by one of staff at {have}"

    def teardown(self) -> None:
        """In the end everybody has heard of everything, and both gates tell the same story."""
        if not hasattr(self, "gates"):
            return
        try:
            for _ in range(2):  # what a gate has lost comes back, and it says so
                for source, to in (("east", "south"), ("south", "east")):
                    self.gates.deliver(source, to)
                for at in NODES:
                    self.gates.hear_of_itself(at)
            east, south = (self.campus(at).fingerprint() for at in NODES)
            assert east == south, "two gates with the same facts tell different stories"
        finally:
            self.gates.close()
            shutil.rmtree(self.folder)


def _one_custodian(n: int, state: ChildState) -> None:
    hold = state.hold
    assert hold.live == (hold.custodian in TAKERS), (n, hold)
    assert (hold.custody is Custody.OFFERED) == bool(hold.handover), (n, hold)


_CHECKED = settings(
    max_examples=2_000 if FULL else 60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
TwoGatesMachine.TestCase.settings = _CHECKED
TestTwoGates = pytest.mark.timeout(7200 if FULL else 600)(TwoGatesMachine.TestCase)


# --- the machine is no decoration: faults that are planted in the tables are found ---------------------------------


def _a_child_that_is_declined_is_let_go() -> Mapping[Any, Any]:
    return {**custody.CUSTODY, Custody.OFFERED: {**custody.CUSTODY[Custody.OFFERED], Step.DECLINE: Custody.ENDED}}


def _a_second_release_goes_through() -> Mapping[Any, Any]:
    return {**custody.CUSTODY, Custody.ENDED: {**custody.CUSTODY[Custody.ENDED], Step.RELEASE: Custody.ENDED}}


def _an_arrival_takes_a_held_child_over() -> Mapping[Any, Any]:
    return {**custody.CUSTODY, Custody.HELD: {**custody.CUSTODY[Custody.HELD], Step.BEGIN: Custody.HELD}}


def _an_undone_release_holds_nobody() -> Mapping[Any, Any]:
    return {**custody.CUSTODY, Custody.ENDED: {Step.BEGIN: Custody.HELD, Step.UNDO: Custody.OUT}}


def _hunt() -> None:
    found = settings(_CHECKED, max_examples=300, derandomize=True, database=None, phases=[Phase.generate])
    run_state_machine_as_test(TwoGatesMachine, settings=found)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "fault",
    [
        _a_child_that_is_declined_is_let_go, _a_second_release_goes_through, _an_arrival_takes_a_held_child_over,
        _an_undone_release_holds_nobody,
    ],
)  # fmt: skip
def test_a_fault_planted_in_the_custody_table_is_found(fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custody, "CUSTODY", MappingProxyType(fault()))
    if fault is _a_second_release_goes_through:  # held twice: by the table, and by what the gates had seen of each other
        monkeypatch.setattr(child_steps, "apart", lambda after, entry: ())
    with pytest.raises(AssertionError):
        _hunt()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", ["gives and keeps", "has what it asked for", "believes an old copy"])
def test_a_right_that_two_gates_have_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if fault == "gives and keeps":
        monkeypatch.setattr(tokens, "right_of", _of_the_home_gate_for_ever)
    elif fault == "has what it asked for":
        monkeypatch.setattr(token_book.TokenBook, "right", _of_whoever_asked_last)
    else:
        monkeypatch.setattr(tokens, "vouched", lambda world, child: True)
        monkeypatch.setattr(token_moves, "vouched", lambda world, child: True)
    with pytest.raises(AssertionError):
        _hunt()


def _of_the_home_gate_for_ever(world: World, child: int) -> token_book.Right:
    """What one gives, one may take back: it is our child after all."""
    home = tokens.home_of(world, child)
    return token_book.Right(home, taken=True, move=None) if world.serves(home) else token_moves.right_of(world, child)


def _of_whoever_asked_last(self: token_book.TokenBook, child: int, day: str, home: str) -> token_book.Right:
    asked = max((ask for ask in self.asks.values() if ask.child == child), key=lambda ask: ask.at_ms, default=None)
    return token_book.Right(asked.gate if asked else home, taken=True, move=None)


@pytest.mark.timeout(600)
def test_a_fault_planted_in_the_table_of_facts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The acceptance of a handover that forgets to move the child."""

    def forgets(state: ChildState, n: int, entry: Entry) -> None:
        state.hold = custody.step(state.hold, Step.LAPSE, handover=entry.body["handover"])

    monkeypatch.setitem(child_steps.CHILD_STEPS, "handover_accepted", forgets)
    with pytest.raises(AssertionError):
        _hunt()
