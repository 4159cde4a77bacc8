"""What must fit together between keys, tables and files. Reports; changes nothing.

Values that the reader already found wrong are None here and are passed over, so one mistake is one
problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from kiosk.core.people import Stage
from kiosk.core.rules import AccessKind
from kiosk.settings.schema import Problems, did_you_mean

GRADES_MAX: Final = 6
RECORDS_DAYS_MIN: Final = 30  # a server that is put back to an old copy gets again what it lost
_GRADE_KEYS: Final = frozenset(
    ["*", *(s.value for s in Stage), *(f"{s.value}-{n}" for s in Stage for n in range(1, GRADES_MAX + 1))]
)
_GATED: Final = (AccessKind.ENTRANCE.value, AccessKind.EXIT.value)
_ROOMED: Final = (AccessKind.ROOM.value, AccessKind.ROOM_EXIT.value)


def check(values: Mapping[str, Any], policies: Path | None, labels: Mapping[str, str], problems: Problems) -> None:
    """Every rule of this module, over whatever files could be read. `labels` name the files in the problems."""
    if school := values.get("school.toml"):
        _check_school(school, labels["school.toml"], problems)
        _check_city(school["school"] or {}, policies, labels["school.toml"], problems)
        _check_places(school, labels["school.toml"], problems)
        _check_accepted(school, labels["school.toml"], problems)
        _check_retention(school["retention"], labels["school.toml"], problems)
    if calendar := values.get("calendar.toml"):
        _check_calendar(calendar, labels["calendar.toml"], problems)
    if plan := values.get("plan.toml"):
        _check_plan(plan, labels["plan.toml"], problems)
    if calendar and plan:
        _check_plan_covers_calendar(calendar, plan, labels, problems)
    if ladder := values.get("ladder.toml"):
        _check_ladder(ladder["ladder"], labels["ladder.toml"], problems)
    if (site := values.get("site.toml")) and site["disk"]:
        _check_disk(site["disk"], labels["site.toml"], problems)
    if (site := values.get("site.toml")) and school:
        _check_site(site, school, labels["site.toml"], problems)


def _check_disk(disk: Mapping[str, Any], file: str, problems: Problems) -> None:
    days = disk["keep_records_days"]
    if days and days < RECORDS_DAYS_MIN:
        zh = f"至少 {RECORDS_DAYS_MIN} 天，或 0（一直保留）"
        problems.add(file, "disk.keep_records_days", zh, f"at least {RECORDS_DAYS_MIN}, or 0 to keep them for ever")


ACCESS_DAYS_MIN: Final = 183  # 网络安全法 21: six months at least
MONTH_AND_DAY: Final = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


def _check_retention(kept: Mapping[str, Any] | None, file: str, problems: Problems) -> None:
    if kept is None:
        return
    if not MONTH_AND_DAY.fullmatch(kept["school_year_ends"] or "") or kept["school_year_ends"] == "02-30":
        problems.add(file, "retention.school_year_ends", "应写成 08-31 这样的月-日", "write month and day, such as 08-31")
    days = kept["access_days"]
    if days and days < ACCESS_DAYS_MIN:
        zh = f"法律要求不少于六个月：至少 {ACCESS_DAYS_MIN}，或 0（一直保留）"
        problems.add(file, "retention.access_days", zh, f"the law wants six months: at least {ACCESS_DAYS_MIN}, or 0 for ever")


def _no_twins(rows: Iterable[Mapping[str, Any]], key: str, at: str, file: str, problems: Problems) -> None:
    seen: dict[object, int] = {}
    for i, row in enumerate(rows, 1):
        value = row[key]
        if value is None:
            continue
        if value in seen:
            zh = f"“{value}”与第 {seen[value]} 项重复，请改一个"
            problems.add(file, f"{at}[{i}].{key}", zh, f"'{value}' is already used by {at}[{seen[value]}]: change one")
        seen.setdefault(value, i)


def _check_school(school: Mapping[str, Any], file: str, problems: Problems) -> None:
    own = school["school"] or {}
    if own.get("stages") == ():
        problems.add(
            file, "school.stages", '至少写一个学段，例如 ["primary"]', 'name at least one stage, such as ["primary"]'
        )
    service = school["service"] or {}
    both = sorted(set(service.get("practices") or ()) & set(service.get("never") or ()))
    if both:
        listed = ", ".join(both)
        problems.add(file, "service.never", f"与 practices 矛盾：{listed}", f"contradicts practices: {listed}")
    windows = school["windows"] or {}
    green, amber = windows.get("list_green_min"), windows.get("list_amber_min")
    if green is not None and amber is not None and green >= amber:
        zh, en = "必须大于 list_green_min", f"must be more than list_green_min ({green})"
        problems.add(file, "windows.list_amber_min", zh, en)


def _check_city(own: Mapping[str, Any], policies: Path | None, file: str, problems: Problems) -> None:
    city = own.get("city")
    if not city or policies is None:
        return
    known = sorted(path.stem for path in policies.glob("*.toml") if not path.stem.startswith("national"))
    if city not in known:
        _unknown(city, known, "school.city", file, problems, "policy")


def _check_places(school: Mapping[str, Any], file: str, problems: Problems) -> None:
    _no_twins(school["gate"], "id", "gate", file, problems)
    _no_twins(school["access_point"], "id", "access_point", file, problems)
    gates = [gate["id"] for gate in school["gate"] if gate["id"]]
    for i, point in enumerate(school["access_point"], 1):
        at, kind, gate = f"access_point[{i}]", point["kind"], point["gate"]
        if gate and gate not in gates:
            _unknown(gate, gates, f"{at}.gate", file, problems, "gate")
        if kind in _GATED and gate == "":
            problems.add(file, f"{at}.gate", f"{kind} 必须写明校门", f'{kind} needs a gate: add gate = "..."')
        if kind in _ROOMED and point["room"] == "":
            problems.add(file, f"{at}.room", f"{kind} 必须写明房间", f'{kind} needs a room: add room = "..."')


def _unknown(name: str, known: list[str], at: str, file: str, problems: Problems, what: str) -> None:
    close = did_you_mean(name, known)
    hint = f", did you mean {close}?" if close else f"; there is {', '.join(known) or 'none'}"
    zh = f"没有“{name}”" + (f"，是否应为 {close}？" if close else f"，现有：{'、'.join(known) or '无'}")
    problems.add(file, at, zh, f"no {what} '{name}'{hint}")


def _check_accepted(school: Mapping[str, Any], file: str, problems: Problems) -> None:
    for i, row in enumerate(school["accepted"], 1):
        for key in ("reason", "by"):
            if row[key] == "":
                problems.add(file, f"accepted[{i}].{key}", "不能为空，请写明", "must not be empty: it is logged")


def _check_calendar(calendar: Mapping[str, Any], file: str, problems: Problems) -> None:
    terms = {f"term.{name}": term for name, term in calendar["term"].items()}
    seasons = {f"season[{i}]": row for i, row in enumerate(calendar["season"], 1)}
    openings = {f"opening[{i}]": row for i, row in enumerate(calendar["opening"], 1)}
    for periods in (terms, seasons, openings):
        _check_periods(periods, file, problems)
    for layer in ("district_day", "day", "override"):
        _no_twins(calendar[layer], "date", layer, file, problems)
    for i, row in enumerate(calendar["override"], 1):
        for key in ("note", "author"):
            if row[key] == "":
                problems.add(file, f"override[{i}].{key}", "单日调整须写明", "an override needs it: must not be empty")
    for layer in ("district_day", "day"):
        for i, row in enumerate(calendar[layer], 1):
            if row["dismissal_profile"] and row["note"] == "":
                zh = "提前放学须写明理由"
                problems.add(file, f"{layer}[{i}].note", zh, "an early dismissal needs its reason: must not be empty")
    for stage, weekdays in (calendar["stage_weekdays"] or {}).items():
        if weekdays and not weekdays <= (calendar["teaching_weekdays"] or weekdays):
            zh, en = "全校的 teaching_weekdays 须包含它", "teaching_weekdays must include them: it is the union of all stages"
            problems.add(file, f"stage_weekdays.{stage}", zh, en)
    if calendar["teaching_weekdays"] == frozenset():
        problems.add(file, "teaching_weekdays", "至少一天", "must name at least one weekday")
    both = (calendar["teaching_weekdays"] or frozenset()) & (calendar["weekend_service"] or frozenset())
    if both:
        problems.add(file, "weekend_service", "与上课日重复，请去掉", "names a teaching weekday: remove it")


def _check_periods(periods: Mapping[str, Mapping[str, Any]], file: str, problems: Problems) -> None:
    whole = [(at, row["from"], row["to"]) for at, row in periods.items() if row["from"] and row["to"]]
    for at, first, last in whole:
        if first > last:
            problems.add(file, f"{at}.to", f"早于起始日 {first}，请改正", f"lies before from ({first}): correct one")
    in_order: list[tuple[str, date, date]] = sorted((p for p in whole if p[1] <= p[2]), key=lambda p: (p[1], p[0]))
    for (at, _, last), (other, first, _) in pairwise(in_order):
        if first <= last:
            zh = f"与 {at}（至 {last}）重叠，请改起止日期"
            problems.add(file, f"{other}.from", zh, f"overlaps {at}, which lasts until {last}: move one of them")


def _check_plan(plan: Mapping[str, Any], file: str, problems: Problems) -> None:
    for name, bells in plan["bells"].items():
        _check_bells(f"bells.{name}", bells, file, problems)
    for name, profile in plan["profile"].items():
        _check_grades(profile["dismissal"], f"profile.{name}.dismissal", file, problems, rest=False)


def _check_grades(table: Mapping[str, int] | None, at: str, file: str, problems: Problems, *, rest: bool) -> None:
    if table is None:
        return
    for grade in table:
        if grade not in _GRADE_KEYS:
            close = did_you_mean(grade, sorted(_GRADE_KEYS))
            zh = f"“{grade}”不是年级，请写 primary-1 或 *"
            hint = f", did you mean {close}?" if close else ""
            problems.add(file, f"{at}.{grade}", zh, f"'{grade}' is no grade, write primary-1 or *{hint}")
    if rest and "*" not in table:
        zh, en = '缺少 "*"（其余年级）', 'no entry for the other grades: add "*" = "..."'
        problems.add(file, at, zh, en)


def _check_bells(at: str, bells: Mapping[str, Any], file: str, problems: Problems) -> None:
    order = ("gate_opens", "late_from", "dismissal")
    for key in order:
        _check_grades(bells[key], f"{at}.{key}", file, problems, rest=True)
    for earlier, later in pairwise(order):
        for grade in sorted({*(bells[earlier] or {}), *(bells[later] or {})} & _GRADE_KEYS):
            a, b = _at(bells[earlier], grade), _at(bells[later], grade)
            if a is not None and b is not None and a >= b:
                zh = f"{grade}：必须晚于 {earlier}（{_clock(a)}）"
                problems.add(file, f"{at}.{later}", zh, f"{grade} must be later than {earlier} ({_clock(a)})")
    _no_twins(bells["slot"], "number", f"{at}.slot", file, problems)
    spans = {f"{at}.slot[{i}]": slot for i, slot in enumerate(bells["slot"], 1)}
    care = {f"{at}.{name}": bells[name] for name in ("extended_care", "early_care", "evening") if bells[name]}
    for where, span in {**spans, **care}.items():
        _check_span(where, span, bells["gate_closes"] if not where.endswith("evening") else None, file, problems)
    _check_slots_apart(spans, file, problems)


def _at(table: Mapping[str, int] | None, grade: str) -> int | None:
    """A grade's time as the timetable will look it up."""
    keys = (grade, grade.partition("-")[0], "*")
    return next((table[key] for key in keys if key in table), None) if table else None


def _check_span(at: str, span: Mapping[str, Any], closes: int | None, file: str, problems: Problems) -> None:
    start, end = span["from"], span["to"]
    if start is not None and end is not None and start >= end:
        problems.add(file, f"{at}.to", f"必须晚于开始（{_clock(start)}）", f"must be later than from ({_clock(start)})")
    if end is not None and closes is not None and end > closes:
        zh = f"晚于关门时间 {_clock(closes)}，请改 gate_closes"
        problems.add(file, f"{at}.to", zh, f"is later than gate_closes ({_clock(closes)}): move one of them")


def _check_slots_apart(spans: Mapping[str, Mapping[str, Any]], file: str, problems: Problems) -> None:
    whole = [(row["from"], row["to"], at) for at, row in spans.items() if row["from"] is not None and row["to"]]
    for (_, end, at), (start, _, other) in pairwise(sorted(whole)):
        if start < end:
            zh = f"与 {at}（至 {_clock(end)}）重叠"
            problems.add(file, f"{other}.from", zh, f"overlaps {at}, which lasts until {_clock(end)}")


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _check_plan_covers_calendar(
    calendar: Mapping[str, Any], plan: Mapping[str, Any], labels: Mapping[str, str], problems: Problems
) -> None:
    """A season without bells, or a day with an unknown dismissal profile, would end in a stopped gate."""
    bells, profiles = sorted(plan["bells"]), sorted(plan["profile"])
    named = [(f"season[{i}].name", row["name"]) for i, row in enumerate(calendar["season"], 1)]
    for at, season in [("default_season", calendar["default_season"]), *named]:
        if season and bells and season not in bells:
            zh = f"plan.toml 没有季节“{season}”的作息，请补写 [bells.{season}]"
            en = f"plan.toml has no bells for it: add [bells.{season}], or use {', '.join(bells)}"
            problems.add(labels["calendar.toml"], at, zh, en)
    for layer in ("district_day", "day", "override"):
        for i, row in enumerate(calendar[layer], 1):
            profile = row["dismissal_profile"]
            if profile and profile not in profiles:
                at = f"{layer}[{i}].dismissal_profile"
                _unknown(profile, profiles, at, labels["calendar.toml"], problems, "[profile] in plan.toml named")


def _check_ladder(rungs: list[Mapping[str, Any]], file: str, problems: Problems) -> None:
    if rungs and rungs[0]["at"] not in (0, None):
        problems.add(file, "ladder[1].at", "第一级必须为 0", "the first rung must be at 0")
    for i, (one, two) in enumerate(pairwise(rungs), 2):
        if one["at"] is not None and two["at"] is not None and one["at"] >= two["at"]:
            zh = f"必须大于上一级的 {one['at']}，请按时间排列"
            problems.add(
                file, f"ladder[{i}].at", zh, f"must be more than {one['at']} of the rung before: put them in order"
            )
    for i, rung in enumerate(rungs, 1):
        if rung["to"] == ():
            problems.add(file, f"ladder[{i}].to", "至少通知一人", "must tell somebody: name at least one role")
    _no_twins(rungs, "state", "ladder", file, problems)


def _check_site(site: Mapping[str, Any], school: Mapping[str, Any], file: str, problems: Problems) -> None:
    _no_twins(site["device"], "name", "device", file, problems)
    gates = [gate["id"] for gate in school["gate"] if gate["id"]]
    points = [point["id"] for point in school["access_point"] if point["id"]]
    kinds = {point["id"]: point["kind"] for point in school["access_point"]}
    devices = [device["name"] for device in site["device"] if device["name"]]
    gate = (site["node"] or {}).get("gate")
    if gate and gate not in gates:
        _unknown(gate, gates, "node.gate", file, problems, "gate")
    for served in (site["node"] or {}).get("serves") or ():
        if served not in gates:
            _unknown(served, gates, "node.serves", file, problems, "gate")
    for i, device in enumerate(site["device"], 1):
        if (point := device["access_point"]) and point not in points:
            _unknown(point, points, f"device[{i}].access_point", file, problems, "access point")
        if (url := device["url"]) is not None and not _has_scheme(url):
            zh = "应写成 驱动:地址，例如 rdm6300:/dev/serial/by-id/usb-..."
            en = "must be driver:address, such as rdm6300:/dev/serial/by-id/usb-..."
            problems.add(file, f"device[{i}].url", zh, en)
    for name, access in site["access"].items():
        if name not in points:
            _unknown(name, points, f"access.{name}", file, problems, "access point")
        for key in ("relay", "camera", "turn_sensor"):
            if (device_name := access[key]) and device_name not in devices:
                _unknown(device_name, devices, f"access.{name}.{key}", file, problems, "device")
        if access["turn_sensor"] and kinds.get(name, "entrance") not in ("entrance", "exit"):
            zh = "只有校门的入口和出口有过闸信号"
            problems.add(file, f"access.{name}.turn_sensor", zh, "only an entrance or an exit has a turn signal: remove it here")
    _check_signals(site, points, devices, file, problems)
    printer = (site["print"] or {}).get("device")
    if printer and printer not in devices:
        _unknown(printer, devices, "print.device", file, problems, "device")
    server = (site["sync"] or {}).get("server")
    if server and not server.startswith(("http://", "https://", "nats://", "tls://")):
        zh = "应以 http://、https://、nats:// 或 tls:// 开头"
        problems.add(file, "sync.server", zh, f"'{server}' must start with http:// or https://, or nats:// or tls:// for a bus")


def _check_signals(
    site: Mapping[str, Any], points: list[str], devices: list[str], file: str, problems: Problems
) -> None:
    """Lamps, beepers and the loudspeaker. A contact that opens a door is never a lamp."""
    doors = {(access["relay"], access["relay_channel"]): name for name, access in site["access"].items()}
    for i, signal in enumerate(site["signal"], 1):
        if (point := signal["access_point"]) is not None and point not in points:
            _unknown(point, points, f"signal[{i}].access_point", file, problems, "access point")
        if (relay := signal["relay"]) is not None and relay not in devices:
            _unknown(relay, devices, f"signal[{i}].relay", file, problems, "device")
        door = doors.get((signal["relay"], signal["channel"]))
        if door is not None:
            zh, en = f"这一通道用来开闸（access.{door}），请换一个", f"opens the door of access.{door}: take another channel"
            problems.add(file, f"signal[{i}].channel", zh, en)
    sound = site["sound"] or {}
    if (speaker := sound.get("device")) and speaker not in devices:
        _unknown(speaker, devices, "sound.device", file, problems, "device")
    for point in sound.get("access_points") or ():
        if point not in points:
            _unknown(point, points, "sound.access_points", file, problems, "access point")


def _has_scheme(url: str) -> bool:
    scheme, colon, address = url.partition(":")
    return bool(colon and scheme and address) and scheme.replace("+", "").replace("-", "").replace("_", "").isalnum()
