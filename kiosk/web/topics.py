"""What may be watched live: every topic's query, and who may watch it.

Public topics say what anybody who stands at the gate can see. All others need a member of staff with a role.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.core.people import Directory, Role
from kiosk.core.roster import (
    BarQuery,
    DisplayQuery,
    DutyQuery,
    GuardQuery,
    MusterQuery,
    PatrolQuery,
    Query,
    RegisterQuery,
    RosterListQuery,
    RosterQuery,
)
from kiosk.core.rules import Rules
from kiosk.web.refusals import NoSuchThing

MAX_TOPICS = 16  # on one connection
MAX_DIGITS = 15  # of a person's number; Python refuses to read a number of thousands
ANSWERS = "answers"  # every access point's public answers, for devices and logs; it has no state of its own
QUICK_S = 0.040  # between two looks at one topic
DUTY_S = 0.2  # the whole school is counted for it
MUSTER_S = 0.3  # so is it for this; a class that is counted off by several people is sent once
LIST_S = 1.0  # a list of all rosters costs a hundred times a roster, and nobody reads it by the second

STAFF = frozenset(Role)
AT_THE_GATE = frozenset({Role.GUARD, Role.DUTY_LEADER})
ROSTER_READERS = frozenset({Role.TEACHER, Role.DUTY_LEADER, Role.INSPECTOR})
DUTY_READERS = frozenset({Role.DUTY_LEADER, Role.OFFICE, Role.INSPECTOR})
MUSTER_READERS = frozenset({Role.GUARD, Role.TEACHER, Role.DUTY_LEADER, Role.OFFICE})  # whoever may stand at a muster point
PATROLLERS = frozenset({Role.DUTY_LEADER, Role.OFFICE})
REGISTER_READERS = frozenset({Role.GUARD, Role.DUTY_LEADER, Role.OFFICE})

_READERS = {
    "guard": AT_THE_GATE,
    "roster": ROSTER_READERS,
    "rosters": ROSTER_READERS,
    "duty": DUTY_READERS,
    "muster": MUSTER_READERS,
    "register": REGISTER_READERS,
    "patrol": PATROLLERS,
}
_NOBODY_IN_PARTICULAR: frozenset[Role] = frozenset()


class Topics:
    """The topics of one gate computer."""

    def __init__(self, rules: Rules, directory: Callable[[], Directory]) -> None:
        self._rules, self._directory = rules, directory

    def query(self, topic: str) -> Query | None:
        """The query that shows `topic`; None for the stream of answers, which has no state. Raises NoSuchThing."""
        kind, _, name = topic.partition(":")
        if kind == "roster":
            roster, viewer = _viewed(name)
            if self._has_roster(roster):
                return RosterQuery(roster=roster, viewer=viewer)
        if kind == "guard" and name in self._rules.gates:
            return GuardQuery(gate=name)
        if kind == "display" and name in self._rules.access_points:
            return DisplayQuery(access_point=name)
        if topic == "bar":
            return BarQuery()
        if topic == "duty":
            return DutyQuery()
        if topic == "muster":
            return MusterQuery()
        if topic == "patrol":
            return PatrolQuery()
        if kind == "register" and name in self._rules.gates:
            return RegisterQuery(name)
        if kind == "rosters":
            return RosterListQuery(staff=int(name) if name.isascii() and name.isdecimal() and len(name) <= MAX_DIGITS else None)
        if topic == ANSWERS:
            return None
        raise NoSuchThing(
            f"There is no live topic {topic[:80]!r}; there are bar, duty, muster, patrol, rosters, roster:<id>, guard:<gate>, "
            "register:<gate> and display:<access point>."
        )

    def marks(self, topic: str) -> tuple[str, ...]:
        """Under which names of the controller's the topic is told to look different."""
        if topic.startswith("rosters:"):
            return ("rosters",)
        roster, viewer = _viewed(topic)
        return (roster, f"roster:staff:{viewer}") if viewer else (topic,)

    def every_s(self, topic: str) -> float:
        """How often the topic may be looked at."""
        if topic == "duty":
            return DUTY_S
        if topic == "muster":
            return MUSTER_S
        return LIST_S if topic.startswith(("rosters", "patrol")) else QUICK_S

    def readers(self, topic: str) -> frozenset[Role]:
        """The roles that may watch it; empty: anybody."""
        kind = topic.partition(":")[0]
        if kind == "display":
            return _NOBODY_IN_PARTICULAR
        return _READERS.get(kind, STAFF)

    def _has_roster(self, roster: str) -> bool:
        kind, _, key = roster.partition(":")
        directory = self._directory()
        if kind == "staff":
            return _number(key) in directory.staff
        return (kind == "class" and key in directory.classes) or (kind == "session" and key in directory.sessions)


def _viewed(roster: str) -> tuple[str, int]:
    """`<roster>@<staff number>`: the roster, and who looks at it in place of its own teacher; 0 for the teacher's own."""
    name, at, viewer = roster.rpartition("@")
    number = _number(viewer) if at else 0
    return (name, number) if number else (roster, 0)


def _number(text: str) -> int:
    """0 for what is no number of a person."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS else 0
