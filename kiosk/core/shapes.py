"""The words that bodies of facts use, and what each of them is: the same word is the same sort of thing in every kind.

A body in which a known word holds something else was written by a version that we do not understand, or is damaged. Such a
fact is kept byte for byte and moves nobody here. Words that are not listed are other versions' own and are let through.
"""

from __future__ import annotations

from typing import Any

import msgspec


class _Body(msgspec.Struct, frozen=True):
    """Every word is optional; the defaults mean nothing."""

    # persons, by number
    child: int = 0
    person: int = 0
    custodian: int = 0
    collector: int = 0
    guardian: int = 0
    guard: int = 0
    second: int = 0
    giver: int = 0
    taker: int = 0
    staff: int = 0
    by: int = 0
    confirmed_by: int = 0
    owner: int = 0
    last_adult: int = 0
    host: int = 0
    children: tuple[int, ...] = ()
    candidates: tuple[int, ...] = ()
    marks: tuple[tuple[int, str], ...] = ()
    found: tuple[tuple[int, int], ...] = ()  # child, score
    exceptions: tuple[tuple[int, str], ...] = ()
    dormitory: tuple[tuple[int, int], ...] = ()  # child, custodian
    sleeping: tuple[tuple[int, str], ...] = ()  # child, place
    on_site_list: tuple[tuple[int, str, int, int], ...] = ()  # child, place, custodian, last seen
    outside_list: tuple[tuple[int, str, int, int], ...] = ()
    staff_list: tuple[int, ...] = ()
    unaccounted: tuple[int, ...] = ()
    # counts, rungs and moments
    expected: int = 0
    counted: int = 0
    rung: int = 0
    counter: int = 0
    contact: int = 0  # of a relay board
    counters: tuple[tuple[str, int], ...] = ()  # card, counter
    on_site: int = 0
    open_cases: int = 0
    visitors: int = 0
    missing: int = 0
    score: int = 0
    templates: int = 0
    pictures: int = 0
    t0_ms: int = 0
    from_ms: int = 0
    to_ms: int = 0
    until_ms: int = 0
    eta_ms: int = 0
    due_ms: int = 0
    last_seen_ms: int = 0
    read_at_ms: int = 0
    # names, ids and words of the closed vocabularies
    day: str = ""
    for_day: str = ""
    place: str = ""
    room: str = ""
    access_point: str = ""
    where: str = ""
    session: str = ""
    roster: str = ""
    handover: str = ""
    case: str = ""
    state: str = ""
    outcome: str = ""
    reason: str = ""
    queue: str = ""
    scheme: str = ""
    assurance: str = ""
    mode: str = ""
    flag: str = ""
    alarm: str = ""
    alarm_of: str = ""
    card: str = ""
    device: str = ""
    health: str = ""
    relation: str = ""
    result: str = ""
    channel: str = ""
    snapshot: str = ""
    nonce: str = ""
    gate: str = ""
    venue: str = ""
    escort: str = ""
    group: str = ""
    shift: str = ""
    why: str = ""
    last_place: str = ""
    release: str = ""
    passage: str = ""
    what: str = ""
    from_gate: str = ""
    to_gate: str = ""
    after: str = ""
    ask: str = ""
    token: str = ""
    visit: str = ""
    point: str = ""
    purpose: str = ""
    id_type: str = ""
    id_last4: str = ""
    pass_id: str = ""
    of: str = ""
    verdict: str = ""
    engine: str = ""
    note: str = ""
    lacks: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    visit_list: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    # service records; every body whole in `service_records`
    standing_in_for: int = 0
    planned_teacher: int = 0
    enrolled: int = 0
    teachers: tuple[int, ...] = ()
    guests: tuple[int, ...] = ()
    states: dict[str, str] = {}  # child -> state
    class_hours: float = 0
    month: str = ""
    closed: str = ""
    term: str = ""
    finding: str = ""
    # the privacy side
    persons: tuple[int, ...] = ()
    notes: int = 0
    photos: int = 0
    copies: int = 0
    left: tuple[str, ...] = ()
    category: str = ""
    through: str = ""
    due: str = ""
    request: str = ""
    granted: bool = False
    how: str = ""
    text_version: str = ""
    basis: str = ""
    valid_from: str = ""
    valid_to: str = ""
    step: str = ""
    alone: bool = False
    drill: bool = False
    present: bool = False
    unproven: bool = False


def understood(body: dict[str, Any]) -> bool:
    """Whether every known word of a fact's body holds what it should."""
    try:
        msgspec.convert(body, _Body)
    except msgspec.ValidationError:
        return False
    return True
