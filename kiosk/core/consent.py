"""A family's consent, given or withdrawn at the office between two imports, and what a withdrawal ends.

A withdrawal outranks the list until the office says otherwise: a spreadsheet that nobody has corrected gives nothing back.
"""

from __future__ import annotations

from typing import Final

from kiosk.core import commands as c
from kiosk.core.acts import done, refused
from kiosk.core.decisions import Decision, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.faces import may_compare
from kiosk.core.roster_faces import ConsentQuery, ConsentView
from kiosk.core.world import FACE_MATCH, SNAPSHOT, World

PURPOSES: Final = frozenset({FACE_MATCH, SNAPSHOT})


def record(command: c.RecordConsent, world: World, now_ms: int, trusted: bool) -> Decision:
    if command.child not in world.directory.pupils:
        return refused(Reason.NO_SUCH_PERSON)
    if command.purpose not in PURPOSES:
        return refused(Reason.REASON_NEEDED, child=command.child, allowed=sorted(PURPOSES))
    withdrawn = world.campus.withdrawn(command.child, command.purpose)
    if withdrawn is not command.given:  # it stands so already
        return refused(Reason.STEP_REFUSED, child=command.child)
    kind = Kind.CONSENT_RENEWED if command.given else Kind.CONSENT_WITHDRAWN
    body = {"child": command.child, "purpose": command.purpose, "by": command.by, "day": world.day}
    return done(Fact(kind, body), child=command.child)


def erased(command: c.FaceErased, world: World, now_ms: int, trusted: bool) -> Decision:
    """The receipt: what this computer no longer has of a child. Counts only."""
    body = {
        "child": command.child, "templates": command.templates, "pictures": command.pictures, "why": command.why,
        "day": world.day,
    }  # fmt: skip
    return done(Fact(Kind.FACE_ERASED, body))


def consent_view(world: World, query: ConsentQuery, now_ms: int, trusted: bool) -> ConsentView:
    """Who may be compared and photographed now: what lies on disk of anybody else is erased."""
    pupils = world.directory.pupils
    return ConsentView(
        face_on=world.rules.face is not None,
        pupils=frozenset(pupils),
        face=frozenset(child for child in pupils if may_compare(world, child)),
        snapshot=frozenset(child for child in pupils if world.consented(child, SNAPSHOT)),
        withdrawn=frozenset(key for key in world.campus.consents if world.campus.withdrawn(*key)),
    )
