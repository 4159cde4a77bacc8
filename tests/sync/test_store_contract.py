"""What every store of the school server keeps to: the same tests over SQLite and over a real PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from sync_agent.school_server.rules import NewBranchEntry, NewEntry
from sync_agent.school_server.store import Head, Node, Store, StoredDirectory, StreamRow, Totals
from tests.support.keeping import BOOT, NODE, SCHOOL, Keep, Writing, all_of, beside, put

KEY = "ab" * 32
A_LITTLE_S, LONG_S = 0.3, 30.0


def known(store: Store, first_seq: int, last_seq: int) -> tuple[int, dict[int, bytes], set[tuple[int, bytes]]]:
    with store.locked_stream(school=SCHOOL, node=NODE, incarnation=BOOT) as stream:
        found = stream.known(first_seq=first_seq, last_seq=last_seq)
    return found.durable_through, dict(found.hashes), set(found.branches)


def expected(rows: list[NewEntry], node: str = NODE, incarnation: str = BOOT) -> list[tuple[str, str, int, bytes]]:
    return [(node, incarnation, row.seq, row.raw) for row in rows]


# --- entries -------------------------------------------------------------------------------------------------


def test_an_empty_store_answers_everything(keep: Keep) -> None:
    store = keep.open()
    assert (store.streams(school=SCHOOL), store.nodes(school=SCHOOL), store.node(school=SCHOOL, node=NODE)) == ([], [], None)
    assert store.totals(school=SCHOOL) == Totals(entries=0, quarantined=0, forks=0)
    assert (store.directory_state(school=SCHOOL), store.directory_content(school=SCHOOL, number=1)) == (None, None)
    assert store.set_aside(school=SCHOOL, most=9) == []
    assert store.run_of(school=SCHOOL, node=NODE, incarnation=BOOT, after_seq=0, most=9) == []
    assert known(store, 1, 9) == (0, {}, set())
    assert store.streams(school=SCHOOL) == []  # looking leaves no trace


def test_what_was_written_is_there_byte_for_byte_also_for_the_next_server(keep: Keep) -> None:
    rows = Writing().rows(7)
    put(keep.open(), rows[:4], at_ms=5)
    put(keep.open(), rows[4:], at_ms=9)
    keep.close()
    store = keep.open()
    assert all_of(store) == expected(rows)
    assert all_of(store, page=2) == expected(rows)
    run = store.run_of(school=SCHOOL, node=NODE, incarnation=BOOT, after_seq=2, most=3)
    assert [(one.seq, one.raw, one.hash, one.quarantined) for one in run] == [(r.seq, r.raw, r.hash, "") for r in rows[2:5]]
    assert store.streams(school=SCHOOL) == [
        StreamRow(node=NODE, incarnation=BOOT, durable_through=7, quarantined=0, branched=False, last_received_ms=9)
    ]
    assert store.streams(school=SCHOOL, node="other") == []
    assert known(store, 6, 9) == (7, {5: rows[4].hash, 6: rows[5].hash, 7: rows[6].hash}, set())


def test_the_stream_that_received_last_comes_first(keep: Keep) -> None:
    store = keep.open()
    for at_ms, node in ((5, "a"), (9, "b"), (7, "c")):
        put(store, Writing(node).rows(1), node=node, at_ms=at_ms)
    assert [row.node for row in store.streams(school=SCHOOL)] == ["b", "c", "a"]


def test_a_second_entry_of_one_number_is_impossible_and_changes_nothing(keep: Keep) -> None:
    """The rules never ask for it. If they did, nothing may be acknowledged."""
    store = keep.open()
    rows, others = Writing().rows(3), Writing(incarnation="another").rows(4)
    put(store, rows)
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        put(store, others[2:])
    assert all_of(store) == expected(rows)
    assert known(store, 1, 9)[0] == 3
    put(store, Writing(node="north").rows(1), node="north")  # and it still works
    assert len(all_of(store)) == 4


@pytest.mark.parametrize("sql", ["UPDATE entries SET seq=seq+100", "DELETE FROM entries", "TRUNCATE entries"])
def test_the_store_itself_keeps_entries_from_being_changed(keep: Keep, sql: str) -> None:
    store: Any = keep.open()
    put(store, Writing().rows(2))
    with pytest.raises(Exception, match=r"never|syntax error"):  # SQLite has no TRUNCATE
        if keep.address:
            with store._writers.lend() as connection:
                connection.execute(sql)
        else:
            store._writer.execute(sql)
    assert len(all_of(store)) == 2


def test_unreadable_entries_are_kept_counted_and_shown_newest_first(keep: Keep) -> None:
    store, writing = keep.open(), Writing()
    good, bad = writing.rows(2), writing.rows(2, quarantined="unreadable: \0 and 中文", kind="")
    put(store, [*good, NewEntry(3, b"\x00\xff no json", bad[0].hash, "", None, bad[0].quarantined)], at_ms=1)
    put(store, bad[1:], at_ms=2)
    assert all_of(store)[2] == (NODE, BOOT, 3, b"\x00\xff no json")
    assert store.totals(school=SCHOOL) == Totals(entries=4, quarantined=2, forks=0)
    found = store.set_aside(school=SCHOOL, most=9)
    assert [(one.seq, one.received_ms) for one in found] == [(4, 2), (3, 1)]
    assert all(one.reason.startswith("unreadable: ") and one.reason.endswith("and 中文") for one in found)
    assert len(store.set_aside(school=SCHOOL, most=1)) == 1


@pytest.mark.parametrize("kind", ["a\0b", "", "x" * 100_000, "未知", "'; DROP TABLE entries; --"])
def test_any_word_may_be_a_kind(keep: Keep, kind: str) -> None:
    store, rows = keep.open(), Writing().rows(1, kind=kind)
    put(store, rows)
    assert all_of(store) == expected(rows)


def test_a_long_entry_and_numbers_at_the_end_of_all_numbers_fit(keep: Keep) -> None:
    store, far = keep.open(), 2**53 - 1
    put(store, [NewEntry(far, bytes(range(256)) * 4096, b"h" * 32, "seen", far, "")], at_ms=far)
    assert all_of(store) == [(NODE, BOOT, far, bytes(range(256)) * 4096)]
    assert known(store, far, far)[0] == far


def test_a_branch_is_kept_beside_the_stream_and_counted(keep: Keep) -> None:
    store, rows = keep.open(), Writing().rows(3)
    put(store, rows)
    others = [NewBranchEntry(one.seq, b"other", bytes(32 - len(str(one.seq))) + str(one.seq).encode(), one.prev_hash)
              for one in beside(rows)]  # fmt: skip
    put(store, [], branch=others[1:], at_ms=8)
    assert all_of(store) == expected(rows)
    assert known(store, 1, 3) == (3, {row.seq: row.hash for row in rows}, {(one.seq, one.hash) for one in others[1:]})
    assert known(store, 3, 3)[2] == {(2, others[1].hash), (3, others[2].hash)}
    assert store.totals(school=SCHOOL) == Totals(entries=3, quarantined=0, forks=2)
    assert [(one.seq, one.reason) for one in store.set_aside(school=SCHOOL, most=9)] == [(3, "fork"), (2, "fork")]
    [stream] = store.streams(school=SCHOOL)
    assert (stream.branched, stream.durable_through, stream.last_received_ms) == (True, 3, 8)


def test_the_same_signed_head_may_come_twice(keep: Keep) -> None:
    store, writing = keep.open(), Writing()
    head = Head(first_seq=1, last_seq=1, hash=b"h" * 32, content_sha256=b"c" * 32, signature=b"s" * 64)
    put(store, writing.rows(1), head=head)
    put(store, writing.rows(1), head=head)
    assert len(all_of(store)) == 2


# --- one transaction -----------------------------------------------------------------------------------------


def test_whoever_raises_has_changed_nothing(keep: Keep) -> None:
    store, writing = keep.open(), Writing()
    rows = writing.rows(2)
    put(store, rows)
    with (
        pytest.raises(KeyError),
        store.locked_stream(school=SCHOOL, node=NODE, incarnation=BOOT) as stream,
    ):
        stream.write(entries=writing.rows(3), branch=beside(rows), head=None, at_ms=99)
        raise KeyError
    assert all_of(store) == expected(rows)
    assert known(store, 1, 9)[0] == 2
    assert store.totals(school=SCHOOL) == Totals(entries=2, quarantined=0, forks=0)
    with pytest.raises(KeyError), store.locked_stream(school=SCHOOL, node="new", incarnation=BOOT):
        raise KeyError
    assert [row.node for row in store.streams(school=SCHOOL)] == [NODE]


def test_a_server_killed_inside_a_transaction_leaves_nothing_behind(keep: Keep) -> None:
    """os._exit at the worst moment: rows and cursor written, nothing committed."""
    rows = Writing().rows(2)
    put(keep.open(), rows)
    program = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from sync_agent.school_server.opening import open_store
        from tests.support.keeping import BOOT, NODE, SCHOOL, Writing
        writing = Writing()
        writing.rows(2)
        store = open_store(Path(sys.argv[1]), sys.argv[2])
        with store.locked_stream(school=SCHOOL, node=NODE, incarnation=BOOT) as stream:
            stream.write(entries=writing.rows(500), branch=[], head=None, at_ms=99)
            os._exit(137)
    """)
    done = subprocess.run([sys.executable, "-c", program, str(keep.folder), keep.address], check=False, timeout=LONG_S)
    assert done.returncode == 137
    store = keep.open()
    assert all_of(store) == expected(rows)
    again = Writing()
    again.rows(2)
    put(store, again.rows(3))  # the dead one holds no lock
    assert known(store, 1, 9)[0] == 5


# --- several at once -----------------------------------------------------------------------------------------


def test_nobody_else_moves_a_stream_that_is_locked(keep: Keep) -> None:
    first, second, rows = keep.open(), keep.open(), Writing().rows(4)
    with ThreadPoolExecutor(1) as other:
        with first.locked_stream(school=SCHOOL, node=NODE, incarnation=BOOT) as stream:
            assert stream.known(first_seq=1, last_seq=2).durable_through == 0
            waiting = other.submit(known, second, 1, 4)
            stream.write(entries=rows[:2], branch=[], head=None, at_ms=1)
            with pytest.raises(TimeoutError):
                waiting.result(A_LITTLE_S)
        assert waiting.result(LONG_S) == (2, {1: rows[0].hash, 2: rows[1].hash}, set())


def test_readers_see_whole_transactions_only_and_do_not_wait(keep: Keep) -> None:
    first, second, rows = keep.open(), keep.open(), Writing().rows(3)
    put(first, rows[:1])
    with first.locked_stream(school=SCHOOL, node=NODE, incarnation=BOOT) as stream:
        stream.write(entries=rows[1:], branch=[], head=None, at_ms=1)
        for store in (first, second):
            assert all_of(store) == expected(rows[:1])
            assert store.totals(school=SCHOOL).entries == 1
    assert all_of(second) == expected(rows)


def test_no_position_appears_below_one_that_was_read(keep: Keep) -> None:
    """Two streams are written at once and the later one wants to be done first: a reader must not step over the earlier one."""
    first, second, reader = keep.open(), keep.open(), keep.open()
    slow, quick = Writing("slow").rows(3), Writing("quick").rows(3)
    put(second, quick[:1], node="quick")
    with ThreadPoolExecutor(1) as other:
        with first.locked_stream(school=SCHOOL, node="slow", incarnation=BOOT) as stream:
            stream.write(entries=slow, branch=[], head=None, at_ms=1)
            written = other.submit(put, second, quick[1:], node="quick")
            with suppress(TimeoutError):  # it waits for its turn, which is one way of being right
                written.result(A_LITTLE_S)
            read = reader.entries_after(school=SCHOOL, position=0, most=100)
        written.result(LONG_S)
    read += reader.entries_after(school=SCHOOL, position=read[-1].position if read else 0, most=100)
    assert sorted((one.node, one.seq) for one in read) == [(node, n) for node in ("quick", "slow") for n in (1, 2, 3)]


def test_a_reader_beside_many_writers_gets_every_entry_once(keep: Keep) -> None:
    """Six streams of one school and one of another, from two servers, while somebody pages through them all the time."""
    stores, nodes = [keep.open(), keep.open()], [f"gate-{n}" for n in range(6)]
    done = threading.Event()

    def write(store: Store, node: str, school: str) -> None:
        writing = Writing(node)
        for _ in range(12):
            put(store, writing.rows(5), node=node, school=school)

    def read(store: Store) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        position, last = 0, False
        while True:
            rows = store.entries_after(school=SCHOOL, position=position, most=7)
            found += [(row.node, row.seq) for row in rows]
            position = rows[-1].position if rows else position
            if not rows and last:
                return found
            last = done.is_set()

    with ThreadPoolExecutor(len(nodes) + 2) as pool:
        reading = pool.submit(read, keep.open())
        places = [*((node, SCHOOL) for node in nodes), ("gate-0", "another school")]
        writers = [pool.submit(write, stores[n % 2], node, school) for n, (node, school) in enumerate(places)]
        for writer in writers:
            writer.result(LONG_S)
        done.set()
        found = reading.result(LONG_S)
    assert len(found) == len(set(found))
    assert set(found) == {(node, seq) for node in nodes for seq in range(1, 61)}
    for node in nodes:
        assert [seq for name, seq in found if name == node] == list(range(1, 61))


def test_the_first_batch_of_a_stream_sent_twice_at_once_is_stored_once(keep: Keep) -> None:
    stores, rows = [keep.open(), keep.open()], Writing().rows(3)
    at_once = threading.Barrier(2)

    def receive(store: Store) -> int:
        at_once.wait(LONG_S)
        with store.locked_stream(school=SCHOOL, node=NODE, incarnation=BOOT) as stream:
            have = stream.known(first_seq=1, last_seq=3).durable_through
            if have == 0:
                stream.write(entries=rows, branch=[], head=None, at_ms=1)
            return have

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(receive, stores)) == [0, 3]
    assert all_of(stores[0]) == expected(rows)


# --- nodes, directories, schools -----------------------------------------------------------------------------


def test_a_name_keeps_the_key_that_it_came_with(keep: Keep) -> None:
    store = keep.open()
    first = Node(school=SCHOOL, node=NODE, public_key=KEY, enrolled_ms=1)
    assert store.add_node(first) == first
    assert keep.open().add_node(Node(school=SCHOOL, node=NODE, public_key="cd" * 32, enrolled_ms=2)) == first
    other = store.add_node(Node(school=SCHOOL, node="Z-last.not_first", public_key=KEY, enrolled_ms=3))
    assert store.nodes(school=SCHOOL) == [other, first]  # capitals first, whatever the computer's language
    assert store.node(school=SCHOOL, node=NODE) == first


def directory(number: int, content: bytes = b"people") -> StoredDirectory:
    return StoredDirectory(number=number, sha256=f"{number:064x}", content=content, node="office")


def test_the_directory_moves_on_from_the_number_that_is_current_only(keep: Keep) -> None:
    store = keep.open()
    assert store.put_directory(directory(3, b"\x00\xff" * 700_000), school=SCHOOL, base=0, at_ms=1) is None
    assert store.put_directory(directory(4), school=SCHOOL, base=0, at_ms=1) == 3
    assert store.put_directory(directory(3), school=SCHOOL, base=3, at_ms=1) == 3
    assert store.put_directory(directory(2), school=SCHOOL, base=3, at_ms=1) == 3
    assert store.directory_content(school=SCHOOL, number=3) == b"\x00\xff" * 700_000
    assert keep.open().put_directory(directory(9), school=SCHOOL, base=3, at_ms=1) is None
    found = store.directory_state(school=SCHOOL)
    assert found is not None and (found.number, found.sha256) == (9, f"{9:064x}")
    assert store.directory_content(school=SCHOOL, number=3) is None  # it names people whom the new one may have erased
    assert store.directory_content(school=SCHOOL, number=9) == b"people"


def test_of_two_directories_on_the_same_base_one_is_taken(keep: Keep) -> None:
    stores = [keep.open(), keep.open()]
    stores[0].put_directory(directory(1), school=SCHOOL, base=0, at_ms=1)
    at_once = threading.Barrier(2)

    def send(number: int) -> int | None:
        at_once.wait(LONG_S)
        return stores[number % 2].put_directory(directory(number), school=SCHOOL, base=1, at_ms=1)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, (10, 11)))
    state = stores[0].directory_state(school=SCHOOL)
    assert state is not None and sorted(answers, key=str) == [state.number, None]


def test_schools_share_a_store_and_nothing_else(keep: Keep) -> None:
    store = keep.open()
    rows = {school: Writing().rows(count) for school, count in (("yucai", 3), ("lixin", 5))}
    for school, of_school in rows.items():
        put(store, of_school[:2], school=school)
    for school, of_school in rows.items():
        put(store, of_school[2:], school=school)
        store.add_node(Node(school=school, node=NODE, public_key=school, enrolled_ms=1))
        store.put_directory(directory(1, school.encode()), school=school, base=0, at_ms=1)
    put(store, [], branch=beside(rows["lixin"][:1]), school="lixin")
    for school, of_school in rows.items():
        assert all_of(store, school, page=2) == expected(of_school)
        assert [one.seq for one in store.run_of(school=school, node=NODE, incarnation=BOOT, after_seq=0, most=99)] == [
            row.seq for row in of_school
        ]
        assert [row.durable_through for row in store.streams(school=school)] == [len(of_school)]
        assert store.totals(school=school) == Totals(entries=len(of_school), quarantined=0, forks=int(school == "lixin"))
        assert [node.public_key for node in store.nodes(school=school)] == [school]
        assert store.directory_content(school=school, number=1) == school.encode()
    assert store.set_aside(school="yucai", most=9) == []
    assert all_of(store, "nobody") == []
