"""报名 over HTTP: the office's pages, the class teacher's page, and the list that comes of what they press."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest

from kiosk.clock import FixedClock
from kiosk.core.enrolment import State
from kiosk.directory import load, publish, read_content
from kiosk.enrolment_office import OfficeEnrolment
from kiosk.settings import load as load_settings
from kiosk.web.enrolment_desk import Act
from sync_agent.agent_state import AgentStatus, DirectoryStatus, write_status
from tests.cards.people_list import put_list
from tests.support.people import MADE_AT_MS
from tests.support.school import CONFIG, School
from tests.web.gate_online import Online, online

FILE = "directory.db"
ALL = ("changzhi", "xiji", "tianjin", "luoyang", "yueyang")


def served(tmp_path: Path, *, agreement: bool = False, capacity: int = 20) -> Iterator[Online]:
    put_list(tmp_path)
    content, info = read_content(tmp_path / FILE)
    sessions = tuple(replace(s, capacity=capacity if s.id == "S2" else 0) for s in content.sessions)
    publish(tmp_path / FILE, replace(content, sessions=sessions), info.number + 1, 0)

    def more(school: School) -> dict[str, object]:
        settings = replace(school.settings, rules=replace(school.settings.rules, agreement_required=agreement))
        return {"enrolment": OfficeEnrolment(settings=settings, state=tmp_path, clock=school.clock)}

    with online(tmp_path, more=more) as here:
        yield here


@pytest.fixture(name="here")
def a_gate_with_a_list(tmp_path: Path) -> Iterator[Online]:
    yield from served(tmp_path)


@pytest.fixture(scope="module", name="still")
def a_gate_whose_list_nobody_needs_to_be_fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Online, Path]]:
    folder = tmp_path_factory.mktemp("still")
    for here in served(folder):
        yield here, folder


@pytest.fixture(name="full")
def a_gate_whose_art_club_is_full(tmp_path: Path) -> Iterator[Online]:
    yield from served(tmp_path, capacity=3)


@pytest.fixture(name="asking")
def a_gate_of_a_city_that_asks_for_agreements(tmp_path: Path) -> Iterator[Online]:
    yield from served(tmp_path, agreement=True)


def page(client: httpx.Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def press(client: httpx.Client, base: int, status: int = 303, *, to: str = "/office/enrolment/act", **fields: str) -> str:
    answer = client.post(to, data={"base": str(base), **fields})
    assert answer.status_code == status, answer.text
    return re.sub(r"\s+", " ", answer.text)


def number(tmp_path: Path) -> int:
    return load(tmp_path / FILE).number


def states(tmp_path: Path) -> dict[int, State]:
    return {one.child: one.state for one in read_content(tmp_path / FILE)[0].applications}


def applied(office: httpx.Client, tmp_path: Path, child: int, session: str = "S2", **more: str) -> str:
    """Applied for on the page; and the number of the application."""
    fields = {"act": "apply", "child": str(child), "session_2": session, "day": "2026-11-24", **more}
    press(office, number(tmp_path), confirm="1", **fields)
    return read_content(tmp_path / FILE)[0].applications[-1].id


@pytest.mark.row("C2", "changzhi", "xiji", "yueyang")
@pytest.mark.row("C1", *ALL)
def test_c2_from_the_familys_application_to_a_place_in_three_presses(here: Online, tmp_path: Path) -> None:
    office, teacher = here.as_staff("O1"), here.as_staff("T5")
    before = number(tmp_path)
    shown = press(office, before, 200, act="apply", child="8", session_1="S1", session_2="S2", day="2026-11-24")
    assert "确认前：名单会这样变" in shown and shown.count("新申请") == 2 and number(tmp_path) == before
    press(office, before, act="apply", child="8", session_1="S1", session_2="S2", day="2026-11-24", confirm="1")
    first, second = (one.id for one in read_content(tmp_path / FILE)[0].applications)
    assert first != second  # one application for each slot: nothing is bundled
    review = page(teacher, "/applications")
    assert "不参加" in review and "美术社团" in review and "审核通过" in review
    press(teacher, number(tmp_path), to="/applications/review", application=second)
    waiting = page(office, "/office/enrolment")
    assert "班级已审核，待学校同意" in waiting and "同意后进入名单（已报 3/20）" in waiting
    press(office, number(tmp_path), act="approve", application=second)
    assert [e.session for e in load(tmp_path / FILE).enrolments_of[8]] == ["S2"]
    history = page(office, "/office/enrolment/child/8")
    assert all(word in history for word in ("班级审核", "杨老师", "学校同意", "办公室", "参加中", "待审核"))


@pytest.mark.row("C2", "changzhi", "xiji", "yueyang")
def test_c2_without_an_agreement_the_office_has_a_task_and_the_child_a_place(asking: Online, tmp_path: Path) -> None:
    office = asking.as_staff("O1")
    application = applied(office, tmp_path, 8)
    press(office, number(tmp_path), act="review", application=application)
    press(office, number(tmp_path), act="approve", application=application)
    task = page(office, "/office/enrolment")
    assert "已同意，未签协议" in task and "还有 7 条在册报名没有协议编号" in task
    assert load(tmp_path / FILE).enrolments_of[8] and states(tmp_path)[8] is State.APPROVED
    assert "请填协议编号" in press(office, number(tmp_path), 422, act="sign", application=application)
    press(office, number(tmp_path), act="sign", application=application, agreement="XY-77")
    assert states(tmp_path)[8] is State.ACTIVE and load(tmp_path / FILE).enrolments_of[8][0].agreement == "XY-77"
    assert "登记协议" in page(office, "/office/enrolment/child/3")  # a place that a list gave
    press(office, number(tmp_path), act="sign", child="3", session="S2", agreement="XY-78")
    assert {e.session: e.agreement for e in load(tmp_path / FILE).enrolments_of[3]} == {"S1": "", "S2": "XY-78"}
    assert "还有 6 条在册报名没有协议编号" in page(office, "/office/enrolment")


@pytest.mark.row("B1", "changzhi", "tianjin")
@pytest.mark.row("A17", "changzhi", "xiji", "yueyang")
def test_a17_a_full_session_makes_wait_and_a_free_place_goes_to_the_next(full: Online, tmp_path: Path) -> None:
    office = full.as_staff("O1")
    for child, group in ((8, ""), (7, "left_behind")):
        application = applied(office, tmp_path, child, priority=group)
        press(office, number(tmp_path), act="review", application=application)
        assert "已满 3/3：同意后候补" in page(office, "/office/enrolment")
        press(office, number(tmp_path), act="approve", application=application)
    waiting = page(office, "/office/enrolment")
    assert waiting.index("高个子") < waiting.index("不参加") and "第 1 位" in waiting and "留守儿童" in waiting
    assert "候补 2" in waiting and "已满" in waiting
    leave = {"act": "leave", "child": "5", "session": "S2", "day": "2026-11-30"}
    effects = press(office, number(tmp_path), 200, **leave)
    assert "名单改为" in effects and "空位留给候补" in effects and "高个子" in effects
    press(office, number(tmp_path), confirm="1", **leave)
    assert states(tmp_path) == {8: State.WAITING, 7: State.OFFERED, 5: State.WITHDRAWN}
    application = next(one.id for one in read_content(tmp_path / FILE)[0].applications if one.child == 7)
    press(office, number(tmp_path), act="accept", application=application)
    assert [e.valid_from for e in load(tmp_path / FILE).enrolments_of[7]] == [date(2026, 11, 30)]


@pytest.mark.row("A17", "changzhi", "xiji", "yueyang")
def test_a17_the_priority_group_is_on_no_page_but_the_offices(full: Online, tmp_path: Path) -> None:
    office, teacher = full.as_staff("O1"), full.as_staff("T5")
    applied(office, tmp_path, 8, priority="hardship")
    assert "家庭经济困难" in page(office, "/office/enrolment/child/8")
    urls = ("/applications", "/rosters", "/roster/class:primary-2022-1", "/roster/session:S2")
    everywhere = [page(teacher, url) for url in urls]
    everywhere += [page(full.client(), "/display/east-in"), page(full.as_staff("L1"), "/duty")]
    everywhere.append(office.get("/office/enrolment/list/S2").text)
    assert "不参加" in everywhere[0]
    assert not [text for text in everywhere if "困难" in text or "hardship" in text or "优先" in text]


@pytest.mark.row("C3", "changzhi")
def test_c3_a_child_leaves_from_a_day_on_and_the_days_before_stay(here: Online, tmp_path: Path) -> None:
    office = here.as_staff("O1")
    leave = {"act": "leave", "child": "3", "session": "S1"}
    assert "已过去" in press(office, number(tmp_path), 422, day="2026-11-20", **leave)
    press(office, number(tmp_path), confirm="1", day="2026-11-23", **leave)
    lines = {e.session: (e.valid_from, e.valid_to) for e in load(tmp_path / FILE).enrolments_of[3]}
    assert lines["S1"][1] == date(2026, 11, 22) and lines["S2"] == (None, None)
    assert "已退出" in page(office, "/office/enrolment/child/3")


@pytest.mark.row("B2", "changzhi", "xiji", "tianjin", "yueyang")
def test_b2_the_page_refuses_a_second_session_at_the_same_time_and_names_it(here: Online, tmp_path: Path) -> None:
    content, info = read_content(tmp_path / FILE)
    twin = replace(content.sessions[1], id="S3", name="合唱团")
    publish(tmp_path / FILE, replace(content, sessions=(*content.sessions, twin)), info.number + 1, 0)
    said = press(here.as_staff("O1"), number(tmp_path), 422, act="apply", child="3", session_2="S3", day="2026-11-24")
    assert "与“美术社团”时间相同" in said


@pytest.mark.row("A10", "luoyang")
def test_a10_the_form_offers_each_slot_by_itself_and_chooses_nothing_beforehand(still: tuple[Online, Path]) -> None:
    form = page(still[0].as_staff("O1"), "/office/enrolment/child/8")
    assert 'name="session_1"' in form and 'name="session_2"' in form
    chooser = form[form.index('name="session_1"') : form.index('name="day" value', form.index('name="session_1"'))]
    assert "selected" not in chooser and "checked" not in chooser and chooser.count("不参加") == 3


def test_several_applications_are_ticked_one_by_one_and_approved_together_or_not_at_all(full: Online, tmp_path: Path) -> None:
    office, teacher = full.as_staff("O1"), full.as_staff("T5")
    ids = [applied(office, tmp_path, 8), applied(office, tmp_path, 8, "S1"), applied(office, tmp_path, 7)]
    review = page(teacher, "/applications")
    assert review.count('type="checkbox"') == 2 and "checked" not in review
    for chosen, status in ((ids, 404), (ids[:2], 303)):  # one of them is of another class
        data = {"base": str(number(tmp_path)), "application": chosen}
        assert teacher.post("/applications/review", data=data).status_code == status
    press(office, number(tmp_path), act="review", application=ids[2])
    both = {"base": str(number(tmp_path)), "act": "approve", "application": ids[:2]}
    shown = office.post("/office/enrolment/act", data=both).text
    assert "确认前：名单会这样变" in shown and "五年级作业辅导" in shown and "候补" in shown
    assert set(states(tmp_path).values()) == {State.CLASS_REVIEWED}
    assert office.post("/office/enrolment/act", data={**both, "confirm": "1"}).status_code == 303
    found = {one.id: one.state for one in read_content(tmp_path / FILE)[0].applications}
    assert [found[one] for one in ids] == [State.WAITING, State.ACTIVE, State.CLASS_REVIEWED]
    again = {**both, "base": str(number(tmp_path)), "application": [ids[2], ids[0]], "confirm": "1"}
    assert office.post("/office/enrolment/act", data=again).status_code == 422  # one of them waits already: none is done
    assert states(tmp_path)[7] is State.CLASS_REVIEWED


def test_whoever_presses_on_an_older_page_is_told(here: Online, tmp_path: Path) -> None:
    office = here.as_staff("O1")
    application = applied(office, tmp_path, 8)
    assert "名单刚有变化" in press(office, number(tmp_path) - 1, 422, act="review", application=application)
    assert states(tmp_path)[8] is State.APPLIED
    assert "不能这样办" in press(office, number(tmp_path), 422, act="accept", application=application)
    assert "请至少选一门课" in press(office, number(tmp_path), 422, act="apply", child="8", day="2026-11-24")
    assert "请先勾选" in press(office, number(tmp_path), 422, act="approve")
    assert "没有这份申请" in press(office, number(tmp_path), 422, act="approve", application="nothing")


def test_at_a_gate_whose_lists_come_from_another_a_press_is_refused_and_not_undone_later(here: Online, tmp_path: Path) -> None:
    office = here.as_staff("O1")
    application = applied(office, tmp_path, 8)
    status = AgentStatus(
        written_ms=1, server="http://server:8440", node="south", waiting=0, quarantined=0, last_contact_ms=1, asked_ms=1,
        streams=[], peers=[], directory=DirectoryStatus(office=False), problems=[],
    )  # fmt: skip
    write_status(tmp_path, status)
    assert "请到那里办理" in press(office, number(tmp_path), 422, act="review", application=application)
    assert states(tmp_path)[8] is State.APPLIED


def test_a_form_that_no_page_sends_is_malformed(still: tuple[Online, Path]) -> None:
    here, folder = still
    office, before = here.as_staff("O1"), number(folder)
    forms = (
        {"act": "enrol_class"},
        {"act": "approve_all", "class": "primary-2022-1"},
        {"act": "apply", "child": "x", "session": "S2"},
        {"act": "leave", "child": "8", "day": "tomorrow"},
        {"act": "apply", "child": "8", "session_2": "S2", "leave_at": "9999"},
    )
    for fields in forms:
        press(office, before, 422, **fields)
    assert number(folder) == before


def test_who_may_open_and_press_what(still: tuple[Online, Path]) -> None:
    here, tmp_path = still
    office = here.as_staff("O1")
    application = applied(office, tmp_path, 8)
    for staff in ("G1", "T1", "L1"):
        client = here.as_staff(staff)
        for url in ("/office/enrolment", "/office/enrolment/child/8", "/office/enrolment/list/S2"):
            assert client.get(url).status_code == 403
        assert client.post("/office/enrolment/act", data={"act": "approve", "application": application}).status_code == 403
    assert here.as_staff("G1").get("/applications").status_code == 403
    stranger = here.as_staff("T1")  # class teacher of another class
    assert "美术社团" not in page(stranger, "/applications").partition("本班参加情况")[0]
    press(stranger, number(tmp_path), 404, to="/applications/review", application=application)
    del office.headers["x-csrf-token"]
    press(office, number(tmp_path), 403, act="review", application=application)
    assert states(tmp_path)[8] is State.APPLIED


@pytest.mark.row("C5", "changzhi", "xiji", "tianjin", "luoyang")
def test_c5_who_takes_part_in_a_session_can_be_taken_away_for_a_survey(still: tuple[Online, Path]) -> None:
    office = still[0].as_staff("O1")
    answer = office.get("/office/enrolment/list/S1")
    assert answer.content.startswith(b"\xef\xbb\xbf") and "attachment" in answer.headers["content-disposition"]
    rows = answer.content.decode("utf-8-sig").splitlines()
    assert rows[0].startswith("学号,学生姓名,班级,座号,课程,")
    assert [row.split(",")[1] for row in rows[1:]] == ["李雷", "韩梅", "王小红"]
    assert office.get("/office/enrolment/list/none").status_code == 404


def test_a_child_is_found_and_the_page_speaks_english(still: tuple[Online, Path]) -> None:
    office = still[0].as_staff("O1")
    assert "/office/enrolment/child/8" in page(office, "/office/enrolment?q=bcj")
    assert "没有找到" in page(office, "/office/enrolment?q=zz")
    assert "Taking part is voluntary" in page(office, "/office/enrolment?lang=en")


@pytest.mark.parametrize(("period", "last"), [("term", date(2027, 1, 22)), ("month", date(2026, 11, 30))])
def test_an_enrolment_lasts_for_the_term_or_the_month_as_the_school_says(tmp_path: Path, period: str, last: date) -> None:
    put_list(tmp_path)
    settings = load_settings(CONFIG)
    settings = replace(settings, service=replace(settings.service, enrolment_period=period))
    desk = OfficeEnrolment(settings=settings, state=tmp_path, clock=FixedClock(MADE_AT_MS))
    desk.do(Act(kind="apply", child=8, sessions=("S1",)), base=1, by=150)
    assert (desk.look().last_day, read_content(tmp_path / FILE)[0].applications[0].valid_to) == (last, last)
