"""Attendance for the school's other systems: every entry in the order of storing, page after page. Reads only."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from sync_agent.protocol import MAX_RELAY_ENTRIES, Code
from sync_agent.school_server.cloud_events import events_of
from sync_agent.school_server.refusals import Refused
from sync_agent.school_server.relaying import relayed
from sync_agent.school_server.store import Store, StoredEntry

DEFAULT_ENTRIES: Final = 500
HEADER_NEXT: Final = "Kiosk-Next"  # of the answer in CloudEvents, whose body is the events and nothing else
HEADER_MORE: Final = "Kiosk-More"


class ReadItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry. Exactly one of entry (embedded JSON) and octets (base64) is there."""

    position: int
    node: str
    incarnation: str
    seq: int
    hash: str
    entry: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    octets: str | msgspec.UnsetType = msgspec.UNSET
    quarantined: str = ""


class ReadPage(msgspec.Struct, frozen=True, kw_only=True):
    """next: the `after` of the next question. more: whether there is anything behind it now."""

    entries: list[ReadItem]
    next: int
    more: bool


def check_token(authorization: str, *, tokens: Sequence[str]) -> None:
    """tokens: each opens; "" opens nothing. Raises Refused. Without a token on the server the read API is shut."""
    given = authorization.removeprefix("Bearer ").encode("latin-1", "replace")
    if not any(token and hmac.compare_digest(token.encode(), given) for token in tokens):
        raise Refused(Code.BAD_TOKEN, "the read API wants Authorization: Bearer and the server's read token")


def read_page(store: Store, *, school: str, after: int, most: int) -> ReadPage:
    """after: 0 or the `next` of the page before. most: cut to 1 .. MAX_RELAY_ENTRIES."""
    most = max(1, min(most, MAX_RELAY_ENTRIES))
    found = store.entries_after(school=school, position=after, most=most + 1)
    items = [_item(entry) for entry in found[:most]]
    return ReadPage(entries=items, next=items[-1].position if items else after, more=len(found) > most)


@dataclass(frozen=True, slots=True)
class EventPage:
    """events: a JSON array of CloudEvents, which may be empty although there is more."""

    events: bytes
    next: int
    more: bool


def event_page(store: Store, *, school: str, after: int, most: int) -> EventPage:
    """As `read_page`, of the kinds that are attendance, for systems that take CloudEvents. most: entries looked at."""
    most = max(1, min(most, MAX_RELAY_ENTRIES))
    found = store.entries_after(school=school, position=after, most=most + 1)
    events = msgspec.json.encode(events_of(found[:most], school=school))
    return EventPage(events, found[:most][-1].position if found else after, len(found) > most)


def _item(entry: StoredEntry) -> ReadItem:
    item = relayed(entry)
    return ReadItem(
        position=entry.position,
        node=entry.node,
        incarnation=entry.incarnation,
        seq=entry.seq,
        hash=item.hash,
        entry=item.entry,
        octets=item.octets,
        quarantined=item.quarantined,
    )
