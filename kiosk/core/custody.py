"""The custody protocol: who answers for a child, and how that changes.

Rules of this file:
- Two small machines per child, each one table. No state changes anywhere else.
- An offer moves nothing: the giver answers for the child until the taker accepts.
- A step that the table does not have changes nothing; `step` says so by name.
- No clock: `lapse_due` is told the time.

Theory of operation. *Custody* begins with the first fact that shows the child on campus, which names the
first custodian. From then on exactly one person holds the child until a release ends it. A handover is two
facts by two people: the holder offers, the taker accepts (or declines, or does not answer in time). *Collection*
says how far the child is from being fetched: it never moves custody, and every live state can be collected from.

The diagram in docs/ARCHITECTURE.md is printed from these tables by `kiosk diagram`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Custody(StrEnum):
    OUT = "OUT"  # not on campus today
    HELD = "HELD"
    OFFERED = "OFFERED"  # still held by the giver
    ENDED = "ENDED"  # released


class Step(StrEnum):
    BEGIN = "begin"
    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"
    LAPSE = "lapse"
    RELEASE = "release"
    UNDO = "undo"


CUSTODY: Mapping[Custody, Mapping[Step, Custody]] = {
    Custody.OUT: {Step.BEGIN: Custody.HELD},
    Custody.HELD: {Step.OFFER: Custody.OFFERED, Step.RELEASE: Custody.ENDED},
    Custody.OFFERED: {
        Step.ACCEPT: Custody.HELD,
        Step.DECLINE: Custody.HELD,
        Step.LAPSE: Custody.HELD,
        Step.RELEASE: Custody.ENDED,
    },
    Custody.ENDED: {Step.BEGIN: Custody.HELD, Step.UNDO: Custody.HELD},
}


class Collection(StrEnum):
    NOT_DUE = "NOT_DUE"
    WAITING = "WAITING"  # own release window is open
    OVERDUE = "OVERDUE"  # own release window has ended
    ESCALATED = "ESCALATED"  # a rung of the ladder fired
    COLLECTED = "COLLECTED"


class Mark(StrEnum):
    OPENS = "opens"
    ENDS = "ends"
    RUNG = "rung"
    COLLECT = "collect"
    RETURN = "return"


COLLECTION: Mapping[Collection, Mapping[Mark, Collection]] = {
    Collection.NOT_DUE: {Mark.OPENS: Collection.WAITING, Mark.COLLECT: Collection.COLLECTED},
    Collection.WAITING: {Mark.ENDS: Collection.OVERDUE, Mark.COLLECT: Collection.COLLECTED},
    Collection.OVERDUE: {Mark.RUNG: Collection.ESCALATED, Mark.COLLECT: Collection.COLLECTED},
    Collection.ESCALATED: {Mark.RUNG: Collection.ESCALATED, Mark.COLLECT: Collection.COLLECTED},
    Collection.COLLECTED: {Mark.RETURN: Collection.NOT_DUE},
}

class Hold(NamedTuple):
    """Who answers for a child. `custodian` is a staff number exactly while custody is live."""

    custody: Custody = Custody.OUT
    custodian: int = 0
    handover: str = ""  # id of the open offer, only while OFFERED

    @property
    def live(self) -> bool:
        return self.custody is Custody.HELD or self.custody is Custody.OFFERED


NOBODY = Hold()


class StepRefused(ValueError):
    """The table has no such step from here. The message names what is possible instead."""

    def __init__(self, hold: Hold, wanted: Step, why: str = "") -> None:
        possible = ", ".join(s.value for s in CUSTODY[hold.custody])
        super().__init__(why or f"{wanted.value} is not possible while {hold.custody.value}; possible: {possible}")


def step(hold: Hold, wanted: Step, *, custodian: int = 0, handover: str = "") -> Hold:
    """The hold after one step. Raises StepRefused and changes nothing.

    custodian: who begins or accepts, or who held before a release that is undone.
    """
    after = CUSTODY[hold.custody].get(wanted)
    if after is None:
        raise StepRefused(hold, wanted)
    if wanted in (Step.ACCEPT, Step.DECLINE, Step.LAPSE) and handover != hold.handover:
        raise StepRefused(hold, wanted, f"the open offer is {hold.handover}, not {handover}")
    if wanted in (Step.BEGIN, Step.ACCEPT, Step.UNDO):
        if not custodian:
            raise StepRefused(hold, wanted, f"{wanted.value} must name the custodian")
        return Hold(after, custodian)
    if wanted is Step.OFFER:
        return Hold(after, hold.custodian, handover)
    if wanted is Step.RELEASE:
        return Hold(after)
    return Hold(after, hold.custodian)


def collection(*, now_ms: int, opens_ms: int, due_ms: int, rung: int, collected: bool) -> Collection:
    """Walks the collection table through what time and the ladder have done so far. rung < 0: none fired."""
    marks = [Mark.OPENS] * (now_ms >= opens_ms) + [Mark.ENDS] * (now_ms >= max(due_ms, opens_ms))
    state = Collection.NOT_DUE
    for mark in marks:
        state = COLLECTION[state][mark]
    if rung >= 0:
        state = Collection.ESCALATED
    return COLLECTION[state][Mark.COLLECT] if collected else state


def lapse_due(offered_ms: int, lapse_ms: int, now_ms: int) -> bool:
    """Whether an unanswered offer goes back to the giver now."""
    return now_ms >= offered_ms + lapse_ms


def mermaid() -> str:
    """Both tables as a state diagram, for the docs."""
    lines = ["stateDiagram-v2"]
    for before, row in CUSTODY.items():
        lines += [f"  {before.value} --> {after.value}: {wanted.value}" for wanted, after in row.items()]
    for state, marks in COLLECTION.items():
        lines += [f"  {state.value} --> {then.value}: {mark.value}" for mark, then in marks.items()]
    return "\n".join(lines)
