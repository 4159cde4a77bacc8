"""Everything that may be put into the controller's inbox: a read, a button, a tick, a change of the world.

`by` is always the number of the member of staff who is signed in. `at_ms` and `trusted` are stamped
by the controller from its clock; a command that waited offline on a tablet says when it was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.core.commands_custody import (
    Accept as Accept,
)
from kiosk.core.commands_custody import (
    AcceptShift as AcceptShift,
)
from kiosk.core.commands_custody import (
    AskReleaseRight as AskReleaseRight,
)
from kiosk.core.commands_custody import (
    BringBack as BringBack,
)
from kiosk.core.commands_custody import (
    CallRoll as CallRoll,
)
from kiosk.core.commands_custody import (
    DeclareIncident as DeclareIncident,
)
from kiosk.core.commands_custody import (
    Decline as Decline,
)
from kiosk.core.commands_custody import (
    DeclineShift as DeclineShift,
)
from kiosk.core.commands_custody import (
    EndEscort as EndEscort,
)
from kiosk.core.commands_custody import (
    LetGo as LetGo,
)
from kiosk.core.commands_custody import (
    Located as Located,
)
from kiosk.core.commands_custody import (
    Offer as Offer,
)
from kiosk.core.commands_custody import (
    OfferShift as OfferShift,
)
from kiosk.core.commands_custody import (
    OpenLocate as OpenLocate,
)
from kiosk.core.commands_custody import (
    StartEscort as StartEscort,
)
from kiosk.core.commands_custody import (
    TakeGroup as TakeGroup,
)
from kiosk.core.commands_custody import (
    TakeOut as TakeOut,
)
from kiosk.core.commands_custody import (
    UndoRelease as UndoRelease,
)
from kiosk.core.commands_disk import DiskSeen as DiskSeen
from kiosk.core.commands_disk import PruneRecords as PruneRecords
from kiosk.core.commands_face import (
    FaceCompared as FaceCompared,
)
from kiosk.core.commands_face import (
    FaceErased as FaceErased,
)
from kiosk.core.commands_face import (
    RecordConsent as RecordConsent,
)
from kiosk.core.commands_passes import (
    CallForHelp as CallForHelp,
)
from kiosk.core.commands_passes import (
    RegisterDelegate as RegisterDelegate,
)
from kiosk.core.commands_passes import (
    RevokeDelegate as RevokeDelegate,
)
from kiosk.core.commands_privacy import PrivacyCommand
from kiosk.core.commands_publishing import PublishingCommand
from kiosk.core.commands_safety import (
    Muster as Muster,
)
from kiosk.core.commands_safety import (
    VisitorIn as VisitorIn,
)
from kiosk.core.commands_safety import (
    VisitorOut as VisitorOut,
)
from kiosk.core.commands_service import ServiceCommand
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
    sun: str = ""  # the link of a signing card, where the reader read it beside the UID
    snapshot: str = ""  # id of the picture taken with it, filed only when consent allows
    read_at_ms: int | None = None  # by the reader's own clock; nothing is judged by it but a `stored` read
    stored: bool = False  # by a device that keeps its reads while it is cut off: this one may have happened before it came
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
    reason: str = ""  # in words, where something was out of the ordinary
    pass_id: str = ""  # of a delegate's pass, presented at this gate; `collector` is 0 then
    duress: bool = False  # pressed in a session that was opened with a duress PIN


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseExceptionally:
    """To an adult whom nobody authorised, by two members of staff of whom one is a duty leader. `note` says who the adult
    is, as told; `reason` why. Never past a restriction. A case stays open until a duty leader closes it."""

    child: int
    access_point: str
    by: int
    second: int | None
    name: str
    relation: str
    id_type: str  # id_card, passport, residence_permit, other
    id_last4: str
    reason: str
    verified: tuple[str, ...] = ()  # call_back and child_recognises are expected
    duress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct:
    """Later than undo: a correcting entry with a reason, and a second person because custody ends or begins.

    what: left_unrecorded (the child went home and nobody recorded it), never_arrived (the arrival was somebody
    else's), not_released (the child is still here; `custodian` answers for it from now on).
    """

    child: int
    what: str
    by: int
    note: str
    second: int | None = None
    custodian: int | None = None


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
class Acknowledge:
    """`second`: the other adult who stays with the child, from the rung on that asks for two."""

    case: str
    by: int
    second: int | None = None


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
class ExportEvidence:
    """Somebody takes the evidence of a child's day away. `for_day`: YYYY-MM-DD."""

    child: int
    for_day: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TryRelay:
    """The office closes a contact for a moment, to see whether it works. On record before it moves: a door may open."""

    device: str
    contact: int
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
class WatchTurns:
    """These access points have a sensor that says when somebody went through."""

    access_points: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The turnstile of an access point turned: somebody went through."""

    access_point: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time passed: lapse offers, climb ladders, roll the day over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEntries:
    """Entries of other gates, as the sync agent brought them. `more`: others follow at once. `ahead`: of their turn."""

    sealed: tuple[Sealed, ...]
    more: bool = False
    ahead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptDirectory:
    directory: Directory
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged:
    """What the sync agent last said; shown on the bar. What of it is recorded: link.py. server_back: (when the agent noticed,
    entries that the server had and has no more); server_run: at which of its starts. own: whether all that the server has of
    this gate's own records is folded in here; None: not compared yet, nothing new. shut_out_ms: since when the server takes
    nothing from this gate; None: it does."""

    waiting: int
    last_contact_ms: int | None
    peers: Mapping[str, int] = field(default_factory=dict)  # node -> when the server last heard of it
    behind: frozenset[str] = frozenset()  # nodes of which not everything is here that is known to exist
    server: str = ""
    server_back: tuple[int, int] | None = None
    server_run: str = ""
    forked: frozenset[str] = frozenset()  # NODE/INCARNATION
    own: bool | None = None
    shut_out_ms: int | None = None


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
    | LetGo
    | AskReleaseRight
    | ReleaseExceptionally
    | UndoRelease
    | Correct
    | RefusePickup
    | DismissFromQueue
    | CallRoll
    | Offer
    | Accept
    | Decline
    | TakeGroup
    | StartEscort
    | EndEscort
    | TakeOut
    | BringBack
    | OfferShift
    | AcceptShift
    | DeclineShift
    | OpenLocate
    | Located
    | DeclareIncident
    | RegisterDelegate
    | RevokeDelegate
    | CallForHelp
    | Acknowledge
    | LogCall
    | CloseCase
    | ExcuseAbsence
    | GrantLeaveSlip
    | ReportCardLost
    | DeclareEmergency
    | EndEmergency
    | Muster
    | VisitorIn
    | VisitorOut
    | ServiceCommand
    | ExportEvidence
    | TryRelay
    | ClearCampus
    | SignedIn
    | DeviceChanged
    | WatchTurns
    | Passed
    | Tick
    | PeerEntries
    | AdoptDirectory
    | LinkChanged
    | PicturesErased
    | DiskSeen
    | PruneRecords
    | PublishingCommand
    | FaceCompared
    | RecordConsent
    | FaceErased
    | PrivacyCommand
    | Look
)
