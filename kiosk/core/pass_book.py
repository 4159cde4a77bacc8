"""What the facts say about delegates' passes: who may come with which, and which has been used. Part of the fold.

Any order of facts, any doubling, the same state: the first registration of a pass counts, a revocation counts whenever it
arrives, and a pass has been used while one release with it stands that nobody took back.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kiosk.core.campus_parts import Order
from kiosk.core.entries import Entry

DAY_MS = 86_400_000
MAX_DAYS_AHEAD = 60  # a pass may be made this long before its day


class PassFacts(NamedTuple):
    """What a pass binds. `for_day` is an ISO date, `gate` an id; the delegate's name is nowhere in the facts."""

    child: int
    for_day: str
    gate: str
    relation: str
    id_last4: str


class Registered(NamedTuple):
    """A pass that was made on a guardian's word. `note` is the digest under which the delegate's name is kept."""

    order: Order
    facts: PassFacts
    guardian: int
    by: int
    at_ms: int
    note: str


class PassBook:
    """Passes by id. `shown`: of every pass that a gate read and found to be signed by the school, the first time."""

    def __init__(self) -> None:
        self.registered: dict[str, Registered] = {}
        self.revoked: dict[str, int] = {}  # pass -> at_ms
        self.shown: dict[str, tuple[Order, PassFacts]] = {}
        self.admitted: dict[str, int] = {}  # pass -> at_ms of the first time that a gate read it and asked the guard
        self.uses: dict[str, dict[str, int]] = {}  # pass -> release (entry id) -> at_ms
        self.undone: dict[str, int] = {}  # release (entry id) -> at_ms

    # --- reading ---------------------------------------------------------------------------------

    def facts(self, pass_id: str) -> PassFacts | None:
        """As registered, or as the signed pass itself said where the registration is not known here (yet)."""
        made, shown = self.registered.get(pass_id), self.shown.get(pass_id)
        return made.facts if made else shown[1] if shown else None

    def used(self, pass_id: str) -> bool:
        return any(release not in self.undone for release in self.uses.get(pass_id, ()))

    def of_child(self, child: int) -> list[tuple[str, Registered]]:
        """Passes made for a child, by day and then in the order in which they were made."""
        mine = [(key, made) for key, made in self.registered.items() if made.facts.child == child]
        return sorted(mine, key=lambda item: (item[1].facts.for_day, item[1].order))

    def tables(self) -> tuple[dict[str, Any], ...]:
        return self.registered, self.revoked, self.shown, self.admitted, self.uses, self.undone

    # --- folding ---------------------------------------------------------------------------------

    def register(self, entry: Entry) -> None:
        body = entry.body
        facts = _facts(body, body["child"])
        one = Registered(entry.order, facts, body["guardian"], body["by"], entry.at_ms, body.get("note", ""))
        self.registered[body["pass_id"]] = min(one, self.registered.get(body["pass_id"], one))

    def revoke(self, entry: Entry) -> None:
        key = entry.body["pass_id"]
        self.revoked[key] = min(entry.at_ms, self.revoked.get(key, entry.at_ms))

    def show(self, entry: Entry) -> None:
        key = entry.body["pass_id"]
        one = (entry.order, _facts(entry.body, entry.body["candidates"][0]))
        self.shown[key] = min(one, self.shown.get(key, one))
        if entry.body["outcome"] == "ask_guard":
            self.admitted[key] = min(entry.at_ms, self.admitted.get(key, entry.at_ms))

    def use(self, entry: Entry) -> None:
        self.uses.setdefault(entry.body["pass_id"], {})[str(entry.id)] = entry.at_ms

    def undo(self, entry: Entry) -> None:
        release = entry.body["release"]
        self.undone[release] = min(entry.at_ms, self.undone.get(release, entry.at_ms))

    def forget_before(self, at_ms: int, day: str) -> None:
        """Lets go of passes for days before `day` and of uses before `at_ms`: both are over."""
        gone = {key for key, made in self.registered.items() if made.facts.for_day < day}
        gone |= {key for key, (_, facts) in self.shown.items() if facts.for_day < day}
        gone |= {key for key, revoked_ms in self.revoked.items() if revoked_ms < at_ms - MAX_DAYS_AHEAD * DAY_MS}
        self.uses = {key: uses for key, uses in self.uses.items() if max(uses.values()) >= at_ms}
        gone -= self.uses.keys()
        for table in (self.registered, self.revoked, self.shown, self.admitted):
            for key in gone:
                table.pop(key, None)
        self.undone = {release: undone for release, undone in self.undone.items() if undone >= at_ms}


def _facts(body: dict[str, Any], child: int) -> PassFacts:
    return PassFacts(child, body["for_day"], body["gate"], body["relation"], body["id_last4"])
