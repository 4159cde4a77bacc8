"""Files and entries that come from outside a gate: damaged, foreign, or of a version that nobody has written yet.

None of them keeps a gate shut or stops it; what can be understood of the rest still counts.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.core import roster as r
from kiosk.core.campus import Campus
from kiosk.core.commands import PeerEntries, Tick
from kiosk.core.entries import Entry, Kind, Sealed, Stream, chain_hash, encode
from kiosk.neighbours import LOOK_EVERY_S
from kiosk.reading_back import peers_after
from tests.hostile.conftest import Site, wait_until
from tests.support.fault_school import PIN
from tests.support.plain_http import http_client
from tests.support.running_gate import not_busy
from tests.support.school import School

DAY = "2026-11-23"
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8) | st.sampled_from([1, 2, 101, DAY, "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    [
        "child",
        "children",
        "custodian",
        "day",
        "place",
        "access_point",
        "reason",
        "outcome",
        "queue",
        "candidates",
        "person",
        "giver",
        "taker",
        "handover",
        "marks",
        "roster",
        "by",
        "case",
        "rung",
        "t0_ms",
        "requests",
        "alarm",
        "card",
        "session",
        "until_ms",
        "guardian",
    ]
)
BODIES = st.dictionaries(FIELDS, JSON, max_size=10)
KINDS = st.sampled_from([*(kind.value for kind in Kind), "of_a_later_version"])


QUERIES = (
    r.BarQuery(),
    r.DutyQuery(),
    r.GuardQuery("east"),
    r.RosterQuery("class:primary-2024-1"),
    r.RosterListQuery(None),
    r.ChildQuery(3),
    r.SearchQuery("w"),
    r.DisplayQuery("east-in"),
)


def entry(stream: Stream, kind: str, body: dict[str, Any]) -> Sealed:
    stream.seq += 1
    one = Entry(
        node=stream.node,
        incarnation=stream.incarnation,
        seq=stream.seq,
        tick=1_795_391_200_000 + stream.seq,
        at_ms=1_795_391_200_000,
        clock="trusted",
        kind=kind,
        body=body,
    )
    raw = encode(one)
    stream.head = chain_hash(stream.head, raw)
    return Sealed(one, raw, stream.head)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(facts=st.lists(st.tuples(KINDS, BODIES), min_size=1, max_size=8), turn=st.randoms(use_true_random=False))
def test_no_body_breaks_the_fold_and_the_others_still_count(facts: list[tuple[str, dict[str, Any]]], turn: Any) -> None:
    stream = Stream(node="south", incarnation="b" * 16)
    good = entry(stream, "arrived", {"child": 7, "day": DAY, "custodian": 101, "access_point": "south-in", "reason": "on_time"})
    every = [good, *(entry(stream, kind, body) for kind, body in facts)]
    turn.shuffle(every)
    campus = Campus()
    for one in every:
        assert campus.apply(one.entry) in (True, False)
        assert campus.apply(one.entry), "the second time it is simply known"
    assert campus.knows(good.entry.id)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(facts=st.lists(st.tuples(KINDS, BODIES), min_size=1, max_size=12))
def test_entries_of_another_gate_neither_stop_this_one_nor_keep_it_shut(facts: list[tuple[str, dict[str, Any]]]) -> None:
    stream = Stream(node="south", incarnation="c" * 16)
    every = tuple(entry(stream, kind, {**body, "child": body.get("child", 3)}) for kind, body in facts)
    with tempfile.TemporaryDirectory() as folder:
        school = School(Path(folder))
        school.ask(PeerEntries(sealed=every))
        assert school.tap("高个子", "south-in").entry is not None
        school.clock.set(school.ms("20:00"))
        for _ in range(8):  # every ladder is climbed, a rung at a time
            school.ask(Tick())
        for query in QUERIES:
            assert school.look(query) is not None, query
        write_peers(school.state, every)
        school.restart()
        assert school.tap("弟弟", "east-in").entry is not None
        school.close()


def write_peers(state: Path, sealed: tuple[Sealed, ...]) -> None:
    with sqlite3.connect(state / "peers.db") as db:
        db.execute("CREATE TABLE peers (id INTEGER PRIMARY KEY, node TEXT, incarnation TEXT, seq INTEGER, raw BLOB, hash BLOB)")
        rows = [(s.entry.node, s.entry.incarnation, s.entry.seq, s.raw, s.hash) for s in sealed]
        db.executemany("INSERT INTO peers (node, incarnation, seq, raw, hash) VALUES (?, ?, ?, ?, ?)", rows)
    db.close()


@pytest.mark.parametrize("content", [b"", b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 5_000])
def test_a_damaged_copy_of_the_other_gates_entries_keeps_no_gate_shut(school: School, content: bytes) -> None:
    school.tap("王小明", "east-in")
    (school.state / "peers.db").write_bytes(content)
    school.restart()
    assert school.custodian("王小明") == "张老师"
    assert school.tap("李雷", "south-in").entry is not None


def test_an_unreadable_entry_among_the_peers_is_left_where_it_is(school: School) -> None:
    stream = Stream(node="south", incarnation="d" * 16)
    good = entry(stream, "arrived", {"child": 7, "day": DAY, "custodian": 106, "access_point": "south-in", "reason": "on_time"})
    write_peers(school.state, (good._replace(raw=b"{not json"), good))
    row, found = peers_after(school.state, 0)
    assert row == 2 and [one.entry.seq for one in found] == [1]
    school.restart()
    assert school.custodian("高个子") == "黄老师"


def test_files_that_turn_to_garbage_under_a_running_gate_stop_nothing(unharmed: Site) -> None:
    """As a dying card or a wrong copy leaves them: status, peers, and a directory that is none."""
    state = unharmed.gate.state
    kept = (state / "directory.db").read_bytes()
    draft = state / "draft"
    for content in (b"\x00\xff" * 3_000, b"", b'{"written_ms":"x"}', b"SQLite format 3\x00" + b"\x01" * 9_000):
        for name in ("sync_status.json", "peers.db", "directory.db"):
            draft.write_bytes(content)
            draft.replace(state / name)
        time.sleep(LOOK_EVERY_S + 0.1)  # the gate has looked at them
        unharmed.still_works()
    with http_client(unharmed.gate.url) as office:
        answer = wait_until(
            lambda: not_busy(office.post("/sign-in", json={"staff_number": "O001", "pin": PIN})), "a sign-in is answered"
        )
        assert answer.status_code == 503 and "directory.db" in answer.json()["error"], answer.text
    draft.write_bytes(kept)
    draft.replace(state / "directory.db")
    for name in ("sync_status.json", "peers.db"):
        (state / name).unlink()
