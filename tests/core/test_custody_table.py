"""The custody table itself: what it has, and that what it lacks changes nothing."""

from __future__ import annotations

import itertools

import pytest

from kiosk.core.custody import COLLECTION, CUSTODY, Custody, Hold, Step, StepRefused, collection, mermaid, step

HOLDS = {
    Custody.OUT: Hold(),
    Custody.HELD: Hold(Custody.HELD, 7),
    Custody.OFFERED: Hold(Custody.OFFERED, 7, "h1"),
    Custody.ENDED: Hold(Custody.ENDED),
}


@pytest.mark.parametrize(("custody", "wanted"), list(itertools.product(Custody, Step)))
def test_every_step_is_either_in_the_table_or_refused_by_name(custody: Custody, wanted: Step) -> None:
    before = HOLDS[custody]
    if wanted in CUSTODY[custody]:
        after = step(before, wanted, custodian=9, handover="h1")
        assert after.custody is CUSTODY[custody][wanted]
        assert after.live == bool(after.custodian)
    else:
        with pytest.raises(StepRefused, match="possible"):
            step(before, wanted, custodian=9, handover="h1")


def test_an_offer_moves_nothing() -> None:
    assert step(HOLDS[Custody.HELD], Step.OFFER, handover="h1").custodian == 7


def test_acceptance_of_another_offer_is_refused() -> None:
    with pytest.raises(StepRefused, match="the open offer is h1, not h2"):
        step(HOLDS[Custody.OFFERED], Step.ACCEPT, custodian=9, handover="h2")


@pytest.mark.row("D2", "changzhi", "xiji", "tianjin", "yueyang")
def test_d2_custody_never_begins_without_a_name() -> None:
    with pytest.raises(StepRefused, match="must name the custodian"):
        step(Hold(), Step.BEGIN)


def test_every_live_collection_state_can_be_collected_from() -> None:
    for state in ("NOT_DUE", "WAITING", "OVERDUE", "ESCALATED"):
        assert "collect" in {mark.value for mark in COLLECTION[state]}  # type: ignore[index]


def test_collection_follows_time_and_rungs() -> None:
    def at(now_ms: int, rung: int = -1, collected: bool = False) -> str:
        return collection(now_ms=now_ms, opens_ms=10, due_ms=20, rung=rung, collected=collected).value

    assert [at(5), at(10), at(20), at(25, rung=0), at(25, collected=True)] == [
        "NOT_DUE", "WAITING", "OVERDUE", "ESCALATED", "COLLECTED",
    ]  # fmt: skip


def test_the_diagram_has_every_step() -> None:
    drawn = mermaid()
    assert all(f"{a.value} --> {b.value}: {s.value}" in drawn for a, row in CUSTODY.items() for s, b in row.items())
