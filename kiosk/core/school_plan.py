"""A school's plan as the policy check needs it, and what the check says about it.

Plain values: whoever holds the settings makes a `SchoolPlan` of them (`kiosk.checking` does). What the
plan does not state is left out, never guessed: the check then says that a person has to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kiosk.core.calendar import Calendar, Day, Term
from kiosk.core.people import Session, Stage
from kiosk.core.policy import Policy, Rule, Strength
from kiosk.core.timetable import BellSchedule, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What families are charged, in yuan. `basis` is pupil_month or pupil_term_once."""

    basis: str
    cny: int
    evening_cny: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A change of the service times inside a term: a season of its own that is not a season of the year."""

    first: date
    name: str
    approval_ref: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Somebody answered for a deviation from a clause of 原则上 or 一般."""

    rule: str
    reason: str
    by: str
    on: date | None = None
    where: str = ""  # only findings whose place contains it; "" = everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolPlan:
    """One school's plan. `menu` None: the sessions are not known here, so nothing is said of them."""

    stages: frozenset[Stage]
    schedules: Mapping[str, BellSchedule]  # by season
    calendar: Calendar
    variant: str = ""
    local_off_work_min: int | None = None
    menu: tuple[Session, ...] | None = None
    slot_choice: frozenset[str] = frozenset()  # of "1", "2", "1+2"; empty = not said
    menu_fields: frozenset[str] = frozenset()  # what the published menu says of each session
    features: frozenset[str] = frozenset()  # what is offered to families
    practices: frozenset[str] = frozenset()  # what the school does
    never: frozenset[str] = frozenset()  # what the school says it does not do
    external_bodies: bool | None = None  # training bodies or hired staff take part
    fees: Fees | None = None  # None: families are charged nothing
    weeks_per_year: int = 0  # planned by the school; 0 = not said
    weekend_content: str = ""  # interest, care; "" = not said
    filed_on: date | None = None
    approved_on: date | None = None  # the filed plan was approved
    amendments: tuple[Amendment, ...] = ()
    accepted: tuple[Acceptance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that the check of one rule looks at."""

    plan: SchoolPlan
    policy: Policy  # that the rule belongs to
    traits: frozenset[str]  # of the city, also when an overlay's rule is looked at
    on: date
    days: tuple[Day, ...]  # every day of every term and opening period
    not_service: frozenset[str] = frozenset()  # kinds that an overlay takes out of the service

    def schedules(self, rule: Rule) -> tuple[BellSchedule, ...]:
        """The schedules that a rule speaks of: its season's, less those for which another rule stands instead."""
        replaced = {r.season for r in self.policy.rules if r.instead_of == rule.id and self.in_variant(r)}
        if "" in replaced:
            return ()
        schedules = sorted(self.plan.schedules.items())
        return tuple(s for name, s in schedules if rule.season in ("", name) and name not in replaced)

    def in_variant(self, rule: Rule) -> bool:
        return rule.variant in ("", self.plan.variant)

    def in_force(self, rule: Rule) -> bool:
        """Whether the clause holds on the day. A paper that lapsed as a whole is still looked at: it may be renewed."""
        first = rule.effective_from or rule.document.effective_from
        ended = rule.valid_until is not None and rule.valid_until < self.on
        return not ended and (first is None or first <= self.on)

    def addressed(self, rule: Rule) -> bool:
        """Whether the clause speaks to this school: its variant, a stage that it has, words that bind."""
        mine = self.in_variant(rule) and bool(rule.stages & self.plan.stages)
        return mine and rule.strength is not Strength.MAY

    def binds(self, rule: Rule) -> bool:
        return self.addressed(rule) and self.in_force(rule)

    def slots(self, schedule: BellSchedule) -> tuple[Slot, ...]:
        """The slots of the after-school service, by start."""
        return tuple(sorted((s for s in schedule.slots if s.kind not in self.not_service), key=lambda s: s.start_min))

    def term(self) -> Term | None:
        """The term of the day of the check, or the one that comes next; after the last one None."""
        ahead = sorted((t for t in self.plan.calendar.terms if t.last >= self.on), key=lambda t: t.first)
        return ahead[0] if ahead else None


@dataclass(frozen=True, slots=True)
class Breach:
    """The plan breaks the rule: where, and one sentence in each language on what is wrong and what would do."""

    where: str
    zh: str
    en: str
    soft: bool = False  # warns although the rule's words are 必须: the deviation is one that the words leave room for


@dataclass(frozen=True, slots=True)
class Unknown:
    """The plan does not show whether the rule is kept: what a person should look at."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A setting without which a rule cannot be judged: a problem of the configuration, not of the plan."""

    file: str
    where: str
    message: str


Outcome = Breach | Unknown | Missing


class Level(StrEnum):
    BLOCK = "block"  # the plan may not be published
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A breach with the clause that it breaks."""

    policy: str
    rule: str
    strength: Strength
    level: Level
    where: str
    message: str  # Chinese / English
    document: str
    clause: str
    accepted: Acceptance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """A clause that the plan cannot show to be kept: a person has to look."""

    policy: str
    rule: str
    strength: Strength
    message: str  # Chinese / English: what to look at
    document: str
    clause: str


def clock(minutes: int) -> str:
    """18:30."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
