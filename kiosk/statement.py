"""静校声明: the statement of zero of one day, signed by this gate.

The fact is the `campus_cleared` entry in the journal; the statement repeats it with its hash, so that a sheet on the wall and a
record in the chain can be held against each other. It says nothing that the entry does not say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from kiosk.core.entries import Kind
from kiosk.evidence.bundle import fingerprint
from kiosk.evidence.mentions import day_of
from kiosk.evidence.packing import node_key
from kiosk.recorded import DAY_MS, Placed, RecordsError, day_bounds, local_time, opened
from sync_agent.keys import SigningKey, verify

FORMAT: Final = "campus-kiosk statement 1"
SIGNED: Final = ("format", "day", "node", "at_ms", "entry", "hash", "body", "public_key")
NOT_COUNTS: Final = frozenset({"by", "day", "dormitory", "sleeping", "of_list"})


class NotCleared(RecordsError):
    """The day was not closed on record."""


def statement_of(cleared: Placed, key: SigningKey, *, utc_offset_ms: int) -> dict[str, Any]:
    """The statement as JSON, with the signature over the canonical bytes of what `SIGNED` names."""
    entry = cleared.entry
    document: dict[str, Any] = {
        "format": FORMAT,
        "day": str(entry.body.get("day", "")),
        "node": entry.node,
        "at_ms": entry.at_ms,
        "at": local_time(entry.at_ms, utc_offset_ms).isoformat(),
        "entry": str(entry.id),
        "hash": cleared.hash.hex(),
        "body": entry.body,
        "public_key": key.public_hex,
    }
    signature = key.sign(canonical(document))
    return {**document, "signature": signature, "fingerprint": fingerprint(key.public_hex)}


def canonical(document: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: the named fields as JSON with sorted keys and no spaces."""
    signed = {name: document[name] for name in SIGNED}
    return json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def is_genuine(document: Mapping[str, Any]) -> bool:
    """Whether the named key signed this statement."""
    try:
        text, public, signature = canonical(document), str(document["public_key"]), str(document["signature"])
    except KeyError:
        return False
    return verify(public_hex=public, text=text, signature=signature)


def counts(body: Mapping[str, Any]) -> dict[str, int]:
    """Every number of the entry, whatever its version counts; a table of numbers by its total."""
    found = {}
    for word, value in body.items():
        if word not in NOT_COUNTS and type(value) is int:
            found[word] = value
        elif word not in NOT_COUNTS and isinstance(value, dict) and all(type(v) is int for v in value.values()):
            found.setdefault(word, sum(value.values()))
    return found


def seal_text(document: Mapping[str, Any]) -> str:
    """What the QR code says: entry, hash, and the first half of the signature's SHA-256."""
    digest = sha256(bytes.fromhex(document["signature"])).hexdigest()[:32]
    return f"campus-cleared 1 {document['day']} {document['entry']} {document['hash']} {digest}"


def find_cleared(state: Path, day: date, utc_offset_ms: int) -> Placed:
    """The last 静校 of a day, of this gate or another. Raises NotCleared, RecordsError."""
    start_ms, end_ms = day_bounds(day, utc_offset_ms)
    with opened(state) as records:
        window = records.window(start_ms, end_ms + DAY_MS)
    found = [one for one in window if one.entry.kind == Kind.CAMPUS_CLEARED and day_of(one.entry, utc_offset_ms) == day]
    if not found:
        raise NotCleared(f"{day} was not closed on record; a duty leader closes the day on the duty page")
    return found[-1]


def signed_statement(state: Path, day: date, utc_offset_ms: int) -> dict[str, Any]:
    """The statement of a day, signed with this gate's key. Raises NotCleared, RecordsError."""
    return statement_of(find_cleared(state, day, utc_offset_ms), node_key(state), utc_offset_ms=utc_offset_ms)
