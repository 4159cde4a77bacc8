"""Which live pages look different after a decision. Names only; rendering is the web's.

Topics: "bar", "duty", "muster", "patrol", "rosters", "register:<gate>", "display:<access point>", "guard:<gate>",
"roster:<roster id>".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiosk.core import commands as c
from kiosk.core.child_steps import children_of
from kiosk.core.decisions import Decision
from kiosk.core.entries import Entry, Kind
from kiosk.core.service_records import SERVICE_KINDS
from kiosk.core.world import World

_EVERYTHING = frozenset({Kind.EMERGENCY_DECLARED, Kind.EMERGENCY_ENDED, Kind.DIRECTORY_ADOPTED, Kind.CAMPUS_CLEARED})


_AT_GATES = frozenset(
    {
        Kind.ESCORT_DEPARTED, Kind.ESCORT_ARRIVED, Kind.SHIFT_OFFERED, Kind.SHIFT_ACCEPTED, Kind.SHIFT_ENDED, Kind.RELEASED,
        Kind.RELEASE_UNDONE, Kind.CORRECTION, Kind.HANDOVER_OFFERED, Kind.HANDOVER_ACCEPTED, Kind.HANDOVER_DECLINED,
        Kind.HANDOVER_LAPSED, Kind.ESCALATED, Kind.ACKNOWLEDGED, Kind.GUARDIAN_CONTACTED, Kind.LOCATE_OPENED, Kind.LOCATED,
        Kind.CASE_CLOSED, Kind.VISITOR_IN, Kind.VISITOR_OUT, Kind.FACE_COMPARED, Kind.PASSAGE_UNUSED,
        Kind.RELEASE_TOKEN_ASKED, Kind.RELEASE_TOKEN_GIVEN, Kind.RELEASE_TOKEN_TAKEN, Kind.RECORDS_COMPARED,
    }
)  # fmt: skip
_AT_THE_MUSTER_POINT = frozenset(
    {
        Kind.EMERGENCY_DECLARED, Kind.EMERGENCY_ENDED, Kind.MUSTERED, Kind.RELEASED, Kind.RELEASE_UNDONE, Kind.CORRECTION,
        Kind.SEEN, Kind.ARRIVED, Kind.VISITOR_OUT, Kind.GROUP_BACK, Kind.LOCATED, Kind.PASSAGE_UNUSED,
    }
)  # fmt: skip  # what changes the list while an emergency runs
_IN_THE_REGISTER = frozenset(
    {Kind.VISITOR_IN, Kind.VISITOR_OUT, Kind.ARRIVED, Kind.RELEASED, Kind.PASSAGE_UNUSED, Kind.SHIFT_ACCEPTED}
)
_ON_THE_BAR = frozenset({Kind.INCIDENT_DECLARED, Kind.INCIDENT_ENDED})  # gates go on hold, or come off it


def topics_of(world: World, command: Any, decision: Decision, entries: Iterable[Entry]) -> set[str]:
    topics = set[str]()
    if decision.access_point:
        topics.add(f"display:{decision.access_point}")
        point = world.rules.access_points.get(decision.access_point)
        if point is not None and point.gate:
            topics.add(f"guard:{point.gate}")
    if isinstance(command, (c.LinkChanged, c.DeviceChanged, c.DiskSeen)):
        topics |= {"bar", "duty"}
    if isinstance(command, c.DeviceChanged):
        topics |= {f"display:{point}" for point, readers in world.readers.items() if command.device in readers}
    if isinstance(command, c.PeerEntries):
        entries = [sealed.entry for sealed in command.sealed]
    for entry in entries:
        _touch(world, entry, topics)
    return topics


def every_topic(world: World) -> frozenset[str]:
    """All pages: the whole state was read anew."""
    people = world.directory
    return frozenset(
        {"bar", "duty", "muster", "patrol", "rosters"}
        | {f"{page}:{gate}" for page in ("guard", "register") for gate in world.rules.gates}
        | {f"roster:class:{one}" for one in people.classes}
        | {f"roster:session:{one}" for one in people.sessions}
        | {f"roster:staff:{one}" for one in people.staff}
    )


def _touch(world: World, entry: Entry, topics: set[str]) -> None:
    topics |= {"duty", "patrol"}
    if entry.kind in SERVICE_KINDS and entry.body.get("session"):
        topics.add(f"roster:session:{entry.body['session']}")
    topics |= _rosters_of(world, {entry.body.get("giver"), entry.body.get("taker"), _giver(world, entry)})
    if entry.kind in _EVERYTHING:
        topics |= {"bar", "rosters"}
        topics |= {f"guard:{gate}" for gate in world.rules.gates}
        topics |= {f"display:{point}" for point in world.rules.access_points}
    if entry.kind in _ON_THE_BAR:
        topics.add("bar")
    if entry.kind in _AT_THE_MUSTER_POINT:
        topics.add("muster")
    if entry.kind in _IN_THE_REGISTER:
        topics |= {f"register:{gate}" for gate in world.rules.gates}
    if entry.body.get("requests") or entry.kind in _AT_GATES or entry.kind in _ON_THE_BAR:
        topics |= {f"guard:{gate}" for gate in world.rules.gates}
    for child in children_of(entry):
        pupil = world.directory.pupils.get(child)
        if pupil is None:
            continue
        topics.add(f"roster:class:{pupil.class_id}")
        for enrolment in world.directory.enrolments_of.get(child, ()):
            topics.add(f"roster:session:{enrolment.session}")
        state = world.campus.child(child)
        for session in state.sessions_seen:
            topics.add(f"roster:session:{session}")
        if state.hold.live:
            topics.add(f"roster:staff:{state.hold.custodian}")


def _giver(world: World, entry: Entry) -> int | None:
    """Whose offer it was that came back: the giver must be told, on whatever roster is open."""
    offer = world.campus.offers.get(str(entry.body.get("handover", "")))
    return offer.giver if offer is not None else None


def _rosters_of(world: World, staff: set[int | None]) -> set[str]:
    """The rosters of the two sides of a handover: an offer stands there also when its children belong elsewhere."""
    both = {number for number in staff if isinstance(number, int)}
    if not both:
        return set()
    found = {f"roster:staff:{number}" for number in both}
    found |= {f"roster:class:{c.id}" for c in world.directory.classes.values() if c.teacher in both}
    return found | {f"roster:session:{s.id}" for s in world.directory.sessions.values() if s.teacher in both}
