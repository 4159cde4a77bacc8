"""Holds a school's plan against a city's policy and, where it applies, the national overlay.

`must` blocks, `in_principle` and `generally` warn and take a logged reason, `may` says nothing; a document that
is silent says nothing either. Where two clauses cannot both be kept, that is a finding of its own, and
neither blocks: no plan could satisfy them.

Pure: no rule of a city stands here, and the same plan on the same day always gives the same findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from kiosk.core import plan_hours, plan_practice
from kiosk.core.calendar import Day, resolve_day
from kiosk.core.plan_conflicts import Conflict, conflicts
from kiosk.core.policy import Policy, Rule, Strength
from kiosk.core.school_plan import (
    Acceptance,
    Breach,
    Case,
    Finding,
    Level,
    Missing,
    Outcome,
    SchoolPlan,
    Unchecked,
    Unknown,
)

CHECKS: Final[Mapping[str, Callable[[Rule, Case], Iterator[Outcome]]]] = {
    **plan_hours.CHECKS,
    **plan_practice.CHECKS,
}
RECORDED_ONLY: Final = frozenset({"statement", "funding", "report_dates"})  # nothing in a plan can break them


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Everything a check says. `missing` are settings without which a rule could not be judged."""

    findings: tuple[Finding, ...]
    unchecked: tuple[Unchecked, ...]
    missing: tuple[Missing, ...]


def check(policy: Policy | None, overlay: Policy | None, plan: SchoolPlan, on: date) -> tuple[Finding, ...]:
    """The findings alone: blocks first, then warnings, accepted ones last. `policy` None: no city's applies."""
    return examine(policy, overlay, plan, on).findings


def examine(policy: Policy | None, overlay: Policy | None, plan: SchoolPlan, on: date) -> Examination:
    """Findings, clauses that only a person can look at, and settings that are missing, on a day."""
    cases = _cases(policy, overlay, plan, on)
    clashes = conflicts(cases)
    findings = [_conflict_finding(clash, plan) for clash in clashes]
    unchecked: list[Unchecked] = []
    missing = [*_variant(policy, plan), *_accepted_rules(cases, clashes, plan)]
    for case in cases:
        for rule in case.policy.rules:
            if rule.type in RECORDED_ONLY or not case.addressed(rule):
                continue
            if not case.in_force(rule):
                unchecked.append(_unchecked(rule, case, _not_in_force(rule)))
                continue
            for outcome in CHECKS[rule.type](rule, case):
                if isinstance(outcome, Breach):
                    findings.append(_finding(rule, case, outcome, clashes))
                elif isinstance(outcome, Unknown):
                    unchecked.append(_unchecked(rule, case, outcome))
                elif outcome not in missing:
                    missing.append(outcome)
    findings.sort(key=lambda f: (f.accepted is not None, f.level is Level.WARN))
    return Examination(findings=tuple(findings), unchecked=tuple(unchecked), missing=tuple(missing))


def _cases(policy: Policy | None, overlay: Policy | None, plan: SchoolPlan, on: date) -> tuple[Case, ...]:
    """One case for each source. What an overlay takes out of the service is out for the city's rules too."""
    traits = policy.traits if policy else frozenset()
    days = _days(plan)
    cases = [Case(plan=plan, policy=s, traits=traits, on=on, days=days) for s in (policy, overlay) if s is not None]
    out = {
        kind
        for case in cases
        for rule in case.policy.of_type("not_the_service")
        if case.binds(rule)
        for kind in rule.words("kinds")
    }
    return tuple(replace(case, not_service=frozenset(out)) for case in cases)


def _days(plan: SchoolPlan) -> tuple[Day, ...]:
    ordinals: set[int] = set()
    for term in plan.calendar.terms:
        ordinals.update(range(term.first.toordinal(), term.last.toordinal() + 1))
    for opening in plan.calendar.openings:
        ordinals.update(range(opening.first.toordinal(), opening.last.toordinal() + 1))
    return tuple(resolve_day(date.fromordinal(n), plan.calendar) for n in sorted(ordinals))


def _not_in_force(rule: Rule) -> Unknown:
    first = rule.effective_from or rule.document.effective_from
    return Unknown(
        f"当日不施行（{first or '…'} 至 {rule.valid_until or '…'}）",
        f"not in force on this day ({first or '...'} to {rule.valid_until or '...'})",
    )


def _variant(policy: Policy | None, plan: SchoolPlan) -> Iterator[Missing]:
    if policy is None or plan.variant in (policy.variants or ("",)):
        return
    listed = "、".join(f"{name}（{words.zh}）" for name, words in policy.variants.items()) or '""'
    zh, en = f"请填写适用变体，可选：{listed}", f"needs a variant of the policy: {', '.join(policy.variants) or 'none'}"
    yield Missing("school.toml", "school.variant", f"{zh} / {en}")


def _accepted_rules(cases: tuple[Case, ...], clashes: tuple[Conflict, ...], plan: SchoolPlan) -> Iterator[Missing]:
    """A reason logged for a rule that does not exist is a slip of the pen that would hide nothing: say so."""
    known = {rule.id for case in cases for rule in case.policy.rules} | {clash.id for clash in clashes}
    for i, acceptance in enumerate(plan.accepted, 1):
        # A conflict's name has both its rules; it is known although today's plan may have solved it.
        parts = acceptance.rule.split("-vs-")
        if not {acceptance.rule} <= known and not (len(parts) > 1 and set(parts) <= known):
            zh, en = f"没有规则“{acceptance.rule}”，请核对", f"no rule '{acceptance.rule}': take its name from a finding"
            yield Missing("school.toml", f"accepted[{i}].rule", f"{zh} / {en}")


def _finding(rule: Rule, case: Case, breach: Breach, clashes: tuple[Conflict, ...]) -> Finding:
    clash = next((c for c in clashes if c.concerns(rule, breach.where)), None)
    softened = breach.soft or bool(rule.warn_because) or clash is not None
    level = Level.BLOCK if rule.strength is Strength.MUST and not softened else Level.WARN
    acceptance = _acceptance(rule.id, breach.where, case.plan)
    zh, en = breach.zh, breach.en
    if clash is not None:
        zh, en = f"{zh}（与 {clash.id} 的冲突有关）", f"{en} (part of the conflict {clash.id})"
    elif rule.warn_because:
        why_zh, _, why_en = rule.warn_because.partition(" / ")
        zh, en = f"{zh}；{why_zh.rstrip('。')}", f"{en}; {(why_en or why_zh).rstrip('.')}"
    if level is Level.BLOCK and acceptance is not None:
        zh, en = f"{zh}；“必须”条款不能以理由放行", f"{en}; no reason can stand in for a must"
    return Finding(
        policy=case.policy.id,
        rule=rule.id,
        strength=rule.strength,
        level=level,
        where=breach.where,
        message=f"{zh}。 / {en[0].upper()}{en[1:]}.",
        document=str(rule.document),
        clause=rule.clause,
        accepted=acceptance if level is Level.WARN else None,
    )


def _conflict_finding(clash: Conflict, plan: SchoolPlan) -> Finding:
    first, second = clash.first, clash.second
    return Finding(
        policy="+".join(dict.fromkeys(clash.policies)),
        rule=clash.id,
        strength=clash.strength,
        level=Level.WARN,
        where=clash.where,
        message=f"来源冲突：{clash.zh}，请择一执行并记录理由。 / Sources conflict: {clash.en}; follow one and log why.",
        document="；".join(dict.fromkeys((str(first.document), str(second.document)))),
        clause=f"{first.clause}｜{second.clause}",
        accepted=_acceptance(clash.id, clash.where, plan),
    )


def _acceptance(rule: str, where: str, plan: SchoolPlan) -> Acceptance | None:
    return next((a for a in plan.accepted if a.rule == rule and a.where in where), None)


def _unchecked(rule: Rule, case: Case, unknown: Unknown) -> Unchecked:
    return Unchecked(
        policy=case.policy.id,
        rule=rule.id,
        strength=rule.strength,
        message=f"{unknown.zh}。 / {unknown.en[0].upper()}{unknown.en[1:]}.",
        document=str(rule.document),
        clause=rule.clause,
    )
