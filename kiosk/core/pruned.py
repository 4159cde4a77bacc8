"""Old facts whose bytes a gate let go of once the school server held them: which kinds are kept for ever, and what is said of it.

Only the bytes go. Number, kind and hash of every entry stay, so the chain goes on through them and a head that the server
countersigned is still found. What was let go of is a fact itself, written before the first byte is gone. The server has it all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from kiosk.core import commands as c
from kiosk.core.acts import done
from kiosk.core.campus import STANDING_KINDS
from kiosk.core.child_steps import children_of
from kiosk.core.decisions import Decision
from kiosk.core.entries import Entry, Fact, Kind
from kiosk.core.service_records import SERVICE_KINDS
from kiosk.core.world import World

KEPT_KINDS: Final = frozenset(
    {*STANDING_KINDS, *SERVICE_KINDS, Kind.CAMPUS_CLEARED, Kind.SETTINGS_ADOPTED, Kind.DIRECTORY_ADOPTED, Kind.RECORDS_PRUNED}
)
_PERSONS: Final = ("child", "person", "collector", "custodian", "guard", "second", "by", "giver", "taker", "guardian", "staff")
_HIGHEST: Final = "highest"  # of the persons whom the bytes named: their numbers are never given again


class Pruned(NamedTuple):
    """Of one stream, all through `seq` but the kinds that are kept. digest: SHA-256 over the hashes from the first entry on."""

    stream: str
    seq: int
    digest: str


def prune(command: c.PruneRecords, world: World, now_ms: int, trusted: bool) -> Decision:
    """Says it; the bytes go when that is durable. Under a clock that nobody trusts nothing is old."""
    if not trusted or not command.streams:
        return done()
    body = {
        "streams": [list(one) for one in command.streams], "before": command.before, "entries": command.entries,
        _HIGHEST: command.highest, "day": world.day,
    }  # fmt: skip
    return done(Fact(Kind.RECORDS_PRUNED, body))


def said_of(entries: Iterable[Entry]) -> dict[str, dict[int, str]]:
    """stream -> seq -> digest, of every fact that is one of these. Raises nothing: what is no such fact says nothing."""
    found: dict[str, dict[int, str]] = {}
    for entry in entries:
        rows = entry.body.get("streams") if entry.kind == Kind.RECORDS_PRUNED else None
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, list) and len(row) == 3 and [type(one) for one in row] == [str, int, str]:
                found.setdefault(row[0], {})[row[1]] = row[2]
    return found


def persons_named(entry: Entry) -> Iterator[int]:
    """The numbers of everybody whom a fact names, and of those whom it speaks for."""
    yield from children_of(entry)
    named: list[Any] = [entry.body.get(key) for key in (*_PERSONS, _HIGHEST)]
    named += entry.body.get("persons", ())  # whose numbers are never given again, though nothing else is left of them
    yield from (number for number in named if isinstance(number, int))
