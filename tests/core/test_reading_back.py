"""A running gate reads its state back from the disk in slices: taps go on between them, and the end is that of a restart."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kiosk import reading_back
from kiosk.controller import Controller
from kiosk.core import commands as c
from kiosk.core import late_facts
from kiosk.core.entries import Entry, Sealed
from tests.support.people import uid_of
from tests.support.two_gates import TwoGates, morning_ms

HOUR_MS = 3_600_000
LEADER = 140


@pytest.fixture
def gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading_back, "SLICE", 2)  # a small school has few facts
    gates = TwoGates(tmp_path, start_ms=morning_ms())
    yield gates
    gates.close()


def on_disk(gates: TwoGates, node: str, sealed: list[Sealed]) -> None:
    """What the agent leaves beside the journal, more of it each time."""
    with sqlite3.connect(gates.folder / node / "peers.db") as db:
        db.execute(
            "CREATE TABLE IF NOT EXISTS peers (id INTEGER PRIMARY KEY, node TEXT, incarnation TEXT, seq INTEGER, raw BLOB,"
            " hash BLOB, UNIQUE(node, incarnation, seq))"
        )
        rows = [(s.entry.node, s.entry.incarnation, s.entry.seq, s.raw, s.hash) for s in sealed]
        db.executemany("INSERT OR IGNORE INTO peers (node, incarnation, seq, raw, hash) VALUES (?, ?, ?, ?, ?)", rows)
    db.close()


def three_days_apart(gates: TwoGates) -> None:
    """East, cut off, sees four children come each day; south sees one of them go, and closes each day."""
    for _ in range(3):
        for child in (1, 2, 3, 4):
            gates.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(child)))
        later(gates, HOUR_MS)
        gates.press("south", c.CallRoll(roster="class:primary-2022-1", marks={3: "present"}, by=105))
        later(gates, 10 * HOUR_MS)
        gates.press("south", c.Read(access_point="south-out", scheme="uid", value=uid_of(3)))
        gates.press("south", c.Passed(access_point="south-out"))
        assert gates.press("south", c.ClearCampus(by=LEADER)).outcome == "granted"
        later(gates, 13 * HOUR_MS)
        for node in ("east", "south"):
            gates.press(node, c.Tick())


def later(gates: TwoGates, ms: int) -> None:
    for clock in gates.clock.values():
        clock.advance(ms)


def begun(gates: TwoGates, entries: list[Sealed]) -> Controller:
    """South has been told, in the middle of more: nothing is read back yet."""
    on_disk(gates, "south", entries)
    south = gates.gate["south"]
    for start in range(0, len(entries), 3):
        gates.press("south", c.PeerEntries(sealed=tuple(entries[start : start + 3]), more=True))
    assert south.world.reread
    return south


def test_taps_between_the_slices_are_in_the_state_that_comes_of_them(gates: TwoGates) -> None:
    three_days_apart(gates)
    south = begun(gates, gates.own("east"))
    slices, child = south._reread(), 5
    world = None
    while world is None:
        try:
            next(slices)
        except StopIteration as end:
            world = end.value
        else:
            gates.press("south", c.Read(access_point="south-in", scheme="uid", value=uid_of(child)))
            child += 1
    assert child > 5, "there was more than one slice"
    again = south._rebuild()
    assert world.campus.fingerprint() == again.campus.fingerprint()
    assert (world.stream.seq, world.stream.head, world.stream.seen) == (again.stream.seq, again.stream.head, again.stream.seen)
    assert world.campus.child(5).hold.live


def test_what_other_gates_write_between_the_slices_is_in_it_as_well(gates: TwoGates) -> None:
    three_days_apart(gates)
    heard = gates.own("east")
    south = begun(gates, heard[: len(heard) // 2])
    slices = south._reread()
    next(slices)
    on_disk(gates, "south", heard)
    with pytest.raises(StopIteration) as end:
        while True:
            next(slices)
    assert end.value.value.campus.fingerprint() == south._rebuild().campus.fingerprint()


def test_the_story_stays_the_old_one_until_everything_is_read(gates: TwoGates) -> None:
    """Half of a late day would be a ghost story; and what is decided meanwhile does not claim to have known it."""
    three_days_apart(gates)
    before, heard = gates.gate["south"].world.campus.fingerprint(), gates.own("east")
    first = next(one.entry for one in heard if one.entry.kind == "arrived")
    south = begun(gates, heard)
    assert south.world.campus.fingerprint() == before
    assert south.world.stream.seen == {first.stream: first.seq - 1}
    gates.press("south", c.PeerEntries(sealed=()))  # the last of them
    assert not south.world.reread
    assert south.world.campus.fingerprint() == south._rebuild().campus.fingerprint() != before
    assert south.world.stream.seen == {first.stream: len(heard)}


def test_the_days_before_a_morning_that_came_ahead_are_read_in_their_order_when_all_are_there(gates: TwoGates) -> None:
    """One by one, each of them would have the story of every child in it told anew."""
    gates.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(3)))
    (yesterday,) = gates.own("east")[-1:]
    later(gates, 24 * HOUR_MS)
    for node in ("east", "south"):
        gates.press(node, c.Tick())
    gates.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(3)))
    south, heard = gates.gate["south"], gates.own("east")
    morning = heard[-1]
    assert [one.entry.kind for one in (yesterday, morning)] == ["arrived", "seen"]
    gates.press("south", c.PeerEntries(sealed=(morning,), ahead=True))
    on_disk(gates, "south", heard)

    gates.press("south", c.PeerEntries(sealed=(yesterday,), more=True))
    assert south.world.reread and not south.world.campus.knows(yesterday.entry.id)
    assert south.world.campus.last_of(3) == morning.entry, "this morning counts meanwhile"
    gates.press("south", c.PeerEntries(sealed=()))
    assert not south.world.reread and south.world.campus.child(3).hold.live
    assert south.world.campus.fingerprint() == south._rebuild().campus.fingerprint()


def test_what_no_fact_has_is_never_taken_for_one_of_a_day_before(gates: TwoGates) -> None:
    campus = gates.gate["south"].world.campus
    for body in ({}, {"child": [3]}, {"children": 7}, {"children": [[1]]}, {"marks": None}, {"day": 7, "child": 3}):
        one = Entry(
            node="east", incarnation="b" * 16, seq=1, tick=1, at_ms=1, clock="trusted", kind="roll_called",
            body={"day": "2026-01-01", **body},
        )  # fmt: skip
        assert not late_facts.is_told_backwards(one, "2026-11-23", campus)


def test_a_tap_goes_before_what_other_gates_wrote(gates: TwoGates) -> None:
    """On the loop's own thread, with both waiting."""
    south, order = gates.gate["south"], list[str]()
    gates.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(3)))
    south.submit(c.PeerEntries(sealed=tuple(gates.own("east"))), lambda _: order.append("peers"))
    south.submit(c.Read(access_point="south-in", scheme="uid", value=uid_of(4)), lambda _: order.append("tap"))
    south.start()
    south.ask(c.Tick())
    south._stopping.set()
    south.submit(c.Tick())
    south._thread.join()
    assert order == ["tap", "peers"]


def fact(seq: int, body: dict[str, object]) -> Sealed:
    return Sealed(
        Entry(node="east", incarnation="a" * 16, seq=seq, tick=seq, at_ms=seq, clock="trusted", kind="any", body=body), b"", b""
    )


def test_a_part_is_measured_by_the_children_that_its_facts_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two dozen classes handed over are a thousand children's steps: in one turn, cards would wait for all of them."""
    monkeypatch.setattr(reading_back, "SLICE", 24)
    single = [fact(seq, {"child": seq}) for seq in range(1, 31)]
    classes = [fact(seq, {"children": list(range(45))}) for seq in range(31, 33)]
    roll = fact(33, {"marks": [[child, "present"] for child in range(20)]})
    strange = [fact(34, {"children": 7}), fact(35, {"marks": None}), fact(36, {"children": "1,2,3"})]
    everything = [*single, *classes, roll, *strange]

    found = list(reading_back.parts(everything))

    assert [one for part in found for one in part] == everything
    assert [len(part) for part in found] == [24, 6, 1, 1, 4]
    assert all(len(part) == 1 or sum(reading_back.steps_of(one.entry) for one in part) <= 24 for part in found)
    assert list(reading_back.parts([])) == []
