"""What the players of a term meant to happen, written down while they play: who attended what, who taught, what was corrected.

It is made from the script alone and never from the journal or a report: whatever the program says of the term can be held
against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Sitting:
    """One session on one day, as the script has it. `states` are of the enrolled; the last word wins."""

    day: str
    session: str
    states: dict[int, str]
    teachers: list[int]
    guests: set[int] = field(default_factory=set)
    class_hours: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """`before`: the states that the row had of the same children; `locked`: its month was."""

    day: str
    for_day: str
    session: str
    before: dict[int, str]
    states: dict[int, str]
    teachers_before: tuple[int, ...] = ()
    teachers: tuple[int, ...] | None = None
    locked: bool = False


@dataclass(slots=True, kw_only=True)
class Ledger:
    sittings: dict[tuple[str, str], Sitting] = field(default_factory=dict)  # (day, session)
    corrections: list[Correction] = field(default_factory=list)
    patrols: int = 0
    locked: list[str] = field(default_factory=list)  # months
    days: list[str] = field(default_factory=list)  # on which somebody was here
    service_days: list[str] = field(default_factory=list)
