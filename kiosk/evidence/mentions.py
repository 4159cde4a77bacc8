"""Which entries are about a child, and which of them belong to one of its days. Pure.

Total: a body that another version wrote, or that is damaged, mentions whom it can be read to mention and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kiosk.core.child_steps import children_of as folded_children
from kiosk.core.entries import Entry

LATER_DAYS = 7  # so long after a day, entries that name one of its entries still belong to it (corrections, closed cases)
_ONE = ("child", "person")
_MANY = ("children", "candidates", "guests")
_PAIRS = ("marks", "exceptions", "dormitory")
_KEYED = ("states",)  # of an archived session and its corrections: a child's number -> its state
MAX_DIGITS = 18  # of a number that names a person; a longer one is damage
_MISFITS = (KeyError, TypeError, ValueError, AttributeError)


def children_of(entry: Entry) -> tuple[int, ...]:
    """The children whom the fold would move by this entry; none for a body that has not the shape."""
    try:
        return tuple(child for child in folded_children(entry) if type(child) is int)
    except _MISFITS:
        return ()


def mentioned(body: dict[str, Any]) -> Iterator[int]:
    """Every person whom a body names in the place of a child."""
    for word in _ONE:
        if type(body.get(word)) is int:
            yield body[word]
    for word in _MANY:
        yield from (one for one in _listed(body, word) if type(one) is int)
    for word in _PAIRS:
        yield from (one[0] for one in _listed(body, word) if isinstance(one, list) and one and type(one[0]) is int)
    for word in _KEYED:
        found = body.get(word)
        keys = found if isinstance(found, dict) else ()
        yield from (int(one) for one in keys if isinstance(one, str) and one.isdecimal() and len(one) <= MAX_DIGITS)


def _listed(body: dict[str, Any], word: str) -> list[Any]:
    found = body.get(word)
    return found if isinstance(found, list) else []


def day_of(entry: Entry, utc_offset_ms: int) -> date | None:
    """The school day to which an entry belongs: what its writer said, else its writer's clock. None for neither."""
    said = entry.body.get("day")
    try:
        if isinstance(said, str):
            return date.fromisoformat(said)
        return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=entry.at_ms + utc_offset_ms)).date()
    except (ValueError, OverflowError):
        return None


def of_child_day(entries: Iterable[Entry], child: int, day: date, utc_offset_ms: int, *, since: str = "") -> list[Entry]:
    """The entries of one child's day, in the total order.

    What mentions the child on that day; from entry `since` on (where the custody began in which the child came into the
    day) also what is older; and for LATER_DAYS afterwards whatever names one of these by its id.
    """
    ordered = sorted(entries, key=lambda entry: entry.order)
    begun = next((entry.order for entry in ordered if str(entry.id) == since), None)
    last = day + timedelta(days=LATER_DAYS)
    picked: list[Entry] = []
    ids: set[str] = set()
    for entry in ordered:
        on = day_of(entry, utc_offset_ms)
        if on is None or on > last:
            continue
        about = set(mentioned(entry.body))
        mine = child in about
        of_the_day = mine and on == day
        carried = mine and on < day and begun is not None and entry.order >= begun
        follows = on >= day and (mine or not about) and _names(entry.body, ids)  # never what is about other children only
        if of_the_day or carried or follows:
            picked.append(entry)
            ids.add(str(entry.id))
    return picked


def _names(body: dict[str, Any], ids: set[str]) -> bool:
    """Whether a body names one of these entries: as a handover, a request, a release, or at the end of a case."""
    for value in body.values():
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str) and (text in ids or text.rpartition(":")[2] in ids):
                return True
    return False
