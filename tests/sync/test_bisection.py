"""The search for the one entry that breaks the server."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync_agent.bisection import STRIKES, Bisection


@given(count=st.integers(1, 2_000), bad=st.sets(st.integers(1, 2_000), max_size=4), most=st.integers(1, 2_000))
def test_only_the_entries_that_break_the_server_are_sent_unread(count: int, bad: set[int], most: int) -> None:
    bad = {seq for seq in bad if seq <= count}
    bisection, cursor, unread, tries = Bisection(), 0, set(), 0
    while cursor < count:
        tries += 1
        size = min(bisection.size(cursor=cursor, most=most), count - cursor)
        batch = range(cursor + 1, cursor + size + 1)
        opened = not (bisection.unread and size == 1)
        if opened and bad & set(batch):
            bisection = bisection.broke(first_seq=cursor + 1, count=size)
            continue
        if not opened:
            unread.add(cursor + 1)
        cursor += size
        bisection = bisection.stored(through=cursor)
    assert unread == bad
    assert tries <= (count // most + 1) + (len(bad) + 1) * (2 * 12 + STRIKES + 1)


def test_a_single_failure_of_a_single_entry_is_forgiven() -> None:
    once = Bisection().broke(first_seq=7, count=1)
    assert (once.unread, once.stored(through=7)) == (False, Bisection())
