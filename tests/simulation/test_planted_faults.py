"""The simulator is no decoration: each fault planted in the product is seen within 200 seeds, and told as a short history."""

from __future__ import annotations

import pytest

from kiosk.command_simulate import words
from kiosk.simulation.fleet import Size, explained, plan, play
from kiosk.simulation.fleet.running import Outcome
from tests.simulation.planted import PATCHES, Patch, makes_no_case_of_a_double_release

WITHIN_SEEDS = 200
SIZE = Size(gates=2, days=1, children=5, events=28, look_every=7)


def hunted() -> Outcome:
    """The first seed that breaks an invariant."""
    outcomes = (play(seed, SIZE, plan(seed, SIZE)) for seed in range(WITHIN_SEEDS))
    return next((outcome for outcome in outcomes if outcome.invariant), Outcome(seed=-1, steps=0, played=0, entries=0))


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.__name__)
def test_a_planted_fault_is_seen(patch: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    patch(monkeypatch)
    found = hunted()
    print(f"{patch.__name__}: seed {found.seed}: {found.invariant}: {found.why}")
    assert found.invariant, f"{patch.__name__}: {WITHIN_SEEDS} seeds and nothing was seen"


@pytest.mark.timeout(1200)
def test_what_was_seen_is_told_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    makes_no_case_of_a_double_release(monkeypatch)
    found = hunted()
    short = explained(found, SIZE, most_tries=60)
    assert short.invariant == found.invariant
    assert len(short.history) < len(found.history) / 2
    assert f"seed {found.seed}" in words(short)
