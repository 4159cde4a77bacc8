"""更正: an archived session is opened, corrected with a reason and read again, over HTTP, by whoever may; and growth notes.

S1 of 2026-11-23 was held by 李老师 (T11) from 16:30 to 17:30 with 李雷, 韩梅 and 王小红.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kiosk.core import commands_service as cs
from kiosk.core.commands import Tick
from kiosk.core.service_records import SessionClosed
from kiosk.journal import FILE_NAME
from tests.web.gate_online import Online, online

DAY = "2026-11-23"
S1 = f"/records/sessions/{DAY}/S1"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Online]:
    with online(tmp_path) as gate:
        yield gate


@pytest.fixture
def held(here: Online) -> Online:
    return archived(here)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    """The same for tests that change nothing."""
    with online(tmp_path_factory.mktemp("gate")) as gate:
        yield archived(gate)


def archived(here: Online) -> Online:
    """S1 is archived: 李雷 and 韩梅 were there, 王小红 was absent."""
    school = here.school
    for name in ("李雷", "韩梅"):
        school.tap(name, "south-in")
    school.at("16:25")
    for name in ("李雷", "韩梅"):
        school.tap(name, "room-201")
    school.ask(cs.CheckIn(session="S1", by=111))
    school.at("17:31")
    missing = {school.number("王小红"): "absent_unexplained"}
    why = {school.number("王小红"): "guardian_informed"}
    answer = school.ask(cs.CloseSession(session="S1", by=111, states=missing, why=why))
    assert answer.decision.outcome == "granted", answer
    return here


def correct(client: httpx.Client, **body: object) -> dict[str, str]:
    answer = client.post(S1, json={"note": "家长补交假条", **body})
    assert answer.status_code == 200, answer.text
    told: dict[str, str] = answer.json()
    return told


def last(here: Online) -> str:
    return str(here.school.entries("session_corrected")[-1].id)


@pytest.mark.row("F1", "tianjin", "yueyang")
@pytest.mark.row("E1", "xiji")
def test_f1_whoever_held_a_session_opens_its_row_and_corrects_it_and_the_old_one_stays_in_sight(held: Online) -> None:
    teacher = held.as_staff("T11")
    assert "五年级作业辅导" in teacher.get("/records/sessions").text  # today where no day is said
    page = teacher.get(S1).text
    for words in ("实到 2 / 应到 3", "课业辅导", "16:30–17:30", "混编", "李老师", "没有更正过", "王小红", "缺勤未说明"):
        assert words in page, words
    (row,) = held.school.entries("session_closed")
    assert correct(teacher, states={"2": "leave_sick"})["outcome"] == "granted"
    (change,) = held.school.entries("session_corrected")
    assert (change.body["closed"], change.body["states"], change.body["by"]) == (str(row.id), {"2": "leave_sick"}, 111)
    assert held.school.entries("session_closed") == [row]
    page = teacher.get(S1).text
    for words in ("王小红：未到 → 病假", "家长补交假条", "原：未到", "李老师"):
        assert words in page, words
    assert "更正 1 次" in teacher.get(f"/records/sessions?day={DAY}").text


@pytest.mark.row("E1", "xiji")
def test_e1_class_hours_go_to_the_teachers_that_a_correction_names(held: Online) -> None:
    office = held.as_staff("O1")
    assert correct(office, teachers=[112], class_hours=0.5)["outcome"] == "granted"
    page = office.get(S1).text
    for words in ("到岗教师：李老师 → 周老师", "课时：1 → 0.5", "办公室"):
        assert words in page, words
    assert held.as_staff("T12").get(S1).status_code == 200
    assert held.as_staff("T11").get(S1).status_code == 403  # who did not hold it after all


@pytest.mark.row("E1", "xiji")
def test_e1_in_a_locked_month_the_office_corrects_and_the_row_is_marked(held: Online) -> None:
    held.school.ask(cs.LockMonth(month="2026-11", by=150))
    teacher = held.as_staff("T11")
    page = teacher.get(S1).text
    assert "2026-11 已锁定" in page and "请办公室或值班领导更正" in page and "data-correct" not in page
    assert correct(teacher, states={"2": "leave_sick"})["reason"] == "month_locked"
    leader = held.as_staff("L1")
    assert correct(leader, states={"2": "leave_sick"})["outcome"] == "granted"
    assert held.school.entries("session_corrected")[0].body["locked"] is True
    assert "锁定后更正" in leader.get(S1).text


def test_a_session_of_an_earlier_day_is_corrected_a_second_time(held: Online) -> None:
    held.school.clock.advance(14 * 3_600_000)
    held.school.ask(Tick())
    teacher = held.as_staff("T11")
    assert "这一天没有您归档的课" in teacher.get("/records/sessions").text
    assert correct(teacher, states={"2": "leave_sick"})["outcome"] == "granted"
    back = correct(teacher, states={"2": "absent_unexplained"}, seen=last(held), note="假条作废")
    assert back["outcome"] == "granted"  # against what stands, not against what was archived
    assert teacher.get(S1).text.count("王小红：") == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"states": {"2": "leave_sick"}, "note": " "}, "请写更正原因"),
        ({}, "没有改动"),
        ({"states": {"2": "absent_unexplained"}}, "没有改动"),
        ({"states": {"8": "present"}}, "名单上没有这个人，请重新打开"),
        ({"teachers": [999]}, "名单上没有这个人，请重新打开"),
        ({"class_hours": 13}, "课时填 0 到 12"),
        ({"states": {"2": "leave_sick"}, "seen": "east/ab/1"}, "别人刚更正过：请重新打开再改"),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_is_said_in_one_sentence(unchanged: Online, body: dict[str, object], words: str) -> None:
    told = correct(unchanged.as_staff("T11"), **body)
    assert (told["outcome"], told["words"]) == ("refused", words)
    assert unchanged.school.entries("session_corrected") == []


def test_only_whoever_held_it_the_office_and_duty_leaders_open_it(unchanged: Online) -> None:
    for staff, status in (("T11", 200), ("L1", 200), ("O1", 200), ("T5", 403), ("G1", 403), ("D1", 403)):
        client = unchanged.as_staff(staff)
        assert client.get(S1).status_code == status, staff
        assert client.post(S1, json={"note": "x"}).status_code == status, staff
    assert unchanged.client().post(S1, json={"note": "x"}).status_code == 401
    office = unchanged.as_staff("O1")
    assert [read.what for read in unchanged.page_reads if read.what == "session"] == ["session"] * 3  # each look is on record
    assert office.get(f"/records/sessions/{DAY}/S9").status_code == 404
    assert office.get("/records/sessions?day=monday").status_code == 422
    assert "No session was archived" in office.get("/records/sessions?day=2026-11-20&lang=en").text
    del office.headers["x-csrf-token"]
    assert office.post(S1, json={"note": "x"}).status_code == 403
    row = SessionClosed.of(unchanged.school.entries("session_closed")[0].body)
    assert row.states[2] == "absent_unexplained"


def test_records_that_cannot_be_read_are_said_to_be_so(held: Online) -> None:
    teacher, journal = held.as_staff("T11"), held.school.state / FILE_NAME
    away = journal.rename(journal.with_suffix(".away"))
    try:
        for path in (S1, "/records/sessions", "/records/growth/3"):
            answer = teacher.get(path)
            assert answer.status_code == 503 and "there is no journal" in answer.json()["error"], path
        assert teacher.post(S1, json={"note": "x"}).status_code == 503
    finally:
        away.rename(journal)
    assert teacher.get(S1).status_code == 200


# --- growth notes -------------------------------------------------------------------------------------------


@pytest.mark.row("F3", "luoyang")
def test_f3_a_teacher_notes_what_a_child_likes_and_reads_the_own_notes_again(here: Online) -> None:
    class_teacher, session_teacher = here.as_staff("T5"), here.as_staff("T11")
    assert class_teacher.get("/records/growth/3").json() == {"may": True, "notes": []}
    for client, text in ((class_teacher, "喜欢观察昆虫"), (session_teacher, "解题有耐心"), (class_teacher, "自己养蚕，写日记")):
        answer = client.post("/act/note_growth", json={"child": 3, "text": text})
        assert answer.json()["outcome"] == "granted", answer.text
    told = class_teacher.get("/records/growth/3").json()
    assert told["notes"] == [{"day": DAY, "text": "自己养蚕，写日记"}, {"day": DAY, "text": "喜欢观察昆虫"}]  # only the own ones
    assert session_teacher.get("/records/growth/3").json()["notes"] == [{"day": DAY, "text": "解题有耐心"}]
    assert 'data-form="note_growth"' in class_teacher.get("/child/3?for=roster").text


def test_whoever_does_not_teach_a_child_notes_nothing_and_is_told_so(here: Online) -> None:
    other = here.as_staff("T1")
    assert other.get("/records/growth/3").json() == {"may": False, "notes": []}
    assert other.post("/act/note_growth", json={"child": 3, "text": "x"}).json()["reason"] == "not_permitted"
    assert here.as_staff("G1").get("/records/growth/3").status_code == 403
    assert other.get("/records/growth/999").status_code == 404
