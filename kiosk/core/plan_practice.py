"""How what a school offers, does, charges and files is held against a rule: one function for each type of rule.

As in `kiosk.core.plan_hours`, none knows a city and none decides whether a finding blocks. What the plan does
not state is `Unknown`: a person has to look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from kiosk.core.due_dates import dated_for, filing_due, half
from kiosk.core.people import Session, Stage
from kiosk.core.plan_hours import season_zh
from kiosk.core.policy import Rule
from kiosk.core.practices import FEATURES
from kiosk.core.school_plan import Breach, Case, Outcome, Unknown
from kiosk.core.timetable import BellSchedule, Slot

SESSIONS_SHOWN_MAX: Final = 4
NOT_ON_MENU: Final = frozenset({"extended_care", "early_care", "evening_study", "holiday_open"})
MENU_UNKNOWN: Final = Unknown("课程表未提供，请人工核对", "the sessions are not known here: look at the menu")
OFFERS_AT: Final = "school.toml service.offers"
PRACTICES_AT: Final = "school.toml service.practices"
SESSIONS_AT: Final = "people 课程"
WEEKDAYS_ZH: Final = "一二三四五六日"


# --- what is offered, to whom ---


def offer(rule: Rule, case: Case) -> Iterator[Outcome]:
    feature = rule.text("feature")
    words = FEATURES[feature]
    if feature not in case.plan.features:
        yield Breach(f"{OFFERS_AT} {feature}", f"没有提供{words.zh}，请提供并写入 offers", f"there is no {words.en}: offer it")
        return
    for schedule in case.schedules(rule) if feature in _BELLS else ():
        if _BELLS[feature](schedule) is None:
            key = "evening" if feature == "evening_study" else feature
            yield Breach(
                f"plan.toml bells.{schedule.season}.{key}",
                f"{season_zh(schedule.season)}作息没有{words.zh}的时间，请写明起止时间",
                f"the bells of {schedule.season} have no times for {words.en}: add them",
            )


_BELLS: Final[Mapping[str, Callable[[BellSchedule], Slot | None]]] = {
    "extended_care": lambda schedule: schedule.extended_care,
    "early_care": lambda schedule: schedule.early_care,
    "evening_study": lambda schedule: schedule.evening,
}


def only_stages(rule: Rule, case: Case) -> Iterator[Outcome]:
    feature = rule.text("feature")
    bells = _BELLS.get(feature)
    timed = bells is not None and any(bells(s) for s in case.plan.schedules.values())
    if not timed and feature not in case.plan.features:
        return
    words = FEATURES[feature]
    allowed = {Stage(s) for s in rule.words("allowed")}
    boarding = {Stage(s) for s in rule.words("boarders_of")}
    listed = "、".join(sorted(allowed | boarding))
    if not case.plan.stages & (allowed | boarding):
        yield Breach(
            f"{OFFERS_AT} {feature}",
            f"{words.zh}只限学段 {listed}，本校没有，请取消",
            f"{words.en} is for {listed} only, which this school does not have: do not offer it",
        )
    elif not case.plan.stages <= allowed:
        whom = f"{listed}（其中 {'、'.join(sorted(boarding))} 限住校生）" if boarding else listed
        yield Unknown(
            f"{words.zh}只限 {whom}，请核对报名名单",
            f"{words.en} is for {listed} only{' (boarders)' if boarding else ''}: look at the enrolments",
        )


def not_the_service(rule: Rule, case: Case) -> Iterator[Outcome]:
    kinds = rule.words("kinds")
    for schedule in case.schedules(rule):
        for slot in schedule.slots:
            if slot.kind in kinds:
                yield Breach(
                    f"plan.toml bells.{schedule.season}.slot[{slot.number}].kind",
                    f"{slot.kind} 不属于课后服务，不能作为课后服务时段，请单列",
                    f"{slot.kind} is not the after-school service: take it out of the slots",
                )
    fees = case.plan.fees
    if fees is not None and fees.evening_cny and "evening_study" in kinds:
        yield Breach(
            "school.toml fees.evening_cny",
            f"晚自习不属于课后服务，不得按课后服务收取每生 {fees.evening_cny} 元，请取消",
            f"evening self-study is not the service: do not charge {fees.evening_cny} yuan for it as such",
        )


# --- the menu ---

_FIELDS: Final[Mapping[str, tuple[str, Callable[[Session], bool]]]] = {
    "content": ("服务内容", lambda s: bool(s.name)),
    "teachers": ("负责教师", lambda s: s.teacher > 0),
    "audience": ("参加对象", lambda s: True),  # follows from the enrolments
    "capacity": ("容纳人数", lambda s: s.capacity > 0),
    "time": ("时间", lambda s: s.slot > 0 or (s.start_min is not None and s.end_min is not None)),
    "room": ("地点", lambda s: bool(s.room)),
}


def menu(rule: Rule, case: Case) -> Iterator[Outcome]:
    sessions, fields = _sessions(case), rule.words("fields")
    if unnamed := [_FIELDS[key][0] for key in fields if key not in case.plan.menu_fields]:
        listed = "、".join(unnamed)
        yield Breach(
            "school.toml service.menu_fields",
            f"服务项目没有公布{listed}，请补上",
            f"the menu leaves out {', '.join(k for k in fields if k not in case.plan.menu_fields)}: publish it",
        )
    if sessions is None:
        yield MENU_UNKNOWN
    elif not sessions:
        yield Breach(f"{SESSIONS_AT}", "没有一门课程，请列出服务项目", "there is no session: list what is on the menu")
    for key in fields if sessions else ():
        zh, present = _FIELDS[key]
        if without := [s for s in sessions or () if not present(s)]:
            yield Breach(
                f"{SESSIONS_AT} {key}",
                f"{_names(without)} 没有写明{zh}，请补填",
                f"{_names(without)}: the {key} is missing, fill it in",
            )


def forbid_kinds(rule: Rule, case: Case) -> Iterator[Outcome]:
    if case.plan.menu is None:
        yield MENU_UNKNOWN
    elif wrong := [s for s in case.plan.menu if s.kind in rule.words("kinds")]:
        yield Breach(
            f"{SESSIONS_AT} kind",
            f"{_names(wrong)} 是上课或补课，不得作为课后服务，请取消",
            f"{_names(wrong)}: lessons are not allowed as after-school service, cancel them",
        )


def sports_required(rule: Rule, case: Case) -> Iterator[Outcome]:
    sessions = _sessions(case)
    if sessions is None:
        yield MENU_UNKNOWN
        return
    moving = {day for s in sessions if s.includes_pe and s.slot for day in s.weekdays}
    if still := sorted(case.plan.calendar.teaching_weekdays - moving):
        yield Breach(
            f"{SESSIONS_AT} includes_pe",
            f"星期{'、'.join(WEEKDAYS_ZH[d - 1] for d in still)}的两个时段没有体育锻炼，请安排",
            f"no physical exercise in the slots of weekday {', '.join(map(str, still))}: plan some",
        )


def staff_per_group(rule: Rule, case: Case) -> Iterator[Outcome]:
    if case.plan.menu is None:
        yield MENU_UNKNOWN
    elif without := [s for s in case.plan.menu if s.teacher <= 0]:
        yield Breach(
            f"{SESSIONS_AT} teacher",
            f"{_names(without)} 没有负责教师，每班请安排 {rule.number('at_least')} 名",
            f"{_names(without)}: no teacher, name {rule.number('at_least')} for each group",
        )


def _sessions(case: Case) -> tuple[Session, ...] | None:
    """What families choose from: care and evening study are not on the menu."""
    if case.plan.menu is None:
        return None
    return tuple(s for s in case.plan.menu if s.kind not in NOT_ON_MENU)


def _names(sessions: Sequence[Session]) -> str:
    shown = "、".join(s.name or s.id for s in sessions[:SESSIONS_SHOWN_MAX])
    return shown if len(sessions) <= SESSIONS_SHOWN_MAX else f"{shown}… (×{len(sessions)})"


# --- what the school does and does not do ---


def require(rule: Rule, case: Case) -> Iterator[Outcome]:
    for practice in rule.words("practices") if _concerns(rule, case) else ():
        if practice not in case.plan.practices:
            words = rule.label(practice)
            yield Breach(
                f"{PRACTICES_AT} {practice}",
                f"方案没有写明“{words.zh}”，请落实并写入 practices",
                f"the plan does not say that there is: {words.en}; put it in place and add it to practices",
            )


def forbid(rule: Rule, case: Case) -> Iterator[Outcome]:
    for practice in rule.words("practices") if _concerns(rule, case) else ():
        words = rule.label(practice)
        if practice in case.plan.practices or (practice == "bundled_slots" and _bundled(case)):
            yield Breach(
                f"{PRACTICES_AT} {practice}",
                f"方案中有“{words.zh}”，文件不允许，请取消",
                f"the plan has what is forbidden: {words.en}; take it out",
            )
        elif practice not in case.plan.never:
            yield Unknown(
                f"不得有“{words.zh}”：方案没有写明，请核对后写入 never",
                f"never: {words.en}; the plan does not say, look and add it to never",
            )


def _bundled(case: Case) -> bool:
    """Two slots of which a family cannot choose one."""
    divided = any(len(s.slots) > 1 for s in case.plan.schedules.values())
    return divided and bool(case.plan.slot_choice) and not {"1", "2"} <= case.plan.slot_choice


def _concerns(rule: Rule, case: Case) -> bool:
    """A clause on charges says nothing to a school that charges nothing; likewise one on outside bodies."""
    if rule.text("when") == "charging":
        return case.plan.fees is not None
    return not (rule.text("when") == "external" and case.plan.external_bodies is False)


# --- money and filing ---


def fees(rule: Rule, case: Case) -> Iterator[Outcome]:
    charged, mode = case.plan.fees, rule.text("mode")
    if charged is None:
        return
    if mode in ("county_funded", "none_until_standard_set"):
        until = "，等收费标准出台并更新政策文件" if mode == "none_until_standard_set" else ""
        yield Breach(
            "school.toml fees.cny",
            f"不得向家长收费，请设 cny = 0{until}",
            "families may not be charged: set cny = 0",
        )
        return
    if "evening_cap_cny" in rule.values:
        if not charged.evening_cny:
            return
        yield from _capped(charged.evening_cny, rule.number("evening_cap_cny"), "evening_cny", "晚自习")
    elif "cap_cny" in rule.values:
        yield from _capped(charged.cny, rule.number("cap_cny"), "cny", "课后服务")
    if (basis := rule.text("basis")) and charged.basis != basis:
        zh, en = {"pupil_month": ("每生每月", "month"), "pupil_term_once": ("每生每期一次", "term")}[basis]
        yield Breach(
            "school.toml fees.basis",
            f'文件规定按{zh}收费，请设 basis = "{basis}"',
            f'the paper charges by the {en}: set basis = "{basis}"',
        )
    if rule.flag("agreement_required"):
        yield from _agreement(case)


def _capped(cny: int, cap: int, key: str, what: str) -> Iterator[Outcome]:
    if cny > cap:
        yield Breach(
            f"school.toml fees.{key}",
            f"{what}每生收费 {cny} 元，高于 {cap} 元，请降到 {cap} 元以内",
            f"{cny} yuan a pupil is above {cap}: charge {cap} or less",
        )


def _agreement(case: Case) -> Iterator[Outcome]:
    if "agreement" not in case.plan.practices:
        yield Breach(
            f"{PRACTICES_AT} agreement",
            "收费前须与家长签订协议，请签订并写入 practices",
            "an agreement comes before a charge: sign it and add it to practices",
        )


def fees_after_filing(rule: Rule, case: Case) -> Iterator[Outcome]:
    term = case.term()
    if case.plan.fees is None or term is None or case.on < term.first or dated_for(term, case.plan.approved_on):
        return
    yield Breach(
        "school.toml service.approved_on",
        f"{term.name}方案尚未审核同意，不得收费，请在同意后填写 approved_on",
        f"the plan of {term.id} is not approved: charge nothing until it is, then fill in approved_on",
    )


def plan_filing(rule: Rule, case: Case) -> Iterator[Outcome]:
    terms = [t for t in case.plan.calendar.terms if half(t) in rule.words("terms") and t.first <= case.on]
    if not terms or case.term() is None:
        return
    term = max(terms, key=lambda t: t.first)
    due = filing_due(rule, term, case.plan.calendar)
    if case.on > due and not dated_for(term, case.plan.filed_on):
        yield Breach(
            "school.toml service.filed_on",
            f"{term.name}方案应于 {due} 前报备案，请报备并填写 filed_on",
            f"the plan of {term.id} was due to be filed by {due}: file it and fill in filed_on",
        )


# --- the paper itself ---


def validity(rule: Rule, case: Case) -> Iterator[Outcome]:
    until = rule.document.valid_until
    if until is not None and case.on > until:
        yield Breach(
            f"policies/{case.policy.id}.toml documents",
            f"文件有效期至 {until}，已过期，请向教育主管部门确认现行规定并更新政策文件，或记录继续参照的理由",
            f"the paper lapsed on {until}: ask the education office what holds now and update the policy file, "
            "or log why it is still followed",
        )


CHECKS: Final[Mapping[str, Callable[[Rule, Case], Iterator[Outcome]]]] = {
    "offer": offer,
    "only_stages": only_stages,
    "not_the_service": not_the_service,
    "menu": menu,
    "forbid_kinds": forbid_kinds,
    "sports_required": sports_required,
    "staff_per_group": staff_per_group,
    "require": require,
    "forbid": forbid,
    "fees": fees,
    "fees_after_filing": fees_after_filing,
    "plan_filing": plan_filing,
    "validity": validity,
}
