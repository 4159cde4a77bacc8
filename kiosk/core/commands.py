"""Everything that may be put into the controller's inbox: a read, a button, a tick, a change of the world.

`by` is always the number of the member of staff who is signed in. `at_ms` and `trusted` are stamped
by the controller from its clock; a command that waited offline on a tablet says when it was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.core.entries import Sealed
from kiosk.core.people import Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A credential was presented. `uids` are the canonical candidates that the edge derived from a spelling."""

    access_point: str
    scheme: str  # uid, em4100, number, qr, seat, ...
    value: str
    assurance: str = "uid"
    random_uid: bool = False
    snapshot: str = ""  # id of the picture taken with it, filed only when consent allows
    read_at_ms: int | None = None  # by the network reader's own clock; accepted, and nothing is judged by it yet
    nonce: str = ""  # of a network reader: the same nonce at the same access point is the same read


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSeat:
    """A pupil without a card named class and seat on the touch screen; the guard must confirm."""

    access_point: str
    class_id: str
    seat: int
    snapshot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmIdentity:
    """The guard saw the child beside the photo on file: the claim counts as a read of that child."""

    claim: str
    by: int
    same_person: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A guard lets a collector take children home. `verified` lists what was done: card, photo, call_back,
    child_recognises, id_seen, second_person. `second` is the other member of staff where two are needed."""

    children: tuple[int, ...]
    collector: int
    access_point: str
    by: int
    verified: tuple[str, ...] = ()
    second: int | None = None
    reason: str = ""  # in words, for exceptional releases


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusePickup:
    children: tuple[int, ...]
    collector: int | None
    access_point: str
    by: int
    reason: str  # a Reason value or a chip chosen by the guard
    description: str = ""  # free text: goes to the erasable side table


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissFromQueue:
    """The guard takes a waiting adult off the screen without a decision about a child (left again)."""

    queue_id: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRoll:
    """One mark per child: present, late, left_early, leave_sick, leave_personal, absent_unexplained, moved."""

    roster: str  # "class:<class id>" or "session:<session id>"
    marks: Mapping[int, str]
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The custodian offers children to a named taker. An offer moves nothing."""

    kind: str  # class_to_session, session_to_session, to_extended_care, to_gatehouse, to_duty, ...
    children: tuple[int, ...]
    taker: int
    place: str
    by: int  # the giver, or a duty leader acting for an absent giver
    giver: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """The taker counted. Children left out must be named in `exceptions` with a reason; they stay with the giver."""

    handover: str
    counted: int
    by: int
    exceptions: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    handover: str
    by: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeGroup:
    """A teacher takes over a whole roster at once: for every present child that somebody else holds, the offer
    that the timetable implies is recorded together with the acceptance. `counted` is by sight."""

    roster: str
    counted: int
    by: int
    exceptions: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    case: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCall:
    """result: answered, no_answer, off, wrong_number, on_the_way (then eta_min)."""

    case: str
    guardian: int
    result: str
    by: int
    channel: str = "phone"
    eta_min: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCase:
    """The duty leader closes a conflict with a note in words."""

    case: str
    by: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcuseAbsence:
    child: int
    kind: str  # leave_sick, leave_personal
    by: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantLeaveSlip:
    """出门条. `with_collector` None means: alone (never for low grades)."""

    child: int
    from_ms: int
    to_ms: int
    by: int
    with_collector: int | None = None
    alone: bool = False
    kind: str = "leave_personal"  # leave_sick | leave_personal
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCardLost:
    uid: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareEmergency:
    by: int
    drill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEmergency:
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCampus:
    """静校: refused while one child is in custody or one case is open."""

    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A member of staff signed in on a screen (already verified by the edge)."""

    staff: int
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged:
    device: str
    health: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time passed: lapse offers, climb ladders, roll the day over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEntries:
    """Entries of other gates, as the sync agent brought them."""

    sealed: tuple[Sealed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptDirectory:
    directory: Directory
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged:
    """What the sync agent last said about itself; shown on the bar, recorded nowhere."""

    waiting: int
    last_contact_ms: int | None
    peers: Mapping[str, int] = field(default_factory=dict)  # node -> last entry at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturesErased:
    """Snapshots past their retention were erased (PIPL art. 47): how many, and older than when."""

    count: int
    before_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A page wants a picture of the state. Answered between two batches; changes nothing."""

    query: Any  # one of kiosk.core.roster's queries


Command = (
    Read
    | ClaimSeat
    | ConfirmIdentity
    | Release
    | RefusePickup
    | DismissFromQueue
    | CallRoll
    | Offer
    | Accept
    | Decline
    | TakeGroup
    | Acknowledge
    | LogCall
    | CloseCase
    | ExcuseAbsence
    | GrantLeaveSlip
    | ReportCardLost
    | DeclareEmergency
    | EndEmergency
    | ClearCampus
    | SignedIn
    | DeviceChanged
    | Tick
    | PeerEntries
    | AdoptDirectory
    | LinkChanged
    | PicturesErased
    | Look
)
