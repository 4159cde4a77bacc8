"""Which facts are worth a notice, and the little of them that a notice needs.

What is kept has opaque numbers only: names are put in when a message is made, and are stored nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from kiosk.controller import Batch
from kiosk.core.entries import Entry, EntryId, Kind
from kiosk.notices.words import ALARM, TABLE, Words

DRILL: Final = ":drill"
KEPT: Final = ("child", "children", "told", "rung", "case", "device", "access_point", "gate", "what", "due", "days_left")
_DRILLS: Final = frozenset({Kind.EMERGENCY_DECLARED, Kind.EMERGENCY_ENDED})


class Told(NamedTuple):
    """One fact that somebody should hear of. `kind` is a key of words.TABLE."""

    entry: EntryId
    kind: str
    body: dict[str, Any]
    at_ms: int

    @property
    def words(self) -> Words:
        return TABLE[self.kind]


def of_batch(batch: Batch) -> Iterator[Told]:
    """What one turn of the loop made durable. Peers' entries are told by the gate that wrote them."""
    for _, answer in batch.answers:
        if answer.entry is None:
            continue
        first = answer.entry
        for number, fact in enumerate(answer.decision.facts):  # they were sealed one after the other
            told = of_fact(first._replace(seq=first.seq + number), fact.kind, fact.body, answer.at_ms)
            if told is not None:
                yield told


def of_entry(entry: Entry) -> Told | None:
    return of_fact(entry.id, entry.kind, entry.body, entry.at_ms)


def of_fact(entry: EntryId, kind: str, body: Mapping[str, Any], at_ms: int) -> Told | None:
    """None for a fact that makes no notice."""
    alarm = kind if ALARM + kind in TABLE else body.get("alarm")  # duress is a fact of its own
    if isinstance(alarm, str) and alarm:
        key = ALARM + alarm
        return Told(entry, key if key in TABLE else ALARM + "other", _kept(body), at_ms)
    if kind not in TABLE:
        return None
    drill = kind in _DRILLS and bool(body.get("drill"))
    return Told(entry, f"{kind}{DRILL}" if drill else str(kind), _kept(body), at_ms)


def _kept(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in KEPT if body.get(key)}
