"""Commands about what a school publishes and owes.

Part of `kiosk.core.commands`, which names them all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """The notice to parents or the public timetable goes out on this day. `digest`: SHA-256 (hex) of the words."""

    what: str  # guardian_notice, timetable
    digest: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindOfDue:
    """A report or the filing of the plan is due on `due` (YYYY-MM-DD), so many days from now."""

    what: str  # report, filing
    rule: str
    due: str
    days_left: int


PublishingCommand = Publish | RemindOfDue
