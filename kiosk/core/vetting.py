"""校外人员准入: whether a member of staff from outside may come in and take children today, and what is missing. Pure.

The school's own staff are not asked. What is missing is for the guard and the duty leader only; everybody else reads that
the gatehouse knows.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.other_reads import already_queued
from kiosk.core.people import Outside, within
from kiosk.core.rules import AccessPoint, VettingRules
from kiosk.core.world import World

MISSING = ("blacklisted", "not_listed", "contract", "qualification", "health", "record")  # words, most serious first
_RECORD_MONTHS = 12


def missing(world: World, staff: int) -> tuple[str, ...]:
    """What keeps somebody out today, in words of MISSING; nothing for the school's own staff."""
    outside = world.directory.outside.get(staff)
    return lacking(outside, world.rules.vetting, world.book.day.date) if outside is not None else ()


def lacking(outside: Outside, rules: VettingRules, today: date) -> tuple[str, ...]:
    demands, found = rules.demands, list[str]()
    if outside.organisation in rules.blacklist:
        found.append("blacklisted")
    if "whitelist" in demands and outside.organisation not in rules.whitelist:
        found.append("not_listed")
    if not within(outside.contract_from, outside.contract_to, today) or (
        "contract" in demands and (outside.contract_from is None or outside.contract_to is None)
    ):
        found.append("contract")
    if "qualification" in demands and not outside.qualification:
        found.append("qualification")
    if "health" in demands and not _within_a_year(outside.health_checked, today):
        found.append("health")
    if "record" in demands and not _within_a_year(outside.record_checked, today):
        found.append("record")
    return tuple(found)


def _within_a_year(checked: date | None, today: date) -> bool:
    """A check counts up to the day before the same day of the next year; one that is dated tomorrow was not made."""
    if checked is None or checked > today:
        return False
    last = (checked.year + _RECORD_MONTHS // 12, checked.month, checked.day)
    return (today.year, today.month, today.day) < last


def kept_out(world: World, staff: int) -> Decision | None:
    """The refusal of a press by somebody who has not been vetted; None for everybody else."""
    if not missing(world, staff):
        return None
    return Decision(outcome=Outcome.REFUSED, reason=Reason.STAFF_NOT_VETTED, person=staff)


def sign_in_refused(world: World, staff: int, where: str) -> Decision | None:
    """On record: somebody who may not be here tried to sign in. It opens nothing and closes nothing."""
    kept = kept_out(world, staff)
    if kept is None:
        return None
    body = {
        "person": staff, "access_point": "", "where": where, "outcome": Outcome.REFUSED.value,
        "reason": Reason.STAFF_NOT_VETTED.value, "lacks": list(missing(world, staff)), "day": world.day,
    }  # fmt: skip
    return msgspec.structs.replace(kept, facts=(Fact(Kind.READ_REFUSED, body),))


def at_point(world: World, staff: int, point: AccessPoint, now_ms: int) -> Decision | None:
    """The answer to a tap of somebody who has not been vetted: the guard decides, and reads what is missing."""
    lacks = missing(world, staff)
    if not lacks:
        return None
    body: dict[str, Any] = {
        "person": staff, "access_point": point.id, "outcome": Outcome.ASK_GUARD.value, "reason": Reason.STAFF_NOT_VETTED.value,
        "queue": "outside", "lacks": list(lacks), "day": world.day,
    }  # fmt: skip
    return Decision(
        outcome=Outcome.ASK_GUARD, reason=Reason.STAFF_NOT_VETTED,
        facts=() if already_queued(world, staff, point.id, now_ms) else (Fact(Kind.READ_REFUSED, body),),
        access_point=point.id, person=staff,
    )  # fmt: skip
