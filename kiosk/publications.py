"""What a school publishes about its after-school service, made from what is actually in force.

The notice to parents (告家长书) and the public timetable (公示表): times, menu, windows, the protocol for late collection, and
what families pay in the words of the city's paper. Nothing is in them that the settings, the policy or the menu do not say;
where a setting is missing the sentence is missing. Names no pupil and no family; teachers stand beside the sessions they lead.

Reads no file and no clock. Who may publish and where it is kept: `kiosk.publishing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from kiosk.core.calendar import DayType, resolve_day
from kiosk.core.due_dates import fee_lock, term_around
from kiosk.core.kind_words import kind_words
from kiosk.core.people import Directory, Session, within
from kiosk.core.plan_hours import SEASONS
from kiosk.core.policy import Policy, Rule
from kiosk.core.policy_rows import row_of
from kiosk.core.practices import PRACTICES
from kiosk.core.school_plan import clock
from kiosk.core.timetable import BellSchedule, Slot
from kiosk.reports.table import Cell, Column, Report, Sheet, Words
from kiosk.settings import Settings
from kiosk.web.faces_format import Lang
from kiosk.web.faces_publications import Grid, Part, Publication

SAFETY: Final = (
    "attendance", "supervision", "handover", "organised_entry_exit", "escort", "gate_register", "emergency_plan", "drills",
    "safety_measures", "vetting", "external_staff_qualified", "induction_training", "dispute_procedure",
)  # fmt: skip
STAGES: Final = {"primary": ("小学", "primary"), "junior": ("初中", "junior"), "senior": ("高中", "senior"),
                 "kindergarten": ("幼儿园", "kindergarten")}  # fmt: skip
DIGITS: Final = "零一二三四五六七八九"
WEEKDAYS: Final = (("一", "Mon"), ("二", "Tue"), ("三", "Wed"), ("四", "Thu"), ("五", "Fri"), ("六", "Sat"), ("日", "Sun"))
CARE: Final = frozenset({"extended_care", "early_care", "evening_study", "holiday_open"})
MENU_HEADS: Final = (
    ("session", Words("服务项目", "Session")), ("kind", Words("类型", "Kind")), ("days", Words("星期", "Weekdays")),
    ("time", Words("时段", "Time")), ("room", Words("地点", "Room")), ("teacher", Words("负责教师", "Teacher")),
    ("audience", Words("参加对象", "For")), ("capacity", Words("容纳人数", "Places")), ("partner", Words("合作机构", "Run with")),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Everything that a publication is made from."""

    settings: Settings
    directory: Directory
    city: Policy | None
    overlay: Policy | None
    on: date
    lang: Lang = "zh"

    def say(self, zh: str, en: str) -> str:
        return en if self.lang == "en" else zh

    @property
    def variant(self) -> str:
        return self.settings.school.variant

    def rules(self, *rows: str) -> Iterator[Rule]:
        """The clauses of rows that speak to this school."""
        stages = self.settings.school.stages
        for policy in (self.city, self.overlay):
            for rule in policy.rules if policy else ():
                if row_of(rule.id) in rows and rule.variant in ("", self.variant) and rule.stages & stages:
                    yield rule

    def quotes(self, *rows: str) -> tuple[tuple[str, str], ...]:
        """Clauses with their papers; one on the evening or on charges only where the school has these."""
        evening = any(bells.evening for bells in self.settings.plan.schedules.values())
        charged = self.settings.fees.cny > 0 or self.settings.fees.evening_cny > 0
        said = (
            rule
            for rule in self.rules(*rows)
            if (evening or "evening_cap_cny" not in rule.values) and (charged or rule.text("when") != "charging")
        )
        return tuple(dict.fromkeys((rule.clause, str(rule.document)) for rule in said))


def guardian_notice(ground: Ground) -> Publication:
    """告家长书: what C4 asks for — times, ways, content, safety, fees — and how a child goes home."""
    term = term_around(ground.settings.calendar, ground.on)
    name = f"{term.name} " if term else ""
    parts = [
        _basis(ground), _who(ground), _when(ground), _what(ground), _home(ground), _late(ground), _fees(ground),
        _safety(ground), _joining(ground),
    ]  # fmt: skip
    return Publication(
        id="guardian_notice", lang=ground.lang,
        title=ground.say(f"{name}课后服务告家长书", f"{name}After-school service: a notice to parents"),
        school=ground.settings.school.name, day=ground.on.isoformat(), parts=_numbered(parts, ground),
    )  # fmt: skip


def public_timetable(ground: Ground) -> Publication:
    """公示表: the menu with its times, and the hours of every season."""
    heads, rows = tuple(w.en if ground.lang == "en" else w.zh for _, w in MENU_HEADS), tuple(menu_rows(ground))
    none = (ground.say("服务项目尚未列出。", "No session is listed yet."),)
    menu = Part(
        head=ground.say("服务项目", "The menu"), lines=() if rows else none,
        grid=Grid(heads=heads, rows=rows) if rows else None, quotes=ground.quotes("B1"),
    )  # fmt: skip
    return Publication(
        id="timetable", lang=ground.lang, title=ground.say("课后服务公示表", "After-school service: public timetable"),
        school=ground.settings.school.name, day=ground.on.isoformat(), parts=(_when(ground), menu, _fees(ground)),
    )  # fmt: skip


def timetable_report(ground: Ground) -> Report:
    """The same menu for a spreadsheet."""
    widths = {"session": 24, "kind": 12, "days": 18, "time": 26, "room": 12, "teacher": 12, "audience": 18, "partner": 18}
    cells = {"capacity": Cell.WHOLE}
    columns = tuple(Column(key=k, head=w, cell=cells.get(k, Cell.TEXT), width=widths.get(k, 10)) for k, w in MENU_HEADS)
    where = [key for key, _ in MENU_HEADS].index("capacity")
    rows = [(*row[:where], int(row[where]) if row[where] else None, *row[where + 1 :]) for row in menu_rows(ground)]
    term = term_around(ground.settings.calendar, ground.on)
    return Report(
        id="timetable", title=Words("课后服务公示表", "After-school service: public timetable"),
        school=ground.settings.school.name, first=term.first if term else ground.on, last=term.last if term else ground.on,
        sheets=(Sheet(id="menu", name=Words("公示表", "Timetable"), columns=columns, rows=rows),),
        quoted=tuple(Words(f"{clause}（{source}）", f"{clause} ({source})") for clause, source in ground.quotes("B1", "F7")),
    )  # fmt: skip


def menu_rows(ground: Ground) -> Iterator[tuple[str, ...]]:
    """One session a row, in the order of MENU_HEADS; care that is not on the menu comes last."""
    sessions = ground.directory.sessions.values()
    for session in sorted(sessions, key=lambda s: (s.kind in CARE, s.slot or 9, s.kind, s.id)):
        teacher = ground.directory.staff.get(session.teacher)
        yield (
            session.name, _word(kind_words(session.kind), ground), weekdays(session.weekdays, ground),
            session_time(session, ground), session.room, teacher.name if teacher else "", _audience(session, ground),
            str(session.capacity or ""), session.partner,
        )  # fmt: skip


# --- the parts ---


def _basis(ground: Ground) -> Part:
    papers = dict.fromkeys(rule.document for policy in (ground.city, ground.overlay) if policy for rule in policy.rules)
    lines = [f"{paper}{f'（{paper.issuer}）' if paper.issuer else ''}" for paper in papers]
    for paper in papers:
        if paper.valid_until and paper.valid_until < ground.on:
            lines.append(
                ground.say(
                    f"{paper}有效期至 {paper.valid_until}，是否续期以教育主管部门通知为准。",
                    f"{paper} was valid until {paper.valid_until}; ask the education office whether it was renewed.",
                )
            )
    return Part(head=ground.say("依据", "On what grounds"), lines=tuple(lines), quotes=ground.quotes("C4"))


def _who(ground: Ground) -> Part:
    line = ground.say(
        "课后服务由学生和家长自愿参加，不参加不影响正常放学。",
        "The service is voluntary; who does not take part goes home after lessons.",
    )
    return Part(head=ground.say("自愿参加", "Voluntary"), lines=(line,), quotes=ground.quotes("C1"))


def _when(ground: Ground) -> Part:
    calendar, plan = ground.settings.calendar, ground.settings.plan
    term = term_around(calendar, ground.on)
    lines = (
        [ground.say(f"{term.name}：{term.first} 至 {term.last}。", f"{term.name}: {term.first} to {term.last}.")] if term else []
    )
    dates = {s.name: f"{s.first}–{s.last}" for s in calendar.seasons if term is None or s.last >= term.first}
    heads = (
        ground.say("作息", "Season"), ground.say("放学", "Lessons end"), ground.say("课后服务", "The service"),
        ground.say("早到看护", "Early care"), ground.say("延时托管", "Extended care"), ground.say("校门关闭", "Gate closes"),
    )  # fmt: skip
    rows = tuple(_season_row(bells, dates.get(name, ""), ground) for name, bells in sorted(plan.schedules.items()))
    if term:
        lines += _odd_days(ground, term.first, term.last)
    return Part(
        head=ground.say("服务时间", "Times"), lines=tuple(lines), grid=Grid(heads=heads, rows=rows), quotes=ground.quotes("A4")
    )


def _season_row(bells: BellSchedule, dates: str, ground: Ground) -> tuple[str, ...]:
    name = ground.say(SEASONS.get(bells.season, bells.season), bells.season)
    slots = (f"{_word(kind_words(s.kind), ground)} {span(s)}" for s in sorted(bells.slots, key=lambda s: s.start_min))
    evening = [f"{_word(kind_words('evening_study'), ground)} {span(bells.evening)}"] if bells.evening else []
    return (
        f"{name} {dates}".strip(), by_grade(bells.dismissal_min, ground), "；".join([*slots, *evening]),
        span(bells.early_care), span(bells.extended_care), clock(bells.gate_closes_min),
    )  # fmt: skip


def _odd_days(ground: Ground, first: date, last: date) -> Iterator[str]:
    """Make-up days and days of lessons without the service: what a family would otherwise be surprised by."""
    for n in range(first.toordinal(), last.toordinal() + 1):
        day = resolve_day(date.fromordinal(n), ground.settings.calendar)
        if day.type is not DayType.TEACHING or (day.after_school and day.date.isoweekday() < 6):
            continue
        runs = ground.say("有课后服务", "with the service") if day.after_school else ground.say("没有课后服务", "no service")
        zh, en = WEEKDAYS[day.date.isoweekday() - 1]
        yield f"{day.date}（{ground.say('星期' + zh, en)}）{runs}{'：' + day.note if day.note else ''}"


def _what(ground: Ground) -> Part:
    counts: dict[str, int] = {}
    for session in ground.directory.sessions.values():
        counts[session.kind] = counts.get(session.kind, 0) + 1
    listed = "、".join(f"{_word(kind_words(kind), ground)} {n}" for kind, n in sorted(counts.items(), key=lambda c: -c[1]))
    lines = (
        [
            ground.say(
                f"服务项目：{listed}。每项的内容、教师、地点、名额见《课后服务公示表》。",
                f"Sessions: {listed}. Content, teacher, room and places: see the public timetable.",
            )
        ]
        if listed
        else []
    )
    choice = ground.settings.service.slot_choice
    if {"1", "2"} <= choice:
        lines.append(ground.say("两个时段可只选其一，也可都选。", "A family may choose either slot or both."))
    if ground.settings.service.leave_times_min:
        times = "、".join(clock(t) for t in ground.settings.service.leave_times_min)
        lines.append(ground.say(f"可选较早的离校时间：{times}。", f"Earlier ends on offer: {times}."))
    return Part(head=ground.say("服务内容与方式", "Content"), lines=tuple(lines), quotes=ground.quotes("A10", "B4"))


def _home(ground: Ground) -> Part:
    minutes, grade = ground.settings.release_window_min, ground.settings.rules.handover_max_grade
    lines = (
        ground.say(
            f"每名学生在自己的服务结束后 {minutes} 分钟内接走；不参加的学生从放学算起。",
            f"Each child is collected within {minutes} minutes of the end of its own service, or of lessons.",
        ),
        ground.say(
            f"小学一至{DIGITS[grade]}年级学生只交给监护人或登记的受委托人，不单独离校。",
            f"Pupils of grades 1 to {grade} never leave alone: only with a guardian or a registered person.",
        ),
        ground.say(
            "临时换人接，请监护人事先办理委托；没有登记的人接不走学生。",
            "Somebody else comes today? A guardian registers that person first.",
        ),
    )
    return Part(head=ground.say("离校与接送", "Going home"), lines=lines)


def _late(ground: Ground) -> Part:
    heads = (ground.say("超过接送时间", "Minutes late"), ground.say("学校的做法", "What the school does"))
    rows = tuple(
        (ground.say(f"{rung.at_min} 分钟", f"{rung.at_min}"), ground.say(rung.do, rung.do_en or rung.do))
        for rung in ground.settings.rules.ladder
    )
    line = ground.say(
        "未接的学生始终有老师照看，不会独自留在校门口。", "A child who is not collected is always with a member of staff."
    )
    return Part(
        head=ground.say("没有按时来接", "If nobody comes in time"),
        lines=(line,),
        grid=Grid(heads=heads, rows=rows) if rows else None,
    )


def _fees(ground: Ground) -> Part:
    fees, lines = ground.settings.fees, []
    basis = {"pupil_month": ("每生每月", "a pupil and month"), "pupil_term_once": ("每生每学期一次", "a pupil, once a term")}
    if fees.cny or fees.evening_cny:
        zh, en = basis.get(fees.basis, ("每生", "a pupil"))
        lines.append(ground.say(f"课后服务费：{zh} {fees.cny} 元。", f"Fee: {fees.cny} yuan {en}."))
        if fees.evening_cny:
            lines.append(
                ground.say(
                    f"晚自习：{zh} {fees.evening_cny} 元，单列。",
                    f"Evening self-study: {fees.evening_cny} yuan {en}, a line of its own.",
                )
            )
        if "fee_reduction" in ground.settings.service.practices:
            lines.append(
                ground.say(
                    "家庭经济困难学生按规定减免，请向班主任提出。", "Reductions for families in need: ask the class teacher."
                )
            )
    else:
        lines.append(ground.say("不向家长收费。", "Families are charged nothing."))
    locked = fee_lock(
        ground.city, ground.settings.calendar, ground.on, approved_on=ground.settings.service.approved_on, variant=ground.variant
    )
    if locked is not None:
        lines.append(
            ground.say("本学期方案尚未审核同意，现在不收费。", "This term's plan is not approved yet: nothing is charged now.")
        )
    return Part(head=ground.say("收费", "Fees"), lines=tuple(lines), quotes=ground.quotes("E5"))


def _safety(ground: Ground) -> Part:
    named = [PRACTICES[name] for name in SAFETY if name in ground.settings.service.practices]
    lines = (ground.say("、".join(w.zh for w in named) + "。", ", ".join(w.en for w in named) + "."),) if named else ()
    return Part(head=ground.say("安全措施", "Safety"), lines=lines, quotes=ground.quotes("D1", "D4")[:2])


def _joining(ground: Ground) -> Part:
    service, lines = ground.settings.service, []
    lines.append(
        ground.say("按月报名。", "Enrolment by the month.")
        if service.enrolment_period == "month"
        else ground.say("按学期报名。", "Enrolment by the term.")
    )
    if "mid_term_change" in service.practices:
        lines.append(ground.say("学期中可以随时加入或退出。", "A child may join or leave during the term."))
    if "agreement" in service.practices:
        lines.append(ground.say("参加前请签订课后服务协议。", "An agreement is signed first."))
    if "feedback" in service.practices:
        lines.append(ground.say("意见和建议请告诉班主任或学校办公室。", "Tell the class teacher or the office what you think."))
    return Part(head=ground.say("报名、退出与意见", "Joining, leaving, feedback"), lines=tuple(lines), quotes=ground.quotes("C3"))


# --- words ---


def _numbered(parts: Iterable[Part], ground: Ground) -> tuple[Part, ...]:
    kept = [part for part in parts if part.lines or part.grid or part.quotes]
    return tuple(
        replace(part, head=ground.say(f"{DIGITS[n]}、{part.head}", f"{n}. {part.head}")) for n, part in enumerate(kept, 1)
    )


def _word(words: tuple[str, str], ground: Ground) -> str:
    return ground.say(*words)


def span(slot: Slot | None) -> str:
    return f"{clock(slot.start_min)}–{clock(slot.end_min)}" if slot else ""


def weekdays(days: frozenset[int], ground: Ground) -> str:
    words = [ground.say(*WEEKDAYS[day - 1]) for day in sorted(days)]
    return ground.say("星期" + "、".join(words), " ".join(words)) if words else ""


def grade_words(key: str, ground: Ground) -> str:
    """小学一年级 of primary-1."""
    stage, _, grade = key.partition("-")
    zh, en = STAGES.get(stage, (stage, stage))
    if not grade:
        return ground.say(zh, en)
    return ground.say(f"{zh}{DIGITS[int(grade)]}年级", f"{en} {grade}") if grade.isdecimal() and int(grade) < 10 else key


def by_grade(table: Mapping[str, int], ground: Ground) -> str:
    """15:30 小学一年级、小学二年级；16:10 其余年级."""
    groups: dict[int, list[str]] = {}
    for key, minute in table.items():
        groups.setdefault(minute, []).append(ground.say("其余年级", "the rest") if key == "*" else grade_words(key, ground))
    if len(groups) == 1:
        return clock(next(iter(groups)))
    return "；".join(f"{clock(minute)} {'、'.join(names)}" for minute, names in sorted(groups.items()))


def session_time(session: Session, ground: Ground) -> str:
    """The clock times of a session in the bells of today's season, or its own."""
    if session.start_min is not None and session.end_min is not None:
        return f"{clock(session.start_min)}–{clock(session.end_min)}"
    season = resolve_day(ground.on, ground.settings.calendar).season
    bells = ground.settings.plan.schedules.get(season)
    own = {"extended_care": "extended_care", "early_care": "early_care", "evening_study": "evening"}.get(session.kind, "")
    if bells is None:
        return ""
    slot = getattr(bells, own) if own else next((s for s in bells.slots if s.number == session.slot), None)
    if slot is None:
        return ""
    return ground.say(f"第{session.slot}时段 {span(slot)}", f"slot {session.slot} {span(slot)}") if session.slot else span(slot)


def _audience(session: Session, ground: Ground) -> str:
    classes = ground.directory.classes
    return "、".join(classes[key].name if key in classes else grade_words(key, ground) for key in sorted(session.audience))


# --- for whoever inspects ---


def inspected_parts(ground: Ground) -> tuple[Part, ...]:
    """F6: times, ways and content, staffing, safety measures. Numbers of people, no names."""
    parts = (_basis(ground), _when(ground), _what(ground), _staffing(ground), _safety(ground), _fees(ground))
    return tuple(part for part in parts if part.lines or part.grid or part.quotes)


def _staffing(ground: Ground) -> Part:
    sessions = list(ground.directory.sessions.values())
    teachers = {s.teacher for s in sessions if s.teacher}
    outside, without = [s for s in sessions if s.partner], [s for s in sessions if not s.teacher]
    n, people = len(sessions), len(teachers)
    lines = [ground.say(f"服务项目 {n} 个，负责教师 {people} 名。", f"{n} sessions, {people} teachers.")]
    if outside:
        lines.append(ground.say(f"与校外机构合作 {len(outside)} 个。", f"{len(outside)} with outside bodies."))
    if without:
        lines.append(ground.say(f"没有负责教师的 {len(without)} 个。", f"{len(without)} without a teacher."))
    words = (("类型", "Kind"), ("项目", "Sessions"), ("名额", "Places"), ("报名", "Enrolled"))
    heads, rows = tuple(ground.say(*pair) for pair in words), []
    for kind in sorted({s.kind for s in sessions}, key=lambda k: -sum(s.kind == k for s in sessions)):
        of_kind = [s for s in sessions if s.kind == kind]
        enrolled, places = sum(len(_taking_part(s, ground)) for s in of_kind), sum(s.capacity for s in of_kind)
        rows.append((_word(kind_words(kind), ground), str(len(of_kind)), str(places or ""), str(enrolled)))
    return Part(head=ground.say("师资与规模", "Staffing"), lines=tuple(lines), grid=Grid(heads=heads, rows=tuple(rows)))


def _taking_part(session: Session, ground: Ground) -> list[int]:
    members = ground.directory.members_of.get(session.id, ())
    return [e.child for e in members if within(e.valid_from, e.valid_to, ground.on)]
