"""What the facts say about erasing, holds, requests of families and consent rows: folded in any order, the same for all.

A person that was erased stays erased. Of a hold and of a consent the last word counts. Nothing here has a name.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kiosk.core.entries import Entry, Kind

Order = tuple[int, str, str, int]


class Said(NamedTuple):
    """A fact of the privacy side as it was written, for the logs. Numbers and words of closed vocabularies."""

    order: Order
    at_ms: int
    node: str
    kind: str
    entry: str
    body: dict[str, Any]


class Erased(NamedTuple):
    order: Order
    at_ms: int
    why: str
    by: int
    entry: str


class Hold(NamedTuple):
    """stands: set, and not lifted since. note: digest of the reason."""

    order: Order
    stands: bool
    at_ms: int
    by: int
    note: str


class Asked(NamedTuple):
    """A correction that a family asked for. due: ISO date by which it is to be decided."""

    at_ms: int
    child: int
    what: str
    guardian: int
    by: int
    due: str
    note: str


class Decided(NamedTuple):
    order: Order
    at_ms: int
    granted: bool
    by: int
    note: str


class ConsentRow(NamedTuple):
    """A line of the ledger. valid_from, valid_to: ISO dates, "" = open. paper: digest of the note with the reference."""

    order: Order
    at_ms: int
    guardian: int
    how: str
    text_version: str
    basis: str
    valid_from: str
    valid_to: str
    by: int
    paper: str

    def covers(self, day: str) -> bool:
        return (not self.valid_from or self.valid_from <= day) and (not self.valid_to or day <= self.valid_to)


class PrivacyBook:
    def __init__(self) -> None:
        self.erased: dict[int, Erased] = {}  # person -> the first word that everything goes
        self.holds: dict[tuple[int, str], Hold] = {}  # (child or 0, case or "") -> the last word
        self.asked: dict[str, Asked] = {}  # entry id -> a request
        self.decided: dict[str, Decided] = {}  # entry id of the request -> the first decision
        self.rows: dict[tuple[int, str], ConsentRow] = {}  # (child, purpose) -> the last row
        self.log: dict[str, Said] = {}  # entry id -> every fact of the privacy side

    def held(self, child: int) -> bool:
        return any(hold.stands and key[0] == child for key, hold in self.holds.items())

    def held_cases(self) -> frozenset[str]:
        return frozenset(case for (_, case), hold in self.holds.items() if hold.stands and case)

    def open_requests(self) -> list[tuple[str, Asked]]:
        return [(key, one) for key, one in self.asked.items() if key not in self.decided]

    def tables(self) -> tuple[dict[Any, Any], ...]:
        return (self.erased, self.holds, self.asked, self.decided, self.rows, self.log)

    # --- folding ---------------------------------------------------------------------------------

    def keep(self, entry: Entry) -> None:
        key = str(entry.id)
        self.log[key] = Said(entry.order, entry.at_ms, entry.node, entry.kind, key, entry.body)

    def erase(self, entry: Entry) -> None:
        body = entry.body
        for person in body["persons"]:
            said = Erased(entry.order, entry.at_ms, body["why"], body["by"], str(entry.id))
            self.erased[person] = min(said, self.erased.get(person, said))

    def hold(self, entry: Entry) -> None:
        body, key = entry.body, (entry.body.get("child", 0), entry.body.get("case", ""))
        said = Hold(entry.order, entry.kind == Kind.HOLD_SET, entry.at_ms, body["by"], body.get("note", ""))
        self.holds[key] = max(said, self.holds.get(key, said))

    def ask(self, entry: Entry) -> None:
        body = entry.body
        self.asked[str(entry.id)] = Asked(
            entry.at_ms, body["child"], body["what"], body.get("guardian", 0), body["by"], body["due"], body.get("note", "")
        )

    def decide(self, entry: Entry) -> None:
        body = entry.body
        said = Decided(entry.order, entry.at_ms, body["granted"], body["by"], body.get("note", ""))
        self.decided[body["request"]] = min(said, self.decided.get(body["request"], said))

    def consent(self, entry: Entry) -> None:
        body, key = entry.body, (entry.body["child"], entry.body["purpose"])
        said = ConsentRow(
            entry.order, entry.at_ms, body.get("guardian", 0), body["how"], body["text_version"], body["basis"],
            body["valid_from"], body["valid_to"], body["by"], body.get("note", ""),
        )  # fmt: skip
        self.rows[key] = max(said, self.rows.get(key, said))
