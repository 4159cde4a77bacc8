"""What enrolment does to rosters, taps, release windows and custody, in the running gate of the small school."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kiosk.core import enrolment_book as eb
from kiosk.core import roster as r
from kiosk.core.decisions import Outcome, Reason
from kiosk.core.people import Directory, Enrolment
from kiosk.settings import load
from kiosk.web import faces
from tests.support.people import ENROLMENTS, SESSIONS, small_school
from tests.support.school import CONFIG, School

ALL = ("changzhi", "xiji", "tianjin", "luoyang", "yueyang")
TODAY = date(2026, 11, 23)
Opened = Callable[..., School]


@pytest.fixture(name="opened")
def schools(tmp_path: Path) -> Iterator[Opened]:
    """A school with this directory, open until the end of the test."""
    made: list[School] = []

    def open_one(directory: Directory | None = None, **more: object) -> School:
        made.append(School(tmp_path / f"state{len(made)}", directory=directory, **more))
        return made[-1]

    yield open_one
    for one in made:
        one.close()


def roster(school: School, key: str) -> r.RosterView:
    view: r.RosterView = school.look(r.RosterQuery(roster=key))
    return view


def names(school: School, key: str) -> list[str]:
    return sorted(row.line.name for row in roster(school, key).rows if row.expected)


def missing(school: School, key: str) -> list[str]:
    return [row.line.name for row in roster(school, key).rows if row.missing_since_ms is not None]


def arrive(school: School, *children: str) -> School:
    school.at("07:45")
    for child in children:
        school.tap(child, "east-in")
    return school


@pytest.mark.row("C1", *ALL)
def test_c1_who_has_not_applied_is_on_no_roster_and_never_missing(opened: Opened) -> None:
    school = arrive(opened(), "不参加", "李雷")
    school.at("16:50")
    assert all("不参加" not in names(school, f"session:{one.id}") for one in SESSIONS)
    assert missing(school, "session:S1") == ["李雷"]  # who is enrolled, in school and not there
    school.roll("session:S1", "李老师", 李雷="absent_unexplained")
    assert school.case_of("李雷") is not None and school.case_of("不参加") is None


@pytest.mark.row("C1", *ALL)
@pytest.mark.row("B1", "changzhi", "tianjin")
def test_c1_a_guest_is_admitted_even_to_a_full_session_and_the_screen_says_how_full_it_is(opened: Opened) -> None:
    full = small_school(sessions=tuple(replace(one, capacity=3 if one.id == "S2" else 0) for one in SESSIONS))
    school = arrive(opened(full), "不参加")
    answer = school.at("17:35").tap("不参加", "room-art")
    assert (answer.decision.outcome, answer.decision.reason) == (Outcome.GRANTED, Reason.GUEST)
    assert answer.decision.detail == {"taken": 3, "capacity": 3}
    point = school.settings.rules.access_points["room-art"]
    told = faces.answer(answer.decision, school.directory, school.clock.now_ms(), point)
    assert told["note"] == "请找老师安排位置（3/3）" and told["note_en"].endswith("(3/3)")
    row = next(row for row in roster(school, "session:S2").rows if row.line.name == "不参加")
    assert row.here and not row.expected


@pytest.mark.row("C3", "changzhi")
def test_c3_leaving_ends_the_absence_computation_that_day_and_leaves_the_day_before_alone(opened: Opened) -> None:
    people = small_school()
    book = eb.Book(pupils=people.pupils, sessions=people.sessions, enrolments=ENROLMENTS)
    press = eb.Press(today=TODAY, now_ms=0, by=150)
    taken, number = eb.adopt(book, 3, "S1", press)
    left = small_school(enrolments=eb.withdraw(taken, number, TODAY, press).enrolments)
    friday = opened(left, day="2026-11-20")
    assert names(arrive(friday, "李雷").at("16:50"), "session:S1") == ["李雷", "王小红", "韩梅"]
    assert missing(friday, "session:S1") == ["李雷"]
    monday = opened(left)
    assert names(arrive(monday, "李雷").at("16:50"), "session:S1") == ["王小红", "韩梅"]
    assert missing(monday, "session:S1") == []
    assert "李雷" in names(monday, "session:S2")  # the other slot is an enrolment of its own


@pytest.mark.row("C2", "changzhi", "xiji", "yueyang")
@pytest.mark.parametrize("city", ["changzhi", "xiji", "yueyang"])
def test_c2_whoever_has_no_agreement_wears_a_badge_and_is_taken_over_like_everybody(
    opened: Opened, tmp_path: Path, city: str
) -> None:
    """The city's own document, as the settings read it."""
    school = opened(_signed(), settings=_of_city(tmp_path, city))
    arrive(school, "李雷", "韩梅").at("16:31")
    for child in ("李雷", "韩梅"):
        school.tap(child, "room-201")
    rows = {row.line.name: row for row in roster(school, "session:S1").rows}
    assert (rows["李雷"].unsigned, rows["韩梅"].unsigned) == (False, True)
    assert "未签协议" in dict(faces.fragments(roster(school, "session:S1")))[f"row-{school.number('韩梅')}"]
    assert school.take("session:S1", "李老师", 2).decision.outcome is Outcome.GRANTED
    assert school.custodian("韩梅") == "李老师"
    assert not any(row.unsigned for row in roster(school, "class:primary-2022-1").rows)


def test_a_city_whose_document_asks_for_no_agreement_shows_no_badge(opened: Opened, tmp_path: Path) -> None:
    school = opened(_signed(), settings=_of_city(tmp_path, "luoyang"))
    assert not any(row.unsigned for row in roster(school.at("16:31"), "session:S1").rows)


def _signed() -> Directory:
    """李雷 has an agreement, the others of the homework session have none."""
    return small_school(enrolments=tuple(replace(e, agreement="XY-1" if e.child == 3 else "") for e in ENROLMENTS))


def _of_city(tmp_path: Path, city: str):  # Settings
    folder = tmp_path / "config"
    folder.mkdir()
    for path in CONFIG.glob("*.toml"):
        (folder / path.name).write_text(path.read_text())
    text = (folder / "school.toml").read_text()
    changed = "\n".join(f'city = "{city}"' if line.startswith("city") else line for line in text.splitlines())
    (folder / "school.toml").write_text("\n".join(line for line in changed.splitlines() if not line.startswith("variant")))
    return load(folder)


@pytest.mark.row("A10", "luoyang")
def test_a10_one_slot_the_other_or_both_each_with_its_own_roll_and_its_own_way_out(opened: Opened) -> None:
    school = opened()
    windows = {name: school.gate.world.book.pupils[school.number(name)] for name in ("韩梅", "丁一", "李雷", "不参加")}
    opens = {name: day.release_opens_ms for name, day in windows.items()}
    assert opens["韩梅"] == school.ms("17:30")  # slot 1 only
    assert opens["丁一"] == opens["李雷"] == school.ms("18:30")  # slot 2 only, both
    assert opens["不参加"] == school.ms("16:10")  # none
    assert "丁一" not in names(school, "session:S1") and "韩梅" not in names(school, "session:S2")
    arrive(school, "丁一", "韩梅").at("16:12")
    assert school.custodian("丁一") == "杨老师"
    offer = school.offer(["丁一"], "杨老师", "早班老师", kind="between_slots", place="阅览室")
    school.accept(offer, "早班老师", 1)
    assert (school.custodian("丁一"), school.child("丁一").place) == ("早班老师", "阅览室")
    school.at("16:40").roll("session:S1", "李老师", 韩梅="present")
    school.at("17:31").tap("丁一", "room-art")
    school.roll("session:S2", "周老师", 丁一="present")
    marks = school.child("丁一").marks
    assert "session:S2" in marks and "session:S1" not in marks
    assert school.tap("韩梅", "east-out").decision.outcome is Outcome.GRANTED


@pytest.mark.row("A12", "changzhi", "luoyang")
def test_a12_the_release_window_follows_the_end_that_the_family_chose(opened: Opened) -> None:
    early = tuple(replace(e, leave_at_min=17 * 60) if e.child == 4 else e for e in ENROLMENTS)
    school = arrive(opened(small_school(enrolments=early)), "韩梅", "李雷")
    assert school.gate.world.book.pupils[school.number("韩梅")].release_opens_ms == school.ms("17:00")
    school.at("16:55")
    assert school.tap("韩梅", "east-out").decision.outcome is not Outcome.GRANTED
    school.at("17:05")
    assert school.tap("韩梅", "east-out").decision.outcome is Outcome.GRANTED
    assert school.tap("李雷", "east-out").decision.outcome is not Outcome.GRANTED


@pytest.mark.row("A13", "changzhi", "xiji", "luoyang")
def test_a13_enrolled_in_extended_care_a_child_moves_there_by_a_handover_of_two(opened: Opened) -> None:
    applied = Enrolment(child=5, session="E1", application="SQ00001")
    school = arrive(opened(small_school(enrolments=(*ENROLMENTS, applied))), "丁一", "王小红")
    school.at("17:31").tap("丁一", "room-art")
    school.take("session:S2", "周老师", 1)
    school.at("18:25")
    assert "丁一" in names(school, "session:E1")
    offer = school.offer(["丁一"], "周老师", "吴老师", kind="to_extended_care", place="阅览室")
    assert school.custodian("丁一") == "周老师"  # an offer moves nothing
    school.accept(offer, "吴老师", 1)
    assert school.custodian("丁一") == "吴老师"
    school.at("19:10")
    assert school.case_of("丁一") is None  # in care until its end; the ladder begins there
    assert school.case_of("王小红") is not None  # slot 1 only, and nobody has come for her since 17:30
