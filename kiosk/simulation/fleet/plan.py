"""What will happen, drawn from a seed before anything runs: presses of people, steps of agents, and faults, each with its time.

An event carries everything that chance decides about it, so that leaving others out changes nothing about those that stay.
That is what lets a failing history be made small. Pure: no state is looked at here.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

MINUTE_MS = 60_000
DAY_MS = 86_400_000


class Faults(StrEnum):
    """Classes of faults that can be left out."""

    NETWORK = "network"
    DISK = "disk"
    CLOCK = "clock"
    CARD = "card"  # an old copy of a gate's storage takes the place of the present one, or runs beside it
    SERVER = "server"


ALL_FAULTS = frozenset(Faults)


class Event(NamedTuple):
    """`at_ms` after the midnight of the first day. `turn` decides which of those that are possible; `wire` befalls the
    requests of an agent's step, one after the other."""

    at_ms: int
    kind: str
    gate: int
    turn: int
    wire: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much happens. `events` a day, beside the faults; `look_every`: after how many events everything is folded anew."""

    gates: int = 3
    days: int = 5
    children: int = 8
    events: int = 120
    faults: frozenset[Faults] = ALL_FAULTS
    look_every: int = 1


_PHASES = ((450, 520, 0.22), (520, 930, 0.16), (930, 1130, 0.40), (1130, 1230, 0.18), (1230, 1700, 0.04))  # minutes, share
_PEOPLE: tuple[Mapping[str, int], ...] = (
    {"arrive": 12, "read_again": 3, "taps": 2, "roll": 2, "watch": 1},
    {"roll": 3, "offer": 3, "answer": 3, "take_group": 2, "search": 1, "taps": 1, "arrive": 1, "collect": 1},
    {"collect": 9, "leave": 4, "offer": 2, "answer": 3, "take_group": 2, "escort": 2, "counted": 2, "undo": 2, "taps": 2,
     "exceptional": 2, "out_twice": 3, "correct": 1, "read_again": 1, "arrive": 1, "roll": 1, "watch": 1, "search": 1},
    {"collect": 6, "exceptional": 2, "out_twice": 2, "close_case": 6, "clear": 4, "answer": 2, "counted": 2, "undo": 1,
     "leave": 2},
    {"clear": 2, "collect": 1, "close_case": 1, "arrive": 1},
)  # fmt: skip
_AGENTS: Mapping[str, int] = {"up": 6, "down": 6, "exchange": 4}
_FAULTS: Mapping[Faults, Mapping[str, int]] = {
    Faults.NETWORK: {"cut_off": 4, "link_back": 4},
    Faults.DISK: {"power_cut": 3, "cut_in_append": 3, "append_fails": 3, "disk_full": 1, "disk_freed": 2, "agent_dies": 2},
    Faults.CLOCK: {"clock_steps": 3, "clock_drifts": 2, "clock_forgets": 2, "clock_mended": 3},
    Faults.CARD: {"card_copied": 4, "card_put_back": 2, "card_cloned": 1},
    Faults.SERVER: {"server_dies": 3, "server_copied": 2, "server_put_back": 1, "server_full": 1},
}
NIGHT_MS = 1750 * MINUTE_MS  # before the next morning every link has been back once: a gate keeps yesterday, not last week
_WIRE = ("", "", "", "lost", "eaten", "twice", "late", "again")
_RIGHTS_A_DAY, _RIGHTS_FROM, _RIGHTS_TO = 10, 840, 1180  # asks for the right to release a child, between these minutes
_AGENT_SHARE, _FAULT_SHARE = 0.45, 0.16  # for every press of a person, so many steps of an agent and so many faults


def plan(seed: int, size: Size) -> tuple[Event, ...]:
    """The same events for the same seed and size, in their order."""
    chance, events = random.Random(seed), list[Event]()
    for day in range(size.days):
        for phase, (first, last, share) in enumerate(_PHASES):
            count = max(1, round(size.events * share))
            for kinds, how_many in (
                (_PEOPLE[phase], count),
                (_AGENTS, round(count * _AGENT_SHARE)),
                (_weights(size.faults), round(count * _FAULT_SHARE + chance.random())),
            ):
                events += _drawn(chance, kinds, how_many, size, day * DAY_MS, (first * MINUTE_MS, last * MINUTE_MS))
        events += _rights(random.Random(f"{seed}/{day}/rights"), size, day * DAY_MS)
        if day + 1 < size.days:
            events.append(Event(day * DAY_MS + NIGHT_MS, "night", 0, 0))
    return tuple(sorted(events))


def _rights(chance: random.Random, size: Size, start_ms: int) -> list[Event]:
    """Drawn by themselves: what else a seed says stays as it was."""
    count, within = max(1, size.events * _RIGHTS_A_DAY // 120), (_RIGHTS_FROM * MINUTE_MS, _RIGHTS_TO * MINUTE_MS)
    return _drawn(chance, {"wants_right": 1}, count, size, start_ms, within)


def _weights(faults: frozenset[Faults]) -> dict[str, int]:
    return {kind: weight for one in Faults if one in faults for kind, weight in _FAULTS[one].items()}


def _drawn(
    chance: random.Random, kinds: Mapping[str, int], count: int, size: Size, start_ms: int, within: tuple[int, int]
) -> list[Event]:
    if not kinds:
        return []
    names, weights = list(kinds), list(kinds.values())
    found = []
    for kind in chance.choices(names, weights, k=count):
        wire = _wire(chance) if Faults.NETWORK in size.faults and kind in _AGENTS else ()
        at_ms = start_ms + chance.randrange(*within)
        found.append(Event(at_ms, kind, chance.randrange(size.gates), chance.randrange(1 << 20), wire))
    return found


def _wire(chance: random.Random) -> tuple[str, ...]:
    """Half of the steps go well; the others have one request or more that does not."""
    return () if chance.random() < 0.5 else tuple(chance.choices(_WIRE, k=3))
