"""A child whom nobody collects: the case climbs the ladder by itself, a kill changes nothing, and a release ends it.

`kiosk serve` runs as it ships, almost seven minutes of school in a second. Nobody presses anything until the gatehouse rung.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk.core.entries import Entry
from tests.support import fault_school as school
from tests.support.journal_facts import check_numbers, check_verified, read_journal
from tests.support.running_gate import RunningGate, VirtualDay, press, tap, wait_until

FETCHED, CARED_FOR = 1, 2  # both of grade 1
GATEHOUSE = 3  # the rung at 30 minutes


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[RunningGate]:
    """17:31: homework ends at 17:30, and both children should be gone by 17:45."""
    one = RunningGate(tmp_path / "gate", day=VirtualDay("2026-11-23T17:31:00+08:00", speed=400)).start().ready()
    yield one
    one.close()


def rungs(gate: RunningGate, child: int) -> list[Entry]:
    return [w.entry for w in read_journal(gate.state) if w.entry.kind == "escalated" and w.entry.body["child"] == child]


def climbed(gate: RunningGate, child: int, rung: int) -> list[Entry]:
    def there() -> list[Entry]:
        found = rungs(gate, child)
        return found if found and found[-1].body["rung"] >= rung else []

    found: list[Entry] = wait_until(there, f"rung {rung} of child {child}")
    return found


def clear(leader: httpx.Client) -> dict[str, Any]:
    return press(leader, "clear_campus")


def release(guard: httpx.Client, child: int, collector: int) -> dict[str, Any]:
    return press(guard, "release", children=[child], collector=collector, access_point="east-desk", verified=["photo"])


def test_an_uncollected_child_climbs_the_ladder_through_a_kill_and_the_campus_is_cleared_only_after_the_release(
    gate: RunningGate,
) -> None:
    with gate.reader() as reader:
        for child in (FETCHED, CARED_FOR):
            assert tap(reader, child, "east-in-1")["outcome"] == "granted"
    before = climbed(gate, FETCHED, 0)
    gate.kill()
    gate.start().ready()
    climbed(gate, CARED_FOR, GATEHOUSE)
    after = climbed(gate, FETCHED, GATEHOUSE)
    assert {e.incarnation for e in before} != {e.incarnation for e in after}, "the ladder went on after the restart"
    assert [e.body["rung"] for e in after] == list(range(len(after))), "no rung was skipped, and none fired twice"
    assert len({(e.body["case"], e.body["t0_ms"]) for e in after}) == 1, "it is the same case with the same beginning"

    with gate.signed_in("D001") as leader, gate.signed_in("G001") as guard:
        duty = leader.get("/duty").text
        assert f"学生{FETCHED}" in duty and f"学生{CARED_FOR}" in duty
        refused = clear(leader)
        assert (refused["outcome"], refused["reason"]) == ("refused", "not_clear")
        assert refused["detail"]["blockers"] == ["children:2"]

        wrong = release(guard, FETCHED, school.guardian_of(FETCHED + 1))
        assert (wrong["outcome"], wrong["reason"]) == ("refused", "collector_unknown")
        assert release(guard, FETCHED, school.guardian_of(FETCHED))["reason"] == "collected"

        handed_over_to_extended_care(gate)
        assert clear(leader)["detail"]["blockers"] == ["children:1"]
        assert release(guard, CARED_FOR, school.guardian_of(CARED_FOR))["outcome"] == "granted"
        assert clear(leader)["outcome"] == "granted"

    written = read_journal(gate.state)
    assert "campus_cleared" in {w.entry.kind for w in written}
    check_numbers(written)
    assert check_verified(gate.state) >= len(written)


def handed_over_to_extended_care(gate: RunningGate) -> None:
    """The class teacher offers, the carer counts one child and accepts; the case of that child ends with it."""
    with gate.signed_in("B001") as teacher:
        offer = press(teacher, "offer", kind="to_extended_care", children=[CARED_FOR], taker=school.CARE, place="托管室")
    assert offer["outcome"] == "granted", offer
    entry = offer["entry"]
    with gate.signed_in("T100") as carer:
        taken = press(carer, "accept", handover=f"{entry['node']}/{entry['incarnation']}/{entry['seq']}", counted=1)
    assert taken["outcome"] == "granted", taken
