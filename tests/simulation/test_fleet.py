"""Several gates with every fault, in virtual time: no seed breaks an invariant, and a seed is one history for ever.

`KIOSK_SEEDS=10000` plays so many, from `KIOSK_SEEDS_FROM` on; the default is what fits into a test run. Each shard is a test of
its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import pytest

from kiosk.__main__ import main
from kiosk.command_simulate import words
from kiosk.simulation.fleet import ALL_FAULTS, Event, Faults, Size, explained, plan, play
from kiosk.simulation.fleet.minimising import minimised
from kiosk.simulation.fleet.running import Outcome

SEEDS, FIRST = int(os.environ.get("KIOSK_SEEDS", "120")), int(os.environ.get("KIOSK_SEEDS_FROM", "0"))
SHARDS = max(4, SEEDS // 100)
SIZES = (
    Size(gates=2, days=1, children=5, events=28, look_every=7),
    Size(gates=3, days=1, children=6, events=28, look_every=9),
    Size(gates=2, days=2, children=5, events=16, look_every=7),
)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_seed_breaks_an_invariant(shard: int) -> None:
    broken: list[int] = []
    first = ""
    for seed in range(FIRST + shard, FIRST + SEEDS, SHARDS):
        size = SIZES[seed % len(SIZES)]
        outcome = play(seed, size, plan(seed, size))
        if outcome.invariant:
            broken.append(seed)
            first = first or words(explained(outcome, size))
    assert not broken, f"seeds {broken}, the first of them:\n{first}"


def test_a_seed_is_one_history() -> None:
    size = SIZES[2]
    one, again = (play(11, size, plan(11, size)) for _ in range(2))
    assert one == again
    assert one.entries > 10


def test_what_chance_decides_about_an_event_stands_in_the_event() -> None:
    size = Size(gates=3, days=5, events=40)
    events = plan(5, size)
    assert events == plan(5, size)
    assert list(events) == sorted(events)
    assert {event.gate for event in events} == {0, 1, 2}
    kinds = {event.kind for event in plan(5, Size(gates=3, days=5, events=40, faults=frozenset({Faults.CLOCK})))}
    assert "clock_steps" in kinds
    assert not {"cut_off", "power_cut", "server_dies", "card_copied"} & kinds


def test_a_history_is_made_small() -> None:
    events = [Event(at, "tap", 0, at) for at in range(40)]

    def breaks(some: Sequence[Event]) -> Outcome:
        turns = {event.turn for event in some}
        broken = "it" if {7, 31} <= turns else "something else" if len(turns) == 3 else ""
        return Outcome(seed=1, steps=0, played=len(turns), entries=0, invariant=broken)

    left, outcome = minimised(breaks, events, breaks(events))
    assert [event.turn for event in left] == [7, 31]
    assert outcome.invariant == "it"


def test_the_command_answers_in_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--gates", "2", "--days", "1", "--events", "12", "--seed", "3", "--seeds", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["seeds"] == [3, 4]
    assert found["violations"] == []
    assert found["steps"] > 20


def test_the_command_says_what_is_wrong_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--gates", "2", "--faults", "rust"]) == 2
    assert "not rust" in capsys.readouterr().err
    assert main(["simulate", "--gates", "1"]) == 2
    assert main(["simulate"]) == 2
    assert {Faults.NETWORK, Faults.DISK, Faults.CLOCK, Faults.SERVER} <= ALL_FAULTS
