"""The bar says of each other gate whether what it recorded is here: seen, not seen, or still coming in."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.core.roster import Bar, BarQuery
from tests.support.two_gates import TwoGates, morning_ms

MINUTE_MS = 60_000


@pytest.fixture
def gates(tmp_path: Path):
    gates = TwoGates(tmp_path, start_ms=morning_ms())
    yield gates
    gates.close()


def bar(gates: TwoGates) -> Bar:
    found = list[Bar]()
    east = gates.gate["east"]
    east.submit(c.Look(query=BarQuery()), found.append)
    east.turn(east.inbox.take_all(0))
    return found[0]


def heard(gates: TwoGates, seen_ms: int, *, behind: bool = False) -> Bar:
    now_ms = gates.clock["east"].now_ms()
    said = c.LinkChanged(
        waiting=0, last_contact_ms=now_ms, peers={"south": seen_ms, "office": 0}, behind=frozenset({"south"} if behind else ())
    )
    gates.press("east", said)
    return bar(gates)


def test_a_gate_of_which_the_server_has_not_heard_for_minutes_is_named_though_our_own_link_is_fine(gates: TwoGates) -> None:
    now_ms = gates.clock["east"].now_ms()
    assert heard(gates, now_ms - MINUTE_MS).unseen_gates == ()
    there = heard(gates, now_ms - 3 * MINUTE_MS)
    assert there.online and there.unseen_gates == ("南门",)
    assert heard(gates, 0).unseen_gates == ("南门",), "never since the server was started"


def test_a_gate_that_still_sends_what_it_kept_is_catching_up(gates: TwoGates) -> None:
    now_ms = gates.clock["east"].now_ms()
    there = heard(gates, now_ms, behind=True)
    assert (there.unseen_gates, there.behind_gates) == ((), ("南门",))
    there = heard(gates, now_ms - 3 * MINUTE_MS, behind=True)
    assert (there.unseen_gates, there.behind_gates) == (("南门",), ()), "not both: it is not catching up any more"
    assert heard(gates, now_ms).behind_gates == ()
