"""Which free texts in a journal speak of somebody, or are past their time: found beside a running gate, nothing changed.

A text belongs to the fact that has its digest. It goes when that fact names the person, or when the text itself has one of
the person's words in it; a text that names several children goes with the first of them.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from kiosk.core.entries import Entry, UnreadableEntry, decode
from kiosk.core.pruned import persons_named
from kiosk.journal import FILE_NAME, connect

AT_ONCE: Final = 2_000  # entries looked through in one read
BREATH_S: Final = 0.002  # between two reads: whoever waits for the processor gets it
_BREATHING: Final = threading.Event()  # never set: only waited for


class Noted(NamedTuple):
    digest: str
    entry: Entry


def noted(state: Path) -> Iterator[Noted]:
    """Every fact that has a text, the oldest first. Raises sqlite3.Error, JournalError."""
    with closing(connect(state / FILE_NAME, read_only=True)) as db:
        kept = {digest for (digest,) in db.execute("SELECT digest FROM notes")}
        if not kept:
            return
        boots = db.execute(
            "SELECT boot, (SELECT max(seq) FROM entries e WHERE e.boot = i.boot) FROM incarnations i ORDER BY boot"
        ).fetchall()
        for boot, last in boots:
            for first in range(1, (last or 0) + 1, AT_ONCE):
                yield from _of(db, boot, first, kept)
                _BREATHING.wait(BREATH_S)


def _of(db: sqlite3.Connection, boot: int, first: int, kept: set[str]) -> list[Noted]:
    rows = db.execute(
        'SELECT raw FROM entries WHERE boot = ? AND seq BETWEEN ? AND ? AND instr(raw, \'"note":"\') > 0',
        (boot, first, first + AT_ONCE - 1),
    ).fetchall()
    found = []
    for (raw,) in rows:
        try:
            entry = decode(raw)
        except UnreadableEntry:
            continue
        digest = entry.body.get("note")
        if isinstance(digest, str) and digest in kept:
            found.append(Noted(digest, entry))
    return found


def notes_about(state: Path, persons: frozenset[int], pattern: re.Pattern[bytes] | None) -> tuple[str, ...]:
    """Digests. Raises sqlite3.Error, JournalError."""
    by_number = [one.digest for one in noted(state) if persons & names(one.entry)]
    return tuple(dict.fromkeys((*by_number, *_that_say(state, pattern))))


def names(entry: Entry) -> frozenset[int]:
    """Everybody whom a fact is about, the children of a closed session among them."""
    told = set(persons_named(entry))
    states, guests = entry.body.get("states"), entry.body.get("guests")
    told |= {int(child) for child in (states if isinstance(states, dict) else ()) if str(child).isdecimal()}
    told |= {guest for guest in (guests if isinstance(guests, list) else ()) if isinstance(guest, int)}
    return frozenset(told)


def _that_say(state: Path, pattern: re.Pattern[bytes] | None) -> Iterator[str]:
    if pattern is None:
        return
    with closing(connect(state / FILE_NAME, read_only=True)) as db:
        rows = db.execute("SELECT digest, text FROM notes").fetchall()
    yield from (digest for digest, text in rows if pattern.search(text.encode()))
