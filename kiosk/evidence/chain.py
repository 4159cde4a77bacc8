"""The custody of a child as a line: who answered, from when to when, where, and which entries moved it. Pure.

Entries are folded one by one with the Campus that the gate itself decides by, and every child is looked at before and
after each. On top of the fold come checks that the fold does not make: a change of hands needs an offer by the one and an
acceptance by the other, custody never lies with nobody, and nobody is seen on campus in nobody's custody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kiosk.core.campus import Campus
from kiosk.core.child_steps import CHILD_STEPS
from kiosk.core.custody import Hold
from kiosk.core.entries import Entry, Kind
from kiosk.evidence.mentions import children_of

BEGINS = frozenset({Kind.ARRIVED, Kind.RELEASE_UNDONE, Kind.PASSAGE_UNUSED, Kind.CORRECTION, Kind.CAMPUS_CLEARED})
FOUND = frozenset({Kind.SESSION_ENTERED, Kind.ROLL_CALLED, Kind.LOCATED, Kind.MUSTERED})  # begins without an arrival
ENDS = frozenset({Kind.RELEASED, Kind.PASSAGE_UNUSED, Kind.CORRECTION})
SHOWS = frozenset({Kind.SEEN, Kind.SESSION_LEFT})  # the child was there, and nothing begins with it
GOING_OUT = frozenset({"emergency"})  # reasons of a `seen` that lets out


class Change(NamedTuple):
    """What moved custody, and when by its writer's clock."""

    kind: str
    entry: str
    at_ms: int


class Segment(NamedTuple):
    """One person answered for the child at one place. to_ms and ended are None while it still is so."""

    custodian: int
    place: str
    from_ms: int
    to_ms: int | None
    began: Change
    ended: Change | None


class Flaw(NamedTuple):
    """Where the line is not whole. sort: gap, overlap, unreadable. closed: id of the entry in which a duty leader closed it."""

    sort: str
    why: str
    at_ms: int
    entries: tuple[str, ...]
    closed: str = ""


class Remark(NamedTuple):
    """Worth knowing, and no gap: found_without_arrival, clock_behind."""

    why: str
    at_ms: int
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    child: int
    segments: tuple[Segment, ...]
    flaws: tuple[Flaw, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def whole(self) -> bool:
        """No gap and no overlap."""
        return not self.flaws

    @property
    def open_flaws(self) -> tuple[Flaw, ...]:
        """Those that nobody has looked into and closed."""
        return tuple(flaw for flaw in self.flaws if not flaw.closed)

    @property
    def held(self) -> bool:
        """Whether somebody still answers for the child where the entries end."""
        return bool(self.segments) and self.segments[-1].to_ms is None

    @property
    def custodians(self) -> tuple[int, ...]:
        """Who answered, one after the other."""
        found: list[int] = []
        for segment in self.segments:
            if not found or found[-1] != segment.custodian:
                found.append(segment.custodian)
        return tuple(found)


def line_of(child: int, entries: Iterable[Entry]) -> Line:
    """The line of one child, from any set of entries that has all of its own."""
    return lines(entries).get(child, Line(child=child, segments=()))


def lines(entries: Iterable[Entry]) -> dict[int, Line]:
    """The line of every child that the entries move or show. Any order of entries gives the same lines."""
    campus, traced, closed = Campus(), dict[int, _Trace](), dict[str, str]()
    for entry in sorted(entries, key=lambda one: one.order):
        if entry.kind == Kind.CASE_CLOSED:
            closed.setdefault(str(entry.body.get("case", "")), str(entry.id))
        concerned = children_of(entry) if entry.kind in CHILD_STEPS else ()
        before = {child: _Look.at(campus, child) for child in concerned}
        understood = campus.apply(entry)
        for child, look in before.items():
            trace = traced.setdefault(child, _Trace(child))
            if understood:
                trace.step(entry, look, _Look.at(campus, child), campus)
            else:
                trace.flaw("unreadable", "not_understood", entry, str(entry.id))
    return {child: trace.line(closed) for child, trace in sorted(traced.items())}


def seams(segments: Iterable[Segment]) -> Iterator[Flaw]:
    """Every place at which two neighbours neither touch nor are parted by a release and a new beginning."""
    previous: Segment | None = None
    for segment in segments:
        if previous is not None:
            yield from _seam(previous, segment)
        previous = segment


def _seam(one: Segment, other: Segment) -> Iterator[Flaw]:
    if one.ended is None or one.to_ms is None:
        yield Flaw("overlap", "two_at_once", other.from_ms, (one.began.entry, other.began.entry))
    elif one.ended != other.began and not (one.ended.kind in ENDS and other.began.kind in BEGINS | FOUND):
        sort = "gap" if one.to_ms <= other.from_ms else "overlap"
        yield Flaw(sort, "not_joined", one.to_ms, (one.ended.entry, other.began.entry))


class _Look(NamedTuple):
    """One child as the fold has it."""

    hold: Hold
    place: str
    conflicts: int

    @classmethod
    def at(cls, campus: Campus, child: int) -> _Look:
        state = campus.child(child)
        return cls(state.hold, state.place, len(state.conflicts))


class _Offer(NamedTuple):
    giver: int
    taker: int


class _Trace:
    """The line while it is being drawn."""

    def __init__(self, child: int) -> None:
        self.child = child
        self.segments: list[Segment] = []
        self.flaws: list[tuple[str, Flaw]] = []  # (case, flaw): the case under which a duty leader may close it
        self.remarks: list[Remark] = []
        self._offers: dict[str, _Offer] = {}

    def flaw(self, sort: str, why: str, entry: Entry, *entries: str, case: str = "") -> None:
        self.flaws.append((case, Flaw(sort, why, entry.at_ms, entries)))

    def step(self, entry: Entry, before: _Look, after: _Look, campus: Campus) -> None:
        if entry.kind == Kind.HANDOVER_OFFERED:
            self._offers[str(entry.id)] = _Offer(entry.body["giver"], entry.body["taker"])
        for conflict in campus.child(self.child).conflicts[before.conflicts :]:
            sort = "gap" if conflict.kind == "out_without_in" else "overlap"
            self.flaw(sort, conflict.kind, entry, *conflict.entries, case=conflict.case)
        self._hands(entry, before.hold, after.hold)
        self._draw(entry, before, after)

    def _hands(self, entry: Entry, before: Hold, after: Hold) -> None:
        """Did custody move the way the protocol says?"""
        me = str(entry.id)
        if after.live and after.custodian <= 0:
            self.flaw("gap", "nobody", entry, me)
        if before.live and after.live and before.custodian != after.custodian:
            self._accepted(entry, before, after)
        elif not before.live and after.live and entry.kind not in BEGINS:
            if entry.kind in FOUND:
                self.remarks.append(Remark("found_without_arrival", entry.at_ms, (me,)))
            else:
                self.flaw("gap", "begun_by_nothing", entry, me)
        elif before.live and not after.live and entry.kind not in ENDS:
            self.flaw("gap", "ended_by_nothing", entry, me)
        elif not after.live and not before.live and entry.kind in SHOWS and entry.body.get("reason") not in GOING_OUT:
            self.flaw("gap", "seen_in_nobodys_custody", entry, me)

    def _accepted(self, entry: Entry, before: Hold, after: Hold) -> None:
        """A change of hands: offered by the one who held, accepted by the one who holds now."""
        me, handover = str(entry.id), str(entry.body.get("handover", ""))
        offer = self._offers.get(handover)
        if entry.kind != Kind.HANDOVER_ACCEPTED:
            self.flaw("gap", "moved_without_acceptance", entry, me)
        elif offer is None:
            self.flaw("gap", "accepted_without_offer", entry, me)
        elif offer != _Offer(before.custodian, after.custodian):
            self.flaw("gap", "offer_differs", entry, handover, me)

    def _draw(self, entry: Entry, before: _Look, after: _Look) -> None:
        same = before.hold.live and (before.hold.custodian, before.place) == (after.hold.custodian, after.place)
        if after.hold.live and same:
            return
        change = Change(entry.kind, str(entry.id), entry.at_ms)
        if before.hold.live and self.segments:
            last = self.segments[-1]
            if entry.at_ms < last.from_ms:
                self.remarks.append(Remark("clock_behind", entry.at_ms, (last.began.entry, change.entry)))
            self.segments[-1] = last._replace(to_ms=entry.at_ms, ended=change)
        if after.hold.live:
            self.segments.append(Segment(after.hold.custodian, after.place, entry.at_ms, None, change, None))

    def line(self, closed: Mapping[str, str]) -> Line:
        flaws = [flaw._replace(closed=closed.get(case, "") if case else "") for case, flaw in self.flaws]
        flaws += seams(self.segments)
        return Line(
            child=self.child, segments=tuple(self.segments), flaws=tuple(flaws), remarks=tuple(self.remarks)
        )
