"""The notice to parents, the public timetable and what an inspector reads: made from what is in force, naming no child."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from kiosk.core.people import Directory
from kiosk.core.policy import Rule
from kiosk.policies import load_policy
from kiosk.publications import Ground, guardian_notice, inspected_parts, public_timetable, timetable_report
from kiosk.settings import Settings, load
from kiosk.web.faces_publications import Publication
from tests.policy.plans import CITIES
from tests.support.people import small_school

VARIANTS = Path(__file__).parents[2] / "config" / "sample_school" / "variants"
TODAY = date(2026, 11, 23)


def told_apart() -> Directory:
    """The small school with names that no sentence has by chance."""
    school = small_school()
    return replace(
        school,
        pupils={n: replace(one, name=f"某学生{n}") for n, one in school.pupils.items()},
        collectors={n: replace(one, name=f"某家长{n}") for n, one in school.collectors.items()},
        staff={n: replace(one, name=f"某教师{n}") for n, one in school.staff.items()},
    )


PEOPLE = told_apart()


@cache
def settings_of(city: str) -> Settings:
    return load(VARIANTS / city)


def ground(city: str, *, directory: Directory = PEOPLE, on: date = TODAY, lang: str = "zh", **service: object) -> Ground:
    settings = settings_of(city)
    if service:
        settings = replace(settings, service=replace(settings.service, **service))
    return Ground(
        settings=settings, directory=directory, city=load_policy(city), overlay=load_policy("national_2023"), on=on,
        lang="en" if lang == "en" else "zh",
    )  # fmt: skip


def part(paper: Publication, head: str) -> str:
    """The Markdown of one section."""
    (found,) = [text for text in paper.markdown().split("\n## ") if head in text.partition("\n")[0]]
    return found


@pytest.mark.row("C4", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize("city", ["changzhi", "xiji", "tianjin", "yueyang"])
def test_c4_the_notice_tells_families_times_ways_content_safety_and_fees_before_the_clause_that_asks_for_it(city: str) -> None:
    paper = guardian_notice(ground(city))
    for head in ("依据", "自愿参加", "服务时间", "服务内容与方式", "离校与接送", "没有按时来接", "收费", "安全措施", "报名"):
        assert part(paper, head), head
    clause = next(r for r in load_policy(city).rules if r.id == "C4")
    assert clause.clause in paper.markdown() and str(clause.document) in paper.markdown()


@pytest.mark.row("C4", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize("city", ["changzhi", "xiji", "tianjin", "yueyang"])
def test_c4_the_notice_has_the_pick_up_window_and_what_happens_when_nobody_comes(city: str) -> None:
    paper, settings = guardian_notice(ground(city)), settings_of(city)
    assert f"{settings.release_window_min} 分钟内接走" in part(paper, "离校与接送")
    for rung in settings.rules.ladder:
        assert rung.do in part(paper, "没有按时来接")


def test_the_notice_has_the_hours_of_each_season_and_the_odd_days_of_the_term() -> None:
    times = part(guardian_notice(ground("yueyang")), "服务时间")
    assert "课业辅导 16:20–17:10；素质拓展 17:10–18:00" in times and "素质拓展 16:45–17:30" in times
    assert "冬季 2026-10-08–2027-04-30" in times and "15:20 小学一年级、小学二年级；15:50 其余年级" in times
    assert "2026-10-10（星期六）没有课后服务：调休日不开课后服务" in times
    assert "2026-10-07" not in times  # a holiday surprises nobody


@pytest.mark.row("E5", "changzhi", "xiji", "tianjin", "yueyang")
@pytest.mark.parametrize(
    ("city", "says"),
    [
        ("changzhi", "不向家长收费。"),
        ("xiji", "不向家长收费。"),
        ("tianjin", "每生每月 180 元"),
        ("yueyang", "每生每学期一次 300 元"),
    ],
)
def test_e5_the_notice_says_what_families_pay_beside_the_citys_words(city: str, says: str) -> None:
    fees = part(guardian_notice(ground(city)), "收费")
    assert says in fees
    (clause, *_) = [r.clause for r in load_policy(city).rules if r.id == "E5"]
    assert clause in fees


def test_luoyang_says_nothing_of_fees_and_so_does_its_notice() -> None:
    assert ">" not in part(guardian_notice(ground("luoyang")), "收费")


@pytest.mark.row("F5", "yueyang")
def test_f5_before_the_plan_is_approved_the_notice_says_that_nothing_is_charged() -> None:
    assert "尚未审核同意" in part(guardian_notice(ground("yueyang", approved_on=None)), "收费")
    assert "尚未审核同意" not in part(guardian_notice(ground("yueyang")), "收费")
    assert "尚未审核同意" not in part(guardian_notice(ground("tianjin", approved_on=None)), "收费")  # no such clause there


def test_a_lapsed_paper_is_called_lapsed() -> None:
    assert "有效期至 2026-09-02" in part(guardian_notice(ground("tianjin")), "依据")
    assert "有效期至" not in guardian_notice(ground("tianjin", on=date(2026, 9, 1))).markdown()


@pytest.mark.row("B1", "changzhi", "tianjin")
@pytest.mark.parametrize("city", ["changzhi", "tianjin"])
def test_b1_the_public_timetable_has_content_teacher_audience_places_time_and_room(city: str) -> None:
    text = public_timetable(ground(city)).markdown()
    for head in ("服务项目", "类型", "星期", "时段", "地点", "负责教师", "参加对象", "容纳人数"):
        assert head in text
    for session in PEOPLE.sessions.values():
        assert session.name in text
        assert PEOPLE.staff[session.teacher].name in text
    assert next(r for r in load_policy(city).rules if r.id == "B1").clause in text


def test_the_timetable_is_a_report_with_places_as_numbers() -> None:
    report = timetable_report(ground("tianjin"))
    (sheet,) = report.sheets
    assert report.school == "春晖实验小学" and [c.key for c in sheet.columns][7] == "capacity"
    assert len(list(sheet.rows)) == len(PEOPLE.sessions)
    assert all(isinstance(row[7], int) or row[7] is None for row in sheet.rows)


@pytest.mark.row("F7", "changzhi", "xiji", "luoyang", "yueyang")
@pytest.mark.parametrize("city", ["changzhi", "xiji", "luoyang", "yueyang"])
def test_f7_no_child_and_no_family_is_in_anything_public(city: str) -> None:
    public = guardian_notice(ground(city)).markdown() + public_timetable(ground(city)).markdown()
    for person in (*PEOPLE.pupils.values(), *PEOPLE.collectors.values()):
        assert person.name not in public
    for pupil in PEOPLE.pupils.values():
        assert pupil.school_number not in public
    for adult in PEOPLE.collectors.values():
        assert not adult.phone or adult.phone not in public


@pytest.mark.row("F6", "changzhi", "xiji", "tianjin", "luoyang", "yueyang")
@pytest.mark.parametrize("city", CITIES)
def test_f6_an_inspector_reads_times_content_staffing_and_safety_and_no_name_at_all(city: str) -> None:
    parts = inspected_parts(ground(city))
    assert {"服务时间", "服务内容与方式", "师资与规模", "安全措施"} <= {p.head for p in parts}
    text = repr(parts)
    for person in (*PEOPLE.pupils.values(), *PEOPLE.collectors.values(), *PEOPLE.staff.values()):
        assert person.name not in text
    assert f"服务项目 {len(PEOPLE.sessions)} 个" in text


@pytest.mark.parametrize("city", CITIES)
def test_every_paper_is_there_in_english_too(city: str) -> None:
    paper = guardian_notice(ground(city, lang="en"))
    assert "Going home" in paper.markdown() and "If nobody comes in time" in paper.markdown()


def test_a_name_from_a_list_is_never_markup() -> None:
    (first, *_) = PEOPLE.sessions.values()
    odd = replace(PEOPLE, sessions={first.id: replace(first, name="合唱|<script>\n# x")})
    text = public_timetable(ground("tianjin", directory=odd)).markdown()
    assert "合唱\\|&lt;script> # x" in text and "<script>" not in text


def test_a_clause_on_the_evening_is_quoted_where_there_is_one() -> None:
    evening = next(r for r in load_policy("tianjin").rules if r.id == "E5.evening")
    assert isinstance(evening, Rule) and evening.clause not in guardian_notice(ground("tianjin")).markdown()
