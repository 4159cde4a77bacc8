"""What becomes of a batch: the pure rules."""

from __future__ import annotations

from kiosk.core.entries import GENESIS, Fact, Kind, Stream, chain_hash
from sync_agent.protocol import Code, Sealed
from sync_agent.school_server.rules import GoBack, Judgement, Known, Run, judge

NOTHING = Known(durable_through=0, hashes={}, branches=frozenset())


def chain(count: int, *, salt: str = "") -> list[Sealed]:
    stream = Stream(node="south", incarnation="boot1")
    return [
        Sealed(sealed.raw, sealed.hash)
        for sealed in (stream.seal(Fact(Kind.SEEN, {"child": n, "x": salt}), at_ms=n, trusted=True) for n in range(count))
    ]


def run(entries: list[Sealed], *, first_seq: int = 1, prev: bytes = GENESIS) -> Run:
    return Run(node="south", incarnation="boot1", first_seq=first_seq, prev_hash=prev, entries=entries)


def stored(entries: list[Sealed]) -> Known:
    hashes = {seq: sealed.hash for seq, sealed in enumerate(entries, start=1)}
    return Known(durable_through=len(entries), hashes=hashes, branches=frozenset())


def judged(a_run: Run, known: Known) -> Judgement:
    found = judge(a_run, known)
    assert isinstance(found, Judgement), found
    return found


def verdicts(found: Judgement) -> list[str]:
    return [one.verdict.value for one in found.verdicts]


def test_a_first_batch_is_stored_whole() -> None:
    found = judged(run(chain(3)), NOTHING)
    assert (verdicts(found), found.durable_through) == (["stored"] * 3, 3)
    assert [entry.kind for entry in found.entries] == ["seen"] * 3


def test_a_batch_that_came_before_is_a_duplicate_and_writes_nothing() -> None:
    entries = chain(3)
    found = judged(run(entries), stored(entries))
    assert (verdicts(found), found.durable_through, found.entries) == (["duplicate"] * 3, 3, [])


def test_only_what_is_new_in_an_overlapping_batch_is_written() -> None:
    entries = chain(5)
    found = judged(run(entries[1:], first_seq=2, prev=entries[0].hash), stored(entries[:3]))
    assert verdicts(found) == ["duplicate", "duplicate", "stored", "stored"]
    assert [entry.seq for entry in found.entries] == [4, 5]


def test_an_old_batch_that_comes_late_does_not_move_the_cursor_back() -> None:
    entries = chain(5)
    assert judged(run(entries[:2]), stored(entries)).durable_through == 5


def test_a_hole_is_refused_with_the_number_to_go_back_to() -> None:
    entries = chain(5)
    found = judge(run(entries[3:], first_seq=4, prev=entries[2].hash), stored(entries[:2]))
    assert isinstance(found, GoBack)
    assert (found.code, found.durable_through) == (Code.HOLE, 2)


def test_a_fork_keeps_both_and_acknowledges_both() -> None:
    ours, theirs = chain(4), chain(4, salt="clone")
    found = judged(run(theirs), stored(ours))
    assert verdicts(found) == ["forked"] * 4
    assert (found.durable_through, len(found.branch), len(found.entries)) == (4, 4, 0)


def test_a_fork_is_found_at_the_very_entry_where_the_chains_part() -> None:
    ours = chain(4)
    other = Sealed(b"{}", chain_hash(ours[1].hash, b"{}"))
    found = judged(run([*ours[:2], other]), stored(ours))
    assert verdicts(found) == ["duplicate", "duplicate", "forked"]
    assert found.branch[0].prev_hash == ours[1].hash


def test_a_branch_may_grow_beyond_the_stream_that_it_left() -> None:
    ours, theirs = chain(2), chain(6, salt="clone")
    known = Known(
        durable_through=2,
        hashes={2: ours[1].hash},
        branches=frozenset({(2, theirs[1].hash), (3, theirs[2].hash)}),
    )
    found = judged(run(theirs[2:], first_seq=3, prev=theirs[1].hash), known)
    assert verdicts(found) == ["duplicate", "forked", "forked", "forked"]
    assert found.durable_through == 6


def test_a_branch_of_unknown_origin_is_sent_back_to_where_the_parting_can_be_seen() -> None:
    ours, theirs = chain(4), chain(4, salt="clone")
    found = judge(run(theirs[3:], first_seq=4, prev=theirs[2].hash), stored(ours))
    assert isinstance(found, GoBack)
    assert (found.code, found.durable_through) == (Code.FORK_POINT_UNKNOWN, 0)


def test_one_rotten_entry_is_quarantined_and_spoils_no_other() -> None:
    entries = chain(4)
    entries[1] = Sealed(entries[1].raw.replace(b'"seen"', b'"sEEn"'), entries[1].hash)
    found = judged(run(entries), NOTHING)
    assert verdicts(found) == ["stored", "quarantined", "stored", "stored"]
    assert "chain" in found.entries[1].quarantined


def test_an_entry_that_is_no_json_is_quarantined_byte_for_byte() -> None:
    raw = b"\xff\x00 not json"
    found = judged(run([Sealed(raw, chain_hash(GENESIS, raw))]), NOTHING)
    assert verdicts(found) == ["quarantined"]
    assert (found.entries[0].raw, found.entries[0].kind) == (raw, "")


def test_an_entry_nested_too_deeply_to_read_is_quarantined() -> None:
    raw = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
    assert verdicts(judged(run([Sealed(raw, chain_hash(GENESIS, raw))]), NOTHING)) == ["quarantined"]


def test_an_entry_that_says_it_is_another_gates_is_quarantined() -> None:
    entry = Stream(node="north", incarnation="boot1").seal(Fact(Kind.SEEN, {}), at_ms=1, trusted=True)
    found = judged(run([Sealed(entry.raw, entry.hash)]), NOTHING)
    assert verdicts(found) == ["quarantined"]
    assert "north/boot1/1" in found.entries[0].quarantined


def test_a_kind_that_this_version_does_not_know_is_stored() -> None:
    raw = chain(1)[0].raw.replace(b'"kind":"seen"', b'"kind":"teleported","later":{"z": [1,  2]}')
    found = judged(run([Sealed(raw, chain_hash(GENESIS, raw))]), NOTHING)
    assert (verdicts(found), found.entries[0].raw) == (["stored"], raw)


def test_an_entry_sent_unread_is_not_opened() -> None:
    first = chain(1)[0]
    found = judged(run([first._replace(unread=True)]), NOTHING)
    assert verdicts(found) == ["quarantined"]
    assert "unread" in found.entries[0].quarantined


def test_an_empty_batch_asks_whether_its_place_is_stored() -> None:
    entries = chain(3)
    assert judged(run([], first_seq=4, prev=entries[2].hash), stored(entries)).durable_through == 3
    assert isinstance(judge(run([], first_seq=6, prev=entries[2].hash), stored(entries)), GoBack)
    assert judged(run([]), NOTHING).durable_through == 0
