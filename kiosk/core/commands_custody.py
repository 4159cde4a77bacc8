"""Commands that move custody or say where a child is: roll call, handover, escort, groups, the watch, searches, going alone.

Part of `kiosk.core.commands`, which names them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRoll:
    """One mark per child: present, late, left_early, leave_sick, leave_personal, absent_unexplained, moved."""

    roster: str  # "class:<class id>" or "session:<session id>"
    marks: Mapping[int, str]
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The custodian offers children to a named taker. An offer moves nothing."""

    kind: str  # class_to_session, session_to_session, to_extended_care, to_gatehouse, to_duty, ...
    children: tuple[int, ...]
    taker: int
    place: str
    by: int  # the giver, or a duty leader acting for an absent giver
    giver: int | None = None
    counted: int | None = None  # by the giver; must be the number of children named
    exceptions: Mapping[int, str] = field(default_factory=dict)  # the giver's children who were not there, with the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """The taker counted. Children left out must be named in `exceptions` with a reason; they stay with the giver."""

    handover: str
    counted: int
    by: int
    exceptions: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    handover: str
    by: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeGroup:
    """A teacher takes over a whole roster at once: for every present child that somebody else holds, the offer
    that the timetable implies is recorded together with the acceptance. `counted` is by sight."""

    roster: str
    counted: int
    by: int
    exceptions: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEscort:
    """放学护送: the teacher counted at the door. Children left out are named in `exceptions`; "missing" starts a search."""

    children: tuple[int, ...]
    gate: str
    counted: int
    by: int
    exceptions: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEscort:
    """The second count, at the gate. Who is not there is named in `exceptions`."""

    escort: str
    counted: int
    by: int
    exceptions: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOut:
    """A group leaves for a venue outside the school; its teacher answers for it all the time."""

    children: tuple[int, ...]
    venue: str
    counted: int
    by: int
    exceptions: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BringBack:
    group: str
    counted: int
    by: int
    exceptions: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferShift:
    """The guard of a gate offers the shift: the children held there, the on-site list, the open cases, the visitors."""

    gate: str
    taker: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptShift:
    """`counted`: children at the gatehouse, by sight. Who is not there is named in `exceptions`."""

    shift: str
    counted: int
    by: int
    exceptions: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineShift:
    shift: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLocate:
    """Somebody misses a child that no rule has missed yet."""

    child: int
    by: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """The child was found, by whom and where. Custody does not move: a handover does that."""

    child: int
    place: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareIncident:
    """Not found: a lost child. Gates go on hold-and-verify at once, without waiting for the timer."""

    child: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReleaseRight:
    """A guard asks whichever gate has it for the right to release a child (要接送权)."""

    child: int
    access_point: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo:
    """A guard who has looked lets a child go home alone where the gate could not decide by itself. `second`: the other
    member of staff, at a gate that does not have the right to release this child."""

    child: int
    access_point: str
    by: int
    second: int | None = None
    duress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRelease:
    """Within seconds, by whoever pressed release: the child did not go."""

    release: str  # entry id of the release
    by: int
