"""Campus: the fold of the facts. Where every child is, in whose custody, and what is still open.

`Campus` is a function of the *set* of entries that it was given: any order, any duplication, same state. Each
child has a log of its own entries in the total order of `Entry.order`; an entry that comes last (the usual case)
moves that child's state one step, one that comes late replays that child alone. So the cost of a tap depends on
that child's own day and on nothing else.

It judges nothing: decisions are made elsewhere, before a fact is written.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

from kiosk.core.campus_parts import (
    OF_MACHINES,
    Alarm,
    Answered,
    Cleared,
    Emergency,
    EmergencyOver,
    Escort,
    FaceWord,
    GroupOut,
    Mustered,
    OpenOffer,
    OpenShift,
    Order,
    Request,
    Returned,
    Shift,
    Visit,
)
from kiosk.core.campus_steps import CAMPUS_STEPS, PRIVACY_KINDS, alarm_raised, read_answered
from kiosk.core.card_book import CardBook
from kiosk.core.child import ChildState, Conflict
from kiosk.core.child_steps import CHILD_STEPS, children_of, fold_step, places, standing
from kiosk.core.entries import Entry, EntryId, Kind
from kiosk.core.pass_book import PassBook
from kiosk.core.privacy_book import PrivacyBook
from kiosk.core.service_book import ServiceBook
from kiosk.core.shapes import understood
from kiosk.core.stream_book import StreamBook
from kiosk.core.token_book import TokenBook

_MISFITS = (KeyError, TypeError, ValueError, AttributeError, StopIteration)  # what a body of the wrong shape leads to


class Campus:
    """The whole state. `apply` is the only way to change it."""

    def __init__(self) -> None:
        self.children: dict[int, ChildState] = {}
        self.offers: dict[str, OpenOffer] = {}
        self.requests: dict[str, Request] = {}  # open ones only
        self.closed_requests: dict[str, int] = {}  # id -> at_ms of what closed it
        self.closed_cases: dict[str, int] = {}  # case -> at_ms
        self.alarms: dict[str, Alarm] = {}
        self.answered: dict[tuple[str, str], Answered] = {}  # (access point, nonce) -> what was said
        self.lost_cards: set[str] = set()
        self.passes = PassBook()
        self.service = ServiceBook()
        self.server_backs: set[int] = set()  # when the sync agent noticed, each recorded once
        self.forks: set[str] = set()  # streams of which the server keeps two versions, each recorded once
        self.shut_outs: set[int] = set()  # when the sync agent noticed that the server takes nothing from here
        self.cards = CardBook()
        self.streams = StreamBook()
        self.tokens = TokenBook()
        self.faces: dict[str, tuple[Order, FaceWord]] = {}  # tap, claim or the comparison itself (entry id) -> what it said
        self.consents: dict[tuple[int, str], tuple[Order, bool]] = {}  # (child, purpose) -> the office's last word, given or not
        self.privacy = PrivacyBook()
        self.collected: dict[int, dict[str, tuple[str, int]]] = {}  # collector -> release (entry id) -> (day, child)
        self.returned: dict[str, Returned] = {}  # entry id -> an offer that went back to its giver
        self.departures: dict[str, Escort] = {}
        self.escort_ends: dict[str, tuple[int, tuple[tuple[int, str], ...]]] = {}  # escort -> (at_ms, not counted)
        self.groups_out: dict[str, GroupOut] = {}
        self.group_ends: dict[str, int] = {}  # group -> at_ms
        self.shifts: dict[str, tuple[Order, Shift]] = {}  # gate -> the watch now
        self.shift_offers: dict[str, OpenShift] = {}
        self.shift_ends: dict[str, int] = {}  # offered shift -> at_ms of acceptance, refusal or lapse
        self.incidents: dict[str, tuple[int, int]] = {}  # case -> (child, at_ms)
        self.incident_ends: dict[str, int] = {}  # case -> at_ms
        self.emergency_log: list[tuple[Order, Emergency | EmergencyOver]] = []
        self.emergencies: tuple[Emergency, ...] = ()  # made from that log, oldest first; the last one may still run
        self.mustered: dict[str, tuple[Order, Mustered]] = {}  # "child:12", "staff:113", "visit:..." -> the last word
        self.staff_seen: dict[int, tuple[Order, str]] = {}  # staff -> the day of the last sign-in
        self.visits: dict[str, Visit] = {}
        self.visit_ends: dict[str, tuple[int, int]] = {}  # visit -> (at_ms, by)
        self.last_cleared: tuple[Order, Cleared] | None = None
        self._logs: dict[int, list[tuple[Order, Entry]]] = {}
        self._seen: dict[str, _Seen] = {}

    # --- reading ---------------------------------------------------------------------------------

    def child(self, number: int) -> ChildState:
        """The child's state; a blank one for a child not seen yet."""
        return self.children.get(number) or _BLANK

    def last_of(self, child: int) -> Entry | None:
        """The last fact about a child, whichever gate recorded it."""
        log = self._logs.get(child)
        return log[-1][1] if log else None

    def unused_requests(self, child: int) -> tuple[str, ...]:
        """The places in the guard's queue of a child who was granted and did not go through."""
        if self.child(child).unused is None:
            return ()
        return tuple(r.id for r in self.requests.values() if r.person == child and r.reason == "passage_unused")

    def on_campus(self) -> Iterator[tuple[int, ChildState]]:
        return ((number, state) for number, state in self.children.items() if state.hold.custodian)  # live: see Hold

    def open_children(self, offer: OpenOffer) -> tuple[int, ...]:
        """The children of an offer that nobody has answered for yet."""
        return tuple(c for c in offer.children if self.child(c).hold.handover == offer.id)

    def open_offers(self) -> list[OpenOffer]:
        """Asked once a second: sought from the children, because the offers of some days name each of them many times."""
        waiting = {state.hold.handover for state in self.children.values()}
        return [offer for key, offer in self.offers.items() if key in waiting and self.open_children(offer)]

    def escorts(self) -> list[Escort]:
        """Escorts on their way."""
        return [escort for key, escort in self.departures.items() if key not in self.escort_ends]

    def groups(self) -> list[GroupOut]:
        """Groups that are outside the school with their teacher."""
        return [group for key, group in self.groups_out.items() if key not in self.group_ends]

    def open_shifts(self) -> list[OpenShift]:
        return [offer for key, offer in self.shift_offers.items() if key not in self.shift_ends]

    def shift(self, gate: str) -> Shift | None:
        """Who has the watch at a gate, None before the first of the day: the close of a day ends every watch."""
        found = self.shifts.get(gate)
        over = found is None or (self.last_cleared is not None and self.last_cleared[0] > found[0])
        return None if found is None or over else found[1]

    def lost(self) -> list[tuple[str, int, int]]:
        """(case, child, since when) of every lost child who has not been found: while there is one, gates are on hold."""
        return [
            (case, child, at_ms)
            for case, (child, at_ms) in self.incidents.items()
            if case not in self.incident_ends and (search := self.child(child).search) and search.case == case
        ]

    def withdrawn(self, child: int, purpose: str) -> bool:
        """Whether the office recorded that this consent was taken back, and has not said otherwise since."""
        said, row = self.consents.get((child, purpose)), self.privacy.rows.get((child, purpose))
        return said is not None and not said[1] and (row is None or row.order < said[0])

    def conflicts(self) -> list[Conflict]:
        """Open conflicts: of all children, of cards that were in two places, and of gate computers that run on a copy."""
        return [conflict for conflict in self._all_conflicts() if conflict.case not in self.closed_cases]

    def _all_conflicts(self) -> list[Conflict]:
        """Closed ones as well, as far as they are remembered: their closing must be remembered as long."""
        found = [conflict for state in self.children.values() for conflict in state.conflicts]
        return [*found, *self.cards.cloned(), *self.streams.conflicts()]

    def alarms_of(self, node: str, kinds: AbstractSet[str]) -> list[Alarm]:
        """What one gate computer raised of itself, by any of its incarnations, open or closed."""
        return [alarm for case, alarm in self.alarms.items() if alarm.kind in kinds and case.startswith(f"alarm:{node}/")]

    def open_alarms(self) -> list[Alarm]:
        """Without the exceptional releases that a double release names, open or closed: one thing is one case."""
        found = [alarm for case, alarm in self.alarms.items() if case not in self.closed_cases]
        if not any(alarm.kind == "exceptional_release" for alarm in found):
            return found
        doubles = [one for state in self.children.values() for one in state.conflicts if one.kind == "double_release"]
        told = {f"alarm:{entry}" for one in doubles for entry in one.entries}
        return [alarm for alarm in found if alarm.kind != "exceptional_release" or alarm.case not in told]

    def named_in(self, conflict: Conflict) -> list[Entry]:
        """The facts about a child that a conflict names, in their order."""
        return [entry for _, entry in self._logs.get(conflict.child, ()) if str(entry.id) in conflict.entries]

    def history(self, child: int, day: str) -> Iterator[tuple[int, str, str]]:
        """(at_ms, kind, reason) of every fact about a child on one day, oldest first."""
        for _, entry in self._logs.get(child, ()):
            if entry.body.get("day", day) == day:
                yield entry.at_ms, entry.kind, str(entry.body.get("reason", ""))

    def last_placed_ms(self, child: int) -> int:
        """When the newest fact happened that says where the child is; 0 without one."""
        return max((entry.happened_ms for _, entry in self._logs.get(child, ()) if places(entry, child)), default=0)

    @property
    def emergency(self) -> Emergency | None:
        """The one that runs, real or drill."""
        last = self.emergencies[-1] if self.emergencies else None
        return last if last is not None and not last.ended_ms else None

    def open_visits(self) -> list[Visit]:
        """Visitors who have not left."""
        return [visit for key, visit in self.visits.items() if key not in self.visit_ends]

    def entries_of(self, child: int, day: str) -> Iterator[Entry]:
        """Every fact about a child on one day, oldest first."""
        return (entry for _, entry in self._logs.get(child, ()) if entry.body.get("day", day) == day)

    @property
    def cleared(self) -> Cleared | None:
        return self.last_cleared[1] if self.last_cleared else None

    def collected_by(self, collector: int, day: str) -> set[int]:
        """The children whom this adult took home on that day, back again or not; releases that were taken back do not count."""
        undone, taken = self.passes.undone, self.collected.get(collector, {})
        return {child for release, (on, child) in taken.items() if on == day and release not in undone}

    def knows(self, entry: EntryId) -> bool:
        seen = self._seen.get(f"{entry.node}/{entry.incarnation}")
        return seen is not None and entry.seq in seen

    def fingerprint(self) -> tuple[Any, ...]:
        """The state as one comparable value: equal for equal sets of facts."""
        return (
            tuple(sorted((n, s.as_tuple()) for n, s in self.children.items())),
            tuple(sorted(self.offers.items())),
            tuple(sorted(self.requests.values())),
            tuple(sorted(self.closed_cases.items())),
            tuple(sorted(self.alarms.items())),
            tuple(sorted(self.answered.items())),
            tuple(sorted(self.lost_cards)),
            *(tuple(sorted(table.items())) for table in self._tables()),
            self.emergencies,
            self.cleared,
            tuple(self.streams.conflicts()),
        )

    def _tables(self) -> tuple[dict[Any, Any], ...]:
        return (
            self.faces, self.consents, self.mustered, self.staff_seen, self.visits, self.visit_ends,
            self.returned, self.departures, self.escort_ends, self.groups_out, self.group_ends, self.shifts,
            self.shift_offers, self.shift_ends, self.incidents, self.incident_ends, *self.passes.tables(), self.collected,
            *self.cards.tables(), *self.tokens.tables(), *self.privacy.tables(), *self.service.tables(),
        )  # fmt: skip

    # --- folding ---------------------------------------------------------------------------------

    def apply(self, entry: Entry) -> bool:
        """Takes one fact in. A fact that is already in changes nothing.

        False for a body that no fact of its kind has (another version's, or a damaged one): no child is moved by it.
        """
        seen = self._seen.get(entry.stream)
        if seen is None:
            seen = self._seen[entry.stream] = _Seen()
        if not seen.add(entry.seq):
            return True
        if not understood(entry.body):
            return False
        try:
            self._fold(entry)
        except _MISFITS:
            self._leave_out(entry)
            return False
        return True

    def _fold(self, entry: Entry) -> None:
        self.streams.hear(entry)
        if entry.body.get("nonce"):
            read_answered(self, entry)
        if entry.body.get("alarm"):
            alarm_raised(self, entry)
        if entry.body.get("scheme"):
            self.cards.read(entry)
        campus_step = CAMPUS_STEPS.get(entry.kind)
        if campus_step is not None:
            campus_step(self, entry)
        if entry.kind in CHILD_STEPS:
            for child in children_of(entry):
                self._fold_child(child, entry)

    def forget_before(self, at_ms: int) -> None:
        """Lets go of what ended before `at_ms`, so that a gate may run for a year. The journal forgets nothing.

        A child in custody, an open conflict and a lost card are never let go of, however old.
        """
        awaited = {alarm.case for alarm in self.open_alarms()}  # while what answers for an alarm is still remembered
        for child, log in list(self._logs.items()):
            state = self.children[child]
            pending = any(conflict.case not in self.closed_cases for conflict in state.conflicts)
            last_ms = log[-1][0][0]  # by ticks, as alarms below: a clock in 1970 would have it forgotten at once
            if not state.hold.live and not pending and last_ms < at_ms:
                del self._logs[child], self.children[child]
        self.cards.forget_before(at_ms, self.closed_cases)
        self.offers = {key: o for key, o in self.offers.items() if o.at_ms >= at_ms or self.open_children(o)}
        self.closed_requests = {key: closed for key, closed in self.closed_requests.items() if closed >= at_ms}
        self.answered = {key: a for key, a in self.answered.items() if a.at_ms >= at_ms}
        self.faces = {key: word for key, word in self.faces.items() if word[1].at_ms >= at_ms}
        self.alarms = {
            key: a for key, a in self.alarms.items() if a.tick >= at_ms or key in awaited or a.kind in OF_MACHINES
        }
        named = {conflict.case for conflict in self._all_conflicts()} | set(self.alarms)
        self.closed_cases = {key: at for key, at in self.closed_cases.items() if at >= at_ms or key in named}
        self.returned = {key: one for key, one in self.returned.items() if one.at_ms >= at_ms}
        day = datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
        self.passes.forget_before(at_ms, day)
        self.service.forget_before(day)
        self.tokens.forget_before(day)
        kept = {who: {k: one for k, one in taken.items() if one[0] >= day} for who, taken in self.collected.items()}
        self.collected = {who: taken for who, taken in kept.items() if taken}
        self._forget_ended(self.departures, self.escort_ends, {k: end[0] for k, end in self.escort_ends.items()}, at_ms)
        self._forget_ended(self.groups_out, self.group_ends, dict(self.group_ends), at_ms)
        self._forget_ended(self.shift_offers, self.shift_ends, dict(self.shift_ends), at_ms)
        self._forget_ended(self.incidents, self.incident_ends, dict(self.incident_ends), at_ms)
        self._forget_ended(self.visits, self.visit_ends, {k: end[0] for k, end in self.visit_ends.items()}, at_ms)
        if all(one.ended_ms and one.ended_ms < at_ms for one in self.emergencies):
            self.emergency_log, self.emergencies = [], ()
            self.mustered = {key: word for key, word in self.mustered.items() if word[1].at_ms >= at_ms}

    @staticmethod
    def _forget_ended(begun: dict[str, Any], ends: dict[str, Any], ended_ms: dict[str, int], at_ms: int) -> None:
        for key in [key for key, ended in ended_ms.items() if ended < at_ms]:
            begun.pop(key, None)
            del ends[key]

    def _fold_child(self, child: int, entry: Entry) -> None:
        log = self._logs.get(child)
        if log is None:
            log = self._logs[child] = []
            self.children[child] = ChildState()
        order = entry.order
        if not log or log[-1][0] < order:
            log.append((order, entry))
            if entry.kind == Kind.PASSAGE_UNUSED:
                self._replay(child)  # without the passage that was not used
            else:
                fold_step(self.children[child], child, entry)
            return
        insort(log, (order, entry), key=lambda item: item[0])
        self._replay(child)

    def _leave_out(self, entry: Entry) -> None:
        """Takes a fact that broke off in the middle back out of every child's log."""
        for child, log in list(self._logs.items()):
            left = [item for item in log if item[1] is not entry]
            if len(left) == len(log):
                continue
            if left:
                self._logs[child] = left
                self._replay(child)
            else:
                del self._logs[child], self.children[child]

    def _replay(self, child: int) -> None:
        state = self.children[child] = ChildState()
        for past in standing(entry for _, entry in self._logs[child]):
            fold_step(state, child, past)


class _Seen:
    """Which seqs of one stream are in: everything up to a watermark, and a few beyond it."""

    __slots__ = ("beyond", "through")

    def __init__(self) -> None:
        self.through = 0
        self.beyond: set[int] = set()

    def __contains__(self, seq: int) -> bool:
        return seq <= self.through or seq in self.beyond

    def add(self, seq: int) -> bool:
        if seq in self:
            return False
        self.beyond.add(seq)
        while self.through + 1 in self.beyond:
            self.through += 1
            self.beyond.remove(self.through)
        return True


_BLANK = ChildState()

# Facts that outlive the day and are read again at every start.
STANDING_KINDS = frozenset(
    {
        Kind.CARD_LOST, Kind.CARD_COUNTERS, Kind.DELEGATE_REGISTERED, Kind.DELEGATE_REVOKED, Kind.CONSENT_WITHDRAWN,
        Kind.CONSENT_RENEWED, Kind.INCARNATION_OPENED, Kind.CASE_CLOSED, Kind.MONTH_LOCKED,
        Kind.SERVER_WENT_BACK, Kind.RECORD_FORKED, Kind.GATE_SHUT_OUT, Kind.DISK_NEARLY_FULL, Kind.RECORDS_COMPARED,
        *PRIVACY_KINDS,
    }
)  # fmt: skip
