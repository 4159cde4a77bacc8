"""A policy as the office page shows it: its clauses by the groups of the matrix, with their figures in words.

For a terminal there is `kiosk.policies.policy_sheet`. Reads nothing and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kiosk.core.people import Stage
from kiosk.core.plan_hours import SEASONS
from kiosk.core.policy import STRENGTH_WORDS, Policy, Rule, Strength
from kiosk.core.policy_rows import GROUPS, ROWS, row_of
from kiosk.core.practices import FEATURES, Words
from kiosk.policies import TYPES_ZH, shown_value
from kiosk.web.faces_format import Lang
from kiosk.web.faces_publications import RuleGroup, RuleLine

LETTERS: Final[Mapping[Strength, str]] = {
    Strength.MUST: "M", Strength.IN_PRINCIPLE: "P", Strength.GENERALLY: "P", Strength.MAY: "O",
}  # fmt: skip
STAGE_WORDS: Final[Mapping[Stage, Words]] = {
    Stage.KINDERGARTEN: Words("幼儿园", "kindergarten"), Stage.PRIMARY: Words("小学", "primary"),
    Stage.JUNIOR: Words("初中", "junior"), Stage.SENIOR: Words("高中", "senior"),
}  # fmt: skip
VALUE_WORDS: Final[Mapping[str, Words]] = {  # keys of rules that a page shows, with their figure
    "at": Words("{}", "{}"), "ref": Words("以当地正常下班时间为准", "when people here leave work"),
    "minutes": Words("{} 分钟", "{} minutes"), "gap_min": Words("相差不超过 {} 分钟", "within {} minutes"),
    "days": Words("每周 {} 天", "{} days a week"), "count": Words("双休日 {} 天", "{} weekend day(s)"),
    "weeks": Words("{} 周", "{} weeks"), "cap_cny": Words("最高 {} 元", "at most {} yuan"),
    "evening_cap_cny": Words("晚自习最高 {} 元", "evening: at most {} yuan"), "cny": Words("{} 元", "{} yuan"),
    "within_workdays": Words("开学后 {} 个工作日内", "within {} working days"), "dates": Words("每年 {}", "each year {}"),
    "to": Words("报 {}", "to {}"), "by": Words("由 {} 核准", "approved by {}"),
}  # fmt: skip


def sheet_groups(policy: Policy, lang: Lang, *, variant: str = "") -> tuple[RuleGroup, ...]:
    """The clauses that speak to a school of this variant, by the groups of the matrix, for a page."""
    found: dict[str, list[RuleLine]] = {}
    for rule in policy.rules:
        if rule.variant in ("", variant):
            found.setdefault(rule.id[0], []).append(_rule_line(policy, rule, lang))
    titles = {**GROUPS, "N": Words(policy.name, policy.name_en), "v": Words("文件效力", "the paper itself")}
    return tuple(RuleGroup(title=_in(lang, titles.get(key, Words(key, key))), rules=tuple(rules)) for key, rules in found.items())


def silent_rows(policy: Policy, lang: Lang) -> tuple[str, ...]:
    """What the city's papers say nothing about: there the school decides."""
    spoken = {row for rule in policy.rules for row in (row_of(rule.id), *rule.also)}
    return tuple(f"{row} {_in(lang, words)}" for row, words in ROWS.items() if row not in spoken)


def _rule_line(policy: Policy, rule: Rule, lang: Lang) -> RuleLine:
    words = ROWS.get(row_of(rule.id))
    return RuleLine(
        id=rule.id, letter=LETTERS[rule.strength], strength=rule.strength if lang == "en" else STRENGTH_WORDS[rule.strength],
        title=_in(lang, words) if words else TYPES_ZH[rule.type], scope="、".join(_scope(policy, rule, lang)),
        figures="；".join(_values(rule, lang)), clause=rule.clause,
    )  # fmt: skip


def _in(lang: Lang, words: Words) -> str:
    return words.en if lang == "en" else words.zh


def _scope(policy: Policy, rule: Rule, lang: Lang) -> list[str]:
    """Where a clause does not speak to everybody: its season, its district, its stages."""
    scope = [(SEASONS.get(rule.season, rule.season) if lang == "zh" else rule.season)] if rule.season else []
    if rule.variant:
        scope.append(_in(lang, policy.variants[rule.variant]))
    return scope + ([_in(lang, STAGE_WORDS[s]) for s in sorted(rule.stages)] if rule.stages != policy.stages else [])


def _values(rule: Rule, lang: Lang) -> list[str]:
    """The figures of a clause, for people: 18:30, 120 分钟, 延时托管."""
    shown = []
    for key, value in rule.values.items():
        if key in ("practices", "feature"):
            names = value if isinstance(value, tuple) else (str(value),)
            shown += [_in(lang, FEATURES[n] if key == "feature" else rule.label(n)) for n in names]
        elif key in VALUE_WORDS:
            shown.append(_in(lang, VALUE_WORDS[key]).format(shown_value(key, value)))
    return shown
