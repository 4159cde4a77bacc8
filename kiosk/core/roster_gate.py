"""Answers for the gate: what its display says, who stands there, and what the guard may do about it.

Part of `kiosk.core.roster`, which names them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiosk.core.roster_custody import ChildLine, EscortLine, ShiftLine, ShiftOfferLine, ShiftReturnLine, StaffLine, UndoLine
from kiosk.core.roster_faces import FaceLine

if TYPE_CHECKING:
    from kiosk.core.roster import Bar, CaseLine, OfferLine


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayView:
    access_point: str
    name: str
    gate: str
    kind: str  # AccessKind
    now_ms: int
    window_name: str  # arrival | lessons | session | dismissal | closed
    window_from_ms: int | None
    window_to_ms: int | None
    room: str
    out_of_order: bool
    emergency: str
    no_card_possible: bool  # has a camera: class and seat may be named


@dataclass(frozen=True, slots=True, kw_only=True)
class RightLine:
    """Where the right to release a child is, when it is not here. state: elsewhere; asked, answered by `until_ms` or not at all;
    coming; unproven (this computer was started again and has not heard yet)."""

    state: str
    gate_name: str = ""  # where it is, or comes from
    until_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupLine:
    """One child that the adult in the queue may want: what pickup rules say now."""

    line: ChildLine
    relation: str
    outcome: str  # Outcome
    reason: str  # Reason
    needs: tuple[str, ...]  # still asked of the guard: photo, call_back, second_person, child_recognises, id_seen
    right: RightLine | None = None  # None: this gate may release the child, or nothing here is about release


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One adult or child standing at the gate. kind: collector | child | claim | unknown | pass.

    A delegate (kind pass) is on no list: person None, `name` what the pass says, one child at most, no photo on file.
    A pass that was not accepted (outcome refused) has its own reason; a forged one says nothing of itself.
    """

    id: str
    kind: str
    at_ms: int
    access_point: str
    access_point_name: str
    person: int | None  # the collector's or child's number
    name: str
    organisation: str
    phone_tail: str
    outcome: str
    reason: str
    children: tuple[PickupLine, ...]
    restricted: bool
    snapshot: str  # id of the picture taken now, "" when none
    has_photo: bool
    pass_id: str = ""  # goes into the release, with collector 0
    pass_name: str = ""  # the delegate's, "" when it is not known here (any more)
    pass_relation: str = ""
    assurance: str = ""  # authenticated: the card proved itself; uid: it only has the right number
    pass_id_last4: str = ""  # to be compared with the document that the delegate shows
    lacks: tuple[str, ...] = ()  # of staff from outside (kind outside): what keeps them out, in words of `kiosk.core.vetting`
    face: FaceLine | None = None  # what the camera made of it, where faces are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardView:
    gate: str
    gate_name: str
    queue: tuple[QueueItem, ...]  # newest first
    on_campus: int
    waiting: int  # children waiting for collection at this release gate
    released_today: int
    bar: Bar
    shift: ShiftLine | None = None
    shift_offer: ShiftOfferLine | None = None
    guards: tuple[StaffLine, ...] = ()  # who may take the watch
    undoable: tuple[UndoLine, ...] = ()
    escorts: tuple[EscortLine, ...] = ()  # on their way to this gate
    incoming: tuple[OfferLine, ...] = ()  # children offered to whoever has the watch here (to_gatehouse)
    held: tuple[ChildLine, ...] = ()  # children in the custody of whoever has the watch
    held_cases: tuple[CaseLine, ...] = ()  # of those children: how far the ladder is, whom to call
    shift_returned: ShiftReturnLine | None = None  # the last offer of this watch, where nobody took it
    open_cases: int = 0  # what a new guard takes over, beside the children
    visitors: int = 0
