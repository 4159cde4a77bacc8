"""Checked values in, the types of the core out. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from kiosk.core.people import Stage
from kiosk.core.policy import Policy, asked_practices, asks_for_agreement, service_on_makeup_day
from kiosk.core.rules import AccessKind, AccessPoint, FaceRules, Freshness, Gate, Rules, Rung, VettingRules
from kiosk.core.signals import Signal
from kiosk.core.timetable import (
    MINUTE_MS,
    BellSchedule,
    Calendar,
    DayRule,
    DayType,
    Plan,
    Season,
    Slot,
    Term,
)
from kiosk.national_calendar import NationalLayer
from kiosk.settings.keys import FILES
from kiosk.settings.schema import Problems, Section, read
from kiosk.settings.values import (
    Accepted,
    Device,
    Disk,
    Fees,
    Printing,
    Retention,
    School,
    Service,
    Settings,
    SignalContact,
    Site,
    Sound,
    Sync,
    Web,
)

SECOND_MS: Final = 1000


def build(
    values: Mapping[str, Any],
    *,
    folder: Path,
    bases: tuple[Path, ...],
    files: Mapping[str, Path],
    national: NationalLayer,
    policy: Policy | None,
    digest: str,
) -> Settings:
    """The settings. `values` have passed every check; `policy` is the city's, where there is one."""
    makeup_day = service_on_makeup_day(policy) if policy else "school_decides"
    school, site = values["school.toml"], values.get("site.toml")
    windows, duty = _or_defaults(school, "windows"), _or_defaults(school, "duty")
    built_site = _site(site, school)
    return Settings(
        folder=folder,
        files=dict(files),
        digest=digest,
        school=_school(school["school"]),
        service=_service(_or_defaults(school, "service")),
        fees=Fees(**_or_defaults(school, "fees")),
        accepted=tuple(Accepted(**row) for row in school["accepted"]),
        calendar=_calendar(values["calendar.toml"], national, makeup_day),
        plan=_plan(values["plan.toml"], school["school"]["utc_offset"]),
        rules=replace(
            _rules(school, windows, values["ladder.toml"], site, built_site.node, _asked(school, policy)),
            agreement_required=policy is not None and asks_for_agreement(policy),
        ),
        release_window_min=windows["release_window_min"],
        site=built_site,
        retention=Retention(**_or_defaults(school, "retention")),
        early_teacher=duty["early_teacher"],
        duty_leader=duty["leader"],
        bases=bases,
    )


def _or_defaults(school: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A table that may be left out altogether: then every key has its default."""
    found: dict[str, Any] | None = school[name]
    if found is not None:
        return found
    section = next(s for s in FILES["school.toml"].sections if s.name == name)
    top = Section("", section.shape, "", "", section.keys)
    return read(top, {}, file="school.toml", problems=Problems())


def _school(raw: Mapping[str, Any]) -> School:
    return School(
        id=raw["id"],
        name=raw["name"],
        city=raw["city"],
        variant=raw["variant"],
        stages=frozenset(Stage(stage) for stage in raw["stages"]),
        primary_years=raw["primary_years"],
        local_off_work_min=raw["local_off_work"],
        national_overlay=raw["national_overlay"],
    )


def _service(raw: Mapping[str, Any]) -> Service:
    return Service(
        offers=frozenset(raw["offers"]),
        practices=frozenset(raw["practices"]),
        never=frozenset(raw["never"]),
        slot_choice=frozenset(raw["slot_choice"]),
        leave_times_min=raw["leave_times"],
        menu_fields=frozenset(raw["menu_fields"]),
        enrolment_period=raw["enrolment_period"],
        weeks_per_year=raw["weeks_per_year"],
        weekend_content=raw["weekend_content"],
        external_staff=raw["external_staff"],
        filed_on=raw["filed_on"],
        approved_on=raw["approved_on"],
        approval_ref=raw["approval_ref"],
    )


def _calendar(raw: Mapping[str, Any], national: NationalLayer, makeup_day: str) -> Calendar:
    terms = (Term(id=i, name=t["name"], first=t["from"], last=t["to"]) for i, t in raw["term"].items())
    return Calendar(
        terms=tuple(sorted(terms, key=lambda term: term.first)),
        seasons=tuple(
            replace(period, approval_ref=row["approval_ref"], reason=row["reason"])
            for period, row in zip(_periods(raw["season"]), raw["season"], strict=True)
        ),
        national=national.rules,
        national_years=national.years,
        district=_days(raw["district_day"]),
        school=_days(raw["day"]),
        overrides=_days(raw["override"]),
        makeup_day=raw["makeup_day"] or makeup_day,
        openings=_periods(raw["opening"]),
        default_season=raw["default_season"],
        teaching_weekdays=raw["teaching_weekdays"],
        weekend_service=raw["weekend_service"],
        stage_weekdays={stage: days for stage, days in (raw["stage_weekdays"] or {}).items() if days},
    )


def _periods(rows: Sequence[Mapping[str, Any]]) -> tuple[Season, ...]:
    return tuple(Season(name=row["name"], first=row["from"], last=row["to"]) for row in rows)


def _days(rows: Sequence[Mapping[str, Any]]) -> dict[date, DayRule]:
    return {row["date"]: DayRule(**{**row, "type": DayType(row["type"]) if row["type"] else None}) for row in rows}


def _plan(raw: Mapping[str, Any], utc_offset_ms: int) -> Plan:
    return Plan(
        schedules={season: _bells(season, bells) for season, bells in raw["bells"].items()},
        profiles={name: profile["dismissal"] for name, profile in raw["profile"].items()},
        utc_offset_ms=utc_offset_ms,
    )


def _bells(season: str, raw: Mapping[str, Any]) -> BellSchedule:
    return BellSchedule(
        season=season,
        gate_opens_min=raw["gate_opens"],
        late_after_min=raw["late_from"],
        dismissal_min=raw["dismissal"],
        slots=tuple(_slot(s, s["number"], s["kind"]) for s in sorted(raw["slot"], key=lambda s: s["number"])),
        extended_care=_slot(raw["extended_care"], 0, "extended_care") if raw["extended_care"] else None,
        gate_closes_min=raw["gate_closes"],
        early_care=_slot(raw["early_care"], 0, "early_care") if raw["early_care"] else None,
        evening=_slot(raw["evening"], 0, "evening_study") if raw["evening"] else None,
    )


def _slot(raw: Mapping[str, Any], number: int, kind: str) -> Slot:
    return Slot(number=number, kind=kind, start_min=raw["from"], end_min=raw["to"])


def _rules(
    school: Mapping[str, Any],
    windows: Mapping[str, Any],
    ladder: Mapping[str, Any],
    site: Mapping[str, Any] | None,
    node: str,
    asked: frozenset[str],
) -> Rules:
    access = site["access"] if site else {}
    points = [
        AccessPoint(**{**row, "kind": AccessKind(row["kind"]), **access.get(row["id"], {})})
        for row in school["access_point"]
    ]
    cards = _or_defaults(school, "cards")
    return Rules(
        node=node,
        gates={row["id"]: Gate(**row) for row in school["gate"]},
        serves=frozenset(site["node"]["serves"]) if site else frozenset(),
        access_points={point.id: point for point in points},
        ladder=tuple(_rung(row) for row in ladder["ladder"]),
        handover_max_grade=school["school"]["handover_max_grade"],
        repeat_ms=windows["repeat_s"] * SECOND_MS,
        impossible_ms=cards["impossible_s"] * SECOND_MS,
        unproven_asks=frozenset(cards["unproven_asks"]),
        anti_passback_ms=windows["anti_passback_s"] * SECOND_MS,
        freshness=Freshness(
            green_ms=windows["list_green_min"] * MINUTE_MS, amber_ms=windows["list_amber_min"] * MINUTE_MS
        ),
        offer_lapse_ms=windows["offer_lapse_min"] * MINUTE_MS,
        acknowledge_within_ms=windows["acknowledge_within_min"] * MINUTE_MS,
        eta_pause_max_ms=windows["eta_pause_max_min"] * MINUTE_MS,
        roll_due_ms=windows["roll_due_min"] * MINUTE_MS,
        session_lead_ms=windows["session_lead_min"] * MINUTE_MS,
        changeover_ms=windows["changeover_min"] * MINUTE_MS,
        locate_after_ms=windows["locate_after_min"] * MINUTE_MS,
        away_ms=windows["away_min"] * MINUTE_MS,
        locate_limit_ms=windows["locate_limit_min"] * MINUTE_MS,
        escort_after_ms=_unless_said(windows["escort_after_min"], 5 if "escort" in asked else 0) * MINUTE_MS,
        escort_limit_ms=windows["escort_limit_min"] * MINUTE_MS,
        teacher_due_ms=windows["teacher_due_min"] * MINUTE_MS,
        patrol_after_ms=_unless_said(windows["patrol_after_min"], 20 if "daily_patrol" in asked else 0) * MINUTE_MS,
        class_hour_min=_or_defaults(school, "service")["class_hour_min"],
        vetting=_vetting(_or_defaults(school, "vetting"), asked),
        undo_ms=windows["undo_s"] * SECOND_MS,
        seat_claim_ms=windows["seat_claim_min"] * MINUTE_MS,
        offline_delegates=windows["offline_delegates"],
        public_name=school["school"]["name"],
        muster_points=_or_defaults(school, "emergency")["muster_points"],
        face=_face(site["face"]) if site and site["face"] else None,
    )


def _rung(row: Mapping[str, Any]) -> Rung:
    return Rung(
        at_min=row["at"], state=row["state"], tell=row["to"], do=row["do"], do_en=row["do_en"], adults=row["adults"],
        acknowledge=row["acknowledge"],
    )  # fmt: skip


def _asked(school: Mapping[str, Any], policy: Policy | None) -> frozenset[str]:
    """The practices that the city's policy asks for: a silent document asks for nothing."""
    return asked_practices(policy, school["school"]["variant"]) if policy else frozenset()


def _unless_said(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _vetting(raw: Mapping[str, Any], asked: frozenset[str]) -> VettingRules:
    """The yearly record check is law (未成年人保护法 62); what else is asked is the policy's and the school's."""
    of_policy = {item for practice, items in _VETTED_BY.items() if practice in asked for item in items}
    return VettingRules(
        whitelist=frozenset(raw["whitelist"]),
        blacklist=frozenset(raw["blacklist"]),
        demands=frozenset({"record", *of_policy, *raw["demands"]}),
    )


_VETTED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "vetting": ("health",),
    "external_staff_qualified": ("qualification",),
    "training_bodies_from_whitelist": ("whitelist", "contract", "qualification"),
}


# Thousandths, from the measurement in docs/face.md (dlib) and from what the authors of SFace advise.
_FACE_LIMITS: Final = {"dlib": (500, 400), "sface": (450, 363)}


def _face(raw: Mapping[str, Any]) -> FaceRules | None:
    if not raw["on"]:
        return None
    clear, mismatch = _FACE_LIMITS[raw["engine"]]
    return FaceRules(
        engine=raw["engine"], clear=round(raw["clear"] * 1000) or clear, mismatch=round(raw["mismatch"] * 1000) or mismatch,
        claims=raw["claims"], candidates=raw["candidates"],
    )  # fmt: skip


def _sound(raw: Mapping[str, Any]) -> Sound:
    speak = frozenset(map(Signal, raw["speak"]))
    return Sound(device=raw["device"], access_points=frozenset(raw["access_points"]), speak=speak)


def _site(raw: Mapping[str, Any] | None, school: Mapping[str, Any]) -> Site:
    school_id, gates = school["school"]["id"], {gate["id"] for gate in school["gate"]}
    if raw is None:
        return Site(sync=Sync(school=school_id))
    node, sync = raw["node"], raw["sync"] or {"server": "", "school": "", "ca_file": ""}
    return Site(
        node=node["id"],
        gate=node["gate"] or (node["id"] if node["id"] in gates else ""),
        host=node["host"],
        port=node["port"],
        office=node["office"],
        devices=tuple(Device(**row) for row in raw["device"]),
        signals=tuple(SignalContact(**{**row, "answers": frozenset(map(Signal, row["answers"]))}) for row in raw["signal"]),
        sound=_sound(raw["sound"]) if raw["sound"] else Sound(),
        printing=Printing(**raw["print"]) if raw["print"] else Printing(),
        sync=Sync(server=sync["server"], school=sync["school"] or school_id, ca_file=sync["ca_file"]),
        web=Web(**{**raw["web"], "public_input_from": tuple(raw["web"]["public_input_from"])}) if raw["web"] else Web(),
        disk=Disk(**raw["disk"]) if raw["disk"] else Disk(),
    )
