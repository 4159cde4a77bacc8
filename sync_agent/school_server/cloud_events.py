"""Stored entries as CloudEvents 1.0, for systems that know nothing of this protocol: pure, no I/O.

Only the kinds that attendance is counted by, and of them only the fields that are named here: numbers, words of closed lists,
times. Whatever else a body holds (a salted digest, a reason in somebody's words, a field of a later version) stays on the
server, so nothing that names a person can leave by this door because a kind has grown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from kiosk.core.entries import Entry, Kind, UnreadableEntry, decode
from sync_agent.protocol import MAX_SEQ
from sync_agent.school_server.store import StoredEntry

EVENT: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
SPECIFICATION: Final = "1.0"
TYPE_PREFIX: Final = "campus-kiosk."
KINDS: Final = frozenset({
    Kind.ARRIVED, Kind.SESSION_ENTERED, Kind.SESSION_LEFT, Kind.ROLL_CALLED, Kind.ABSENCE_EXCUSED, Kind.RELEASED, Kind.GROUP_OUT,
    Kind.GROUP_BACK, Kind.PASSAGE_UNUSED, Kind.RELEASE_UNDONE, Kind.CORRECTION,
})  # fmt: skip
_NUMBERS: Final = ("child", "custodian", "by", "guard", "second", "collector", "read_at_ms", "at_ms")
_WORDS: Final = ("day", "access_point", "reason", "session", "place", "roster", "mode", "passage", "release", "what")
_LATEST_MS: Final = 253_402_300_799_999  # the last moment of the year 9999, which RFC 3339 can say


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One CloudEvent in the JSON format. `id` is `node/incarnation/seq`: the same event always has the same one."""

    id: str
    source: str
    type: str
    data: dict[str, Any]
    specversion: str
    datacontenttype: str
    subject: str | msgspec.UnsetType = msgspec.UNSET
    time: str | msgspec.UnsetType = msgspec.UNSET


def event_of(stored: StoredEntry, *, school: str, kinds: Collection[str] = KINDS) -> Event | None:
    """None for an entry of another kind, and for one that the server could not read: a person looks at that one."""
    if stored.quarantined:
        return None
    try:
        entry = decode(stored.raw)
    except (UnreadableEntry, RecursionError, ValueError):
        return None
    if entry.kind not in KINDS or entry.kind not in kinds:
        return None
    child = entry.body.get("child")
    return Event(
        id=f"{stored.node}/{stored.incarnation}/{stored.seq}",
        source=f"/schools/{school}/nodes/{stored.node}",
        type=TYPE_PREFIX + entry.kind,
        subject=str(child) if _is_number(child) else msgspec.UNSET,
        time=_time(entry),
        specversion=SPECIFICATION,
        datacontenttype="application/json",
        data={"kind": entry.kind, "tick": entry.tick, "at_ms": entry.at_ms, "clock": entry.clock, **_told(entry.body)},
    )


def events_of(entries: Sequence[StoredEntry], *, school: str, kinds: Collection[str] = KINDS) -> list[Event]:
    """In the order of storing."""
    found = (event_of(entry, school=school, kinds=kinds) for entry in entries)
    return [event for event in found if event is not None]


def _told(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as far as it may go, under `body`."""
    kept: dict[str, Any] = {name: body[name] for name in _NUMBERS if _is_number(body.get(name))}
    kept |= {name: body[name] for name in _WORDS if _is_word(body.get(name))}
    if isinstance(children := body.get("children"), (list, tuple)):
        kept["children"] = [child for child in children if _is_number(child)]
    if isinstance(marks := body.get("marks"), (list, tuple)):
        kept["marks"] = [list(one) for one in marks if _is_mark(one)]
    if isinstance(without := body.get("exceptions"), (list, tuple)):  # why is somebody's own words: it stays here
        kept["exceptions"] = [one[0] for one in without if isinstance(one, (list, tuple)) and one and _is_number(one[0])]
    return {"body": kept}


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEQ


def _is_word(value: object) -> bool:
    """What a setting, a list of words or an entry's name can be; no sentence."""
    return isinstance(value, str) and 0 < len(value) <= 200 and not any(one.isspace() for one in value)


def _is_mark(value: object) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and _is_number(value[0]) and _is_word(value[1])


def _time(entry: Entry) -> str | msgspec.UnsetType:
    """When it happened: a read that a terminal kept is older than its entry. No time where the clock was absurd."""
    read_ms = entry.body.get("read_at_ms")
    at_ms = min(entry.at_ms, read_ms) if isinstance(read_ms, int) and read_ms > 0 else entry.at_ms
    if not 0 <= at_ms <= _LATEST_MS:
        return msgspec.UNSET
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
