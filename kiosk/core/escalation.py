"""The ladder for a child who has not been collected: which rung fires now.

Rungs are data (`Rules.ladder`, domain 7.2). A rung fires at T0 plus its minutes; an unacknowledged rung fires the next
one early; a guardian's estimated arrival pauses the ladder once. Everything needed survives in the journal, so a
restart climbs on from where it stood. Tells nobody: the caller records `escalated` and the pages show it.
"""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.core.child import ChildState, LadderState
from kiosk.core.entries import Fact, Kind
from kiosk.core.people import Pupil
from kiosk.core.rules import MINUTE_MS, Rules
from kiosk.core.world import World


def facts_due(world: World, now_ms: int) -> Iterator[Fact]:
    """Every rung that fires now, for every child on campus. One rung a child a call, so none is skipped unseen."""
    for child, state in world.campus.on_campus():
        windows = world.book.pupils.get(child)
        if windows is not None and now_ms < windows.release_due_ms and now_ms < (state.due_ms or now_ms + 1):
            continue  # nearly everybody, nearly always
        pupil = world.directory.pupils.get(child)
        if pupil is None or state.dormitory or not enters(world, pupil) or not world.answers_for(pupil):
            continue
        t0_ms = world.due_ms(child, state)
        if not t0_ms or now_ms < t0_ms:
            continue
        rung = rung_due(world.rules, state.case, t0_ms, now_ms)
        if rung is not None:
            yield _escalated(world, child, state, rung, t0_ms)


def enters(world: World, pupil: Pupil) -> bool:
    """Who leaves alone with consent never enters the ladder; low grades always do."""
    return world.low_grade(pupil) or not pupil.leaves_alone


def rung_due(rules: Rules, case: LadderState | None, t0_ms: int, now_ms: int) -> int | None:
    """The index of the rung to fire now, or None."""
    following = case.rung + 1 if case else 0
    if following >= len(rules.ladder):
        return None
    due_ms = next_due_ms(rules, case, t0_ms)
    return following if due_ms is not None and now_ms >= due_ms else None


def next_due_ms(rules: Rules, case: LadderState | None, t0_ms: int) -> int | None:
    """When the next rung fires (UTC ms), or None on the last one."""
    following = case.rung + 1 if case else 0
    if following >= len(rules.ladder):
        return None
    due_ms = t0_ms + rules.ladder[following].at_min * MINUTE_MS
    if case is not None:
        ignored = rules.ladder[case.rung].acknowledge and not case.acknowledged_by
        if ignored:
            due_ms = min(due_ms, case.fired_ms + rules.acknowledge_within_ms)
        due_ms = max(due_ms + _pause_ms(rules, case), case.fired_ms)
    return due_ms


def _pause_ms(rules: Rules, case: LadderState) -> int:
    if not case.eta_ms:
        return 0
    return max(0, min(case.eta_ms - case.paused_ms, rules.eta_pause_max_ms))


def case_id(child: int, day: str) -> str:
    return f"uncollected:{child}:{day}"


def _escalated(world: World, child: int, state: ChildState, rung: int, t0_ms: int) -> Fact:
    step = world.rules.ladder[rung]
    body = {
        "case": case_id(child, state.day) if not state.due_ms else f"{case_id(child, state.day)}:extended",
        "child": child,
        "rung": rung,
        "state": step.state,
        "told": list(step.tell),
        "t0_ms": t0_ms,
        "day": state.day,
    }
    return Fact(Kind.ESCALATED, body)
