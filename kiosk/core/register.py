"""门卫登记, the gate register: who came in, whom to see, what was looked at, who has left. Commands -> Decisions.

The journal keeps numbers and words of closed vocabularies. A visitor's name, organisation and number plate are in the fact's
note: erasable, never sent to another computer.
"""

from __future__ import annotations

import re

import msgspec

from kiosk.core import commands as c
from kiosk.core.acts import done, refused
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.world import World

PURPOSES = ("meeting", "delivery", "repair", "guardian", "inspection", "other")
ID_TYPES = ("id_card", "driving_licence", "work_card", "passport", "residence_permit", "other")
_LAST4 = re.compile(r"[0-9A-Z]{4}")


class VisitorNote(msgspec.Struct, frozen=True):
    """What the note of a visit says."""

    name: str = ""
    organisation: str = ""
    plate: str = ""


def read_note(text: str | None) -> VisitorNote:
    """The note of a visit; an empty one where it was erased, or lies at another gate."""
    try:
        return msgspec.json.decode(text or "{}", type=VisitorNote)
    except (msgspec.MsgspecError, UnicodeError):
        return VisitorNote()


def visitor_in(command: c.VisitorIn, world: World, now_ms: int, trusted: bool) -> Decision:
    if command.gate not in world.rules.gates:
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    last4 = command.id_last4.strip().upper()
    if command.purpose not in PURPOSES or command.id_type not in ID_TYPES:
        return refused(Reason.REASON_NEEDED, allowed=[*PURPOSES, *ID_TYPES])
    if not command.name.strip() or not _LAST4.fullmatch(last4):
        return refused(Reason.IDENTITY_UNCONFIRMED, needs=["name", "id_last4"])
    if command.host and command.host not in world.directory.staff:
        return refused(Reason.NO_SUCH_PERSON)
    note = VisitorNote(command.name.strip(), command.organisation.strip(), command.plate.strip().upper())
    body = {
        "gate": command.gate,
        "purpose": command.purpose,
        "host": command.host,
        "id_type": command.id_type,
        "id_last4": last4,
        "by": command.by,
        "day": world.day,
    }
    return done(Fact(Kind.VISITOR_IN, body, msgspec.json.encode(note).decode()))


def visitor_out(command: c.VisitorOut, world: World, now_ms: int, trusted: bool) -> Decision:
    """At any gate: who came in at the east may leave at the south."""
    visit = world.campus.visits.get(command.visit)
    if visit is None or visit.id in world.campus.visit_ends:
        return refused(Reason.NO_SUCH_CASE)
    return done(Fact(Kind.VISITOR_OUT, {"visit": visit.id, "gate": visit.gate, "by": command.by, "day": world.day}))
