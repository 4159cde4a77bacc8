"""A city's rules as data: what a policy file may say, and the frozen values made of it.

The code knows *types* of rules (a shortest duration, a latest end, a thing that must be offered); which
city says what, how strongly and in which words stands in `config/policies/*.toml` and nowhere else. A
rule that a file does not have is one on which the document is silent: nothing is ever inherited from
another city.

Never reads a file (`kiosk.core.policy_file` makes these values of one that was read), and never judges a
plan: that is `kiosk.core.plan_check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from kiosk.core.people import Stage
from kiosk.core.practices import PRACTICES, Words

Value = bool | int | str | tuple[str, ...] | Mapping[str, int]


class Strength(StrEnum):
    """How binding the words are. The document's own wording decides, not our opinion of the matter."""

    MUST = "must"  # 必须、应、要、不得、严禁
    IN_PRINCIPLE = "in_principle"  # 原则上
    GENERALLY = "generally"  # 一般
    MAY = "may"  # 可、鼓励、可探索


STRENGTH_WORDS: Final[Mapping[Strength, str]] = {
    Strength.MUST: "必须",
    Strength.IN_PRINCIPLE: "原则上",
    Strength.GENERALLY: "一般",
    Strength.MAY: "可以",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A paper that rules are quoted from. `number` is empty where the paper carries none."""

    title: str
    number: str = ""
    issuer: str = ""
    issued_on: date | None = None
    effective_from: date | None = None
    valid_until: date | None = None  # the last day on which it was certainly in force
    note: str = ""

    def __str__(self) -> str:
        return f"《{self.title}》{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One clause and what can be checked of it. `values` has the keys of its type, in core units."""

    id: str  # row of the requirements matrix, with a suffix where a row has several clauses: A4.winter
    type: str
    strength: Strength
    clause: str  # the document's own words, white space taken out
    document: Document
    stages: frozenset[Stage]
    season: str = ""  # "" = every season
    variant: str = ""  # "" = every variant of the policy
    instead_of: str = ""  # id of the general rule that this one replaces where it applies
    effective_from: date | None = None
    valid_until: date | None = None
    also: tuple[str, ...] = ()  # other rows of the matrix that the clause covers
    warn_because: str = ""  # why a breach only warns although the wording is 必须
    values: Mapping[str, Value] = field(default_factory=dict)
    labels: Mapping[str, Words] = field(default_factory=dict)  # of practices that only this policy knows

    def number(self, key: str) -> int:
        value = self.values[key]
        assert isinstance(value, int), f"{self.id}.{key} is no number"
        return value

    def text(self, key: str) -> str:
        value = self.values.get(key, "")
        assert isinstance(value, str), f"{self.id}.{key} is no text"
        return value

    def flag(self, key: str) -> bool:
        return self.values.get(key, False) is True

    def words(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key, ())
        assert isinstance(value, tuple), f"{self.id}.{key} is no list"
        return value

    def label(self, practice: str) -> Words:
        return self.labels.get(practice) or PRACTICES[practice]

    def table(self, key: str) -> Mapping[str, int]:
        value = self.values.get(key, {})
        assert isinstance(value, Mapping), f"{self.id}.{key} is no table"
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    id: str
    name: str  # 天津市
    name_en: str
    overlay: bool  # laid over a city's policy, never used alone for a city
    stages: frozenset[Stage]
    rules: tuple[Rule, ...]
    variants: Mapping[str, Words] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()  # facts about the city that an overlay may ask for
    model: str = ""  # 5+2, for the sheet
    note: str = ""

    def of_type(self, *types: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.type in types)


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One thing wrong in a policy file: where, and what to write instead (Chinese / English)."""

    where: str
    message: str


class PolicyRefused(ValueError):
    """A policy file cannot be used. `problems` has every reason at once."""

    def __init__(self, problems: tuple[PolicyProblem, ...]) -> None:
        super().__init__("\n".join(f"{p.where}: {p.message}" if p.where else p.message for p in problems))
        self.problems = problems


def service_on_makeup_day(policy: Policy) -> str:
    """What the policy says of a make-up Saturday or Sunday on which the school teaches.

    `service`: it is a service day. `if_teaching`: it is one when the school teaches. `school_decides`: the
    words leave it open, or the policy is silent; the school answers in its calendar.
    """
    return next((rule.text("makeup_day") for rule in policy.of_type("day_basis")), "school_decides")


def asks_for_agreement(policy: Policy) -> bool:
    """Whether an agreement with the family belongs to taking part. A silent document asks for none."""
    return any(rule.strength is Strength.MUST and "agreement" in rule.words("practices") for rule in policy.of_type("require"))


def asked_practices(policy: Policy, variant: str = "") -> frozenset[str]:
    """What the policy asks a school to do, by 必须 or 原则上; where it only allows or encourages it asks nothing."""
    asking = (r for r in policy.of_type("require") if r.strength in (Strength.MUST, Strength.IN_PRINCIPLE, Strength.GENERALLY))
    return frozenset(word for rule in asking if rule.variant in ("", variant) for word in rule.words("practices"))


def report_dues(policy: Policy, on: date) -> tuple[tuple[date, Rule], ...]:
    """The next due date of every report of the policy, on or after `on`, soonest first."""
    dues: list[tuple[date, Rule]] = []
    for rule in policy.of_type("report_dates"):
        for month_day in rule.words("dates"):
            month, day = int(month_day[:2]), int(month_day[3:])
            due = date(on.year, month, day)
            dues.append((due if due >= on else date(on.year + 1, month, day), rule))
    return tuple(sorted(dues, key=lambda due: (due[0], due[1].id)))
