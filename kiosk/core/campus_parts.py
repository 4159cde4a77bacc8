"""What is open on the campus as a whole, as values: who stands at a gate, offers, alarms, escorts, shifts, searches."""

from __future__ import annotations

from typing import NamedTuple

Order = tuple[int, str, str, int]  # of `Entry.order`


class Request(NamedTuple):
    """Somebody stands at the gate and waits for the guard. A delegate has a pass and no number of a person."""

    id: str
    kind: str  # collector | child | claim | unknown | pass
    at_ms: int
    access_point: str
    person: int
    children: tuple[int, ...]
    outcome: str
    reason: str
    snapshot: str
    day: str
    pass_id: str = ""
    relation: str = ""
    id_last4: str = ""
    assurance: str = ""  # how far the card was proven: uid, authenticated, ...; "" for what is no card


class FaceWord(NamedTuple):
    """What a comparison said about one tap or claim. found: (child, score) where nobody had been named."""

    at_ms: int
    person: int
    verdict: str
    found: tuple[tuple[int, int], ...] = ()


class OpenOffer(NamedTuple):
    id: str
    kind: str
    giver: int
    taker: int
    place: str
    children: tuple[int, ...]
    at_ms: int
    until_ms: int


WENT_BACK, FORKED = "server_rolled_back", "forked_record"
OF_MACHINES = frozenset({WENT_BACK, FORKED})  # kept when closed: another gate may tell of it days later


class Alarm(NamedTuple):
    """Silent, for the duty leader. kind: restricted_person, lost_card, card_forged, card_replayed, exceptional_release, duress,
    server_rolled_back, forked_record, gate_shut_out, disk_low, disk_last. person: 0 for a delegate, and for a card of nobody.
    tick: its place in the order, by which it ages."""

    case: str
    kind: str
    at_ms: int
    tick: int
    person: int
    children: tuple[int, ...]
    access_point: str


class Answered(NamedTuple):
    """What a network reader was told about one read, by its nonce. `order` decides where two gates took the same one."""

    order: tuple[int, str, str, int]
    at_ms: int
    outcome: str
    reason: str
    child: int
    person: int
    adult: bool = False  # with a delegate's pass


class Listed(NamedTuple):
    """A child as it stood when the on-site list was frozen. place: the venue, for a group outside."""

    child: int
    place: str
    custodian: int
    last_seen_ms: int


class Emergency(NamedTuple):
    """One emergency or drill with the list that was frozen when it was declared.

    `order` is that of the first declaration: a check-off counts for it when it stands behind that. Two gates that declared
    apart from each other have one emergency with both lists.
    """

    since_ms: int
    drill: bool
    by: int
    order: Order = (0, "", "", 0)
    on_site: tuple[Listed, ...] = ()
    outside: tuple[Listed, ...] = ()  # with a group and its teacher
    staff: tuple[int, ...] = ()  # signed in that day, or answering for a child
    visits: tuple[str, ...] = ()  # visitors not out
    unseen: tuple[str, ...] = ()  # gates that were cut off from the one that declared: their part may be missing
    ended_ms: int = 0  # 0 while it lasts
    ended_by: int = 0
    unaccounted: tuple[int, ...] = ()  # children, as recorded at the end


class EmergencyOver(NamedTuple):
    at_ms: int
    by: int
    unaccounted: tuple[int, ...]


class Mustered(NamedTuple):
    """The last word about one person at a muster point. present False: checked off by mistake."""

    point: str
    at_ms: int
    by: int
    drill: bool
    present: bool


class Visit(NamedTuple):
    """A visitor let in at a gate. `note` is the digest of name, organisation and plate, which are erasable."""

    id: str
    gate: str
    purpose: str
    host: int  # staff number of the person visited, 0 for nobody in particular
    id_type: str
    id_last4: str
    by: int
    in_ms: int
    day: str
    note: str


class Cleared(NamedTuple):
    at_ms: int
    day: str
    by: int


class Returned(NamedTuple):
    """An offer that went back to its giver, who must be told. how: lapsed, declined, exception."""

    at_ms: int
    handover: str
    how: str
    by: int
    children: tuple[int, ...]


class Escort(NamedTuple):
    """放学护送: who set out with whom. How it ended is in `Campus.escort_ends`."""

    id: str
    teacher: int
    gate: str
    children: tuple[int, ...]
    departed_ms: int


class GroupOut(NamedTuple):
    """A group at a venue outside the school, in its teacher's custody."""

    id: str
    teacher: int
    venue: str
    children: tuple[int, ...]
    out_ms: int


class Shift(NamedTuple):
    """Who has the watch at a gate since when."""

    gate: str
    guard: int
    since_ms: int


class OpenShift(NamedTuple):
    """An offer of the watch. The figures are what the giver saw: children on campus, open cases, visitors not out."""

    id: str
    gate: str
    giver: int
    taker: int
    at_ms: int
    on_site: int
    open_cases: int
    visitors: int
    handover: str  # the offer of the children held at the gatehouse, "" without any
