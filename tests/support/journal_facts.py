"""What a journal file holds, read by nobody's code but SQLite and the entry's own decoder, and what must be true of it.

Used by the fault runs after the last restart: the checks do not trust the gate that wrote the file.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from kiosk.clock import FixedClock
from kiosk.core.campus import Campus
from kiosk.core.entries import Entry, Kind, decode
from kiosk.directory import load
from kiosk.opening import open_gate
from kiosk.settings import load as load_settings
from kiosk.settings import shared_data_dir
from tests.support.running_gate import run_kiosk

IN = frozenset({Kind.ARRIVED, Kind.SESSION_ENTERED})


class Written(NamedTuple):
    """An entry and its boot: (boot, seq) is the order of writing."""

    boot: int
    entry: Entry


def read_journal(state: Path) -> list[Written]:
    connection = sqlite3.connect(f"{(state / 'journal.db').as_uri()}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT boot, raw FROM entries ORDER BY boot, seq").fetchall()
    finally:
        connection.close()
    return [Written(boot, decode(raw)) for boot, raw in rows]


def check_numbers(written: list[Written]) -> None:
    """Every incarnation counts 1, 2, 3 … without a gap, and no identity is there twice."""
    ids = Counter(one.entry.id for one in written)
    assert len(ids) == len(written), f"doubled: {[str(i) for i, count in ids.items() if count > 1][:5]}"
    by_boot: dict[int, list[Entry]] = {}
    for one in written:
        by_boot.setdefault(one.boot, []).append(one.entry)
    assert sorted(by_boot) == list(range(1, len(by_boot) + 1)), "a boot is missing"
    for boot, entries in by_boot.items():
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1)), f"boot {boot} has a gap"
        assert len({entry.incarnation for entry in entries}) == 1
        assert entries[0].kind == Kind.INCARNATION_OPENED
    assert len({entries[0].incarnation for entries in by_boot.values()}) == len(by_boot), "an incarnation came twice"


def check_verified(state: Path) -> int:
    """`kiosk verify --json` finds it whole. Returns the number of entries."""
    done = run_kiosk("verify", "--state", str(state), "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["ok"] and found["first_bad"] is None, found
    return int(found["entries"])


def folded(written: list[Written]) -> Campus:
    campus = Campus()
    for one in written:
        campus.apply(one.entry)
    return campus


def check_fold(written: list[Written], seed: int) -> Campus:
    """The state is a function of the facts: shuffled and doubled they give the same."""
    campus, again = folded(written), list(written)
    chance = random.Random(seed)
    again += chance.choices(written, k=min(200, len(written)))
    chance.shuffle(again)
    assert folded(again).fingerprint() == campus.fingerprint()
    return campus


def check_custody(written: list[Written], campus: Campus, staff: frozenset[int]) -> int:
    """Exactly one custodian, a real one, for exactly those who came in and did not go. Returns how many they are."""
    inside: set[int] = set()
    for one in written:
        entry = one.entry
        if entry.kind in IN:
            inside.add(entry.body["child"])
        elif entry.kind == Kind.RELEASED:
            inside.discard(entry.body["child"])
    held = {number: state.hold.custodian for number, state in campus.on_campus()}
    assert set(held) == inside, "a child on campus is in nobody's custody, or one outside is in somebody's"
    assert set(held.values()) <= staff, f"custody of nobody known: {sorted(set(held.values()) - staff)[:5]}"
    return len(held)


def check_replay(state: Path, campus: Campus, day: str) -> None:
    """`kiosk replay --json` of the end of the day tells the same places and custodians as the fold."""
    config = str(shared_data_dir("sample_school"))
    done = run_kiosk("replay", "--config", config, "--state", str(state), "--json", "--at", f"{day}T23:59:59")
    assert done.returncode == 0, done.stderr
    told = {c["child"]: (c["place"], c["custodian"]) for c in json.loads(done.stdout)["children"]}
    mine = {n: (s.place, s.hold.custodian or None) for n, s in campus.children.items() if s.day == day}
    assert told == mine


def check_reopened(state: Path, directory: Path, campus: Campus) -> None:
    """A gate opened on this state stands exactly where the facts say; it adds a boot of its own."""
    last_ms = max(one.entry.at_ms for one in read_journal(state))
    gate = open_gate(
        settings=load_settings(shared_data_dir("sample_school")),
        directory=load(directory),
        state=state,
        clock=FixedClock(last_ms),
    )
    try:
        assert gate.world.campus.fingerprint() == campus.fingerprint()
    finally:
        gate.journal.close()


def staff_of(state: Path) -> frozenset[int]:
    return frozenset(load(state / "directory.db").staff)
