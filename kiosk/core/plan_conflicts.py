"""Where two clauses cannot both be kept: a floor under a cap, a weekend that one demands and one forbids.

Cities and the state write at different times and do not wait for each other. The software carries both
texts and says that they clash; it never picks one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from kiosk.core.plan_hours import season_zh
from kiosk.core.policy import Rule, Strength
from kiosk.core.school_plan import Case, clock
from kiosk.core.timetable import BellSchedule

_ORDER: Final = (Strength.MAY, Strength.GENERALLY, Strength.IN_PRINCIPLE, Strength.MUST)
_Sourced = tuple[str, Rule]  # policy id, rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    first: Rule
    second: Rule
    policies: tuple[str, str]
    where: str
    zh: str
    en: str

    @property
    def id(self) -> str:
        return f"{self.first.id}-vs-{self.second.id}"

    @property
    def strength(self) -> Strength:
        """The weaker of the two: neither can be insisted on."""
        return min(self.first.strength, self.second.strength, key=_ORDER.index)

    def concerns(self, rule: Rule, where: str) -> bool:
        return where == self.where and rule in (self.first, self.second)


def conflicts(cases: tuple[Case, ...]) -> tuple[Conflict, ...]:
    """Every pair of binding clauses, of one source or of two, that this school cannot both keep."""
    if not cases:
        return ()
    found = [c for s in sorted(cases[0].plan.schedules) for c in _of_hours(cases[0].plan.schedules[s], cases)]
    return (*found, *_weekend(cases), *_evening_fee(cases))


def _binding(cases: tuple[Case, ...], rule_type: str, schedule: BellSchedule | None = None) -> list[_Sourced]:
    """The rules of a type that bind this school, for a schedule where one is given."""
    return [
        (case.policy.id, rule)
        for case in cases
        for rule in case.policy.of_type(rule_type)
        if case.binds(rule) and (schedule is None or schedule in case.schedules(rule))
    ]


def _of_hours(schedule: BellSchedule, cases: tuple[Case, ...]) -> Iterator[Conflict]:
    """A shortest duration that does not fit before a latest end, and an earliest end after a latest one."""
    caps = [(p, r) for p, r in _binding(cases, "end_not_after", schedule) if _of_service(r) and "at" in r.values]
    lows = [(p, r) for p, r in _binding(cases, "end_not_before", schedule) if _of_service(r)]
    where = f"plan.toml bells.{schedule.season}.slot"
    season = season_zh(schedule.season)
    start = max(schedule.dismissal_min.values(), default=0)
    for (policy, floor), (other, cap) in product(_binding(cases, "min_minutes", schedule), caps):
        window, least, latest = cap.number("at") - start, floor.number("minutes"), cap.number("at")
        if window < least:
            span = f"{clock(start)}–{clock(latest)}"
            yield Conflict(
                first=floor,
                second=cap,
                policies=(policy, other),
                where=where,
                zh=f"{season}放学到最晚结束 {span} 只有 {window} 分钟，不足 {least} 分钟",
                en=f"in {schedule.season} from dismissal to the latest end {span} are {window} minutes, not {least}",
            )
    for (policy, low), (other, cap) in product(lows, caps):
        off_work = cases[0].plan.local_off_work_min
        earliest, latest = off_work if low.text("ref") else low.number("at"), cap.number("at")
        if earliest is not None and earliest > latest:
            yield Conflict(
                first=low,
                second=cap,
                policies=(policy, other),
                where=where,
                zh=f"{season}一方要求不早于 {clock(earliest)} 结束，一方要求不晚于 {clock(latest)} 结束",
                en=f"in {schedule.season} one wants the end at {clock(earliest)} or later, one at {clock(latest)} or earlier",
            )


def _of_service(rule: Rule) -> bool:
    return rule.text("slot") in ("", "service")


def _weekend(cases: tuple[Case, ...]) -> Iterator[Conflict]:
    """A weekend day is demanded, and the service is for class days only; a pilot city is excepted."""
    for (policy, day), (other, only) in product(_binding(cases, "weekend_days"), _binding(cases, "class_days_only")):
        if only.text("pilot_trait") in cases[0].traits:
            continue
        yield Conflict(
            first=day,
            second=only,
            policies=(policy, other),
            where="calendar.toml weekend_service",
            zh=f"一方要求双休日开展 {day.number('count')} 天，一方只允许上课日开展",
            en=f"one wants {day.number('count')} weekend day, one allows class days only",
        )


def _evening_fee(cases: tuple[Case, ...]) -> Iterator[Conflict]:
    """One sets a charge for evening self-study as part of the service, one says that it is no part of it."""
    charged = cases[0].plan.fees
    if charged is None or not charged.evening_cny:
        return
    caps = [(p, r) for p, r in _binding(cases, "fees") if "evening_cap_cny" in r.values]
    outs = [(p, r) for p, r in _binding(cases, "not_the_service") if "evening_study" in r.words("kinds")]
    for (policy, cap), (other, out) in product(caps, outs):
        yield Conflict(
            first=cap,
            second=out,
            policies=(policy, other),
            where="school.toml fees.evening_cny",
            zh=f"一方规定晚自习每生最多 {cap.number('evening_cap_cny')} 元，一方规定晚自习不属于课后服务",
            en=f"one allows up to {cap.number('evening_cap_cny')} yuan for evening self-study, one says it is no part "
            "of the service",
        )
