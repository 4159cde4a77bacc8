"""`kiosk check`: reads settings, sessions and policy files, has the core compare them, says what came out.

Reads only. It decides nothing about a plan: that is `kiosk.core.plan_check`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from kiosk.core.people import Session
from kiosk.core.plan_check import Examination, examine
from kiosk.core.policy import STRENGTH_WORDS, Policy, PolicyRefused, service_on_makeup_day
from kiosk.core.school_plan import Acceptance, Amendment, Fees, Finding, Level, SchoolPlan, Unchecked
from kiosk.notices.settings import problems_of as notices_problems
from kiosk.policies import PolicyMissing, load_policy, show_policy, today
from kiosk.settings import Problem, Settings, SettingsError, SharedDataMissing, load

__all__ = ["CheckResult", "PolicyMissing", "check_config", "school_plan", "show_policy"]

OVERLAY: Final = "national_2023"
SEASONS_OF_THE_YEAR: Final = frozenset({"spring", "summer", "autumn", "winter"})
PEOPLE: Final = "people"  # the folder of the people files
NEW_SCHOOL_YEAR: Final = 8  # month
NOT_CHARGED: Final = frozenset({"none", "county_funded", "none_until_standard_set"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check of one configuration folder says. Exit code 2 for problems, 1 for blocks, else 0."""

    on: date
    title: str  # school and city, for people
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems and not any(f.level is Level.BLOCK for f in self.findings)

    @property
    def exit_code(self) -> int:
        return 2 if self.problems else 0 if self.ok else 1

    def as_json(self) -> dict[str, Any]:
        """The stable document of `kiosk check --json`; fields may be added, never changed."""
        return {
            "ok": self.ok,
            "on": self.on.isoformat(),
            "problems": [{"file": p.file, "where": p.where, "message": p.message} for p in self.problems],
            "findings": [_finding_json(f) for f in self.findings],
            "unchecked": [
                {
                    "policy": u.policy,
                    "rule": u.rule,
                    "strength": u.strength.value,
                    "message": u.message,
                    "document": u.document,
                    "clause": u.clause,
                }
                for u in self.unchecked
            ],
        }

    def as_text(self) -> str:
        """The same for a terminal, Chinese first; blocks, then warnings, then what has a logged reason."""
        lines = [f"{self.title}  {self.on}", ""]
        for problem in self.problems:
            lines += [f"✗ 配置问题 PROBLEM  {problem.file} {problem.where}".rstrip(), f"  {problem.message}", ""]
        for finding in self.findings:
            lines += [*_finding_lines(finding), ""]
        if self.unchecked:
            lines.append(f"需人工核对 FOR A PERSON TO LOOK AT ({len(self.unchecked)})")
            lines += [f"  · {u.rule}  {u.message}“{u.clause}”" for u in self.unchecked]
            lines.append("")
        return "\n".join([*lines, self._verdict()])

    def _verdict(self) -> str:
        if self.problems:
            n = len(self.problems)
            return f"结论：配置有 {n} 个问题，请先改正。 / The configuration has {n} problem{'s'[: n != 1]}: correct them first."
        blocks = sum(f.level is Level.BLOCK for f in self.findings)
        warnings = sum(f.level is Level.WARN and f.accepted is None for f in self.findings)
        accepted = sum(f.accepted is not None for f in self.findings)
        zh = f"{blocks} 项不符，{warnings} 项提醒，{accepted} 项已说明理由"
        en = f"{blocks} blocking, {warnings} warning, {accepted} with a logged reason"
        verdict = ("可以发布", "May be published") if self.ok else ("不能发布", "Not to be published")
        return f"结论：{verdict[0]}（{zh}）。 / {verdict[1]} ({en})."


def check_config(
    config_dir: Path | str,
    *,
    on: date | None = None,
    policies: Path | None = None,
    policy: str = "",
    variant: str = "",
    sessions: Iterable[Session] | None = None,
) -> CheckResult:
    """Holds the plan of a configuration folder against its city's policy, as of `on` (today unless told).

    Never raises for what the files say: that comes back as problems.

    `policy` and `variant` look at the plan as if the school stood in another city. `policies` is the folder of policy
    files, the shipped one by default. `sessions` is the menu in force; without it the lists beside the settings are
    read, and where there are none the clauses on sessions come back as unchecked.
    """
    on = on or today()
    try:
        settings = load(config_dir)
    except SettingsError as error:
        return CheckResult(on=on, title=str(config_dir), problems=error.problems)
    city, overlay, problems = _sources(settings, policies, policy)
    title = _title(settings, city, variant)
    if sessions is None:
        sessions, unreadable = menu_beside(settings, on)
        problems += unreadable
    if problems:
        return CheckResult(on=on, title=title, problems=problems)
    plan = school_plan(settings, sessions=sessions)
    if policy and city is not None:
        calendar = replace(plan.calendar, makeup_day=service_on_makeup_day(city))
        plan = replace(plan, variant=variant, calendar=calendar)
    said = examine(city, overlay, plan, on)
    return CheckResult(
        on=on,
        title=title,
        problems=(*_problems(said), *notices_problems(settings)),
        findings=said.findings,
        unchecked=said.unchecked,
    )


def school_plan(settings: Settings, *, sessions: Iterable[Session] | None = None) -> SchoolPlan:
    """What the check needs of a school's settings."""
    school, service, fees = settings.school, settings.service, settings.fees
    charged = fees.mode not in NOT_CHARGED or fees.cny > 0 or fees.evening_cny > 0
    return SchoolPlan(
        stages=school.stages,
        schedules=settings.plan.schedules,
        calendar=settings.calendar,
        variant=school.variant,
        local_off_work_min=school.local_off_work_min,
        menu=None if sessions is None else tuple(sessions),
        slot_choice=service.slot_choice,
        menu_fields=service.menu_fields,
        features=service.offers,
        practices=service.practices,
        never=service.never,
        external_bodies=service.external_staff,
        fees=Fees(basis=fees.basis, cny=fees.cny, evening_cny=fees.evening_cny) if charged else None,
        weeks_per_year=service.weeks_per_year,
        weekend_content=service.weekend_content,
        filed_on=service.filed_on,
        approved_on=service.approved_on,
        # A season that is not one of the year's stands for a change of times that the school made on its own.
        amendments=tuple(
            Amendment(
                first=season.first,
                name=season.name,
                approval_ref=season.approval_ref or service.approval_ref,
                reason=season.reason,
            )
            for season in settings.calendar.seasons
            if season.name not in SEASONS_OF_THE_YEAR
        ),
        accepted=tuple(Acceptance(rule=a.rule, reason=a.reason, by=a.by, on=a.on, where=a.where) for a in settings.accepted),
    )


def menu_beside(settings: Settings, on: date) -> tuple[tuple[Session, ...] | None, tuple[Problem, ...]]:
    """The sessions of the people files beside the settings, None where there are none, and what is wrong with them.

    Only whether a session has a teacher is asked here: the number in `teacher` is 1 or 0, nobody's.
    """
    from kiosk.importing import plan_import
    from kiosk.importing.headers import kind_of_title
    from kiosk.importing.rows import Kind

    people = settings.find(PEOPLE)
    files = sorted(people.iterdir()) if people is not None and people.is_dir() else []
    lists = [f for f in files if kind_of_title(f.stem) in (Kind.SESSIONS, Kind.STAFF)]
    if not any(kind_of_title(f.stem) is Kind.SESSIONS for f in lists):
        lists = [f for f in files if f.suffix == ".xlsx"]  # one workbook with all the sheets
    if not lists:
        return None, ()
    school_year = on.year if on.month >= NEW_SCHOOL_YEAR else on.year - 1
    read = plan_import(lists, None, school_year_start=school_year, primary_years=settings.school.primary_years)
    unreadable = tuple(
        Problem(f"{PEOPLE}/{p.file}", str(p.place), f"{p.what.zh}{p.remedy.zh} / {p.what.en} {p.remedy.en}")
        for p in read.problems
        if kind_of_title(p.sheet or Path(p.file).stem) is Kind.SESSIONS
    )
    sessions = tuple(
        Session(
            id=row.id,
            name=row.name,
            kind=row.kind,
            slot=row.slot,
            weekdays=row.weekdays,
            room=row.room,
            teacher=1 if row.teacher else 0,
            capacity=row.capacity,
            includes_pe=row.includes_pe,
            start_min=row.start_min,
            end_min=row.end_min,
        )
        for first in read.rows.sessions.values()
        for row in (first.on(on),)
    )
    return (sessions if Kind.SESSIONS in read.kinds else None), unreadable


def _sources(settings: Settings, policies: Path | None, policy: str) -> tuple[Policy | None, Policy | None, tuple[Problem, ...]]:
    """The city's policy and the overlay that apply, and why one cannot be used."""
    names = (policy or settings.school.city, OVERLAY if settings.school.national_overlay else "")
    found: list[Policy | None] = []
    problems: list[Problem] = []
    for name in names:
        try:
            found.append(load_policy(name, policies) if name else None)
        except PolicyRefused as error:
            found.append(None)
            problems += [Problem(f"policies/{name}.toml", p.where, p.message) for p in error.problems]
        except SharedDataMissing as error:
            return None, None, (Problem("policies/", "", f"没有政策目录 / {error}"),)
    return found[0], found[1], tuple(problems)


def _problems(said: Examination) -> tuple[Problem, ...]:
    return tuple(Problem(m.file, m.where, m.message) for m in said.missing)


def _title(settings: Settings, city: Policy | None, variant: str) -> str:
    if city is None:
        return f"{settings.school.name} · 未选定城市政策 / no city's policy"
    words = city.variants.get(variant or settings.school.variant)
    return f"{settings.school.name} · {city.name}" + (f"（{words.zh}）" if words else "")


def _finding_json(finding: Finding) -> dict[str, Any]:
    accepted = finding.accepted
    return {
        "policy": finding.policy,
        "rule": finding.rule,
        "strength": finding.strength.value,
        "level": finding.level.value,
        "where": finding.where,
        "message": finding.message,
        "document": finding.document,
        "clause": finding.clause,
        "accepted": accepted
        and {
            "reason": accepted.reason,
            "by": accepted.by,
            "on": accepted.on.isoformat() if accepted.on else None,
        },
    }


def _finding_lines(finding: Finding) -> list[str]:
    if finding.level is Level.BLOCK:
        mark = "✗ 不符 BLOCK"
    else:
        mark = "! 提醒 WARN" if finding.accepted is None else "✓ 已说明 ACCEPTED"
    lines = [
        f"{mark}  {finding.policy} {finding.rule}  {STRENGTH_WORDS[finding.strength]}  {finding.where}",
        f"  {finding.message}",
        f"  依据 / source: {finding.document}“{finding.clause}”",
    ]
    if (accepted := finding.accepted) is not None:
        lines.append(f"  理由 / reason: {accepted.reason}（{accepted.by}{f'，{accepted.on}' if accepted.on else ''}）")
    return lines
