"""What the facts say about cards: how often each authenticated card was read, and where a card seems to be in two places.

Part of the fold: any order of facts, any doubling, the same state. It says what was seen; which gate an access point belongs to
and how fast anybody can walk from one to the other is the school's (`lens`), so the cases of cloned cards are found when asked
for and recorded nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kiosk.core.campus_parts import Order
from kiosk.core.child import Conflict
from kiosk.core.entries import Entry

CLONED = "cloned_card"
PAIRED_WITHIN_MS = 600_000  # two sightings farther apart say nothing; no school may set a longer impossible time
_NO_CARD = ("", "seat", "staff_sight", "face", "qr", "person")  # schemes of reads in which no card was held to a reader


class Sighting(NamedTuple):
    """A person's card at an access point. `proof`: card and counter of an authenticated read, which no other read may have."""

    order: Order
    at_ms: int
    point: str
    entry: str
    trusted: bool
    proof: tuple[str, int] | None


class CardBook:
    """`counters`: card -> the highest counter that it proved. `kept`: as far as a statement of the counters has it."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.kept: dict[str, int] = {}
        self.sightings: dict[int, dict[str, Sighting]] = {}  # holder -> entry id -> sighting
        self.pairs: dict[int, dict[tuple[str, ...], tuple[Sighting, Sighting]]] = {}  # holder -> the two entries, near in time
        self._gate_of: Mapping[str, str] = {}
        self._impossible_ms = 0

    def lens(self, gate_of: Mapping[str, str], impossible_ms: int) -> None:
        """How this school looks at two sightings: the gate of each access point, and how long the way between two takes."""
        self._gate_of, self._impossible_ms = gate_of, min(impossible_ms, PAIRED_WITHIN_MS)

    # --- reading ---------------------------------------------------------------------------------

    def cloned(self) -> list[Conflict]:
        """Every pair of sightings that one card cannot have made, as a case with its own name."""
        return [conflict for holder in self.pairs for conflict in self._of(holder)]

    def is_cloned(self, holder: int, closed: Mapping[str, int]) -> bool:
        """Whether somebody has an open case of a cloned card."""
        return any(one.case not in closed for one in self._of(holder))

    def would_be_cloned(self, holder: int, point: str, now_ms: int) -> bool:
        """Whether a read here and now would make such a pair."""
        here = Sighting((now_ms, "", "", 0), now_ms, point, "", True, None)
        return any(self._impossible(seen, here) for seen in self.sightings.get(holder, {}).values())

    def points_of(self, conflict: Conflict) -> tuple[tuple[str, int], ...]:
        """Access point and moment of each of the two sightings of a case."""
        one, other = self.pairs[conflict.child][conflict.entries]
        return ((one.point, one.at_ms), (other.point, other.at_ms))

    def unkept(self) -> list[tuple[str, int]]:
        """Counters that moved since the last statement of them."""
        return sorted((card, counter) for card, counter in self.counters.items() if counter > self.kept.get(card, -1))

    def tables(self) -> tuple[dict[Any, Any], ...]:
        return self.counters, self.kept, self.sightings, self.pairs

    def _of(self, holder: int) -> list[Conflict]:
        return [
            Conflict(f"{CLONED}:{holder}:{first.entry}:{second.entry}", CLONED, holder, second.at_ms, (first.entry, second.entry))
            for first, second in self.pairs.get(holder, {}).values()
            if self._impossible(first, second)
        ]

    def _impossible(self, one: Sighting, other: Sighting) -> bool:
        if one.proof is not None and one.proof == other.proof:
            return True  # a card never says the same thing twice
        gates = self._gate_of.get(one.point, ""), self._gate_of.get(other.point, "")
        apart = all(gates) and gates[0] != gates[1]
        return apart and one.trusted and other.trusted and abs(one.at_ms - other.at_ms) < self._impossible_ms

    # --- folding ---------------------------------------------------------------------------------

    def read(self, entry: Entry) -> None:
        """A fact with a scheme came from a read; with a counter, from a card that proved itself."""
        body = entry.body
        proof = None
        if body.get("counter") and body.get("card"):
            proof = (body["card"], body["counter"])
            self.counters[proof[0]] = max(proof[1], self.counters.get(proof[0], 0))
        holder = body.get("child") or body.get("person")
        if holder and body["scheme"] not in _NO_CARD and not body.get("requests"):
            self._see(holder, entry, proof)

    def _see(self, holder: int, entry: Entry, proof: tuple[str, int] | None) -> None:
        seen = self.sightings.setdefault(holder, {})
        point, trusted = entry.body.get("access_point", ""), entry.clock == "trusted"
        new = Sighting(entry.order, entry.happened_ms, point, str(entry.id), trusted, proof)
        for old in seen.values():
            near = old.point != new.point and abs(old.at_ms - new.at_ms) <= PAIRED_WITHIN_MS
            if near or (proof is not None and proof == old.proof):
                first, second = sorted((old, new))
                self.pairs.setdefault(holder, {})[first.entry, second.entry] = (first, second)
        seen[new.entry] = new

    def keep(self, entry: Entry) -> None:
        """A statement of counters, so that they outlive the facts of the day."""
        for card, counter in entry.body["counters"]:
            self.counters[card] = max(counter, self.counters.get(card, 0))
            self.kept[card] = max(counter, self.kept.get(card, -1))

    def forget_before(self, at_ms: int, closed: Mapping[str, int]) -> None:
        """Lets go of sightings; of counters and of open cases never."""
        pending = {one.entries for one in self.cloned() if one.case not in closed}
        for holder, pairs in list(self.pairs.items()):
            kept = {key: pair for key, pair in pairs.items() if pair[1].at_ms >= at_ms or key in pending}
            self.pairs[holder] = kept
            if not kept:
                del self.pairs[holder]
        for holder, seen in list(self.sightings.items()):
            left = {key: one for key, one in seen.items() if one.at_ms >= at_ms}
            if left:
                self.sightings[holder] = left
            else:
                del self.sightings[holder]
