"""kill -9 at random moments of a running gate: nothing acknowledged is lost, nothing doubled, no gap, the chain whole.

`kiosk serve` runs as it ships. Children tap at serial readers on four wires, whose simulators live in this process and so
survive the gate, and at network readers over HTTP. Acknowledged is: an HTTP answer that names an entry, and every
answer that a public screen was shown. CI kills a few times; KIOSK_FAULTS=full five hundred times.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.simulated.bench_rack import BenchRack, RackItem
from kiosk.core.entries import Kind
from tests.support.journal_facts import (
    Written,
    check_custody,
    check_fold,
    check_numbers,
    check_reopened,
    check_replay,
    check_verified,
    read_journal,
    staff_of,
)
from tests.support.running_gate import RunningGate, VirtualDay, Wire
from tests.support.tapping import WIRES, HttpTaps, Screens, WireTaps

FULL = os.environ.get("KIOSK_FAULTS") == "full"
KILLS = 500 if FULL else 20
KILLS_OF_A_STATE = 50  # then a new school, so that starting stays quick and every round is verified by itself
SEED = int(os.environ.get("KIOSK_FAULTS_SEED", "20261123"))
DAY = "2026-11-23"
START = f"{DAY}T17:34:00+08:00"  # homework has ended: children come late, sit in rooms, and half of the older ones may leave
LONGEST_LIFE_S = 0.5
WHILE_IT_STARTS = 0.15  # of the kills
TAPS = {Kind.ARRIVED, Kind.SEEN, Kind.READ_REFUSED, Kind.SESSION_ENTERED, Kind.RELEASED, Kind.PICKUP_REQUESTED}


@pytest.fixture
def rack(tmp_path: Path) -> Iterator[BenchRack]:
    with BenchRack([RackItem(wire.name, wire.kind) for wire in WIRES], links_folder=tmp_path / "dev") as one:
        yield one


@pytest.mark.timeout(3600 if FULL else 600)
@pytest.mark.parametrize("round_", range(-(-KILLS // KILLS_OF_A_STATE)))
def test_nothing_acknowledged_is_lost_by_kill_9(rack: BenchRack, tmp_path: Path, round_: int) -> None:
    chance, kills = random.Random(SEED + round_), min(KILLS, KILLS_OF_A_STATE)
    wires = tuple(
        Wire(name=w.name, url=rack.urls[w.name], access_point=w.access_point, as_="number" if w.kind == "lines" else "")
        for w in WIRES
    )
    gate = RunningGate(tmp_path / "gate", day=VirtualDay(START), wires=wires)
    http, hands, screens = HttpTaps(gate, seed=SEED + round_), WireTaps(rack, seed=SEED + round_), Screens(gate)
    try:
        for _ in range(kills):
            one_life(gate, http, screens, chance)
    finally:
        for taps in (http, hands, screens):
            taps.close()
        gate.close()
    written = read_journal(gate.state)
    check(gate, written, http, hands, screens)
    print(
        f"seed {SEED + round_}: {kills} kills, {len({w.boot for w in written})} boots, {len(written)} entries, "
        f"{len(http.acked)} answers over HTTP and {len(screens.shown)} on screens acknowledged, 0 lost, 0 doubled; "
        f"{sum(http.sent.values())} taps over HTTP, {sum(hands.sent.values())} on wires"
    )


def one_life(gate: RunningGate, http: HttpTaps, screens: Screens, chance: random.Random) -> None:
    """Started, and killed at a random moment: while it starts, or while children tap."""
    gate.start()
    if chance.random() < WHILE_IT_STARTS:
        screens.sleep(chance.uniform(0.0, 1.2))
    else:
        gate.ready()
        http.go_on()
        screens.watch()
        screens.sleep(chance.uniform(0.0, LONGEST_LIFE_S))
    gate.kill()
    http.pause()
    screens.gone()


def check(gate: RunningGate, written: list[Written], http: HttpTaps, hands: WireTaps, screens: Screens) -> None:
    check_numbers(written)
    assert check_verified(gate.state) == len(written)
    by_id = {one.entry.id: one.entry for one in written}
    for entry_id, (child, access_point) in http.acked.items():
        entry = by_id.get(entry_id)
        assert entry is not None, f"acknowledged and lost: {entry_id}, child {child} at {access_point}"
        assert (entry.body.get("child"), entry.body["access_point"]) == (child, access_point)
    recorded = Counter(
        (one.entry.body["child"], one.entry.body["access_point"])
        for one in written
        if one.entry.kind in TAPS and "child" in one.entry.body
    )
    sent = http.sent + hands.sent
    doubled = {tap: count for tap, count in recorded.items() if count > sent[tap]}
    assert not doubled, f"recorded more often than tapped: {doubled}"
    lost = screens.shown - {(one.entry.at_ms, one.entry.body.get("access_point")) for one in written}
    assert not lost, f"shown on a screen and not in the journal: {lost}"
    campus = check_fold(written, SEED)
    check_custody(written, campus, staff_of(gate.state))
    check_replay(gate.state, campus, DAY)
    check_reopened(gate.state, gate.state / "directory.db", campus)
