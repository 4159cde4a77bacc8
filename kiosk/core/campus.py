"""Campus: the fold of the facts. Where every child is, in whose custody, and what is still open.

`Campus` is a function of the *set* of entries that it was given: any order, any duplication, same state. Each
child has a log of its own entries in the total order of `Entry.order`; an entry that comes last (the usual case)
moves that child's state one step, one that comes late replays that child alone. So the cost of a tap depends on
that child's own day and on nothing else.

It judges nothing: decisions are made elsewhere, before a fact is written.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kiosk.core.child import CHILD_STEPS, ChildState, Conflict, children_of, fold_step
from kiosk.core.entries import Entry, EntryId, Kind
from kiosk.core.shapes import understood


class Request(NamedTuple):
    """Somebody stands at the gate and waits for the guard."""

    id: str
    kind: str  # collector | child | claim | unknown
    at_ms: int
    access_point: str
    person: int
    children: tuple[int, ...]
    outcome: str
    reason: str
    snapshot: str
    day: str


class OpenOffer(NamedTuple):
    id: str
    kind: str
    giver: int
    taker: int
    place: str
    children: tuple[int, ...]
    at_ms: int
    until_ms: int


class Alarm(NamedTuple):
    """Silent, for the duty leader. kind: restricted_person, lost_card."""

    case: str
    kind: str
    at_ms: int
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


class Emergency(NamedTuple):
    since_ms: int
    drill: bool
    by: int


class Cleared(NamedTuple):
    at_ms: int
    day: str
    by: int


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
        self._logs: dict[int, list[tuple[tuple[int, str, str, int], Entry]]] = {}
        self._seen: dict[str, _Seen] = {}
        self._emergencies: list[tuple[tuple[int, str, str, int], Emergency | None]] = []
        self._cleared: tuple[tuple[int, str, str, int], Cleared] | None = None

    # --- reading ---------------------------------------------------------------------------------

    def child(self, number: int) -> ChildState:
        """The child's state; a blank one for a child not seen yet."""
        return self.children.get(number) or _BLANK

    def on_campus(self) -> Iterator[tuple[int, ChildState]]:
        return ((number, state) for number, state in self.children.items() if state.hold.live)

    def open_children(self, offer: OpenOffer) -> tuple[int, ...]:
        """The children of an offer that nobody has answered for yet."""
        return tuple(c for c in offer.children if self.child(c).hold.handover == offer.id)

    def open_offers(self) -> list[OpenOffer]:
        return [offer for offer in self.offers.values() if self.open_children(offer)]

    def conflicts(self) -> list[Conflict]:
        """Open conflicts of all children."""
        return [
            conflict
            for state in self.children.values()
            for conflict in state.conflicts
            if conflict.case not in self.closed_cases
        ]

    def open_alarms(self) -> list[Alarm]:
        return [alarm for case, alarm in self.alarms.items() if case not in self.closed_cases]

    def history(self, child: int, day: str) -> Iterator[tuple[int, str, str]]:
        """(at_ms, kind, reason) of every fact about a child on one day, oldest first."""
        for _, entry in self._logs.get(child, ()):
            if entry.body.get("day", day) == day:
                yield entry.at_ms, entry.kind, str(entry.body.get("reason", ""))

    @property
    def emergency(self) -> Emergency | None:
        return self._emergencies[-1][1] if self._emergencies else None

    @property
    def cleared(self) -> Cleared | None:
        return self._cleared[1] if self._cleared else None

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
            self.emergency,
            self.cleared,
        )

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
        if entry.body.get("nonce"):
            _read_answered(self, entry)
        if entry.body.get("alarm"):
            _alarm_raised(self, entry)
        campus_step = _CAMPUS_STEPS.get(entry.kind)
        if campus_step is not None:
            campus_step(self, entry)
        if entry.kind in CHILD_STEPS:
            for child in children_of(entry):
                self._fold_child(child, entry)

    def forget_before(self, at_ms: int) -> None:
        """Lets go of what ended before `at_ms`, so that a gate may run for a year. The journal forgets nothing.

        A child in custody, an open conflict and a lost card are never let go of, however old.
        """
        for child, log in list(self._logs.items()):
            state = self.children[child]
            pending = any(conflict.case not in self.closed_cases for conflict in state.conflicts)
            if not state.hold.live and not pending and log[-1][1].at_ms < at_ms:
                del self._logs[child], self.children[child]
        self.offers = {key: o for key, o in self.offers.items() if o.at_ms >= at_ms or self.open_children(o)}
        self.closed_requests = {key: closed for key, closed in self.closed_requests.items() if closed >= at_ms}
        self.answered = {key: a for key, a in self.answered.items() if a.at_ms >= at_ms}
        self.alarms = {key: a for key, a in self.alarms.items() if a.at_ms >= at_ms or key not in self.closed_cases}
        self.closed_cases = {key: closed for key, closed in self.closed_cases.items() if closed >= at_ms}

    def _fold_child(self, child: int, entry: Entry) -> None:
        log = self._logs.get(child)
        if log is None:
            log = self._logs[child] = []
            self.children[child] = ChildState()
        order = entry.order
        if not log or log[-1][0] < order:
            log.append((order, entry))
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
        for _, past in self._logs[child]:
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


# --- what a fact does to the campus as a whole -------------------------------------------------------


def _offer_opened(campus: Campus, entry: Entry) -> None:
    body, key = entry.body, str(entry.id)
    campus.offers[key] = OpenOffer(
        key, body["reason"], body["giver"], body["taker"], body["place"], tuple(body["children"]), entry.at_ms,
        body.get("until_ms", 0),
    )  # fmt: skip


def _request_opened(campus: Campus, entry: Entry) -> None:
    body = entry.body
    if not body.get("queue"):
        return
    key = str(entry.id)
    if key in campus.closed_requests:
        return
    campus.requests[key] = Request(
        key, body["queue"], entry.at_ms, body["access_point"], body.get("person", 0) or body.get("child", 0),
        tuple(body.get("candidates", ())), body["outcome"], body["reason"], body.get("snapshot", ""), body["day"],
    )  # fmt: skip


def _request_closed(campus: Campus, entry: Entry) -> None:
    for key in entry.body.get("requests", ()):
        campus.closed_requests[key] = entry.at_ms
        campus.requests.pop(key, None)


def _read_answered(campus: Campus, entry: Entry) -> None:
    body = entry.body
    outcome, reason = body.get("outcome", "granted"), body.get("reason", "")
    said = Answered(entry.order, entry.at_ms, outcome, reason, body.get("child", 0), body.get("person", 0))
    key = (body.get("access_point", ""), body["nonce"])
    campus.answered[key] = min(said, campus.answered.get(key, said))


def _alarm_raised(campus: Campus, entry: Entry) -> None:
    body, case = entry.body, f"alarm:{entry.id}"
    person = body.get("person") or body.get("collector") or body.get("child") or 0
    children = tuple(body.get("candidates") or body.get("children") or ())
    campus.alarms[case] = Alarm(case, body["alarm"], entry.at_ms, person, children, body.get("access_point", ""))


def _case_closed(campus: Campus, entry: Entry) -> None:
    before = campus.closed_cases.get(entry.body["case"])
    campus.closed_cases[entry.body["case"]] = entry.at_ms if before is None else min(before, entry.at_ms)


def _card_lost(campus: Campus, entry: Entry) -> None:
    campus.lost_cards.add(entry.body["card"])


def _emergency(campus: Campus, entry: Entry) -> None:
    body = entry.body
    declared = entry.kind == Kind.EMERGENCY_DECLARED
    what = Emergency(entry.at_ms, bool(body.get("drill")), body["by"]) if declared else None
    insort(campus._emergencies, (entry.order, what), key=lambda item: item[0])


def _campus_cleared(campus: Campus, entry: Entry) -> None:
    if campus._cleared is None or campus._cleared[0] < entry.order:
        campus._cleared = (entry.order, Cleared(entry.at_ms, entry.body["day"], entry.body["by"]))


_CAMPUS_STEPS: dict[str, Callable[[Campus, Entry], None]] = {
    Kind.HANDOVER_OFFERED: _offer_opened,
    Kind.PICKUP_REQUESTED: _request_opened,
    Kind.READ_REFUSED: _request_opened,
    Kind.IDENTITY_CLAIMED: _request_opened,
    Kind.IDENTITY_DECLINED: _request_closed,
    Kind.LEFT_QUEUE: _request_closed,
    Kind.PICKUP_REFUSED: _request_closed,
    Kind.ARRIVED: _request_closed,
    Kind.SESSION_ENTERED: _request_closed,
    Kind.SEEN: _request_closed,
    Kind.RELEASED: _request_closed,
    Kind.CASE_CLOSED: _case_closed,
    Kind.CARD_LOST: _card_lost,
    Kind.EMERGENCY_DECLARED: _emergency,
    Kind.EMERGENCY_ENDED: _emergency,
    Kind.CAMPUS_CLEARED: _campus_cleared,
}

STANDING_KINDS = frozenset({Kind.CARD_LOST})  # facts that outlive the day and are read again at every start
