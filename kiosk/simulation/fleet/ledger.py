"""Who answers for whom, told a second time: a plain ledger that knows no custody table of the product.

It reads entries in their order and keeps one name per child. What does not fit is counted, never guessed at. A state machine
holds the product's fold against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kiosk.core.child_steps import CHILD_STEPS, children_of
from kiosk.core.entries import Entry

PRESENT = ("present", "late")


class Ledger:
    """`held`: child -> custodian. `misfits`: child -> how many facts could not be right. `doubles`: child and both releases of
    every child who was let go again after having gone."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.held: dict[int, int] = {}
        self.doubles: list[tuple[int, str, str]] = []
        self._day: dict[int, str] = {}
        self.offered: dict[int, str] = {}
        self.last_release: dict[int, str] = {}
        self.misfits: Counter[int] = Counter()
        self._today: dict[int, list[Entry]] = {}
        for child, facts in _by_child(entries).items():
            for at, entry in enumerate(facts):
                if not _taken_back(facts[at : at + 2]):
                    self._read(child, entry)

    def _read(self, child: int, entry: Entry) -> None:
        body, kind = entry.body, entry.kind
        holder = self.held.get(child, 0)
        self._turn_page(child, body.get("day", ""))
        if kind == "arrived":
            self._begin(child, body["custodian"], fits=not holder)
        elif kind == "session_entered":
            self._begin(child, body["custodian"], fits=not holder, quiet=True)
        elif kind in ("located", "mustered") or (kind == "roll_called" and dict(map(tuple, body["marks"]))[child] in PRESENT):
            self._begin(child, body["by"], fits=not holder, quiet=True)
        elif kind == "handover_offered":
            fits = bool(holder) and holder == body["giver"] and child not in self.offered
            self._mark(child, fits)
            if fits:
                self.offered[child] = str(entry.id)
        elif kind in ("handover_accepted", "handover_declined", "handover_lapsed"):
            fits = bool(holder) and self.offered.get(child) == body["handover"]
            self._mark(child, fits)
            if fits:
                del self.offered[child]
                self.held[child] = body["taker"] if kind == "handover_accepted" else holder
        else:
            self._ending(child, entry, holder)
        if kind != "passage_unused":
            self._today.setdefault(child, []).append(entry)

    def _turn_page(self, child: int, day: str) -> None:
        """A release of yesterday is neither undone nor doubled today."""
        if day > self._day.setdefault(child, day):
            self._day[child] = day
            self.last_release.pop(child, None)
            self._today.pop(child, None)

    def _unknown_to(self, child: int, entry: Entry) -> list[str]:
        """The day's releases that this one cannot have known of: walked forwards, from each release to whoever knew of it."""
        found, facts = [], self._today.get(child, [])
        for at, release in enumerate(facts):
            if release.kind != "released":
                continue
            informed = [release]
            for fact in facts[at + 1 :]:
                if fact not in informed and any(fact.knew(one) for one in informed):
                    informed.append(fact)
            same = release.body.get("day") == entry.body.get("day") or "untrusted" in (release.clock, entry.clock)
            if same and not any(entry.knew(one) for one in informed):
                found.append(str(release.id))
        return found

    def _ending(self, child: int, entry: Entry, holder: int) -> None:
        body, kind = entry.body, entry.kind
        ends = kind == "released" or (kind == "correction" and body["what"] != "not_released")
        resumes = kind == "release_undone" or (kind == "correction" and body["what"] == "not_released")
        if ends:
            unknown = self._unknown_to(child, entry) if kind == "released" else []
            self._mark(child, bool(holder) and not unknown)
            self.doubles += [(child, first, str(entry.id)) for first in unknown]
            if kind == "released" and not holder and self.last_release.get(child) not in (None, *unknown):
                self.doubles.append((child, self.last_release[child], str(entry.id)))
            self.held.pop(child, None)
            self.offered.pop(child, None)
            if kind == "released" or holder:
                self.last_release.setdefault(child, str(entry.id))
                if holder:
                    self.last_release[child] = str(entry.id)
        elif resumes:
            fits = not holder and child in self.last_release
            if kind == "release_undone":
                fits = fits and self.last_release[child] == body["release"]
            self._mark(child, fits)
            if fits:
                self.held[child] = body["custodian"]
                del self.last_release[child]

    def _begin(self, child: int, custodian: int, *, fits: bool, quiet: bool = False) -> None:
        if fits:
            self.held[child] = custodian
            self.last_release.pop(child, None)
        elif not quiet:
            self.misfits[child] += 1

    def _mark(self, child: int, fits: bool) -> None:
        if not fits:
            self.misfits[child] += 1


def _by_child(entries: Iterable[Entry]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: e.order):
        for child in children_of(entry) if entry.kind in CHILD_STEPS else ():
            found.setdefault(child, []).append(entry)
    return found


def _taken_back(pair: list[Entry]) -> bool:
    """Whether the second says of the first that nobody used that passage."""
    return len(pair) == 2 and pair[1].kind == "passage_unused" and pair[1].body["passage"] == str(pair[0].id)
