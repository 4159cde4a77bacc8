"""The bodies of `POST /act/<name>`: what each press must say, with bounds, and the command that it becomes.

Types and bounds only. Who may press is in `kiosk.core.acts.PERMITTED`; whether it is granted is the controller's.
"""

from __future__ import annotations

import secrets
from dataclasses import fields
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from kiosk.core import commands as c
from kiosk.core.passes import MAX_CHARS as MAX_PASS_CHARS

Number = Annotated[int, Meta(ge=0, le=2**53)]
Key = Annotated[str, Meta(min_length=1, max_length=128)]  # ids of rosters, cases, handovers, access points
Word = Annotated[str, Meta(min_length=1, max_length=32)]  # from a closed vocabulary, which the core knows
Words = Annotated[str, Meta(max_length=500)]  # free text
Moment = Annotated[int, Meta(ge=0, le=2**53)]  # milliseconds since 1970 UTC
Children = Annotated[tuple[Number, ...], Meta(min_length=1, max_length=200)]
Marks = Annotated[dict[Number, Word], Meta(max_length=400)]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """meant_ms: when it was pressed, for a press that waited offline on the tablet."""

    meant_ms: Moment | None = None
    makes: ClassVar[type[Any]]

    def command(self, by: int, second: int | None = None) -> Any:
        """The command, given by staff number `by`. Fields of the same name are passed on."""
        wanted = {field.name for field in fields(self.makes)}
        return self.makes(by=by, **{name: getattr(self, name) for name in self.__struct_fields__ if name in wanted})


class WithSecond(Body, frozen=True, kw_only=True):
    """A press that a second member of staff confirms by typing an own staff number and PIN."""

    second_staff_number: Annotated[str, Meta(max_length=32)] = ""
    second_pin: Annotated[str, Meta(max_length=12)] = ""

    def command(self, by: int, second: int | None = None) -> Any:
        wanted = {field.name for field in fields(self.makes)}
        given = {name: getattr(self, name) for name in self.__struct_fields__ if name in wanted}
        return self.makes(by=by, second=second, **given)


class Release(WithSecond, frozen=True, kw_only=True):
    """verified: what was really done, of photo, card, call_back, child_recognises, id_seen. pass_id: then collector is 0."""

    makes = c.Release
    children: Children
    collector: Number = 0
    access_point: Key
    verified: Annotated[tuple[Word, ...], Meta(max_length=10)] = ()
    reason: Words = ""
    pass_id: Annotated[str, Meta(max_length=64)] = ""


class LetGo(WithSecond, frozen=True, kw_only=True):
    makes = c.LetGo
    child: Number
    access_point: Key


class AskReleaseRight(Body, frozen=True, kw_only=True):
    makes = c.AskReleaseRight
    child: Number
    access_point: Key


class ReleaseExceptionally(WithSecond, frozen=True, kw_only=True):
    makes = c.ReleaseExceptionally
    child: Number
    access_point: Key
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    relation: Annotated[str, Meta(max_length=32)] = ""
    id_type: Word = "id_card"
    id_last4: Annotated[str, Meta(min_length=1, max_length=18)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    verified: Annotated[tuple[Word, ...], Meta(max_length=10)] = ()


class UndoRelease(Body, frozen=True, kw_only=True):
    makes = c.UndoRelease
    release: Key


class RecordConsent(Body, frozen=True, kw_only=True):
    """purpose: face_match or snapshot. given false: withdrawn; true: agreed again."""

    makes = c.RecordConsent
    child: Number
    purpose: Word
    given: bool


class Correct(WithSecond, frozen=True, kw_only=True):
    makes = c.Correct
    child: Number
    what: Word
    note: Words
    custodian: Number | None = None


class Refuse(Body, frozen=True, kw_only=True):
    """queue_id: the adult's place in the queue, where the collector is not known."""

    makes = c.RefusePickup
    children: Annotated[tuple[Number, ...], Meta(max_length=200)] = ()
    collector: Number | None = None
    access_point: Key
    reason: Word
    description: Words = ""
    queue_id: Annotated[str, Meta(max_length=128)] = ""


class RegisterDelegate(Body, frozen=True, kw_only=True):
    """代接登记. called_back: a guardian was called at the number on file. The pass gets its number here."""

    makes = c.RegisterDelegate
    child: Number
    for_day: Annotated[str, Meta(max_length=10)]
    gate: Key
    guardian: Number
    relation: Annotated[str, Meta(max_length=12)]
    name: Annotated[str, Meta(max_length=20)]
    id_last4: Annotated[str, Meta(max_length=4)]
    phone: Annotated[str, Meta(max_length=20)] = ""
    features: Annotated[str, Meta(max_length=200)] = ""
    called_back: bool = False
    adult: bool = False

    def command(self, by: int, second: int | None = None) -> c.RegisterDelegate:
        given = {name: getattr(self, name) for name in self.__struct_fields__ if name != "meant_ms"}
        return c.RegisterDelegate(by=by, pass_id=secrets.token_hex(8), **given)


class RevokeDelegate(Body, frozen=True, kw_only=True):
    makes = c.RevokeDelegate
    pass_id: Annotated[str, Meta(max_length=16)]


class ConfirmIdentity(Body, frozen=True, kw_only=True):
    makes = c.ConfirmIdentity
    claim: Key
    same_person: bool = True


class Dismiss(Body, frozen=True, kw_only=True):
    makes = c.DismissFromQueue
    queue_id: Key


class CallRoll(Body, frozen=True, kw_only=True):
    makes = c.CallRoll
    roster: Key
    marks: Marks


class Offer(Body, frozen=True, kw_only=True):
    makes = c.Offer
    kind: Word
    children: Children
    taker: Number
    place: Annotated[str, Meta(max_length=64)] = ""
    giver: Number | None = None
    counted: Number | None = None
    exceptions: Marks = {}


class Accept(Body, frozen=True, kw_only=True):
    makes = c.Accept
    handover: Key
    counted: Number
    exceptions: Marks = {}


class Decline(Body, frozen=True, kw_only=True):
    makes = c.Decline
    handover: Key
    reason: Words = ""


class TakeGroup(Body, frozen=True, kw_only=True):
    makes = c.TakeGroup
    roster: Key
    counted: Number
    exceptions: Marks = {}


class StartEscort(Body, frozen=True, kw_only=True):
    makes = c.StartEscort
    children: Children
    gate: Key
    counted: Number
    exceptions: Marks = {}


class EndEscort(Body, frozen=True, kw_only=True):
    makes = c.EndEscort
    escort: Key
    counted: Number
    exceptions: Marks = {}


class TakeOut(Body, frozen=True, kw_only=True):
    makes = c.TakeOut
    children: Children
    venue: Annotated[str, Meta(min_length=1, max_length=64)]
    counted: Number
    exceptions: Marks = {}


class BringBack(Body, frozen=True, kw_only=True):
    makes = c.BringBack
    group: Key
    counted: Number
    exceptions: Marks = {}


class OfferShift(Body, frozen=True, kw_only=True):
    makes = c.OfferShift
    gate: Key
    taker: Number


class AcceptShift(Body, frozen=True, kw_only=True):
    makes = c.AcceptShift
    shift: Key
    counted: Number = 0
    exceptions: Marks = {}


class DeclineShift(Body, frozen=True, kw_only=True):
    makes = c.DeclineShift
    shift: Key


class OpenLocate(Body, frozen=True, kw_only=True):
    makes = c.OpenLocate
    child: Number
    note: Words = ""


class Located(Body, frozen=True, kw_only=True):
    makes = c.Located
    child: Number
    place: Annotated[str, Meta(min_length=1, max_length=64)]


class DeclareIncident(Body, frozen=True, kw_only=True):
    makes = c.DeclareIncident
    child: Number


class Acknowledge(WithSecond, frozen=True, kw_only=True):
    makes = c.Acknowledge
    case: Key


class LogCall(Body, frozen=True, kw_only=True):
    makes = c.LogCall
    case: Key
    guardian: Number
    result: Word
    channel: Word = "phone"
    eta_min: Annotated[int, Meta(ge=1, le=240)] | None = None


class CloseCase(Body, frozen=True, kw_only=True):
    makes = c.CloseCase
    case: Key
    note: Words


class LeaveSlip(Body, frozen=True, kw_only=True):
    makes = c.GrantLeaveSlip
    child: Number
    from_ms: Moment
    to_ms: Moment
    with_collector: Number | None = None
    alone: bool = False
    kind: Word = "leave_personal"
    note: Words = ""


class Excuse(Body, frozen=True, kw_only=True):
    makes = c.ExcuseAbsence
    child: Number
    kind: Word
    note: Words = ""


class CardLost(Body, frozen=True, kw_only=True):
    makes = c.ReportCardLost
    uid: Annotated[str, Meta(min_length=1, max_length=64)]


class Emergency(Body, frozen=True, kw_only=True):
    makes = c.DeclareEmergency
    drill: bool = False


class EmergencyEnd(Body, frozen=True, kw_only=True):
    makes = c.EndEmergency


class Muster(Body, frozen=True, kw_only=True):
    """others: staff:<number> and visit:<visit>. present false takes back a check-off."""

    makes = c.Muster
    point: Annotated[str, Meta(min_length=1, max_length=64)]
    children: Annotated[tuple[Number, ...], Meta(max_length=400)] = ()
    others: Annotated[tuple[Key, ...], Meta(max_length=200)] = ()
    present: bool = True


class VisitorIn(Body, frozen=True, kw_only=True):
    makes = c.VisitorIn
    gate: Key
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    purpose: Word
    id_type: Word
    id_last4: Annotated[str, Meta(min_length=1, max_length=4)]
    host: Number = 0
    organisation: Annotated[str, Meta(max_length=64)] = ""
    plate: Annotated[str, Meta(max_length=16)] = ""


class VisitorOut(Body, frozen=True, kw_only=True):
    makes = c.VisitorOut
    visit: Key


class ClearCampus(Body, frozen=True, kw_only=True):
    makes = c.ClearCampus


class SeatClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pupil without a card, on the gate's touch screen."""

    access_point: Key
    class_id: Key
    seat: Annotated[int, Meta(ge=1, le=200)]


class Wedge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card number, or a delegate's pass, as a reader typed it into the page."""

    value: Annotated[str, Meta(min_length=1, max_length=MAX_PASS_CHARS)]
    scheme: Literal["number", "qr"] = "number"
    access_point: Annotated[str, Meta(max_length=128)] = ""


BODIES: dict[str, type[Body]] = {
    "release": Release,
    "let_go": LetGo,
    "ask_release_right": AskReleaseRight,
    "release_exceptionally": ReleaseExceptionally,
    "undo_release": UndoRelease,
    "correct": Correct,
    "consent": RecordConsent,
    "refuse": Refuse,
    "register_delegate": RegisterDelegate,
    "revoke_delegate": RevokeDelegate,
    "confirm_identity": ConfirmIdentity,
    "dismiss": Dismiss,
    "call_roll": CallRoll,
    "offer": Offer,
    "accept": Accept,
    "decline": Decline,
    "take_group": TakeGroup,
    "start_escort": StartEscort,
    "end_escort": EndEscort,
    "take_out": TakeOut,
    "bring_back": BringBack,
    "offer_shift": OfferShift,
    "accept_shift": AcceptShift,
    "decline_shift": DeclineShift,
    "open_locate": OpenLocate,
    "located": Located,
    "declare_incident": DeclareIncident,
    "acknowledge": Acknowledge,
    "log_call": LogCall,
    "close_case": CloseCase,
    "leave_slip": LeaveSlip,
    "excuse": Excuse,
    "card_lost": CardLost,
    "emergency": Emergency,
    "emergency_end": EmergencyEnd,
    "muster": Muster,
    "visitor_in": VisitorIn,
    "visitor_out": VisitorOut,
    "clear_campus": ClearCampus,
}
